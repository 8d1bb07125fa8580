"""Signing in and out. A refusal looks the same whoever asks, and takes as long."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

import anyio
from anyio import to_thread
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from proofmail.accounts import members, sessions, trail
from proofmail.accounts.organisations import fold_address
from proofmail.errors import Refused
from proofmail.web.access import (
    drop_session_cookie,
    note_failed_sign_in,
    services_of,
    session_cookie,
    set_session_cookie,
)
from proofmail.web.bodies import read_form
from proofmail.web.pages import local_path, renderer_of
from proofmail.web.services import Services
from proofmail.web.throttle import Throttle

WINDOW = timedelta(minutes=15)
MOST_PER_EMAIL = 10
MOST_PER_ADDRESS = 30
MOST_AT_ONCE = 4
"""Threads that may hash passwords or wait for it; the others of the pool serve pages."""

router = APIRouter(include_in_schema=False)


class Door:
    """One for an application: who may still try."""

    def __init__(self) -> None:
        self.by_email = Throttle(MOST_PER_EMAIL, WINDOW)
        self.by_address = Throttle(MOST_PER_ADDRESS, WINDOW)
        self.places = anyio.CapacityLimiter(MOST_AT_ONCE)


@router.get("/sign-in")
def get_sign_in(request: Request) -> Response:
    return _page(request, wanted=request.query_params.get("next", "/"))


@router.post("/sign-in")
async def post_sign_in(request: Request) -> Response:
    services, door = services_of(request), _door(request)
    form = await read_form(request)
    # Folded last, so that the address that is counted is the very one that is looked up.
    email = fold_address(form.text("email").replace("\x00", "")[:320])
    wanted = local_path(form.text("next"))
    now = services.clock.now()
    if not (door.by_address.allow(_network(request), now) and door.by_email.allow(email, now)):
        return await to_thread.run_sync(
            lambda: _page(request, wanted=wanted, refusal="limited", email=email)
        )
    try:
        token = await to_thread.run_sync(
            _open, services, email, form.text("password"), limiter=door.places
        )
    except Refused:
        response = await to_thread.run_sync(
            lambda: _page(request, wanted=wanted, refusal="wrong", email=email)
        )
        response.background = BackgroundTask(note_failed_sign_in, services, email)
        return response
    door.by_email.forget(email)
    answer = RedirectResponse(wanted, 303)
    set_session_cookie(answer, services, token)
    return answer


@router.post("/sign-out")
def post_sign_out(request: Request) -> Response:
    services = services_of(request)
    token = request.cookies.get(session_cookie(services))
    response = RedirectResponse("/sign-in", 303)
    if token:
        now = services.clock.now()
        session = sessions.find_session(services.store, token, now)
        if session:
            who = f"member:{session.member.id}"
            with services.store.write() as connection:
                sessions.close_session(connection, token)
                trail.note(
                    connection, session.member.organisation, who, "session.closed", who, now=now
                )
    drop_session_cookie(response, services)
    return response


def _open(services: Services, email: str, password: str) -> str:
    """Checks the password, then opens a session: both in a thread, the hash outside of any
    transaction."""
    member = members.sign_in(services.store, email, password)
    now = services.clock.now()
    who = f"member:{member.id}"
    with services.store.write() as connection:
        sessions.remove_expired(connection, now)
        token = sessions.open_session(connection, member, now)
        trail.note(connection, member.organisation, who, "session.opened", who, now=now)
    return token


def _page(request: Request, *, wanted: str, refusal: str = "", email: str = "") -> Response:
    minutes = WINDOW // timedelta(minutes=1)
    response = renderer_of(request).page(
        request, "sign_in.html", status={"wrong": 403, "limited": 429}.get(refusal, 200),
        wanted=local_path(wanted), refusal=refusal, email=email, minutes=minutes,
    )  # fmt: skip
    if refusal == "limited":
        response.headers["Retry-After"] = str(minutes * 60)
    return response


def _network(request: Request) -> str:
    """Where a try comes from: an IPv4 address, or the /64 that one IPv6 customer has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:100]
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door

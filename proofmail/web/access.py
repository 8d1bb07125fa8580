"""Who asks: an API key in the Authorization header, or a session in a cookie. Neither is taken in
place of the other: a page of another site cannot make a browser send a key, and programs need no
cookies. Every role may read; what a caller sees is the caller's organisation and nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from proofmail.accounts import trail
from proofmail.accounts.keys import find_key
from proofmail.accounts.members import Member
from proofmail.accounts.organisations import Organisation, fold_address, get_organisation
from proofmail.accounts.sessions import HOURS, find_session
from proofmail.errors import TryLater
from proofmail.store.tables import members
from proofmail.web.problems import Problem, SignInNeeded
from proofmail.web.services import Services

log = logging.getLogger("proofmail.web")

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="An API key of the organisation, `pm_…`, with the role auditor or admin.",
)


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


@dataclass(frozen=True)
class Caller:
    """`actor` is the caller's name in the audit trail."""

    organisation: Organisation
    role: str
    actor: str
    member: Member | None = None


def api_caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """The caller of the API; 401 without a key in use (RFC 6750 §3)."""
    if credentials is None:
        raise Problem(401, "An API key is needed, in the header Authorization: Bearer.",
                      headers={"WWW-Authenticate": 'Bearer realm="proofmail"'})  # fmt: skip
    services = services_of(request)
    key = find_key(services.store, credentials.credentials)
    organisation = get_organisation(services.store, key.organisation) if key else None
    if key is None or organisation is None:
        raise Problem(
            401,
            "This API key is unknown or was revoked.",
            headers={"WWW-Authenticate": 'Bearer realm="proofmail", error="invalid_token"'},
        )
    return Caller(organisation, key.role, f"key:{key.id}")


def page_caller(request: Request) -> Caller:
    """The member whose session the cookie names; sends everybody else to the sign-in page."""
    services = services_of(request)
    token = request.cookies.get(session_cookie(services))
    session = find_session(services.store, token, services.clock.now()) if token else None
    organisation = (
        get_organisation(services.store, session.member.organisation) if session else None
    )
    if session is None or organisation is None:
        wanted = request.url.path if request.method == "GET" else "/"
        raise SignInNeeded(wanted + (f"?{request.url.query}" if request.url.query else ""))
    member = session.member
    caller = Caller(organisation, member.role, f"member:{member.id}", member)
    request.state.caller = caller
    return caller


ApiCaller = Annotated[Caller, Depends(api_caller)]
PageCaller = Annotated[Caller, Depends(page_caller)]


def session_cookie(services: Services) -> str:
    """Under https with the prefix that binds the cookie to this very host (RFC 6265bis
    §4.1.3.2); browsers do not take that prefix over http."""
    return "__Host-proofmail" if services.secure else "proofmail"


def set_session_cookie(response: Response, services: Services, token: str) -> None:
    response.set_cookie(
        session_cookie(services), token, max_age=HOURS * 3600, path="/",
        secure=services.secure, httponly=True, samesite="lax",
    )  # fmt: skip


def drop_session_cookie(response: Response, services: Services) -> None:
    response.delete_cookie(
        session_cookie(services), path="/", secure=services.secure, httponly=True, samesite="lax"
    )


def note(services: Services, caller: Caller, action: str, subject: str) -> None:
    """An entry of the audit trail, before what it tells of is handed out."""
    with services.store.write() as connection:
        trail.note(
            connection, caller.organisation.id, caller.actor, action, subject,
            now=services.clock.now(),
        )  # fmt: skip


def note_failed_sign_in(services: Services, email: str) -> None:
    """An entry about a wrong password, if the address is a member's. Called when the answer is
    out already, so that the time taken does not tell whether it is."""
    try:
        with services.store.write() as connection:
            row = connection.execute(
                select(members.c.id, members.c.organisation).where(
                    members.c.email == fold_address(email)
                )
            ).first()
            if row is not None:
                trail.note(
                    connection, row.organisation, "unknown", "session.refused",
                    f"member:{row.id}", now=services.clock.now(),
                )  # fmt: skip
    except TryLater:
        log.warning("a failed sign-in could not be noted in the audit trail")

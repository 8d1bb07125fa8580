"""The pages. They need no script: forms and links alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from proofmail.accounts.organisations import list_proof_addresses
from proofmail.core.claims import KINDS
from proofmail.errors import Unreadable
from proofmail.store.counters import STATES, Counts
from proofmail.store.labels import MAX_LABEL, list_labels
from proofmail.store.pages import Filter, day_start, list_records
from proofmail.store.records import counts
from proofmail.store.stamps import MOST_COUNTED
from proofmail.web import ledger
from proofmail.web.access import PageCaller, services_of
from proofmail.web.bodies import read_form
from proofmail.web.downloads import dossier_response, proof_response
from proofmail.web.facts import gather
from proofmail.web.present import LANGUAGE_COOKIE, Renderer
from proofmail.web.problems import Problem
from proofmail.web.record_page import describe
from proofmail.web.texts import LANGUAGES
from proofmail.web.witnesses import clock_health, witness_health

NEWEST = 8
A_PAGE = 50
_YEAR_SECONDS = 365 * 24 * 3600

router = APIRouter(include_in_schema=False)


def renderer_of(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def local_path(text: str) -> str:
    """`text` if it is a path on this very site, else "/": no page sends its reader elsewhere."""
    inside = text.startswith("/") and not text.startswith(("//", "/\\"))
    plain = text.isascii() and text.isprintable() and "\\" not in text and len(text) <= 1000
    return text if inside and plain else "/"


@router.post("/language")
async def post_language(request: Request) -> Response:
    form = await read_form(request)
    chosen = form.text("language")
    response = RedirectResponse(local_path(form.text("back")), 303)
    if chosen in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, chosen, max_age=_YEAR_SECONDS, path="/",
            secure=services_of(request).secure, httponly=True, samesite="lax",
        )  # fmt: skip
    return response


@router.get("/static/{name}")
def get_static(request: Request, name: str) -> Response:
    for item in renderer_of(request).static.values():
        if item.name == name:
            headers = {"Cache-Control": "public, max-age=31536000, immutable"}
            return Response(item.data, media_type=item.media_type, headers=headers)
    raise Problem(404, "There is nothing at this address.")


@router.get("/")
def get_home(request: Request, caller: PageCaller) -> Response:
    services = services_of(request)
    store, organisation = services.store, caller.organisation.id
    found = counts(store, organisation)
    newest = list_records(store, organisation, limit=NEWEST)
    return renderer_of(request).page(
        request, "home.html", troubles=ledger.troubles(services),
        clock=clock_health(services),
        accounts=ledger.accounts(services), budget=services.daily_budget_wei, coins=ledger.coins,
        counts=found, stages=_stages(found), newest=newest.items,
        addresses=[] if newest.items else list_proof_addresses(store, organisation),
    )  # fmt: skip


@router.get("/witnesses")
def get_witnesses(request: Request, caller: PageCaller) -> Response:
    health = witness_health(services_of(request), caller.organisation.id)
    return renderer_of(request).page(request, "witnesses.html", health=health, most=MOST_COUNTED)


def _stages(found: Counts) -> list[tuple[str, int, float]]:
    """How many records have come how far at least: name, number, share in percent."""
    total = sum(found.states.values())
    stages = (
        ("recorded", total),
        ("stamped", found.with_token),
        ("anchored", found.states["anchored"] + found.states["final"]),
        ("final", found.states["final"]),
    )
    return [(name, n, round(100 * n / total, 2) if total else 0.0) for name, n in stages]


def asked_filter(
    text: Annotated[str, Query(max_length=200)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    since: Annotated[str, Query(max_length=20)] = "",
    until: Annotated[str, Query(max_length=20)] = "",
    label: Annotated[str, Query(max_length=MAX_LABEL)] = "",
    thread: Annotated[str, Query(max_length=64)] = "",
) -> dict[str, str]:
    """The fields of `filter_fields` in parts.html, as they came."""
    return {
        "text": text, "state": state, "kind": kind, "since": since, "until": until,
        "label": label, "thread": thread,
    }  # fmt: skip


AskedFilter = Annotated[dict[str, str], Depends(asked_filter)]


@router.get("/records")
def get_list(
    request: Request,
    caller: PageCaller,
    asked: AskedFilter,
    cursor: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    only, good = read_filter(asked, ZoneInfo(caller.organisation.zone))
    store, organisation = services_of(request).store, caller.organisation.id
    try:
        page = list_records(store, organisation, limit=A_PAGE, before=cursor or None, only=only)
    except Unreadable:
        page, good, cursor = list_records(store, organisation, limit=A_PAGE, only=only), False, ""
    return renderer_of(request).page(
        request, "records.html", page=page, asked=asked, cursor=cursor, bad_filter=not good,
        filtered=any(asked.values()), states=STATES, kinds=KINDS,
        labels=list_labels(store, organisation),
    )  # fmt: skip


def read_filter(asked: Mapping[str, str], zone: ZoneInfo) -> tuple[Filter, bool]:
    """What to list, and whether all of it could be read. Days are the organisation's."""
    since, since_good = _day(asked["since"], zone, 0)
    until, until_good = _day(asked["until"], zone, 1)
    state_good = asked["state"] in ("", *STATES)
    kind_good = asked["kind"] in ("", *KINDS)
    only = Filter(
        state=asked["state"] if asked["state"] and state_good else None,
        kind=asked["kind"] if asked["kind"] and kind_good else None,
        text=asked["text"].replace("\x00", "").strip(),
        since=since,
        until=until,
        label=asked["label"],
        thread=asked["thread"],
    )
    return only, since_good and until_good and state_good and kind_good


def _day(text: str, zone: ZoneInfo, days_after: int) -> tuple[datetime | None, bool]:
    try:
        return day_start(text, zone, days_after), True
    except Unreadable:
        return None, False


@router.get("/records/{record_id}")
def get_record_page(request: Request, caller: PageCaller, record_id: str) -> Response:
    services = services_of(request)
    facts = gather(services.store, services.trust(), caller.organisation.id, record_id)
    return renderer_of(request).page(
        request, "record.html", record=describe(facts),
        labels=list_labels(services.store, caller.organisation.id),
        may_label=caller.role != "auditor", label_length=MAX_LABEL,
    )  # fmt: skip


@router.get("/records/{record_id}/proof.json")
def get_proof(request: Request, caller: PageCaller, record_id: str) -> Response:
    return proof_response(services_of(request), caller, record_id)


@router.get("/records/{record_id}/dossier-{language}.pdf")
async def get_dossier(
    request: Request, caller: PageCaller, record_id: str, language: str
) -> Response:
    for known in LANGUAGES:
        if language == known:
            return await dossier_response(services_of(request), caller, record_id, known)
    raise Problem(404, "There is nothing at this address.")

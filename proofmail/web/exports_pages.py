"""The page of exports: what to put into one file, what is being made, what can be fetched."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from proofmail.core.case import MAX_PROOFS, MAX_TITLE
from proofmail.core.claims import KINDS
from proofmail.store import exports
from proofmail.store.counters import STATES
from proofmail.store.labels import list_labels
from proofmail.store.wanted import EXPORTS, Wanted
from proofmail.web.access import Caller, PageCaller, services_of
from proofmail.web.bodies import read_form
from proofmail.web.exports import ask, file_response, remove
from proofmail.web.pages import AskedFilter, read_filter, renderer_of
from proofmail.web.problems import Problem

router = APIRouter(include_in_schema=False)
_FIELDS = ("text", "state", "kind", "since", "until", "label", "thread")


@router.get("/exports")
def get_exports_page(request: Request, caller: PageCaller, asked: AskedFilter) -> Response:
    return _page(request, caller, asked)


@router.post("/exports")
async def post_export_form(request: Request, caller: PageCaller) -> Response:
    form = await read_form(request)
    asked = {name: form.text(name) for name in _FIELDS}
    only, good = read_filter(asked, ZoneInfo(caller.organisation.zone))
    what, title, language = form.text("what"), form.text("title"), form.text("language")
    bounded = len(title) <= MAX_TITLE and all(len(text) <= MAX_TITLE for text in asked.values())
    if not good or what not in EXPORTS or not bounded:
        return await run_in_threadpool(_page, request, caller, asked, "bad", 422)
    wanted = Wanted(what, "fr" if language == "fr" else "en", title, only)
    try:
        await run_in_threadpool(ask, services_of(request), caller, wanted)
    except Problem as problem:
        if problem.status != 429:
            raise
        return await run_in_threadpool(_page, request, caller, asked, "many", 429)
    return RedirectResponse("/exports", 303)


@router.get("/exports/{export_id}/file")
def get_export_page_file(request: Request, caller: PageCaller, export_id: str) -> Response:
    return file_response(services_of(request), caller, export_id)


@router.post("/exports/{export_id}/remove")
async def post_export_removal(request: Request, caller: PageCaller, export_id: str) -> Response:
    await run_in_threadpool(remove, services_of(request), caller, export_id)
    return RedirectResponse("/exports", 303)


def _page(
    request: Request, caller: Caller, asked: dict[str, str], refusal: str = "", status: int = 200
) -> Response:
    found = exports.list_exports(services_of(request).store, caller.organisation.id)
    shown = [item for item in found if item.state != "removed"]
    return renderer_of(request).page(
        request, "exports.html", status=status, exports=shown, asked=asked, refusal=refusal,
        states=STATES, kinds=KINDS,
        labels=list_labels(services_of(request).store, caller.organisation.id),
        most=MAX_PROOFS, hours=exports.KEPT_HOURS, title_length=MAX_TITLE,
        unfinished=any(item.unfinished for item in shown),
    )  # fmt: skip

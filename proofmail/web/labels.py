"""Labels of records, by API and on the record's page. Only administrators give and take them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from proofmail.accounts import trail
from proofmail.errors import Refused
from proofmail.store import labels
from proofmail.web.access import ApiCaller, Caller, PageCaller, services_of
from proofmail.web.bodies import read_form
from proofmail.web.facts import find_row
from proofmail.web.problems import Problem, refusals, sentence
from proofmail.web.services import Services
from proofmail.web.shapes import Label, LabelList

router = APIRouter()

_Name = Annotated[str, Path(max_length=4 * labels.MAX_LABEL)]
_ADDRESS = "/api/v1/records/{record_id}/labels/{name}"


def change(services: Services, caller: Caller, record_id: str, text: str, *, give: bool) -> bool:
    """Gives the record a label or takes it away, with its entry in the audit trail, which names
    the record and not the label; whether anything changed. Blocks."""
    if caller.role == "auditor":
        raise Problem(403, "An auditor reads: labels are given by administrators.")
    row = find_row(services.store, caller.organisation.id, record_id)
    organisation = caller.organisation.id
    try:
        name = labels.read_label(text)
        with services.store.write() as connection:
            act = labels.add_label if give else labels.remove_label
            changed = act(connection, organisation, row.id, name)
            if changed:
                action = "record.labelled" if give else "record.unlabelled"
                trail.note(
                    connection, organisation, caller.actor, action, f"record:{row.id}",
                    now=services.clock.now(),
                )  # fmt: skip
    except Refused as error:
        raise Problem(422, sentence(error.text)) from error
    return changed


@router.get(
    "/api/v1/labels",
    tags=["records"],
    summary="The organisation's labels",
    responses=refusals(401, 503),
)
def get_labels(request: Request, caller: ApiCaller) -> LabelList:
    found = labels.list_labels(services_of(request).store, caller.organisation.id)
    return LabelList(labels=[Label(name=name, records=count) for name, count in found.items()])


@router.put(
    _ADDRESS,
    tags=["records"],
    status_code=204,
    summary="Give a record a label; it is in no proof",
    responses=refusals(401, 403, 404, 422, 503),
)
def put_label(request: Request, caller: ApiCaller, record_id: str, name: _Name) -> Response:
    change(services_of(request), caller, record_id, name, give=True)
    return Response(status_code=204)


@router.delete(
    _ADDRESS,
    tags=["records"],
    status_code=204,
    summary="Take a label from a record",
    responses=refusals(401, 403, 404, 422, 503),
)
def delete_label(request: Request, caller: ApiCaller, record_id: str, name: _Name) -> Response:
    if not change(services_of(request), caller, record_id, name, give=False):
        raise Problem(404, "The record has no such label.")
    return Response(status_code=204)


@router.post("/records/{record_id}/labels", include_in_schema=False)
async def post_label(request: Request, caller: PageCaller, record_id: str) -> Response:
    form = await read_form(request)
    give = form.text("act") != "remove"
    await run_in_threadpool(
        lambda: change(services_of(request), caller, record_id, form.text("label"), give=give)
    )
    return RedirectResponse(f"/records/{record_id}#labels", 303)

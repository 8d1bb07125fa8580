"""The API for programs. Errors are problem details (RFC 9457). Every row belongs to the key's
organisation; a record of another one does not exist."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response

from proofmail.core.canonical import encode, format_time
from proofmail.store.pages import Filter, list_records
from proofmail.store.records import counts
from proofmail.web.access import ApiCaller, services_of
from proofmail.web.bench import Bench
from proofmail.web.bodies import read_body
from proofmail.web.downloads import Showing, dossier_response, language_for, proof_response
from proofmail.web.facts import gather, record_detail, record_row
from proofmail.web.ledger import ledger_state
from proofmail.web.problems import Problem, refusals
from proofmail.web.shapes import (
    Counts,
    DossierLanguage,
    Health,
    KindFilter,
    LedgerState,
    RecordDetail,
    RecordPage,
    StateFilter,
    WitnessState,
)
from proofmail.web.witnesses import witness_state

MAX_TIMESTAMP_QUERY_BYTES = 64 << 10
MAX_SHOWN = 520
"""Claims that a redacted proof may be asked to show: more than a record has."""

router = APIRouter()


@router.get(
    "/api/v1/records",
    tags=["records"],
    summary="Records, newest first",
    response_model_exclude_none=True,
    responses=refusals(401, 422, 503),
)
def get_records(
    request: Request,
    caller: ApiCaller,
    limit: Annotated[int, Query(ge=1, le=200, description="Records a page.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=40, description="`next` of the page before.")
    ] = None,
    state: StateFilter | None = None,
    kind: KindFilter | None = None,
    text: Annotated[
        str,
        Query(
            max_length=200,
            description="Words to find in subject, addresses, names and file names; case and "
            "accents do not matter.",
        ),
    ] = "",
    since: Annotated[
        AwareDatetime | None, Query(description="Received at this time (RFC 3339) or later.")
    ] = None,
    until: Annotated[
        AwareDatetime | None, Query(description="Received before this time (RFC 3339).")
    ] = None,
    label: Annotated[str, Query(max_length=60, description="Records with this label.")] = "",
    thread: Annotated[
        str, Query(max_length=64, description="The id of a record: all mails of its thread.")
    ] = "",
) -> RecordPage:
    only = Filter(
        state.value if state else None,
        kind.value if kind else None,
        text.replace("\x00", ""),
        since,
        until,
        label,
        thread,
    )
    page = list_records(
        services_of(request).store, caller.organisation.id, limit=limit, before=cursor, only=only
    )
    return RecordPage(
        records=[record_row(row) for row in page.items],
        next=page.next,
        searched_back_to=format_time(page.searched_back_to) if page.searched_back_to else None,
    )


@router.get(
    "/api/v1/records/{record_id}",
    tags=["records"],
    summary="One record, with claims, witnesses and checks",
    response_model_exclude_none=True,
    responses=refusals(401, 404, 422, 503),
)
def get_one_record(request: Request, caller: ApiCaller, record_id: str) -> RecordDetail:
    services = services_of(request)
    return record_detail(
        gather(services.store, services.trust(), caller.organisation.id, record_id)
    )


@router.get(
    "/api/v1/records/{record_id}/proof.json",
    tags=["records"],
    summary="The proof file, as canonical bytes",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}, **refusals(401, 404, 410, 422, 503)},
)
def get_proof(request: Request, caller: ApiCaller, record_id: str) -> Response:
    return proof_response(services_of(request), caller, record_id)


@router.get(
    "/api/v1/records/{record_id}/dossier.pdf",
    tags=["records"],
    summary="The sealed dossier; it says so itself as long as it is provisional",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}, **refusals(401, 404, 410, 422, 503)},
)
async def get_dossier(
    request: Request,
    caller: ApiCaller,
    record_id: str,
    language: Annotated[
        DossierLanguage | None, Query(description="Default: the organisation's language.")
    ] = None,
) -> Response:
    chosen = language_for(caller, language)
    return await dossier_response(services_of(request), caller, record_id, chosen)


def showing(
    show: Annotated[
        list[str] | None,
        Query(
            max_length=MAX_SHOWN,
            description="What to show: a claim's name (`part.2`, `header.subject`), `people` or "
            "`parts`; may be given again. Without it, nothing but what is never hidden.",
        ),
    ] = None,
    linked: Annotated[
        bool, Query(description="Whether linked receipts and addenda stay, without their header.")
    ] = False,
) -> Showing:
    return Showing(tuple(show or ()), linked)


Shows = Annotated[Showing, Depends(showing)]


@router.get(
    "/api/v1/records/{record_id}/redacted/proof.json",
    tags=["records"],
    summary="A proof of the record that shows chosen claims alone",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}, **refusals(401, 404, 410, 422, 503)},
)
def get_redacted_proof(
    request: Request, caller: ApiCaller, record_id: str, shows: Shows
) -> Response:
    return proof_response(services_of(request), caller, record_id, shows)


@router.get(
    "/api/v1/records/{record_id}/redacted/dossier.pdf",
    tags=["records"],
    summary="A sealed dossier that shows chosen claims alone, and says that it is redacted",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}, **refusals(401, 404, 410, 422, 503)},
)
async def get_redacted_dossier(
    request: Request,
    caller: ApiCaller,
    record_id: str,
    shows: Shows,
    language: Annotated[
        DossierLanguage | None, Query(description="Default: the organisation's language.")
    ] = None,
) -> Response:
    chosen = language_for(caller, language)
    return await dossier_response(services_of(request), caller, record_id, chosen, shows)


@router.get(
    "/api/v1/counts",
    tags=["records"],
    summary="How many records there are, and how far they are",
    responses=refusals(401, 503),
)
def get_counts(request: Request, caller: ApiCaller) -> Counts:
    found = counts(services_of(request).store, caller.organisation.id)
    return Counts(
        messages=found.messages,
        receipts=found.receipts,
        attachments=found.attachments,
        others=found.others,
        stamped=found.with_token,
        states=dict(found.states),
        message_states=dict(found.message_states),
    )


@router.get(
    "/api/v1/ledger",
    tags=["operation"],
    summary="What anchors cost, and what stands in their way",
    response_model_exclude_none=True,
    responses=refusals(401, 503),
)
def get_ledger(request: Request, _caller: ApiCaller) -> LedgerState:
    return ledger_state(services_of(request))


@router.get(
    "/api/v1/witnesses",
    tags=["operation"],
    summary="How the time-stamping authorities answer, and how right this host's clock is",
    response_model_exclude_none=True,
    responses=refusals(401, 503),
)
def get_witnesses(request: Request, caller: ApiCaller) -> WitnessState:
    return witness_state(services_of(request), caller.organisation.id)


_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["proof"],
                    "properties": {
                        "proof": {
                            "type": "string",
                            "format": "binary",
                            "description": "A proof file (JSON) or a dossier (PDF).",
                        },
                        "copies": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "Mails (.eml) and saved attachments; at most 32.",
                        },
                        "digests": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "SHA-256 or SHA3-256 in hexadecimal; at most 100.",
                        },
                        "number": {
                            "type": "string",
                            "description": "Of a case dossier, which of its proofs is meant, from "
                            "1: the whole report on it, with copies. Without it, a line on each.",
                        },
                        "trust": {
                            "type": "string",
                            "format": "binary",
                            "description": "A trust file; without it, this installation's trust.",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/api/v1/verify",
    tags=["verification"],
    summary="Verify a proof or dossier, and copies; nothing is kept",
    description="The report is the one of `proofmail verify --json`. The body has at most 64 MiB. "
    "To depend on nobody, run that command offline instead.",
    response_class=Response,
    openapi_extra=_UPLOAD,
    responses={
        200: {"content": {"application/json": {}}},
        **refusals(400, 401, 413, 415, 422, 503),
    },
)
async def post_verify(request: Request, caller: ApiCaller) -> Response:
    bench: Bench = request.app.state.bench
    report = await bench.judge(request, services_of(request), caller.organisation.id)
    return Response(encode(report.to_json()), media_type="application/json")


@router.get(
    "/api/v1/trust.json",
    tags=["verification"],
    summary="This installation's trust file",
    description="Public: it holds public keys, certificates and block hashes alone, and whoever "
    "got a dossier may need it. An auditor has to decide whether to believe it; getting it from "
    "here says no more than that this address serves it.",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}, **refusals(503)},
)
def get_trust(request: Request) -> Response:
    data = encode(services_of(request).trust().to_json())
    return Response(data, media_type="application/json", headers={"Cache-Control": "no-cache"})


@router.post(
    "/tsa",
    tags=["time-stamps"],
    summary="The built-in time-stamping authority (RFC 3161 §3.4)",
    description="Public. Not a qualified authority. Answers 404 when it is off.",
    response_class=Response,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/timestamp-query": {}}}
    },
    responses={
        200: {"content": {"application/timestamp-reply": {}}},
        **refusals(404, 413, 415, 503),
    },
)
async def post_timestamp(request: Request) -> Response:
    stamp = services_of(request).stamp
    if stamp is None:
        raise Problem(404, "This service has no time-stamping authority of its own.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/timestamp-query":
        raise Problem(415, "A request of type application/timestamp-query is expected.")
    query = await read_body(request, MAX_TIMESTAMP_QUERY_BYTES)
    reply = await run_in_threadpool(stamp, query)
    return Response(reply, media_type="application/timestamp-reply")


@router.get(
    "/healthz",
    tags=["operation"],
    summary="Whether the service can reach its database",
    responses=refusals(503),
)
def get_health(request: Request) -> Health:
    with services_of(request).store.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return Health(status="ok")

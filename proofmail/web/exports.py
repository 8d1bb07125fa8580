"""Exports: case dossiers and archives, asked for by API and pages, made in the background."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from proofmail.accounts import trail
from proofmail.core.canonical import base64url, format_time
from proofmail.core.case import MAX_PROOFS, MAX_TITLE
from proofmail.errors import Refused
from proofmail.store import exports
from proofmail.store.labels import MAX_LABEL
from proofmail.store.pages import Filter
from proofmail.store.wanted import Wanted
from proofmail.web.access import ApiCaller, Caller, note, services_of
from proofmail.web.downloads import language_for
from proofmail.web.problems import Problem, refusals, sentence
from proofmail.web.services import Services
from proofmail.web.shapes import DossierLanguage, KindFilter, StateFilter

router = APIRouter()

_MEDIA_TYPES = {"case": "application/pdf", "archive": "application/zip"}


class ExportRequest(BaseModel):
    """What to put into one file. With `ids`, these records and no filter."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["case", "archive"] = Field(
        description="case: one PDF with a table and every proof, of at most 1,000 records. "
        "archive: a ZIP file with a dossier for each record and an index."
    )
    title: str = Field("", max_length=MAX_TITLE, description="What the case is called.")
    language: DossierLanguage | None = Field(
        None, description="Default: the organisation's language."
    )
    text: str = Field("", max_length=MAX_TITLE, description="Words to find, as in a list.")
    state: StateFilter | None = None
    record_kind: KindFilter | None = Field(
        None, description="Default: messages for a case, with their receipts; all for an archive."
    )
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    label: str = Field("", max_length=MAX_LABEL, description="Records with this label.")
    thread: str = Field(
        "", pattern="^[a-z0-9]{0,64}$", description="The id of a record: all mails of its thread."
    )
    ids: list[Annotated[str, Field(pattern="^[a-z0-9]{1,64}$")]] = Field(
        default_factory=list, max_length=MAX_PROOFS
    )


class ExportState(BaseModel):
    """How far an export is."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: Literal["case", "archive"]
    state: Literal["waiting", "running", "done", "failed", "removed"]
    done: int = Field(description="Records done.")
    total: int = Field(description="Records in all; 0 as long as they are not chosen.")
    created_at: str
    title: str
    size_bytes: int | None = None
    sha256: str | None = Field(None, description="Of the file; base64url.")
    expires_at: str | None = Field(None, description="When the file is removed by itself.")
    problem: str | None = Field(None, description="Why it failed.")


class ExportList(BaseModel):
    exports: list[ExportState]


def ask(services: Services, caller: Caller, wanted: Wanted) -> str:
    """Asks for an export, with its entry in the audit trail; its id. Blocks."""
    with services.store.write() as connection:
        now = services.clock.now()
        try:
            made = exports.ask(
                connection, caller.organisation.id, wanted.kind, wanted.to_json(), now
            )
        except Refused as error:
            raise Problem(429, sentence(error.text), headers={"Retry-After": "60"}) from error
        trail.note(
            connection, caller.organisation.id, caller.actor, "export.asked", f"export:{made}",
            now=now,
        )  # fmt: skip
    return made


def find(services: Services, caller: Caller, export_id: str) -> exports.Export:
    """The export, if it is this organisation's; as if it did not exist otherwise."""
    found = exports.get_export(services.store, caller.organisation.id, export_id)
    if found is None:
        raise Problem(404, "There is no such export.")
    return found


def file_response(services: Services, caller: Caller, export_id: str) -> Response:
    """The file, streamed; noted in the audit trail before the first byte. Blocks."""
    found = find(services, caller, export_id)
    if found.unfinished:
        raise Problem(409, "This export is not made yet.", headers={"Retry-After": "5"})
    name = exports.file_name(found.id, found.kind)
    path = services.exports / name if services.exports else None
    if found.state != "done" or path is None or not path.is_file():
        raise Problem(410, "This export has no file, or has it no more.")
    note(services, caller, "export.downloaded", f"export:{found.id}")
    return FileResponse(
        path, media_type=_MEDIA_TYPES[found.kind], filename=f"proofmail-{found.kind}-{name}"
    )


def remove(services: Services, caller: Caller, export_id: str) -> None:
    """Takes the export back; its file goes within a minute. Blocks."""
    find(services, caller, export_id)
    with services.store.write() as connection:
        now = services.clock.now()
        if exports.remove(connection, caller.organisation.id, export_id, now):
            trail.note(
                connection, caller.organisation.id, caller.actor, "export.removed",
                f"export:{export_id}", now=now,
            )  # fmt: skip


@router.post(
    "/api/v1/exports",
    tags=["exports"],
    status_code=202,
    summary="Ask for a case dossier or an archive; it is made in the background",
    response_model_exclude_none=True,
    responses=refusals(401, 422, 429, 503),
)
def post_export(
    request: Request, response: Response, caller: ApiCaller, asked: ExportRequest
) -> ExportState:
    services = services_of(request)
    only = Filter(
        asked.state.value if asked.state else None,
        asked.record_kind.value if asked.record_kind else None,
        asked.text.replace("\x00", ""),
        asked.since,
        asked.until,
        asked.label,
        asked.thread,
    )
    language = language_for(caller, asked.language)
    wanted = Wanted(asked.kind, language, asked.title, only, tuple(asked.ids))
    made = ask(services, caller, wanted)
    response.headers["Location"] = f"/api/v1/exports/{made}"
    return _state(find(services, caller, made))


@router.get(
    "/api/v1/exports",
    tags=["exports"],
    summary="Exports, newest first",
    response_model_exclude_none=True,
    responses=refusals(401, 503),
)
def get_exports(request: Request, caller: ApiCaller) -> ExportList:
    found = exports.list_exports(services_of(request).store, caller.organisation.id)
    return ExportList(exports=[_state(item) for item in found])


@router.get(
    "/api/v1/exports/{export_id}",
    tags=["exports"],
    summary="How far an export is",
    response_model_exclude_none=True,
    responses=refusals(401, 404, 422, 503),
)
def get_export(request: Request, caller: ApiCaller, export_id: str) -> ExportState:
    return _state(find(services_of(request), caller, export_id))


@router.get(
    "/api/v1/exports/{export_id}/file",
    tags=["exports"],
    summary="The file of an export that is done",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}, "application/zip": {}}},
        **refusals(401, 404, 409, 410, 422, 503),
    },
)
def get_export_file(request: Request, caller: ApiCaller, export_id: str) -> Response:
    return file_response(services_of(request), caller, export_id)


@router.delete(
    "/api/v1/exports/{export_id}",
    tags=["exports"],
    status_code=204,
    summary="Take an export back, and remove its file",
    responses=refusals(401, 404, 422, 503),
)
async def delete_export(request: Request, caller: ApiCaller, export_id: str) -> Response:
    await run_in_threadpool(remove, services_of(request), caller, export_id)
    return Response(status_code=204)


def _state(found: exports.Export) -> ExportState:
    done = found.state == "done"
    return ExportState.model_validate(
        {
            "id": found.id,
            "kind": found.kind,
            "state": found.state,
            "done": found.done,
            "total": found.total,
            "created_at": format_time(found.created_at),
            "title": found.request.get("title", ""),
            "size_bytes": found.size_bytes if done else None,
            "sha256": base64url(found.sha256) if done else None,
            "expires_at": format_time(found.expires_at) if done and found.expires_at else None,
            "problem": found.problem or None,
        }
    )

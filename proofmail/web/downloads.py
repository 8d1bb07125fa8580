"""Proof files and dossiers, handed out to API and pages alike, each with an entry in the audit
trail before the first byte goes out."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from proofmail.core.proof import Proof
from proofmail.errors import CheckFailed
from proofmail.store.proofs import assemble
from proofmail.web.access import Caller, note
from proofmail.web.facts import find_row
from proofmail.web.problems import Problem
from proofmail.web.services import DossierRequest, Language, Services


def proof_response(services: Services, caller: Caller, record_id: str) -> Response:
    """The canonical bytes of the proof file as it stands now. Blocks."""
    row = find_row(services.store, caller.organisation.id, record_id)
    data = _proof(services, caller.organisation.id, row.id).to_bytes()
    note(services, caller, "proof.downloaded", f"record:{row.id}")
    return _file(data, "application/json", f"proofmail-{row.id}.json")


async def dossier_response(
    services: Services, caller: Caller, record_id: str, language: Language
) -> Response:
    """The sealed dossier, provisional as long as a witness is missing or the block not final."""
    organisation = caller.organisation
    row = await run_in_threadpool(find_row, services.store, organisation.id, record_id)
    proof = await run_in_threadpool(_proof, services, organisation.id, row.id)
    request = DossierRequest(
        language, organisation.zone, organisation.name, row.state == "final" and row.stamped
    )
    try:
        data = await services.dossier(proof, request)
    except CheckFailed as error:
        # Handing out a dossier that does not verify would be worse than none.
        raise Problem(
            500, "The proof does not verify, so no dossier was made: tell the service's operator."
        ) from error
    await run_in_threadpool(note, services, caller, "dossier.downloaded", f"record:{row.id}")
    return _file(data, "application/pdf", f"proofmail-{row.id}-{language}.pdf")


def _proof(services: Services, organisation: str, record_id: str) -> Proof:
    return assemble(services.store, organisation, record_id, services.trust().lists)


def _file(data: bytes, media_type: str, name: str) -> Response:
    """`name` holds nothing from outside: a record's id is our own."""
    return Response(
        data,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

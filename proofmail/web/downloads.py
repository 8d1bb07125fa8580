"""Proof files and dossiers, handed out to API and pages alike, each with an entry in the audit
trail before the first byte goes out."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from proofmail.core.proof import Proof
from proofmail.core.redaction import choose, redact
from proofmail.errors import CheckFailed
from proofmail.store.proofs import assemble
from proofmail.web.access import Caller, note
from proofmail.web.facts import find_row
from proofmail.web.problems import Problem
from proofmail.web.services import DossierRequest, Language, Services
from proofmail.web.shapes import DossierLanguage


@dataclass(frozen=True)
class Showing:
    """What a redacted proof or dossier shows: words of :func:`core.redaction.choose`, and whether
    the linked proofs stay, with as little shown of them."""

    words: tuple[str, ...]
    linked: bool


def language_for(caller: Caller, asked: DossierLanguage | None) -> Language:
    """The language asked for, or the organisation's own."""
    chosen = asked.value if asked else caller.organisation.language
    return "fr" if chosen == "fr" else "en"


def proof_response(
    services: Services, caller: Caller, record_id: str, showing: Showing | None = None
) -> Response:
    """The canonical bytes of the proof file as it stands now; with `showing`, redacted. Blocks."""
    row = find_row(services.store, caller.organisation.id, record_id)
    proof = _proof(services, caller.organisation.id, row.id)
    data = (_redacted(proof, showing) if showing else proof).to_bytes()
    action = "proof.redacted" if showing else "proof.downloaded"
    note(services, caller, action, f"record:{row.id}")
    name = f"proofmail-{row.id}{'-redacted' if showing else ''}.json"
    return _file(data, "application/json", name)


async def dossier_response(
    services: Services,
    caller: Caller,
    record_id: str,
    language: Language,
    showing: Showing | None = None,
) -> Response:
    """The sealed dossier, provisional as long as a witness is missing or the block not final."""
    organisation = caller.organisation
    row = await run_in_threadpool(find_row, services.store, organisation.id, record_id)
    proof = await run_in_threadpool(_proof, services, organisation.id, row.id)
    if showing:
        proof = await run_in_threadpool(_redacted, proof, showing)
    request = DossierRequest(
        language, organisation.zone, organisation.name, row.state == "final" and row.stamped,
        redacted=showing is not None,
    )  # fmt: skip
    try:
        data = await services.dossier(proof, request)
    except CheckFailed as error:
        # Handing out a dossier that does not verify would be worse than none.
        raise Problem(
            500, "The proof does not verify, so no dossier was made: tell the service's operator."
        ) from error
    action = "dossier.redacted" if showing else "dossier.downloaded"
    await run_in_threadpool(note, services, caller, action, f"record:{row.id}")
    name = f"proofmail-{row.id}{'-redacted' if showing else ''}-{language}.pdf"
    return _file(data, "application/pdf", name)


def _redacted(proof: Proof, showing: Showing) -> Proof:
    """Unreadable if something is to be shown that the record does not hold."""
    return redact(proof, choose(proof, showing.words), linked=showing.linked)


def _proof(services: Services, organisation: str, record_id: str) -> Proof:
    return assemble(services.store, organisation, record_id, services.trust().lists)


def _file(data: bytes, media_type: str, name: str) -> Response:
    """`name` holds nothing from outside: a record's id is our own."""
    return Response(
        data,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

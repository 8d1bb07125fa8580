"""Choosing what a redacted dossier shows: a form with a box for each claim, its preview, and the
downloads. Forms and links alone; the choice stands in the address, as names of claims."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from proofmail.core.canonical import Json
from proofmail.core.claims import never_hidden
from proofmail.core.proof import Proof
from proofmail.core.redaction import OF_LINKED, choose, redact
from proofmail.errors import Refused
from proofmail.web.access import PageCaller, services_of
from proofmail.web.downloads import Showing, dossier_response, proof_response
from proofmail.web.facts import RecordFacts, claim_order, gather
from proofmail.web.present import Renderer
from proofmail.web.problems import Problem
from proofmail.web.texts import LANGUAGES

MAX_SHOWN = 520
_VALUE_CHARACTERS = 160

router = APIRouter(include_in_schema=False)

Show = Annotated[list[str] | None, Query(max_length=MAX_SHOWN)]
Linked = Annotated[bool, Query()]


@dataclass(frozen=True)
class Choice:
    """A claim with its box: `locked` for one that is never hidden; `people` counts the mailboxes
    that are shown or hidden together."""

    name: str
    value: str
    shown: bool
    locked: bool
    people: int


@dataclass(frozen=True)
class Preset:
    """A choice by a link; `key` ends a key of texts, `name` fills it."""

    key: str
    name: str
    query: str


@router.get("/records/{record_id}/redact")
def get_redaction_page(
    request: Request,
    caller: PageCaller,
    record_id: str,
    show: Show = None,
    linked: Linked = False,
) -> Response:
    services = services_of(request)
    facts = gather(services.store, services.trust(), caller.organisation.id, record_id)
    proof = facts.proof
    if proof is None:
        raise Refused("this record was erased: what it said cannot be shown any more")
    chosen = choose(proof, show or ())
    made = redact(proof, chosen, linked=linked)
    renderer: Renderer = request.app.state.renderer
    return renderer.page(
        request, "redact.html",
        row=facts.row, final=facts.final, linked=linked, linked_count=len(proof.linked),
        choices=_choices(proof, chosen), presets=_presets(facts),
        count=len(made.entries), shown=len(made.disclosures), kept=len(made.linked),
        query=_query(chosen, linked=linked),
    )  # fmt: skip


@router.get("/records/{record_id}/redacted.json")
def get_redacted_proof(
    request: Request,
    caller: PageCaller,
    record_id: str,
    show: Show = None,
    linked: Linked = False,
) -> Response:
    return proof_response(
        services_of(request), caller, record_id, Showing(tuple(show or ()), linked)
    )


@router.get("/records/{record_id}/redacted-{language}.pdf")
async def get_redacted_dossier(
    request: Request,
    caller: PageCaller,
    record_id: str,
    language: str,
    show: Show = None,
    linked: Linked = False,
) -> Response:
    showing = Showing(tuple(show or ()), linked)
    for known in LANGUAGES:
        if language == known:
            return await dossier_response(services_of(request), caller, record_id, known, showing)
    raise Problem(404, "There is nothing at this address.")


def _choices(proof: Proof, chosen: frozenset[str]) -> list[Choice]:
    """The record's own claims, then what its linked records say, once for all of them."""
    always = never_hidden(proof.record.kind)
    found = [
        Choice(name, _brief(value), name in chosen or name in always, name in always,
               len(value) if name.startswith("header.") and _mailboxes(value) else 0)
        for name, value in sorted(proof.claims.items(), key=claim_order)
    ]  # fmt: skip
    of_linked = sorted({name for item in proof.linked for name in item.claims} & OF_LINKED)
    return found + [Choice(name, "", name in chosen, False, 0) for name in of_linked]


def _mailboxes(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _brief(value: Json) -> str:
    """A claim's value in a line, for whoever may see all of it anyway."""
    if _mailboxes(value):
        text = ", ".join(item.get("address") or item.get("name") or "" for item in value)
    elif isinstance(value, dict):
        named = value.get("name") or value.get("type") or value.get("sender") or ""
        text = str(named or ", ".join(str(item) for item in value.values()))
    elif isinstance(value, list):
        text = ", ".join(str(item) for item in value if not isinstance(item, dict))
    else:
        text = str(value)
    return text[:_VALUE_CHARACTERS] + ("…" if len(text) > _VALUE_CHARACTERS else "")


def _presets(facts: RecordFacts) -> list[Preset]:
    """Nothing; one attachment alone, for each of the first; the people; all parts."""
    claims = facts.claims
    found = [Preset("least", "", _query((), linked=False))]
    files = [
        (name, value)
        for name, value in sorted(claims.items(), key=claim_order)
        if name.startswith(("part.", "digest.")) and value.get("name")
    ]
    for name, value in files[:20]:
        shown = str(value["name"])[:80]
        found.append(Preset("part", shown, _query([name], linked=False)))
    if "header.from" in claims:
        found.append(Preset("people", "", _query(["people"], linked=False)))
    if any(name.startswith(("part.", "digest.")) for name in claims):
        found.append(Preset("parts", "", _query(["parts"], linked=False)))
    return found


def _query(names: Collection[str], *, linked: bool) -> str:
    pairs = [("show", name) for name in sorted(names)]
    return urlencode(pairs + ([("linked", "true")] if linked else []))

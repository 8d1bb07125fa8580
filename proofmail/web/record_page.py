"""A record in the words of its page: who, what, when, by whom. Values only; templates draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from proofmail.core.canonical import Json
from proofmail.core.claims import lookup
from proofmail.verify.natures import natures
from proofmail.verify.plain import plain
from proofmail.verify.words import LANGUAGES
from proofmail.web.facts import RecordFacts, claim_order

_NAMED_PEOPLE = (("from", "header.from"), ("to", "header.to"), ("cc", "header.cc"))
_STRONGEST = ("decoded/1", "raw/1")


@dataclass(frozen=True)
class Person:
    """`role` and `source` are keys of texts."""

    role: str
    address: str
    name: str
    source: str


@dataclass(frozen=True)
class PartRow:
    """`number` is "" for the whole mail; `digest` is the SHA-256 of the first of `rules`."""

    number: str
    role: str
    name: str
    type: str
    size_bytes: int
    digest: str
    rules: tuple[str, ...]


def describe(facts: RecordFacts) -> dict[str, object]:
    """The values of `record.html`."""
    claims = facts.claims
    authentication = claims.get("authentication", {}).get("sender", "")
    return {
        "facts": facts,
        "row": facts.row,
        "report": facts.report,
        "subjects": claims.get("header.subject", []),
        "dates": claims.get("header.date", []),
        "people": _people(claims),
        "sender": _joined(claims.get("header.from", [])),
        "addressees": _joined([*claims.get("header.to", []), *claims.get("header.cc", [])]),
        "authentication": authentication,
        "defects": claims.get("defects", []),
        "parts": _parts(claims),
        "natures": [
            {code: plain(said.text(code)) for code in LANGUAGES} for said in natures(claims)
        ],
        "claims": [
            (name, lookup(name).source, value)
            for name, value in sorted(claims.items(), key=claim_order)
        ],
        "record_sha256": sha256(facts.row.record).hexdigest(),
        "steps": {step.name: step for step in facts.steps},
    }


def _people(claims: Mapping[str, Json]) -> list[Person]:
    found = [
        Person(role, mailbox["address"], mailbox["name"], "stated")
        for role, claim in _NAMED_PEOPLE
        for mailbox in claims.get(claim, [])
    ]
    if "envelope.from" in claims:
        found.append(Person("envelope", claims["envelope.from"], "", "observed"))
    found += [
        Person("proof", address, "", "observed")
        for address in claims.get("envelope.proof_addresses", [])
    ]
    return found


def _joined(mailboxes: list[Json]) -> str:
    return ", ".join(mailbox["address"] or mailbox["name"] for mailbox in mailboxes)


def _parts(claims: Mapping[str, Json]) -> list[PartRow]:
    rows = []
    whole = claims.get("message.fingerprints", [])
    if whole:
        rows.append(_part("", "", "", "message/rfc822", whole))
    for name, value in sorted(claims.items(), key=claim_order):
        stem, _, number = name.partition(".")
        if stem == "part":
            label = value.get("name", "")
            rows.append(_part(number, value["role"], label, value["type"], value["fingerprints"]))
        elif stem == "digest":
            item = {"rule": "digest", **value}
            rows.append(_part(number, "", value.get("name", ""), "", [item]))
    return rows


def _part(number: str, role: str, name: str, kind: str, fingerprints: list[Json]) -> PartRow:
    """Shows the digest that a stranger can make with a stock tool, where there is one."""
    by_rule = {item["rule"]: item for item in fingerprints}
    first = next((rule for rule in _STRONGEST if rule in by_rule), next(iter(by_rule), ""))
    shown = by_rule.get(first, {"size": 0, "sha256": ""})
    rules = (first, *(rule for rule in by_rule if rule != first)) if first else ()
    return PartRow(number, role, name, kind, shown["size"], shown["sha256"], rules)

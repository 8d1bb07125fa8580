"""The closed registry of claims (SPEC §4): names, types, sources, and which may be hidden."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proofmail.core.canonical import Json
from proofmail.core.shape import array, boolean, digest, integer, members, text
from proofmail.errors import Unreadable

KINDS = ("message", "receipt", "addendum", "digests", "audit")
MAX_PARTS = 500
MAX_OCCURRENCES = 101
"""Of one header field; the last may stand for all further ones (SPEC §3.6.1)."""
MAX_MAILBOXES = 2001
"""The last may stand for all further ones (SPEC §3.6.2)."""
MAX_IMAGES = 200
MAX_FILES = 100
_MAIL = frozenset({"message", "receipt"})
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z|\?", re.ASCII)
_NAME = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*\Z", re.ASCII)


@dataclass(frozen=True)
class Claim:
    """A row of the registry. `source` is observed, stated or derived (SPEC §4.1)."""

    source: str
    hideable: bool
    kinds: frozenset[str]
    check: Callable[[Json, str], object]


def _string(value: Json, what: str) -> object:
    return text(value, what)


def _strings(value: Json, what: str) -> object:
    return array(value, what, MAX_OCCURRENCES, text)


def _dates(value: Json, what: str) -> object:
    return array(value, what, MAX_OCCURRENCES, _date)


def _date(value: Json, what: str) -> str:
    spelt = text(value, what)
    if not _DATE.match(spelt):
        raise Unreadable(f"{what} is not a date as SPEC §4.2 spells it")
    return spelt


def _name(value: Json, what: str) -> str:
    spelt = text(value, what, 100)
    if not _NAME.match(spelt):
        raise Unreadable(f"{what} is not a name")
    return spelt


def _names(value: Json, what: str) -> object:
    names = array(value, what, 200, _name)
    if list(names) != sorted(set(names)):
        raise Unreadable(f"{what} is not sorted, or repeats a name")
    return names


def _peer(value: Json, what: str) -> object:
    peer = members(value, what, ("address", "helo"))
    return text(peer["address"], what, 64), text(peer["helo"], what, 255)


def _authentication(value: Json, what: str) -> object:
    claim = members(value, what, ("checks", "sender"))
    if claim["sender"] not in ("none", "relay", "api-key"):
        raise Unreadable(f"{what} names an unknown way to authenticate")
    return array(claim["checks"], what, 32, _authentication_check)


def _authentication_check(value: Json, what: str) -> object:
    check = members(value, what, ("domain", "method", "result"))
    return (
        text(check["domain"], what, 255),
        _name(check["method"], what),
        _name(check["result"], what),
    )


def _mailbox(value: Json, what: str) -> object:
    mailbox = members(value, what, ("address", "name"))
    return text(mailbox["address"], what), text(mailbox["name"], what)


def _mailboxes(value: Json, what: str) -> object:
    return array(value, what, MAX_MAILBOXES, _mailbox)


def fingerprint(value: Json, what: str) -> object:
    """A fingerprint object: rule, size in bytes, SHA-256 and, where the rule has it, SHA3-256."""
    claim = members(value, what, ("rule", "sha256", "size"), ("sha3-256",))
    _name(claim["rule"], what)
    integer(claim["size"], what)
    digest(claim["sha256"], what)
    if "sha3-256" in claim:
        digest(claim["sha3-256"], what)
    return claim


def _fingerprints(value: Json, what: str) -> object:
    found = array(value, what, 16, fingerprint)
    rules = [item["rule"] for item in value]
    if len(set(rules)) != len(rules):
        raise Unreadable(f"{what} has a rule twice")
    return found


def _part(value: Json, what: str) -> object:
    part = members(
        value,
        what,
        ("fingerprints", "path", "role", "type"),
        ("charset", "content_id", "content_location", "files", "images", "name", "notes"),
    )
    text(part["path"], what, 255)
    if part["role"] not in ("body", "attachment", "inline", "message", "report"):
        raise Unreadable(f"{what} has an unknown role")
    text(part["type"], what, 255)
    if "charset" in part:
        text(part["charset"], what, 100)
    if "name" in part:
        text(part["name"], what, 1200)
    if "notes" in part:
        _names(part["notes"], what)
    for name in ("content_id", "content_location"):
        if name in part:
            digest(part[name], what)
    if "files" in part:
        array(part["files"], what, MAX_FILES, _digest_item)
    if "images" in part:
        array(part["images"], what, MAX_IMAGES, _image)
    return _fingerprints(part["fingerprints"], what)


def _image(value: Json, what: str) -> int:
    return integer(value, what, -1, MAX_PARTS)


def _report(value: Json, what: str) -> object:
    report = members(value, what, ("disposition", "final_recipient", "form", "kind"))
    if report["kind"] not in ("mdn", "dsn"):
        raise Unreadable(f"{what} has an unknown kind")
    if report["form"] not in ("direct", "attached", "inline"):
        raise Unreadable(f"{what} has an unknown form")
    return text(report["disposition"], what), text(report["final_recipient"], what)


def _links(value: Json, what: str) -> object:
    return array(value, what, 100, _link)


def _link(value: Json, what: str) -> object:
    link = members(value, what, ("count", "host"))
    return text(link["host"], what, 255), integer(link["count"], what, 1, 1_000)


def _count(value: Json, what: str) -> object:
    return integer(value, what, 1, MAX_PARTS)


def _digest_item(value: Json, what: str) -> object:
    item = members(value, what, ("sha256", "size"), ("name", "sha3-256"))
    integer(item["size"], what)
    digest(item["sha256"], what)
    if "sha3-256" in item:
        digest(item["sha3-256"], what)
    return text(item.get("name", ""), what, 1200)


REGISTRY: Mapping[str, Claim] = {
    "authentication": Claim("observed", False, frozenset(KINDS), _authentication),
    "defects": Claim("derived", False, frozenset(KINDS), _names),
    "envelope.from": Claim("observed", True, _MAIL, _string),
    "envelope.peer": Claim("observed", True, _MAIL, _peer),
    "envelope.proof_addresses": Claim("observed", True, _MAIL, _strings),
    "envelope.tls": Claim("observed", True, _MAIL, _string),
    "header.cc": Claim("stated", True, _MAIL, _mailboxes),
    "header.date": Claim("stated", True, _MAIL, _dates),
    "header.from": Claim("stated", True, _MAIL, _mailboxes),
    "header.receipt_requested": Claim("stated", True, _MAIL, boolean),
    "header.subject": Claim("stated", True, _MAIL, _strings),
    "header.to": Claim("stated", True, _MAIL, _mailboxes),
    "link.message_id": Claim("stated", True, _MAIL, digest),
    "message.fingerprints": Claim("derived", True, _MAIL, _fingerprints),
    "message.links": Claim("derived", True, _MAIL, _links),
    "message.parts": Claim("derived", True, _MAIL, _count),
    "part.*": Claim("derived", True, _MAIL, _part),
    "receipt.of": Claim("derived", True, frozenset({"receipt"}), digest),
    "receipt.report": Claim("stated", True, frozenset({"receipt"}), _report),
    "addendum.name": Claim("stated", True, frozenset({"addendum"}), _name),
    "addendum.of": Claim("derived", True, frozenset({"addendum"}), digest),
    "addendum.value": Claim("stated", True, frozenset({"addendum"}), _string),
    "digest.*": Claim("stated", True, frozenset({"digests"}), _digest_item),
    "audit.entries": Claim("derived", True, frozenset({"audit"}), integer),
    "audit.head": Claim("derived", True, frozenset({"audit"}), digest),
}
"""Claim names; `*` stands for a number from 1 without leading zeros."""

_NUMBERED = re.compile(r"(part|digest)\.([1-9]\d{0,2})\Z", re.ASCII)


def lookup(name: str) -> Claim:
    """The registry's row for a claim name; Unreadable for a name that it does not list."""
    numbered = _NUMBERED.match(name)
    if numbered and int(numbered[2]) <= MAX_PARTS:
        return REGISTRY[f"{numbered[1]}.*"]
    if name not in REGISTRY or name.endswith("*"):
        raise Unreadable("a claim that the registry does not list")
    return REGISTRY[name]


def check_claim(kind: str, name: str, value: Json) -> None:
    """Refuses a claim that is unknown, foreign to the record's kind, or of another type."""
    claim = lookup(name)
    if kind not in claim.kinds:
        raise Unreadable(f"a record of kind {kind} has no claim {name}")
    claim.check(value, name)


def never_hidden(kind: str) -> frozenset[str]:
    """The names that every proof of a record of this kind discloses (SPEC §4.3)."""
    return frozenset(
        name for name, claim in REGISTRY.items() if not claim.hideable and kind in claim.kinds
    )

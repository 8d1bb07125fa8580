"""What an export is asked to hold, and its spelling in a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from proofmail.core.canonical import Json, format_time, parse_time
from proofmail.core.case import MAX_PROOFS, MAX_TITLE
from proofmail.core.claims import KINDS
from proofmail.core.shape import array, members, text
from proofmail.errors import Unreadable
from proofmail.store.counters import STATES
from proofmail.store.pages import Filter

EXPORTS = ("case", "archive")
_MEMBERS = ("ids", "kind", "language", "since", "state", "text", "title", "until")
_LATER = ("label", "thread")
"""Not in rows of before there were any."""


@dataclass(frozen=True)
class Wanted:
    """With `ids` these records alone, in the order of their reception, whatever the filter says. A
    case of a filter without a kind is one of messages: their receipts are in their proofs."""

    kind: str
    language: Literal["fr", "en"]
    title: str = ""
    only: Filter = field(default_factory=Filter)
    ids: tuple[str, ...] = ()

    def to_json(self) -> Json:
        only = self.only
        return {
            "ids": list(self.ids),
            "kind": only.kind or "",
            "label": only.label,
            "language": self.language,
            "since": format_time(only.since) if only.since else "",
            "state": only.state or "",
            "text": only.text,
            "thread": only.thread,
            "title": self.title,
            "until": format_time(only.until) if only.until else "",
        }


def read_wanted(kind: str, value: Json) -> Wanted:
    """What a row says; Unreadable for any other shape."""
    found = {"label": "", "thread": "", **members(value, "export", _MEMBERS, _LATER)}
    asked = {name: text(found[name], name, MAX_TITLE) for name in found if name != "ids"}
    if kind not in EXPORTS or asked["language"] not in ("fr", "en"):
        raise Unreadable("an export of an unknown kind or language")
    if asked["kind"] not in ("", *KINDS) or asked["state"] not in ("", *STATES):
        raise Unreadable("an export of records of an unknown kind or state")
    return Wanted(
        kind,
        "fr" if asked["language"] == "fr" else "en",
        asked["title"],
        Filter(
            asked["state"] or None,
            asked["kind"] or None,
            asked["text"],
            _time(asked["since"]),
            _time(asked["until"]),
            asked["label"],
            asked["thread"],
        ),
        array(found["ids"], "ids", MAX_PROOFS, lambda item, what: text(item, what, 64)),
    )


def _time(spelt: str) -> datetime | None:
    return parse_time(spelt) if spelt else None

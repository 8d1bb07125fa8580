"""The values of the header beside the recorded ones, and how a difference is told (SPEC §10.2).

The proof shows the recorded values, so both are said; cut so that what differs is seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import takewhile, zip_longest

from proofmail.core.canonical import Json
from proofmail.verify.comparison import VAGUE, Comparison
from proofmail.verify.words import Said, said

_SHOWN_CHARACTERS = 90
_SHOWN_BEFORE = 40
"""Of a value that is cut, this much of what is alike stays before what differs."""
_LISTED = 3
_FIELDS_OF_PEOPLE = frozenset({"header.cc", "header.from", "header.to"})
_PLAIN = re.compile(r"[!-~]")


def compare_headers(
    comparison: Comparison, values: Iterable[tuple[str, Json]], claims: Mapping[str, Json]
) -> None:
    """Each value must be the recorded one; a source may give one header more than once."""
    for name, value in values:
        if name not in claims:
            comparison.questions.append(said("header.hidden", field=said(name)))
        elif claims[name] != value:
            comparison.differences.append(_difference(name, claims[name], value))
        else:
            comparison.same_fields += bool(value)
            if any(_vague(item) for item in value):
                comparison.questions.append(said("header.vague", field=said(name)))


def _vague(item: Json) -> bool:
    """A value that stands for more than one spelling never counts as a match."""
    if isinstance(item, dict):
        return bool(VAGUE.search(item["name"]) or VAGUE.search(item["address"]))
    return bool(item.startswith("?") or VAGUE.search(item))


def _difference(name: str, before: Json, now: Json) -> Said:
    title = said(name)
    people = name in _FIELDS_OF_PEOPLE
    mine = [_person(item) if people else item for item in before]
    theirs = [_person(item) if people else item for item in now]
    gone = list((Counter(mine) - Counter(theirs)).elements())
    new = list((Counter(theirs) - Counter(mine)).elements())
    if len(gone) == len(new) == 1:
        old, other = _apart(gone[0], new[0])
        where = _where(gone[0], new[0])
        return said("header.differs", field=title, before=old, now=other, where=where)
    if gone and new:
        old, other = _listed(gone), _listed(new)
        return said("header.differs", field=title, before=old, now=other, where="")
    if gone:
        return said("header.less", field=title, before=_listed(gone))
    if new:
        return said("header.more", field=title, now=_listed(new))
    return said("header.order", field=title)


def _person(mailbox: Json) -> str:
    name, address = mailbox["name"], mailbox["address"]
    return f"{name} <{address}>" if name and address else name or address


def _apart(before: str, now: str) -> tuple[str, str]:
    """Both, cut alike, so that the place where they begin to differ is in sight."""
    alike = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, now, strict=False))
    )
    start = 0 if max(len(before), len(now)) <= _SHOWN_CHARACTERS else max(alike - _SHOWN_BEFORE, 0)
    return _cut(before, start), _cut(now, start)


def _cut(text: str, start: int = 0) -> str:
    piece = text[start : start + _SHOWN_CHARACTERS]
    head, tail = "…" if start else "", "…" if start + len(piece) < len(text) else ""
    return f"“{head}{piece}{tail}”"


def _listed(texts: list[str]) -> str:
    shown = ", ".join(_cut(text) for text in texts[:_LISTED])
    return shown if len(texts) <= _LISTED else f"{shown} +{len(texts) - _LISTED}"


def _where(before: str, now: str) -> Said | str:
    """Which characters differ first, where the eye may not tell them apart."""
    old, new = next(pair for pair in zip_longest(before, now) if pair[0] != pair[1])
    if all(char is None or _PLAIN.fullmatch(char) for char in (old, new)):
        return ""
    return said("header.character", before=_point(old), now=_point(new))


def _point(char: str | None) -> Said | str:
    return said("header.end") if char is None else f"U+{ord(char):04X}"

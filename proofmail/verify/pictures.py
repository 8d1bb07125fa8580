"""Whether a page still shows the same picture at the same place (SPEC §10.2, step 2; §3.16).

Equal texts name the same Content-IDs. These must then still be those of the same parts, or, where
a program gave them other names, the page must refer to the same parts in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from proofmail.core.canonical import Json
from proofmail.verify.comparison import Comparison
from proofmail.verify.enclosed import fingerprint_by
from proofmail.verify.parts_words import called
from proofmail.verify.words import Said, said

_HTML = "text/html"
_UNRESOLVED = -1
_MAY_REFER = re.compile(r"html|xml|rtf|richtext|enriched|css|script")
"""In a type: what may name a Content-ID in a way that is not read here."""


def compare_pictures(
    comparison: Comparison,
    recorded: Sequence[tuple[int, Json]],
    found: Sequence[Json],
    pairs: Mapping[int, int],
) -> set[int]:
    """Adds what changed to the comparison; returns the places in `recorded` of the parts that it
    is about. `pairs`: place in `recorded` → place in `found`."""
    numbers = {recorded[place][0]: index + 1 for place, index in pairs.items()}
    bound = _can_be_bound([part for _, part in recorded]) and _can_be_bound(found)
    changes: dict[int, Said] = {}
    for place, index in pairs.items():
        number, part = recorded[place]
        if part["type"] != _HTML:
            continue
        mine, theirs = part.get("images", []), found[index].get("images", [])
        label = called(f"part.{number}", part.get("name", ""))
        if len(mine) != len(theirs) or not all(
            _same(one, other, numbers) for one, other in zip(mine, theirs, strict=True)
        ):
            changes[place] = said("part.images", part=label)
        elif _UNRESOLVED in (*mine, *theirs):
            bound = False
            if not _same_names(part, found[index]):
                comparison.questions.append(said("part.images-untold", part=label))
    bound = bound and not changes and _all_paired(recorded, found, pairs)
    differences, places = list(changes.values()), set(changes)
    for place, index in pairs.items():
        for change in _renamed(comparison, recorded[place], found[index]):
            if not bound or change.key != "part.content-id":
                differences.append(change)
                places.add(place)
    comparison.differences += differences
    return places


def _same(mine: int, theirs: int, numbers: Mapping[int, int]) -> bool:
    """Whether two images refer to the same part. One that is not shown by the proof leaves the
    copy not checked in any case, and so is passed over here."""
    return theirs == numbers.get(mine, theirs) if mine > 0 and theirs > 0 else mine == theirs


def _same_names(part: Json, other: Json) -> bool:
    """Whether both pages spell all their references alike; words/1 leaves them out."""
    return any(
        mine is not None and mine == fingerprint_by(rule, other)
        for rule in ("text/1", "html-text/1")
        for mine in [fingerprint_by(rule, part)]
    )


def _can_be_bound(parts: Sequence[Json]) -> bool:
    """Whether all that may refer to a Content-ID are pages whose references are listed."""
    return all(
        fingerprint_by("html-text/1", part) is not None
        if part["type"] == _HTML
        else not _MAY_REFER.search(part["type"])
        for part in parts
    )


def _all_paired(
    recorded: Sequence[tuple[int, Json]], found: Sequence[Json], pairs: Mapping[int, int]
) -> bool:
    pages = {place for place, (_, part) in enumerate(recorded) if part["type"] == _HTML}
    others = {index for index, part in enumerate(found) if part["type"] == _HTML}
    return pages <= pairs.keys() and others <= set(pairs.values())


def _renamed(comparison: Comparison, row: tuple[int, Json], other: Json) -> Iterator[Said]:
    number, part = row
    label = called(f"part.{number}", part.get("name", ""))
    if part.get("content_id") != other.get("content_id"):
        yield said("part.content-id", part=label)
    mine, theirs = part.get("content_location"), other.get("content_location")
    if mine is not None and theirs is not None and mine != theirs:
        yield said("part.content-location", part=label)
    elif mine != theirs:
        comparison.questions.append(said("part.content-location", part=label))

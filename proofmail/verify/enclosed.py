"""Enclosed messages whose bytes changed on their way: whether all their parts are still the same
(SPEC §10.2, step 2). The definition is that of a mail copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from proofmail.core.canonical import Json


def fingerprint_by(rule: str, part: Json) -> Json | None:
    return next((item for item in part["fingerprints"] if item["rule"] == rule), None)


def broken_enclosures(
    mine: Sequence[Json],
    found: Sequence[Json],
    pairs: Mapping[int, int],
    altered: Set[int],
    *,
    complete: bool,
) -> set[int]:
    """Places of the recorded enclosed messages that were paired by their header values alone, and
    have a part that changed, moved, is missing or was added. `pairs`: place in `mine` → place in
    `found`; `altered`: the places of parts that have another name, role, type or order;
    `complete`: whether `mine` is all that was recorded."""
    broken: set[int] = set()
    for place in sorted(pairs, reverse=True):  # the inmost first
        part, other = mine[place], found[pairs[place]]
        data = fingerprint_by("decoded/1", part)
        if part["role"] != "message" or (
            data is not None and data == fingerprint_by("decoded/1", other)
        ):
            continue
        inside = {i: one["path"] for i, one in enumerate(mine) if _is_in(one, part)}
        there = {i: one["path"] for i, one in enumerate(found) if _is_in(one, other)}
        kept = all(
            i in pairs
            and i not in altered | broken
            and there.get(pairs[i]) == other["path"] + path.removeprefix(part["path"])
            for i, path in inside.items()
        )
        if not kept or not inside or (complete and len(inside) != len(there)):
            broken.add(place)
    return broken


def _is_in(part: Json, message: Json) -> bool:
    return bool(part["path"].startswith(message["path"] + "."))

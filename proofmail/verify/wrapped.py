"""Files that a server wrapped into a `winmail.dat`, or took out of one (SPEC §10.2, step 3). Such a
copy differs, for what else is in the wrapper is not known; but the files are found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proofmail.core.canonical import Json
from proofmail.verify.enclosed import fingerprint_by
from proofmail.verify.parts_words import called, described
from proofmail.verify.words import Said, said


def wrapped_in(part: Json, found: Iterable[Json]) -> Json | None:
    """The part of the copy that has this file inside; None for none."""
    data = fingerprint_by("decoded/1", part)
    if data is None or part["role"] not in ("attachment", "inline"):
        return None
    wrappers = (one for one in found if any(_is(data, item) for item in one.get("files", ())))
    return next(wrappers, None)


def unwrapped(number: int, part: Json, added: Iterable[Json]) -> Iterator[Said]:
    """Which of the parts that were added have the bytes of a file inside this missing one."""
    for other in added:
        data = fingerprint_by("decoded/1", other)
        if data is not None and any(_is(data, item) for item in part.get("files", ())):
            label = called(f"part.{number}", part.get("name", ""))
            yield said("part.unwrapped", part=label, what=described(other))


def _is(data: Json, item: Json) -> bool:
    """Sizes and both digests; a record without the second does not say as much."""
    return all(data.get(key) == item.get(key) for key in ("size", "sha256", "sha3-256"))

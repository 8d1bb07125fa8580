"""The parts of a mail beside the recorded ones: which is whose, and what changed (SPEC §10.2).

Which part is paired with which decides how a difference is told, never whether there is one. A
copy passes only where parts in the same places are equal, and these are paired first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from itertools import takewhile

from proofmail.core.canonical import Json
from proofmail.core.enclosed import RULE
from proofmail.verify.comparison import Comparison
from proofmail.verify.enclosed import broken_enclosures, fingerprint_by
from proofmail.verify.parts_words import (
    called,
    changed,
    changed_labels,
    described,
    notes,
    text_kind,
)
from proofmail.verify.pictures import compare_pictures
from proofmail.verify.report import PartMatch
from proofmail.verify.words import Said, said
from proofmail.verify.wrapped import unwrapped, wrapped_in

_WEAKER = ("html-text/1", "words/1")
"""Rules that a text can be equal under when its text/1 differs, the stronger first."""
_RUNGS = ("decoded/1", "text/1", *_WEAKER, RULE)


def pair(
    comparison: Comparison, recorded: list[tuple[int, Json]], found: list[Json], *, complete: bool
) -> list[Said]:
    """Each recorded part with its counterpart, and what changed; returns what was added.
    `complete` says that `recorded` is all that was recorded."""
    sides = _Sides([number for number, _ in recorded], [part for _, part in recorded], found,
                   grouped=complete)  # fmt: skip
    equal = _equal(sides)
    alike = _alike(sides, equal)
    moved = _moved(equal)
    altered = {
        place
        for place, index in equal.items()
        if place in moved or changed_labels(said("message"), sides.mine[place], found[index])
    }
    altered |= compare_pictures(comparison, recorded, found, equal)
    broken = broken_enclosures(sides.mine, found, equal, altered, complete=complete)
    for place, (number, part) in enumerate(recorded):
        name = part.get("name", "")
        label = called(f"part.{number}", name)
        index = equal.get(place)
        rung = ""
        wrapper = None if index is not None else wrapped_in(part, found)
        if index is not None and place not in broken:
            rung = content_rung(part, found[index])
        elif wrapper is not None:
            rung = "decoded/1"
        comparison.matches.append(PartMatch(f"part.{number}", name, rung))
        if index is not None:
            _compare_places(comparison, label, part, found[index])
            if place in moved:
                comparison.differences.append(said("part.place", part=label))
            if place in broken:
                comparison.differences.append(changed(number, part, found[index]))
            if rung == "words/1":
                comparison.remarks.append(said(f"words-only.{text_kind(part)}", part=label))
        elif wrapper is not None:
            where = said("part.wrapped", part=label, what=described(wrapper))
            comparison.differences.append(where)
        elif place in alike:
            other = found[alike[place]]
            comparison.differences.append(changed(number, part, other))
            comparison.differences += changed_labels(label, part, other)
        else:
            missing = said("part.missing", number=number, what=described(part))
            comparison.differences.append(missing)
    taken = {*equal.values(), *alike.values()}
    added = [part for index, part in enumerate(found) if index not in taken]
    for place in _left(recorded, equal.keys()):
        comparison.differences += unwrapped(*recorded[place], added)
    return [said("part.added", what=described(part)) for part in added]


def _compare_places(comparison: Comparison, label: Said, part: Json, other: Json) -> None:
    comparison.differences += changed_labels(label, part, other)
    around = notes(part, "in.")
    if around != notes(other, "in."):
        # One that stood in no multipart may be shown alike in one around it.
        place = comparison.differences if around else comparison.questions
        place.append(said("part.container", part=label))


class _Sides:
    """The recorded parts that are shown, and those of the copy, with their paths. What all paths
    of a side begin with is left out, where they are all there (SPEC §10.2, step 2)."""

    def __init__(
        self, numbers: list[int], mine: list[Json], found: list[Json], *, grouped: bool
    ) -> None:
        self.numbers, self.mine, self.found = numbers, mine, found
        own, others = ([part["path"] for part in side] for side in (mine, found))
        self.own_paths = [".".join(path) for path in grouping(own)] if grouped else own
        self.paths = [".".join(path) for path in grouping(others)] if grouped else others


def _equal(sides: _Sides) -> dict[int, int]:
    """Recorded place → place in the copy, for parts of equal content: those with the same path
    first, then by the strongest rung, the labels and the nearest place."""
    pairs: dict[int, int] = {}
    by_path = {path: index for index, path in enumerate(sides.paths)}
    for place, path in enumerate(sides.own_paths):
        index = by_path.get(path)
        if index is not None and content_rung(sides.mine[place], sides.found[index]):
            pairs[place] = by_path.pop(path)
    taken = set(pairs.values())
    for *_, place, index in sorted(_candidates(sides, pairs)):
        if place not in pairs and index not in taken:
            pairs[place] = index
            taken.add(index)
    return pairs


def _candidates(
    sides: _Sides, pairs: Mapping[int, int]
) -> Iterator[tuple[int, int, int, int, int]]:
    """What could be paired besides: rung, differing labels, distance, and the two places."""
    by_digest: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for index in _left(sides.found, set(pairs.values())):
        for item in sides.found[index]["fingerprints"]:
            by_digest[item["rule"], item["sha256"]].append(index)
    for place in _left(sides.mine, pairs.keys()):
        part, home = sides.mine[place], sides.numbers[place] - 1
        keys = [(item["rule"], item["sha256"]) for item in part["fingerprints"]]
        for index in {index for key in keys for index in by_digest.get(key, ())}:
            other = sides.found[index]
            rung = content_rung(part, other)
            if rung:
                labels = sum(part.get(key) != other.get(key) for key in ("name", "type", "role"))
                yield _RUNGS.index(rung), labels, abs(home - index), place, index


def _alike(sides: _Sides, equal: Mapping[int, int]) -> dict[int, int]:
    """The same for what changed: by name and path, by name, or by path where no name is another."""
    pairs: dict[int, int] = {}

    def add(mine: Callable[[int], Hashable], found: Callable[[int], Hashable]) -> None:
        taken = {*equal.values(), *pairs.values()}
        free = {found(index): index for index in reversed(_left(sides.found, taken))}
        for place in _left(sides.mine, {*equal, *pairs}):
            index = free.get(mine(place))
            if index is not None and _may_be(sides.mine[place], sides.found[index]):
                pairs[place] = free.pop(mine(place))

    def name(part: Json, otherwise: str) -> str:
        return str(part.get("name", otherwise))

    def place_of(path: str, part: Json) -> tuple[str, str]:
        return path, part["role"]

    add(lambda at: (name(sides.mine[at], ""), sides.own_paths[at]),
        lambda at: (name(sides.found[at], ""), sides.paths[at]))  # fmt: skip
    add(lambda at: name(sides.mine[at], ""), lambda at: name(sides.found[at], "\0"))
    add(lambda at: place_of(sides.own_paths[at], sides.mine[at]),
        lambda at: place_of(sides.paths[at], sides.found[at]))  # fmt: skip
    add(lambda at: _body(sides.mine[at]), lambda at: _body(sides.found[at]) or None)
    return pairs


def _body(part: Json) -> str:
    """What a text of the mail may correspond by, where nothing else tells: its type."""
    return str(part["type"]) if part["role"] == "body" else ""


def _may_be(part: Json, other: Json) -> bool:
    """Whether one could be the other, changed: not where both have names, and other ones."""
    names = {one["name"] for one in (part, other) if "name" in one}
    return len(names) < 2 and (bool(names) or part["role"] == other["role"])


def _left(parts: Sequence[object], taken: Set[int]) -> list[int]:
    return [place for place in range(len(parts)) if place not in taken]


def _moved(pairs: Mapping[int, int]) -> set[int]:
    """The fewest places without which all the others are in the same order."""
    ends: list[int] = []
    lengths: dict[int, int] = {}
    for place in sorted(pairs):
        at = bisect_left(ends, pairs[place])
        ends[at:] = [pairs[place], *ends[at + 1 :]]
        lengths[place] = at
    wanted, moved = len(ends) - 1, set()
    limit = max(pairs.values(), default=0) + 1
    for place in sorted(pairs, reverse=True):
        if lengths[place] == wanted and pairs[place] < limit:
            wanted, limit = wanted - 1, pairs[place]
        else:
            moved.add(place)
    return moved


def content_rung(part: Json, other: Json) -> str:
    """The strongest content rung on which two parts are equal; "" for none."""
    is_text = part["type"].startswith("text/")
    if is_text and part["type"] != other["type"]:
        return ""
    mine = {item["rule"]: item for item in part["fingerprints"]}
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    same_bytes = "decoded/1" in mine and mine["decoded/1"] == theirs.get("decoded/1")
    if not is_text:
        return "decoded/1" if same_bytes else _by_its_header(part, other)
    same_bytes = same_bytes and part.get("charset") == other.get("charset")
    # Where there is no text/1 that would show it.
    same_bytes = same_bytes and notes(part, "text.flowed", "text.delsp") == notes(
        other, "text.flowed", "text.delsp"
    )
    if "text/1" in mine:
        # Asked for beside the same bytes too: another format=flowed or delsp joins lines and words.
        if mine["text/1"] == theirs.get("text/1"):
            return "decoded/1" if same_bytes else "text/1"
        rules = _WEAKER if words_suffice(part) else _WEAKER[:1]
        weaker = (rule for rule in rules if rule in mine and mine[rule] == theirs.get(rule))
        return next(weaker, "")
    return "decoded/1" if same_bytes else ""


def words_suffice(part: Json) -> bool:
    """Whether another white space leaves a text what it was: not in a file, where it may be
    indentation or columns, nor in PGP's armour."""
    return part["role"] == "body" and not any(
        note.endswith(".pgp-inline") for note in part.get("notes", ())
    )


def _by_its_header(part: Json, other: Json) -> str:
    """An enclosed message whose bytes differ: its parts then decide (`broken_enclosures`)."""
    values = fingerprint_by(RULE, part)
    same = part["type"] == other["type"] and part["role"] == other["role"] == "message"
    return RULE if same and values is not None and values == fingerprint_by(RULE, other) else ""


def grouping(paths: Sequence[str]) -> list[list[str]]:
    """The paths without what all of them begin with: a multipart around all the rest."""
    split = [path.split(".") for path in paths]
    levels = zip(*split, strict=False)  # as many as the shortest path has
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))
    return [path[shared:] for path in split]


def enclosing(mine: Sequence[Json], found: Sequence[Json]) -> int:
    """The number of the part of the copy that is an enclosed message with every recorded part in
    it, and no other; 0 for none."""
    for number, part in enumerate(found, 1):
        if part["role"] == "message":
            inside = [other for other in found if other["path"].startswith(part["path"] + ".")]
            pairs = zip(mine, inside, strict=False)
            if len(inside) == len(mine) and all(content_rung(*both) for both in pairs):
                return number
    return 0

"""The parts of a mail beside the recorded ones: which is whose, and what changed (SPEC §10.2)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from proofmail.core.canonical import Json
from proofmail.verify.comparison import Comparison
from proofmail.verify.report import PartMatch
from proofmail.verify.words import Said, said

_WEAKER = ("html-text/1", "words/1")
"""Rules that a text can be equal under when its text/1 differs, the stronger first."""


def called(claim: str, label: str) -> Said:
    """How a report names what a claim is about: `part 2 (offre.pdf)`."""
    kind, _, number = claim.partition(".")
    if not number:
        return said(kind)
    return said(f"{kind}.named", number=number, name=label) if label else said(kind, number=number)


def described(part: Json) -> Said:
    """A part by its role and its name or type: `attachment offre.pdf`."""
    name = part.get("name", part.get("type", ""))
    return said("described", role=said(f"role.{part['role']}"), name=name)


def pair(comparison: Comparison, recorded: list[tuple[int, Json]], found: list[Json]) -> list[Said]:
    """Each recorded part with its counterpart, and what changed; returns what was added."""
    differences = comparison.differences
    free = dict(enumerate(found))
    order = -1
    unmatched: list[tuple[int, Json]] = []
    for number, part in recorded:
        ranked = sorted(free, key=lambda index: (index != number - 1, index))
        index, rung = next(((i, r) for i in ranked if (r := content_rung(part, free[i]))), (-1, ""))
        comparison.matches.append(PartMatch(f"part.{number}", part.get("name", ""), rung))
        if not rung:
            unmatched.append((number, part))
            continue
        other = free.pop(index)
        label = called(f"part.{number}", part.get("name", ""))
        differences += _changed_labels(label, part, other)
        around = _notes(part, "in.")
        if around != _notes(other, "in."):
            # One that stood in no multipart may be shown alike in one around it.
            place = differences if around else comparison.questions
            place.append(said("part.container", part=label))
        if index < order:
            differences.append(said("part.place", part=label))
        order = max(order, index)
    for number, part in unmatched:
        differences.append(_missing(number, part, free))
    return [said("part.added", what=described(part)) for part in free.values()]


def content_rung(part: Json, other: Json) -> str:
    """The strongest content rung on which two parts are equal; "" for none."""
    is_text = part["type"].startswith("text/")
    if is_text and part["type"] != other["type"]:
        return ""
    mine = {item["rule"]: item for item in part["fingerprints"]}
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    same_bytes = "decoded/1" in mine and mine["decoded/1"] == theirs.get("decoded/1")
    if not is_text:
        return "decoded/1" if same_bytes else ""
    same_bytes = same_bytes and part.get("charset") == other.get("charset")
    # Where there is no text/1 that would show it.
    same_bytes = same_bytes and _notes(part, "text.flowed", "text.delsp") == _notes(
        other, "text.flowed", "text.delsp"
    )
    if "text/1" in mine:
        # Asked for beside the same bytes too: another format=flowed or delsp joins lines and words.
        if mine["text/1"] == theirs.get("text/1"):
            return "decoded/1" if same_bytes else "text/1"
        weaker = (rule for rule in _WEAKER if rule in mine and mine[rule] == theirs.get(rule))
        return next(weaker, "")
    return "decoded/1" if same_bytes else ""


def _changed_labels(label: Said, part: Json, other: Json) -> list[Said]:
    changes = []
    if part.get("name") != other.get("name"):
        changes.append(said("part.name", part=label, name=other.get("name", said("none"))))
    elif part["role"] != other["role"]:
        now, before = said(f"role.{other['role']}"), said(f"role.{part['role']}")
        changes.append(said("part.role", part=label, now=now, before=before))
    if part["type"] != other["type"]:
        changes.append(said("part.type", part=label, now=other["type"], before=part["type"]))
    if _notes(part, "method.") != _notes(other, "method."):
        changes.append(said("part.method", part=label))
    return changes


def _notes(part: Json, *starts: str) -> set[str]:
    return {note for note in part.get("notes", ()) if note.startswith(starts)}


def grouping(paths: Sequence[str]) -> list[list[str]]:
    """The paths without what all of them begin with: a multipart around all the rest."""
    split = [path.split(".") for path in paths]
    levels = zip(*split, strict=False)  # as many as the shortest path has
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))
    return [path[shared:] for path in split]


def _missing(number: int, part: Json, free: dict[int, Json]) -> Said:
    """Says of an unmatched part that it changed, if its counterpart can be told, else missing."""
    for index, other in free.items():
        same_name = "name" in part and part["name"] == other.get("name")
        if same_name or (part["path"] == other["path"] and part["role"] == other["role"]):
            del free[index]
            return said("part.changed", number=number, what=described(part))
    return said("part.missing", number=number, what=described(part))

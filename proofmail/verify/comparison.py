"""What comparing a mail with a proof has found so far: matches, differences, open questions
(SPEC §10.2, §10.3); and what the proof shows to compare with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from proofmail.core.canonical import Json
from proofmail.verify.report import CopyReport, PartMatch, Status
from proofmail.verify.words import Said, said

VAGUE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]|=\?[^ ?]+\?[bBqQ]\?")
"""What stands for more than one spelling, or is shown in more than one way: lost bytes, controls
(iso-8859-1 has those that programs take for windows-1252), encoded words left as they are."""
_UNKNOWN_PLACE = re.compile(r"in\.(?:\d+\.)?other")
"""Notes of parts in a multipart of a kind that has no name of its own (SPEC §3.9.2)."""
_SAID_ELSEWHERE = frozenset({"message/external-body", "message/partial"})
"""Types that show what their parameters say, and these have no fingerprint."""


@dataclass
class Comparison:
    """What a comparison has found so far. `questions` are what keeps it from being a match;
    `remarks` change no verdict."""

    matches: list[PartMatch] = field(default_factory=list)
    differences: list[Said] = field(default_factory=list)
    questions: list[Said] = field(default_factory=list)
    remarks: list[Said] = field(default_factory=list)
    same_fields: int = 0
    """Values of the header that are there and are those recorded."""

    def report(self, name: str, notes: tuple[Said, ...] = ()) -> CopyReport:
        """SPEC §10.2, steps 2 to 4."""
        remarks = list(notes)
        if self.differences:
            status, key = Status.FAILED, "differs"
            if not any(match.rung for match in self.matches):
                if not self.same_fields:
                    remarks.append(said("nothing-same"))
                elif said("id.other") in notes:
                    remarks.append(said("no-part-same"))
        elif self.questions:
            status, key = Status.NOT_CHECKED, "undecided"
        else:
            by_words = any(match.rung == "words/1" for match in self.matches)
            status, key = Status.PASSED, "same.words" if by_words else "same.content"
        differences = tuple(dict.fromkeys(self.differences))
        remarks += [*self.remarks, *dict.fromkeys(self.questions)]
        return CopyReport(
            name, "mail", status, said(key), tuple(self.matches), differences, tuple(remarks)
        )


def recorded_fingerprints(claims: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """Claim name, attachment name and fingerprint of all that was recorded and is disclosed: of
    the whole, then of the parts, then digests, each by number (SPEC §10.1)."""
    for fingerprint in claims.get("message.fingerprints", []):
        yield "message", "", fingerprint
    for name, value in numbered(claims, "part"):
        for fingerprint in value["fingerprints"]:
            yield name, value.get("name", ""), fingerprint
        for item in value.get("files", ()):
            label = f"{value.get('name', '')} › {item.get('name', '')}"
            yield name, label, {"rule": "decoded/1", **item}
    for name, value in numbered(claims, "digest"):
        yield name, value.get("name", ""), {"rule": "digest", **value}


def numbered(claims: Mapping[str, Json], kind: str) -> list[tuple[str, Json]]:
    """The claims `kind.N` by N. Those of a proof stand in no order that says anything."""
    named = [(name, claims[name]) for name in claims if name.startswith(f"{kind}.")]
    return sorted(named, key=lambda row: int(row[0].rpartition(".")[2]))


def recorded_parts(
    comparison: Comparison, claims: Mapping[str, Json]
) -> tuple[list[tuple[int, Json]], bool]:
    """The parts that the proof shows, and whether these are all; with what they leave open."""
    count = claims.get("message.parts")
    recorded = [
        (number, claims[f"part.{number}"])
        for number in range(1, (count or 500) + 1)
        if f"part.{number}" in claims
    ]
    if count is None:
        comparison.questions.append(said("parts.unknown"))
    elif len(recorded) != count:
        comparison.questions.append(said("parts.hidden", count=count - len(recorded), total=count))
    comparison.questions += [question for row in recorded for question in _part_questions(*row)]
    return recorded, count == len(recorded)


def _part_questions(number: int, part: Json) -> Iterator[Said]:
    """Why a part's equality would not be enough: what is equal stands for several things."""
    if VAGUE.search(part.get("name", "")):
        yield said("part.name-vague", number=number)
    if part.get("charset") == "?":
        yield said("part.charset-vague", number=number)
    if part["type"] in _SAID_ELSEWHERE or "method.other" in part.get("notes", ()):
        yield said("part.said-elsewhere", number=number)
    if any(_UNKNOWN_PLACE.fullmatch(note) for note in part.get("notes", ())):
        yield said("part.place-vague", number=number)

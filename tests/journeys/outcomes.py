"""What became of a mail on its journey: the copy judged against the proof of the original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from proofmail.core.canonical import Json
from proofmail.verify.containers import Folder, judge
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.report import CopyReport
from tests.journeys.originals import ORIGINALS
from tests.making import claims_of

RUNGS = ("raw/1", "decoded/1", "text/1", "html-text/1", "words/1", "header-values/1")
VERDICTS = ("same.bytes", "same.content", "same.words", "undecided", "differs")


@dataclass(frozen=True)
class Outcome:
    """One original after one journey. `rungs` has, for each recorded part, its media type, its
    role and the strongest rung that the copy reaches ("" for none); `data` is the copy's bytes,
    b"" where it is one of a folder."""

    original: str
    data: bytes
    report: CopyReport
    rungs: tuple[tuple[str, str, str], ...]

    @property
    def verdict(self) -> str:
        return self.report.finding.key

    def of(self, *, bodies: bool) -> list[str]:
        """The rungs of the text bodies, or else those of every other part."""
        return [
            rung
            for kind, role, rung in self.rungs
            if (kind.startswith("text/") and role == "body") == bodies
        ]


@cache
def claims(original: str) -> Mapping[str, Json]:
    return claims_of(ORIGINALS[original])


def judged(original: str, copy: bytes | Copy | Folder) -> Outcome:
    """The copy, or the folder in which it is, against the proof of this original."""
    recorded = claims(original)
    report = judge(_saved(copy) if isinstance(copy, bytes) else copy, recorded)
    reached = {match.part: match.rung for match in report.matches}
    rungs = tuple(
        (part["type"], part["role"], reached.get(f"part.{number}", ""))
        for number in range(1, recorded["message.parts"] + 1)
        for part in [recorded[f"part.{number}"]]
    )
    return Outcome(original, copy if isinstance(copy, bytes) else b"", report, rungs)


def _saved(data: bytes) -> Copy:
    return Copy("copy.eml", lambda: [data])


def counted(outcomes: Iterable[Outcome], *, bodies: bool) -> Counter[str]:
    """How many parts reach which rung as their strongest."""
    return Counter(rung for outcome in outcomes for rung in outcome.of(bodies=bodies))

"""The report of a verification: numbered rows, witnesses, copies, and the exit status (SPEC §9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from proofmail.core.canonical import Json, format_time
from proofmail.verify.words import Said


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Row:
    """One check: `number` and `title` are SPEC §9's; `subject` says of what (`token 1`)."""

    number: str
    title: str
    status: Status
    reason: str = ""
    subject: str = ""

    def to_json(self) -> Json:
        return {
            "number": self.number,
            "reason": self.reason,
            "status": self.status.value,
            "subject": self.subject,
            "title": self.title,
        }


@dataclass(frozen=True)
class WitnessFact:
    """What one token or anchor says; a fact only if `status` is passed."""

    kind: str
    status: Status
    time: datetime
    accuracy: timedelta
    details: tuple[tuple[str, str], ...]
    caution: str = ""
    """`built-in authority`, `development chain`, or nothing."""

    @property
    def latest(self) -> datetime:
        """The record existed no later than this, for whoever believes the witness."""
        return self.time + self.accuracy


@dataclass(frozen=True)
class PartMatch:
    """A recorded part and the strongest rung that the copy reaches for it ("" for none)."""

    part: str
    name: str
    rung: str


@dataclass(frozen=True)
class CopyText:
    """What a copy's report says, in one language; text from outside in it is not yet escaped."""

    verdict: str
    differences: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CopyReport:
    """One copy against the proof. `what` is mail, file or digest: what was judged.

    `finding`, `changes` and `remarks` are in no language yet; `verdict`, `differences` and
    `notes` are the same in English.
    """

    copy: str
    what: str
    status: Status
    finding: Said
    matches: tuple[PartMatch, ...] = ()
    changes: tuple[Said, ...] = ()
    remarks: tuple[Said, ...] = ()

    def text(self, language: str) -> CopyText:
        """The verdict, the differences and the notes in `en` or `fr`."""
        return CopyText(
            self.finding.text(language),
            tuple(change.text(language) for change in self.changes),
            tuple(remark.text(language) for remark in self.remarks),
        )

    @property
    def verdict(self) -> str:
        return self.finding.text()

    @property
    def differences(self) -> tuple[str, ...]:
        return self.text("en").differences

    @property
    def notes(self) -> tuple[str, ...]:
        return self.text("en").notes


@dataclass(frozen=True)
class Report:
    rows: tuple[Row, ...]
    witnesses: tuple[WitnessFact, ...] = ()
    witnesses_needed: int = 1
    copies: tuple[CopyReport, ...] = ()
    facts: Json = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return any(r.status is Status.FAILED for r in self.rows) or any(
            c.status is Status.FAILED for c in self.copies
        )

    @property
    def exit_status(self) -> int:
        """0 passed, 1 failed or differs, 3 undecided under this trust (SPEC §9.4).

        V17 sums up the witnesses; V4 is the service, and a copy that could not be
        judged leaves the whole undecided too.
        """
        if self.failed:
            return 1
        needed = {"V4": False, "V17": False}
        for row in self.rows:
            if row.number in needed and not row.subject:
                needed[row.number] = row.status is Status.PASSED
        if not all(needed.values()):
            return 3
        undecided = any(c.status is not Status.PASSED for c in self.copies) or any(
            r.number in _DECISIVE and r.status is not Status.PASSED for r in self.rows
        )
        return 3 if undecided else 0

    @property
    def verdict(self) -> str:
        return word_for(self.exit_status)

    @property
    def existed_by(self) -> datetime | None:
        """The earliest time that a passed witness vouches for; one with a caution counts only
        where there is none without, since its time may be the operator's own (SPEC §9.2)."""
        passed = [w for w in self.witnesses if w.status is Status.PASSED]
        strong = [w for w in passed if not w.caution]
        return min((w.latest for w in strong or passed), default=None)

    def to_json(self) -> Json:
        return {
            "copies": [_copy_json(copy) for copy in self.copies],
            "existed_by": format_time(rounded_up(self.existed_by)) if self.existed_by else "",
            "exit_status": self.exit_status,
            "facts": self.facts,
            "format": "proofmail/report/0",
            "rows": [row.to_json() for row in self.rows],
            "verdict": self.verdict,
            "witnesses": [_witness_json(witness) for witness in self.witnesses],
            "witnesses_needed": self.witnesses_needed,
        }


_DECISIVE = frozenset({"V16"})
"""Rows of which `not checked` keeps the whole from being verified, as V4 and V17 do."""


def word_for(exit_status: int) -> str:
    """The verdict of SPEC §9.4 in a word."""
    return {0: "verified", 1: "failed", 3: "not verified under this trust"}[exit_status]


def rounded_up(moment: datetime) -> datetime:
    """To whole milliseconds, upwards: a bound cut off would say more than its witness."""
    return moment + timedelta(microseconds=-moment.microsecond % 1000)


def _witness_json(witness: WitnessFact) -> Json:
    return {
        "accuracy_milliseconds": int(witness.accuracy / timedelta(milliseconds=1)),
        "caution": witness.caution,
        "details": dict(witness.details),
        "kind": witness.kind,
        "status": witness.status.value,
        "time": format_time(witness.time),
    }


def _copy_json(copy: CopyReport) -> Json:
    return {
        "copy": copy.copy,
        "differences": list(copy.differences),
        "matches": [{"name": m.name, "part": m.part, "rung": m.rung} for m in copy.matches],
        "notes": list(copy.notes),
        "status": copy.status.value,
        "verdict": copy.verdict,
        "what": copy.what,
    }

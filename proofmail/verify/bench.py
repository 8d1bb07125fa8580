"""The bench of one verification: where checks are run, and their rows collected.

Primitives raise; only the bench collects. What the two kinds of witness have in common stands here
too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from proofmail.core.canonical import format_time
from proofmail.core.record import Record
from proofmail.errors import CheckFailed, NotChecked, Unreadable
from proofmail.verify.report import Row, Status, WitnessFact

T = TypeVar("T")

STATEMENT_TOLERANCE = timedelta(seconds=60)
"""How much later than its witness a record may say it was received (SPEC §9, V6 and V12)."""

Witness: TypeAlias = tuple[frozenset[str], WitnessFact]
"""Whose word it is, by all that tells authorities or chains apart, and what the witness says. Two
with anything in common are of the same one."""


@dataclass
class Bench:
    """The rows of one verification as they come."""

    rows: list[Row]

    def judge(self, number: str, title: str, check: Callable[[], T], subject: str = "") -> T | None:
        """Runs one check and writes its row; returns the check's result, or None."""
        try:
            result = check()
        except (CheckFailed, Unreadable) as error:
            self.rows.append(Row(number, title, Status.FAILED, str(error), subject))
        except NotChecked as error:
            self.rows.append(Row(number, title, Status.NOT_CHECKED, str(error), subject))
        else:
            reason = result if isinstance(result, str) else ""
            self.rows.append(Row(number, title, Status.PASSED, reason, subject))
            return result
        return None

    def note(self, number: str, title: str, status: Status, reason: str, subject: str = "") -> None:
        self.rows.append(Row(number, title, status, reason, subject))

    def unknown(self, number: str, title: str, kind: str, subject: str) -> None:
        """A piece of the proof that a later version of the format may have brought."""
        # Text of the proof's own: shortened, and made plain for a report's line.
        reason = f"a kind this verifier does not know: {kind[:40]!a}"
        self.note(number, title, Status.NOT_CHECKED, reason, subject)

    def passed(self, start: int, but: frozenset[str] = frozenset()) -> Status:
        """The status of all rows since `start` as one; those numbered in `but` count only where
        they failed."""
        found = {
            row.status
            for row in self.rows[start:]
            if row.number not in but or row.status is Status.FAILED
        }
        if Status.FAILED in found:
            return Status.FAILED
        return Status.PASSED if found <= {Status.PASSED} else Status.NOT_CHECKED


def statement(record: Record, latest: datetime, witness: str) -> str:
    """V6 and V12: the moment that the service states is no later than its witness's `latest`."""
    if record.received_at - latest > STATEMENT_TOLERANCE:  # so that no sum can overflow
        raise CheckFailed(f"received_at is later than the {witness}'s time")
    delay = (latest - record.received_at).total_seconds()
    return f"the service states {format_time(record.received_at)}, {delay:.0f} s before"

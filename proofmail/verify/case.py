"""A case dossier judged: its list, its seal, and each proof by itself (SPEC §11.7, V15, V16, V18).

One proof is read at a time and let go: what is kept of it is a line. Facts come from the proofs
that passed; the list says which they are and nothing on them, and the pages are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256

from proofmail.core.canonical import Json, format_time
from proofmail.core.case import CaseList, read_case_list
from proofmail.core.proof import Proof, read_proof
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.checks import NO_TRUST, verify_proof
from proofmail.verify.containers import Folder
from proofmail.verify.copies import Copy
from proofmail.verify.dossier import (
    PDF_START,
    Evidence,
    check_size,
    evidence_of,
    seal_rows,
    verify,
)
from proofmail.verify.pdf import DossierFile, own_files, read_dossier
from proofmail.verify.report import Report, Row, Status, rounded_up, word_for
from proofmail.verify.trust import Trust

LIST_TITLE = "the proofs are exactly those that the list names"
MEMBER_TITLE = "a proof of the case"
_CLIPPED = 200


@dataclass(frozen=True)
class CaseEvidence:
    """A case dossier's list and files, not yet judged."""

    listing: CaseList
    dossier: DossierFile
    data: bytes

    def proof(self, number: int) -> Proof:
        """The proof at this place, from 1. Unreadable if there is none; CheckFailed if it is not
        the one that the list names."""
        if not 1 <= number <= len(self.listing.proofs):
            raise Unreadable(f"the case has proofs 1 to {len(self.listing.proofs)}")
        name = self.listing.names[number - 1]
        data = self.dossier.loose.get(name)
        if data is None:
            raise CheckFailed(f"{name} is listed, but not in the dossier")
        listed = self.listing.proofs[number - 1]
        if sha256(data).digest() != listed.file:
            raise CheckFailed(f"{name} is another file than the list names")
        proof = read_proof(data)
        if sha256(proof.record.to_bytes()).digest() != listed.record:
            raise CheckFailed(f"{name} is the proof of another record than the list names")
        return proof


@dataclass(frozen=True)
class Member:
    """What one proof of the case came to. Facts are there only where V2 and V3 passed; `weak`
    says that all witnesses that passed carry a caution."""

    number: int
    status: Status
    reason: str
    existed_by: datetime | None = None
    weak: bool = False
    record: str = ""
    kind: str = ""
    received_at: str = ""
    subject: str = ""
    sender: str = ""
    hidden: int = 0

    def row(self) -> Row:
        return Row("V18", MEMBER_TITLE, self.status, self.reason, f"proof {self.number}")

    def to_json(self) -> Json:
        by = self.existed_by
        return {
            "existed_by": format_time(rounded_up(by)) if by else "",
            "hidden_or_decoys": self.hidden,
            "kind": self.kind,
            "number": self.number,
            "reason": self.reason,
            "received_at": self.received_at,
            "record_sha256": self.record,
            "sender": self.sender,
            "status": self.status.value,
            "subject": self.subject,
        }


@dataclass(frozen=True)
class CaseReport:
    """The judgement on a case dossier. `title` is the word of whoever made it."""

    title: str
    rows: tuple[Row, ...]
    members: tuple[Member, ...]

    @cached_property
    def exit_status(self) -> int:
        """SPEC §9.4, with V18 in place of V4 and V17."""
        found = {row.status for row in self.rows} | {item.status for item in self.members}
        if Status.FAILED in found:
            return 1
        return 0 if found == {Status.PASSED} else 3

    @property
    def verdict(self) -> str:
        return word_for(self.exit_status)

    @property
    def failed(self) -> bool:
        return self.exit_status == 1

    @property
    def existed_by(self) -> datetime | None:
        """When all of the records existed, by the witnesses that passed; None if one has none."""
        times = [member.existed_by for member in self.members]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None

    @property
    def weak(self) -> bool:
        return any(member.weak for member in self.members)

    def count(self, status: Status) -> int:
        return sum(member.status is status for member in self.members)

    def to_json(self) -> Json:
        by = self.existed_by
        rows = (*self.rows, *(member.row() for member in self.members))
        return {
            "existed_by": format_time(rounded_up(by)) if by else "",
            "exit_status": self.exit_status,
            "format": "proofmail/case-report/0",
            "proofs": [member.to_json() for member in self.members],
            "rows": [row.to_json() for row in rows],
            "title": self.title,
            "verdict": self.verdict,
        }


def read_given(data: bytes) -> Evidence | CaseEvidence:
    """What a stranger may have been given: a proof file, a dossier, or a case dossier (SPEC §9);
    Unreadable for anything else."""
    check_size(data)
    if not data.startswith(PDF_START):
        return Evidence(read_proof(data))
    dossier = read_dossier(data)
    if dossier.case is None:
        return evidence_of(dossier, data)
    return CaseEvidence(read_case_list(dossier.case), dossier, data)


def verify_case(case: CaseEvidence, trust: Trust = NO_TRUST) -> CaseReport:
    """V15 and V16 on the dossier, V18 on each proof that the list names."""
    rows = (_list_row(case), *seal_rows(case.dossier, case.data, trust))
    return CaseReport(case.listing.title, rows, tuple(_members(case, trust)))


def verify_one(
    case: CaseEvidence,
    number: int,
    trust: Trust = NO_TRUST,
    copies: Sequence[Copy | Folder] = (),
    digests: Sequence[str] = (),
) -> Report:
    """The whole report on one proof of the case, with the case's own rows, and copies judged."""
    report = verify(Evidence(case.proof(number)), trust, copies, digests)
    *rows, last = report.rows
    own = (_list_row(case), *seal_rows(case.dossier, case.data, trust))
    return replace(report, rows=(*rows, *own, last))


def _list_row(case: CaseEvidence) -> Row:
    names = set(case.listing.names)
    try:
        held = set(own_files(case.dossier))
        if missing := names - held:
            raise CheckFailed(f"{min(missing)} is listed, but not in the dossier")
        if added := held - names:
            raise CheckFailed(f"{min(added)} is in the dossier, but not listed")
        for name, listed in zip(case.listing.names, case.listing.proofs, strict=True):
            if sha256(case.dossier.loose[name]).digest() != listed.file:
                raise CheckFailed(f"{name} is another file than the list names")
    except CheckFailed as error:
        return Row("V15", LIST_TITLE, Status.FAILED, str(error))
    reason = f"{len(names)} proofs; that none is missing is the word of whoever made the list"
    return Row("V15", LIST_TITLE, Status.PASSED, reason)


def _members(case: CaseEvidence, trust: Trust) -> Iterator[Member]:
    for number in range(1, len(case.listing.proofs) + 1):
        try:
            proof = case.proof(number)
        except (CheckFailed, Unreadable) as error:
            yield Member(number, Status.FAILED, str(error))
            continue
        yield member_of(number, proof, verify_proof(proof, trust))


def member_of(number: int, proof: Proof, report: Report) -> Member:
    """The line on a proof of which `report` is the whole verification (SPEC §11.7, V18)."""
    status, reason = _outcome(report)
    record = sha256(proof.record.to_bytes()).hexdigest()
    if not report.facts:
        return Member(number, status, reason, record=record)
    passed = [fact for fact in report.witnesses if fact.status is Status.PASSED]
    claims = report.facts["claims"]
    sender = [box["address"] or box["name"] for box in claims.get("header.from", [])]
    return Member(
        number,
        status,
        reason,
        existed_by=report.existed_by,
        weak=bool(passed) and all(fact.caution for fact in passed),
        record=record,
        kind=report.facts["kind"],
        received_at=report.facts["received_at"],
        subject=next(iter(claims.get("header.subject", [])), "")[:_CLIPPED],
        sender=", ".join(sender[:3])[:_CLIPPED],
        hidden=report.facts["hidden_or_decoys"],
    )


def _outcome(report: Report) -> tuple[Status, str]:
    """Passed if the proof by itself would end with 0; as a linked proof is judged (SPEC §9.3)."""
    if report.exit_status == 0:
        return Status.PASSED, ""
    worst = Status.FAILED if report.failed else Status.NOT_CHECKED
    row = next((row for row in report.rows if row.status is worst), None)
    if row is None:
        return Status.NOT_CHECKED, "no witness yet"
    subject = f" [{row.subject}]" if row.subject else ""
    return worst, f"{row.number} {row.title}{subject}: {row.reason}"

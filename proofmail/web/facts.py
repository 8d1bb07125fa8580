"""What is known of a record, for the API and the page alike: the stored row, the proof put together
from it, and the report of the very verification that an auditor would run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from proofmail.core.canonical import Json, format_time
from proofmail.core.claims import lookup
from proofmail.core.proof import Batch, Proof
from proofmail.errors import Refused
from proofmail.store.engine import Store
from proofmail.store.labels import of_records
from proofmail.store.pages import count_thread
from proofmail.store.proofs import assemble
from proofmail.store.records import StoredRecord, get_record, receipts_of
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Report, Status, WitnessFact
from proofmail.verify.trust import Trust
from proofmail.web import shapes

_ID = re.compile(r"[a-z0-9]{1,64}\Z", re.ASCII)


@dataclass(frozen=True)
class Step:
    """A point of the way from reception to finality. `at` is None while it lies ahead, and for
    finality, of which no witness tells a time."""

    name: str
    done: bool
    at: datetime | None = None


@dataclass(frozen=True)
class RecordFacts:
    """`proof` and `report` are None once the record was erased."""

    row: StoredRecord
    linked: tuple[StoredRecord, ...]
    proof: Proof | None
    report: Report | None
    labels: tuple[str, ...] = ()
    thread_mails: int = 0
    """How many recorded mails its thread has, with itself; 0 for what is no mail."""

    @property
    def claims(self) -> dict[str, Json]:
        """The claims as facts: empty when the record was erased or does not verify."""
        found: dict[str, Json] = self.report.facts.get("claims", {}) if self.report else {}
        return found

    @property
    def final(self) -> bool:
        """Whether both witnesses have spoken for good: only then is a dossier not provisional."""
        return self.row.state == "final" and self.row.stamped

    @property
    def partly_stamped(self) -> bool:
        """Whether it has a token, and the operator asks for more."""
        return not self.row.stamped and self.proof is not None and bool(self.proof.tokens)

    @property
    def batches(self) -> tuple[Batch, ...]:
        found = self.proof.batches if self.proof else ()
        return tuple(batch for batch in found if isinstance(batch, Batch))

    @property
    def witnesses(self) -> tuple[WitnessFact, ...]:
        return self.report.witnesses if self.report else ()

    @property
    def steps(self) -> tuple[Step, ...]:
        state = self.row.state
        stamp = _time_of("rfc3161", self.witnesses)
        anchor = _time_of("evm", self.witnesses)
        closed = self.batches[0].header.closed_at if self.batches else None
        return (
            Step("received", True, self.row.received_at),
            Step("stamped", self.row.stamped, stamp if self.row.stamped else None),
            Step("batched", state in ("batched", "anchored", "final"), closed),
            Step("anchored", state in ("anchored", "final"), anchor),
            Step("final", state == "final"),
        )


def _time_of(kind: str, witnesses: tuple[WitnessFact, ...]) -> datetime | None:
    """The earliest witness of this kind that did not fail."""
    times = [w.time for w in witnesses if w.kind == kind and w.status is not Status.FAILED]
    return min(times, default=None)


def find_row(store: Store, organisation: str, record_id: str) -> StoredRecord:
    """The record, if it is this organisation's; Refused as if it did not exist otherwise."""
    row = get_record(store, organisation, record_id) if _ID.match(record_id) else None
    if row is None:
        raise Refused("there is no such record", enhanced="5.1.1")
    return row


def gather(store: Store, trust: Trust, organisation: str, record_id: str) -> RecordFacts:
    """All of a record of this organisation; Refused for any other."""
    row = find_row(store, organisation, record_id)
    linked = tuple(receipts_of(store, organisation, record_id))
    if row.erased_at is not None:
        return RecordFacts(row, linked, None, None)
    proof = assemble(store, organisation, record_id, trust.lists)
    with store.read() as connection:
        labels = of_records(connection, [row.sequence]).get(row.sequence, ())
        mails = count_thread(connection, organisation, row.id) if row.kind == "message" else 0
    return RecordFacts(row, linked, proof, verify_proof(proof, trust), labels, mails)


# --- the API's shapes ----------------------------------------------------------------------


def record_row(row: StoredRecord) -> shapes.RecordRow:
    return shapes.RecordRow.model_validate(_row(row))


def record_detail(facts: RecordFacts) -> shapes.RecordDetail:
    report = facts.report.to_json() if facts.report else {}
    return shapes.RecordDetail.model_validate(
        {
            **_row(facts.row),
            "log": facts.row.log,
            "record_sha256": sha256(facts.row.record).hexdigest(),
            "labels": list(facts.labels),
            "verdict": report.get("verdict"),
            "existed_by": report.get("existed_by") or None,
            "claims": [
                {"name": name, "source": lookup(name).source, "value": value}
                for name, value in sorted(facts.claims.items(), key=claim_order)
            ],
            "receipts": [_row(row) for row in facts.linked if row.kind == "receipt"],
            "addenda": [_row(row) for row in facts.linked if row.kind != "receipt"],
            "witnesses": report.get("witnesses", []),
            "batches": [
                {
                    "log": batch.header.log,
                    "sequence": batch.header.sequence,
                    "count": batch.header.count,
                    "closed_at": format_time(batch.header.closed_at),
                    "index": batch.index,
                }
                for batch in facts.batches
            ],
            "timeline": [
                {"step": s.name, "done": s.done, "at": format_time(s.at) if s.at else None}
                for s in facts.steps
            ],
            "checks": report.get("rows", []),
        }
    )


def claim_order(item: tuple[str, Json]) -> tuple[str, int]:
    """By name, numbered claims by their number."""
    stem, _, number = item[0].rpartition(".")
    return (stem, int(number)) if number.isdigit() else (item[0], 0)


def _row(row: StoredRecord) -> dict[str, Json]:
    found: dict[str, Json] = {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "stamped": row.stamped,
        "received_at": format_time(row.received_at),
        "receipt_of": row.in_reply_id,
        "erased_at": format_time(row.erased_at) if row.erased_at else None,
    }
    if row.summary:
        found |= {
            "subject": row.summary.subject,
            "sender": row.summary.sender,
            "recipients": [text for text in row.summary.recipients.split(", ") if text],
            "recipients_count": row.summary.recipients_count,
            "attachments": row.summary.attachments,
        }
    return found

"""The scanner: any bytes, in any chunks, give the same claims, and a record that reads back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from proofmail.core import scan as scan_module
from proofmail.core.claims import check_claim
from proofmail.core.mapping import mail_claims
from proofmail.core.proof import Proof, Signature, read_proof
from proofmail.core.record import check_commitment, make_record
from proofmail.core.scan import Scan, Scanner, scan
from proofmail.verify.copies import Copy, judge_mail
from proofmail.verify.report import Status
from tests.fuzz.mutation import mutated
from tests.fuzz.sources import mails, real_mails

__all__ = ["check", "mutated", "recorded", "seeds"]

_SINGLE_BYTES_MAX = 512
_SEVENS_MAX = 2_048
_MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
MOST_BYTES = 2_048


def seeds() -> Iterator[bytes]:
    yield from mails()
    yield from real_mails()


def check(data: bytes) -> None:
    """The last byte says how the rest is cut once more."""
    chosen, message = (data[-1] if data else 0), data
    whole = scan(message)
    sizes = [1 + chosen * chosen]
    if len(message) <= _SEVENS_MAX:
        sizes.append(7)
    if len(message) <= _SINGLE_BYTES_MAX:
        sizes.append(1)
    with _ungathered():
        for size in sizes:
            found = in_chunks(message, size)
            assert found == whole, f"other claims in chunks of {size}"
    claims = recorded(whole)
    report = judge_mail(Copy("same.eml", lambda: [message]), claims)
    assert report.status is Status.PASSED, "a mail is not its own copy"
    assert report.finding.key == "same.bytes"


def recorded(found: Scan) -> dict[str, object]:
    """The claims as intake makes them, through a record and back from its proof file."""
    claims = mail_claims(found)
    claims["defects"] = claims["defects"][:200]
    claims["authentication"] = {"checks": [], "sender": "none"}
    kind = "receipt" if "receipt.report" in claims else "message"
    for name, value in claims.items():
        check_claim(kind, name, value)
    made = make_record(kind, "fuzz/1", _MOMENT, claims, bytes(32))
    proof = Proof(made.record, made.entries, Signature(bytes(32), b""))
    back = read_proof(proof.to_bytes())
    assert back == proof, "the proof reads back as another"
    check_commitment(back.record, back.entries)
    assert back.claims == claims, "the claims read back as others"
    return claims


def in_chunks(message: bytes, size: int) -> Scan:
    scanner = Scanner()
    for start in range(0, len(message), size):
        scanner.feed(message[start : start + size])
    return scanner.finish()


@contextlib.contextmanager
def _ungathered() -> Iterator[None]:
    """Small chunks go through as they are, instead of being gathered first."""
    before, scan_module._GATHER_BYTES = scan_module._GATHER_BYTES, 1
    try:
        yield
    finally:
        scan_module._GATHER_BYTES = before

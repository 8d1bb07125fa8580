"""The scanner: a message in, its fingerprints and claims out, in one pass (SPEC §3).

    scanner = Scanner()
    for chunk in chunks:
        scanner.feed(chunk)
    scan = scanner.finish()

Memory does not grow with the message. The result depends on the bytes alone, not on how they
were cut into chunks, on the machine or on the time.
"""

from __future__ import annotations

from hashlib import sha256

from proofmail.core.addresses import mailboxes
from proofmail.core.dates import date_value
from proofmail.core.headers import (
    Fields,
    clean_text,
    first_message_id,
    linked_ids,
    note_duplicates,
    occurrences,
)
from proofmail.core.links import counted
from proofmail.core.mime import Findings, Structure
from proofmail.core.model import Fingerprint, Mailbox, Part, Report, Scan
from proofmail.core.relaxed import Relaxed

__all__ = ["Fingerprint", "Mailbox", "Part", "Report", "Scan", "Scanner", "scan"]

_GATHER_BYTES = 16_384
_SLICE_BYTES = 65_536


class Scanner:
    """Takes a message as on the wire, dots un-stuffed; lines end in CRLF, or in LF alone."""

    def __init__(self) -> None:
        self._findings = Findings()
        self._structure = Structure(self._findings)
        self._size_bytes = 0
        self._sha256 = sha256()
        self._relaxed = Relaxed()
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._finished = False

    def feed(self, chunk: bytes) -> None:
        """Any size. Small chunks are gathered, so that a peer who sends single bytes costs no
        more than one who does not."""
        if self._finished:
            raise RuntimeError("the scan is finished")
        self._gathered.append(bytes(chunk))
        self._gathered_bytes += len(chunk)
        if self._gathered_bytes >= _GATHER_BYTES:
            self._pass_on()

    def finish(self) -> Scan:
        """The result; call once."""
        if self._finished:
            raise RuntimeError("the scan is finished")
        self._pass_on()
        self._finished = True
        self._structure.finish()
        findings = self._findings
        defects = findings.defects
        parts = tuple(part for part in findings.parts if part is not None)
        report = findings.reports.best()
        if findings.exceeded is not None:
            # Only what came before the cap was seen, so nothing that was seen is claimed.
            parts, report, defects = (), None, {findings.exceeded}
            findings.links.clear()
        raw = Fingerprint("raw/1", self._size_bytes, self._sha256.digest(), None)
        fingerprints = raw, self._relaxed.finish()
        found = _scan(fingerprints, parts, report, self._structure.header, defects)
        return found._replace(links=counted(findings.links)) if findings.links else found

    def _pass_on(self) -> None:
        data = b"".join(self._gathered)
        self._gathered, self._gathered_bytes = [], 0
        self._size_bytes += len(data)
        self._sha256.update(data)
        if len(data) <= _SLICE_BYTES:
            self._relaxed.feed(data)
            self._structure.feed(data)
            return
        for start in range(0, len(data), _SLICE_BYTES):
            piece = data[start : start + _SLICE_BYTES]
            self._relaxed.feed(piece)
            self._structure.feed(piece)


def scan(message: bytes) -> Scan:
    """A message that is at hand as a whole."""
    scanner = Scanner()
    scanner.feed(message)
    return scanner.finish()


def _scan(
    fingerprints: tuple[Fingerprint, ...],
    parts: tuple[Part, ...],
    report: Report | None,
    header: Fields | None,
    defects: set[str],
) -> Scan:
    if header is None:
        header = {}  # it was never read to its end, so nothing is missing from it
    else:
        defects |= {f"header.missing-{name}" for name in ("from", "date") if name not in header}
        note_duplicates(header, defects)
    return Scan(
        fingerprints=fingerprints,
        parts=parts,
        from_=mailboxes(header.get("from", ()), defects),
        to=mailboxes(header.get("to", ()), defects),
        cc=mailboxes(header.get("cc", ()), defects),
        subject=occurrences(header.get("subject", ()), clean_text, defects),
        date=occurrences(header.get("date", ()), date_value, defects),
        message_id=first_message_id(header),
        references=linked_ids(header, defects),
        receipt_requested="disposition-notification-to" in header,
        report=report,
        defects=tuple(sorted(defects)),
    )

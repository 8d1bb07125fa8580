"""Real mails: what another program saves as an attachment verifies against the proof.

The other program is Python's email package. Where it saves other bytes, the attachment is listed
in `attachments_that_differ.tsv`, by the mail's digest (of its bytes with CRLF line ends) and its
place among the attachments, with the reason; a new one, or one that is gone, is a failure.
"""

from __future__ import annotations

import email
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from proofmail.verify.containers import judge
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.report import Status

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
LISTED = Path(__file__).with_name("attachments_that_differ.tsv")
REASONS = {
    "base64-after-padding": "data stands behind the padding of its base64",
    "base64-bent": "its base64 holds other characters, or ends within a byte",
    "cr-line-ends": "lines end in CR alone, which the other program takes for line ends",
    "header-bent": "a line of the header is no field, and programs differ on where it ends",
}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of real messages is absent")


def mails() -> Iterator[bytes]:
    """With the line ends of the wire (SPEC §3.1.1)."""
    for line in (CORPUS / "manifest.tsv").read_text().splitlines()[1:]:
        data = (CORPUS / line.split("\t")[0]).read_bytes()
        yield data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def saved(mail: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each attachment, as a program saves them."""
    for part in email.message_from_bytes(mail).walk():
        named = part.get_filename() or part.get_content_disposition() == "attachment"
        if named and not part.is_multipart():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            yield str(part.get_filename() or "attachment"), payload


def test_every_saved_attachment_verifies_but_those_listed() -> None:
    rows = [line.split("\t") for line in LISTED.read_text().splitlines()[1:]]
    assert {reason for *_, reason in rows} == set(REASONS)
    differing: set[tuple[str, str]] = set()
    total = 0
    for mail in mails():
        files = list(saved(mail))
        claims = mail_claims(scan(mail)) if files else {}
        for number, (name, data) in enumerate(files, 1):
            total += 1
            report = judge(Copy(name, lambda data=data: [data]), claims)  # type: ignore[misc]
            rungs = [match.rung for match in report.matches]
            if (report.what, report.status, rungs) != ("file", Status.PASSED, ["decoded/1"]):
                differing.add((sha256(mail).hexdigest()[:16], str(number)))
            assert (
                judge(Copy(name, lambda data=data: [data, b"x"]), claims).status
                is not Status.PASSED
            )  # type: ignore[misc]
    assert differing == {(digest, number) for digest, number, _ in rows}
    print(f"{total - len(differing)} of {total} attachments verify")
    assert total > 1_200

"""Real messages: every one scans, for any chunks, and decodes as Python's email package does."""

import email
import hashlib
from collections import Counter
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from proofmail.core import scan as scan_module
from proofmail.core.scan import Scan, Scanner, scan

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
BROKEN = ("header.content-type", "header.no-separator", "structure.", "transfer.")
HARMLESS = ("structure.preamble", "structure.epilogue")

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of real messages is absent")


def messages() -> Iterator[bytes]:
    lines = (CORPUS / "manifest.tsv").read_text().splitlines()[1:]
    for line in lines:
        data = (CORPUS / line.split("\t")[0]).read_bytes()
        yield data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def in_chunks(message: bytes, size: int) -> Scan:
    scanner = Scanner()
    for start in range(0, len(message), size):
        scanner.feed(message[start : start + size])
    return scanner.finish()


def test_any_chunks_give_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    wholes = [(message, scan(message)) for message in messages()]
    monkeypatch.setattr(scan_module, "_GATHER_BYTES", 1)
    for message, whole in wholes:
        assert in_chunks(message, 4_096) == whole
        if len(message) < 20_000:
            assert in_chunks(message, 7) == whole
        if len(message) < 1_000:
            assert in_chunks(message, 1) == whole


def leaves(message: "Message[str, str]") -> Iterator[bytes]:
    """Decoded leaves; of message/* only enclosed messages are taken apart, as in SPEC §3.2."""
    if not message.is_multipart():
        payload = message.get_payload(decode=True)
        yield hashlib.sha256(payload if isinstance(payload, bytes) else b"").digest()
    elif message.get_content_maintype() != "message" or message.get_content_type() in (
        "message/rfc822",
        "message/global",
    ):
        for child in message.get_payload():
            if isinstance(child, Message):
                yield from leaves(child)


def is_well_formed(message: bytes, found: Scan) -> bool:
    """Python takes a lone CR for a line end, so such messages are no measure."""
    return b"\r" not in message.replace(b"\r\n", b"") and not any(
        defect.startswith(BROKEN) and defect not in HARMLESS for defect in found.defects
    )


def test_leaves_decode_as_in_the_email_package() -> None:
    total, equal = Counter[bool](), Counter[bool]()
    for message in messages():
        found = scan(message)
        ours = Counter(part.fingerprints[0].sha256 for part in found.parts)
        well_formed = is_well_formed(message, found)
        for digest in leaves(email.message_from_bytes(message)):
            total[well_formed] += 1
            if ours[digest]:
                ours[digest] -= 1
                equal[well_formed] += 1
    print(f"well-formed: {equal[True]} of {total[True]}, others: {equal[False]} of {total[False]}")
    assert total[True] > 2_000
    assert equal[True] >= 0.99 * total[True]
    assert sum(equal.values()) >= 0.90 * sum(total.values())


def test_most_html_is_eligible() -> None:
    total, eligible = Counter[str](), Counter[str]()
    reasons = Counter[str]()
    for message in messages():
        for part in scan(message).parts:
            rules = [item.rule for item in part.fingerprints]
            if part.type in ("text/plain", "text/html"):
                assert ("words/1" in rules) <= ("text/1" in rules)
            if part.type == "text/html":
                total[part.role] += 1
                eligible[part.role] += "html-text/1" in rules
                reasons.update(note for note in part.notes if not note.startswith("transfer."))
    print(f"text/html eligible: {eligible.total()} of {total.total()}; {reasons.most_common()}")
    assert total.total() > 400
    assert eligible.total() > 0.6 * total.total()

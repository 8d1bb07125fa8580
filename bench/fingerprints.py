"""A mail fingerprinted, all rungs and digests, against Python's email package doing far less."""

from __future__ import annotations

import email
from hashlib import sha256

from bench.mails import mail
from bench.table import Row, versus
from bench.timing import alternate
from proofmail.core.scan import scan

MAILS = 150
LARGE_MAILS = 8
TURNS, LARGE_TURNS = 61, 15
"""A turn of small mails takes some 30 ms; a shared machine's speed changes within a second."""


def run() -> list[Row]:
    plain = [mail(10_000, number) for number in range(MAILS)]
    rich = [mail(10_000, number, html=True) for number in range(MAILS)]
    large = [mail(1_000_000, number) for number in range(LARGE_MAILS)]
    return [
        _compare("10 KB mail, 3 attachments, fingerprinted", plain, (3.0, 1.5)),
        _compare("  the same with an HTML body too", rich),
        _compare("  1 MB mail, 3 attachments", large, turns=LARGE_TURNS),
    ]


def _compare(
    what: str, mails: list[bytes], goal: tuple[float, float] | None = None, turns: int = TURNS
) -> Row:
    if not all(len(scan(one).parts) == len(digests(one)) for one in mails):
        raise RuntimeError("the two sides see different parts")

    def ours() -> int:
        for one in mails:
            scan(one)
        return len(mails)

    def peer() -> int:
        for one in mails:
            digests(one)
        return len(mails)

    return versus(what, *alternate(ours, peer, turns), "mails/s", goal)


def digests(mail_bytes: bytes) -> list[bytes]:
    """The peer: parsed under the compat32 policy, each part decoded, SHA-256 of it."""
    message = email.message_from_bytes(mail_bytes)
    found = []
    for part in message.walk():
        if not part.is_multipart():
            data = part.get_payload(decode=True)
            if not isinstance(data, bytes):
                raise TypeError("a part without bytes")
            found.append(sha256(data).digest())
    return found

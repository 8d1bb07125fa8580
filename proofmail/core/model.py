"""What the scanner says about a message: plain values (SPEC §3)."""

from __future__ import annotations

from typing import NamedTuple


class Fingerprint(NamedTuple):
    """A rule's result: how many bytes it made, and their digests. `sha3_256` is None for the
    rules on the whole message, which need no second algorithm (SPEC §3.1)."""

    rule: str
    size_bytes: int
    sha256: bytes
    sha3_256: bytes | None


class File(NamedTuple):
    """A file inside a part that wraps several (SPEC §3.18)."""

    name: str | None
    size_bytes: int
    sha256: bytes
    sha3_256: bytes


class Part(NamedTuple):
    """A leaf of the MIME tree. `notes` are names from the closed list in SPEC §3.9; what
    follows them is told in §3.16 and §3.18."""

    path: str
    role: str
    type: str
    charset: str | None
    name: str | None
    fingerprints: tuple[Fingerprint, ...]
    notes: tuple[str, ...]
    content_id: bytes | None = None
    content_location: bytes | None = None
    images: tuple[int, ...] = ()
    files: tuple[File, ...] = ()


class Mailbox(NamedTuple):
    """One address. An empty `address` means that `name` is a group's name or unreadable text."""

    address: str
    name: str


class Report(NamedTuple):
    """A read receipt ("mdn", RFC 8098) or delivery report ("dsn", RFC 3464) found in a message;
    `form` is "direct", "attached" or "inline"."""

    kind: str
    form: str
    original_message_id: str | None
    final_recipient: str | None
    disposition: str | None


class Scan(NamedTuple):
    """All that a scan leaves behind; nothing of the content but what is named here.

    `parts` is empty when a cap on the structure was exceeded, and the defects then say which.
    """

    fingerprints: tuple[Fingerprint, ...]
    parts: tuple[Part, ...]
    from_: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    subject: tuple[str, ...]
    date: tuple[str, ...]
    message_id: str | None
    references: tuple[str, ...]
    receipt_requested: bool
    report: Report | None
    defects: tuple[str, ...]
    links: tuple[tuple[str, int], ...] = ()

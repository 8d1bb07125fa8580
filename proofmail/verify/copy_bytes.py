"""A copy's bytes: read afresh at every call, and with the line ends of the wire (SPEC §3.1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from proofmail.core.scan import Scan, Scanner

_LONE_LINE_FEED = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True)
class Copy:
    """A copy by its name; `chunks` reads its bytes afresh at every call."""

    name: str
    chunks: Callable[[], Iterable[bytes]]


def scanned(chunks: Iterable[bytes]) -> Scan:
    scanner = Scanner()
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.finish()


def bare_line_ends(chunks: Iterable[bytes]) -> tuple[bool, bool]:
    """Whether a CR, and whether a LF, stands outside a CRLF. Programs save mails with LF."""
    last = b""
    returns = feeds = pairs = 0
    for chunk in chunks:
        returns += chunk.count(b"\r")
        feeds += chunk.count(b"\n")
        pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        last = chunk[-1:] or last
    return returns != pairs, feeds != pairs


def with_crlf(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, every lone LF as CRLF (SPEC §3.1.1); a chunk may end within a CRLF."""
    last = b""
    for chunk in chunks:
        if not chunk:
            continue
        whole = last == b"\r" and chunk[:1] == b"\n"
        last = chunk[-1:]
        yield chunk[:whole] + _LONE_LINE_FEED.sub(b"\r\n", chunk[whole:])

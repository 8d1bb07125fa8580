"""`body-relaxed/1`: a message's body as DKIM's relaxed canonicalisation sees it (RFC 6376 §3.4.4;
SPEC §3.11). Takes the message in pieces, and holds back at most three bytes.

By `replace` alone, where two searches for a fixed octet say that there is something to replace:
a regular expression over every line costs thirty times as much.
"""

from __future__ import annotations

import re
from hashlib import sha256

from proofmail.core.model import Fingerprint

# Both begin with the octet itself: that is what makes the search fast.
_LONE_LINE_FEED = re.compile(rb"\n(?<!\r\n)")
_SPARE_BLANK = re.compile(rb" (?: |\r\n)")
_LINE_ENDS = b"\r\n" * 32_768


class Relaxed:
    """The rule for one message."""

    def __init__(self) -> None:
        self._in_header = True
        self._header_tail = b"\n"
        self._open = b""
        self._line_ends = 0
        self._size_bytes = 0
        self._sha256 = sha256()

    def feed(self, data: bytes) -> None:
        if self._in_header:
            data = self._skip_header(data)
        if data:
            self._body(self._open + data)

    def finish(self) -> Fingerprint:
        if b"\r" in self._open:  # with nothing behind it, an ordinary octet
            self._content(self._open)
        if self._size_bytes:
            self._put(b"\r\n")
        return Fingerprint("body-relaxed/1", self._size_bytes, self._sha256.digest(), None)

    def _skip_header(self, data: bytes) -> bytes:
        """What follows the first empty line; a line feed stands before the message's start."""
        data = self._header_tail + data
        end = data.find(b"\n\r\n")
        lone = data.find(b"\n\n", 0, end + 1 if end >= 0 else len(data))
        if end < 0 and lone < 0:
            self._header_tail = data[-2:]
            return b""
        self._in_header = False
        return data[lone + 2 :] if lone >= 0 else data[end + 3 :]

    def _body(self, data: bytes) -> None:
        if _LONE_LINE_FEED.search(data) is not None:
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if b"\t" in data:
            data = data.replace(b"\t", b" ")
        if _SPARE_BLANK.search(data) is not None:
            while b"  " in data:
                data = data.replace(b"  ", b" ")
            data = data.replace(b" \r\n", b"\r\n")
        closed = data.removesuffix(b"\r").removesuffix(b" ")
        self._open = data[len(closed) :]
        content = closed[: _content_end(closed)]
        if content:
            self._content(content)
        self._line_ends += (len(closed) - len(content)) // 2

    def _content(self, content: bytes) -> None:
        """What stands here is no empty line, so those before it are not the last ones."""
        while self._line_ends:
            count = min(self._line_ends, len(_LINE_ENDS) // 2)
            self._line_ends -= count
            self._put(_LINE_ENDS[: 2 * count])
        self._put(content)

    def _put(self, data: bytes) -> None:
        self._size_bytes += len(data)
        self._sha256.update(data)


def _content_end(data: bytes) -> int:
    """Where the CRLFs at the end begin; a CR without LF is content."""
    if data.endswith(b"\r"):
        return len(data)
    start = len(data.rstrip(b"\r\n"))
    lone = data.rfind(b"\r\r", start)
    return start if lone < 0 else lone + 1

"""mbox files: many messages in one file, each behind a line that begins with `From ` (RFC 4155).

The dialects differ in how they keep such a line inside a message apart: mboxo and mboxrd put `>`
before it, mboxcl does or does not, and none says which it is. So a message is given as it is
stored, and `Unescaper` takes one `>` away; whoever compares tries both.

Streams: memory does not grow with the file, nor with a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from proofmail.verify.copy_bytes import with_crlf

_FIELD = rb"(?=[!-9;-~]{1,200}[ \t]{0,8}:|>From )"
_START = re.compile(rb"From [^\n]{0,1000}\n" + _FIELD)
_SEPARATOR = re.compile(rb"\r\n\r\n(From [^\n]{0,1000}\n)" + _FIELD)
"""An empty line, the line that begins with `From `, and what a header begins with: a line of a
text that only looks like a separator is seldom followed by a field."""
_DATED = re.compile(
    rb"From [^\n]{0,900}\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
    rb" (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    rb" [ 0-3]?[0-9] [0-2]?[0-9]:[0-9]{2}(?::[0-9]{2})?(?: [^\n]{0,40})? [0-9]{4}[ \t\r]*\n"
)
"""A separator by RFC 4155, Appendix A."""
_MARKED = re.compile(rb"(?<=\n)>(?=>*From )")
_MARKED_START = re.compile(rb">+From ")
_HELD_BYTES = 1_300
"""Longer than any separator with what is looked at behind it."""
_LINE_HELD_BYTES = 1_000


def is_mbox(start: bytes) -> bool:
    """Whether a file that begins so (2,000 bytes suffice) is an mbox."""
    return bool(_START.match(start))


def messages(chunks: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """The messages of an mbox in turn, each in pieces, with CRLF line ends.

    A message ends before the empty line that the next separator, or the end of the file, has
    before it. Its pieces can be read once, and only until the next message is asked for.
    """
    events = _events(chunks)
    begun = next(events, b"") is None

    def pieces() -> Iterator[bytes]:
        nonlocal begun
        begun = False
        for event in events:
            if event is None:
                begun = True
                return
            yield event

    while begun:
        current = pieces()
        yield current
        for _ in current:  # what the caller left unread
            pass


def _events(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """None where a message begins; else content."""
    stream = with_crlf(chunks)
    buffer = b""
    for chunk in stream:
        buffer += chunk
        if len(buffer) > _HELD_BYTES:
            break
    first = _START.match(buffer)
    if first is None:
        return
    yield None
    position, ended = first.end(), False
    while not ended:
        for separator in _SEPARATOR.finditer(buffer, position):
            if not _separates(separator[1], first[0]):
                continue  # where others read on, what stands behind it belongs to the message
            yield buffer[position : separator.start() + 2]
            yield None
            position = separator.end()
        more = next(stream, None)
        ended = more is None
        # A separator that begins before `safe` would have been found.
        safe = len(buffer) if ended else max(len(buffer) - _HELD_BYTES, position)
        content, buffer, position = buffer[position:safe], buffer[safe:] + (more or b""), 0
        yield content[:-2] if ended and content.endswith(b"\r\n\r\n") else content


def _separates(line: bytes, first: bytes) -> bool:
    """Whether every reader who takes the file for an mbox at all begins a message there: many ask
    for a date, some for `From ` alone; then the file's own first line has none either."""
    return line == first or _DATED.match(line) is not None


class Unescaper:
    """Takes one `>` from each line that begins with `>From `, `>>From ` and so on (mboxrd)."""

    def __init__(self) -> None:
        self.found = False
        """Whether there was such a line so far."""
        self._held = b""
        self._line_begins = True

    def feed(self, piece: bytes) -> bytes:
        """What is certain by now: a last line that may yet turn out to be marked is held."""
        data = self._held + piece
        last = data.rfind(b"\n") + 1
        begins = last > 0 or self._line_begins
        held = begins and data[last : last + 1] == b">" and len(data) - last <= _LINE_HELD_BYTES
        cut = last if held else len(data)
        self._held = data[cut:]
        return self._unescape(data[:cut])

    def finish(self) -> bytes:
        data, self._held = self._held, b""
        return self._unescape(data)

    def _unescape(self, data: bytes) -> bytes:
        if not data:
            return data
        plain, count = _MARKED.subn(b"", data)
        if self._line_begins and _MARKED_START.match(data):
            plain, count = plain[1:], count + 1
        self.found = self.found or count > 0
        self._line_begins = data.endswith(b"\n")
        return plain


def unescaped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A stored message with one `>` taken from each marked line."""
    unescaper = Unescaper()
    for piece in pieces:
        yield unescaper.feed(piece)
    yield unescaper.finish()

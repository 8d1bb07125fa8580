"""The content of DATA: dots un-stuffed, its end found, its form judged. No input or output here.

Only CRLF.CRLF ends DATA (RFC 5321 §4.1.1.4). LF.LF, LF.CRLF, CRLF.LF and CR.CR do not, and a bare
CR or LF anywhere is a fault: a server that took one for a line's end would see other mails here
than the server before it (SMTP smuggling).
"""

from __future__ import annotations

import re

from smtp_gateway.limits import Limits
from smtp_gateway.replies import BARE_NEWLINE, LONG_TEXT_LINE, TOO_LARGE, Reply

CRLF = b"\r\n"
END = b"\r\n.\r\n"
_DOT = re.compile(rb"\r\n\.")
_GRAVEST_FIRST = (BARE_NEWLINE, TOO_LARGE, LONG_TEXT_LINE)


class DataReader:
    """Takes what comes after 354 in pieces cut anywhere.

    `done`: the end was seen, `rest` holds the bytes after it (the next commands). `fault`: what
    is wrong with it, for the reply at the final dot; the content is then of no further use. It is
    judged to its end all the same, so that the reply does not depend on how it was cut.
    `size_bytes` counts the content un-stuffed, without the final dot (RFC 1870 §5);
    `taken_bytes` counts what came over the wire.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # The CRLF of the DATA command itself makes a dot on the first line visible (RFC 5321
        # §4.1.1.4); it is no part of the content.
        self._held = CRLF
        self._skip = len(CRLF)
        self._line_bytes = 0
        self.size_bytes = 0
        self.taken_bytes = 0
        self.done = False
        self.rest = b""
        self._faults: set[Reply] = set()

    @property
    def fault(self) -> Reply | None:
        """The gravest so far."""
        if not self._faults:
            return None
        return next((fault for fault in _GRAVEST_FIRST if fault in self._faults), None)

    def push(self, chunk: bytes) -> bytes:
        """The next piece of content. What may be the beginning of CRLF.CRLF is held back."""
        self.taken_bytes += len(chunk)
        data = self._held + chunk
        # One search for both: the end, too, is a dot at the beginning of a line.
        dotted = _DOT.search(data) is not None
        end = data.find(END) if dotted else -1
        if end >= 0:
            self.done = True
            self._held = b""
            self.rest = data[end + len(END) :]
            self.taken_bytes -= len(self.rest)
            body = data[: end + len(CRLF)]
        else:
            body, self._held = _split_before_end(data)
        if not body:
            return b""
        # A held-back piece begins at its CR, so neither a CRLF nor a CRLF and its dot is ever cut.
        content = body.replace(b"\r\n.", CRLF) if dotted else body
        if self._skip:
            content, self._skip = content[self._skip :], 0
        self.size_bytes += len(content)
        self._judge(body)
        return content

    def _judge(self, body: bytes) -> None:
        lines = body.splitlines()  # at every CR, LF and CRLF, and at nothing else
        unfinished = 0 if body.endswith((b"\r", b"\n")) else len(lines[-1])
        ends = len(lines) - (unfinished > 0)
        # Every CR and every LF belongs to a CRLF exactly if each end of a line is two bytes long.
        if len(body) - len(b"".join(lines)) != len(CRLF) * ends:
            self._faults.add(BARE_NEWLINE)
        if self.size_bytes > self._limits.message_bytes:
            self._faults.add(TOO_LARGE)
        longest = self._line_bytes + len(lines[0])
        self._line_bytes = unfinished + (0 if ends else self._line_bytes)
        # The others are shorter than the piece; look only if that does not settle it.
        if len(body) > self._limits.line_bytes:
            longest = max(longest, *map(len, lines))
        if longest > self._limits.line_bytes:
            self._faults.add(LONG_TEXT_LINE)


def _split_before_end(data: bytes) -> tuple[bytes, bytes]:
    """Cuts off the longest tail that CRLF.CRLF could begin with."""
    for length in range(len(END) - 1, 0, -1):
        if data.endswith(END[:length]):
            return data[:-length], data[-length:]
    return data, b""

"""`decoded/1`: a part's content with its transfer encoding removed, piece by piece (SPEC §3.3).

The fast paths are the machine's; what they may be used for is decided here, byte by byte, and a
differential test holds them to the slow definition. Each leniency leaves a defect.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, a2b_qp, b2a_base64
from typing import Protocol

BLANK_RUN_MAX_BYTES = 65_536
"""A longer run of SP and TAB before a line end is kept as content: it could not be held back."""

_WHITE = b" \t\r\n"
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_NOT_REGULAR = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n)")
# It begins with the octet itself: that is what makes the search fast.
_TRAILING_BLANK = re.compile(rb"\n(?:(?<=[ \t]\n)|(?<=[ \t]\r\n))")
_HEX = b"0123456789ABCDEFabcdef"
_PAIRS = {bytes((a, b)): bytes((int(bytes((a, b)), 16),)) for a in _HEX for b in _HEX}


class Decoder(Protocol):
    """Takes content in pieces of any size; the joined answers do not depend on the pieces."""

    defects: set[str]

    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


def decoder(encoding: str) -> Decoder:
    """For a Content-Transfer-Encoding, lower case; unknown ones are left as they are (§3.3)."""
    if encoding == "base64":
        return Base64()
    if encoding == "quoted-printable":
        return QuotedPrintable()
    known = encoding in ("", "7bit", "8bit", "binary")
    return Identity(set() if known else {"transfer.unknown"})


class Identity:
    """7bit, 8bit, binary, none, and whatever is unknown: content as on the wire."""

    def __init__(self, defects: set[str]) -> None:
        self.defects = defects

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class Base64:
    """RFC 2045 §6.8, lenient: foreign bytes are skipped, the first "=" ends the data."""

    def __init__(self) -> None:
        self.defects: set[str] = set()
        self._carry = b""
        self._ended = False
        self._pads = 0

    def feed(self, data: bytes) -> bytes:
        if self._ended:
            self._after_end(data)
            return b""
        data = data.translate(None, _WHITE)
        end = data.find(b"=")
        if end >= 0:
            self._ended = True
            self._after_end(data[end:])
            data = data[:end]
        return self._quanta(self._carry + data)

    def finish(self) -> bytes:
        left = self._carry
        if not left and not self._pads:
            return b""
        missing = (4 - len(left)) % 4
        if len(left) == 1:
            self.defects.add("transfer.base64-padding")
            return b""
        out = a2b_base64(left + b"=" * missing)
        if self._pads != missing or b2a_base64(out, newline=False)[: len(left)] != left:
            self.defects.add("transfer.base64-padding")
        return out

    def _quanta(self, data: bytes) -> bytes:
        whole = len(data) & ~3
        try:
            # Strict mode refuses every byte outside the alphabet; "=" cannot be here any more.
            out = a2b_base64(data[:whole], strict_mode=True)
        except Error:
            out = b""
            whole = 0
        rest = data[whole:]
        if not rest:
            self._carry = b""
            return out
        clean = rest.translate(None, _NOT_BASE64)
        if len(clean) != len(rest):
            self.defects.add("transfer.base64-foreign")
        whole = len(clean) & ~3
        self._carry = clean[whole:]
        return out + a2b_base64(clean[:whole])

    def _after_end(self, data: bytes) -> None:
        self._pads += data.count(b"=")
        if data.translate(None, _WHITE + b"="):
            self.defects.add("transfer.base64-after-padding")


class QuotedPrintable:
    """RFC 2045 §6.7, lenient: a malformed "=" stays as it is."""

    def __init__(self) -> None:
        self.defects: set[str] = set()
        self._held = b""
        self._in_long_run = False

    def feed(self, data: bytes) -> bytes:
        kept = b""
        if self._in_long_run:
            rest = data.lstrip(b" \t")
            kept = data[: len(data) - len(rest)]
            if not rest:
                return kept
            self._in_long_run = False
            data = rest
        data = self._held + data
        cut = _settled(data)
        self._held = data[cut:]
        if len(self._held) > BLANK_RUN_MAX_BYTES:
            return kept + self._decode(data[:cut]) + self._release_long_run()
        return kept + self._decode(data[:cut])

    def finish(self) -> bytes:
        held = self._held.rstrip(b" \t")
        if self._held.endswith(b"\r"):
            held = self._held
        if held == b"=":
            # A soft break with nothing to join: RFC 2045 §6.7 (3) forbids it.
            self.defects.add("transfer.qp-malformed")
            return b""
        return self._decode(held)

    def _release_long_run(self) -> bytes:
        """The held run turned out too long to be dropped: it is content, and so is an "=" before
        it. A held CR is not part of the run."""
        held = self._held
        run = held.removesuffix(b"\r")
        equals = run.startswith(b"=")
        if len(run) - equals <= BLANK_RUN_MAX_BYTES:
            return b""
        if equals:
            self.defects.add("transfer.qp-malformed")
        self._held = held[len(run) :]
        self._in_long_run = not self._held
        return run

    def _decode(self, data: bytes) -> bytes:
        if _TRAILING_BLANK.search(data) is not None:
            data = self._without_trailing_blanks(data)
        if b"=" not in data:
            return data
        if _NOT_REGULAR.search(data) is None:
            return a2b_qp(data)
        self.defects.add("transfer.qp-malformed")
        first, *rest = data.split(b"=")
        out = [first]
        for piece in rest:
            byte = _PAIRS.get(piece[:2])
            if byte is not None:
                out += (byte, piece[2:])
            elif piece.startswith((b"\n", b"\r\n")):
                out.append(piece[2 if piece[:1] == b"\r" else 1 :])
            else:
                out += (b"=", piece)
        return b"".join(out)

    def _without_trailing_blanks(self, data: bytes) -> bytes:
        lines = data.split(b"\n")
        last = lines.pop()
        out = []
        for line in lines:
            end = b"\r\n" if line.endswith(b"\r") else b"\n"
            text = line[: len(line) + 1 - len(end)]
            bare = text.rstrip(b" \t")
            if len(text) - len(bare) > BLANK_RUN_MAX_BYTES:
                bare = text
            elif len(bare) < len(text) and bare.endswith(b"=\r"):
                # Blanks stood between this CR and the LF: they are no line end together.
                self.defects.add("transfer.qp-malformed")
                bare = bare[:-2] + b"=3D\r"
            out.append(bare + end)
        out.append(last)
        return b"".join(out)


def _settled(data: bytes) -> int:
    """How much of the data can be decoded whatever follows: not a trailing run of SP and TAB
    (with a CR behind it), nor an "=" whose meaning is open."""
    text = data.removesuffix(b"\r")
    bare = text.rstrip(b" \t")
    if bare.endswith(b"="):
        return len(bare) - 1
    if len(bare) == len(data) and data[-2:-1] == b"=":
        return len(data) - 2
    return len(bare)

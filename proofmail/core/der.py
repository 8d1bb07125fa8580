"""A strict reader and a small writer of DER (X.690), as far as CMS and RFC 3161 need it.

The reader accepts definite lengths in their shortest form, tags of one octet (numbers 0 to 30),
minimal INTEGERs and OBJECT IDENTIFIERs, BOOLEANs of 00 or FF, and nothing behind the last element.
Two rules of DER are not asked for on reading, because they sit inside bytes that are either signed
as they stand or judged by nobody: the order of a SET OF, and the omission of DEFAULT values.
The writer always keeps both. Everything that is not so is Unreadable.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from proofmail.errors import Unreadable

MAX_BYTES = 1 << 20
MAX_DEPTH = 24
MAX_INTEGER_BYTES = 64
MAX_OID_BYTES = 64

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
UTF8_STRING = 0x0C
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

NULL_DER = b"\x05\x00"

_TIME = re.compile(rb"([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z")


def context(number: int, *, constructed: bool = True) -> int:
    """The identifier octet of the context-specific tag [number]."""
    return (0xA0 if constructed else 0x80) | number


class Reader:
    """A cursor over the elements of one level; `enter` gives a cursor over the level below.

    Each method named for a type takes the next element, which must carry the tag given (the type's
    own unless it is retagged by IMPLICIT), and returns its value. All raise Unreadable.
    """

    __slots__ = ("_at", "_data", "_depth", "_end")

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise Unreadable("DER: larger than 1 MiB")
        self._data, self._at, self._end, self._depth = data, 0, len(data), 0

    def _next(self, tag: int | None) -> tuple[int, int]:
        """The bounds of the next element's content; moves behind the element."""
        data, at, end = self._data, self._at, self._end
        if at + 2 > end:
            raise Unreadable("DER: an element is missing or cut short")
        found = data[at]
        if tag is not None and found != tag:
            raise Unreadable(f"DER: tag {found:02x} where {tag:02x} is due")
        if found == 0 or found & 0x1F == 0x1F:
            raise Unreadable("DER: a tag that is not used here")
        length = data[at + 1]
        start = at + 2
        if length >= 0x80:  # X.690 §8.1.3.5, §10.1
            octets = length & 0x7F
            if octets == 0:
                raise Unreadable("DER: indefinite length")
            if octets > 3 or start + octets > end:
                raise Unreadable("DER: a length is out of bounds")
            start += octets
            length = int.from_bytes(data[at + 2 : start], "big")
            if length < 0x80 or length >> 8 * (octets - 1) == 0:
                raise Unreadable("DER: a length is not in its shortest form")
        if start + length > end:
            raise Unreadable("DER: an element is cut short")
        self._at = start + length
        return start, start + length

    def peek(self) -> int:
        """The identifier octet of the next element, 0 if there is none."""
        return self._data[self._at] if self._at < self._end else 0

    def done(self) -> None:
        """Asks that nothing follows on this level."""
        if self._at != self._end:
            raise Unreadable("DER: bytes left over")

    def raw(self, tag: int | None = None) -> bytes:
        """The next element whole, identifier and length included."""
        at = self._at
        _, stop = self._next(tag)
        return self._data[at:stop]

    def content(self, tag: int) -> bytes:
        start, stop = self._next(tag)
        return self._data[start:stop]

    def enter(self, tag: int = SEQUENCE) -> Reader:
        start, stop = self._next(tag)
        if self._depth >= MAX_DEPTH:
            raise Unreadable("DER: nested too deep")
        inner = Reader.__new__(Reader)
        inner._data, inner._at, inner._end = self._data, start, stop
        inner._depth = self._depth + 1
        return inner

    def integer(self, tag: int = INTEGER) -> int:
        content = self.content(tag)
        if not 0 < len(content) <= MAX_INTEGER_BYTES:
            raise Unreadable("DER: an INTEGER is empty or too large")
        if len(content) > 1:  # X.690 §8.3.2
            first = content[0] << 1 | content[1] >> 7
            if first in (0, 0x1FF):
                raise Unreadable("DER: an INTEGER is not in its shortest form")
        return int.from_bytes(content, "big", signed=True)

    def boolean(self, tag: int = BOOLEAN) -> bool:
        content = self.content(tag)
        if content not in (b"\x00", b"\xff"):  # X.690 §11.1
            raise Unreadable("DER: a BOOLEAN is neither 00 nor FF")
        return content == b"\xff"

    def oid(self, tag: int = OID) -> str:
        return _dotted(self.content(tag))

    def octets(self, tag: int = OCTET_STRING) -> bytes:
        return self.content(tag)

    def bits(self, tag: int = BIT_STRING) -> frozenset[int]:
        """The numbers of the bits set in a BIT STRING of at most 64 bits."""
        content = self.content(tag)
        if not 0 < len(content) <= 9 or content[0] > (7 if len(content) > 1 else 0):
            raise Unreadable("DER: a BIT STRING is malformed")
        unused, value = content[0], int.from_bytes(content[1:], "big")
        if value & ((1 << unused) - 1):  # X.690 §11.2.1
            raise Unreadable("DER: a BIT STRING is padded with ones")
        size = 8 * (len(content) - 1)
        return frozenset(n for n in range(size) if value >> (size - 1 - n) & 1)

    def time(self, tag: int = GENERALIZED_TIME) -> datetime:
        """A GeneralizedTime as RFC 3161 §2.4.2 has it: seconds present, Z, a fraction of at most
        nine digits without a trailing zero. Finer than microseconds is cut off."""
        match = _TIME.fullmatch(self.content(tag))
        if match is None:
            raise Unreadable("DER: a GeneralizedTime is not in its one form")
        digits = match[1]
        month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
        try:
            whole = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            raise Unreadable("DER: a GeneralizedTime names no moment") from None
        fraction = (match[2] or b"").decode()
        return whole + timedelta(microseconds=int(fraction.ljust(6, "0")[:6]))


def only(data: bytes, tag: int = SEQUENCE) -> Reader:
    """A cursor inside the one element that `data` must consist of."""
    reader = Reader(data)
    inner = reader.enter(tag)
    reader.done()
    return inner


@lru_cache(maxsize=512)
def _dotted(content: bytes) -> str:
    if not 0 < len(content) <= MAX_OID_BYTES or content[-1] & 0x80:
        raise Unreadable("DER: an OBJECT IDENTIFIER is malformed")
    arcs: list[int] = []
    value, fresh = 0, True
    for octet in content:
        if fresh and octet == 0x80:  # X.690 §8.19.2
            raise Unreadable("DER: an OBJECT IDENTIFIER is not in its shortest form")
        value, fresh = value << 7 | octet & 0x7F, octet < 0x80
        if fresh:
            arcs.append(value)
            value = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, (top, arcs[0] - 40 * top, *arcs[1:])))


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element with the identifier octet given, around the parts joined."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes, tag: int = SET) -> bytes:
    """A SET OF in its one order (X.690 §11.6)."""
    return tlv(tag, *sorted(parts))


def integer(value: int, tag: int = INTEGER) -> bytes:
    bits = (value if value >= 0 else ~value).bit_length()
    return tlv(tag, value.to_bytes(bits // 8 + 1, "big", signed=True))


def octets(value: bytes) -> bytes:
    return tlv(OCTET_STRING, value)


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return tlv(OID, bytes(content))


def generalized_time(moment: datetime) -> bytes:
    """An aware moment, in UTC, with as many digits of its fraction as it needs."""
    utc = moment.astimezone(UTC)
    text = f"{utc.year:04}{utc:%m%d%H%M%S}"
    if utc.microsecond:
        text += f".{utc.microsecond:06}".rstrip("0")
    return tlv(GENERALIZED_TIME, text.encode(), b"Z")

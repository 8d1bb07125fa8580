"""Compressed RTF, as Outlook keeps it (MS-OXRTFCP). Strict: one way to read it, or none."""

from __future__ import annotations

import struct
import zlib

from proofmail.errors import Unreadable

MAX_RTF_BYTES = 4 << 20
"""Most bytes of RTF, unpacked."""

_HEADER = struct.Struct("<4I")
_COMPRESSED, _UNCOMPRESSED = 0x75465A4C, 0x414C454D
_WINDOW_BYTES = 4096
_FIRST = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds before the first byte (MS-OXRTFCP §2.1.2.1)."""


def unpacked(data: bytes) -> bytes:
    """The RTF in a PidTagRtfCompressed; Unreadable if it is bent or too large."""
    if len(data) < _HEADER.size:
        raise Unreadable("the rich text is cut short")
    packed_bytes, size, kind, crc = _HEADER.unpack_from(data)
    end = packed_bytes + 4  # the field itself is not counted
    if not _HEADER.size <= end <= len(data) or size > MAX_RTF_BYTES:
        raise Unreadable("the rich text is cut short, or too large")
    content = data[_HEADER.size : end]
    if kind == _UNCOMPRESSED:
        if len(content) != size:
            raise Unreadable("the rich text has another size than it states")
        return content
    # MS-OXRTFCP §2.1.3.1: a CRC-32 that begins with 0 and is not inverted at the end.
    if kind != _COMPRESSED or zlib.crc32(content, 0xFFFFFFFF) ^ 0xFFFFFFFF != crc:
        raise Unreadable("the rich text is damaged, or packed in an unknown way")
    found = _unpack(content, size)
    if len(found) != size:
        raise Unreadable("the rich text has another size than it states")
    return found


def _unpack(content: bytes, size: int) -> bytes:
    out = bytearray(_FIRST)
    most = len(_FIRST) + size
    position, end = 0, len(content)
    while position < end and len(out) <= most:
        control = content[position]
        position += 1
        for bit in range(8):
            if position >= end:
                break
            if not control >> bit & 1:
                out.append(content[position])
                position += 1
                continue
            pair = int.from_bytes(content[position : position + 2], "big")
            position += 2
            distance = (len(out) - (pair >> 4)) % _WINDOW_BYTES
            if distance == 0 and position == end:
                return bytes(out[len(_FIRST) :])
            _repeat(out, distance, (pair & 15) + 2)
    raise Unreadable("the rich text has no end")


def _repeat(out: bytearray, distance: int, length: int) -> None:
    """Copies what lies `distance` back; what is copied may be copied again (§2.1.3.2)."""
    start = len(out) - distance
    if not distance or start < 0:
        raise Unreadable("the rich text points to what is not there")
    piece = out[start : start + length]
    while len(piece) < length:
        piece += piece[: length - len(piece)]
    out += piece

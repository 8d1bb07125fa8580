"""Writes a `winmail.dat` from MS-OXTNEF, for tests."""

from __future__ import annotations

import struct
from collections.abc import Iterable

SIGNATURE = b"\x78\x9f\x3e\x22\x01\x00"


def attribute(level: int, number: int, data: bytes) -> bytes:
    return (
        struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) % 65536)
    )


def string_property(number: int, text: str | bytes) -> bytes:
    data, kind = (text, 0x1E) if isinstance(text, bytes) else (text.encode("utf-16-le"), 0x1F)
    return struct.pack("<HHII", kind, number, 1, len(data)) + data + b"\0" * (-len(data) % 4)


def properties(*items: bytes) -> bytes:
    return struct.pack("<I", len(items)) + b"".join(items)


def file(
    name: str | bytes, data: bytes | None, *items: bytes, title: bytes = b"FILE~1.BIN\0"
) -> bytes:
    """A file with a long name in UTF-16; without content if `data` is None."""
    named = (
        properties(
            *items, string_property(0x3707, name + (b"\0" if isinstance(name, bytes) else "\0"))
        )
        if name
        else properties()
    )
    return b"".join((
        attribute(2, 0x69002, bytes(14)),
        attribute(2, 0x18010, title),
        b"" if data is None else attribute(2, 0x6800F, data),
        attribute(2, 0x69005, named),
    ))  # fmt: skip


def tnef(files: Iterable[bytes], *, text: bool = True, code_page: int = 1252) -> bytes:
    """A whole one; `text`: with properties of the message, in which its text stands."""
    head = attribute(1, 0x89006, b"\0\0\1\0") + attribute(
        1, 0x69007, struct.pack("<II", code_page, 0)
    )
    return SIGNATURE + head + attribute(1, 0x69003, bytes(4)) * text + b"".join(files)

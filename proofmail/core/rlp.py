"""Recursive Length Prefix, canonical only (SPEC anchors §2; Ethereum yellow paper, appendix B).

An item is bytes, or a list of items. Every value has exactly one accepted encoding, so bytes that
decode are the bytes that encoding the result gives back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

from proofmail.errors import Unreadable

Item: TypeAlias = Union[bytes, "list[Item]"]

# Deepest structure read: a transaction's access list (fields, list, entry, storage keys).
MAX_DEPTH = 8


def decode(data: bytes) -> Item:
    """The one item that `data` holds from its first byte to its last; else Unreadable."""
    item, end = _item(data, 0, len(data), 0)
    if end != len(data):
        raise Unreadable("RLP: bytes after the item")
    return item


def decode_list(data: bytes) -> list[Item]:
    """As decode, for an item that has to be a list."""
    item = decode(data)
    if isinstance(item, bytes):
        raise Unreadable("RLP: not a list")
    return item


def encode(item: bytes | Sequence[Item]) -> bytes:
    """The canonical encoding of bytes, or of a list or tuple of items."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _head(0x80, len(item)) + item
    if not isinstance(item, (list, tuple)):
        raise TypeError("RLP items are bytes, lists or tuples")
    body = b"".join(map(encode, item))
    return _head(0xC0, len(body)) + body


def encode_int(number: int) -> bytes:
    """The bytes that stand for a whole number: big-endian, no leading zero, empty for nought.
    They are an item, still to be encoded."""
    if number < 0:
        raise ValueError("RLP has no negative numbers")
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def decode_int(item: Item, max_bytes: int) -> int:
    """The whole number that an item stands for; Unreadable unless it is in encode_int's form and
    takes at most `max_bytes`."""
    if not isinstance(item, bytes) or len(item) > max_bytes:
        raise Unreadable("RLP: not a number of the expected size")
    if item[:1] == b"\x00":
        raise Unreadable("RLP: number with a leading zero")
    return int.from_bytes(item, "big")


def _head(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = encode_int(length)
    return bytes([base + 55 + len(size)]) + size


def _item(data: bytes, start: int, end: int, depth: int) -> tuple[Item, int]:
    """The item that begins at `start` and where it ends, which is never beyond `end`."""
    if start >= end:
        raise Unreadable("RLP: truncated")
    if depth > MAX_DEPTH:
        raise Unreadable("RLP: nested too deeply")
    first = data[start]
    if first < 0x80:
        return data[start : start + 1], start + 1
    base = 0x80 if first < 0xC0 else 0xC0
    body, stop = _extent(data, start, end, first - base)
    if base == 0x80:
        if stop - body == 1 and data[body] < 0x80:
            raise Unreadable("RLP: a small byte in the long form")
        return data[body:stop], stop
    items: list[Item] = []
    while body < stop:
        item, body = _item(data, body, stop, depth + 1)
        items.append(item)
    return items, stop


def _extent(data: bytes, start: int, end: int, code: int) -> tuple[int, int]:
    """Where the body of an item begins and ends, given its first byte less the base."""
    body = start + 1
    length = code
    if code > 55:
        size = data[body : body + code - 55]
        body += code - 55
        if body > end or size[0] == 0:
            raise Unreadable("RLP: bad length")
        length = int.from_bytes(size, "big")
        if length < 56:
            raise Unreadable("RLP: a short length in the long form")
    if length > end - body:
        raise Unreadable("RLP: truncated")
    return body, body + length

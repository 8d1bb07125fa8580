"""Changes to DER that keep it DER: elements are dropped, doubled, moved, retagged and refilled."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass

from proofmail.core import der

_TAGS = (1, 2, 3, 4, 5, 6, 10, 12, 19, 22, 23, 24, 30, 48, 49, 128, 129, 130, 134, 160, 161, 163)
_FILLINGS = (b"", b"\0", b"\1", b"\xff", b"\x7f" * 9, b"\1\1\0")


@dataclass
class _Element:
    """`prefix` stands before the elements inside: a BIT STRING's count of unused bits."""

    tag: int
    content: bytes | list[_Element]
    prefix: bytes = b""


def changed(data: bytes, dice: random.Random, times: int = 1) -> bytes:
    """The DER with that many changes, lengths made anew."""
    tree = _read(data)
    assert tree is not None
    for _ in range(times):
        places = _places(tree)
        if places:
            _change(dice.choice(places), places, dice)
    return _write(tree)


def _read(data: bytes) -> list[_Element] | None:
    found: list[_Element] = []
    at = 0
    while at < len(data):
        head = data[at : at + 5]
        if len(head) < 2 or head[0] & 31 == 31 or not head[0]:
            return None
        size = head[1] & 127 if head[1] & 128 else 0
        if size > 3 or head[1] == 128:
            return None
        start = at + 2 + size
        stop = start + (int.from_bytes(head[2 : 2 + size], "big") if size else head[1])
        if stop > len(data):
            return None
        found.append(_element(head[0], data[start:stop]))
        at = stop
    return found


def _element(tag: int, content: bytes) -> _Element:
    prefix = b"\0" if tag == der.BIT_STRING and content[:2] == b"\0\x30" else b""
    if tag & 0x20 or prefix or (tag == der.OCTET_STRING and len(content) > 1):
        inside = _read(content[len(prefix) :])
        if inside is not None:
            return _Element(tag, inside, prefix)
    return _Element(tag, content)


def _write(elements: list[_Element]) -> bytes:
    return b"".join(
        der.tlv(
            one.tag,
            one.prefix,
            one.content if isinstance(one.content, bytes) else _write(one.content),
        )
        for one in elements
    )


_Place = tuple[list[_Element], int]


def _places(elements: list[_Element]) -> list[_Place]:
    found: list[_Place] = []
    for number, one in enumerate(elements):
        found.append((elements, number))
        if isinstance(one.content, list):
            found += _places(one.content)
    return found


def _change(place: _Place, places: list[_Place], dice: random.Random) -> None:
    siblings, number = place
    one = siblings[number]
    others, other = dice.choice(places)
    stranger = copy.deepcopy(others[other])
    match dice.randrange(7):
        case 0:
            del siblings[number]
        case 1:
            siblings.insert(number, copy.deepcopy(one))
        case 2:
            swapped = dice.randrange(len(siblings))
            siblings[number], siblings[swapped] = siblings[swapped], siblings[number]
        case 3:
            one.tag = dice.choice(_TAGS)
        case 4:
            siblings[number] = stranger
        case 5 if isinstance(one.content, list):
            one.content.insert(dice.randrange(len(one.content) + 1), stranger)
        case _ if isinstance(one.content, bytes):
            one.content = _refilled(one.content, dice)


def _refilled(content: bytes, dice: random.Random) -> bytes:
    if not content or dice.random() < 0.4:
        return dice.choice((*_FILLINGS, b"\0" + content, content + b"\0", content[1:]))
    changed_bytes = bytearray(content)
    changed_bytes[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    return bytes(changed_bytes)

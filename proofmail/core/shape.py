"""Checkers that narrow decoded JSON to the closed shapes of SPEC.md; each raises Unreadable."""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Callable, Collection
from typing import TypeVar

from proofmail.core.canonical import Json, from_base64url
from proofmail.errors import Unreadable

T = TypeVar("T")

DIGEST_BYTES = 32
_DIGEST = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")
"""The one spelling of 32 bytes: the last character carries four bits, and two that are 0."""
_FROM_URL = bytes.maketrans(b"-_", b"+/")
MAX_TEXT = 10_065
"""10,000 code points and the mark of a text that was cut (SPEC §3.6.1): … and 64 digits."""


def members(
    value: Json, what: str, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Json]:
    """`value` as an object with all of `required`, any of `optional`, and nothing else."""
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is not an object")
    for name in required:
        if name not in value:
            raise Unreadable(f"{what} lacks the member {name}")
    if len(value) > len(required):
        for name in value:
            if name not in required and name not in optional:
                raise Unreadable(f"{what} has an unknown member")
    return value


def text(value: Json, what: str, most: int = MAX_TEXT) -> str:
    """`value` as a string of at most `most` code points."""
    if not isinstance(value, str):
        raise Unreadable(f"{what} is not a string")
    if len(value) > most:
        raise Unreadable(f"{what} is longer than {most} characters")
    return value


def exactly(value: Json, what: str, expected: str) -> None:
    if value != expected:
        raise Unreadable(f"{what} is not {expected}")


def integer(value: Json, what: str, least: int = 0, most: int = 2**53 - 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{what} is not an integer")
    if not least <= value <= most:
        raise Unreadable(f"{what} is outside {least}..{most}")
    return value


def boolean(value: Json, what: str) -> bool:
    if not isinstance(value, bool):
        raise Unreadable(f"{what} is neither true nor false")
    return value


def array(value: Json, what: str, most: int, item: Callable[[Json, str], T]) -> tuple[T, ...]:
    """`value` as an array of at most `most` items, each read by `item`."""
    if not isinstance(value, list):
        raise Unreadable(f"{what} is not an array")
    if len(value) > most:
        raise Unreadable(f"{what} has more than {most} items")
    return tuple([item(member, what) for member in value])


def octets(value: Json, what: str, most: int = 1 << 20) -> bytes:
    """`value` as canonical base64url of at most `most` bytes."""
    data = from_base64url(text(value, what, most * 4 // 3 + 3))
    if len(data) > most:
        raise Unreadable(f"{what} is longer than {most} bytes")
    return data


def digest(value: Json, what: str) -> bytes:
    """`value` as base64url of exactly 32 bytes."""
    if isinstance(value, str) and _DIGEST.match(value):
        return a2b_base64(value.encode("ascii").translate(_FROM_URL) + b"=")
    data = octets(value, what, DIGEST_BYTES)
    if len(data) != DIGEST_BYTES:
        raise Unreadable(f"{what} is not {DIGEST_BYTES} bytes")
    return data

"""Canonical JSON, base64url and times: the spelling of everything that is hashed (SPEC §1).

Values are strings, integers within ±(2^53 - 1), booleans, arrays and objects with ASCII keys.
Within that restriction the output equals RFC 8785 byte for byte.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import Any, TypeAlias

from proofmail.errors import Unreadable

Json: TypeAlias = Any
"""A value of SPEC §1.1. The checkers of :mod:`proofmail.core.shape` narrow it."""

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16

_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True, check_circular=False
)
_HARMLESS_BRACKETS = 500
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TO_URL = bytes.maketrans(b"+/", b"-_")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)
_YEARS = range(1970, 9999)


def encode(value: Json) -> bytes:
    """The canonical bytes of a value that is known to lie within the restriction.

    The hot path calls this on values that the service itself built; bytes that come from outside
    pass through :func:`decode`, which checks the restriction.
    """
    return _ENCODER.encode(value).encode("utf-8")


def decode(data: bytes) -> Json:
    """The value of canonical bytes; Unreadable unless `data` is its very encoding (SPEC §1.1)."""
    value, canonical = _parse(data)
    if canonical != data:
        raise Unreadable("JSON, but not in its canonical form")
    return value


def decode_lenient(data: bytes) -> Json:
    """The value of JSON that a person may have edited (the trust file): same restriction on
    values, any white space and order; duplicate keys are refused all the same."""
    return _parse(data)[0]


def _parse(data: bytes) -> tuple[Json, bytes]:
    """The value and its canonical bytes, which a lone surrogate does not have."""
    try:
        _check_nesting(data)
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_integer,
        )
        _restrict(value, 0)
        return value, encode(value)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not JSON of the kind that SPEC §1.1 allows") from error


def _check_nesting(data: bytes) -> None:
    """Refuses deep nesting before parsing: the parser recurses in C, and a process whose recursion
    limit some library has raised would die of a hostile file instead of refusing it. Done with
    whole-buffer steps: a hostile file is millions of brackets."""
    if data.count(b"[") + data.count(b"{") <= _HARMLESS_BRACKETS:
        return
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH + 1):  # each round takes away the innermost level
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise ValueError("nested too deep, or not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _refuse(text: str) -> Json:
    raise ValueError("a number that is not an integer")


def _integer(text: str) -> int:
    if len(text) > 17:
        raise ValueError("integer out of range")
    return int(text)


def _restrict(value: Json, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        for key, member in value.items():
            if not key.isascii():
                raise ValueError("key outside ASCII")
            _restrict(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _restrict(member, depth + 1)
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ValueError("integer out of range")
    elif not isinstance(value, str):
        raise ValueError("null")  # noqa: TRY004 - one family for the caller to map


def base64url(data: bytes) -> str:
    """RFC 4648 §5 without padding."""
    return base64url_ascii(data).decode("ascii")


def base64url_ascii(data: bytes) -> bytes:
    """The same as the bytes that stand in JSON."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=")


def from_base64url(text: str) -> bytes:
    """The bytes of canonical, unpadded base64url; Unreadable for any other spelling."""
    if not _BASE64URL.match(text):
        raise Unreadable("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise Unreadable("not base64url") from error
    if base64url(data) != text:
        raise Unreadable("base64url, but not in its canonical form")
    return data


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with exactly three decimals, truncated (SPEC §1.3)."""
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return naive.isoformat(timespec="milliseconds") + "Z"


def parse_time(text: str) -> datetime:
    """The moment of a time spelt as :func:`format_time` spells it."""
    if not _TIME.match(text):
        raise Unreadable("not a time as SPEC §1.3 spells it")
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Unreadable("not a time as SPEC §1.3 spells it") from error
    if moment.year not in _YEARS:
        raise Unreadable("a time outside the years 1970 to 9998")
    return moment

"""Canonical JSON, base64url and times, with rfc8785 as the second opinion."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core.canonical import (
    base64url,
    decode,
    decode_lenient,
    encode,
    format_time,
    from_base64url,
    parse_time,
)
from proofmail.errors import Unreadable

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_KEYS = st.text(st.characters(max_codepoint=127))
_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53 - 1), 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_bytes_are_those_of_rfc8785_and_come_back(value: object) -> None:
    data = encode(value)
    assert data == rfc8785.dumps(value)
    assert decode(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1}\n', b'{"a":1,"a":1}', b'{"a":null}', b"null",
        b'{"a":1.0}', b'{"a":1e3}', b"9007199254740992", b"-0", b"NaN", b"Infinity", b"01",
        b'"\\u0041"', b'"\\ud800"', b'"\\/"', b'"\xff"', b'{"\xc3\xa9":1}', b"", b"[1,]",
        b'"\\u001F"', b"[" * 40 + b"]" * 40, b"[" * 100_000, b"9" * 10_000, b"\xef\xbb\xbf1",
    ],
)  # fmt: skip
def test_anything_but_the_canonical_bytes_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_the_lenient_reader_takes_white_space_but_no_duplicates() -> None:
    assert decode_lenient(b'{ "b": 1,\n "a": [true] }') == {"a": [True], "b": 1}
    for bad in (b'{"a":1,"a":2}', b'"\\ud800"', b"[null]", b"[" * 50_000):
        with pytest.raises(Unreadable):
            decode_lenient(bad)


@given(st.binary(max_size=80))
def test_base64url_comes_back_and_has_one_spelling(data: bytes) -> None:
    text = base64url(data)
    assert from_base64url(text) == data
    assert "=" not in text


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+A", "A/AA", "AAA\n", "AA A", "é", "AAB"])
def test_other_spellings_of_base64url_are_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        from_base64url(text)


def test_times_are_truncated_to_milliseconds_and_read_back() -> None:
    moment = datetime(2026, 11, 21, 10, 0, 0, 123_999, tzinfo=UTC)
    assert format_time(moment) == "2026-11-21T10:00:00.123Z"
    assert parse_time(format_time(moment)) == moment.replace(microsecond=123_000)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T10:00:00Z", "2026-11-21 10:00:00.123Z", "2026-13-21T10:00:00.123Z",
        "2026-11-21T10:00:00.123+00:00", "2026-11-21T10:00:00.123Z\n", "٢٠٢٦-11-21T10:00:00.123Z",
    ],
)  # fmt: skip
def test_other_spellings_of_times_are_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_time(text)

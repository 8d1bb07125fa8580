"""RLP: the judge is the package `rlp`; what it is lax about is listed here."""

from __future__ import annotations

import random

import pytest
import rlp as judge
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core import rlp
from proofmail.errors import Unreadable

ITEMS = st.recursive(
    st.one_of(st.binary(max_size=4), st.binary(min_size=50, max_size=60), st.binary(max_size=300)),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


def _depth(item: rlp.Item) -> int:
    if isinstance(item, bytes):
        return 0
    return 1 + max(map(_depth, item), default=0)


@given(ITEMS)
def test_agrees_with_the_judge_and_comes_back(item: rlp.Item) -> None:
    encoded = rlp.encode(item)
    assert encoded == judge.encode(item)
    if _depth(item) <= rlp.MAX_DEPTH:
        assert rlp.decode(encoded) == item


@given(st.binary(max_size=80))
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except Unreadable:
        return
    assert rlp.encode(item) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "nothing"),
        ("8080", "bytes after the item"),
        ("8105", "a byte below 0x80 has no head"),
        ("81", "truncated after the head"),
        ("83aabb", "truncated"),
        ("b800", "a length below 56 in the long form"),
        ("b837" + "00" * 55, "a length below 56 in the long form"),
        ("b90038" + "00" * 56, "a length with a leading zero"),
        ("b8", "no length"),
        ("bfffffffffffffffff", "a length beyond everything"),
        ("f837" + "80" * 55, "a list's length below 56 in the long form"),
        ("f90038" + "80" * 56, "a list's length with a leading zero"),
        ("ffffffffffffffffff", "a list's length beyond everything"),
        ("c1", "a list cut short"),
        ("c3820102" + "80", "bytes after the list"),
        ("c28201", "an item that runs out of its list"),
        ("c382010203", "an item beyond its list, within the data"),
        ("c4c2820102", "a nested list shorter than its item"),
    ],
)
def test_refuses(data: str, why: str) -> None:
    with pytest.raises(Unreadable):
        rlp.decode(bytes.fromhex(data))


def test_depth_is_bounded() -> None:
    nested: rlp.Item = b""
    for _ in range(rlp.MAX_DEPTH):
        nested = [nested]
    assert rlp.decode(rlp.encode(nested)) == nested
    with pytest.raises(Unreadable):
        rlp.decode(rlp.encode([nested]))
    # Far beyond the interpreter's own limit: refused, not a crash.
    with pytest.raises(Unreadable):
        rlp.decode(b"\xc1" * 100_000 + b"\xc0")


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 1 << 64, (1 << 256) - 1])
def test_numbers(number: int) -> None:
    item = rlp.encode_int(number)
    assert rlp.decode_int(item, 32) == number
    assert rlp.encode(item) == judge.encode(number)


def test_refused_numbers() -> None:
    for item in (b"\x00", b"\x00\x01", [], [b"\x01"], b"\x01" * 9):
        with pytest.raises(Unreadable):
            rlp.decode_int(item, 8)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        rlp.encode_int(-1)


def test_random_bytes_raise_nothing_else() -> None:
    dice = random.Random(7)
    for _ in range(3000):
        data = dice.randbytes(dice.randrange(60))
        try:
            rlp.decode(data)
        except Unreadable:
            continue

"""The DER reader and writer: they agree with each other, and the reader refuses all else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core import der
from proofmail.errors import Unreadable


@given(st.integers(-(2**300), 2**300))
def test_integers_come_back(value: int) -> None:
    reader = der.Reader(der.integer(value))
    assert reader.integer() == value
    reader.done()


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**128), max_size=4))
def test_object_identifiers_come_back(top: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (top, second, *rest)))
    if len(der.oid(dotted)) <= der.MAX_OID_BYTES:
        assert der.Reader(der.oid(dotted)).oid() == dotted


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))
def test_times_come_back(moment: datetime) -> None:
    assert der.Reader(der.generalized_time(moment)).time() == moment


def test_known_encodings() -> None:
    """X.690's own examples and those that every CMS library writes alike."""
    assert der.integer(0).hex() == "020100"
    assert der.integer(127).hex() == "02017f"
    assert der.integer(128).hex() == "02020080"
    assert der.integer(-128).hex() == "020180"
    assert der.oid("2.999.3").hex() == "0603883703"
    assert der.oid("1.2.840.113549.1.7.2").hex() == "06092a864886f70d010702"
    assert der.octets(bytes(200))[:3].hex() == "0481c8"
    assert der.octets(bytes(300))[:4].hex() == "0482012c"
    assert der.set_of(der.integer(2), der.integer(1)) == b"\x31\x06\x02\x01\x01\x02\x01\x02"
    east = timezone(timedelta(hours=2))
    moment = datetime(2026, 3, 4, 1, 0, 0, 120_000, east)
    assert der.generalized_time(moment)[2:] == b"20260303230000.12Z"


@pytest.mark.parametrize(
    "text",
    [
        "",  # nothing
        "02",  # no length
        "0201",  # no content
        "020200",  # cut short
        "0200",  # empty INTEGER
        "02020001",  # not minimal
        "0202ff80",  # not minimal, negative
        "02810101",  # length not in its shortest form
        "0282000101",
        "0280010000",  # indefinite
        "0284000000010a",  # four octets of length
        "1f0101",  # tag of two octets
        "3f0101",
        "0000",  # end of contents
        "040101",  # another type
    ],
)
def test_bytes_that_are_no_integer_are_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        der.Reader(bytes.fromhex(text)).integer()


@pytest.mark.parametrize("text", ["0600", "060180", "06022a80", "0603808001", "06032a8001"])
def test_object_identifiers_not_in_their_one_form_are_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        der.Reader(bytes.fromhex(text)).oid()


@pytest.mark.parametrize("text", ["010101", "0100", "01020000"])
def test_booleans_are_00_or_ff(text: str) -> None:
    with pytest.raises(Unreadable):
        der.Reader(bytes.fromhex(text)).boolean()
    assert der.Reader(b"\1\1\xff").boolean() is True
    assert der.Reader(b"\1\1\0").boolean() is False


def test_bit_strings_give_the_numbers_of_their_bits() -> None:
    assert der.Reader(bytes.fromhex("030206c0")).bits() == {0, 1}
    assert der.Reader(bytes.fromhex("03050600000040")).bits() == {25}
    assert der.Reader(bytes.fromhex("030100")).bits() == frozenset()
    for text in ("0300", "030101", "030208c0", "030207c0", "030a00000000000000000000"):
        with pytest.raises(Unreadable):
            der.Reader(bytes.fromhex(text)).bits()


def test_bytes_left_over_are_refused_on_every_level() -> None:
    with pytest.raises(Unreadable):
        der.only(der.sequence() + b"\0")
    inner = der.only(der.sequence(der.integer(1), der.integer(2)))
    inner.integer()
    with pytest.raises(Unreadable):
        inner.done()


def test_an_element_never_reaches_beyond_the_one_around_it() -> None:
    outer = der.Reader(b"\x30\x02\x04\x05" + bytes(9)).enter()
    with pytest.raises(Unreadable):
        outer.octets()


def test_depth_and_size_are_bounded() -> None:
    nested = b""
    for _ in range(der.MAX_DEPTH + 1):
        nested = der.sequence(nested)
    reader = der.Reader(nested)
    for _ in range(der.MAX_DEPTH):
        reader = reader.enter()
    with pytest.raises(Unreadable):
        reader.enter()
    with pytest.raises(Unreadable):
        der.Reader(bytes(der.MAX_BYTES + 1))
    with pytest.raises(Unreadable):
        der.Reader(der.tlv(der.INTEGER, b"\1" * 65)).integer()
    with pytest.raises(Unreadable):
        der.Reader(der.tlv(der.OID, b"\1" * 65)).oid()


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in ("integer", "oid", "boolean", "bits", "time", "octets", "raw", "enter"):
        try:
            getattr(der.Reader(data), read)()
        except Unreadable:
            continue

"""Files inside a winmail.dat: listed where it is whole, for any pieces; bounded where it is not."""

from __future__ import annotations

import hashlib
import struct
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core.model import File
from proofmail.core.scan import Part, scan
from proofmail.core.tnef import ATTRIBUTES_MAX, CAPTURE_MAX_BYTES, FILES_MAX, Tnef
from tests.core.tnef_maker import (
    SIGNATURE,
    attribute,
    file,
    properties,
    string_property,
    tnef,
)

PDF = b"%PDF-1.4" + bytes(range(256)) * 40
WHOLE = tnef([file("offre signée.pdf", PDF), file("b.txt", b"")])


def read(data: bytes, size: int = 1 << 20) -> tuple[tuple[File, ...], frozenset[str]]:
    reader = Tnef()
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    return reader.finish()


def names(data: bytes) -> list[str | None]:
    return [item.name for item in read(data)[0]]


def part(data: bytes, kind: str = "application/ms-tnef", name: str = "winmail.dat") -> Part:
    head = f'From: a@x\r\nDate: x\r\nContent-Type: {kind}; name="{name}"\r\n'
    return scan(head.encode() + b"Content-Transfer-Encoding: binary\r\n\r\n" + data).parts[0]


def test_each_file_has_its_name_size_and_digests() -> None:
    first, second = read(WHOLE)[0]
    assert (first.name, first.size_bytes) == ("offre signée.pdf", len(PDF))
    assert first.sha256 == hashlib.sha256(PDF).digest()
    assert first.sha3_256 == hashlib.sha3_256(PDF).digest()
    assert (second.name, second.size_bytes) == ("b.txt", 0)
    assert read(WHOLE)[1] == {"tnef", "tnef.text"}
    assert read(tnef([], text=False)) == ((), {"tnef"})


@pytest.mark.parametrize(
    ("kind", "name", "listed"),
    [
        ("application/ms-tnef", "x", True),
        ("application/vnd.ms-tnef", "x", True),
        ("application/octet-stream", "WinMail.dat", True),
        ("application/octet-stream", "winmail.data", False),
        ("application/pdf", "winmail.dat", False),
    ],
)
def test_it_is_told_by_its_type_or_its_name(kind: str, name: str, listed: bool) -> None:
    found = part(WHOLE, kind, name)
    assert (len(found.files) == 2, "tnef" in found.notes) == (listed, listed)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_line_end_of_the_mail_may_follow(end: bytes) -> None:
    assert read(WHOLE + end) == read(WHOLE)


def _with(at: int, new: bytes) -> bytes:
    return WHOLE[:at] + new + WHOLE[at + len(new) :]


CONTENT = WHOLE.index(PDF)
BENT = {
    "another signature": _with(0, b"\x79"),
    "a wrong checksum": _with(CONTENT + len(PDF), b"\0"),
    "another octet": _with(CONTENT, b"&"),
    "a third level": _with(6, b"\3"),
    "an octet behind": WHOLE + b"\0",
    "another line behind": WHOLE + b"\r\n\r\n",
    "a length beyond the end": _with(CONTENT - 4, b"\xff\xff\xff\xff"),
    "content before any file": SIGNATURE + attribute(2, 0x6800F, PDF),
    "content twice": tnef([file("a", PDF), attribute(2, 0x6800F, PDF)]),
    "too many files": tnef([file("", b"")] * (FILES_MAX + 1)),
    "too many attributes": SIGNATURE + attribute(1, 1, b"") * (ATTRIBUTES_MAX + 1),
    "nothing": b"",
    "the signature's beginning": WHOLE[:4],
}


@pytest.mark.parametrize("name", BENT)
def test_of_what_is_bent_nothing_is_listed(name: str) -> None:
    assert read(BENT[name]) == ((), {"tnef", "tnef.malformed"})
    assert read(BENT[name], 5) == ((), {"tnef", "tnef.malformed"})


def test_a_bent_one_is_a_defect_of_the_mail() -> None:
    mail = b"From: a@x\r\nDate: x\r\nContent-Type: application/ms-tnef\r\n\r\n" + WHOLE[:50]
    assert "tnef.malformed" in scan(mail).defects


def test_it_is_cut_nowhere_without_being_bent() -> None:
    """At the end of an attribute it is another whole one."""
    whole = [cut for cut in range(len(WHOLE)) if read(WHOLE[:cut])[1] != {"tnef", "tnef.malformed"}]
    assert len(whole) == 11


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_any_pieces_give_the_same(size: int) -> None:
    assert read(WHOLE, size) == read(WHOLE)


@given(st.binary(max_size=60), st.integers(0, len(WHOLE)), st.integers(1, 99))
def test_whatever_comes_has_one_result(noise: bytes, at: int, size: int) -> None:
    data = WHOLE[:at] + noise + WHOLE[at + len(noise) :]
    assert read(data, size) == read(data)


def test_names_are_read_from_what_the_file_says() -> None:
    assert names(tnef([file("", b"x", title=b"R\xe9sum\xe9.DOC\0junk")])) == ["Résumé.DOC"]
    assert names(tnef([file("", b"x", title=b"R\xe9\0")], code_page=932)) == ["R\ufffd"]
    assert names(tnef([file("", b"x", title=b"")])) == [None]
    short = string_property(0x3704, "SHORT~1.PDF")
    assert names(tnef([file("long.pdf", b"x", short)])) == ["long.pdf"]
    assert names(tnef([file(b"caf\xe9", b"x", short)])) == ["café"]
    begun, content = attribute(2, 0x69002, bytes(14)), attribute(2, 0x6800F, b"x")
    only_short = attribute(2, 0x69005, properties(short))
    assert names(tnef([begun + content + only_short])) == ["SHORT~1.PDF"]


def test_properties_of_every_kind_are_passed_over() -> None:
    guid = bytes(16)
    items = [
        struct.pack("<HHI", 3, 0x3705, 1),
        struct.pack("<HHQ", 0x40, 0x3007, 1),
        struct.pack("<HH", 0x48, 0x3010) + guid,
        struct.pack("<HH", 3, 0x8001) + guid + struct.pack("<III", 0, 7, 9),
        struct.pack("<HH", 3, 0x8002) + guid + struct.pack("<II", 1, 6) + b"a\0b\0c\0\0\0"
        + struct.pack("<I", 9),
        struct.pack("<HHII", 0x102, 0x3702, 1, 5) + b"12345\0\0\0",
    ]  # fmt: skip
    several = [
        struct.pack("<HHIII", 0x1003, 0x3705, 2, 1, 2),
        struct.pack("<HHI", 0x101F, 0x3707, 2) + struct.pack("<I", 2) + b"x\0\0\0"
        + struct.pack("<I", 6) + b"y\0z\0\0\0\0\0",
    ]  # fmt: skip
    assert names(tnef([file("a.pdf", b"x", *items, *several)])) == ["a.pdf"]


CONTENT_PROPERTY = struct.pack("<HHII", 0x102, 0x3701, 1, 5) + b"other\0\0\0"
UNREAD = {
    "an unknown type": struct.pack("<HHI", 0x0D0D, 1, 0),
    "two values of a type of one": struct.pack("<HHII", 0x1F, 1, 2, 0),
    "too many values": struct.pack("<HHI", 0x1003, 1, 1 << 31),
    "more than is looked at": struct.pack("<HHII", 0x102, 0x3702, 1, CAPTURE_MAX_BYTES)
    + bytes(CAPTURE_MAX_BYTES),
}


@pytest.mark.parametrize("item", [CONTENT_PROPERTY, *UNREAD.values()], ids=["content", *UNREAD])
def test_a_file_of_which_readers_may_show_another_content_is_not_listed(item: bytes) -> None:
    """Some take the content, or a name, from among the properties."""
    for items in ([item], [item, CONTENT_PROPERTY], [CONTENT_PROPERTY, item]):
        files, notes = read(tnef([file("a.pdf", b"x", *items), file("b.pdf", b"y")]))
        assert [one.name for one in files] == ["b.pdf"]
        assert "tnef.unlisted" in notes


def test_properties_that_are_fewer_than_they_say_leave_the_file_unlisted() -> None:
    begun, content = attribute(2, 0x69002, bytes(14)), attribute(2, 0x6800F, b"x")
    fewer = struct.pack("<I", 2) + string_property(0x3704, "a.pdf")
    assert read(tnef([begun + content + attribute(2, 0x69005, fewer)]))[0] == ()


@pytest.mark.parametrize("number", [0x6800F, 0x18010, 0x69005])
def test_what_a_file_says_twice_bends_it(number: int) -> None:
    twice = file("a.pdf", b"x") + attribute(2, number, bytes(4))
    assert read(tnef([twice])) == ((), {"tnef", "tnef.malformed"})


@pytest.mark.parametrize(
    ("level", "number"),
    [*((1, n) for n in (0x69002, 0x6800F, 0x18010, 0x69005)),
     *((2, n) for n in (0x2800C, 0x69003, 0x69007))],
)  # fmt: skip
def test_an_attribute_at_another_level_bends_it(level: int, number: int) -> None:
    """Some readers go by the attribute alone: this would be the content of the file before."""
    data = tnef([file("a.pdf", b"x"), attribute(level, number, b"other")])
    assert read(data) == ((), {"tnef", "tnef.malformed"})


def test_a_file_without_content_is_named_as_not_listed() -> None:
    files, notes = read(tnef([file("inner.msg", None), file("a", b"x")]))
    assert [item.name for item in files] == ["a"]
    assert "tnef.unlisted" in notes


def test_memory_does_not_grow_with_what_it_holds() -> None:
    block = bytes(65_536)
    start = struct.pack("<BII", 2, 0x69005, 400 * len(block))
    reader = Tnef()
    reader.feed(SIGNATURE + attribute(2, 0x69002, bytes(14)) + start)
    tracemalloc.start()
    for _ in range(400):
        reader.feed(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_many_short_attributes_cost_no_more_than_a_bounded_number() -> None:
    reader = Tnef()
    reader.feed(SIGNATURE)
    started = time.process_time()
    for _ in range(300):
        reader.feed(attribute(1, 1, b"") * 6_000)
    assert time.process_time() - started < 5
    assert reader.finish()[1] == {"tnef", "tnef.malformed"}

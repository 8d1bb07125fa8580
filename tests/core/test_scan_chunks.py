"""The result depends on the bytes alone: for any chunks, in linear time and constant memory."""

import contextlib
import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core import scan as scan_module
from proofmail.core.scan import Scan, Scanner, scan


@contextlib.contextmanager
def ungathered() -> Iterator[None]:
    """Small chunks go through as they are, instead of being gathered first."""
    before = scan_module._GATHER_BYTES
    scan_module._GATHER_BYTES = 1
    try:
        yield
    finally:
        scan_module._GATHER_BYTES = before


def in_chunks(message: bytes, sizes: list[int]) -> Scan:
    scanner = Scanner()
    position, turn = 0, 0
    while position < len(message):
        size = sizes[turn % len(sizes)]
        scanner.feed(message[position : position + size])
        position, turn = position + size, turn + 1
    return scanner.finish()


LINES = [
    *("From: a@x", "Subject: =?utf-8?q?a?=", " folded", "Date: x", "no field", "", "", ""),
    *("Content-Type: multipart/mixed; boundary=X", "Content-Type: multipart/mixed; boundary=XY"),
    *("Content-Type: message/rfc822", "Content-Type: text/plain; format=flowed; charset=utf-8"),
    *("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable"),
    *("--X", "--X", "--XY", "--X--", "--XY--", "--X ", "--", "QUJD", "QUI=", "a=20", "b=", "> q "),
    *("w ", "é", "Content-Type: message/disposition-notification", "Disposition: a; b"),
]
messages = st.lists(
    st.tuples(st.sampled_from(LINES), st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r", ""])),
    max_size=30,
).map(lambda pairs: "".join(line + end for line, end in pairs).encode())

HEAD = (
    b"From: a@x\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b"Content-Type: multipart/mixed; boundary=X\r\n\r\n"
)


@given(messages, st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_any_chunks_give_the_same_result(message: bytes, sizes: list[int]) -> None:
    whole = scan(message)
    with ungathered():
        assert in_chunks(message, sizes) == whole
        assert in_chunks(message, [1]) == whole


@given(messages)
def test_structured_messages_give_the_same_result(body: bytes) -> None:
    whole = scan(HEAD + b"--X\r\n" + body)
    with ungathered():
        for size in (1, 2, 3, 7):
            assert in_chunks(HEAD + b"--X\r\n" + body, [size]) == whole


@given(st.lists(st.binary(max_size=60).filter(lambda b: b"--X" not in b), max_size=4))
def test_contents_come_back_as_they_were_put_in(contents: list[bytes]) -> None:
    body = b"".join(b"--X\r\nContent-Type: a/b\r\n\r\n" + c + b"\r\n" for c in contents)
    found = scan(HEAD + body + b"--X--\r\n")
    assert [p.fingerprints[0].sha256 for p in found.parts] == [
        hashlib.sha256(c).digest() for c in contents
    ]


@pytest.mark.parametrize(
    "tail", ["\r\n--X", "\r\n--X--", "\r\n-", "\r\n--", "\r", "\r\n", "\n--X \t"]
)
def test_every_ending_of_the_input(tail: str) -> None:
    message = HEAD + b"--X\r\n\r\nbody" + tail.encode()
    whole = scan(message)
    with ungathered():
        assert in_chunks(message, [1]) == whole
        assert in_chunks(message, [len(message) - 1, 1]) == whole
    ends = "--X" in tail
    size = whole.parts[0].fingerprints[0].size_bytes
    assert size == (4 if ends else len("body" + tail))


@pytest.mark.parametrize("length", [998, 999, 1_000])
def test_longest_delimiter_line(length: int) -> None:
    line = b"--X" + b" " * (length - 4) + b"\r\n"
    message = HEAD + b"--X\r\n\r\na\r\n" + line + b"\r\nb"
    longer = message.replace(line, line[:3] + b"  " + line[3:])
    with ungathered():
        for size in (1, 7, 500, 5_000):
            assert len(in_chunks(message, [size]).parts) == 2
            assert len(in_chunks(longer, [size]).parts) == (1 if length > 998 else 2)


@pytest.mark.parametrize(
    "unit",
    [b"x", b" ", b"\n", b"--\r\n", b"=", b"\xc3\xa9", b"QUJD", b"\r"],
)
@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Content-Type: text/plain; charset=utf-8; format=flowed\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n",
    ],
)
def test_memory_does_not_grow_with_the_message(header: bytes, unit: bytes) -> None:
    """What is held after 1.5 MB (more than any header's limit) is all that is ever held."""
    chunk = unit * (32_768 // len(unit))
    scanner = Scanner()
    scanner.feed(HEAD + b"--X\r\n" + header + b"\r\n")
    tracemalloc.start()
    try:
        for _ in range(48):
            scanner.feed(chunk)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for _ in range(24):
            scanner.feed(chunk)
        held_later, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    scanner.finish()
    assert held_later - held < 100_000
    assert peak < 8_000_000


def test_a_header_line_without_end_is_given_up() -> None:
    scanner = Scanner()
    tracemalloc.start()
    try:
        for _ in range(100):
            scanner.feed(b"y" * 65_536)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert scanner.finish().defects == ("header.too-large",)
    assert peak < 4_000_000


def test_a_finished_scan_takes_no_more() -> None:
    scanner = Scanner()
    scanner.finish()
    with pytest.raises(RuntimeError):
        scanner.feed(b"x")
    with pytest.raises(RuntimeError):
        scanner.finish()

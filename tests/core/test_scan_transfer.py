"""decoded/1: fast paths against the slow definition of SPEC §3.3, and each leniency's defect."""

import base64
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core.transfer import BLANK_RUN_MAX_BYTES, Decoder, decoder

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def decode(encoding: str, *pieces: bytes) -> tuple[bytes, set[str]]:
    machine: Decoder = decoder(encoding)
    out = b"".join([machine.feed(piece) for piece in pieces])
    return out + machine.finish(), machine.defects


def slow_base64(data: bytes) -> tuple[bytes, set[str]]:
    """Bit by bit, as SPEC §3.3.1 says it."""
    defects = set()
    bits = ""
    pads = 0
    for byte in data:
        if byte in b" \t\r\n":
            continue
        if byte == ord("="):
            pads += 1
        elif pads:
            defects.add("transfer.base64-after-padding")
        elif byte in ALPHABET:
            bits += format(ALPHABET.index(byte), "06b")
        else:
            defects.add("transfer.base64-foreign")
    characters = len(bits) // 6
    spare = bits[len(bits) // 8 * 8 :]
    if (characters % 4, pads) not in {(0, 0), (2, 2), (3, 1)} or "1" in spare:
        defects.add("transfer.base64-padding")
    whole = bits[: len(bits) // 8 * 8]
    return bytes(int(whole[i : i + 8], 2) for i in range(0, len(whole), 8)), defects


def slow_quoted_printable(data: bytes) -> tuple[bytes, set[str]]:
    """Line by line, as SPEC §3.3.2 says it."""
    defects = set()
    out = b""
    pieces = re.split(rb"(\r?\n)", data)
    for line, end in zip(pieces[::2], [*pieces[1::2], b""], strict=True):
        bare = line.rstrip(b" \t")
        if len(line) - len(bare) > BLANK_RUN_MAX_BYTES:
            bare = line
        if bare.endswith(b"="):
            if not end:
                defects.add("transfer.qp-malformed")
            bare, end = bare[:-1], b""
        i = 0
        while i < len(bare):
            pair = bare[i + 1 : i + 3]
            if bare[i : i + 1] != b"=":
                out += bare[i : i + 1]
                i += 1
            elif re.fullmatch(rb"[0-9A-Fa-f]{2}", pair):
                out += bytes((int(pair, 16),))
                i += 3
            else:
                defects.add("transfer.qp-malformed")
                out += b"="
                i += 1
        out += end
    return out, defects


def cuts(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


base64_like = st.lists(
    st.sampled_from(
        [b"QUJD", b"Zm9v", b"Q", b"=", b"==", b"\r\n", b"\n", b" ", b"!", b"\xff", b"/+"]
    )
).map(b"".join)
quoted_like = st.lists(
    st.sampled_from(
        [
            b"a",
            b"=",
            b"==",
            b"=4",
            b"=41",
            b"=e9",
            b"41",
            b" ",
            b"\t",
            b"\r",
            b"\n",
            b"\r\n",
            b"=\r\n",
        ]
    ),
    max_size=24,
).map(b"".join)
places = st.lists(st.integers(0, 200), max_size=5)


@given(base64_like, places)
def test_base64_equals_the_slow_definition(data: bytes, where: list[int]) -> None:
    assert decode("base64", *cuts(data, where)) == slow_base64(data)


@given(st.binary(max_size=200), places)
def test_base64_gives_back_what_was_encoded(data: bytes, where: list[int]) -> None:
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    assert decode("base64", *cuts(encoded, where)) == (data, set())


@given(quoted_like, places)
def test_quoted_printable_equals_the_slow_definition(data: bytes, where: list[int]) -> None:
    assert decode("quoted-printable", *cuts(data, where)) == slow_quoted_printable(data)


@pytest.mark.parametrize(
    ("data", "decoded", "defects"),
    [
        (b"QUJD", b"ABC", set()),
        (b"QUI=", b"AB", set()),
        (b"QU I\r\n=", b"AB", set()),
        (b"QUI", b"AB", {"transfer.base64-padding"}),
        (b"QUI==", b"AB", {"transfer.base64-padding"}),
        (b"QUJDQ", b"ABC", {"transfer.base64-padding"}),
        (b"QUJ=", b"AB", {"transfer.base64-padding"}),  # spare bits are not zero
        (b"QU*JD", b"ABC", {"transfer.base64-foreign"}),
        (b"QUI=QUJD", b"AB", {"transfer.base64-after-padding"}),
        (b"=", b"", {"transfer.base64-padding"}),
    ],
)
def test_base64_leniencies(data: bytes, decoded: bytes, defects: set[str]) -> None:
    assert decode("base64", data) == (decoded, defects)


@pytest.mark.parametrize(
    ("data", "decoded", "defects"),
    [
        (b"caf=C3=A9 \t\r\nx", b"caf\xc3\xa9\r\nx", set()),
        (b"a=20\r\nb", b"a \r\nb", set()),
        (b"soft= \r\nbreak", b"softbreak", set()),
        (b"=3d=3D", b"==", set()),
        (b"==41", b"=A", {"transfer.qp-malformed"}),
        (b"=4=\r\n1", b"=41", {"transfer.qp-malformed"}),
        (b"=G1", b"=G1", {"transfer.qp-malformed"}),
        (b"end=", b"end", {"transfer.qp-malformed"}),
        (b"a=\rb", b"a=\rb", {"transfer.qp-malformed"}),
        # With the blanks gone, CR and LF stand together; they were no line end.
        (b"a=\r \nb", b"a=\r\nb", {"transfer.qp-malformed"}),
        (b"a \r\rb", b"a \r\rb", set()),
    ],
)
def test_quoted_printable_leniencies(data: bytes, decoded: bytes, defects: set[str]) -> None:
    assert decode("quoted-printable", data) == (decoded, defects)


@pytest.mark.parametrize("blanks", [BLANK_RUN_MAX_BYTES, BLANK_RUN_MAX_BYTES + 1])
@pytest.mark.parametrize("before", [b"x", b"="])
@pytest.mark.parametrize("after", [b"\r\ny", b"\ny", b"y", b"", b"\ry", b"\r", b"\r \ny"])
def test_long_blank_runs_do_not_depend_on_pieces(blanks: int, before: bytes, after: bytes) -> None:
    data = before + b" " * blanks + after
    expected = slow_quoted_printable(data)
    for size in (1_000, 65_535, 65_537, blanks + 2, len(data)):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        assert decode("quoted-printable", *pieces) == expected


def test_unknown_encodings_are_left_as_they_are() -> None:
    assert decode("x-uuencode", b"begin") == (b"begin", {"transfer.unknown"})
    assert decode("binary", b"\x00\xff") == (b"\x00\xff", set())


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("unit", [b"=", b" ", b"=\r\n", b" \r\n", b"\xff", b"=4"])
def test_time_is_linear(encoding: str, unit: bytes) -> None:
    def seconds(count: int) -> float:
        data = unit * count
        start = time.process_time()
        decode(encoding, *[data[i : i + 16_384] for i in range(0, len(data), 16_384)])
        return time.process_time() - start

    once = min(seconds(100_000) for _ in range(3))
    twice = min(seconds(200_000) for _ in range(3))
    assert twice < 6 * once + 0.02

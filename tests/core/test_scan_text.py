"""text/1: against a slow definition on the whole text, and what is refused (SPEC §3.4, §3.5)."""

import hashlib
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core import charsets
from proofmail.core.composed import RUN_MAX
from proofmail.core.text import Text


def rule(data: bytes, charset: str | None, flow: str = "", size: int = 1 << 20) -> object:
    text = Text(charset, flowed=bool(flow), delete_space=flow == "delsp")
    for start in range(0, len(data), size):
        text.feed(data[start : start + size])
    fingerprint, reason = text.finish()
    return reason if fingerprint is None else (fingerprint.size_bytes, fingerprint.sha256)


def says(text: str) -> tuple[int, bytes]:
    data = text.encode()
    return len(data), hashlib.sha256(data).digest()


def slow(text: str, flow: str = "") -> str:
    """SPEC §3.5 steps 2 to 6, for text that is eligible."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if flow:
        out: list[str] = []
        depth_before, open_paragraph = 0, False
        for line in text.split("\n"):
            marks = re.match(">*", line)
            depth = marks.end() if marks else 0
            rest = line[depth:]
            rest = rest[1:] if rest[:1] == " " else rest
            fixed = rest in ("", "-- ") or rest[-1] != " "
            joins = open_paragraph and depth == depth_before and rest not in ("", "-- ")
            if flow == "delsp" and not fixed:
                rest = rest[:-1]
            if joins:
                out[-1] += rest
            else:
                out.append(">" * depth + (" " if depth else "") + rest)
            depth_before, open_paragraph = depth, not fixed
        text = "\n".join(out)
    lines = [line.rstrip(" \t") for line in text.split("\n")]
    return unicodedata.normalize("NFC", "\n".join(lines).rstrip("\n"))


texts = st.text(
    st.sampled_from("ab>- \t\r\n\n\u0301\u0323eé\u212b\ufeff漢\u1100\u1161\x00"), max_size=40
) | st.lists(
    st.sampled_from(["> ", ">", "-- ", "-- \r\n", "word ", "word\r\n", " \r\n", "\r\n", ">> q \n"])
).map("".join)


@given(texts, st.sampled_from(["", "flowed", "delsp"]), st.integers(1, 9))
def test_equals_the_slow_definition_for_any_pieces(text: str, flow: str, size: int) -> None:
    data = text.encode()
    assert rule(data, "utf-8", flow, size) == says(slow(text, flow))


@pytest.mark.parametrize(
    ("data", "flow", "text"),
    [
        ("one\r\ntwo\rthree\nfour \t\r\n\r\n \r\n", "", "one\ntwo\nthree\nfour"),
        ("\ufeffx", "", "x"),
        ("\ufeff\ufeffx", "", "\ufeffx"),
        ("\r\n x", "", "\n x"),
        ("a\x00b", "", "a\x00b"),
        ("a \r\nb\r\nc", "flowed", "a b\nc"),
        ("a \r\nb", "delsp", "ab"),
        ("> a \r\n> b\r\n>> c \r\n> d", "flowed", "> a b\n>> c\n> d"),
        (" >not quoted\r\n  two", "flowed", ">not quoted\n two"),
        ("text \r\n-- \r\nJoe \r\nDoe", "flowed", "text\n--\nJoe Doe"),
        ("end \r\n\r\nnext", "flowed", "end\n\nnext"),
        (">\u0338", "flowed", "> \u0338"),
        ("e \r\n\u0301", "delsp", "é"),
        ("", "flowed", ""),
        (" \r\n", "", ""),
    ],
)
def test_examples(data: str, flow: str, text: str) -> None:
    assert slow(data, flow) == text
    assert rule(data.encode(), "utf-8", flow) == says(text)
    assert rule(data.encode(), "utf-8", flow, 1) == says(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("100 €", "100 $"),
        ("1 000", "1000"),
        ("not", "now"),
        ("a\nb", "ab"),
        ("  x", " x"),
        ("A", "a"),
        ("pa\u200bid", "paid"),
        ("ſ", "s"),
        ("ﬁ", "fi"),
    ],
)
def test_what_reads_differently_has_another_fingerprint(one: str, other: str) -> None:
    for flow in ("", "flowed", "delsp"):
        assert rule(one.encode(), "utf-8", flow) != rule(other.encode(), "utf-8", flow)


@pytest.mark.parametrize(
    ("data", "charset", "reason"),
    [
        (b"x", "gb18030", "text.charset-unknown"),
        (b"x", "?", "text.charset-unknown"),
        ("é".encode(), None, "text.undecodable"),
        ("é".encode(), "us-ascii", "text.undecodable"),
        (b"\xed\xa0\x80", "utf-8", "text.undecodable"),
        (b"\xc0\xaf", "utf-8", "text.undecodable"),
        (b"x\xe2\x82", "utf-8", "text.undecodable"),
        (b"\x81", "windows-1252", "text.undecodable"),
        ("\u0378".encode(), "utf-8", "text.unassigned"),
        ("\uffff".encode(), "utf-8", "text.unassigned"),
        ("\U000105d2\u0307".encode(), "utf-8", "text.unassigned"),
        (("a" + "\u0301" * 31).encode(), "utf-8", "text.run-too-long"),
        (("é" * (RUN_MAX + 1)).encode(), "utf-8", "text.run-too-long"),
        (("x" + "é" * (RUN_MAX + 1) + "x").encode(), "utf-8", "text.run-too-long"),
        (b" " * (RUN_MAX + 1) + b"x", "utf-8", "text.run-too-long"),
        (b"x" + b"\t " * RUN_MAX, "utf-8", "text.run-too-long"),
        # The first reason in the order of SPEC §3.5.7 is given, wherever in the text it stands.
        (b" " * (RUN_MAX + 1) + b"\xff", "utf-8", "text.undecodable"),
        (b" " * (RUN_MAX + 1) + "\u0378".encode(), "utf-8", "text.unassigned"),
        ("\u0378".encode() + b"\xff", "utf-8", "text.undecodable"),
    ],
)
def test_refused(data: bytes, charset: str | None, reason: str) -> None:
    for size in (len(data), 4_096, 7 if len(data) < 1_000 else 997):
        assert rule(data, charset, "", size) == reason


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0301" * 30,
        "é" * RUN_MAX,
        "x" + "é" * RUN_MAX + "x",
        "e" + "\u0301" + "漢" * (RUN_MAX - 1),
        " " * RUN_MAX + "x",
        "x" * (3 * RUN_MAX),
        "x\n" + "\n" * (2 * RUN_MAX) + "x",
    ],
)
def test_at_the_limits(text: str) -> None:
    for size in (4_096, 65_537, 1 << 20):
        assert rule(text.encode(), "utf-8", "", size) == says(slow(text))
    tabs = text.replace("\n", "\r\n").encode()
    assert rule(tabs, "utf-8", "", 997) == says(slow(text))


def test_flowed_lines_have_a_limit() -> None:
    line = "x" * RUN_MAX
    for size in (1_000, 1 << 20):
        assert rule(line.encode(), "utf-8", "flowed", size) == says(line)
        assert rule((line + "x").encode(), "utf-8", "flowed", size) == "text.run-too-long"
        assert rule((line + "x\ny").encode(), "utf-8", "flowed", size) == "text.run-too-long"
    marks = "".join(f"{'e' if not i else ''}{chr(0x301) * 30} \n" for i in range(2))
    assert rule(marks.encode(), "utf-8", "flowed") != "text.run-too-long"
    assert rule(marks.encode(), "utf-8", "delsp") == "text.run-too-long"


def test_charsets_say_the_same_text() -> None:
    text = "Reçu à Genève : 5 €, “œuvre”"
    utf8 = rule(text.encode(), "UTF-8")
    assert rule(text.encode("cp1252"), "Windows-1252") == utf8
    no_quotes = text.replace("“", "").replace("”", "")
    assert rule(no_quotes.encode("iso-8859-15"), "iso-8859-15") == says(no_quotes)
    assert rule(b"\xe9", "latin1") == says("é")
    assert rule(b"x", None) == rule(b"x", "utf8") == says("x")


OTHER_NAMES = {"windows-874": "cp874", "macintosh": "mac_roman"}


@pytest.mark.parametrize("name", sorted(charsets._TABLES))
def test_our_tables_equal_the_machines_codecs(name: str) -> None:
    codec = OTHER_NAMES.get(name, name.replace("windows-", "cp"))
    for byte in range(256):
        data = bytes((byte,))
        expected = data.decode(codec, "replace")
        if "\x80" <= expected < "\xa0":
            expected = "\ufffd"  # programs read another code page's signs there
        assert charsets.decode_replacing(data, name) == (expected, expected != "\ufffd")


def test_the_charsets_are_a_closed_list() -> None:
    assert len(charsets._TABLES) == 29
    for label in ("gb18030", "iso-2022-jp", "utf-7", "utf-16", "shift_jis", "cp437", "x", ""):
        assert charsets.canonical(label) is None
    assert charsets.canonical("TIS-620") == "windows-874"


@pytest.mark.parametrize("unit", [" ", "\n", " \n", "é", "a\u0301", "> a \r\n", "\r", "漢", "a"])
@pytest.mark.parametrize("flow", ["", "delsp"])
def test_time_is_linear(unit: str, flow: str) -> None:
    def seconds(count: int) -> float:
        data = unit.encode() * count
        start = time.process_time()
        rule(data, "utf-8", flow, 16_384)
        return time.process_time() - start

    once = min(seconds(30_000) for _ in range(3))
    twice = min(seconds(60_000) for _ in range(3))
    assert twice < 6 * once + 0.02

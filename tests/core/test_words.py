"""words/1 of plain text: white space alone is unified (SPEC §3.13)."""

import hashlib
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core.scan import scan
from proofmail.core.unicode14 import is_assigned
from proofmail.core.words import Words, is_white, split

WHITE = [
    *range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
    0x205F, 0x3000,
]  # fmt: skip


def rule(text: str, size: int = 1 << 20) -> tuple[int, str]:
    words = Words()
    for start in range(0, len(text), size):
        words.feed(text[start : start + size])
    found = words.finish()
    return found.size_bytes, found.sha256.hex()


def says(text: str) -> tuple[int, str]:
    data = text.encode()
    return len(data), hashlib.sha256(data).hexdigest()


def test_white_space_is_that_of_unicode_14() -> None:
    for code_point in range(sys.maxunicode + 1):
        character = chr(code_point)
        white = code_point in WHITE
        assert is_white(character) == white
        if is_assigned(code_point) and not 0xD800 <= code_point <= 0xDFFF:
            assert (split(f"a{character}b") == ["a", "b"]) == white
    # Every space separator of Unicode is white space; the list is PropList.txt's White_Space.
    spaces = [c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) == "Zs"]
    assert set(spaces) <= set(WHITE)


@given(
    st.text(st.sampled_from("ab>\u200b\xad\x1c\x1f \t\n\xa0\u3000é"), max_size=30),
    st.integers(1, 5),
)
def test_equals_the_slow_definition_for_any_pieces(text: str, size: int) -> None:
    spaced = "".join(" " if ord(c) in WHITE else c for c in text)
    expected = says(" ".join(word for word in spaced.split(" ") if word))
    assert rule(text, size) == rule(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("100 €", "100 $"), ("1 000", "1000"), ("> a", "a"), ("“a”", '"a"'), ("A", "a"),
     ("a\xadb", "ab"),
     ("pa\u200bid", "paid"), ("-5", "−5"), ("a b", "b a"), ("a\x1fb", "a b")],
)  # fmt: skip
def test_what_reads_differently_has_another_fingerprint(one: str, other: str) -> None:
    assert rule(one) != rule(other)


def test_a_kept_digest() -> None:
    # printf '> Total: 1 200 EUR' | sha256sum
    message = b"Content-Type: text/plain\r\n\r\n> Total:\r\n \t1 200\r\n\r\n\r\nEUR \r\n"
    found = scan(message).parts[0].fingerprints
    assert [item.rule for item in found] == ["decoded/1", "text/1", "words/1"]
    assert (found[2].size_bytes, found[2].sha256.hex()) == (
        18,
        "6178bdc5119d81d0ea20e03204d8b260881f74e367a8da5c2c5e03b8fc1009dd",
    )
    assert found[2].sha3_256 == hashlib.sha3_256(b"> Total: 1 200 EUR").digest()


def test_only_plain_text_and_html_have_words() -> None:
    for kind in ("text/csv", "text/calendar", "application/x"):
        found = scan(f"Content-Type: {kind}\r\n\r\na".encode()).parts[0].fingerprints
        assert "words/1" not in [item.rule for item in found]
    found = scan(b"Content-Type: text/plain\r\n\r\n\xff").parts[0].fingerprints
    assert [item.rule for item in found] == ["decoded/1"]

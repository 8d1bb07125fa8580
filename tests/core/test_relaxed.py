"""body-relaxed/1: against RFC 6376 §3.4.4 line by line, for any pieces (SPEC §3.11)."""

import hashlib
import re
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core.relaxed import Relaxed
from proofmail.core.scan import scan


def rule(message: bytes, size: int = 1 << 20) -> tuple[int, str]:
    relaxed = Relaxed()
    for start in range(0, len(message), size):
        relaxed.feed(message[start : start + size])
    found = relaxed.finish()
    assert found.sha3_256 is None
    return found.size_bytes, found.sha256.hex()


def says(body: bytes) -> tuple[int, str]:
    return len(body), hashlib.sha256(body).hexdigest()


def slow(message: bytes) -> bytes:
    message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    _, _, body = (b"\r\n" + message).partition(b"\r\n\r\n")
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


messages = st.lists(
    st.sampled_from([b"a", b"H: b", b" ", b"\t", b"\r\n", b"\r\n", b"\r\n", b"\r", b"\n"]),
    max_size=30,
).map(b"".join)


@given(messages, st.integers(1, 9))
def test_equals_the_slow_definition_for_any_pieces(message: bytes, size: int) -> None:
    assert rule(message, size) == says(slow(message))


@pytest.mark.parametrize(
    ("message", "body"),
    [
        # RFC 6376 §3.4.5, the example, its body in relaxed form as printed there.
        (b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        (b"A: X\r\n\r\n", b""),
        (b"A: X\r\n\r\n\r\n \r\n\t\r\n", b""),
        (b"A: X\r\n\r\nno end", b"no end\r\n"),
        (b"\r\nbody\r\n", b"body\r\n"),
        (b"A: X\n\nlone\nfeeds\n", b"lone\r\nfeeds\r\n"),
        (b"A: X\r\n\r\na\rb\r\r\n", b"a\rb\r\r\n"),
        (b"no body\r\n", b""),
    ],
)
def test_examples(message: bytes, body: bytes) -> None:
    assert rule(message) == rule(message, 1) == says(body)


def test_a_kept_digest() -> None:
    # printf ' C\r\nD E\r\n' | sha256sum
    message = b"A: X\r\n\r\n C \r\nD \t E\r\n\r\n\r\n"
    kept = "ba76a4e891ead302fe4351cfedd5b5b63071f452c0e837dfa19d2aacbc1b6e9a"
    found = scan(message).fingerprints[1]
    assert (found.rule, found.size_bytes) == ("body-relaxed/1", 9)
    assert found.sha256.hex() == kept


def test_time_is_linear_and_memory_constant() -> None:
    for unit in (b" ", b"\r\n", b"\r", b" \r\n", b"\t \r\nx", b"a "):
        relaxed = Relaxed()
        relaxed.feed(b"A: X\r\n\r\nx")
        piece = unit * (65_536 // len(unit))
        start = time.process_time()
        tracemalloc.start()
        try:
            for _ in range(40):
                relaxed.feed(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        relaxed.finish()
        assert peak < 2_000_000
        assert time.process_time() - start < 2

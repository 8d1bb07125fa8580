"""`words/1` of plain text: its words in order, white space alone unified (SPEC §3.13).

Takes what `text/1` makes, in pieces. A re-wrapped text keeps its words; a quotation mark, sign,
separator or invisible character is part of a word.
"""

from __future__ import annotations

import re
from hashlib import sha3_256, sha256

from proofmail.core.model import Fingerprint

_WHITE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


class Words:
    """The rule for one part."""

    def __init__(self) -> None:
        self._started = False
        self._space = False
        self._size_bytes = 0
        self._sha256 = sha256()
        self._sha3_256 = sha3_256()

    def feed(self, text: str) -> None:
        if not text:
            return
        words = split(text)
        if not words:
            self._space = True
            return
        joined = " ".join(words)
        if self._started and (self._space or is_white(text[0])):
            joined = " " + joined
        self._started = True
        self._space = is_white(text[-1])
        data = joined.encode("utf-8")
        self._size_bytes += len(data)
        self._sha256.update(data)
        self._sha3_256.update(data)

    def finish(self) -> Fingerprint:
        return Fingerprint(
            "words/1", self._size_bytes, self._sha256.digest(), self._sha3_256.digest()
        )


def split(text: str) -> list[str]:
    """The words between white space (White_Space of Unicode 14.0)."""
    # Python's `split` also takes the information separators for white space; Unicode does not.
    if not ("\x1c" in text or "\x1d" in text or "\x1e" in text or "\x1f" in text):
        return text.split()
    return [word for word in _WHITE.split(text) if word]


def is_white(character: str) -> bool:
    return _WHITE.match(character) is not None

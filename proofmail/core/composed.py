"""Text in pieces, hashed in NFC as UTF-8 by both algorithms (SPEC §3.5 step 6, §3.12.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha3_256, sha256

from proofmail.core.model import Fingerprint
from proofmail.core.unicode14 import compose

RUN_MAX = 65_536
"""Most code points without an ASCII character between them: so much is held back."""

_GATHER = 8_192
_LEADING_RUN = re.compile(r"[^\x00-\x7f]*")


class Composed:
    """The result of one rule. All that is fed is assigned in Unicode 14.0. `made` takes the
    result in pieces."""

    def __init__(self, rule: str, made: Callable[[str], None] | None = None) -> None:
        self.too_long = False
        self._rule = rule
        self._made = made
        self._open = ""
        self._gathered: list[str] = []
        self._gathered_size = 0
        self._size_bytes = 0
        self._sha256 = sha256()
        self._sha3_256 = sha3_256()

    def feed(self, text: str) -> None:
        """NFC is cut only before an ASCII character: nothing composes across such a place."""
        if not self._open and text.isascii():
            if text:
                self._put(text[:-1])
                self._open = text[-1]
            return
        for start in range(0, len(text), RUN_MAX):
            self._piece(text[start : start + RUN_MAX])

    def finish(self) -> Fingerprint | None:
        """None where a run was too long, or over 30 non-starters followed one another."""
        if not self.too_long:
            self._put(self._open)
        if self.too_long:
            return None
        self._pass_on()
        return Fingerprint(
            self._rule, self._size_bytes, self._sha256.digest(), self._sha3_256.digest()
        )

    def _piece(self, piece: str) -> None:
        if self.too_long:
            return
        open_run = len(self._open) - (self._open[:1] <= "\x7f") if self._open else 0
        if open_run + len(piece) > RUN_MAX and open_run + _leading_run(piece) > RUN_MAX:
            self.too_long = True
            return
        text = self._open + piece
        last = len(text) - 1
        while last > 0 and text[last] > "\x7f":
            last -= 1
        if last > 0:
            self._put(text[:last])
            text = text[last:]
        self._open = text

    def _put(self, text: str) -> None:
        composed = compose(text)
        if composed is None:
            self.too_long = True
            return
        self._gathered.append(composed)
        self._gathered_size += len(composed)
        if self._gathered_size >= _GATHER:
            self._pass_on()

    def _pass_on(self) -> None:
        made = "".join(self._gathered)
        self._gathered, self._gathered_size = [], 0
        if self._made is not None:
            self._made(made)
        data = made.encode("utf-8")
        self._size_bytes += len(data)
        self._sha256.update(data)
        self._sha3_256.update(data)


def _leading_run(text: str) -> int:
    found = _LEADING_RUN.match(text)
    return found.end() if found else 0

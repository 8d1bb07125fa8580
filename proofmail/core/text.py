"""`text/1`: what a text part says, whatever its charset, line ends, trailing blanks or wrapping by
format=flowed (SPEC §3.5). Takes the decoded part in pieces and keeps a bounded tail.

Every stage holds back what a later piece could change, and slices what it takes, so that no run
can pass a limit unseen inside one piece. That makes the result independent of the pieces.
"""

from __future__ import annotations

from codecs import utf_8_decode
from collections.abc import Callable

from proofmail.core import charsets
from proofmail.core.composed import RUN_MAX, Composed
from proofmail.core.model import Fingerprint
from proofmail.core.unicode14 import has_unassigned

_SLICE = RUN_MAX // 2
"""`RUN_MAX` is also the most code points in a run of blanks, and in a flowed line."""
_SIGNATURE = "-- "


class Text:
    """The rule for one part. `charset` is the parameter's value, None where there is none.
    `decoded` and `made` take what other rules start from: the text of step 2, the result."""

    def __init__(
        self,
        charset: str | None,
        *,
        flowed: bool,
        delete_space: bool,
        decoded: Callable[[str], None] | None = None,
        made: Callable[[str], None] | None = None,
    ) -> None:
        self._decoded = decoded
        self._charset = charsets.canonical(charset) if charset is not None else "us-ascii"
        self._cut = b""
        self._undecodable = False
        self._unassigned = False
        self._run_too_long = False
        self._at_start = True
        self._held_cr = ""
        self._flow = _Flow(delete_space) if flowed else None
        self._line_ends = 0
        self._blanks = ""
        self._composed = Composed("text/1", made)

    def feed(self, data: bytes) -> None:
        if self._charset is None or self._undecodable:
            return
        try:
            if self._charset == "utf-8":
                data = self._cut + data
                text, read_bytes = utf_8_decode(data, "strict", False)
                self._cut = data[read_bytes:]
            else:
                text = charsets.decode(data, self._charset)
        except UnicodeDecodeError:
            self._undecodable = True
            return
        if not self._unassigned and has_unassigned(text):
            self._unassigned = True
        if text and not (self._unassigned or self._run_too_long or self._composed.too_long):
            self._unify_line_ends(text)

    def finish(self) -> tuple[Fingerprint | None, str | None]:
        """The fingerprint, or the one reason why there is none (SPEC §3.5, in this order)."""
        if self._charset is None:
            return None, "text.charset-unknown"
        if self._undecodable or self._cut:
            return None, "text.undecodable"
        if self._unassigned:
            return None, "text.unassigned"
        if self._held_cr:
            self._flowed("\n")
        if self._flow is not None:
            self._trim(self._flow.finish())
        fingerprint = None if self._run_too_long else self._composed.finish()
        return fingerprint, "text.run-too-long" if fingerprint is None else None

    def _unify_line_ends(self, text: str) -> None:
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        if self._decoded is not None:
            self._decoded(text)
        text = self._held_cr + text
        self._held_cr = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._flowed(text)

    def _flowed(self, text: str) -> None:
        if self._flow is None:
            self._trim(text)
            return
        for piece in _slices(text):
            self._trim(self._flow.feed(piece))
            if self._flow.line_too_long:
                self._run_too_long = True
                return

    def _trim(self, text: str) -> None:
        """Removes blanks before line ends, and holds back what may turn out to be trailing."""
        for piece in _slices(text):
            piece = self._blanks + piece
            if piece[0] in " \t" and len(piece) - len(piece.lstrip(" \t")) > RUN_MAX:
                self._run_too_long = True
                return
            kept = piece.rstrip(" \t\n")
            tail = piece[len(kept) :]
            if kept:
                self._flush_line_ends()
                if " \n" in kept or "\t\n" in kept:
                    kept = "\n".join([line.rstrip(" \t") for line in kept.split("\n")])
                self._composed.feed(kept)
            self._line_ends += tail.count("\n")
            self._blanks = tail[tail.rfind("\n") + 1 :]

    def _flush_line_ends(self) -> None:
        while self._line_ends:
            count = min(self._line_ends, _SLICE)
            self._line_ends -= count
            self._composed.feed("\n" * count)


class _Flow:
    """Undoes format=flowed (RFC 3676 §4): the lines of a paragraph become one line."""

    def __init__(self, delete_space: bool) -> None:
        self.line_too_long = False
        self._delete_space = delete_space
        self._partial = ""
        self._paragraph_depth = -1
        self._started = False

    def feed(self, text: str) -> str:
        lines = (self._partial + text).split("\n")
        self._partial = lines.pop()
        if len(self._partial) > RUN_MAX or (lines and len(lines[0]) > RUN_MAX):
            self.line_too_long = True
        return "".join([self._line(line) for line in lines])

    def finish(self) -> str:
        return self._line(self._partial)

    def _line(self, line: str) -> str:
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        joins = depth == self._paragraph_depth and rest not in ("", _SIGNATURE)
        flowed = rest.endswith(" ") and rest != _SIGNATURE
        self._paragraph_depth = depth if flowed else -1
        if flowed and self._delete_space:
            rest = rest[:-1]
        if joins:
            return rest
        start = "\n" if self._started else ""
        self._started = True
        return start + ">" * depth + (" " if depth else "") + rest


def _slices(text: str) -> list[str]:
    if len(text) <= _SLICE:
        return [text] if text else []
    return [text[start : start + _SLICE] for start in range(0, len(text), _SLICE)]

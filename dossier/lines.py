"""Lines of text that reportlab's own paragraphs can't set: other scripts, mixed directions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from typing import Any

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable

from dossier.scripts import Run, runs, starts_right_to_left, width
from dossier.tags import Node, actual_text, content
from dossier.text import in_own_font

_LEADING = 1.75
"""Of the size: the marks of Thai, Arabic and Devanagari stand higher and lower than Latin does."""

_UNITS = re.compile(r"[^ ]+ *| +")
_ALONE = frozenset({"W", "F"})  # East Asian width: a line may break beside each such character


class Lines(Flowable):  # type: ignore[misc]
    """A text that has passed :func:`dossier.text.visible`. A paragraph whose first letter runs
    from right to left stands at the right."""

    def __init__(
        self, text: str, style: ParagraphStyle, node: Node, lines: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self.style = style
        self._text = text
        self._node = node
        self._lines = lines
        self._leading = max(style.leading, style.fontSize * _LEADING)
        self._right_to_left = starts_right_to_left(text)

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        room = available_width - self.style.leftIndent - self.style.rightIndent
        if not self._lines:
            self._lines = tuple(_broken(self._text, self.style, room))
        self.height = len(self._lines) * self._leading
        return self.width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        self.wrap(available_width, available_height)
        fit = int(available_height // self._leading)
        if not 0 < fit < len(self._lines):
            return []
        halves = (self._lines[:fit], self._lines[fit:])
        return [Lines(self._text, self.style, self._node, half) for half in halves]

    def draw(self) -> None:
        with content(self.canv, self._node):
            self._draw_lines()

    def _draw_lines(self) -> None:
        style, canvas = self.style, self.canv
        canvas.setFillColor(style.textColor)
        # The ascent of a line in which Latin stands in its middle.
        y = self.height - (self._leading + 0.72 * style.fontSize) / 2
        for line in self._lines:
            placed = runs(line.rstrip(" "), style.fontName, right_to_left=self._right_to_left)
            wide = sum(run.width for run in placed) * style.fontSize / 1000
            right = self.width - style.rightIndent - wide
            x = right if self._right_to_left else style.leftIndent
            with actual_text(canvas, line):
                for run in placed:
                    x = _draw(canvas, run, x, y, style.fontSize)
            y -= self._leading


def _draw(canvas: Any, run: Run, x: float, y: float, size: float) -> float:
    """Draws the run at x, y; where the next one starts. Glyphs that follow each other by their
    own widths are written as one string."""
    text = canvas.beginText()
    text.setFont(run.font, size)
    waiting, start = "", x
    for glyph in run.glyphs:
        plain = not glyph.right and not glyph.up
        if not plain and waiting:
            _write(text, start, y, waiting)
            waiting = ""
        if not waiting:
            start = x
        if plain:
            waiting += glyph.character
        else:
            _write(text, x + glyph.right * size / 1000, y + glyph.up * size / 1000, glyph.character)
        x += glyph.advance * size / 1000
        if waiting and abs(start + canvas.stringWidth(waiting, run.font, size) - x) > 0.01:
            _write(text, start, y, waiting)
            waiting = ""
    if waiting:
        _write(text, start, y, waiting)
    canvas.drawText(text)
    return x


def _write(text: Any, x: float, y: float, characters: str) -> None:
    text.setTextOrigin(x, y)
    text.textOut(characters)


def _broken(text: str, style: ParagraphStyle, room: float) -> Iterator[str]:
    """Lines of at most `room` points, in the order of reading: broken after spaces and beside
    East Asian characters, and inside a word only where it alone is wider."""
    line, filled = "", 0.0
    space = _measured(" ", style)
    for unit in _units(text):
        word = unit.rstrip(" ")
        wide = _measured(word, style)
        if line and filled + wide > room:
            yield line
            line, filled = "", 0.0
        if wide > room:
            *full, unit = _pieces(unit, style, room)
            yield from full
            word = unit.rstrip(" ")
            wide = _measured(word, style)
        line += unit
        filled += wide + space * (len(unit) - len(word))
    yield line


def _measured(text: str, style: ParagraphStyle) -> float:
    """Its width on one line, in points."""
    size: float = style.fontSize
    return width(text, style.fontName) * size / 1000


def _units(text: str) -> Iterator[str]:
    for word in _UNITS.findall(text):
        unit = ""
        for cluster in _clusters(word):
            alone = unicodedata.east_asian_width(cluster[0]) in _ALONE
            before = unit != "" and unicodedata.east_asian_width(unit[0]) in _ALONE
            if unit and (alone or before) and cluster != " ":
                yield unit
                unit = ""
            unit += cluster
        yield unit


def _clusters(word: str) -> Iterator[str]:
    """What must stay together: a letter and its marks, an emoji and what it is joined with."""
    cluster = ""
    for character in word:
        joined = unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf")
        joined = joined or cluster.endswith("\u200d") or "\U0001f3fb" <= character <= "\U0001f3ff"
        if cluster and not joined:
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _pieces(word: str, style: ParagraphStyle, room: float) -> list[str]:
    pieces, filled = [""], 0.0
    for cluster in _clusters(word):
        wide = _measured(cluster, style)
        if pieces[-1] and filled + wide > room:
            pieces.append("")
            filled = 0.0
        pieces[-1] += cluster
        filled += wide
    return pieces


def needs_lines(text: str, own: Container[int]) -> bool:
    """Whether a visible text has a character that its own font, with the glyphs `own`, has not."""
    return not all(in_own_font(character, own) for character in text)

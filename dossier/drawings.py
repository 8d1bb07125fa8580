"""What people would rather see than read: the timeline, and the code that a telephone reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from reportlab.lib.colors import white
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable

from dossier.blocks import Event, Timeline
from dossier.fonts import BODY, BOLD, MONO
from dossier.look import CARE, GOOD, INK, PALE, RULE, SOFT
from dossier.tags import Node, content

_DOT = 2.1 * mm
_TITLE_SIZE, _TEXT_SIZE = 7.4, 6.6
_LINE = 3.1 * mm
_LISTING_SIZE, _LISTING_LEADING = 7.6, 10.1
_LISTING_EDGE = 2 * mm
_ABOVE = 6.5 * mm
"""For the delays, over the line."""


class TimelineDrawing(Flowable):  # type: ignore[misc]
    """Events at equal distances, in order, with the delay between two over the line. A filled dot
    is proven by a witness, an open one is stated or still awaited."""

    def __init__(self, timeline: Timeline, node: Node) -> None:
        super().__init__()
        self._events = timeline.events
        self._node = node

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        self._step = available_width / len(self._events)
        self._titles = [_wrapped(event.title, self._step - 6) for event in self._events]
        deepest = max(
            len(title) + len(event.lines)
            for title, event in zip(self._titles, self._events, strict=True)
        )
        self.height = _ABOVE + 2 * _DOT + (deepest + 0.4) * _LINE
        return self.width, self.height

    def draw(self) -> None:
        with content(self.canv, self._node):
            self._draw()

    def _draw(self) -> None:
        canvas = self.canv
        y = self.height - _ABOVE
        centres = [(index + 0.5) * self._step for index in range(len(self._events))]
        canvas.setLineWidth(1.2)
        for index, (before, after) in enumerate(zip(self._events, self._events[1:], strict=False)):
            canvas.setStrokeColor(SOFT if after.proven else RULE)
            canvas.setDash([] if after.proven or before.proven else [2, 2])
            canvas.line(centres[index] + _DOT, y, centres[index + 1] - _DOT, y)
            canvas.setFont(BODY, _TEXT_SIZE)
            canvas.setFillColor(SOFT)
            middle = (centres[index] + centres[index + 1]) / 2
            canvas.drawCentredString(middle, y + 1.6 * mm, after.delay)
        canvas.setDash([])
        for centre, title, event in zip(centres, self._titles, self._events, strict=True):
            self._event(centre, y, title, event)

    def _event(self, x: float, y: float, title: list[str], event: Event) -> None:
        canvas = self.canv
        color = SOFT if event.tone == "plain" else GOOD if event.tone == "good" else CARE
        canvas.setStrokeColor(color)
        canvas.setFillColor(color if event.proven else white)
        canvas.setLineWidth(1.2)
        canvas.circle(x, y, _DOT / 1.5, stroke=1, fill=1)
        y -= 2 * _DOT + 1
        canvas.setFillColor(INK)
        canvas.setFont(BOLD, _TITLE_SIZE)
        for line in title:
            canvas.drawCentredString(x, y, line)
            y -= _LINE
        canvas.setFillColor(SOFT)
        canvas.setFont(BODY, _TEXT_SIZE)
        for line in event.lines:
            canvas.drawCentredString(x, y, line)
            y -= _LINE


class ListingDrawing(Flowable):  # type: ignore[misc]
    """Lines of a program on a pale ground, drawn as they stand, on one page."""

    def __init__(self, lines: Sequence[str], node: Node) -> None:
        super().__init__()
        self._lines = lines
        self._node = node
        self.height = len(lines) * _LISTING_LEADING + 2 * _LISTING_EDGE

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        return self.width, self.height

    def draw(self) -> None:
        canvas = self.canv
        with content(canvas, None):
            canvas.setFillColor(PALE)
            canvas.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        with content(canvas, self._node):
            text = canvas.beginText(_LISTING_EDGE, self.height - _LISTING_EDGE - _LISTING_SIZE)
            text.setFont(MONO, _LISTING_SIZE, _LISTING_LEADING)
            text.setFillColor(INK)
            for line in self._lines:
                text.textLine(line)
            canvas.drawText(text)


class CodeDrawing(Flowable):  # type: ignore[misc]
    """A QR code (ISO/IEC 18004), error correction M, with the quiet zone of four modules."""

    def __init__(self, address: str, side: float, node: Node) -> None:
        super().__init__()
        self._matrix = segno.make(address, error="m", micro=False).matrix
        self._node = node
        self.width = self.height = side

    def draw(self) -> None:
        with content(self.canv, self._node):
            _modules(self.canv, self._matrix, self.width)


def _modules(canvas: Any, matrix: Any, side: float) -> None:
    size = side / (len(matrix) + 8)
    path = canvas.beginPath()
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                path.rect((column + 4) * size, side - (row + 5) * size, size, size)
    canvas.setFillColor(INK)
    canvas.drawPath(path, stroke=0, fill=1)


def _wrapped(text: str, room: float) -> list[str]:
    """Our own short titles, broken at spaces."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and stringWidth(longer, BOLD, _TITLE_SIZE) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines

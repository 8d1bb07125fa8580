"""A story set on A4 pages by reportlab, with its logical structure. The same story gives the same
bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import Color, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Spacer,
    Table,
    TableStyle,
)
from reportlab.platypus import Paragraph as Flow

from dossier import fonts
from dossier.blocks import (
    Block,
    Cell,
    Check,
    Facts,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Story,
    Timeline,
)
from dossier.drawings import CodeDrawing, ListingDrawing, TimelineDrawing
from dossier.fonts import BODY, BOLD, MONO
from dossier.lines import Lines, needs_lines
from dossier.look import CARE, CARE_PALE, GOOD, GOOD_PALE, INK, PALE, RULE, SOFT
from dossier.tags import Marks, Node, content
from dossier.text import markup, visible

LABEL_WIDTH = 50 * mm
MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
BAND = 6.2 * mm
WHOLE_ROW = 150 * mm
"""A row of at most this height is never parted: it fits on any page."""


def _style(name: str, size: float, font: str = BODY, color: Color = INK, **more: Any) -> Any:
    return ParagraphStyle(
        name,
        fontName=font,
        bulletFontName=font,
        fontSize=size,
        leading=more.pop("leading", size * 1.42),
        textColor=color,
        **more,
    )


_STYLES = {
    "title": _style("title", 22, BOLD, leading=27),
    "subtitle": _style("subtitle", 11, color=SOFT, spaceAfter=4 * mm),
    "h1": _style("h1", 13, BOLD, spaceBefore=7 * mm, spaceAfter=2 * mm),
    "h2": _style("h2", 10, BOLD, spaceBefore=3.5 * mm, spaceAfter=1.2 * mm),
    "body": _style("body", 9.5, spaceAfter=2 * mm),
    "note": _style("note", 8.2, color=SOFT, spaceBefore=1 * mm, spaceAfter=2 * mm),
    "item": _style("item", 9.5, leftIndent=4 * mm, bulletIndent=0.5 * mm, spaceAfter=1.2 * mm),
    "command": _style(
        "command", 7.8, MONO, backColor=PALE, borderPadding=(4, 6, 4, 6), leftIndent=6,
        rightIndent=6, spaceBefore=1.6 * mm, spaceAfter=3 * mm, splitLongWords=1,
    ),
    "label": _style("label", 8.6, color=SOFT),
    "value": _style("value", 9.2),
    "cell": _style("cell", 8.6),
    "small": _style("small", 7.6, color=SOFT),
    "mono": _style("mono", 7.4, MONO, leading=10, wordWrap="CJK"),
    "head": _style("head", 8.2, BOLD, color=SOFT),
    "headline good": _style("headline good", 17, BOLD, GOOD, leading=22),
    "headline care": _style("headline care", 17, BOLD, CARE, leading=22),
    "existed": _style("existed", 11.5, BOLD, spaceBefore=1 * mm, leading=15.5),
    "box": _style("box", 9.5, BOLD, spaceAfter=1 * mm),
    "check": _style("check", 8.8, leftIndent=4 * mm, bulletIndent=0.5 * mm),
    "strength": _style("strength", 9.5, leftIndent=4 * mm, bulletIndent=0.5 * mm),
}  # fmt: skip


@dataclass(frozen=True)
class Bookmark:
    """A heading: its level from 1, the index of its page from 0, and how high it stands there, in
    points."""

    title: str
    level: int
    page: int
    top: float


@dataclass(frozen=True)
class Pages:
    """The PDF without what :mod:`dossier.finish` adds, and what that needs."""

    data: bytes
    structure: Node
    marks: Marks
    bookmarks: tuple[Bookmark, ...]


def render(story: Story) -> Pages:
    """The pages of a story."""
    fonts.load()
    band_count = len(story.banners) + bool(story.mark)
    top = 16 * mm + band_count * BAND
    frame = Frame(MARGIN, 18 * mm, WIDTH, A4[1] - 18 * mm - top, 0, 0, 0, 0)
    out = io.BytesIO()
    document = BaseDocTemplate(
        out, pagesize=A4, invariant=1, title=story.title,
        subject=story.subtitle, creator="proofmail", producer="proofmail", lang=story.language,
    )  # fmt: skip
    document.addPageTemplates(PageTemplate("page", [frame]))
    root, marks, bookmarks = Node("Document"), Marks(), list[Bookmark]()
    bands = [root.add("P", repeats=True) for _ in range(band_count)]
    flow: list[Flowable] = [
        _flow(story.title, "title", root.add("H1")),
        _flow(story.subtitle, "subtitle", root.add("P")),
        _verdict(story, root.add("Sect")),
        *_blocks(story, root, bookmarks.append),
    ]

    def canvas(*arguments: Any, **options: Any) -> Canvas:
        return _Canvas(story, marks, bands, *arguments, **{**options, "initialFontName": BODY})

    document.build(flow, canvasmaker=canvas)
    return Pages(out.getvalue(), root, marks, tuple(bookmarks))


class _Canvas(Canvas):  # type: ignore[misc]
    """A canvas that holds pages back until their number is known, then draws what frames them."""

    def __init__(
        self, story: Story, marks: Marks, bands: list[Node], *arguments: Any, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.marks = marks
        self._story = story
        self._bands = bands
        self._held: list[dict[str, Any]] = []
        self._framing: int | None = None

    @property
    def page_index(self) -> int:
        return len(self._held) if self._framing is None else self._framing

    def showPage(self) -> None:
        self._held.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        held = self._held
        for index, state in enumerate(held):
            self.__dict__.update(state)
            self._framing = index
            self._frame_page(index + 1, len(held))
            super().showPage()
        super().save()

    def _frame_page(self, number: int, total: int) -> None:
        story = self._story
        y = A4[1]
        bands = [(text, CARE) for text in story.banners]
        bands += [(story.mark, INK)] if story.mark else []
        for (text, ground), node in zip(bands, self._bands, strict=True):
            y -= BAND
            with content(self, None):
                self.setFillColor(ground)
                self.rect(0, y, A4[0], BAND, stroke=0, fill=1)
            with content(self, node):
                self.setFillColor(white)
                self._fit(text, y + 2 * mm)
        with content(self, None):
            self.setStrokeColor(RULE)
            self.setLineWidth(0.5)
            self.line(MARGIN, 13.5 * mm, A4[0] - MARGIN, 13.5 * mm)
            self.setFillColor(SOFT)
            self.setFont(BODY, 7.6)
            self.drawString(MARGIN, 9.5 * mm, f"{story.title} · {story.footer}")
            page = story.page.format(number=number, total=total)
            self.drawRightString(A4[0] - MARGIN, 9.5 * mm, page)

    def _fit(self, text: str, y: float) -> None:
        """One centred line, made smaller until it fits."""
        size = 8.6
        while size > 5 and self.stringWidth(text, BOLD, size) > WIDTH:
            size -= 0.2
        self.setFont(BOLD, size)
        self.drawCentredString(A4[0] / 2, y, text)


class _Text(Flow):  # type: ignore[misc]
    """A paragraph that belongs to a node, and tells where it was drawn."""

    node: Node | None = None
    drawn: Callable[[int, float], None] | None = None
    whole = False
    """Never parted by the end of a page."""

    def split(self, *room: float) -> list[Flowable]:
        if self.whole:
            return []
        halves: list[Flowable] = super().split(*room)
        for half in halves:
            half.node, half.drawn = self.node, self.drawn
        return halves

    def draw(self) -> None:
        if self.drawn:
            self.drawn(self.canv.page_index, self.canv.absolutePosition(0, self.height)[1])
        with content(self.canv, self.node):
            super().draw()


class _Table(Table):  # type: ignore[misc]
    """A table whose grounds and rules are decoration. A row is parted by the end of a page only
    where it has no room on a page of its own."""

    splitInRow: int

    def split(self, width: float, height: float) -> list[Flowable]:
        self.wrap(width, height)
        first = sum(self._rowHeights[: self.repeatRows + 1])
        within = self.splitInRow
        self.splitInRow = within if first > WHOLE_ROW else 0
        try:
            halves: list[Flowable] = super().split(width, height)
        finally:
            self.splitInRow = within
        for half in halves:
            half.splitInRow = within
        return halves

    def _drawBkgrnd(self) -> None:
        with content(self.canv, None):
            super()._drawBkgrnd()

    def _drawLines(self) -> None:
        with content(self.canv, None):
            super()._drawLines()


def _flow(text: str, style: str, node: Node, bullet: str | None = None) -> Flowable:
    chosen = _STYLES[style]
    own = fonts.load()[chosen.fontName]
    shown = visible(text, own)
    if needs_lines(shown, own):
        return Lines(shown, chosen, node)
    found = _Text(markup(shown), chosen, bulletText=bullet)
    found.node = node
    return found


def _table(rows: list[list[Any]], widths: list[float], *commands: Any, **more: Any) -> Table:
    """Every table names an embedded font: reportlab's own default is not embedded."""
    base = [
        ("FONTNAME", (0, 0), (-1, -1), BODY),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 5),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
    ]
    return _Table(rows, colWidths=widths, style=TableStyle([*base, *commands]), **more)


def _verdict(story: Story, node: Node) -> Flowable:
    verdict = story.verdict
    color, ground = (GOOD, GOOD_PALE) if verdict.good else (CARE, CARE_PALE)
    headline = "headline good" if verdict.good else "headline care"
    inside: list[Flowable] = [
        _flow(verdict.headline, headline, node.add("P")),
        _flow(verdict.lines[0], "existed", node.add("P")),
    ]
    inside += [_flow(line, "value", node.add("P")) for line in verdict.lines[1:]]
    inside.append(Spacer(1, 2 * mm))
    points = node.add("L")
    inside += [_flow(line, "strength", _item(points), "•") for line in verdict.strength]
    inside.append(_flow(verdict.note, "note", node.add("P")))
    return _table(
        [[inside]],
        [WIDTH],
        ("BACKGROUND", (0, 0), (-1, -1), ground),
        ("LINEBEFORE", (0, 0), (0, -1), 3, color),
        ("LEFTPADDING", (0, 0), (-1, -1), 12),
        ("TOPPADDING", (0, 0), (-1, -1), 8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
    )


def _item(points: Node) -> Node:
    return points.add("LI").add("LBody")


def _blocks(story: Story, root: Node, mark: Callable[[Bookmark], None]) -> list[Flowable]:
    flow: list[Flowable] = []
    points: Node | None = None
    for index, block in enumerate(story.blocks):
        following = story.blocks[index + 1] if index + 1 < len(story.blocks) else None
        if isinstance(block, Paragraph) and block.style == "item":
            points = points or root.add("L")
            flow.append(_flow(block.text, "item", _item(points), "•"))
            continue
        points = None
        if isinstance(block, Heading):
            flow += _heading(block, root, mark)
        elif isinstance(block, Paragraph):
            flow.append(_paragraph(block, following, root))
        elif isinstance(block, Timeline):
            figure = root.add("Figure", alternative=block.told)
            flow += [Spacer(1, 5 * mm), TimelineDrawing(block, figure)]
        elif isinstance(block, Check):
            flow += [Spacer(1, 5 * mm), _check(block, root.add("Sect"))]
        elif isinstance(block, Listing):
            flow += _listing(block, root, mark)
        else:
            table = root.add("Table")
            made = _facts(block, table) if isinstance(block, Facts) else _grid(block, table)
            if isinstance(block, Facts) and block.whole and flow:
                made = KeepTogether([flow.pop(), made])
            flow.append(made)
    return flow


def _heading(block: Heading, root: Node, mark: Callable[[Bookmark], None]) -> list[Flowable]:
    room = 45 * mm if block.level == 1 else 28 * mm
    found = _flow(block.text, f"h{block.level}", root.add(f"H{block.level + 1}"))
    if isinstance(found, _Text):
        found.drawn = lambda page, top: mark(Bookmark(block.text, block.level, page, top))
    return [CondPageBreak(room), found]


def _paragraph(block: Paragraph, following: Block | None, root: Node) -> Flowable:
    """A command is not parted, nor from what stands before it. No KeepTogether around it: within
    another one it has no height."""
    found = _flow(block.text, block.style, root.add("P"))
    if block.style == "command":
        found.whole = True
    elif block.style == "body" and isinstance(following, Paragraph):
        found.keepWithNext = following.style == "command"
    return found


def _check(block: Check, node: Node) -> Flowable:
    """How to check, in a box; with the code beside it where there is an address to go to."""
    title = _flow(block.title, "box", node.add("P"))
    points = node.add("L")
    inside = [title, *(_flow(line, "check", _item(points), "•") for line in block.lines)]
    cells: list[Any] = [inside]
    widths = [WIDTH]
    if block.address:
        code = CodeDrawing(block.address, 27 * mm, node.add("Figure", alternative=block.address))
        cells.append(code)
        widths = [WIDTH - 30 * mm, 30 * mm]
    return _table(
        [cells],
        widths,
        ("BACKGROUND", (0, 0), (-1, -1), PALE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (0, -1), 12),
        ("TOPPADDING", (0, 0), (-1, -1), 6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
    )


def _listing(block: Listing, root: Node, mark: Callable[[Bookmark], None]) -> list[Flowable]:
    """A page of its own, unless the one before has room for all of it."""
    _, heading = _heading(Heading(block.title), root, mark)
    note = _flow(block.note, "note", root.add("P"))
    listing = ListingDrawing(block.lines, root.add("P").add("Code"))
    return [CondPageBreak(listing.height + 25 * mm), heading, note, listing]


def _facts(block: Facts, table: Node) -> Flowable:
    rows = []
    for fact in block.rows:
        row = table.add("TR")
        label = _flow(fact.label, "label", row.add("TH", scope="Row"))
        value = row.add("TD")
        style = "mono" if fact.mono else "value"
        rows.append([label, [_flow(line, style, value.add("P")) for line in fact.lines]])
    return _table(
        rows,
        [LABEL_WIDTH, WIDTH - LABEL_WIDTH],
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        splitInRow=1,
    )


def _grid(block: Grid, table: Node) -> Flowable:
    head = table.add("TR")
    titles = [head.add("TH", scope="Column", repeats=True) for _ in block.head]
    rows: list[list[Any]] = [
        [_flow(title, "head", node) for title, node in zip(block.head, titles, strict=True)]
    ]
    for row in block.rows:
        node = table.add("TR")
        rows.append([_cell(cell, node.add("TD")) for cell in row])
    return _table(
        rows,
        [share * WIDTH for share in block.widths],
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("BACKGROUND", (0, 0), (-1, 0), PALE),
        repeatRows=1,
        splitInRow=1,
    )


def _cell(cell: Cell, node: Node) -> list[Flowable]:
    found = [_flow(cell.text, "cell", node.add("P"))] if cell.text else []
    found += [_flow(half, "mono", node.add("P")) for half in _halves(cell.mono)]
    return found + ([_flow(cell.small, "small", node.add("P"))] if cell.small else [])


def _halves(digest: str) -> list[str]:
    """A digest of 64 characters in two equal lines, which is how people compare them."""
    if len(digest) == 64:
        return [digest[:32], digest[32:]]
    return [digest] if digest else []

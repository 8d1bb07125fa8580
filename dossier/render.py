"""A story set on A4 pages by reportlab. The same story gives the same bytes."""

from __future__ import annotations

import io
from typing import Any

from reportlab.lib.colors import Color, HexColor, white
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
from dossier.blocks import Block, Cell, Facts, Grid, Heading, Paragraph, Story
from dossier.fonts import BODY, BOLD, MONO
from dossier.text import markup

INK = HexColor("#1b2430")
SOFT = HexColor("#5b6675")
RULE = HexColor("#d5dae1")
PALE = HexColor("#f3f5f8")
GOOD = HexColor("#1f6f54")
GOOD_PALE = HexColor("#eaf4f0")
CARE = HexColor("#9a5b00")
CARE_PALE = HexColor("#fdf3e1")
LABEL_WIDTH = 50 * mm
MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
BAND = 6.2 * mm


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
        rightIndent=6, spaceBefore=1.6 * mm, spaceAfter=4 * mm, splitLongWords=1,
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
    "strength": _style("strength", 9.5, leftIndent=4 * mm, bulletIndent=0.5 * mm),
}  # fmt: skip


def render(story: Story) -> bytes:
    """The pages as a PDF, without what :mod:`dossier.finish` adds."""
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
    flow: list[Flowable] = [_flow(story.title, "title"), _flow(story.subtitle, "subtitle")]
    flow.append(_verdict(story))
    for index, block in enumerate(story.blocks):
        following = story.blocks[index + 1] if index + 1 < len(story.blocks) else None
        flow += _block(block, following)

    def canvas(*arguments: Any, **options: Any) -> Canvas:
        return _Pages(story, *arguments, **{**options, "initialFontName": BODY})

    document.build(flow, canvasmaker=canvas)
    return out.getvalue()


class _Pages(Canvas):  # type: ignore[misc]
    """A canvas that holds pages back until their number is known, then draws what frames them."""

    def __init__(self, story: Story, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._story = story
        self._held: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._held.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, state in enumerate(self._held, 1):
            self.__dict__.update(state)
            self._frame_page(number, len(self._held))
            super().showPage()
        super().save()

    def _frame_page(self, number: int, total: int) -> None:
        story = self._story
        y = A4[1]
        bands = [(text, CARE, white) for text in story.banners]
        bands += [(story.mark, INK, white)] if story.mark else []
        for text, ground, ink in bands:
            y -= BAND
            self.setFillColor(ground)
            self.rect(0, y, A4[0], BAND, stroke=0, fill=1)
            self.setFillColor(ink)
            self._fit(text, y + 2 * mm)
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


def _flow(text: str, style: str, bullet: str | None = None) -> Flow:
    chosen = _STYLES[style]
    return Flow(markup(text, fonts.load()[chosen.fontName]), chosen, bulletText=bullet)


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
    return Table(rows, colWidths=widths, style=TableStyle([*base, *commands]), **more)


def _verdict(story: Story) -> Flowable:
    verdict = story.verdict
    color, ground = (GOOD, GOOD_PALE) if verdict.good else (CARE, CARE_PALE)
    headline = _flow(verdict.headline, "headline good" if verdict.good else "headline care")
    inside: list[Flowable] = [headline, _flow(verdict.lines[0], "existed")]
    inside += [_flow(line, "value") for line in verdict.lines[1:]]
    inside.append(Spacer(1, 2 * mm))
    inside += [_flow(line, "strength", "•") for line in verdict.strength]
    inside.append(_flow(verdict.note, "note"))
    return _table(
        [[inside]],
        [WIDTH],
        ("BACKGROUND", (0, 0), (-1, -1), ground),
        ("LINEBEFORE", (0, 0), (0, -1), 3, color),
        ("LEFTPADDING", (0, 0), (-1, -1), 12),
        ("TOPPADDING", (0, 0), (-1, -1), 8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
    )


def _block(block: Block, following: Block | None) -> list[Flowable]:
    if isinstance(block, Heading):
        room = 45 * mm if block.level == 1 else 28 * mm
        return [CondPageBreak(room), _flow(block.text, f"h{block.level}")]
    if isinstance(block, Paragraph):
        if block.style == "item":
            return [_flow(block.text, "item", "•")]
        found = _flow(block.text, block.style)
        if block.style == "body" and isinstance(following, Paragraph):
            found.keepWithNext = following.style == "command"
        return [KeepTogether([found]) if block.style == "command" else found]
    return [_facts(block) if isinstance(block, Facts) else _grid(block)]


def _facts(block: Facts) -> Flowable:
    rows = [
        [
            _flow(fact.label, "label"),
            [_flow(line, "mono" if fact.mono else "value") for line in fact.lines],
        ]
        for fact in block.rows
    ]
    return _table(
        rows,
        [LABEL_WIDTH, WIDTH - LABEL_WIDTH],
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        splitInRow=1,
    )


def _grid(block: Grid) -> Flowable:
    rows: list[list[Any]] = [[_flow(title, "head") for title in block.head]]
    rows += [[_cell(cell) for cell in row] for row in block.rows]
    return _table(
        rows,
        [share * WIDTH for share in block.widths],
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("BACKGROUND", (0, 0), (-1, 0), PALE),
        repeatRows=1,
        splitInRow=1,
    )


def _cell(cell: Cell) -> list[Flowable]:
    found = [_flow(cell.text, "cell")] if cell.text else []
    found += [_flow(half, "mono") for half in _halves(cell.mono)]
    return found + ([_flow(cell.small, "small")] if cell.small else [])


def _halves(digest: str) -> list[str]:
    """A digest of 64 characters in two equal lines, which is how people compare them."""
    if len(digest) == 64:
        return [digest[:32], digest[32:]]
    return [digest] if digest else []

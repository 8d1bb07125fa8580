"""The plain structure between a proof's facts and its pages: no layout, no markup, only text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Heading:
    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True)
class Paragraph:
    """`style`: body text, a small note, a list item, or a line to be typed into a shell."""

    text: str
    style: Literal["body", "note", "item", "command"] = "body"


@dataclass(frozen=True)
class Fact:
    """A label and its lines; `mono` for digests and the like."""

    label: str
    lines: tuple[str, ...]
    mono: bool = False


@dataclass(frozen=True)
class Facts:
    """`whole`: not parted by the end of a page, nor from what stands before, its heading."""

    rows: tuple[Fact, ...]
    whole: bool = False


@dataclass(frozen=True)
class Cell:
    """Lines in one cell of a grid; `mono` lines come first, `small` ones last."""

    text: str = ""
    mono: str = ""
    small: str = ""


@dataclass(frozen=True)
class Grid:
    """A table with a head that is repeated on each page; widths are shares of the page's."""

    head: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Event:
    """A point of the timeline: short lines under it, the delay since the one before. `proven` by
    a witness, else stated or awaited; the tone is good for an independent one, care for one with
    a caution, plain for what no witness says."""

    title: str
    lines: tuple[str, ...]
    delay: str
    proven: bool
    tone: Literal["plain", "good", "care"]


@dataclass(frozen=True)
class Timeline:
    """At least one event, in order; `told` says the whole in a sentence for who can't see it."""

    events: tuple[Event, ...]
    told: str


@dataclass(frozen=True)
class Check:
    """The box on the first page that says how to check; `address` of the public page, or ""."""

    title: str
    lines: tuple[str, ...]
    address: str


@dataclass(frozen=True)
class Listing:
    """A program, line by line as it stands, under its own heading and note. ASCII, at most 100
    characters a line and 60 lines, so that it fits on a page."""

    title: str
    note: str
    lines: tuple[str, ...]


Block: TypeAlias = Heading | Paragraph | Facts | Grid | Timeline | Check | Listing


@dataclass(frozen=True)
class Verdict:
    """The box on the first page: a word, the time, and what it rests on."""

    good: bool
    headline: str
    lines: tuple[str, ...]
    strength: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Story:
    """A dossier in words. `banners` stand on every page, `mark` too unless it is empty."""

    title: str
    subtitle: str
    language: str
    verdict: Verdict
    banners: tuple[str, ...]
    mark: str
    footer: str
    page: str
    """With {number} and {total}."""
    blocks: tuple[Block, ...]

    def texts(self) -> Sequence[str]:
        """Every text on the pages once, for whoever checks what is shown."""
        found = [self.title, self.subtitle, *self.banners, self.mark, self.footer]
        verdict = self.verdict
        found += [verdict.headline, *verdict.lines, *verdict.strength, verdict.note]
        for block in self.blocks:
            if isinstance(block, Facts):
                found += [text for row in block.rows for text in (row.label, *row.lines)]
            elif isinstance(block, Grid):
                found += block.head
                cells = [cell for row in block.rows for cell in row]
                found += [text for c in cells for text in (c.text, c.mono, c.small)]
            elif isinstance(block, Timeline):
                found += [t for e in block.events for t in (e.title, *e.lines, e.delay)]
                found.append(block.told)
            elif isinstance(block, Check):
                found += [block.title, *block.lines, block.address]
            elif isinstance(block, Listing):
                found += [block.title, block.note, *block.lines]
            else:
                found.append(block.text)
        return found

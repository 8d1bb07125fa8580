"""Text of any script as glyphs in the order of the page: fonts, direction (UAX #9), shaping.

The texts that come here have passed :func:`dossier.text.visible`: there are no controls in them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import uharfbuzz
from bidi import get_base_level, get_display
from reportlab.pdfbase import pdfmetrics

from dossier.fonts import RIGHT_TO_LEFT, Face, face, face_for, load
from dossier.text import in_own_font

_PRIVATE = 0xF0000
"""Glyphs without a code point of their own are put at this plus their number. reportlab would
number them in the order of their first use in the process, and the bytes would follow it."""

_NOTE = "\ufe20"
"""Takes the direction of what it follows (a nonspacing mark, UAX #9 W1), and none of our fonts
has it: put after a bracket, it comes out before it where the bracket runs right to left."""

_MIRRORED = dict(zip("()[]{}<>«»≤≥‹›", ")(][}{><»«≥≤›‹", strict=True))
_EM = 1000


@dataclass(frozen=True)
class Glyph:
    """What is drawn for `character` of a font. `advance`, `right` and `up` are in thousandths of
    the size: how far the pen moves, and where from it the glyph stands."""

    character: str
    advance: float
    right: float = 0.0
    up: float = 0.0


@dataclass(frozen=True)
class Run:
    """Glyphs of one font, from left to right."""

    font: str
    glyphs: tuple[Glyph, ...]

    @property
    def width(self) -> float:
        return sum(glyph.advance for glyph in self.glyphs)


def starts_right_to_left(text: str) -> bool:
    """The direction of the paragraph by its first letter (UAX #9 P2, P3)."""
    return bool(get_base_level(text) % 2)


def runs(line: str, own_font: str, *, right_to_left: bool) -> list[Run]:
    """One line, whose paragraph runs as said, as the runs that a page shows from left to right."""
    found = []
    display = _visual(line, right_to_left=right_to_left)
    placed = zip(display, _faces(display, own_font), strict=True)
    for (of, backwards), group in groupby(placed, key=lambda item: item[1]):
        text = "".join(character for character, _ in group)
        if of is None:
            found.append(_own(text, own_font))
        else:
            found.append(_shaped(text[::-1] if backwards else text, of.name, backwards=backwards))
    return found


def width(text: str, own_font: str) -> float:
    """Of a word that is not broken, in thousandths of the size."""
    return sum(run.width for run in runs(text, own_font, right_to_left=False))


def _visual(line: str, *, right_to_left: bool) -> str:
    """The characters from left to right, with the brackets mirrored that run the other way."""
    noted = "".join(c + _NOTE if c in _MIRRORED else c for c in line)
    display = get_display(noted, base_dir="R" if right_to_left else "L")
    shown = []
    index = 0
    while index < len(display):
        character = display[index]
        if character == _NOTE:
            shown.append(_MIRRORED[display[index + 1]])
            index += 2
        else:
            shown.append(character)
            index += 2 if character in _MIRRORED else 1
    return "".join(shown)


def _faces(display: str, own_font: str) -> list[tuple[Face | None, bool]]:
    """For each character its font, None for the text's own, and whether it stands in letters
    that are in the order of the page, not in that of reading."""
    own = load()[own_font]
    found: list[tuple[Face | None, bool]] = []
    for character in display:
        kind = unicodedata.bidirectional(character)
        if kind == "BN":  # joiners and the like belong to what they stand beside
            found.append(found[-1] if found else (None, False))
            continue
        face = None if in_own_font(character, own) else face_for(ord(character))
        backwards = face is not None and (
            kind in ("AL", "R") or (kind == "NSM" and face.name in RIGHT_TO_LEFT)
        )
        found.append((face, backwards))
    return found


def _own(text: str, font: str) -> Run:
    widths = (pdfmetrics.stringWidth(character, font, _EM) for character in text)
    glyphs = (Glyph(character, wide) for character, wide in zip(text, widths, strict=True))
    return Run(font, tuple(glyphs))


@lru_cache(maxsize=4096)
def _shaped(text: str, file: str, *, backwards: bool) -> Run:
    """By HarfBuzz. `text` is in the order of reading, the run in the order of the page."""
    of = face(file)
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if backwards else "ltr"
    uharfbuzz.shape(of.shaper, buffer, {})
    scale = _EM / of.units
    glyphs = []
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        character = _character(of, info.codepoint, text[info.cluster])
        moved = (place.x_advance * scale, place.x_offset * scale, place.y_offset * scale)
        glyphs.append(Glyph(character, *moved))
    return Run(of.name, tuple(glyphs))


def _character(of: Face, glyph: int, first: str) -> str:
    """The character under which reportlab draws this glyph, which stands for `first` and perhaps
    more."""
    if of.glyphs.get(ord(first)) == glyph:
        return first
    character = chr(_PRIVATE + glyph)
    of.font.face.charToGlyph[ord(character)] = glyph
    advance = of.shaper.get_glyph_h_advance(glyph)
    of.font.face.charWidths[ord(character)] = advance * _EM / of.units
    return character

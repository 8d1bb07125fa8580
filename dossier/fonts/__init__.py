"""The fonts that dossiers are set in, shipped with the code: the same bytes give the same pages.

The body's font has Latin, Greek and Cyrillic. For other scripts a font is chosen by code point,
and read when the first text needs it.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Container
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import uharfbuzz
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

BODY = "Body"
BOLD = "Bold"
MONO = "Mono"
_FOLDER = Path(__file__).parent
_FILES = {
    BODY: "NotoSans-Regular.ttf",
    BOLD: "NotoSans-Bold.ttf",
    MONO: "NotoSansMono-Regular.ttf",
}
ICC_PROFILE = _FOLDER / "sRGB.icc"

EMOJI = "NotoEmoji-Regular.ttf"
_HAN = "DroidSansFallbackFull.ttf"
_HANGUL = "NanumSquareR.ttf"
_SYMBOLS = "NotoSansSymbols2-Regular.ttf"


def _noto(script: str) -> str:
    return f"NotoSans{script}-Regular.ttf"


_SCRIPTS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0x0530, 0x058F, (_noto("Armenian"),)),
    (0x0590, 0x05FF, (_noto("Hebrew"),)),
    (0x0600, 0x06FF, (_noto("Arabic"),)),
    (0x0750, 0x077F, (_noto("Arabic"),)),
    (0x08A0, 0x08FF, (_noto("Arabic"),)),
    (0x0900, 0x097F, (_noto("Devanagari"),)),
    (0x0980, 0x09FF, (_noto("Bengali"),)),
    (0x0A00, 0x0A7F, (_noto("Gurmukhi"),)),
    (0x0A80, 0x0AFF, (_noto("Gujarati"),)),
    (0x0B80, 0x0BFF, (_noto("Tamil"),)),
    (0x0C00, 0x0C7F, (_noto("Telugu"),)),
    (0x0C80, 0x0CFF, (_noto("Kannada"),)),
    (0x0D00, 0x0D7F, (_noto("Malayalam"),)),
    (0x0D80, 0x0DFF, (_noto("Sinhala"),)),
    (0x0E00, 0x0E7F, (_noto("Thai"),)),
    (0x0E80, 0x0EFF, (_noto("Lao"),)),
    (0x1000, 0x109F, (_noto("Myanmar"),)),
    (0x10A0, 0x10FF, (_noto("Georgian"),)),
    (0x1100, 0x11FF, (_HANGUL, _HAN)),
    (0x1200, 0x139F, (_noto("Ethiopic"),)),
    (0x1780, 0x17FF, (_noto("Khmer"),)),
    (0x19E0, 0x19FF, (_noto("Khmer"),)),
    (0x1C90, 0x1CBF, (_noto("Georgian"),)),
    (0x2190, 0x2BFF, (EMOJI, _SYMBOLS, _HAN)),
    (0x2D00, 0x2DDF, (_noto("Georgian"), _noto("Ethiopic"))),
    (0x2E80, 0x31BF, (_HAN, _HANGUL)),
    (0x31F0, 0x31FF, (_HAN,)),
    (0x3200, 0x33FF, (_HAN, _HANGUL)),
    (0x3400, 0x9FFF, (_HAN,)),
    (0xA8E0, 0xA8FF, (_noto("Devanagari"),)),
    (0xAA60, 0xAA7F, (_noto("Myanmar"),)),
    (0xAB00, 0xAB2F, (_noto("Ethiopic"),)),
    (0xAC00, 0xD7A3, (_HANGUL,)),
    (0xF900, 0xFAFF, (_HAN,)),
    (0xFB13, 0xFB17, (_noto("Armenian"),)),
    (0xFB1D, 0xFB4F, (_noto("Hebrew"),)),
    (0xFB50, 0xFDCF, (_noto("Arabic"),)),
    (0xFDF0, 0xFDFF, (_noto("Arabic"),)),
    (0xFE30, 0xFE4F, (_HAN,)),
    (0xFE70, 0xFEFE, (_noto("Arabic"),)),
    (0xFF00, 0xFFEF, (_HAN, _HANGUL)),
    (0x1F000, 0x1FAFF, (EMOJI, _SYMBOLS)),
)
"""First and last code point (Unicode 14 blocks), and the fonts to look in, in order."""
RIGHT_TO_LEFT = frozenset({_noto("Arabic"), _noto("Hebrew")})
_STARTS = [first for first, _, _ in _SCRIPTS]


@dataclass(frozen=True, eq=False)
class Face:
    """A font for one script. `glyphs` is the nominal glyph of each code point that it has."""

    name: str
    font: TTFont
    glyphs: dict[int, int]
    shaper: uharfbuzz.Font
    units: int

    def inks(self, code: int) -> bool:
        """Whether the glyph of this code point leaves a mark on the page."""
        extents = self.shaper.get_glyph_extents(self.glyphs[code])
        return extents is not None and bool(extents.width or extents.height)


@cache
def load() -> dict[str, Container[int]]:
    """Registers the fonts with reportlab, once; the code points that each has a glyph for."""
    glyphs: dict[str, Container[int]] = {}
    for name, file in _FILES.items():
        font = TTFont(name, str(_FOLDER / file), shapable=False)
        pdfmetrics.registerFont(font)
        glyphs[name] = frozenset(font.face.charToGlyph)
    pdfmetrics.registerFontFamily(BODY, normal=BODY, bold=BOLD, italic=BODY, boldItalic=BOLD)
    return glyphs


@cache
def face(file: str) -> Face:
    """The font of another script, registered under its file's name."""
    data = (_FOLDER / file).read_bytes()
    font = TTFont(file, io.BytesIO(data), shapable=False)
    pdfmetrics.registerFont(font)
    shaper = uharfbuzz.Font(uharfbuzz.Face(data))
    return Face(file, font, dict(font.face.charToGlyph), shaper, shaper.face.upem)


@cache
def face_for(code: int) -> Face | None:
    """The font of another script that has a glyph for this code point."""
    at = bisect_right(_STARTS, code) - 1
    if at < 0 or code > _SCRIPTS[at][1]:
        return None
    found = (face(file) for file in _SCRIPTS[at][2])
    return next((one for one in found if code in one.glyphs), None)


def files() -> tuple[str, ...]:
    """Every font file that may be used."""
    others = {file for _, _, names in _SCRIPTS for file in names}
    return (*_FILES.values(), *sorted(others))

"""The fonts that dossiers are set in, shipped with the code: the same bytes give the same pages."""

from __future__ import annotations

from collections.abc import Container
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

BODY = "Body"
BOLD = "Bold"
MONO = "Mono"
_FOLDER = Path(__file__).parent
_FILES = {
    BODY: "NotoSans-Regular.ttf",
    BOLD: "NotoSans-Bold.ttf",
    MONO: "DejaVuSansMono.ttf",
}
ICC_PROFILE = _FOLDER / "sRGB.icc"


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

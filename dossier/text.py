"""Text from outside, made safe to print: nothing in it is obeyed, nothing in it is hidden."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from html import escape

MAX_SHOWN = 600
"""Code points of one text from outside that a page shows."""

_SHOWN_SPACES = frozenset(" \u00a0\u202f")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn", "Zl", "Zp"})
_RIGHT_TO_LEFT = frozenset({"AL", "AN", "R"})
_SPACES = re.compile(r"(?<= ) |^ | $")


def visible(text: str, glyphs: Container[int]) -> str:
    """`text` with every character that a reader might not see written as ‹U+XXXX›.

    Those are controls and direction marks, combining marks that composition (NFC) leaves over,
    unusual spaces, letters that run right to left, whatever has no glyph among `glyphs`, and the
    bracket ‹ itself, so that the notation cannot be forged.
    """
    return "".join(
        character if _plain(character, glyphs) else f"‹U+{ord(character):04X}›"
        for character in unicodedata.normalize("NFC", text)
    )


def _plain(character: str, glyphs: Container[int]) -> bool:
    if " " <= character <= "~":
        return True
    category = unicodedata.category(character)
    if category in _HIDDEN_CATEGORIES or character == "‹" or ord(character) not in glyphs:
        return False
    if category == "Zs":
        return character in _SHOWN_SPACES
    return unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT


def markup(text: str, glyphs: Container[int]) -> str:
    """The same as the renderer's markup: escaped, and with no space lost to collapsing."""
    return escape(_SPACES.sub("\u00a0", visible(text, glyphs)), quote=False)


def shorten(text: str, more: str, most: int = MAX_SHOWN) -> str:
    """At most `most` code points; `more` is a format with {count} for the rest."""
    if len(text) <= most:
        return text
    return text[:most] + more.replace("{count}", str(len(text) - most))

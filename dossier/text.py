"""Text from outside, made safe to print: nothing in it is obeyed, nothing in it is hidden."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from html import escape

from dossier.fonts import EMOJI, Face, face_for

MAX_SHOWN = 600
"""Code points of one text from outside that a page shows."""

MAX_MARKS = 4
"""Combining marks on one letter that are drawn on it; a stack of more would cover other lines."""

_SHOWN_SPACES = frozenset(" \u00a0\u202f")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn", "Zl", "Zp"})
_MARKS = frozenset({"Mc", "Me", "Mn"})
_WIDE_SPACE = "\u3000"  # between words of Japanese
_JOINERS = frozenset("\u200c\u200d")
_EMOJI_STYLE = "\ufe0f"
_SPACES = re.compile(r"(?<= ) |^ | $")


def visible(text: str, glyphs: Container[int]) -> str:
    """`text` with every character that a reader might not see written as ‹U+XXXX›.

    Those are controls and direction marks, combining marks without a letter of their script,
    joiners outside the scripts that spell with them, unusual spaces, whatever has no glyph in
    `glyphs` or a font of its script, and the bracket ‹ itself, so that the notation cannot be
    forged.
    """
    shown: list[str] = []
    base: Face | None = None
    marks = 0
    spelt = unicodedata.normalize("NFC", text)
    for index, character in enumerate(spelt):
        code = ord(character)
        if " " <= character <= "~" or _plain(character, glyphs):
            shown.append(character)
            base, marks = None, 0
            continue
        own = face_for(code)
        category = unicodedata.category(character)
        if base and _joins(character, base, spelt[index + 1 : index + 2]):
            shown.append(character)
            continue
        if own and category in _MARKS:
            marks += 1
            drawn = own is base and marks <= MAX_MARKS
        else:
            shows = own is not None and (own.inks(code) or character == _WIDE_SPACE)
            drawn = shows and category not in _HIDDEN_CATEGORIES
            base, marks = (own if drawn else None), 0
        shown.append(character if drawn else f"‹U+{code:04X}›")
    return "".join(shown)


def in_own_font(character: str, glyphs: Container[int]) -> bool:
    """Drawn with the text's own font: the letters of Latin, Greek, Cyrillic and their signs."""
    return (
        ord(character) in glyphs
        and unicodedata.category(character) not in _HIDDEN_CATEGORIES
        and unicodedata.bidirectional(character) not in ("AL", "AN", "R")
    )


def _plain(character: str, glyphs: Container[int]) -> bool:
    """Shown as it is, in the text's own font."""
    if character == "‹" or not in_own_font(character, glyphs):
        return False
    return unicodedata.category(character) != "Zs" or character in _SHOWN_SPACES


def _joins(character: str, base: Face, following: str) -> bool:
    """Whether an invisible character does here what its script has it for: between two letters
    of one font (Unicode 14, §23.2), or as the emoji form of the sign before it."""
    if character == _EMOJI_STYLE:
        return base.name == EMOJI
    if character not in _JOINERS or not following or face_for(ord(following)) is not base:
        return False
    category = unicodedata.category(following)
    return category.startswith("L") or (base.name == EMOJI and category == "So")


def markup(shown: str) -> str:
    """A visible text as the renderer's markup: escaped, and with no space lost to collapsing."""
    return escape(_SPACES.sub("\u00a0", shown), quote=False)


def shorten(text: str, more: str, most: int = MAX_SHOWN) -> str:
    """At most `most` code points; `more` is a format with {count} for the rest."""
    if len(text) <= most:
        return text
    return text[:most] + more.replace("{count}", str(len(text) - most))


def runs_right_to_left(text: str) -> bool:
    """Whether any letter of it does."""
    return any(unicodedata.bidirectional(character) in ("AL", "R") for character in text)


def in_order(text: str, most: int = 24) -> str:
    """The text in the order in which it is kept, whatever runs the other way as code points: an
    ending like .pdf may stand elsewhere on the page."""
    spelt = " ".join(
        run if run.isascii() else " ".join(f"U+{ord(c):04X}" for c in run)
        for run in re.findall(r"[!-~]+|[^!-~ ]+", text[:most])
    )
    return spelt + ("…" if len(text) > most else "")

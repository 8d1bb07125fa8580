"""Text from outside, made safe for a terminal: controls and direction marks shown, not obeyed."""

from __future__ import annotations

import unicodedata

_SHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, most: int = 500) -> str:
    """`text` on one line, at most `most` characters of it, with ‹U+202E› for what would act."""
    cut = text if len(text) <= most else text[:most] + "…"
    return "".join(
        f"‹U+{ord(char):04X}›" if unicodedata.category(char) in _SHOWN else char for char in cut
    )

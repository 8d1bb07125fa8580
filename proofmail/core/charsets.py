"""The closed list of charsets, with tables of our own (SPEC §3.4).

The machine's codecs are used for UTF-8 alone, whose definition cannot change.
"""

from __future__ import annotations

from codecs import charmap_decode

from proofmail.core.charset_tables import upper_halves

_UNDEFINED = "\ufffe"
"""What `charmap_decode` takes for "no such byte"."""

_ASCII = "".join(map(chr, range(128)))
_LATIN = "".join(map(chr, range(256)))
_WINDOWS_80_TO_9F = (
    "\u20ac\ufffe\u201a\u0192\u201e\u2026\u2020\u2021"
    "\u02c6\u2030\u0160\u2039\u0152\ufffe\u017d\ufffe"
    "\ufffe\u2018\u2019\u201c\u201d\u2022\u2013\u2014"
    "\u02dc\u2122\u0161\u203a\u0153\ufffe\u017e\u0178"
)


def _without_controls(table: str) -> str:
    """The table without U+0080 to 009F: programs read iso-8859-1 as windows-1252, and its
    relatives as other code pages, which have signs there."""
    return table[:0x80] + "".join(_UNDEFINED if "\x80" <= c < "\xa0" else c for c in table[0x80:])


def _with(changes: dict[int, str]) -> str:
    return "".join(changes.get(byte, chr(byte)) for byte in range(256))


_TABLES = {
    "us-ascii": _ASCII + _UNDEFINED * 128,
    "iso-8859-1": _without_controls(_LATIN),
    "iso-8859-15": _without_controls(
        _with(
            {
                0xA4: "\u20ac",
                0xA6: "\u0160",
                0xA8: "\u0161",
                0xB4: "\u017d",
                0xB8: "\u017e",
                0xBC: "\u0152",
                0xBD: "\u0153",
                0xBE: "\u0178",
            }
        )
    ),
    "windows-1252": _LATIN[:0x80] + _WINDOWS_80_TO_9F + _LATIN[0xA0:],
    **{name: _without_controls(_ASCII + upper) for name, upper in upper_halves().items()},
}

_ALIASES = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "us-ascii",
    "ascii": "us-ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
    **{name: name for name in upper_halves()},
    **{f"cp{number}": f"windows-{number}" for number in (*range(1250, 1252), *range(1253, 1259))},
    "latin2": "iso-8859-2",
    "tis-620": "windows-874",
    "mac": "macintosh",
    "x-mac-roman": "macintosh",
}


def canonical(label: str) -> str | None:
    """The name in the closed list that this label stands for, or None. ASCII case is ignored."""
    return _ALIASES.get(label.lower())


def decode(data: bytes, charset: str) -> str:
    """Strict decoding; `charset` is a name from `canonical`. Raises UnicodeDecodeError."""
    if charset == "utf-8":
        return data.decode("utf-8")
    return charmap_decode(data, "strict", _TABLES[charset])[0]


def decode_replacing(data: bytes, charset: str) -> tuple[str, bool]:
    """The text, and whether it is clean. Each undecodable byte, or for UTF-8 each maximal subpart
    of an ill-formed sequence (Unicode 14.0 §3.9), reads as U+FFFD."""
    try:
        return decode(data, charset), True
    except UnicodeDecodeError:
        if charset == "utf-8":
            return data.decode("utf-8", "replace"), False
        return charmap_decode(data, "replace", _TABLES[charset])[0], False

"""What a file inside a `winmail.dat` is called (SPEC §3.18.3): its long name, else its short one,
else its title. MS-OXTNEF §2.1.3.4 tells how the properties are spelt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from proofmail.core import charsets
from proofmail.core.headers import bounded, unified_white
from proofmail.core.parameters import NAME_MAX
from proofmail.core.unicode14 import nfc

_LONG_NAME, _SHORT_NAME, _CONTENT = 0x3707, 0x3704, 0x3701
_STRING8, _UNICODE = 0x001E, 0x001F
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
"""Octets of a value by its type; what is shorter than 4 is filled up."""
_VARIABLE = (0x000D, _STRING8, _UNICODE, 0x0102)
_NAMED = 0x8000
_SEVERAL = 0x1000
"""Added to a type: several values of it."""
_PROPERTIES_MAX = 1_000
_CODE_PAGES = {
    **{number: f"windows-{number}" for number in (874, *range(1250, 1259))},
    **{28590 + n: f"iso-8859-{n}" for n in (*range(1, 11), 13, 15)},
    10000: "macintosh",
    20866: "koi8-r",
    21866: "koi8-u",
    65001: "utf-8",
}


class Properties(NamedTuple):
    """What is kept of a file's properties. `may_hold_content`: content stands among them, which
    some readers show in place of the file's own; or may stand there, where they cannot be read to
    their end. `names`: of the long and the short name what may be the first that is not empty, as
    text or as octets of the code page, which is known only at the end."""

    may_hold_content: bool
    names: tuple[tuple[int, str | bytes], ...]

    @property
    def held_bytes(self) -> int:
        """How many octets wait for the code page, with 64 for the keeping of each name."""
        return sum([len(value) + 64 for _, value in self.names if isinstance(value, bytes)])


NOTHING_SAID = Properties(False, ())


def read_properties(data: bytes) -> Properties:
    """From the octets of the attribute."""
    names: list[tuple[int, str | bytes]] = []
    settled: set[int] = set()
    count, has_content = 0, False
    for number, kind, value in _values(data):
        count += 1
        has_content = has_content or number == _CONTENT
        if number not in (_LONG_NAME, _SHORT_NAME) or number in settled:
            continue
        if kind == _UNICODE:
            name = _cleaned(_text(value, None))
            if name:
                names.append((number, name))
                settled.add(number)
        elif kind == _STRING8 and not value.startswith(b"\0"):
            names.append((number, value.partition(b"\0")[0]))
    stated = int.from_bytes(data[:4], "little")
    return Properties(has_content or count != stated, tuple(names))


def file_name(title: bytes, properties: Properties, code_page: int) -> str | None:
    """None where nothing is said, or only white space."""
    charset = _CODE_PAGES.get(code_page, "us-ascii")
    found: dict[int, str] = {}
    for number, value in properties.names:
        name = value if isinstance(value, str) else _cleaned(_text(value, charset))
        if name:
            found.setdefault(number, name)
    said = _cleaned(_text(title, charset))
    return found.get(_LONG_NAME) or found.get(_SHORT_NAME) or said or None


def _text(value: bytes, charset: str | None) -> str:
    if charset is None:
        text = value.decode("utf-16-le", "replace")
    else:
        text, _ = charsets.decode_replacing(value, charset)
    return text.partition("\0")[0]


def _cleaned(text: str) -> str:
    unified = unified_white(text)
    return bounded(nfc(unified) or unified, set(), NAME_MAX)


def _values(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, type and value (empty for one that is no string) of each property, as far as they
    can be read."""
    at = 4

    def number(start: int, size: int = 4) -> int:
        return int.from_bytes(data[start : start + size], "little")

    for _ in range(min(number(0), _PROPERTIES_MAX)):
        kind, key = number(at, 2), number(at + 2, 2)
        at += 4
        if key >= _NAMED:
            length = number(at + 20) if number(at + 16) else 0
            at += 24 + (-(-length // 4) * 4 if number(at + 16) else 0)
        value, several = b"", kind >= _SEVERAL
        base, count = kind % _SEVERAL, 1
        if several or base in _VARIABLE:
            count = number(at)
            at += 4
        if (count != 1 and not several) or count > len(data) // 4:
            return
        if base in _FIXED:
            at += _FIXED[base] * count
            if at > len(data):
                return
        elif base in _VARIABLE:
            for _ in range(count):
                length = number(at)
                value = data[at + 4 : at + 4 + length]
                at += 4 + length
                if at > len(data):
                    return
                at += -length % 4
        else:
            return
        yield key, kind, value

"""Which picture a page shows where: by what name it refers to a part, and to which one that is
(SPEC §3.16). Names are never kept, only digests.
"""

from __future__ import annotations

import re
from binascii import a2b_hex
from collections.abc import Mapping
from hashlib import sha256

from proofmail.core.headers import Fields

IMAGES_MAX = 200
"""Most images of a page that are listed one by one."""
NAMES_MAX = 2_000
"""Most names in all pages of one mail: each is held until its message ends."""
UNRESOLVED = -1
"""An image that refers to no part of the message, to several, or one of too many."""

_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_MANY = (UNRESOLVED,)


def content_id(fields: Fields) -> bytes | None:
    """The SHA-256 of the part's Content-ID without its brackets (RFC 2392); None for none."""
    value = _first(fields, "content-id")
    return _digest(value[value.startswith(b"<") : len(value) - value.endswith(b">")])


def content_location(fields: Fields) -> bytes | None:
    """The SHA-256 of the part's Content-Location (RFC 2557 §4); None for none."""
    return _digest(_first(fields, "content-location"))


def _first(fields: Fields, name: str) -> bytes:
    values = fields.get(name)
    return values[0].strip(" \t").encode("utf-8", "surrogateescape") if values else b""


def _digest(name: bytes) -> bytes | None:
    return sha256(name).digest() if name else None


class Images:
    """The images of one page, in order. None stands for one that refers to no Content-ID, else
    there are the digests of the name as it stands and with its percent signs undone: programs
    differ on which of them they look for."""

    def __init__(self) -> None:
        self._names: list[tuple[bytes, bytes] | None] = []
        self._count = 0
        self.refers = False
        """Whether any image refers to a Content-ID."""
        self.names = 0
        """How many names are held for it."""

    def add(self, source: str) -> None:
        """`source` is the address of the image, cleaned as SPEC §3.12.3 (f) says."""
        self._count += 1
        names = None
        if source[:4].lower() == "cid:":
            self.refers = True
            name = source[4:].encode("utf-8", "surrogatepass")
            plain = _PERCENT.sub(lambda pair: a2b_hex(pair[1]), name)
            digest = sha256(name).digest()
            names = digest, digest if plain == name else sha256(plain).digest()
        if self._count <= IMAGES_MAX:
            self._names.append(names)
            self.names += names is not None
        else:
            self.give_up()

    def give_up(self) -> None:
        """There are too many, of this page or of the mail."""
        self._names, self.names, self._count = [], 0, IMAGES_MAX + 1

    def numbers(self, parts: Mapping[bytes, int]) -> tuple[int, ...]:
        """For each image the number of the part that it refers to, 0 for none; empty if no image
        refers to a Content-ID. `parts`: digest of a Content-ID → number, or UNRESOLVED."""
        if not self.refers:
            return ()
        if self._count > IMAGES_MAX:
            return _MANY
        return tuple([_number(names, parts) for names in self._names])


def _number(names: tuple[bytes, bytes] | None, parts: Mapping[bytes, int]) -> int:
    if names is None:
        return 0
    found = {parts[name] for name in names if name in parts}
    return found.pop() if len(found) == 1 else UNRESOLVED

"""Compound files, the container of Outlook's .msg files (MS-CFB). Reads a stranger's file.

Strict: a file in which two readers could see different things is unreadable. Every chain of
sectors is bounded by the file, and no sector may belong to two streams, so that what is read is
never more than the file itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from proofmail.errors import Unreadable

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ENTRIES = 20_000
"""Most streams and storages that are looked at; a mail has a hundred, and ten an attachment."""

_HEADER = struct.Struct("<8s16s5H6s9I")
_ENTRY = struct.Struct("<64sHBB3I16sI16sIQ")
_LAST_SECTOR = 0xFFFFFFFA
_END = 0xFFFFFFFE
_FREE = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_CUTOFF_BYTES = 4096
_MINI_BYTES = 64
_FIRST_NUMBERS = 109
"""Sectors of the table of sectors that the header itself names."""


@dataclass(frozen=True)
class Entry:
    """A stream or storage. Names are told apart without regard to case."""

    name: str
    is_stream: bool
    start: int
    size_bytes: int
    child: int


class CompoundFile:
    """A compound file held as bytes. Unreadable where it is not one, or bent."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        if len(data) < 512 or not data.startswith(MAGIC):
            raise Unreadable("this is not a compound file")
        header = _HEADER.unpack_from(data)
        major, order, shift, mini_shift = header[3:7]
        _, _, directory, _, cutoff, mini_fat, _, difat, difat_count = header[8:17]
        known = (major, shift) in ((3, 9), (4, 12))
        if not known or order != 0xFFFE or mini_shift != 6 or cutoff != _CUTOFF_BYTES:
            raise Unreadable("a compound file of an unknown form")
        self._sector_bytes = 1 << shift
        self._long_sizes = major == 4
        self._count = (len(data) + self._sector_bytes - 1 >> shift) - 1
        self._used = bytearray(self._count)
        self._fat = self._read_fat(difat, difat_count)
        self._directory = self._chain(directory)
        self.root = self._entry(0)
        if self.root.is_stream:
            raise Unreadable("a compound file without a root")
        self._seen = {0}
        mini_table = self._chain(mini_fat) if mini_fat <= _LAST_SECTOR else b""
        size = self.root.size_bytes
        self._mini = self._chain(self.root.start)[:size] if size else b""
        # Numbers for what does not exist are never asked for, and would fill the memory.
        self._mini_fat = _integers(mini_table[: len(self._mini) // _MINI_BYTES * 4 + 4])
        self._mini_used = bytearray(len(self._mini) // _MINI_BYTES + 1)

    def entries(self, storage: Entry) -> dict[str, Entry]:
        """What stands directly in a storage, by name in upper case. Ask once for each."""
        found: dict[str, Entry] = {}
        previous: tuple[int, str] = (0, "")
        for entry in self._in_order(storage.child):
            key = (len(entry.name.encode("utf-16-le")), entry.name.upper())
            # MS-CFB §2.6.4: a reader that searches the tree sees only what stands in its place.
            if key <= previous:
                raise Unreadable("the names in the compound file are not in order")
            previous = key
            found[key[1]] = entry
        return found

    def read(self, stream: Entry) -> bytes:
        """A stream's bytes. Ask once for each: what two streams share is refused."""
        size = stream.size_bytes
        if not stream.is_stream or size > len(self._data):
            raise Unreadable("a stream is larger than its file")
        if size == 0:
            return b""
        if size < _CUTOFF_BYTES:
            data = self._mini_chain(stream.start, size)
        else:
            data = self._chain(stream.start, size)
        if len(data) < size:
            raise Unreadable("a stream is cut short")
        return data[:size]

    def _sector(self, number: int) -> bytes:
        if number >= self._count or self._used[number]:
            raise Unreadable("a sector is out of place, or used twice")
        self._used[number] = 1
        start = (number + 1) * self._sector_bytes
        return self._data[start : start + self._sector_bytes]

    def _read_fat(self, difat: int, difat_count: int) -> tuple[int, ...]:
        numbers = list(_integers(self._data[76:512]))
        for _ in range(difat_count):
            block = _integers(self._sector(difat))
            numbers += [number for number in block[:-1] if number <= _LAST_SECTOR]
            difat = block[-1]
            if len(numbers) > self._count + _FIRST_NUMBERS:
                raise Unreadable("a sector is out of place, or used twice")
        table = [self._sector(number) for number in numbers if number <= _LAST_SECTOR]
        # Numbers for what does not exist are never asked for, and would fill the memory.
        return _integers(b"".join(table)[: 4 * self._count])

    def _chain(self, start: int, size: int | None = None) -> bytes:
        """The sectors from `start` on; as many as `size` needs, all of them without it."""
        pieces, number, got = [], start, 0
        while number != _END and (size is None or got < size):
            piece = self._sector(number)
            if number >= len(self._fat):
                raise Unreadable("a sector is not in the table of sectors")
            number = self._fat[number]
            got += len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _mini_chain(self, start: int, size: int) -> bytes:
        pieces, number, got = [], start, 0
        while number != _END and got < size:
            at = number * _MINI_BYTES
            if number >= len(self._mini_fat) or at >= len(self._mini) or self._mini_used[number]:
                raise Unreadable("a sector is out of place, or used twice")
            self._mini_used[number] = 1
            pieces.append(self._mini[at : at + _MINI_BYTES])
            got += _MINI_BYTES
            number = self._mini_fat[number]
        return b"".join(pieces)

    def _entry(self, number: int) -> Entry:
        fields, _, _ = self._links(number)
        return fields

    def _links(self, number: int) -> tuple[Entry, int, int]:
        at = number * _ENTRY.size
        if at + _ENTRY.size > len(self._directory):
            raise Unreadable("an entry of the compound file's directory does not exist")
        name, name_bytes, kind, _, left, right, child, _, _, _, start, size = _ENTRY.unpack_from(
            self._directory, at
        )
        if kind not in (_STORAGE, _STREAM, _ROOT) or (kind == _ROOT) != (number == 0):
            raise Unreadable("an entry of the compound file's directory has an unknown kind")
        if not 2 <= name_bytes <= 64:
            raise Unreadable("an entry of the compound file's directory has no name")
        try:
            # Outlook's are ASCII, and programs do not agree on the letter case of others.
            text = name[: name_bytes - 2].decode("utf-16-le").encode("ascii").decode("ascii")
        except UnicodeError:
            raise Unreadable("a name in the compound file is not ASCII") from None
        if not self._long_sizes:
            size &= 0xFFFFFFFF
        return Entry(text, kind == _STREAM, start, size, child), left, right

    def _in_order(self, child: int) -> Iterator[Entry]:
        """The tree below an entry from left to right, without recursion."""
        waiting: list[tuple[Entry, int]] = []
        number = child
        while waiting or number != _FREE:
            while number != _FREE:
                if number in self._seen or len(self._seen) > MAX_ENTRIES:
                    raise Unreadable(
                        "the compound file's directory runs in a circle or is too large"
                    )
                self._seen.add(number)
                entry, left, right = self._links(number)
                waiting.append((entry, right))
                number = left
            entry, number = waiting.pop()
            yield entry


def _integers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])

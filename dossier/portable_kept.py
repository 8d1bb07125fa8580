"""What an archive that was broken off keeps: a journal beside it of the dossiers in it.

Only the index and the list at a ZIP file's end need all records; what is before them stays as it
was written. So whoever goes on cuts the file behind the last dossier of the journal, and writes on.
The journal has a line for each record, written after the dossiers themselves are on the disk: if
we die between the two, those dossiers are made again.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from proofmail.core.canonical import Json, decode, encode
from proofmail.errors import Unreadable

KEEP_EVERY = 50
"""Records between two commits: so many at most are made again."""


@dataclass(frozen=True)
class Kept:
    """A record in the archive: its row of the index, where its dossier's member begins (`size` 0
    and no file in the row: it has none), and where the archive ends behind it."""

    record_id: str
    row: dict[str, Json]
    offset: int
    size: int
    crc32: int
    end: int

    def to_bytes(self) -> bytes:
        return encode([self.record_id, self.row, self.offset, self.size, self.crc32, self.end])


def count_kept(journal: Path, archive: Path, chosen: Sequence[str], maker: str) -> int:
    """How many of the chosen records, from the first on, the archive holds whole; 0 for a journal
    of another `maker`, which is whatever the index and the dossiers depend on."""
    try:
        size_bytes = archive.stat().st_size
        with journal.open("rb") as stream:
            if stream.readline() != _head(maker):
                return 0
            count = 0
            for kept, record_id in zip(_lines(stream), chosen, strict=False):
                if kept.record_id != record_id or kept.end > size_bytes:
                    break
                count += 1
            return count
    except FileNotFoundError:
        return 0


def _lines(stream: IO[bytes]) -> Iterator[Kept]:
    """Up to the first that is not whole, which is the last that was being written."""
    for line in stream:
        try:
            if not line.endswith(b"\n"):
                return
            yield Kept(*decode(line[:-1]))
        except (Unreadable, TypeError):
            return


def _head(maker: str) -> bytes:
    return encode(["proofmail/archive-journal/0", maker]) + b"\n"


class Journal:
    """The journal of an archive being written to `archive`, whose first `count` records are there
    (`count_kept`). Opened by `with`; without a path nothing is kept."""

    def __init__(self, path: Path | None, archive: IO[bytes], count: int, maker: str) -> None:
        self._archive, self._count, self._maker = archive, count, maker
        self._waiting: list[bytes] = []
        self._stream: IO[bytes] | None = None
        self._path = path

    def __enter__(self) -> Journal:
        if self._path is not None:
            flags = os.O_RDWR | os.O_CREAT
            self._stream = os.fdopen(os.open(self._path, flags, 0o600), "r+b")
            if not self._count:
                self._stream.truncate()
                self._stream.write(_head(self._maker))
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def kept(self) -> Iterator[Kept]:
        """What is there already, to be read to its end before anything is added."""
        if self._stream is not None and self._count:
            self._stream.seek(len(_head(self._maker)))
            place = self._stream.tell()
            for line in islice(self._stream, self._count):
                place += len(line)
                yield Kept(*decode(line[:-1]))
            self._stream.seek(place)
            self._stream.truncate()

    def add(self, kept: Kept) -> None:
        if self._stream is None:
            return
        self._waiting.append(kept.to_bytes() + b"\n")
        if len(self._waiting) >= KEEP_EVERY:
            self.commit()

    def commit(self) -> None:
        """Dossiers first, then the lines on them: a line never speaks of what is not there."""
        if self._stream is None:
            return
        for stream, data in ((self._archive, b""), (self._stream, b"".join(self._waiting))):
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        self._waiting.clear()


def member(kept: Kept, info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The list's entry on a dossier that was written before, of the same `info`."""
    info.header_offset, info.CRC = kept.offset, kept.crc32
    info.file_size = info.compress_size = kept.size
    return info

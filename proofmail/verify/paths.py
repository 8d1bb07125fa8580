"""Copies on a disk: what the auditor names, as what `containers` judges. Reads nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from stat import S_ISREG

from proofmail.errors import Unreadable
from proofmail.verify.containers import MAIL_SUFFIXES, MAX_MESSAGES, Folder
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.plain import plain

_MAILDIR = ("cur", "new")
_CHUNK_BYTES = 1 << 18


def source(path: Path) -> Copy | Folder:
    """A file, or a folder: a Maildir (its `cur` and `new`), else the .eml files directly in it.

    OSError if it cannot be opened; Unreadable for a pipe or device, which cannot be read twice.
    """
    name = plain(path.name or str(path.resolve().name))
    if path.is_dir():
        return _folder(path, name)
    if not S_ISREG(path.stat().st_mode):  # asked first: to open a pipe would wait
        raise Unreadable(f"{name}: neither a file nor a folder")
    with path.open("rb") as stream:
        stream.read(1)
    return Copy(name, partial(_chunks, path))


def _folder(path: Path, name: str) -> Folder:
    inside = [part for part in _MAILDIR if (path / part).is_dir()]
    files: list[str] = []
    passed_over = 0
    for part in inside or [""]:
        with os.scandir(path / part) as listing:
            for entry in listing:
                # A link could lead out of the folder, to what the auditor did not name.
                mail = bool(inside) or entry.name.lower().endswith(MAIL_SUFFIXES)
                if mail and entry.is_file(follow_symlinks=False):
                    files.append(os.path.join(part, entry.name))
                else:
                    passed_over += 1
                if len(files) > MAX_MESSAGES:
                    raise Unreadable(f"{name}: a folder of more than {MAX_MESSAGES} messages")
    files.sort()
    return Folder(name, partial(_files, path, files), passed_over)


def _files(path: Path, names: list[str]) -> Iterator[Copy]:
    for name in names:
        yield Copy(plain(name), partial(_chunks, path / name))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk

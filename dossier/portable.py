"""A portable archive: dossiers in one ZIP file with an index, the trust file and instructions.

Written as it comes and read back before it is handed out. Names and times of the members are the
same for the same records; the bytes of dossiers are not, for seals and their time-stamps differ.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from dossier.portable_kept import Journal, Kept, member
from dossier.portable_texts import LISEZMOI, README
from proofmail.core.canonical import Json, format_time
from proofmail.core.proof import Proof
from proofmail.errors import CheckFailed
from proofmail.verify.case import member_of
from proofmail.verify.plain import plain
from proofmail.verify.report import Report, rounded_up

FORMAT = "proofmail/archive-index/0"
INDEX_JSON = "index.json"
INDEX_CSV = "index.csv"
TRUST = "trust.json"
VERIFIER = "verifier/"
PAGE = "verifier.html"
_DOSSIERS = "dossiers/"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK_BYTES = 1 << 20
_FORMULA = frozenset("=+-@\t\r\n\uff0b\uff0d\uff1d\uff20")
"""First characters by which spreadsheet programs take a cell for a formula, or another cell."""
COLUMNS = (
    "file", "sha256", "received_at", "kind", "verdict", "existed_by", "provisional", "sender",
    "recipients", "subject", "parts", "linked", "record_sha256", "record_id",
)  # fmt: skip


@dataclass(frozen=True)
class Filed:
    """A record for the archive: its dossier, empty if none could be made as a check failed."""

    record_id: str
    proof: Proof
    report: Report
    final: bool
    dossier: bytes


@dataclass(frozen=True)
class Extras:
    """What lies beside the dossiers: the trust file, files of the verifier by name, and the one
    that a browser opens, b"" if there is none."""

    trust: bytes
    verifier: Mapping[str, bytes]
    page: bytes = b""


@dataclass(frozen=True)
class Resume:
    """Where a journal is kept, how many records the archive holds already by it (`count_kept`),
    and by whom it is made."""

    journal: Path | None = None
    count: int = 0
    maker: str = ""


NOT_RESUMED = Resume()


def write_archive(
    path: Path, records: Iterable[Filed], extras: Extras, resume: Resume = NOT_RESUMED
) -> int:
    """Writes the archive and reads it back; returns how many records are in it.

    CheckFailed if what was read back differs. One dossier is in memory at a time; the index waits
    in a temporary file without a name beside `path`. `records` are those behind the ones that
    `resume` counts.
    """
    digests: dict[str, bytes] = {}
    count = 0
    with (
        os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as stream,
        Journal(resume.journal, stream, resume.count, resume.maker) as journal,
        TemporaryFile(dir=path.parent) as rows,
        TemporaryFile(dir=path.parent) as table,
    ):
        table.write(_csv_line(COLUMNS))
        members: list[zipfile.ZipInfo] = []
        end = 0
        for kept in journal.kept():
            if file := kept.row["file"]:
                members.append(member(kept, _info(file)))
                digests[file] = bytes.fromhex(kept.row["sha256"])
            _index(rows, table, kept.row, first=count == 0)
            count, end = count + 1, kept.end
        stream.truncate(end)
        stream.seek(end)  # a ZIP file is written from where its stream stands
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.infolist().extend(members)
            for filed in records:
                row = _row(filed)
                if filed.dossier:
                    _put(archive, digests, row["file"], filed.dossier)
                _index(rows, table, row, first=count == 0)
                journal.add(_kept(filed, row, end, stream.tell()))
                count, end = count + 1, stream.tell()
            journal.commit()
            _finish(archive, digests, rows, table, extras)
    check_archive(path, digests)
    return count


def _index(rows: IO[bytes], table: IO[bytes], row: dict[str, Json], *, first: bool) -> None:
    rows.write((b"" if first else b",\n") + _spelt(row))
    table.write(_csv_line([_cell(row[column]) for column in COLUMNS]))


def _kept(filed: Filed, row: dict[str, Json], offset: int, end: int) -> Kept:
    crc = zlib.crc32(filed.dossier)
    return Kept(filed.record_id, row, offset, len(filed.dossier), crc, end)


def _finish(
    archive: zipfile.ZipFile,
    digests: dict[str, bytes],
    rows: IO[bytes],
    table: IO[bytes],
    extras: Extras,
) -> None:
    """What stands behind the dossiers."""
    index = b'{"format":"%s","records":[\n' % FORMAT.encode("ascii"), rows, b"\n]}\n"
    _stream(archive, digests, INDEX_JSON, index)
    _stream(archive, digests, INDEX_CSV, (b"\xef\xbb\xbf", table))
    _put(archive, digests, TRUST, extras.trust)
    _put(archive, digests, "README.txt", README.encode())
    _put(archive, digests, "LISEZMOI.txt", LISEZMOI.encode())
    if extras.page:
        _put(archive, digests, PAGE, extras.page)
    for name, data in sorted(extras.verifier.items()):
        _put(archive, digests, VERIFIER + name, data)


def check_archive(path: Path, digests: Mapping[str, bytes]) -> None:
    """The archive holds exactly these files, each with its SHA-256; else CheckFailed."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(names) != len(set(names)) or set(names) != set(digests):
            raise CheckFailed("the archive does not hold exactly what was put into it")
        for name, expected in digests.items():
            found = sha256()
            try:
                with archive.open(name) as member:
                    while piece := member.read(_CHUNK_BYTES):
                        found.update(piece)
            except (zipfile.BadZipFile, zlib.error):
                raise CheckFailed("a file in the archive is damaged") from None
            if found.digest() != expected:
                raise CheckFailed("a file in the archive is not the one that was put into it")


def _row(filed: Filed) -> dict[str, Json]:
    """What the index tells of a record: facts where V2 and V3 passed, the verdict always."""
    told = member_of(1, filed.proof, filed.report)
    claims = filed.report.facts.get("claims", {}) if filed.report.facts else {}
    people = [box for name in ("header.to", "header.cc") for box in claims.get(name, [])]
    name = f"{filed.proof.record.received_at:%Y%m%dT%H%M%SZ}-{told.record[:16]}.pdf"
    by = filed.report.existed_by
    return {
        "existed_by": format_time(rounded_up(by)) if by else "",
        "file": _DOSSIERS + name if filed.dossier else "",
        "kind": filed.proof.record.kind,
        "linked": len(filed.proof.linked),
        "parts": claims.get("message.parts", 0),
        "provisional": not filed.final,
        "received_at": format_time(filed.proof.record.received_at),
        "recipients": [box["address"] or box["name"] for box in people[:50]],
        "record_id": filed.record_id,
        "record_sha256": told.record,
        "sender": told.sender,
        "sha256": sha256(filed.dossier).hexdigest() if filed.dossier else "",
        "subject": told.subject,
        "verdict": filed.report.verdict,
    }


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.external_attr = 0o100644 << 16
    info.create_system = 3  # Unix, wherever it is made
    packed = not name.endswith(".pdf")  # whose streams are packed already
    info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    return info


def _put(archive: zipfile.ZipFile, digests: dict[str, bytes], name: str, data: bytes) -> None:
    _stream(archive, digests, name, (data,), len(data))


def _stream(
    archive: zipfile.ZipFile,
    digests: dict[str, bytes],
    name: str,
    pieces: Iterable[bytes | IO[bytes]],
    size_bytes: int | None = None,
) -> None:
    """Adds a member; the large form is taken where its size is unknown, or needs it."""
    if name in digests:
        raise CheckFailed("two records would have the same name in the archive")
    info = _info(name)
    seen = sha256()
    info.file_size = size_bytes or 0
    with archive.open(info, "w", force_zip64=size_bytes is None) as member:
        for piece in _chunks(pieces):
            seen.update(piece)
            member.write(piece)
    digests[name] = seen.digest()


def _chunks(pieces: Iterable[bytes | IO[bytes]]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        piece.seek(0)
        while part := piece.read(_CHUNK_BYTES):
            yield part


def _spelt(row: Mapping[str, Json]) -> bytes:
    return json.dumps(row, ensure_ascii=False, sort_keys=True).encode()


def _cell(value: Json) -> str:
    """A value as text that no spreadsheet program takes for more: controls are shown, and a
    beginning that starts a formula stands behind an apostrophe. `index.json` has the value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    shown = plain(text, 2000)
    stripped = text.lstrip()
    acts = text[:1] in _FORMULA or stripped[:1] in _FORMULA
    return f"'{shown}" if acts else shown


def _csv_line(cells: Iterable[str]) -> bytes:
    """RFC 4180, every cell in quotes, so that no separator of another country parts one."""
    return (",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\r\n").encode()

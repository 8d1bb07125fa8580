"""The syntax of a PDF file, as narrow as dossiers are written (SPEC, dossiers).

A file is a header and one or more revisions; a revision is objects, one cross-reference table, one
trailer. The whole file is read in this order from the first byte to the last, so that no byte
stands outside the grammar, and the cross-reference table must say exactly what was found there:
a reader that follows the table and one that scans the file see the same objects. What makes common
readers give the table up and scan (a trailer that is not quite one), or read a stream otherwise
than we do, is refused with the rest. Compressed object streams, cross-reference streams,
encryption, comments, and generations other than 0 are Unreadable. Stream data are carried along.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from proofmail.errors import Unreadable

MAX_FILE_BYTES = 64 << 20
MAX_OBJECTS = 65_536
"""A case dossier of 1,000 proofs has some 40,000, most of them for its pages' structure."""
MAX_OBJECT_NUMBER = 8_388_607
"""ISO 32000-1 Annex C.2. Readers that cannot make room for a number scan the file instead."""
MAX_NAME_BYTES = 127
"""ISO 32000-1 Annex C.2."""
MAX_DEPTH = 32
MAX_REVISIONS = 16
MAX_STREAM_BYTES = 32 << 20
MAX_VALUES = 500_000
"""Values and pieces of strings in one file; a dossier has some thousands, a case of 1,000 proofs
some hundred thousands."""

_HEADER = re.compile(rb"%PDF-1\.[4-7]\n%[\x80-\xff]{4,8}\n")
_SPACE = re.compile(rb"[\0\t\n\f\r ]*")
_TOKEN = re.compile(rb"[^\0\t\n\f\r ()<>\[\]{}/%]+")
_INTEGER = re.compile(rb"[+-]?[0-9]{1,18}")
_REAL = re.compile(rb"[+-]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})")
_REFERENCE = re.compile(rb"([0-9]{1,8})[\t\n\r ]+0[\t\n\r ]+R(?![^\0\t\n\f\r ()<>\[\]{}/%])")
_HEX = re.compile(rb"<([0-9A-Fa-f\t\n\r ]*)>")
_PLAIN_NAME = re.compile(rb"[\x21-\x7e]*")
_STRAY_HASH = re.compile(rb"#(?![0-9A-Fa-f]{2})")
_SCANNED_OBJECT = re.compile(rb"[0-9][\0\t\n\f\r ]+[0-9]+[\0\t\n\f\r ]+obj")
_SCANNED_TRAILER = re.compile(rb"trailer[\0\t\n\f\r ]*<<")
_OCTAL = re.compile(rb"[0-7]{1,3}")
_STRING_PIECE = re.compile(rb"[^()\\]+")
_OBJECT = re.compile(rb"([1-9][0-9]{0,7}) 0 obj(?![^\0\t\n\f\r ()<>\[\]{}/%])")
_STREAM = re.compile(rb"[\t ]*\r?\n?stream\r?\n")
_END_STREAM = re.compile(rb"\r?\n?endstream[\t\n\r ]+")
_END_OBJECT = re.compile(rb"[\t\n\r ]*endobj\r?\n")
_XREF = re.compile(rb"xref\r?\n")
_SECTION = re.compile(rb"([0-9]{1,8}) ([0-9]{1,8})[ ]?\r?\n")
_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \n| \r|\r\n)")
_TRAILER = re.compile(rb"trailer[\t\n\r ]*")
_START = re.compile(rb"[\t\n\r ]*startxref\r?\n([0-9]{1,10})\r?\n%%EOF(?:\r?\n)?")
_ELSEWHERE = frozenset({"DP", "F", "FDecodeParms", "FFilter"})
"""Keys by which some readers take a stream's data from another file, or decode them otherwise."""
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Name(str):
    """A name object, without its slash and with #xx undone; compares as text."""

    __slots__ = ()


@dataclass(frozen=True)
class Reference:
    """An indirect reference to an object of generation 0."""

    number: int


@dataclass(frozen=True)
class Text:
    """A string object; `start` and `end` bound it in the file, delimiters included."""

    value: bytes
    start: int
    end: int
    hexadecimal: bool


@dataclass(frozen=True)
class Stream:
    """A stream object with its data as stored."""

    entries: dict[str, Value]
    data: bytes


Value: TypeAlias = (
    "bool | int | float | Name | Text | Reference | list[Value] | dict[str, Value] | Stream | None"
)


@dataclass(frozen=True)
class Revision:
    """One section of the file: its objects, its trailer, and the offset just behind it."""

    objects: dict[int, Value]
    trailer: dict[str, Value]
    end: int


@dataclass(frozen=True)
class File:
    revisions: tuple[Revision, ...]

    def objects(self, revisions: int | None = None) -> dict[int, Value]:
        """The objects in force after that many revisions, or all: later ones replace earlier."""
        merged: dict[int, Value] = {}
        for revision in self.revisions[:revisions]:
            merged |= revision.objects
        return merged

    def everything(self) -> Iterator[Value]:
        """Every object and trailer of every revision, replaced ones included."""
        for revision in self.revisions:
            yield from revision.objects.values()
            yield revision.trailer


def walk(value: Value) -> Iterator[Value]:
    """The value and all values inside it, references not followed, in no certain order."""
    left = [value]
    while left:
        found = left.pop()
        yield found
        if isinstance(found, dict):
            left.extend(found.values())
        elif isinstance(found, list):
            left.extend(found)
        elif isinstance(found, Stream):
            left.append(found.entries)


def inflate(stream: Stream) -> bytes:
    """The data of a stream that is stored plainly or by one FlateDecode without parameters."""
    filters = stream.entries.get("Filter")
    if isinstance(filters, list):
        filters = filters[0] if len(filters) == 1 and filters[0] is not None else False
    if stream.entries.get("DecodeParms") is not None:
        raise Unreadable("PDF: a stream with decoding parameters")
    if filters is None:
        data, complete = stream.data, len(stream.data) <= MAX_STREAM_BYTES
    elif filters == "FlateDecode" and isinstance(filters, Name):
        unpacker = zlib.decompressobj()
        try:
            data = unpacker.decompress(stream.data, MAX_STREAM_BYTES)
        except zlib.error as error:
            raise Unreadable("PDF: a stream is damaged") from error
        complete = unpacker.eof and not unpacker.unused_data
    else:
        raise Unreadable("PDF: a stream with another filter than FlateDecode")
    if not complete:
        raise Unreadable(f"PDF: a stream is damaged or unpacks to over {MAX_STREAM_BYTES} bytes")
    return data


def read_file(data: bytes) -> File:
    """The revisions of a PDF file of this profile; Unreadable for any other bytes."""
    if len(data) > MAX_FILE_BYTES:
        raise Unreadable(f"PDF: a dossier has at most {MAX_FILE_BYTES} bytes")
    header = _HEADER.match(data)
    if not header:
        raise Unreadable("PDF: no header of a dossier")
    revisions: list[Revision] = []
    parser = _Parser(data)
    at, previous, count, highest = header.end(), None, 0, 0
    while at < len(data):
        revision, previous = _revision(parser, at, previous)
        at = revision.end
        highest = max(highest, *revision.objects) if revision.objects else highest
        # Not a bool, nor a float that Python holds equal: readers that find no integer scan.
        if type(size := revision.trailer.get("Size")) is not int or size != highest + 1:
            raise Unreadable("PDF: the trailer's Size is not one above the highest object number")
        revisions.append(revision)
        count += len(revision.objects)
        if len(revisions) > MAX_REVISIONS or count > MAX_OBJECTS:
            raise Unreadable("PDF: too many objects or revisions")
    if not revisions:
        raise Unreadable("PDF: a header and nothing else")
    _check_scan(data, count, len(revisions))
    return File(tuple(revisions))


def _check_scan(data: bytes, objects: int, revisions: int) -> None:
    """No stream or string holds what a reader that scans takes for an object or a trailer."""
    for pattern, known in ((_SCANNED_OBJECT, objects), (_SCANNED_TRAILER, revisions)):
        if any(number >= known for number, _ in enumerate(pattern.finditer(data))):
            raise Unreadable("PDF: a stream or string holds what looks like PDF syntax")


def _space(data: bytes, at: int) -> int:
    found = _SPACE.match(data, at)
    return found.end() if found else at


def _expect(pattern: re.Pattern[bytes], data: bytes, at: int, what: str) -> re.Match[bytes]:
    found = pattern.match(data, at)
    if not found:
        raise Unreadable(f"PDF: {what} is due at byte {at}")
    return found


def _revision(parser: _Parser, at: int, previous: int | None) -> tuple[Revision, int]:
    """The revision that starts at `at`, and the offset of its cross-reference table."""
    data = parser.data
    objects: dict[int, Value] = {}
    places: dict[int, int] = {}
    at = _space(data, at)
    while found := _OBJECT.match(data, at):
        number = int(found[1])
        if number in objects or len(objects) >= MAX_OBJECTS or number > MAX_OBJECT_NUMBER:
            raise Unreadable("PDF: an object is there twice, or there are too many")
        places[number] = at
        objects[number], at = _object(parser, found.end())
        at = _space(data, at)
    table = at
    listed, at = _table(data, _expect(_XREF, data, at, "an object or xref").end())
    if listed != places:
        raise Unreadable("PDF: the cross-reference table differs from the objects in the file")
    trailer, at = parser.read(_expect(_TRAILER, data, at, "trailer").end())
    if not isinstance(trailer, dict):
        raise Unreadable("PDF: the trailer is not a dictionary")
    if not set(trailer) <= {"ID", "Info", "Prev", "Root", "Size"}:
        raise Unreadable("PDF: the trailer has an entry that dossiers have not")
    leads_to = trailer.get("Prev")
    if (
        leads_to != previous
        or type(leads_to) is not type(previous)
        or (previous is None and "Prev" in trailer)
    ):
        raise Unreadable("PDF: the trailer does not lead to the revision before")
    start = _expect(_START, data, at, "startxref")
    if int(start[1]) != table:
        raise Unreadable("PDF: startxref does not lead to the cross-reference table")
    return Revision(objects, trailer, start.end()), table


def _table(data: bytes, at: int) -> tuple[dict[int, int], int]:
    """Offsets by object number; object 0 alone may be free."""
    places: dict[int, int] = {}
    free = False
    while section := _SECTION.match(data, at):
        first, count, at = int(section[1]), int(section[2]), section.end()
        if not 0 < count <= MAX_OBJECTS or len(places) > MAX_OBJECTS:
            raise Unreadable("PDF: a cross-reference section is empty or too long")
        for number in range(first, first + count):
            entry = _expect(_ENTRY, data, at, "a cross-reference entry")
            at = entry.end()
            if entry[3] == b"f":
                if number != 0 or free:
                    raise Unreadable("PDF: an object is declared free")
                free = True
            elif number in places or entry[2] != b"00000":
                raise Unreadable("PDF: an object is listed twice, or in a later generation")
            else:
                places[number] = int(entry[1])
    return places, at


def _object(parser: _Parser, at: int) -> tuple[Value, int]:
    data = parser.data
    value, at = parser.read(at)
    if isinstance(value, dict) and (found := _STREAM.match(data, at)):
        length = value.get("Length")
        if not isinstance(length, int) or isinstance(length, bool) or length < 0:
            raise Unreadable("PDF: a stream without a length of its own")
        if not _ELSEWHERE.isdisjoint(value):
            raise Unreadable("PDF: a stream's data lie elsewhere, or are decoded in another way")
        start = found.end()
        value = Stream(value, data[start : start + length])
        at = _expect(_END_STREAM, data, start + length, "endstream").end()
    return value, _expect(_END_OBJECT, data, at, "endobj").end()


class _Parser:
    """Reads values anywhere in one file, and no more of them than a dossier may have."""

    def __init__(self, data: bytes) -> None:
        self.data, self._at, self._left = data, 0, MAX_VALUES

    def read(self, at: int) -> tuple[Value, int]:
        """The value at `at` with all that is inside it, and the offset behind it."""
        self._at = at
        return self._value(0), self._at

    def _spend(self, values: int = 1) -> None:
        self._left -= values
        if self._left < 0:
            raise Unreadable(f"PDF: more than {MAX_VALUES} values")

    def _value(self, depth: int) -> Value:
        self._spend()
        if depth > MAX_DEPTH:
            raise Unreadable("PDF: nested too deep")
        data = self.data
        at = self._at = _space(data, self._at)
        first = data[at : at + 1]
        if first == b"/":
            return self._name()
        if first == b"<":
            return self._dictionary(depth) if data[at + 1 : at + 2] == b"<" else self._hex()
        if first == b"[":
            return self._array(depth)
        if first == b"(":
            return self._string()
        if reference := _REFERENCE.match(data, at):
            self._at = reference.end()
            return Reference(int(reference[1]))
        token = _expect(_TOKEN, data, at, "a value")
        self._at = token.end()
        return _atom(token[0])

    def _name(self) -> Name:
        token = _TOKEN.match(self.data, self._at + 1)
        spelt = token[0] if token else b""
        self._at += 1 + len(spelt)
        if len(spelt) > 3 * MAX_NAME_BYTES or _STRAY_HASH.search(spelt):
            raise Unreadable("PDF: a name is too long, or spelt as no name is")
        if escapes := spelt.count(b"#"):
            self._spend(escapes)
            spelt = re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes((int(m[1], 16),)), spelt)
        # Some readers end a name at #00, or fold what is not ASCII.
        if len(spelt) > MAX_NAME_BYTES or not _PLAIN_NAME.fullmatch(spelt):
            raise Unreadable("PDF: a name is too long, or not printable ASCII")
        return Name(spelt.decode("ascii"))

    def _array(self, depth: int) -> list[Value]:
        self._at += 1
        values: list[Value] = []
        while not self._closed(b"]"):
            values.append(self._value(depth + 1))
        return values

    def _dictionary(self, depth: int) -> dict[str, Value]:
        self._at += 2
        entries: dict[str, Value] = {}
        while not self._closed(b">>"):
            if self.data[self._at : self._at + 1] != b"/":
                raise Unreadable("PDF: a dictionary's key is not a name")
            key = str(self._name())
            if key in entries:
                raise Unreadable("PDF: a dictionary has a key twice")
            entries[key] = self._value(depth + 1)
        return entries

    def _closed(self, mark: bytes) -> bool:
        self._at = _space(self.data, self._at)
        if not self.data.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _hex(self) -> Text:
        found = _expect(_HEX, self.data, self._at, "a hexadecimal string")
        self._at = found.end()
        digits = found[1].translate(None, b"\t\n\r ")
        digits += b"0" * (len(digits) % 2)
        value = bytes.fromhex(digits.decode("ascii"))
        return Text(value, found.start(), found.end(), hexadecimal=True)

    def _string(self) -> Text:
        data, start = self.data, self._at
        at, depth, pieces = start + 1, 1, []
        while depth:
            self._spend()
            if found := _STRING_PIECE.match(data, at):
                pieces.append(found[0])
                at = found.end()
            mark = data[at : at + 1]
            if mark == b"\\":
                piece, at = _escape(data, at + 1)
                pieces.append(piece)
                continue
            if not mark:
                raise Unreadable("PDF: a string does not end")
            depth += 1 if mark == b"(" else -1
            at += 1
            if depth:
                pieces.append(mark)
        self._at = at
        return Text(b"".join(pieces), start, at, hexadecimal=False)


def _escape(data: bytes, at: int) -> tuple[bytes, int]:
    """What a backslash before `at` stands for (ISO 32000-1 §7.3.4.2)."""
    if octal := _OCTAL.match(data, at):
        return bytes((int(octal[0], 8) & 0xFF,)), octal.end()
    if data.startswith(b"\r\n", at):
        return b"", at + 2
    mark = data[at : at + 1]
    if mark in (b"\r", b"\n"):
        return b"", at + 1
    return _ESCAPES.get(mark, mark), at + 1


def _atom(token: bytes) -> Value:
    if _INTEGER.fullmatch(token):
        return int(token)
    if _REAL.fullmatch(token):
        return float(token)
    words: dict[bytes, bool | None] = {b"true": True, b"false": False, b"null": None}
    if token not in words:
        raise Unreadable("PDF: a word that is no value")
    return words[token]

"""What an Outlook file (.msg) says: properties of MAPI in a compound file (MS-OXMSG, MS-OXPROPS).

The mail's own bytes are not in it. Text is what the properties hold; nothing is guessed: what is
in an unknown code page, or stands there twice, is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from proofmail.core import charsets
from proofmail.core.headers import ascii_lower
from proofmail.errors import Unreadable
from proofmail.verify.cfb import MAGIC, CompoundFile, Entry

__all__ = ["MAGIC", "Attachment", "Message", "Person", "read_msg"]

MAX_MSG_BYTES = 256 << 20
MAX_ATTACHMENTS = 1_000
MAX_RECIPIENTS = 5_000

_TABLE = "__PROPERTIES_VERSION1.0"
_SUBSTREAM = "__SUBSTG1.0_"
_STRING8, _UNICODE, _OBJECT, _BINARY = 0x001E, 0x001F, 0x000D, 0x0102
_LONG, _BOOLEAN, _TIME = 0x0003, 0x000B, 0x0040
_FIRST_TIME = datetime(1601, 1, 1, tzinfo=UTC)
_CODE_PAGES = {
    1252: "windows-1252",
    20127: "us-ascii",
    28591: "iso-8859-1",
    28605: "iso-8859-15",
    65001: "utf-8",
}

# MS-OXPROPS, by their numbers.
_CLASS, _SUBJECT, _SUBMITTED, _HEADERS = 0x001A, 0x0037, 0x0039, 0x007D
_PREFIX, _NORMALIZED = 0x003D, 0x0E1D
_SHOWN_TO, _SHOWN_CC = 0x0E04, 0x0E03
_BODY, _RTF, _HTML = 0x1000, 0x1009, 0x1013
_INTERNET_PAGE, _MESSAGE_PAGE = 0x3FDE, 0x3FFD
_DISPLAY_NAME, _ADDRESS_TYPE, _ADDRESS, _SMTP = 0x3001, 0x3002, 0x3003, 0x39FE
_RECIPIENT_TYPE = 0x0C15
_DATA, _SHORT_NAME, _METHOD, _LONG_NAME = 0x3701, 0x3704, 0x3705, 0x3707
_FLAGS, _HIDDEN = 0x3714, 0x7FFE
_CONTENT_ID, _CONTENT_LOCATION = 0x3712, 0x3713
_REPRESENTED = (0x0042, 0x0064, 0x0065, 0x5D02)
_SENDER = (0x0C1A, 0x0C1E, 0x0C1F, 0x5D01)
"""Name, kind of address, address, SMTP address."""

_BY_VALUE, _EMBEDDED = 1, 5
_IN_TEXT = 4


@dataclass(frozen=True)
class Person:
    """A sender or recipient. `address` is None where there is none of SMTP."""

    name: str
    address: str | None
    kind: int = 0
    """1 To, 2 Cc, 3 Bcc; 0 for a sender."""


@dataclass(frozen=True)
class Attachment:
    """`data` is None for a link or an object; `embedded` is a message in another form."""

    name: str | None
    shown_name: str | None
    data: bytes | None
    embedded: bool
    hidden: bool
    """Not shown in the list of attachments: it stands in the text."""
    content_id: str = ""
    content_location: str = ""


@dataclass(frozen=True)
class Message:
    """None means that the file does not have it, or not in a way that can be read."""

    message_class: str
    subject: str | None
    headers: str | None
    submitted: datetime | None
    represented: Person | None
    sender: Person | None
    recipients: tuple[Person, ...]
    shown_to: str | None
    shown_cc: str | None
    body: str | None
    html: tuple[bytes, str | None] | None
    """The bytes, and the charset by its name in SPEC §3.4 if that is known."""
    has_body: bool
    rtf: bytes | None
    """Packed, as it stands in the file."""
    attachments: tuple[Attachment, ...]


def read_msg(data: bytes) -> Message:
    """Reads an Outlook file held as bytes; Unreadable if it is none, or bent."""
    if len(data) > MAX_MSG_BYTES:
        raise Unreadable(f"an Outlook file of more than {MAX_MSG_BYTES >> 20} MiB")
    file = CompoundFile(data)
    entries = file.entries(file.root)
    own = _Properties(file, entries, 32, "")
    page = _CODE_PAGES.get(own.integer(_MESSAGE_PAGE) or 0, "")
    own.charset = page
    recipients = [
        _recipient(_Properties(file, file.entries(entry), 8, page))
        for entry in _numbered(entries, "__RECIP_VERSION1.0_#", MAX_RECIPIENTS)
    ]
    attachments = [
        _attachment(_Properties(file, file.entries(entry), 8, page))
        for entry in _numbered(entries, "__ATTACH_VERSION1.0_#", MAX_ATTACHMENTS)
    ]
    return Message(
        message_class=own.text(_CLASS) or "",
        subject=_subject(own),
        headers=own.text(_HEADERS),
        submitted=own.time(_SUBMITTED),
        represented=_represented(own),
        sender=_person(own, *_SENDER),
        recipients=tuple(recipients),
        shown_to=own.text(_SHOWN_TO),
        shown_cc=own.text(_SHOWN_CC),
        body=own.text(_BODY),
        html=_html(own),
        has_body=own.has(_BODY),
        rtf=own.binary(_RTF),
        attachments=tuple(attachments),
    )


def _numbered(entries: Mapping[str, Entry], prefix: str, most: int) -> list[Entry]:
    """The storages of recipients or attachments, in the order of their hexadecimal numbers."""
    found = {name: entry for name, entry in entries.items() if name.startswith(prefix)}
    if len(found) > most or any(entry.is_stream for entry in found.values()):
        raise Unreadable(f"an Outlook file with more than {most} recipients or attachments")
    return [found[name] for name in sorted(found)]


class _Properties:
    """The properties of a message, recipient or attachment."""

    def __init__(
        self, file: CompoundFile, entries: Mapping[str, Entry], header_bytes: int, charset: str
    ) -> None:
        self.charset = charset
        self._file = file
        self._entries = entries
        self._read: dict[str, bytes] = {}
        self._fixed: dict[int, tuple[int, bytes]] = {}
        table = entries.get(_TABLE)
        if table is None:
            raise Unreadable("an Outlook file without its table of properties")
        data = file.read(table)
        for at in range(header_bytes, len(data) - 15, 16):
            kind, number = struct.unpack_from("<HH", data, at)
            if number in self._fixed:
                raise Unreadable("an Outlook file states a property twice")
            self._fixed[number] = (kind, data[at + 8 : at + 16])

    def has(self, number: int) -> bool:
        return self._kind(number) is not None

    def text(self, number: int) -> str | None:
        """A string; None without it, or where its characters cannot be told."""
        kind = self._kind(number)
        if kind == _UNICODE:
            try:
                return self._stream(number, kind).decode("utf-16-le").removesuffix("\0")
            except UnicodeDecodeError:
                return None
        if kind != _STRING8:
            return None
        data = self._stream(number, kind).removesuffix(b"\0")
        try:
            return charsets.decode(data, self.charset or "us-ascii")
        except UnicodeDecodeError:
            return None

    def binary(self, number: int) -> bytes | None:
        kind = self._kind(number)
        return self._stream(number, kind) if kind == _BINARY else None

    def integer(self, number: int) -> int | None:
        kind, value = self._fixed.get(number, (0, b""))
        return int.from_bytes(value[:4], "little") if kind == _LONG else None

    def flag(self, number: int) -> bool:
        kind, value = self._fixed.get(number, (0, b""))
        return kind == _BOOLEAN and value[:2] != b"\0\0"

    def time(self, number: int) -> datetime | None:
        """A FILETIME: 100 nanoseconds since 1601. Cut to whole seconds, as a mail states it."""
        kind, value = self._fixed.get(number, (0, b""))
        if kind != _TIME:
            return None
        try:
            return _FIRST_TIME + timedelta(seconds=int.from_bytes(value, "little") // 10_000_000)
        except OverflowError:
            return None

    def _kind(self, number: int) -> int | None:
        """The type of a property with a stream. Table and streams must agree (MS-OXMSG §2.4):
        programs go by the one or by the other."""
        kinds = [
            kind
            for kind in (_STRING8, _UNICODE, _BINARY, _OBJECT)
            if f"{_SUBSTREAM}{number:04X}{kind:04X}" in self._entries
        ]
        listed = self._fixed.get(number, (None, b""))[0]
        if not kinds and listed not in (_STRING8, _UNICODE, _BINARY, _OBJECT):
            return None
        if len(kinds) != 1 or kinds[0] != listed:
            raise Unreadable("an Outlook file whose table of properties is not that of its streams")
        return kinds[0]

    def _stream(self, number: int, kind: int) -> bytes:
        name = f"{_SUBSTREAM}{number:04X}{kind:04X}"
        if name not in self._read:
            self._read[name] = self._file.read(self._entries[name])
        return self._read[name]


def _subject(own: _Properties) -> str | None:
    """PR_SUBJECT; None where what other programs show for it is something else."""
    subject, normalized = own.text(_SUBJECT), own.text(_NORMALIZED)
    if normalized is None:
        return subject
    joined = (own.text(_PREFIX) or "") + normalized
    return joined if subject in (None, joined) else None


def _person(own: _Properties, name: int, kind: int, address: int, smtp: int) -> Person | None:
    shown = own.text(name)
    found = own.text(smtp)
    if found is None and ascii_lower(own.text(kind) or "") == "smtp":
        found = own.text(address)
    return None if shown is None and found is None else Person(shown or "", found)


def _represented(own: _Properties) -> Person | None:
    """Who the mail is from. Exchange may give the SMTP address beside the sender alone; it counts
    where both are the same entry of its directory."""
    person, sender = _person(own, *_REPRESENTED), _person(own, *_SENDER)
    same = own.text(_REPRESENTED[2]) == own.text(_SENDER[2]) is not None
    if person is not None and person.address is None and sender is not None and same:
        return replace(person, address=sender.address)
    return person


def _recipient(own: _Properties) -> Person:
    person = _person(own, _DISPLAY_NAME, _ADDRESS_TYPE, _ADDRESS, _SMTP) or Person("", None)
    return Person(person.name, person.address, own.integer(_RECIPIENT_TYPE) or 0)


def _html(own: _Properties) -> tuple[bytes, str | None] | None:
    data = own.binary(_HTML)
    if data is not None:
        return data, _CODE_PAGES.get(own.integer(_INTERNET_PAGE) or 0)
    text = own.text(_HTML)
    return None if text is None else (text.encode("utf-8"), "utf-8")


def _attachment(own: _Properties) -> Attachment:
    method = own.integer(_METHOD)
    return Attachment(
        name=own.text(_LONG_NAME) or own.text(_SHORT_NAME),
        shown_name=own.text(_DISPLAY_NAME),
        data=own.binary(_DATA) if method == _BY_VALUE else None,
        embedded=method == _EMBEDDED,
        hidden=own.flag(_HIDDEN) or bool((own.integer(_FLAGS) or 0) & _IN_TEXT),
        content_id=own.text(_CONTENT_ID) or "",
        content_location=own.text(_CONTENT_LOCATION) or "",
    )

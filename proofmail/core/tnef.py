"""The files inside a `winmail.dat` (TNEF), each with its name, size and digests (SPEC §3.18).

A strict reader of MS-OXTNEF §2.1.3 in one pass: where anything is bent, nothing is listed. Memory
is bounded: names alone are kept, from the first pieces of the attributes in which they stand.
"""

from __future__ import annotations

from hashlib import sha3_256, sha256

from proofmail.core.headers import ascii_lower
from proofmail.core.model import File
from proofmail.core.parameters import PartHeader
from proofmail.core.tnef_names import NOTHING_SAID, file_name, read_properties

FILES_MAX = 100
FILES_IN_ALL_MAX = 1_000
"""In all parts of one mail: what is listed is held until its end."""
NAMES_MAX_BYTES = 262_144
"""Most octets of names whose code page is not known before the end."""
ATTRIBUTES_MAX = 10_000
"""Each costs some work, however short it is."""
CAPTURE_MAX_BYTES = 65_536
TITLE_MAX_BYTES = 1_024

TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")
_SIGNATURE = (0x223E9F78).to_bytes(4, "little")
_START_BYTES, _HEADER_BYTES, _CHECKSUM_BYTES = 6, 9, 2
_MESSAGE, _ATTACHMENT = 1, 2
_REND_DATA, _TITLE, _DATA, _PROPERTIES = 0x69002, 0x18010, 0x6800F, 0x69005
_BODY, _MESSAGE_PROPERTIES, _CODE_PAGE = 0x2800C, 0x69003, 0x69007
_AT_ANOTHER_LEVEL = {
    _MESSAGE: (_REND_DATA, _TITLE, _DATA, _PROPERTIES),
    _ATTACHMENT: (_BODY, _MESSAGE_PROPERTIES, _CODE_PAGE),
}
"""Some readers go by the attribute alone, and take it for what it is at its own level."""


def is_tnef(header: PartHeader) -> bool:
    """By its type, or by the name under which Outlook's servers send it."""
    named = header.type == "application/octet-stream" and header.name is not None
    return header.type in TYPES or (named and ascii_lower(header.name or "") == "winmail.dat")


class _Open:
    """The attachment that is being read."""

    def __init__(self) -> None:
        self.title = b""
        self.properties = NOTHING_SAID
        self.said: set[int] = set()
        self.size_bytes = 0
        self.sha256 = sha256()
        self.sha3_256 = sha3_256()


class Tnef:
    """Takes the decoded content of one part in pieces of any size."""

    def __init__(self, files_max: int = FILES_MAX) -> None:
        self._files_max = min(FILES_MAX, files_max)
        self._names_bytes = 0
        self._is_bent = False
        self._notes = {"tnef"}
        self._held = b""
        self._need = _START_BYTES
        self._left = 0
        self._attributes = 0
        self._level = 0
        self._attribute = 0
        self._sum = 0
        self._captured = b""
        self._code_page = 0
        self._file: _Open | None = None
        self._files: list[_Open] = []

    def feed(self, data: bytes) -> None:
        if self._is_bent:
            return
        data = self._held + data
        self._held = b""
        at = 0
        while at < len(data) and not self._is_bent:
            if self._left:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                self._take(piece)
                at += len(piece)
            elif len(data) - at < self._need:
                self._held = data[at:]
                break
            else:
                step = data[at : at + self._need]
                at += self._need
                self._step(step)

    def finish(self) -> tuple[tuple[File, ...], frozenset[str]]:
        """The files in their order, and the part's notes."""
        # A line end behind it may be the mail's: RFC 5322 ends every line so.
        rest = self._held not in (b"", b"\n", b"\r\n")
        if self._is_bent or rest or self._left or self._need != _HEADER_BYTES:
            return (), frozenset(("tnef", "tnef.malformed"))
        listed = [
            one for one in self._files if _DATA in one.said and not one.properties.may_hold_content
        ]
        if len(listed) < len(self._files):
            self._notes.add("tnef.unlisted")
        files = [
            File(
                file_name(one.title, one.properties, self._code_page),
                one.size_bytes,
                one.sha256.digest(),
                one.sha3_256.digest(),
            )
            for one in listed
        ]
        return tuple(files), frozenset(self._notes)

    def _step(self, data: bytes) -> None:
        if self._need == _START_BYTES:
            self._is_bent = data[:4] != _SIGNATURE
            self._need = _HEADER_BYTES
        elif self._need == _HEADER_BYTES:
            self._begin(data)
        else:
            self._end(int.from_bytes(data, "little"))

    def _begin(self, header: bytes) -> None:
        self._level = header[0]
        self._attribute = int.from_bytes(header[1:5], "little")
        self._left = int.from_bytes(header[5:9], "little")
        self._need = _CHECKSUM_BYTES
        self._sum = 0
        self._captured = b""
        self._attributes += 1
        self._is_bent = (
            self._level not in (_MESSAGE, _ATTACHMENT)
            or self._attribute in _AT_ANOTHER_LEVEL[self._level]
            or self._attributes > ATTRIBUTES_MAX
        )
        if self._level == _ATTACHMENT:
            self._begin_of_attachment()
        elif self._attribute in (_BODY, _MESSAGE_PROPERTIES):
            self._notes.add("tnef.text")

    def _begin_of_attachment(self) -> None:
        if self._attribute == _REND_DATA:
            self._file = _Open()
            self._files.append(self._file)
            if len(self._files) > self._files_max:
                self._is_bent = True
        elif self._file is None:
            self._is_bent = True
        elif self._attribute in (_TITLE, _DATA, _PROPERTIES):
            self._is_bent = self._is_bent or self._attribute in self._file.said
            self._file.said.add(self._attribute)

    def _take(self, piece: bytes) -> None:
        self._sum += sum(piece)
        if self._attribute == _DATA and self._level == _ATTACHMENT and self._file is not None:
            self._file.size_bytes += len(piece)
            self._file.sha256.update(piece)
            self._file.sha3_256.update(piece)
        elif self._attribute in (_TITLE, _PROPERTIES, _CODE_PAGE):
            limit = CAPTURE_MAX_BYTES if self._attribute == _PROPERTIES else TITLE_MAX_BYTES
            self._captured += piece[: limit - len(self._captured)]

    def _end(self, checksum: int) -> None:
        self._need = _HEADER_BYTES
        if checksum != self._sum & 0xFFFF:
            self._is_bent = True
        elif self._level == _MESSAGE and self._attribute == _CODE_PAGE:
            self._code_page = int.from_bytes(self._captured[:4], "little")
        elif self._level == _ATTACHMENT and self._file is not None:
            if self._attribute == _TITLE:
                self._file.title = self._captured
            elif self._attribute == _PROPERTIES:
                self._file.properties = read_properties(self._captured)
                self._names_bytes += self._file.properties.held_bytes
                self._is_bent = self._names_bytes > NAMES_MAX_BYTES

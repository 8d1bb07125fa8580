"""One leaf of the MIME tree while its content passes by (SPEC §3.2, §3.3)."""

from __future__ import annotations

from hashlib import sha3_256, sha256

from proofmail.core import transfer
from proofmail.core.html_text import HtmlText
from proofmail.core.links import Links
from proofmail.core.model import File, Fingerprint, Part
from proofmail.core.notes import header_notes
from proofmail.core.parameters import PartHeader
from proofmail.core.pictures import Images
from proofmail.core.protection import (
    HEAD_BYTES,
    SMIME_TYPES,
    Armour,
    protection_notes,
    smime_note,
)
from proofmail.core.report import CAPTURE_MAX_BYTES, DSN_TYPES, HEADERS_TYPES, MDN_TYPES
from proofmail.core.text import Text
from proofmail.core.tnef import FILES_MAX, Tnef, is_tnef
from proofmail.core.words import Words

MESSAGE_TYPES = ("message/rfc822", "message/global")


class Leaf:
    """Takes content, gives back what it decodes to, and ends as a `Part`. `captured` holds the
    first 64 KiB of what report fields may stand in, and nothing of any other part. `files_max`:
    how many files more the mail's parts may list."""

    def __init__(
        self,
        header: PartHeader,
        path: str,
        containers: tuple[str, ...] = (),
        files_max: int = FILES_MAX,
    ) -> None:
        self.header = header
        self.path = path
        self.role = _role(header)
        self._notes = header_notes(header, containers) | protection_notes(header, containers)
        self.captured = bytearray()
        self._captures = _may_report(header, self.role)
        self._decoder = transfer.decoder(header.encoding)
        self._tnef = Tnef(files_max) if is_tnef(header) else None
        self._armour = Armour() if header.type.startswith("text/") else None
        self._links = Links() if self.role == "body" else None
        self._head = b""
        self._takes_head = header.type in SMIME_TYPES
        self._size_bytes = 0
        self._sha256 = sha256()
        self._sha3_256 = sha3_256()
        plain = header.type == "text/plain"
        self._words = Words() if plain else None
        self._html = HtmlText() if header.type == "text/html" else None
        self._images: Images | None = None
        self._text = None
        if header.type.startswith("text/"):
            self._text = Text(
                header.charset,
                flowed=plain and header.parameter("format") == "flowed",
                delete_space=header.parameter("delsp") == "yes",
                decoded=None if self._html is None else self._html.feed,
                made=None if self._words is None else self._words.feed,
            )

    def feed(self, content: bytes) -> bytes:
        return self._take(self._decoder.feed(content))

    def drain(self) -> bytes:
        """What the decoder still held when the content ended. Call once, before `part`."""
        return self._take(self._decoder.finish())

    def part(self) -> Part:
        header = self.header
        digests = self._sha256.digest(), self._sha3_256.digest()
        fingerprints = [Fingerprint("decoded/1", self._size_bytes, *digests)]
        notes = self._notes | self._decoder.defects
        if self._text is not None:
            found, reason = self._readings(self._text)
            fingerprints += found
            if reason is not None:
                notes |= {reason}
        files: tuple[File, ...] = ()
        if self._tnef is not None:
            files, named = self._tnef.finish()
            notes |= named
        if self._armour is not None:
            notes |= self._armour.notes
        if self._takes_head:
            notes |= {smime_note(header, self._head)}
        return Part(
            self.path,
            self.role,
            header.type,
            header.charset,
            header.name,
            tuple(fingerprints),
            tuple(sorted(notes)),
            header.content_id,
            header.content_location,
            (),
            files,
        )

    def links(self) -> dict[bytes, str]:
        """Digests of the links to files in clouds, each with its service, of a body."""
        return {} if self._links is None else self._links.finish()

    @property
    def images(self) -> Images | None:
        """Those of a page that has html-text/1, once `part` was called."""
        return self._images

    def _readings(self, text: Text) -> tuple[list[Fingerprint], str | None]:
        """text/1, then the weaker rules, none of which a part has without it."""
        fingerprint, reason = text.finish()
        if fingerprint is None:
            return [], reason
        found = [fingerprint]
        if self._html is not None:
            seen, reason = self._html.finish()
            found += seen
            self._images = self._html.images if seen else None
        if self._words is not None:
            found.append(self._words.finish())
        return found, reason

    def _take(self, decoded: bytes) -> bytes:
        if not decoded:
            return decoded
        self._size_bytes += len(decoded)
        self._sha256.update(decoded)
        self._sha3_256.update(decoded)
        if self._text is not None:
            self._text.feed(decoded)
        if self._armour is not None:
            self._armour.feed(decoded)
        if self._tnef is not None:
            self._tnef.feed(decoded)
        if self._links is not None:
            self._links.feed(decoded)
        if self._takes_head and len(self._head) < HEAD_BYTES:
            self._head += decoded[: HEAD_BYTES - len(self._head)]
        if self._captures:
            room = CAPTURE_MAX_BYTES - len(self.captured)
            self.captured += decoded[:room]
            self._captures = room > len(decoded)
        return decoded


def _role(header: PartHeader) -> str:
    """The first that applies (SPEC §3.2)."""
    if header.type in MESSAGE_TYPES:
        return "message"
    if header.type in MDN_TYPES or header.type in DSN_TYPES:
        return "report"
    attached = header.disposition not in ("", "inline")
    if not attached and header.type in ("text/plain", "text/html") and header.name is None:
        return "body"
    if attached or header.type.startswith("text/"):
        return "attachment"
    if header.disposition == "inline" or header.has_content_id:
        return "inline"
    return "attachment"


def _may_report(header: PartHeader, role: str) -> bool:
    quoted = role == "body" and header.type == "text/plain"
    return quoted or role == "report" or header.type in HEADERS_TYPES

"""A mail as a tree of bytes, for scripts that rewrite one: it is written again as it was read,
but for what was changed. Knows the originals' plain forms only."""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BOUNDARY = re.compile(rb'boundary="([^"]+)"', re.IGNORECASE)


@dataclass
class Entity:
    """`fields` are whole header fields without their last CRLF; `body` is still encoded, and
    empty in a multipart."""

    fields: list[bytes]
    body: bytes = b""
    children: list[Entity] = field(default_factory=list)

    def get(self, name: str) -> str:
        """A field's value, or ""."""
        start = name.lower().encode() + b":"
        found = (f for f in self.fields if f.lower().startswith(start))
        return next(found, start)[len(start) :].strip().decode("utf-8", "surrogateescape")

    def put(self, name: str, value: str) -> None:
        """Sets a field in its place, or at the end."""
        line = f"{name}: {value}".encode("utf-8", "surrogateescape")
        start = name.lower().encode() + b":"
        for index, old in enumerate(self.fields):
            if old.lower().startswith(start):
                self.fields[index] = line
                return
        self.fields.append(line)

    @property
    def kind(self) -> str:
        """The media type; text/plain where none is said."""
        return self.get("content-type").partition(";")[0].strip().lower() or "text/plain"

    @property
    def charset(self) -> str:
        found = re.search(r"charset=([\w-]+)", self.get("content-type"))
        return found[1] if found else "us-ascii"

    @property
    def is_attached(self) -> bool:
        return self.get("content-disposition").startswith(("attachment", "inline"))

    def content(self) -> bytes:
        """The body with its transfer encoding removed."""
        encoding = self.get("content-transfer-encoding").lower()
        if encoding == "base64":
            return base64.b64decode(self.body)
        return quopri.decodestring(self.body) if encoding == "quoted-printable" else self.body

    def text(self) -> str:
        return self.content().decode(self.charset)

    def encode(self, content: bytes, encoding: str) -> None:
        """Another content, in this transfer encoding."""
        self.body = encoded(content, encoding)
        self.put("Content-Transfer-Encoding", encoding)

    def walk(self) -> Iterator[Entity]:
        yield self
        for child in self.children:
            yield from child.walk()

    def texts(self, kind: str) -> list[Entity]:
        """The bodies of this type: what a reader is shown, without the attached files."""
        return [one for one in self.walk() if one.kind == kind and not one.is_attached]

    def to_bytes(self) -> bytes:
        head = b"".join(field + b"\r\n" for field in self.fields) + b"\r\n"
        if not self.children:
            return head + self.body
        boundary = _boundary(self)
        marks = b"".join(b"--%s\r\n%s\r\n" % (boundary, one.to_bytes()) for one in self.children)
        return head + marks + b"--%s--\r\n" % boundary


def read(mail: bytes) -> Entity:
    head, _, body = mail.partition(b"\r\n\r\n")
    entity = Entity(re.split(rb"\r\n(?![ \t])", head), body)
    if entity.kind.startswith("multipart/"):
        pieces = (b"\r\n" + body).split(b"\r\n--" + _boundary(entity))
        entity.children = [read(piece.removeprefix(b"\r\n")) for piece in pieces[1:-1]]
        entity.body = b""
    return entity


def encoded(content: bytes, encoding: str, columns: int = 76) -> bytes:
    if encoding == "base64":
        text = base64.b64encode(content)
        lines = [text[at : at + columns] for at in range(0, len(text), columns)]
        return b"".join(line + b"\r\n" for line in lines)
    if encoding == "quoted-printable":
        plain = content.replace(b"\r\n", b"\n")
        return quopri.encodestring(plain).replace(b"\n", b"\r\n")
    return content


def _boundary(entity: Entity) -> bytes:
    value = entity.get("content-type").encode()
    found = _BOUNDARY.search(value)
    if found is None:
        raise ValueError(f"a multipart without a boundary in quotation marks: {value!r}")
    return found[1]

"""XML from outside as a small tree: UTF-8, no document type, no entity, bounded in every way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from proofmail.errors import Unreadable

MAX_XML_BYTES = 32 << 20
"""The largest national lists have some 5 MiB."""
MAX_DEPTH = 64
MAX_ELEMENTS = 1_000_000
MAX_ATTRIBUTES = 32
_DECLARED = re.compile(
    rb"\A(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([^\"']{0,40})"
)


@dataclass
class Element:
    """`tag` is `{namespace}name`, as is an attribute's name that has one."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def all(self, *path: str) -> Iterator[Element]:
        """The descendants at the end of a path of tags."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.tag == path[0]:
                yield from child.all(*path[1:])

    def one(self, *path: str) -> Element:
        """The only descendant at the end of a path; Unreadable if there is none, or another."""
        found = list(self.all(*path))
        if len(found) != 1:
            name = path[-1].rpartition("}")[2]
            raise Unreadable(f"the list has {'several' if found else 'no'} {name} where one is due")
        return found[0]

    def text(self) -> str:
        """The characters of an element that has no element in it, without white space around."""
        if self.children:
            raise Unreadable(f"{self.tag.rpartition('}')[2]} holds elements where text is due")
        return "".join(self.pieces).strip()


def read_xml(data: bytes) -> Element:
    """The root element, without comments and processing instructions; Unreadable for anything
    that is not well-formed, not UTF-8, beyond the bounds, or that has a document type."""
    if len(data) > MAX_XML_BYTES:
        raise Unreadable(f"a list has at most {MAX_XML_BYTES >> 20} MiB")
    declared = _DECLARED.match(data)
    if declared and declared[1].lower() != b"utf-8":
        raise Unreadable("the list is not in UTF-8")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("the list is not in UTF-8") from error
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Unreadable("the list is not well-formed XML") from error
    return builder.root.children[0]


class _Builder:
    """Fed by expat; raises from within its calls, which ends the parsing."""

    def __init__(self) -> None:
        self.root = Element("", {})
        self._open = [self.root]
        self._count = 0
        parser = expat.ParserCreate("utf-8", namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._no_doctype
        parser.EntityDeclHandler = self._no_doctype
        parser.ExternalEntityRefHandler = self._no_doctype
        self.parser = parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise Unreadable(f"the list has more than {MAX_ELEMENTS} elements")
        if len(self._open) > MAX_DEPTH:
            raise Unreadable(f"the list has elements more than {MAX_DEPTH} deep")
        if len(attributes) > MAX_ATTRIBUTES:
            raise Unreadable(f"an element has more than {MAX_ATTRIBUTES} attributes")
        made = Element(_named(name), {_named(key): text for key, text in attributes.items()})
        self._open[-1].children.append(made)
        self._open.append(made)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].pieces.append(text)

    def _no_doctype(self, *_declared: object) -> int:
        raise Unreadable("the list has a document type or an entity, which none needs")


def _named(name: str) -> str:
    return f"{{{name}" if "}" in name else name

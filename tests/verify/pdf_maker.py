"""The smallest dossier container, written by hand, so that one thing at a time can be wrong.

Recipe: the objects in order, their true offsets in a classic cross-reference table, one trailer.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence

HEADER = b"%PDF-1.7\n%\xbf\xf7\xa2\xfe\n"


def revision(
    before: bytes, objects: Mapping[int, bytes], *, trailer: bytes = b"", root: int = 1
) -> bytes:
    """`before` and one revision more; `objects` are bodies by number."""
    data = bytearray(before or HEADER)
    places = {}
    for number, body in objects.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(data)
    data += b"xref\n"
    if not before:
        data += b"0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        data += b"%d 1\n%010d 00000 n \n" % (number, place)
    previous = (
        b"/Prev %d" % before.rindex(b"xref\n", 0, before.rindex(b"startxref")) if before else b""
    )
    last = re.findall(rb"/Size (\d+)", before[before.rindex(b"trailer") :]) if before else [b"1"]
    size = max([int(last[0]), *(number + 1 for number in objects)])
    data += b"trailer\n<</Root %d 0 R/Size %d%s%s>>\n" % (root, size, previous, trailer)
    return bytes(data + b"startxref\n%d\n%%%%EOF\n" % table)


def file_object(content: bytes, *, more: bytes = b"", packed: bytes | None = None) -> bytes:
    stored = zlib.compress(content) if packed is None else packed
    return (
        b"<</Type/EmbeddedFile/Filter/FlateDecode/Length %d%s>>\nstream\n" % (len(stored), more)
        + stored
        + b"\nendstream"
    )


def specification(name: bytes, number: int) -> bytes:
    return b"<</Type/Filespec/F(%s)/UF(%s)/EF<</F %d 0 R/UF %d 0 R>>>>" % (
        name, name, number, number,
    )  # fmt: skip


def objects_for(files: Sequence[tuple[bytes, bytes]], *, catalog: bytes = b"") -> dict[int, bytes]:
    """Catalog 1, pages 2, and for each file a specification and a stream from 10 on."""
    objects = {2: b"<</Type/Pages/Kids[]/Count 0>>"}
    names = b""
    for index, (name, content) in enumerate(files):
        number = 10 + 2 * index
        objects[number] = specification(name, number + 1)
        objects[number + 1] = file_object(content)
        names += b"(%s)%d 0 R " % (name, number)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[%s]>>>>%s>>" % (
        names, catalog,
    )  # fmt: skip
    return objects


FILES = ((b"proof.json", b"{}"), (b"record.json", b"[]"))
PLAIN = revision(b"", objects_for(FILES))

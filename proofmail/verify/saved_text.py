"""A text that a mail program saved beside or instead of the mail: `this file`, never the mail.

Its charset is guessed as programs write it: by a byte order mark, else UTF-8, else windows-1252.
Then the rules for text decide, as for a part of a mail (SPEC §3.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from proofmail.core import charsets
from proofmail.core.canonical import Json
from proofmail.core.mapping import part_claim
from proofmail.verify.comparison import numbered
from proofmail.verify.copy_bytes import Copy, scanned
from proofmail.verify.parts import words_suffice
from proofmail.verify.parts_words import called
from proofmail.verify.report import CopyReport, PartMatch, Status
from proofmail.verify.words import Said, said

MAX_TEXT_BYTES = 16 << 20
TEXT_RULES = ("text/1", "html-text/1", "words/1")
"""Strongest first; a rule that a part or this verifier does not have is passed over."""

_SUFFIXES = {
    ".txt": "text/plain",
    ".text": "text/plain",
    ".htm": "text/html",
    ".html": "text/html",
}
_HEAD = re.compile(r"(?:[^\n:]{1,60}:[^\n]*\n)(?:[^\n]+\n)*\n+")
"""Lines such as `From: …` that programs write above a text, up to an empty line."""


_META = re.compile(
    r"<meta[^>]{0,500}?charset[ \t\n\f\r]{0,9}=[ \t\n\f\r]{0,9}"
    r"[\"']?([\w.:\x80-\U0010ffff-]{1,40})",
    re.IGNORECASE | re.ASCII,
)
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_SHOWN_AS = {"iso-8859-1": "windows-1252", "us-ascii": "windows-1252"}
"""Charsets that browsers take for another one."""


def is_saved_text(name: str) -> bool:
    return name.lower().endswith(tuple(_SUFFIXES))


def part_of(data: bytes, content_type: str) -> Json:
    """The claim that a part with these bytes would have under this Content-Type."""
    header = f"Content-Type: {content_type}\r\n\r\n"
    return part_claim(scanned([header.encode("ascii"), data]).parts[0])


def same_text(part: Json, other: Json) -> str:
    """The strongest rule for text under which both are equal; "" for none."""
    mine = {item["rule"]: item for item in part["fingerprints"]}
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    return next(
        (rule for rule in TEXT_RULES if rule in mine and mine[rule] == theirs.get(rule)), ""
    )


def readings(kind: str, text: str) -> Iterator[tuple[Json, tuple[Said, ...]]]:
    """The text as it is and, where that could matter, with wrapped lines joined."""
    data = text.encode("utf-8")
    yield part_of(data, f"{kind}; charset=utf-8"), ()
    if kind == "text/plain" and " \n" in text.replace("\r", ""):
        for delete in ("", "; delsp=yes"):
            flowed = f"{kind}; charset=utf-8; format=flowed{delete}"
            yield part_of(data, flowed), (said("text.unflowed"),)


def judge_text(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    """Which recorded text the file has (SPEC §10.1); the name ends as `is_saved_text` asks."""
    data = _read(copy)
    text = None if data is None else _decoded(data)
    if text is None:
        return CopyReport(copy.name, "file", Status.FAILED, said("file.none"))
    suffix = "." + copy.name.lower().rpartition(".")[2]
    kind = _SUFFIXES[suffix]
    found = _found(kind, text, claims)
    if found is not None:
        match, notes = found
        finding = said(f"same.{match.rung}", part=called(match.part, match.name))
        status = Status.PASSED
        if kind == "text/html" and _is_said_otherwise(data or b"", text):
            status, notes = Status.NOT_CHECKED, (*notes, said("text.charset-other"))
        return CopyReport(copy.name, "file", status, finding, (match,), (), notes)
    lines = text.replace("\r\n", "\n")
    head = _HEAD.match(lines) if kind == "text/plain" else None
    below = None if head is None else _found(kind, lines[head.end() :], claims)
    if below is not None:
        match, notes = below
        finding = said("text.below", part=called(match.part, match.name))
        return CopyReport(copy.name, "file", Status.NOT_CHECKED, finding, (match,), (), notes)
    return CopyReport(copy.name, "file", Status.FAILED, said("text.none"))


def _read(copy: Copy) -> bytes | None:
    data = bytearray()
    for chunk in copy.chunks():
        data += chunk
        if len(data) > MAX_TEXT_BYTES:
            return None
    return bytes(data)


def _decoded(data: bytes) -> str | None:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16") if wide else data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        if wide:
            return None
    try:
        return charsets.decode(data, "windows-1252")
    except UnicodeDecodeError:
        return None


def _is_said_otherwise(data: bytes, text: str) -> bool:
    """Whether a page names another charset for itself than the one that it was read by: a program
    that follows it shows other characters."""
    if text.isascii() or data.startswith(_MARKS):
        return False
    try:
        data.decode("utf-8")
        read = "utf-8"
    except UnicodeDecodeError:
        read = "windows-1252"
    named = {charsets.canonical(label.lower()) or "" for label in _META.findall(text)}
    return any(_SHOWN_AS.get(name, name) != read for name in named)


def _found(
    kind: str, text: str, claims: Mapping[str, Json]
) -> tuple[PartMatch, tuple[Said, ...]] | None:
    """The part of which the text has the strongest rule, in the first reading that has any."""
    parts = [row for row in numbered(claims, "part") if row[1]["type"] == kind]
    for other, notes in readings(kind, text):
        found = [(name, part, same_text(part, other)) for name, part in parts]
        for rung in TEXT_RULES:
            for name, part, same in found:
                if same == rung and (rung != "words/1" or words_suffice(part)):
                    return PartMatch(name, part.get("name", ""), rung), notes
    return None

"""Header fields as values, not as bytes: hops refold and re-encode them (SPEC §3.6).

A field's value is carried as text in which bytes that are not UTF-8 stand as lone surrogates
(`surrogateescape`), so that nothing is lost before the rule decides what it means. No lone
surrogate leaves this module.
"""

from __future__ import annotations

import re
from binascii import a2b_hex
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from proofmail.core import charsets
from proofmail.core.transfer import Base64
from proofmail.core.unicode14 import nfc

TEXT_MAX = 10_000
"""Most code points of a text value; see `bounded`."""
OCCURRENCES_MAX = 100
"""Most occurrences of one field that are read one by one."""
REFERENCES_MAX = 1_000
MESSAGE_ID_MAX = 998

FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
"""A field's name and colon; white space between them is RFC 5322 §4.5's."""

WHOLE_FIELD = re.compile(rb"(?!--)([!-9;-~]+):([^\n]*\n(?:[ \t]+[^ \t\r\n][^\n]*\n)*)(?=[^ \t])")
"""A field with all its continuation lines, and the next line begun. Not one that begins like a
delimiter line, has a blank before its colon or a line of blanks: those need a closer look."""

SINGLE = (
    "content-id",
    "content-location",
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
)
WANTED = frozenset(
    name.encode("ascii")
    for name in (*SINGLE, "bcc", "disposition-notification-to", "reply-to", "sender")
)
"""The fields that are kept while a header is read; all others are dropped line by line."""
WHOLE_FIELDS = re.compile(b"^" + WHOLE_FIELD.pattern, re.MULTILINE)
"""The same at the beginning of any line."""
WANTED_NAMES = {name: name.decode("ascii") for name in WANTED}

Fields = dict[str, list[str]]
"""Lower-case field name → the unfolded values of its occurrences."""

_WORD = re.compile(
    r"=\?([!-)+->@-~]{1,64})(?:\*[!->@-~]{0,64})?\?([bBqQ])\?([ ->@-~]*)\?=",
)
_WHITE = re.compile(r"[ \t\r\n]+")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
_ID = re.compile(r"<([^<>]*)>")


_UPPER_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def ascii_lower(text: str) -> str:
    """A–Z in lower case and nothing else: other case pairs change with the Unicode version."""
    return text.lower() if text.isascii() else text.translate(_UPPER_TO_LOWER)


def unfold(lines: Sequence[bytes]) -> str:
    """Lines without their ends, the first without the field name (RFC 5322 §2.2.3)."""
    joined = lines[0] if len(lines) == 1 else b"".join(lines)
    return joined.decode("utf-8", "surrogateescape")


def plain_text(value: str, defects: set[str]) -> str:
    """Raw header text: UTF-8 (RFC 6532); what is not reads as U+FFFD."""
    if value.isascii():
        return value
    text, clean = charsets.decode_replacing(value.encode("utf-8", "surrogateescape"), "utf-8")
    if not clean:
        defects.add("header.undecodable")
    return text


def clean_text(value: str, defects: set[str], limit: int = TEXT_MAX) -> str:
    """The text that a field's value shows: encoded words decoded, white space unified, NFC."""
    simple = value.isascii() and value.isprintable() and len(value) <= limit
    if simple and "=?" not in value and "  " not in value:
        return value.strip(" ")  # no step below has any other effect on it
    text = _decode_words(value, defects) if "=?" in value else plain_text(value, defects)
    text = unified_white(text)
    composed = nfc(text)
    if composed is None:
        defects.add("header.not-normalised")
        composed = text
    return bounded(composed, defects, limit)


def unified_white(text: str) -> str:
    """Each run of SP, TAB, CR and LF as one SP, none at the ends."""
    # Every control character counts as not printable, in every Unicode version.
    if "  " in text or not text.isprintable():
        text = _WHITE.sub(" ", text)
    return text.strip(" ")


def bounded(text: str, defects: set[str], limit: int = TEXT_MAX) -> str:
    """Text over the limit is cut, and ends with the digest of the whole. The result is longer
    than the limit, so it can equal no text that was short enough to stand uncut."""
    if len(text) <= limit:
        return text
    defects.add("header.too-long")
    return text[:limit] + digest_mark(text)


def digest_mark(text: str) -> str:
    """What stands for text that is not kept: U+2026 and the SHA-256 of its UTF-8, in hex."""
    return "\u2026" + sha256(text.encode("utf-8")).hexdigest()


def occurrences(
    values: Sequence[str], read: Callable[[str, set[str]], str], defects: set[str]
) -> tuple[str, ...]:
    """What `read` makes of each occurrence; those after the hundredth share one digest."""
    texts = [read(value, defects) for value in values[:OCCURRENCES_MAX]]
    rest = values[OCCURRENCES_MAX:]
    if rest:
        defects.add("header.too-long")
        lines = [unified_white(plain_text(value, defects)) for value in rest]
        texts.append(digest_mark("\n".join(lines)))
    return tuple(texts)


def message_ids(values: Iterable[str]) -> list[str]:
    """What stands between "<" and ">" (RFC 5322 §3.6.4), white space removed, in order."""
    found = (_WHITE.sub("", inner) for value in values for inner in _ID.findall(value))
    return [plain_text(inner, set())[:MESSAGE_ID_MAX] for inner in found if inner]


def first_message_id(fields: Fields) -> str | None:
    """The message's own identifier, or None."""
    return next(iter(message_ids(fields.get("message-id", [])[:1])), None)


def linked_ids(fields: Fields, defects: set[str]) -> tuple[str, ...]:
    """The identifiers in In-Reply-To, then References, each once."""
    values = fields.get("in-reply-to", []) + fields.get("references", [])
    ids = tuple(dict.fromkeys(message_ids(values)))
    if len(ids) > REFERENCES_MAX:
        defects.add("header.too-many-references")
    return ids[:REFERENCES_MAX]


def note_duplicates(fields: Fields, defects: set[str]) -> None:
    """RFC 5322 §3.6, RFC 2045 §3: these fields occur at most once."""
    for name, values in fields.items():
        if len(values) > 1 and name in SINGLE:
            defects.add("header.duplicate")


def _decode_words(value: str, defects: set[str]) -> str:
    """RFC 2047 §6: adjacent words of one charset are joined as bytes before they are decoded,
    because mailers split characters between them."""
    out: list[str] = []
    pending: list[bytes] = []
    pending_charset = ""
    end = 0
    after_word = False
    for word in _WORD.finditer(value):
        gap = value[end : word.start()]
        end = word.end()
        adjacent = after_word and not gap.strip(" \t")
        charset = charsets.canonical(word[1])
        if pending and not (adjacent and charset == pending_charset):
            out.append(_flush(pending, pending_charset, defects))
            pending = []
        if not adjacent:
            out.append(plain_text(gap, defects))
        if charset is None:
            defects.add("header.charset-unknown")
            out.append((gap if adjacent else "") + word[0])
            after_word = False
            continue
        pending.append(_word_bytes(word[2], word[3], defects))
        pending_charset = charset
        after_word = True
    if pending:
        out.append(_flush(pending, pending_charset, defects))
    out.append(plain_text(value[end:], defects))
    return "".join(out)


def _flush(pending: list[bytes], charset: str, defects: set[str]) -> str:
    text, clean = charsets.decode_replacing(b"".join(pending), charset)
    if not clean:
        defects.add("header.undecodable")
    return text


def _word_bytes(encoding: str, encoded: str, defects: set[str]) -> bytes:
    data = encoded.encode("ascii")
    if encoding in "bB":
        base64 = Base64()
        decoded = base64.feed(data) + base64.finish()
        if base64.defects:
            defects.add("header.encoded-word")
        return decoded
    data = data.replace(b"_", b" ")
    if data.count(b"=") != len(_QUOTED.findall(data)):
        defects.add("header.encoded-word")
    return _QUOTED.sub(lambda pair: a2b_hex(pair[1]), data)

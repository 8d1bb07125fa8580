"""HTML cut into text, tags, comments and raw text, in pieces (SPEC §3.12.2).

Narrower than what browsers take: where two readers of HTML could cut differently, `Refused`. So
the cuts are never guessed. Only an unfinished token is held back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proofmail.core.html_names import BARE, CHARACTERS, WINDOWS
from proofmail.core.unicode14 import is_assigned

TOKEN_MAX = 65_536
"""Most code points in a tag, a comment, a style sheet, or a word that begins with `&`."""

TEXT, TAG, COMMENT, RAW = "text", "tag", "comment", "raw"
RAW_ELEMENTS = ("style", "title")

_W = r" \t\n\f\r"
_ATTRIBUTE = (
    rf"([^{_W}/>=\"'<`\0]+)"
    rf"(?:[{_W}]*=[{_W}]*(?:\"([^\"]*)\"|'([^']*)'|([^{_W}>\"'<=`][^{_W}>\"'<`]*)))?"
)
_PLAIN_ATTRIBUTE = re.sub(r"\((?!\?)", "(?:", _ATTRIBUTE)
# What a lookahead found is not tried again: the name and the attributes are taken as they are
# first read. (Python's own possessive quantifiers are wrong before 3.11.5.)
_TAG = re.compile(rf"<(/?)(?=([A-Za-z][^{_W}/>]*))\2(?=((?:[{_W}/]+|{_PLAIN_ATTRIBUTE})*))\3>")
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_COMMENT_END = re.compile("--!?>")
_RAW_END = {name: re.compile(rf"</{name}(?=[{_W}/>])", re.IGNORECASE) for name in RAW_ELEMENTS}
_RAW_START = re.compile(rf"<(?:{'|'.join(RAW_ELEMENTS)})[{_W}/>]", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:[A-Za-z/!?]|\Z)")
"""Where markup may begin. Any other `<` is text: one by one these would cost more than tags."""
_TAG_START = re.compile("[A-Za-z/]")
_OPEN_REFERENCE = re.compile(r"&[#A-Za-z0-9]*\Z")
_LONG_REFERENCE = re.compile(f"&[#A-Za-z0-9]{{{TOKEN_MAX}}}")
_REFERENCE = re.compile(r"&(?:#(?:[xX]([0-9A-Fa-f]+)|([0-9]+));?|([A-Za-z][A-Za-z0-9]*)(;?))")
_NOT_SHOWN = re.compile(
    "[\\x00-\\x08\\x0b\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


class Refused(Exception):
    """The part has no `html-text/1`; `note` is from the closed list in SPEC §3.9.2."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


class Tokens:
    """Takes text in pieces; each token as (what, content, name of the raw element or "")."""

    def __init__(self) -> None:
        self._held = ""
        self._raw = ""

    def feed(self, text: str, *, final: bool = False) -> Iterator[tuple[str, str, str]]:
        data = self._held + text
        position, size = 0, len(data)
        while position < size:
            if self._raw:
                end = self._raw_end(data, position, final)
                if end < 0:
                    break
                yield RAW, data[position:end], self._raw
                self._raw, position = "", end
                continue
            begun = _MARKUP.search(data, position)
            start = size if begun is None else begun.start()
            if start != position:
                end = start if start < size else _text_end(data, position, final)
                if end > position:
                    yield TEXT, data[position:end], ""
                position = end
                if start == size:
                    break
            found = _TAG.match(data, start, start + TOKEN_MAX)
            if found is not None:
                source, position = found[0], found.end()
                yield TAG, source, ""
                if source[1] in "sStT":
                    self._raw = source[1:6].lower() if _RAW_START.match(source) else ""
                continue
            end = self._markup_end(data, start, final)
            if end < 0:
                break
            if data.startswith("<!--", start):
                yield COMMENT, data[start + 4 : end], ""
            elif end == start + 1:
                yield TEXT, "<", ""
            position = end
        self._held = data[position:]

    def _markup_end(self, data: str, start: int, final: bool) -> int:
        """Where the markup that begins with `<` ends; -1 where more is needed to tell."""
        limit = start + TOKEN_MAX
        opening = data[start + 1 : start + 2]
        end = -1
        if opening == "!":
            end = _declaration_end(data, start, limit)
        elif opening == "?":
            end = data.find(">", start, limit) + 1 or -1
        elif (opening or final) and _TAG_START.match(opening) is None:
            return start + 1
        if end < 0 and (final or len(data) >= limit):
            raise Refused("html.malformed")
        return end

    def _raw_end(self, data: str, start: int, final: bool) -> int:
        found = _RAW_END[self._raw].search(data, start, start + TOKEN_MAX)
        if found is None and (final or len(data) >= start + TOKEN_MAX):
            raise Refused("html.malformed")
        return found.start() if found is not None else -1


def _declaration_end(data: str, start: int, limit: int) -> int:
    """Of a comment or a DOCTYPE; conditional sections are for some readers only."""
    if data.startswith(("<!-->", "<!--->"), start):
        return data.find(">", start) + 1
    if data.startswith("<!--", start):
        found = _COMMENT_END.search(data, start + 4, limit)
        return found.end() if found is not None else -1
    if data.startswith("<![", start):
        raise Refused("html.hidden-text")
    word = data[start + 2 : start + 9].lower()
    if not "--".startswith(word) and not "doctype".startswith(word):
        raise Refused("html.malformed")
    return data.find(">", start, limit) + 1 or -1


def _text_end(data: str, position: int, final: bool) -> int:
    """What is text whatever follows: not a reference that may go on."""
    found = None if final else _OPEN_REFERENCE.search(data, max(position, data.rfind("&")))
    if found is None:
        return len(data)
    if found.start() == position and found.end() - position > TOKEN_MAX:
        raise Refused("html.malformed")
    return found.start()


def attributes(source: str) -> dict[str, str]:
    """Of a start tag, by name in lower case; of two with one name the first counts."""
    found: dict[str, str] = {}
    match = _TAG.fullmatch(source)
    if match is None:
        raise Refused("html.malformed")
    for name, double, single, bare in _ATTRIBUTES.findall(match[3]):
        if name.isascii():
            found.setdefault(name.lower(), resolve(double or single or bare))
        else:
            found.setdefault(name, "")
    return found


def tag_name(source: str) -> tuple[str, bool]:
    """The name in lower case, and whether it is an end tag."""
    match = _TAG.match(source)
    if match is None or not match[2].isascii():
        raise Refused("html.malformed")
    return match[2].lower(), bool(match[1])


def shown(source: str) -> tuple[str, str | None]:
    """The text of a text token with its character references resolved; if something in it is
    refused, what stands before that, and the note."""
    refused = None
    if (found := _NOT_SHOWN.search(source)) is not None:
        source, refused = source[: found.start()], "html.unsupported"
    if (found := _LONG_REFERENCE.search(source)) is not None:
        source, refused = source[: found.start()], "html.malformed"
    if "&" not in source:
        return source, refused
    out, position = [], 0
    for found in _REFERENCE.finditer(source):
        out.append(source[position : found.start()])
        position = found.end()
        try:
            # Without semicolon, readers of HTML find a name at the start of a word too.
            character = _character(found, bare=(found[3] or "").startswith(BARE))
            check_shown(character)
        except Refused as reason:
            return "".join(out), reason.note
        out.append(character)
    return "".join([*out, source[position:]]), refused


def resolve(value: str) -> str:
    """An attribute's value with its character references resolved."""
    if "&" not in value:
        return value
    return _REFERENCE.sub(
        lambda found: _character(
            found, bare=found[3] in BARE and value[found.end() : found.end() + 1] != "="
        ),
        value,
    )


def _character(found: re.Match[str], *, bare: bool) -> str:
    """What one reference stands for; `bare`: refused where it has no semicolon."""
    if found[3] is None:
        digits = (found[1] or found[2]).lstrip("0")
        if len(digits) > 7:
            raise Refused("html.malformed")
        return _numbered(int(digits or "0", 16 if found[1] else 10))
    if found[4]:
        known = CHARACTERS.get(found[3])
        if known is None:
            raise Refused("html.malformed")
        return known
    if bare:
        raise Refused("html.malformed")
    return found[0]


def _numbered(code_point: int) -> str:
    if 0x80 <= code_point <= 0x9F:
        code_point = ord(WINDOWS[code_point])
    surrogate = 0xD800 <= code_point <= 0xDFFF
    if not code_point or code_point > 0x10FFFF or surrogate or not is_assigned(code_point):
        raise Refused("html.malformed")
    return chr(code_point)


def check_shown(text: str) -> None:
    """Refuses what is not shown at all, or turns the order of the characters around it."""
    if _NOT_SHOWN.search(text) is not None:
        raise Refused("html.unsupported")

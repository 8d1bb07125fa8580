"""What a rich text (RTF) encloses: the HTML or the text that it was made of (MS-OXRTFEX).

Such RTF can be shown in two ways: as what it encloses, which is what Outlook does, or by itself.
Both come out, so that they can be compared. Strict: where two readers of RTF could see different
things, Unreadable. Time and memory grow with the RTF alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from proofmail.core import charsets
from proofmail.errors import Unreadable

MAX_DEPTH = 500

_TOKEN = re.compile(
    rb"([{}])"
    rb"|\\([a-z]{1,32})(?![A-Za-z])(?:(-?[0-9]{1,9})(?![0-9])|(?!-?[0-9])) ?"
    rb"|\\'([0-9A-Fa-f]{2})"
    rb"|\\([^A-Za-z'])"
    rb"|([\t\x20-\x5b\x5d-\x7a\x7c\x7e]+)"
    rb"|[\r\n]+"
)
_END = re.compile(rb"[\0\r\n ]*")
_SAID = {
    "par": ("\r\n", "\r\n"), "line": ("\r\n", "\r\n"), "tab": ("\t", "\t"),
    "lquote": ("&lsquo;", "‘"), "rquote": ("&rsquo;", "’"),
    "ldblquote": ("&ldquo;", "“"), "rdblquote": ("&rdquo;", "”"),
    "bullet": ("&bull;", "•"), "endash": ("&ndash;", "–"), "emdash": ("&mdash;", "—"),
}  # fmt: skip
"""Words that stand for text: in HTML, and by themselves (MS-OXRTFEX §2.1.3.1.5)."""
_BORDERS = frozenset({"cell", "column", "nestcell", "nestrow", "page", "row", "sect"})
"""Words that end a word where the RTF itself is shown, and say nothing of what it encloses."""
_SYMBOLS = {b"~": ("&nbsp;", "\u00a0"), b"\r": _SAID["par"], b"\n": _SAID["par"]}
_LITERAL = (b"{", b"}", b"\\")
_DESTINATIONS = frozenset({
    "annotation", "author", "buptim", "colortbl", "comment", "creatim", "doccomm", "filetbl",
    "footer", "footerf", "footerl", "footerr", "footnote", "header", "headerf", "headerl",
    "headerr", "info", "keywords", "listtext", "nonshppict", "object", "operator", "pict",
    "pntext", "pntxta", "pntxtb", "printim", "private", "revtim", "rxe", "stylesheet",
    "subject", "tc", "title", "txe", "xe",
})  # fmt: skip
"""Groups whose text is not that of the document (RTF 1.9.1); one behind `\\*` never is."""
_REFUSED = frozenset({
    "chatn", "chdate", "chdpa", "chdpl", "chftn", "chpgn", "chtime", "deleted",
    "emspace", "enspace", "ltrmark", "qmspace", "rtlmark", "sectnum", "upr", "v", "webhidden",
    "zwbo", "zwj", "zwnbo", "zwnj",
})  # fmt: skip
"""Words for hidden or changed text, or for text that readers make up."""
_FONT_PAGES = {
    0: 1252, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251,
    222: 874, 238: 1250,
}  # fmt: skip


@dataclass(frozen=True)
class RichText:
    """`kind` is html, text, or native: the last encloses nothing, and `text` is then empty.
    `shown` is what a program shows that displays the RTF itself."""

    kind: str
    text: str
    shown: str
    fields: tuple[str, ...] = ()
    """What the RTF says of its fields, such as `HYPERLINK "https://a.example/"`."""


def enclosed(data: bytes) -> RichText:
    """Reads RTF, unpacked; Unreadable if it is bent, or could be read in two ways."""
    return _Reader(data).read()


@dataclass(frozen=True)
class _Group:
    """What holds in a group, and is forgotten at its end."""

    place: str = ""
    """"" for the document; tag for HTML; skip for what is not shown; fonts; field."""
    muted: bool = False
    """\\htmlrtf: shown by the RTF alone, not part of the HTML (MS-OXRTFEX §2.1.3.1.3)."""
    font: int | None = None
    fallback: int = 1
    fresh: bool = True
    starred: bool = False


@dataclass
class _Reader:
    data: bytes
    kind: str = ""
    page: int = 1252
    default_font: int | None = None
    fonts: dict[int, int | None] = field(default_factory=dict)
    groups: list[_Group] = field(default_factory=list)
    now: _Group = field(default_factory=_Group)
    skipped: int = 0
    """Characters still to come that only stand in for one said by \\u."""
    out: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    fields: list[list[str]] = field(default_factory=list)

    def read(self) -> RichText:
        if not self.data.startswith(b"{\\rtf1"):
            raise Unreadable("the rich text is no RTF")
        position = 0
        while True:
            token = _TOKEN.match(self.data, position)
            if token is None:
                raise Unreadable("the rich text holds what no reader is sure of")
            position = token.end()
            self._take(token)
            if self.kind == "native":
                return RichText("native", "", "")
            if not self.groups:
                break
        if _END.fullmatch(self.data, position) is None:
            raise Unreadable("the rich text goes on behind its end")
        fields = tuple(_joined(pieces).strip() for pieces in self.fields)
        return RichText(self.kind or "native", _joined(self.out), _joined(self.shown), fields)

    def _take(self, token: re.Match[bytes]) -> None:
        brace, word, number, octet, symbol, literal = token.groups()
        if octet is not None:
            self._say_octet(int(octet, 16))
        elif literal is not None:
            text = literal.decode("ascii")
            count = min(self.skipped, len(text))
            self.skipped -= count
            self._say(text[count:])
        elif self.skipped:
            if brace or word or symbol:
                raise Unreadable("the rich text does not say what stands in for a character")
        elif brace == b"{":
            self._open()
        elif brace == b"}":
            self.now = self.groups.pop()
        elif word is not None:
            self._word(word.decode("ascii"), None if number is None else int(number))
            self._begun()
        elif symbol is not None:
            self._symbol(symbol)

    def _begun(self) -> None:
        if self.now.fresh or self.now.starred:
            self.now = replace(self.now, fresh=False, starred=False)

    def _open(self) -> None:
        if len(self.groups) >= MAX_DEPTH or self.now.place == "tag":
            raise Unreadable("the rich text is nested too deep")
        self.groups.append(self.now)
        self.now = replace(self.now, fresh=True, starred=False)

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*" and self.now.fresh:
            self.now = replace(self.now, starred=True)
        elif symbol in _LITERAL:
            self._say(symbol.decode("ascii"))
        elif symbol in _SYMBOLS:
            self._say_both(*_SYMBOLS[symbol])
        elif self.now.place != "skip":
            raise Unreadable("the rich text holds a sign that readers show in several ways")

    def _word(self, word: str, number: int | None) -> None:
        place = self.now.place
        if word == "bin":
            # What follows is no RTF for those who know the word, wherever it stands.
            raise Unreadable("the rich text hides text, or has readers make it up")
        if self.now.fresh and place == "" and self._destination(word):
            return
        if place in ("", "tag", "field") and word in _REFUSED and number != 0:
            raise Unreadable("the rich text hides text, or has readers make it up")
        if word == "uc":
            self.now = replace(self.now, fallback=min(max(number or 0, 0), 100))
        elif place == "fonts":
            self._font(word, number)
        elif place == "skip":
            return
        elif word == "u":
            self._say_code(number)
        elif word in _SAID:
            self._say_both(*_SAID[word])
        elif place == "tag":
            raise Unreadable("the rich text has a word of RTF in its HTML")
        else:
            self._property(word, number)

    def _destination(self, word: str) -> bool:
        """Whether the group's first word says what the group is for."""
        if word == "htmltag" and self.now.starred:
            place = "tag"
        elif word == "fonttbl":
            place = "fonts"
        elif word == "fldinst":
            place = "field"
            self.fields.append([])
        elif self.now.starred or word in _DESTINATIONS:
            place = "skip"
        else:
            return False
        self.now = replace(self.now, place=place)
        return True

    def _font(self, word: str, number: int | None) -> None:
        if word == "f":
            self.now = replace(self.now, font=number)
        elif word == "fcharset" and self.now.font is not None:
            self.fonts[self.now.font] = self.page if number == 1 else _FONT_PAGES.get(number or 0)

    def _property(self, word: str, number: int | None) -> None:
        if word in ("fromhtml", "fromtext"):
            if self.kind or len(self.groups) != 1 or self.shown or self.out:
                raise Unreadable("the rich text says twice, or too late, what it was made of")
            self.kind = word.removeprefix("from")
        elif word == "htmlrtf":
            self.now = replace(self.now, muted=number != 0)
        elif word == "ansicpg":
            self.page = number or 0
        elif word in ("mac", "pc", "pca"):
            self.page = 0
        elif word == "deff":
            self.default_font = number
        elif word == "f":
            self.now = replace(self.now, font=number)
        elif word == "plain":
            self.now = replace(self.now, font=None)
        elif word in _BORDERS and self.now.place == "":
            self.shown.append("\n")

    def _say(self, text: str) -> None:
        self._say_both(text, text)

    def _say_both(self, html: str, text: str) -> None:
        """Text of the document: for what it encloses, and for what the RTF shows itself."""
        if not text:
            return
        if self.now.starred:
            raise Unreadable("the rich text does not say what a group is for")
        self._begun()
        if self.now.place == "field":
            self.fields[-1].append(text)
        if self.now.place in ("skip", "fonts", "field"):
            return
        self.kind = self.kind or "native"
        if not self.now.muted or self.now.place == "tag":
            self.out.append(html if self.kind == "html" and self.now.place != "tag" else text)
        if self.now.place == "":
            self.shown.append(text)

    def _say_code(self, number: int | None) -> None:
        code = -1 if number is None else number + (65_536 if number < 0 else 0)
        if not 32 <= code <= 65_535 or 127 <= code < 160:
            raise Unreadable("the rich text has a character that is none")
        self._say(chr(code))
        self.skipped = self.now.fallback

    def _say_octet(self, octet: int) -> None:
        if self.skipped:
            self.skipped -= 1
        elif self.now.place in ("skip", "fonts"):
            return
        elif 32 <= octet < 127:
            self._say(chr(octet))
        else:
            self._say(self._decoded(octet))

    def _decoded(self, octet: int) -> str:
        """By the code page. Readers differ on whether the font's counts: so they must agree."""
        font = self.default_font if self.now.font is None else self.now.font
        own = self.page if font is None else self.fonts.get(font, self.page)
        name = charsets.canonical(f"cp{self.page}")
        if octet < 128 or name is None or (own != self.page and self.now.place != "tag"):
            raise Unreadable("the rich text is in an unknown code page, or in two")
        try:
            return charsets.decode(bytes([octet]), name)
        except UnicodeDecodeError:
            raise Unreadable("the rich text has an octet that is no character") from None


def _joined(pieces: list[str]) -> str:
    """The characters beyond U+FFFF, which RTF says in two halves, put together."""
    text = "".join(pieces)
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise Unreadable("the rich text has half a character") from None

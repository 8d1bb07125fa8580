"""`html-text/1` and `words/1` of a text/html part: what a reader of it sees (SPEC §3.12, §3.13).

Words, borders of lines, cells and lists, link targets and image references, in the order of the
page. Whatever could hide, move or cover words makes the part not eligible: a closed list says
what cannot. Takes the decoded text in pieces and holds an unfinished token at most.
"""

from __future__ import annotations

import re

from proofmail.core.composed import Composed
from proofmail.core.html_elements import Element, Reader
from proofmail.core.html_names import BLOCKS, INLINES, MARKED, NEUTRAL
from proofmail.core.html_style import GROUND, LINE, sheet_traits
from proofmail.core.html_tokens import COMMENT, TAG, TEXT, Refused, Tokens, shown
from proofmail.core.model import Fingerprint
from proofmail.core.pictures import Images

DEPTH_MAX = 100
"""Most tables, rows, cells, lists, links and marked words open within one another."""
SHRUNK_MAX = 2
"""Most `small`, `sub` and `sup` within one another: each makes the words smaller."""

_GATHER = 8_192
_NONE, _SPACE, _BORDER = range(3)
_ROWS = ("table", "tr")
_CELLS = ("td", "th")
_LISTS = ("ul", "ol")
_SECTIONS = ("tbody", "thead")
_CONDITION = re.compile(r"\[(?:if|endif)|<!\[", re.IGNORECASE)
_ISLAND = re.compile(
    r"\[if [^\]<>]{1,40}\]>(?:[ \t\n\f\r]|<xml>(?:[^<]|<(?!/xml>))*</xml>"
    r"|<style>[^<]*</style>)*<!\[endif\]-->",
    re.IGNORECASE,
)
_ISLAND_STYLE = re.compile(r"<style>([^<]*)</style>", re.IGNORECASE)
_BEHAVIOUR = re.compile(
    r"(?:[vowxpm]\\:\*|\.shape)[ \t\n\f\r]*\{behavior:url\(#default#VML\);?\}", re.IGNORECASE
)


class HtmlText:
    """Both rules for one part. Its text is decoded, and assigned in Unicode 14.0."""

    def __init__(self) -> None:
        self._note: str | None = None
        self._gathered: list[str] = []
        self._gathered_size = 0
        self._tokens = Tokens()
        self._reader = Reader()
        self._stack: list[Element] = []
        self._traits: frozenset[str] = frozenset()
        self._pending = _NONE
        self._fresh = True
        self._words_pending = False
        self._words_started = False
        self._pre = 0
        self._shrunk = 0
        self._tables_with_rows: list[bool] = []
        self._out: list[str] = []
        self._words_out: list[str] = []
        self._text = Composed("html-text/1")
        self._words = Composed("words/1")
        self.images = Images()

    def feed(self, text: str) -> None:
        if self._note is not None:
            return
        self._gathered.append(text)
        self._gathered_size += len(text)
        if self._gathered_size >= _GATHER:
            self._pass_on(final=False)

    def finish(self) -> tuple[tuple[Fingerprint, ...], str | None]:
        """Both fingerprints, or the note that says why there are none."""
        self._pass_on(final=True)
        if self._note is not None:
            return (), self._note
        text, words = self._text.finish(), self._words.finish()
        if text is None or words is None:
            return (), "html.unsupported"
        return (text, words), None

    def _pass_on(self, *, final: bool) -> None:
        text = "".join(self._gathered)
        self._gathered, self._gathered_size = [], 0
        if self._note is not None:
            return
        try:
            for what, content, name in self._tokens.feed(text, final=final):
                if what == TEXT:
                    self._take_text(content)
                elif what == TAG:
                    self._take_tag(content)
                elif what == COMMENT:
                    self._take_comment(content)
                elif name == "style":
                    self._take_traits(sheet_traits(content))
            if final:
                while self._stack:
                    self._pop()
        except Refused as refused:
            self._note = refused.note
        self._text.feed("".join(self._out))
        self._words.feed("".join(self._words_out))
        self._out, self._words_out = [], []

    # -- what is shown --------------------------------------------------------------------------

    def _take_text(self, source: str) -> None:
        text, note = shown(source)
        if not self._pre:
            self._show(text)
        else:
            first, *lines = text.replace("\r", "\n").split("\n")
            self._show(first)
            for line in lines:
                self._border()
                self._show(line)
        if note is not None:
            raise Refused(note)

    def _show(self, text: str) -> None:
        if not text:
            return
        words = text.split()  # the separators that Python adds to White_Space were refused
        if not words:
            self._space()
            return
        if text[0].isspace():
            self._space()
        self._visible(" ".join(words))
        if text[-1].isspace():
            self._space()

    def _visible(self, text: str, words: str | None = None) -> None:
        """Something that is seen: first the space or border before it, then itself."""
        if self._stack and self._stack[-1].name in _ROWS:
            # Readers of HTML move what stands between cells before the table.
            raise Refused("html.malformed")
        if self._pending and not self._fresh:
            self._out.append(" " if self._pending == _SPACE else "\n")
        self._pending, self._fresh = _NONE, False
        self._out.append(text)
        if self._words_pending and self._words_started:
            self._words_out.append(" ")
        self._words_pending, self._words_started = False, True
        self._words_out.append(text if words is None else words)

    def _space(self) -> None:
        self._pending = self._pending or _SPACE
        self._words_pending = True

    def _border(self) -> None:
        self._pending = _BORDER
        self._words_pending = True

    def _mark(self, *fields: str) -> None:
        """A mark within a line: it leaves spaces and borders where they are."""
        self._out.append(_marker(*fields))
        self._words_out.append(_marker(*fields))

    def _structure(self, *fields: str) -> None:
        """A mark that is a border itself."""
        self._out.append(_marker(*fields))
        self._pending, self._fresh = _NONE, True
        self._words_pending = True

    # -- markup ---------------------------------------------------------------------------------

    def _take_comment(self, content: str) -> None:
        if _CONDITION.search(content) is None:
            return
        if _ISLAND.fullmatch(content) is None:
            raise Refused("html.hidden-text")
        for sheet in _ISLAND_STYLE.findall(content):
            self._take_traits(sheet_traits(_BEHAVIOUR.sub("", sheet)))

    def _take_traits(self, traits: frozenset[str] | None) -> None:
        if traits is None:
            raise Refused("html.style")
        self._traits |= traits
        if {GROUND, LINE} <= self._traits:
            raise Refused("html.style")

    def _take_tag(self, source: str) -> None:
        element = self._reader.read(source)
        name = element.name
        if element.traits:
            self._take_traits(element.traits)
        if element.is_end:
            if name in BLOCKS or name == "br":
                self._border()
            elif name not in INLINES and name not in NEUTRAL:
                self._end(name)
        elif name in BLOCKS or name == "br":
            self._border()
        elif name not in INLINES and name not in NEUTRAL and name not in ("style", "title"):
            self._start(element)

    def _start(self, element: Element) -> None:
        name = element.name
        if name == "img":
            self._image(element)
        elif name == "hr":
            self._out_of_rows()
            self._structure("hr")
        elif name in _SECTIONS:
            self._section(name)
        elif name == "tr":
            self._pop_if(_CELLS)
            self._pop_if(("tr",))
            self._push_under(("table",), element)
            self._tables_with_rows[-1] = True
            self._structure("tr")
        elif name in _CELLS:
            self._cell(element)
        elif name == "li":
            self._item(element)
        else:
            self._open(element)

    def _open(self, element: Element) -> None:
        name = element.name
        if name == "a" and self._top() == "a":
            self._pop()
        self._out_of_rows()
        if name == "a" and any(open_.name == "a" for open_ in self._stack):
            raise Refused("html.malformed")
        self._push(element)
        if name == "table":
            self._tables_with_rows.append(False)
        if name == "table" or name in _LISTS:
            self._structure(*element.fields)
            if name == "ol":
                self._word(*element.fields)
        elif name == "pre":
            self._pre += 1
            self._border()
        elif name in MARKED:
            self._shrunk += name in ("small", "sub", "sup")
            if self._shrunk > SHRUNK_MAX:
                raise Refused("html.hidden-text")
            if MARKED[name]:
                self._mark(MARKED[name])
        elif element.fields:
            self._mark(*element.fields)

    def _image(self, element: Element) -> None:
        self.images.add(element.fields[1])
        if element.is_block:
            self._border()
        self._visible(_marker(*element.fields), _marker("img", element.fields[2]))
        if element.is_block:
            self._border()

    def _section(self, name: str) -> None:
        self._pop_if(_CELLS)
        self._pop_if(("tr",))
        if self._top() != "table" or (name == "thead" and self._tables_with_rows[-1]):
            raise Refused("html.malformed")

    def _cell(self, element: Element) -> None:
        self._pop_if(_CELLS)
        if self._top() == "table":
            self._tables_with_rows[-1] = True
            self._push(Element("tr", False))
            self._structure("tr")
        self._push_under(("tr",), element)
        self._structure(*element.fields)

    def _item(self, element: Element) -> None:
        self._pop_if(("li",))
        self._push_under(_LISTS, element)
        self._structure(*element.fields)
        if self._stack[-2].name == "ol":
            self._word(*element.fields)

    def _word(self, *fields: str) -> None:
        """A number that the page does not spell, as a word of its own."""
        if self._words_started:
            self._words_out.append(" ")
        self._words_out.append(_marker(*fields))
        self._words_started = self._words_pending = True

    # -- the stack ------------------------------------------------------------------------------

    def _end(self, name: str) -> None:
        if name in _SECTIONS:
            self._section("tbody")
            return
        if name in _ROWS or name in _LISTS:
            self._pop_if(("li",) if name in _LISTS else _CELLS)
            if name == "table":
                self._pop_if(("tr",))
        if self._top() == name:
            self._pop()
        elif name in _CELLS or any(open_.name == name for open_ in self._stack):
            # Readers of HTML differ on what such an end tag closes.
            raise Refused("html.malformed")

    def _pop(self) -> None:
        element = self._stack.pop()
        name = element.name
        if name == "table":
            self._tables_with_rows.pop()
        if name == "table" or name in _LISTS:
            self._structure("/" + name)
            if name == "ol":
                self._word("/" + name)
        elif name == "pre":
            self._pre -= 1
            self._border()
        elif name in MARKED:
            self._shrunk -= name in ("small", "sub", "sup")
            if MARKED[name]:
                self._mark("/" + MARKED[name])
        elif name == "li":
            self._border()
        elif name == "a" and element.fields:
            self._mark("/a")

    def _pop_if(self, names: tuple[str, ...]) -> None:
        if self._top() in names:
            self._pop()

    def _push(self, element: Element) -> None:
        if len(self._stack) == DEPTH_MAX:
            raise Refused("html.unsupported")
        self._stack.append(element)

    def _push_under(self, parents: tuple[str, ...], element: Element) -> None:
        if self._top() not in parents:
            raise Refused("html.malformed")
        self._push(element)

    def _top(self) -> str:
        return self._stack[-1].name if self._stack else ""

    def _out_of_rows(self) -> None:
        if self._top() in _ROWS:
            raise Refused("html.malformed")


def _marker(*fields: str) -> str:
    """No text holds these characters: they are not shown, so they are refused."""
    return "\x01" + "\x03".join(fields) + "\x02"

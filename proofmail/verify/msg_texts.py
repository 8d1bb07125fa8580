"""The texts of an Outlook file against the recorded bodies (SPEC §10.4).

Outlook keeps one text in up to three forms: plain, HTML and RTF, and programs choose which they
show. So a form that was not recorded must have the same words as one that matches, however much
white space is between them; where it has others, or cannot be read, the file is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass

from proofmail.core import charsets
from proofmail.core.canonical import Json
from proofmail.errors import Unreadable
from proofmail.verify.comparison import Comparison
from proofmail.verify.msg import Message
from proofmail.verify.parts import content_rung
from proofmail.verify.parts_words import changed, described
from proofmail.verify.rtf import RichText, enclosed
from proofmail.verify.rtf_packed import unpacked
from proofmail.verify.saved_text import part_of, readings, same_text
from proofmail.verify.text_view import View, view_of, words
from proofmail.verify.words import Said, said

_PLAIN, _HTML = "text/plain", "text/html"
_KINDS = {"html": _HTML, "text": _PLAIN}


@dataclass(frozen=True)
class _Form:
    """One text of the file: the parts that it could be (two where lines may have been wrapped; none
    where it cannot be read), and what a reader sees of it."""

    parts: tuple[Json, ...]
    view: View | None


class Bodies:
    """The texts of the file, by media type."""

    def __init__(
        self, comparison: Comparison, message: Message, recorded: list[tuple[int, Json]]
    ) -> None:
        self._comparison = comparison
        self._forms: dict[str, _Form] = {}
        if message.has_body:
            self._forms[_PLAIN] = _Form((), None) if message.body is None else _plain(message.body)
        if message.html is not None:
            self._forms[_HTML] = _html_of_bytes(*message.html)
        rich = _rich_text(comparison, message.rtf)
        self._any = bool(self._forms) or message.rtf is not None
        if rich is not None:
            self._add_rich(rich)
        kinds = [part["type"] for _, part in recorded if part["role"] == "body"]
        self._several = {kind for kind in kinds if kinds.count(kind) > 1}
        self._matched: set[str] = set()
        self._unmatched: list[tuple[int, Said, Json]] = []
        self._compared: set[str] = set()

    def _add_rich(self, rich: RichText) -> None:
        """What the RTF encloses: a form of its own, or one that is there and must be the same."""
        kind = _KINDS[rich.kind]
        form = _html(rich.text) if kind == _HTML else _plain(rich.text)
        own = self._forms.get(kind, form)
        same = any(same_text(one, other) for one in own.parts for other in form.parts)
        if not same or form.view is None or not form.view.shows(rich):
            self._comparison.questions.append(said("msg.rtf-other"))
        elif kind in self._forms:
            self._comparison.remarks.append(said("msg.several-forms"))
        self._forms.setdefault(kind, form)

    def compare(self, number: int, label: Said, part: Json) -> str:
        """The rung on which the file has this recorded body, or ""."""
        kind, questions = part["type"], self._comparison.questions
        self._compared.add(kind)
        if kind not in self._forms and self._any:
            questions.append(said("msg.no-text", part=label, type=kind))
            return ""
        if kind not in self._forms:
            missing = said("part.missing", number=number, what=described(part))
            self._comparison.differences.append(missing)
            return ""
        for text in self._forms[kind].parts:
            rung = content_rung(part, text)
            if rung:
                self._matched.add(kind)
                if rung == "words/1" and part.get("images"):
                    # Which picture stands where is told by names that these words leave out.
                    questions.append(said("part.images-untold", part=label))
                return rung
        if kind in self._several or not self._can_tell(kind, part):
            questions.append(said("msg.text-untold", part=label))
        else:
            self._unmatched.append((number, label, part))
        return ""

    def _can_tell(self, kind: str, part: Json) -> bool:
        """Whether both sides have text/1, so that another text would show as one."""
        mine = {item["rule"] for item in part["fingerprints"]}
        return "text/1" in mine and any(
            "text/1" in {item["rule"] for item in text["fingerprints"]}
            for text in self._forms[kind].parts
        )

    def rest(self, *, complete: bool) -> None:
        """What is left to say when all recorded bodies were compared."""
        for number, label, part in self._unmatched:
            if self._follows(part["type"]):
                # Exchange drops the plain text, and makes another of the HTML.
                question = said("msg.no-text", part=label, type=part["type"])
                self._comparison.questions.append(question)
            else:
                text = self._forms[part["type"]].parts[0]
                self._comparison.differences.append(changed(number, part, text))
        for kind in self._forms:
            if not complete or kind in self._compared:
                continue
            if self._follows(kind):
                self._comparison.remarks.append(said("msg.several-forms"))
            else:
                self._comparison.questions.append(said("msg.extra-text", type=kind))

    def _follows(self, kind: str) -> bool:
        """Whether this form says no more and no less than the other one, which matched."""
        view, plain, page = self._forms[kind].view, self._forms.get(_PLAIN), self._forms.get(_HTML)
        if (
            view is None
            or plain is None
            or page is None
            or self._matched != {_PLAIN, _HTML} - {kind}
        ):
            return False
        if page.view is None or plain.view is None:
            return False
        if kind == _HTML and not page.view.is_simple:
            return False
        return plain.view.text in (page.view.text, page.view.with_links)


def _rich_text(comparison: Comparison, packed: bytes | None) -> RichText | None:
    if packed is None:
        return None
    try:
        rich = enclosed(unpacked(packed))
    except Unreadable as error:
        comparison.questions.append(said("msg.rtf", reason=str(error)))
        return None
    if rich.kind in _KINDS:
        return rich
    comparison.questions.append(said("msg.rtf-native"))
    return None


def _plain(text: str) -> _Form:
    seen = words(text)
    return _Form(tuple(part for part, _ in readings(_PLAIN, text)), View(seen, seen))


def _html(page: str) -> _Form:
    part = part_of(page.encode("utf-8"), f"{_HTML}; charset=utf-8")
    return _Form((part,), view_of(page, part))


def _html_of_bytes(data: bytes, charset: str | None) -> _Form:
    if charset is None:
        return _Form((), None)
    part = part_of(data, f"{_HTML}; charset={charset}")
    try:
        return _Form((part,), view_of(charsets.decode(data, charset), part))
    except UnicodeDecodeError:
        return _Form((part,), None)

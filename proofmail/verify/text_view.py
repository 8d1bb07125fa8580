"""What a reader sees of a text, to compare two forms of one text: plain, HTML, RTF (SPEC §10.4).

Any white space, and any border of a block or cell, is one space: how much there is differs from
form to form, but where words and numbers end does not. It is no fingerprint, and matches no
recorded part; it only tells whether a form beside one that matches says anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofmail.core.canonical import Json
from proofmail.core.html_names import INLINES, MARKED
from proofmail.core.html_tokens import TAG, TEXT, Refused, Tokens, attributes, shown, tag_name
from proofmail.verify.rtf import RichText

_SIMPLE = frozenset({
    "a", "b", "basefont", "blockquote", "body", "br", "code", "div", "em", "font", "head", "html",
    "i", "meta", "o:p", "p", "pre", "span", "strong", "style", "title", "tt", "u",
})  # fmt: skip
"""Elements that show nothing themselves, and strike nothing out."""
_WHITE = re.compile(
    "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+"
)
_BEFORE_LINK = re.compile(" <")
_IN_LINE = INLINES | frozenset(MARKED) | {"a", "img", "wbr"}
"""Elements at which no word ends."""
_HYPERLINK = re.compile(r'HYPERLINK +"([^"]*)"')


@dataclass(frozen=True)
class View:
    """`text`: the words shown; `with_links`: the same with each link's target in angle brackets
    behind it, as Outlook makes plain text of HTML. In both no space stands before a `<`, where
    some put one. `targets`: of the links, in their order."""

    text: str
    with_links: str
    targets: tuple[str, ...] = ()
    is_simple: bool = True
    """No picture, no list, nothing struck out, and no link that goes elsewhere than it says."""

    def shows(self, rich: RichText) -> bool:
        """Whether a program that displays the RTF itself shows the same words, and the same links
        in the same order."""
        links = [_HYPERLINK.fullmatch(one) for one in rich.fields]
        targets = iter(self.targets)
        same = all(link is not None and link[1] in targets for link in links)
        return same and words(rich.shown) == self.text


def view_of(page: str, part: Json) -> View | None:
    """The view of HTML; None where it hides text or cannot be told (`part` has no html-text/1)."""
    if not any(item["rule"] == "html-text/1" for item in part["fingerprints"]):
        return None
    try:
        return _view(page)
    except Refused:
        return None


def _view(page: str) -> View:
    pieces: list[str] = []
    links: list[str] = []
    targets: list[str] = []
    target, start, simple = "", 0, True
    for what, content, _ in Tokens().feed(page, final=True):
        if what == TEXT:
            text, note = shown(content)
            if note is not None:
                raise Refused(note)
            pieces.append(text)
            links.append(text)
        elif what == TAG:
            name, is_end = tag_name(content)
            simple = simple and name in _SIMPLE
            if name not in _IN_LINE:
                pieces.append(" ")
                links.append(" ")
            if name != "a":
                continue
            if target:
                links.append(f"<{target}>")
                label = words("".join(pieces[start:]))
                simple = simple and words(target) in (label, f"mailto:{label}")
            target = "" if is_end else attributes(content).get("href", "")
            targets += [target] if target else []
            start = len(pieces)
    simple = simple and not target
    return View(words("".join(pieces)), words("".join(links)), tuple(targets), simple)


def words(text: str) -> str:
    """Each run of white space (White_Space of Unicode 14.0) as one space, none at the ends."""
    return _BEFORE_LINK.sub("<", _WHITE.sub(" ", text).strip(" "))

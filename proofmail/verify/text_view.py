"""What a reader sees of a text, to compare two forms of one text: plain, HTML, RTF (SPEC §10.4).

White space is left out, for each form has its own. It is no fingerprint, and matches no recorded
part; it only tells whether a form beside one that matches says anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofmail.core.canonical import Json
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
_HYPERLINK = re.compile(r'HYPERLINK +"([^"]*)"')


@dataclass(frozen=True)
class View:
    """`text`: the characters shown, without white space; `with_links`: the same with each link's
    target in angle brackets behind it, as Outlook makes plain text of HTML."""

    text: str
    with_links: str
    targets: frozenset[str] = frozenset()
    is_simple: bool = True
    """No picture, no list, nothing struck out, and no link that goes elsewhere than it says."""

    def shows(self, rich: RichText) -> bool:
        """Whether a program that displays the RTF itself shows the same characters and links."""
        links = [_HYPERLINK.fullmatch(one) for one in rich.fields]
        same = all(link is not None and link[1] in self.targets for link in links)
        return same and bare(rich.shown) == self.text


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
    targets: set[str] = set()
    target, start, simple = "", 0, True
    for what, content, _ in Tokens().feed(page, final=True):
        if what == TEXT:
            text, note = shown(content)
            if note is not None:
                raise Refused(note)
            pieces.append(bare(text))
            links.append(pieces[-1])
        elif what == TAG:
            name, is_end = tag_name(content)
            simple = simple and name in _SIMPLE
            if name != "a":
                continue
            if target:
                links.append(f"<{bare(target)}>")
                label = "".join(pieces[start:])
                simple = simple and bare(target) in (label, f"mailto:{label}")
            target = "" if is_end else attributes(content).get("href", "")
            targets.add(target)
            start = len(pieces)
    return View("".join(pieces), "".join(links), frozenset(targets), simple and not target)


def bare(text: str) -> str:
    """Without white space (White_Space of Unicode 14.0)."""
    return _WHITE.sub("", text)

"""What one tag means for `html-text/1`, its attributes judged (SPEC §3.12.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofmail.core import charsets
from proofmail.core.html_names import (
    ATTRIBUTE_STARTS,
    ATTRIBUTES,
    BLOCKS,
    HIDING,
    INLINES,
    MARKED,
    NEUTRAL,
    STRUCTURE,
)
from proofmail.core.html_style import (
    BLOCK,
    CELL,
    GROUND,
    IMAGE,
    INLINE,
    ITEM,
    RULE,
    fonts,
    ground_colour,
    small_image,
    style_block,
    style_traits,
    text_colour,
)
from proofmail.core.html_tokens import Refused, attributes, check_shown, tag_name
from proofmail.core.words import split

_CACHE_MAX = 512
_CACHED_TAG_MAX = 1_024
_KINDS = {
    **dict.fromkeys(BLOCKS | {"html", "body", "ul", "ol", "pre"}, BLOCK),
    **dict.fromkeys(INLINES.union(MARKED, ("a", "br", "wbr")), INLINE),
    **dict.fromkeys(("table", "tbody", "thead", "tr", "td", "th", "col", "colgroup"), CELL),
    "li": ITEM,
    "img": IMAGE,
    "hr": RULE,
}
_KNOWN = BLOCKS | INLINES | NEUTRAL | STRUCTURE | frozenset(MARKED)
_META = frozenset(
    (
        "content-type",
        "content-language",
        "content-style-type",
        "content-script-type",
        "x-ua-compatible",
        "generator",
    )
)
_RELATIONS = frozenset(
    (
        "icon",
        "shortcut",
        "apple-touch-icon",
        "file-list",
        "themedata",
        "colorschememapping",
        "edit-time-data",
        "canonical",
        "preconnect",
        "dns-prefetch",
    )
)
_CHARSET = re.compile(r"charset[ \t\n\f\r]*=[ \t\n\f\r]*[\"']?([^ \t\n\f\r\"';]+)", re.IGNORECASE)
_SIX_DIGITS = re.compile(r"[0-9a-f]{6}")
_SPAN = re.compile(r"0*([1-9][0-9]{0,2})")
_NUMBER = re.compile(r"(-?)0*([0-9]{1,9})")


@dataclass(frozen=True)
class Element:
    """`fields` is what its marker says, if it has one; `is_block` an image on lines of its own."""

    name: str
    is_end: bool
    fields: tuple[str, ...] = ()
    traits: frozenset[str] = frozenset()
    is_block: bool = False


class Reader:
    """Reads tags; the same tag occurs over and over in a page, so the last ones are kept."""

    def __init__(self) -> None:
        self._seen: dict[str, Element] = {}

    def read(self, source: str) -> Element:
        found = self._seen.get(source)
        if found is None:
            found = _read(source)
            if len(self._seen) < _CACHE_MAX and len(source) <= _CACHED_TAG_MAX:
                self._seen[source] = found
        return found


def _read(source: str) -> Element:
    name, is_end = tag_name(source)
    if name not in _KNOWN:
        raise Refused("html.hidden-text" if name in HIDING else "html.unsupported")
    if is_end:
        return Element(name, True)
    if name in ("style", "title"):
        return Element(name, False)  # neither is shown, whatever its attributes say
    found = attributes(source)
    for key in found:
        if key not in ATTRIBUTES and not key.startswith(ATTRIBUTE_STARTS):
            raise Refused("html.hidden-text" if key == "hidden" else "html.unsupported")
    if name in ("meta", "link"):
        _check_head(name, found)
        return Element(name, False)
    _check_appearance(name, found)
    style = found.get("style", "")
    traits = style_traits(style, _KINDS[name]) if style and name in _KINDS else frozenset()
    if traits is None:
        raise Refused("html.style")
    if name == "img":
        return Element(name, False, _image(found, style), traits, style_block(style))
    if name == "mark":
        traits |= {GROUND}
    return Element(name, False, _fields(name, found), traits)


def _check_head(name: str, found: dict[str, str]) -> None:
    """Nothing in the head may load or switch to another page, style or charset."""
    if name == "link":
        relations = set(found.get("rel", "").lower().split())
        if not relations <= _RELATIONS:
            raise Refused("html.unsupported")
        return
    content = found.get("content", "")
    labels = [found["charset"].strip()] if "charset" in found else []
    if "http-equiv" in found:
        if found["http-equiv"].strip().lower() not in _META:
            raise Refused("html.unsupported")
        labels += _CHARSET.findall(content)
    if any(charsets.canonical(label) is None for label in labels):
        raise Refused("html.unsupported")
    if "color-scheme" in found.get("name", "").lower():
        raise Refused("html.style")


def _check_appearance(name: str, found: dict[str, str]) -> None:
    if found.get("dir", "").lower() not in ("", "ltr"):
        raise Refused("html.unsupported")
    align = found.get("align", "").lower()
    if (name == "table" and align in ("left", "right")) or (name == "img" and align == "right"):
        raise Refused("html.unsupported")
    if name == "hr":
        return
    ground = _colour(found.get("bgcolor"))
    texts = [_colour(found.get(key)) for key in ("color", "text", "link", "vlink", "alink")]
    if ground is not None and not ground_colour(ground):
        raise Refused("html.style")
    if any(text is not None and not text_colour(text) for text in texts):
        raise Refused("html.style")
    if not fonts(found.get("face", "inherit").lower()):
        raise Refused("html.style")


def _colour(value: str | None) -> str | None:
    if value is None:
        return None
    spelt = value.strip(" \t\n\f\r").lower()
    return "#" + spelt if _SIX_DIGITS.fullmatch(spelt) else spelt


def _fields(name: str, found: dict[str, str]) -> tuple[str, ...]:
    if name == "a":
        return ("a", _reference(found["href"])) if "href" in found else ()
    if name in ("td", "th"):
        spans = tuple(_number(_SPAN, found.get(key, "1")) for key in ("colspan", "rowspan"))
        return (name,) if spans == ("1", "1") else (name, *spans)
    if name == "ol":
        kind, start = found.get("type", "1"), _number(_NUMBER, found.get("start", "1"))
        if kind not in ("1", "a", "A", "i", "I"):
            raise Refused("html.unsupported")
        return (name,) if (kind, start) == ("1", "1") else (name, kind, start)
    if name == "ul" and found.get("type", "disc").lower() not in ("disc", "circle", "square"):
        raise Refused("html.unsupported")
    if name == "li":
        if "type" in found:
            raise Refused("html.unsupported")
        return (name, _number(_NUMBER, found["value"])) if "value" in found else (name,)
    return (name,) if name in ("table", "ul") else ()


def _number(form: re.Pattern[str], value: str) -> str:
    match = form.fullmatch(value.strip(" \t\n\f\r"))
    if match is None:
        raise Refused("html.unsupported")
    return "".join(match.groups())


def _image(found: dict[str, str], style: str) -> tuple[str, str, str]:
    alternative = " ".join(split(found.get("alt", "")))
    check_shown(alternative)
    small = small_image(style, found.get("width", ""), found.get("height", ""))
    return "dot" if small else "img", _reference(found.get("src", "")), alternative


def _reference(value: str) -> str:
    """As readers of HTML clean it: blanks at the ends, TAB, LF and CR anywhere mean nothing."""
    clean = value.strip("".join(map(chr, range(33))))
    clean = clean.replace("\t", "").replace("\n", "").replace("\r", "")
    check_shown(clean)
    return clean

"""HTML put together from what SPEC §3.12 speaks of, most of it bent."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

_SPEC = (Path(__file__).resolve().parents[2] / "SPEC.md").read_text()
_RULES = _SPEC[_SPEC.index("### 3.12 ") : _SPEC.index("### 3.13 ")]
NAMES = sorted(set(re.findall(r"[A-Za-z0-9:#%.+/*!-]+", _RULES)))
PROPERTIES = sorted(
    set(re.findall(r"[a-z-][a-z0-9-]{3,}", _RULES[_RULES.index("3.12.4") : _RULES.index("3.12.5")]))
)
ELEMENTS = (
    "table", "tr", "td", "th", "tbody", "thead", "li", "ol", "ul", "p", "div", "b", "a", "sub",
    "sup", "small", "img", "br", "hr", "pre", "span", "font", "s", "mark", "meta", "link", "h1",
    "body", "o:p",
)  # fmt: skip
COMMON = (
    "color", "background", "background-color", "font", "font-size", "font-family", "line-height",
    "letter-spacing", "margin", "margin-left", "padding", "border", "border-top", "text-indent",
    "width", "max-width", "height", "max-height", "display", "vertical-align", "border-spacing",
)  # fmt: skip
VALUES = (
    "0", "0px", "1px", "-1px", "-0px", "10pt", "12pt", "1em", "2em", "100%", "50%", "1.5", "0.8",
    ".8", "5.", "4.1", "normal", "inherit", "initial", "auto", "none", "solid", "red", "black",
    "white", "#fff", "#000", "#EEEEEE", "rgb( 0 , 0, 0 )", "rgb(255,255,255)", "rgba(0,0,0,0)",
    "rgba(1,2,3,1.0)", "'Arial'", "Arial, sans-serif", "inline", "block", "top", "bold", "700",
    "10px/12px", "!important", "! important", "important", "repeat", "scroll", "0% 0%", "-18.0pt",
    "18pt", "300", "301px", "2.001px", "0.1ex", "7.9px", "url(x)", "+1px", "1PX", "x -1",
)  # fmt: skip
ATTRIBUTES = (
    "href=http://a/", "href=' x\n'", "href='&#1;'", "href=a&copy=b", "href=a&copy", "src=cid:x",
    "src='\u202e'", "alt=' a  b '", "width=1", "width=' 009'", "width=''", "height=20",
    "colspan=2", "colspan=0", "colspan=' 01 '", "rowspan=1000", "start=-0", "start=007",
    "start=1234567890", "type=a", "type=DISC", "type=x", "value=-3", "align=right", "dir=rtl",
    "dir=LTR", "bgcolor=ffffff", "bgcolor=black", "color=FF0000", "color=blac\u212a",
    "text=white", "face=\"'Arial', x\"", "face=Arial", "hidden", "onclick=x", "data-x='&bogus;'",
    "data-\u00e9=&bogus;", "DATA-\u00e9=1", "rel='icon\x1cICON\u00a0'", "rel=stylesheet",
    "http-equiv=refresh", "http-equiv=' Generator'", "content='char\u017fet=x'",
    "content='text/html; charset = \"utf-8'", "charset=\u00a0UTF8", "charset=x",
    "name=x-COLOR-SCHEME", "x=\"y'", "/",
)  # fmt: skip
TEXTS = (
    "a", "b ", " c", "x y", "\u00a0", "&nbsp;", "&lt;", "&lt", "&ampx", "&notit;", "&not", "&euro;",
    "&bogus;", "&#65", "&#x41;", "&#128;", "&#129;", "&#0;", "&#xD800;", "&#888;", "&#", "&#xg;",
    "& ", "< ", "<3", "\r\n", "\t", "e\u0301", "&#769;" * 31, "\u200b", "\u200e", "\x00", "\x0b",
    "\x0c", "\x85", "&#13;", "\u2028", "漢", "<!-->", "<!--->", "<!-- --!>", "<!-- [if x] -->",
    "<!--[\u0131f x]-->", "<!--[if mso]><xml><style>p{color:white}</style></xml><![endif]-->",
    "<!--[if mso]><style>v\\:* {behavior:url(#default#VML);}p{}</style><![endif]-->", "<![if x]>",
    "<!doctype html>", "<!x>", "<?xml?>", "</>", "</ p>", "<title>x<b></title>", "<title>",
    "<title>x</t\u0131tle></title>", "<p\u00e9>", "<details>", "<x-y>", "<P>", "</br>",
)  # fmt: skip
SELECTORS = (
    "p", "td", "*", ".a", "p.a", "li", "span", "div > p", "a:link", "td[x=y z]", "h1,h2", "", "p*",
    "@media print", "@mediax", "@font-face", "@font-face x", "@page", "@page\nx", "@import",
    "@media x{@media y",
)  # fmt: skip


def style(random: Random) -> str:
    found = []
    for _ in range(random.choice((1, 1, 2, 3))):
        name = random.choice(COMMON if random.random() < 0.7 else PROPERTIES)
        value = " ".join(random.choice(VALUES) for _ in range(random.choice((1, 1, 1, 2, 3))))
        if random.random() < 0.2:
            value = random.choice(NAMES)
        found.append(name + random.choice((":", ": ", " :\n", ":/* x */")) + value)
    return random.choice((";", "; ", ";\r\n", ";;")).join(found)


def sheet(random: Random) -> str:
    rules = [
        f"{random.choice(SELECTORS)}{{{style(random)}{random.choice(('}', '}', '}', '}}', ''))}"
        for _ in range(random.choice((1, 1, 2)))
    ]
    return f"<style>{''.join(rules)}</style>"


def tag(random: Random) -> str:
    inside = ""
    for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
        one = random.choice(ATTRIBUTES)
        inside += " " + (f'style="{style(random)}"' if random.random() < 0.4 else one)
    return f"<{random.choice(ELEMENTS)}{inside}>"


def page(random: Random) -> str:
    made = []
    for _ in range(random.randrange(1, 16)):
        kind = random.random()
        if kind < 0.35:
            made.append(random.choice(TEXTS))
        elif kind < 0.65:
            made.append(tag(random))
        elif kind < 0.97:
            made.append(f"</{random.choice(ELEMENTS)}>")
        else:
            made.append(sheet(random))
    return "".join(made)

"""html-text/1 and words/1 of HTML: what stays equal, what must not, what is refused.

SPEC §3.12, §3.13. Pages stand on one line each.
"""
# ruff: noqa: E501

from __future__ import annotations

import base64
import hashlib
import re
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core import html_text
from proofmail.core.html_text import HtmlText
from proofmail.core.model import Fingerprint
from proofmail.core.scan import scan
from tests.core.html_pages import LAYOUTS, OUTLOOK_HEAD, Content, apple, gmail, outlook, thunderbird

CONTENT = Content(
    ("Bonjour Mme Dupont, notre offre est de 1 200,50 €.", "Valable jusqu'au 31/12."),
    (("Pose", "800,00"), ("Dépose", "400,50")),
    "https://example.org/offre?a=1&b=2",
    "cid:image001.png@01D8",
)


def rule(page: str, size: int = 1 << 20) -> tuple[tuple[Fingerprint, ...], str | None]:
    """In pieces that are read as they come, instead of being gathered first."""
    html = HtmlText()
    before, html_text._GATHER = html_text._GATHER, 1
    try:
        for start in range(0, len(page), size):
            html.feed(page[start : start + size])
    finally:
        html_text._GATHER = before
    return html.finish()


def seen(page: str) -> tuple[Fingerprint, ...]:
    found, note = rule(page)
    assert note is None, (note, page)
    assert [item.rule for item in found] == ["html-text/1", "words/1"]
    return found


def digests(page: str) -> tuple[tuple[int, bytes, bytes | None], ...]:
    return tuple((item.size_bytes, item.sha256, item.sha3_256) for item in seen(page))


def says(text: str) -> tuple[int, bytes, bytes]:
    data = text.encode()
    return len(data), hashlib.sha256(data).digest(), hashlib.sha3_256(data).digest()


def mark(*fields: str) -> str:
    return "\x01" + "\x03".join(fields) + "\x02"


@pytest.mark.parametrize(
    ("page", "text", "words"),
    [
        ("<p>Hello <b>wor</b>ld\r\n</p> x", "Hello world\nx", "Hello world x"),
        ("a<br><br>b<div>c</div>d", "a\nb\nc\nd", "a b c d"),
        ("a&nbsp;&nbsp;b &eacute;&#233;&#xE9;e&#x301; &euro;&#128;", "a b éééé €€", "a b éééé €€"),
        ("AT&T &unknown R&D &", "AT&T &unknown R&D &", "AT&T &unknown R&D &"),
        ("1 < 2 <3", "1 < 2 <3", "1 < 2 <3"),
        ("10<sup>2</sup>", f"10{mark('sup')}2{mark('/sup')}", f"10{mark('sup')}2{mark('/sup')}"),
        ("<del>no</del>", f"{mark('s')}no{mark('/s')}", f"{mark('s')}no{mark('/s')}"),
        (
            "x <a href=' http://e/?a=1&amp;b&copy=2\n'>y</a>",
            f"x{mark('a', 'http://e/?a=1&b&copy=2')} y{mark('/a')}",
            f"x{mark('a', 'http://e/?a=1&b&copy=2')} y{mark('/a')}",
        ),
        ("<a name=x>y</a>", "y", "y"),
        (
            "1<img alt='a  b' src=cid:1>2",
            f"1{mark('img', 'cid:1', 'a b')}2",
            f"1{mark('img', 'a b')}2",
        ),
        ("<img src=x width=1>", mark("dot", "x", ""), mark("img", "")),
        ("a<hr>b", f"a{mark('hr')}b", "a b"),
        (
            "<table><tr><td>1<td colspan=2>2<tr><th>3</table>x",
            f"{mark('table')}{mark('tr')}{mark('td')}1{mark('td', '2', '1')}2"
            f"{mark('tr')}{mark('th')}3{mark('/table')}x",
            "1 2 3 x",
        ),
        (
            "<ul><li>a<li>b</ul>c",
            f"{mark('ul')}{mark('li')}a{mark('li')}b{mark('/ul')}c",
            "a b c",
        ),
        (
            "<ol start=3 type=a><li>a<li value=7>b</ol>",
            f"{mark('ol', 'a', '3')}{mark('li')}a{mark('li', '7')}b{mark('/ol')}",
            f"{mark('ol', 'a', '3')} {mark('li')} a {mark('li', '7')} b {mark('/ol')}",
        ),
        ("<pre>a\r\nb  c</pre>", "a\nb c", "a b c"),
        ("<title>not shown</title><!-- nor this -->a<!---->b", "ab", "ab"),
        ("", "", ""),
        (" <p> </p> ", "", ""),
    ],
)
def test_what_is_seen(page: str, text: str, words: str) -> None:
    # SPEC §3.12.6, the output spelt out; digests by hashlib over its UTF-8.
    assert digests(page) == (says(text), says(words))
    assert rule(page, 1) == rule(page)


def test_kept_digests() -> None:
    # printf 'Total\001table\002\001tr\002\001td\0021 200\001/table\002' | sha256sum
    # printf 'Total 1 200' | sha256sum
    text, words = seen("<p>Total</p><table><tr><td>1&nbsp;200</td></tr></table>")
    assert (text.size_bytes, words.size_bytes) == (33, 11)
    assert (text.sha256.hex(), words.sha256.hex()) == (
        "56660f58e397ed2048422de2717a44dc4877e301f780513149856f09cd430bb1",
        "a7901d0b1cb8fc39938c7106e96fc038a5c7ec5cc1ecc942870f09d7f71ab4d5",
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ordinary_mail_is_eligible(layout: Callable[[Content], str]) -> None:
    assert len(seen(layout(CONTENT))) == 2


PIECES = (
    "<p> </p> <b x='1'> </b> <br> <table> <tr> <td> </td> </table> <ul> <ol> <li> </ul> </ol>"
    " <a href=x> </a> &amp; &eacute; &#233; & &am < <! <!-- --> <!--[if x]> <style> </style>"
    " <title> </title> p{color:red} <pre> </pre> <sup> </sup> <img src=1> é e\u0301 \u0301 x 12"
    " <? > \" ' = / <x <hr> </ <!doctype> \r\n \xa0 \x00 &#8; &#0; &rlm; &lt &copyx &#x &#aa"
)
pieces = st.lists(st.sampled_from([*PIECES.split(" "), " "]), max_size=14).map("".join)


@given(pieces, st.integers(1, 5))
def test_any_pieces_give_the_same_result(page: str, size: int) -> None:
    assert rule(page, size) == rule(page)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 997])
def test_any_pieces_of_ordinary_mail(layout: Callable[[Content], str], size: int) -> None:
    page = layout(CONTENT)
    assert rule(page, size) == rule(page)


def _attributes(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda page: re.sub(r"<[a-zA-Z][^<>]*>", lambda tag: change(tag[0]), page)


def _without(name: str) -> Callable[[str], str]:
    pattern = rf"""\s{name}=("[^"]*"|'[^']*'|[^\s>"']+)"""
    return _attributes(lambda tag: re.sub(pattern, "", tag))


def _reordered(tag: str) -> str:
    found = re.fullmatch(
        r"""<(\S+?)((?:\s+[\w:-]+=(?:"[^"]*"|'[^']*'|[^\s>"']+))*)\s*>""", tag, re.DOTALL
    )
    if not found:
        return tag
    names = re.findall(r"""[\w:-]+=(?:"[^"]*"|'[^']*'|[^\s>"']+)""", found[2])
    return f"<{' '.join((found[1], *reversed(names)))}>"


def _cased(tag: str) -> str:
    return re.sub(r"^<[a-zA-Z:]+", lambda name: name[0].upper(), tag)


def _inside(page: str) -> str:
    return re.sub(r"(?s)^.*<body[^>]*>|</body>.*$", "", page)


REWRITES: dict[str, Callable[[str], str]] = {
    "attributes dropped: class": _without("class"),
    "attributes dropped: style": _without("style"),
    "attributes dropped: lang, id": lambda page: _without("id")(_without("lang")(page)),
    "classes renamed": lambda page: page.replace("class=", "class=x_").replace("x_\"", "\"x_"),
    "attributes reordered": _attributes(_reordered),
    "tags in capitals": _attributes(_cased),
    "end tags in capitals": lambda page: re.sub(r"</\w+>", lambda tag: tag[0].upper(), page),
    "lines re-wrapped": lambda page: page.replace(" est de ", "\r\nest\r\n  de\t"),
    "lines joined": lambda page: page.replace("\r\n", "\n").replace("> \n", ">\n"),
    "NBSP spelt out": lambda page: page.replace("&nbsp;", "\xa0"),
    "NBSP as a space": lambda page: page.replace("&nbsp;", " "),
    "entities for accents": lambda page: page.replace("é", "&eacute;").replace("€", "&euro;"),
    "numeric references": lambda page: page.replace("é", "&#233;").replace("€", "&#x20AC;"),
    "accents apart (NFD)": lambda page: page.replace("é", "e\u0301"),
    "o:p dropped": lambda page: re.sub(r"</?o:p>", "", page),
    "comments dropped": lambda page: re.sub(r"(?s)<!--\[.*?\]-->", "", page),
    "a style block of Outlook on the web": lambda page: (
        '<style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style>'
        + _inside(page)
    ),
    "wrappers dropped": _inside,
    "wrappers added": lambda page: (
        "<html><head><meta name='Generator' content='Exchange'></head><body>"
        f"<div id='divtagdefaultwrapper' dir='ltr' style='font-size: 12pt;'>{_inside(page)}</div>"
        "</body></html>"
    ),
    "tbody added": lambda page: re.sub(
        r"(<table[^>]*>)(?!<tbody)", r"\1<tbody>", page
    ).replace("</table>", "</tbody></table>").replace("</tbody></tbody>", "</tbody>"),
    "quotation marks changed": lambda page: _attributes(
        lambda tag: tag if '"' in tag else tag.replace("'", '"')
    )(page),
    "spans unwrapped": lambda page: re.sub(r"</?(?:span|font)[^>]*>", "", page),
    "spans added": lambda page: page.replace("notre offre", "notre <span lang='FR'>of</span>fre"),
    "end tags of cells dropped": lambda page: re.sub(r"</t[dr]>\s*", "", page),
    "XHTML slashes": lambda page: page.replace("<br>", "<br />"),
}  # fmt: skip


@pytest.mark.parametrize("name", REWRITES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_gateways_do_keeps_it_equal(name: str, layout: Callable[[Content], str]) -> None:
    page = layout(CONTENT)
    assert digests(REWRITES[name](page)) == digests(page)


def test_every_rewrite_changes_some_page() -> None:
    pages = [layout(CONTENT) for layout in LAYOUTS]
    assert [name for name, change in REWRITES.items() if all(change(p) == p for p in pages)] == []


def test_another_layout_has_the_same_words() -> None:
    one, other = seen("<p>one</p><p>two three</p>"), seen("<table><td>one two<td>three</table>")
    assert one[0] != other[0]
    assert one[1] == other[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10<sup>2</sup>", "102"),
        ("<s>not</s> due", "not due"),
        ("<a href=x>y</a>", "<a href=z>y</a>"),
        ("<a href=x>y</a>", "y"),
        ("<img src=cid:1>", "<img src=cid:2>"),
        ("<img src=a>", "<img src=a width=0>"),
        ("<img src=a alt=one>", "<img src=a alt=two>"),
        ("<table><td>1<td>2</table>", "<table><td>2<td>1</table>"),
        ("<table><td>1<td>2</table>", "<table><tr><td>1<tr><td>2</table>"),
        ("<table><td>12<td></table>", "<table><td>1<td>2</table>"),
        ("<table><td rowspan=2>1<td>2</table>", "<table><td>1<td>2</table>"),
        ("<ol><li>a</ol>", "<ol start=2><li>a</ol>"),
        ("<ol><li>a</ol>", "<ul><li>a</ul>"),
        ("<ol><li>a</ol>", "<ol><li value=2>a</ol>"),
        ("<ol><li>a</ol>", "<ol type=i><li>a</ol>"),
        ("a<br>b", "a b"),
        ("a<br>b", "ab"),
        ("1<b>0</b>", "1 <b>0</b>"),
        ("a<wbr>b", "a b"),
        ("<pre>a\nb</pre>", "<pre>a b</pre>"),
        ("&minus;5", "-5"),
        ("pa\u200bid", "paid"),
        ("co\u00adop", "coop"),
        ("&amp;lt;", "&lt;"),
        ("“a”", '"a"'),
        ("ﬁ", "fi"),
        ("<title>x</title>a", "xa"),
    ],
)
def test_what_reads_differently_has_another_fingerprint(one: str, other: str) -> None:
    assert seen(one)[0].sha256 != seen(other)[0].sha256


S, U, H, M = "html.style", "html.unsupported", "html.hidden-text", "html.malformed"


def _style(declarations: str, element: str = "span") -> str:
    return f'a <{element} style="{declarations}">b</{element}> c'


HIDDEN = [
    *((_style(text), S) for text in (
        "display:none", "DISPLAY : NONE", "display:none !important", "dis/**/play:none", "displa\\79:none",
        "visibility:hidden", "font-size:0", "font-size:1px", "font-size:.1em", "font-size:50%", "font-size:smaller",
        "font-size:calc(1px)", "font:1px Arial", "color:white", "color:#fff", "color:#fefefe",
        "color:rgb(255,255,255)", "color:rgba(0,0,0,0)", "color:rgb(0 0 0 / 0)", "color:transparent",
        "color:hsl(0,0%,100%)", "background:#000", "background-color:black", "background:url(x.png)",
        "background-image:linear-gradient(red,blue)", "opacity:0", "opacity:.01", "position:absolute;left:-9999px",
        "position:relative;top:5px", "text-indent:-9999px", "text-indent:-18pt", "margin-left:-500px",
        "margin-left:20px", "padding:4px", "float:right", "direction:rtl", "unicode-bidi:bidi-override", "mso-hide:all",
        "mso-style-textfill-fill-color:white", "mso-list:Ignore", "mso-themecolor:background1",
        "overflow:hidden;height:0", "max-height:0", "width:0;overflow:hidden", "clip:rect(0,0,0,0)",
        "clip-path:inset(100%)", "transform:scale(0)", "filter:opacity(0)", "zoom:0.01", "letter-spacing:-1em",
        "line-height:0", "line-height:0.1", "text-transform:uppercase", "text-decoration:line-through",
        "vertical-align:super", "vertical-align:-500px", "font-family:Wingdings", "font-family:'Adobe Blank'",
        "font-variant:small-caps", "font-feature-settings:'tnum'", "content:'x'", "display:block",
        "display:inline-block;width:1px", "-webkit-text-fill-color:white", "border-left:1px solid black",
        "white-space:pre", "--x:none", "unknown:1", "color:red;display:none", "x", "{}", "color:red}",
        "background:#fff;line-height:9px", "order:2", "all:unset", "border-image:url(x)", "word-spacing:-9px",
        "-webkit-text-size-adjust:1%", "text-shadow:0 0 9px red", "box-shadow:0 0 9px 9px white", "columns:2",
    )),
    *((_style(text, "div"), S) for text in (
        "display:inline", "display:flex;flex-direction:row-reverse", "display:table-cell", "height:1px",
        "width:1px", "max-width:1px", "margin-top:-20px", "text-indent:-18pt", "list-style:none",
        "text-indent:-20pt;margin-left:1pt", "text-indent:-18pt;margin-left:18pt;margin-left:0",
        "padding-left:5000px", "border-top:900px solid",
    )),
    ('<font style="font-family:&quot;/*&quot;;display:none;x:&quot;*/&quot;">b</font>', S),
    ("<font color=white>b</font>", S),
    ("<font color=#FFFFFE>b</font>", S),
    ("<font face=Webdings>b</font>", S),
    ("<body text=white>b", S),
    ("<body bgcolor=black>b", S),
    ("<table bgcolor='#000000'><td>b</table>", S),
    ("<td background=x>b", U),
    ("<p hidden>b</p>", H),
    ("<p HIDDEN=''>b</p>", H),
    ("<p popover>b</p>", U),
    ("<p onclick=x>b</p>", U),
    ("<p dir=rtl>1 2</p>", U),
    ("<bdo dir=rtl>1 2</bdo>", U),
    ("<p>\u202e21</p>", U),
    ("<p>&rlm;21</p>", U),
    ("<p>&#x202E;21</p>", U),
    ("<p>a\x00b", U),
    ("<p>a&#8;b", U),
    ("<noscript>b</noscript>", H),
    ("<template>b</template>", H),
    ("<details>b</details>", H),
    *((f"<{name}>b</{name}>", U) for name in (
        "script", "iframe", "object", "svg", "math", "form", "button", "textarea", "select", "marquee", "blink",
        "q", "ruby", "xmp", "plaintext", "caption", "tfoot", "video", "canvas", "map", "x-y", "legend", "basefont",
        "summary", "frameset", "slot", "menu", "dir", "keygen", "listing", "base href=x", "input value=5",
        "embed src=x", "applet", "layer", "bgsound", "image src=x",
    )),
    ("<meta http-equiv=refresh content='0;url=x'>b", U),
    ("<meta charset=utf-7>b", U),
    ("<meta name=color-scheme content=dark>b", S),
    ("<link rel=stylesheet href=x>b", U),
    ("<img src=a srcset='b 2x'>", U),
    ("<img src=a usemap=#m>", U),
    ("<img src=a align=right>", U),
    ("<table align=right><td>b</table>", U),
    *((f"<style>{sheet}</style><p class=x>b</p>", S) for sheet in (
        ".x{display:none}", ".x{color:#fff}", "p{font-size:1px}", ".x:before{content:'not '}", "@import 'x';",
        "@media print{.x{display:none}}", "@media (min-width:1px){p{visibility:hidden}}", "@font-face{font-family:Arial;src:url(x)}",
        "@font-face{font-family:Arial;mso-font-charset:2}", "@supports (a:b){p{color:red}}", "@keyframes x{from{opacity:0}}",
        "@list l0:level1{mso-level-start-at:9}", ".x{margin-left:9px}", "p{margin:0!important}", "p{color:red", "p{}}", "p{/*",
        "p{x:'}'}", "p::first-line{color:#fff}", "p{text-indent:-9pt;margin-left:9pt}", "li{display:block}",
        "p\\:x{color:red}", ".x{color:red;}p{display:none}", "div{height:1px}", "a:hover{display:none}", "é{color:red}",
    )),
    ("<style>p{color:red}", M),
    ("<style>p{line-height:9px}</style><span style='background:#ff0'>b</span>", S),
    ("<!--[if mso]><p>b</p><![endif]-->", H),
    ("<!--[if !mso]><!--><p>b</p><!--<![endif]-->", H),
    ("<![if !mso]><p>b</p><![endif]>", H),
    ("<!--[if gte mso 9]><xml></xml>b<![endif]-->", H),
    ("<!--[if mso]><style>.x{display:none}</style><![endif]-->b", S),
    ("<![CDATA[b]]>", H),
    ("<!-- never closed b", M),
    ("<!-->b-->" + "<!--", M),
    ("<p title='never closed>b", M),
    ("<p title=a'b>b", M),
    ("<p ='x'>b", M),
    ("<a href=x", M),
    ("a&nbspb", M),
    ("a&lt b", M),
    ("a&NewLine;b", M),
    ("a&#0;b", M),
    ("a&#xD800;b", M),
    ("a&#x110000;b", M),
    ("a&#x378;b", M),
    ("a&#" + "9" * 5_000 + ";", M),
    ("<table>b<tr><td>c</table>", M),
    ("<table><tr>b<td>c</table>", M),
    ("<table><tr><img src=x><td>c</table>", M),
    ("<td>b", M),
    ("<li>b", M),
    ("<table><td>b<tbody><tr><td>c<thead><tr><td>d</table>", M),
    ("<a href=x>b<table><td></a>c</table>", M),
    ("<a href=x><p><sup><a href=y>b</a>", M),
    ("<sub>a<sup>b</sub>c</sup>", M),
    ("<small><small><small>b</small></small></small>", H),
    ("<small><table><td></small><small>", M),
    ("<ul>" * 101, U),
    ("<td colspan=0>b", U),
    ("<table><td rowspan=x>b</table>", U),
    ("<ol start=x><li>b</ol>", U),
    ("<ol reversed><li>b</ol>", U),
    ("<ol><li type=a>b</ol>", U),
    ("<ul type=1><li>b</ul>", U),
    ("<p><" + "x" * 70_000, M),
    ("<p title='" + "x" * 70_000 + "'>", M),
    ("<!--" + "x" * 70_000 + "-->", M),
]  # fmt: skip


@pytest.mark.parametrize(("page", "note"), HIDDEN)
def test_what_can_hide_words_is_refused(page: str, note: str) -> None:
    for size in (1 << 20, 997) if len(page) > 5_000 else (1 << 20, 1, 7):
        assert rule(page, size) == ((), note)


def test_hidden_text_is_refused_wherever_it_stands() -> None:
    """Each of the styles above, inside each ordinary page."""
    for layout in LAYOUTS:
        start, end = layout(CONTENT).split("offre", 1)
        for hidden in ('<span style="display:none">x</span>', "<style>.x{display:none}</style>"):
            assert rule(start + hidden + end)[0] == ()


@pytest.mark.parametrize(
    "style",
    [
        "font-size:11.0pt;font-family:&quot;Calibri&quot;,sans-serif;color:#1F497D",
        "background:yellow",
        "background-color:rgb(255,255,255)",
        "font-family: Aptos, Aptos_EmbeddedFont, Calibri, Helvetica, sans-serif; color: rgb(0, 0, 0);",
        "background: rgb(255, 255, 255) none repeat scroll 0% 0%",
        "font:7.0pt &quot;Times New Roman&quot;",
        "color:#999999",
        "font-size:small",
        "border:none windowtext 1.0pt;padding:0cm",
        "/* nothing */color:red",
    ],
)
def test_ordinary_styles_are_let_through(style: str) -> None:
    assert digests(_style(style)) == digests("a b c")


def test_a_part_in_a_message() -> None:
    body = gmail(CONTENT)
    for charset in ("utf-8", "windows-1252"):
        encoded = base64.encodebytes(body.encode(charset)).replace(b"\n", b"\r\n")
        head = f"From: a@x\r\nContent-Type: text/html; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        part = scan(head.encode() + encoded).parts[0]
        assert [item.rule for item in part.fingerprints] == [
            "decoded/1", "text/1", "html-text/1", "words/1",
        ]  # fmt: skip
        assert part.fingerprints[2:] == seen(body)
    part = scan(b"Content-Type: text/html\r\n\r\n<p style='display:none'>x").parts[0]
    assert [item.rule for item in part.fingerprints] == ["decoded/1", "text/1"]
    assert part.notes == ("html.style",)
    part = scan(b"Content-Type: text/html; charset=gb18030\r\n\r\n<p>x").parts[0]
    assert (len(part.fingerprints), part.notes) == (1, ("text.charset-unknown",))


@pytest.mark.parametrize(
    "unit",
    [
        "x", " ", "<", "&", "&amp;", "<b>", "<p>x</p>", "<!---->", "é", "<a href=x>y</a>", "\u0301",
        "<!--[if ", "[if ", "<x ", "&a", "<p x='", "<style>", "p{color:red}", "<td>", "</", "<br/><pre>\n</pre>",
        "<table><td>x</table>", "<style>p{color:red}</style>", "<p style='color:red;/*'>",
    ],
)  # fmt: skip
def test_time_is_linear_and_memory_constant(unit: str) -> None:
    def seconds(count: int) -> float:
        page = "<p>" + unit * count
        start = time.process_time()
        rule(page, 16_384)
        return time.process_time() - start

    once = min(seconds(10_000) for _ in range(2))
    assert seconds(20_000) < 6 * once + 0.05
    html = HtmlText()
    tracemalloc.start()
    try:
        for _ in range(8):
            html.feed(unit * (32_768 // len(unit)))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    html.finish()


def test_the_pages_differ_from_one_another() -> None:
    pages = {digests(page(CONTENT))[0] for page in (outlook, gmail, apple, thunderbird)}
    assert len(pages) == 4
    assert OUTLOOK_HEAD in outlook(CONTENT)

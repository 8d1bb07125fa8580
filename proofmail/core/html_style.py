"""Which styles cannot hide, move or change words: a closed set (SPEC §3.12.4).

A style is harmless if each of its declarations is. Selectors are not matched against the page:
every rule of a style sheet is taken to apply to whatever its selector could at most mean.
Numbers are integers, so that no machine rounds differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache


def _listed(names: str, separator: str | None = None) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(separator))


BLOCK, ITEM, INLINE, CELL = "block", "item", "inline", "cell"
IMAGE, RULE, ANY = "image", "rule", "any"
"""What a declaration applies to; `ITEM` is <li>, `RULE` <hr>, `ANY` what a selector leaves open."""

GROUND, LINE = "ground", "line"
"""Text may have a ground of its own within a line; lines may be closer than their letters are
tall. With both, one line could cover another."""

_BLOCK_NAMES = _listed(
    "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer"
    " h1 h2 h3 h4 h5 h6 header html main nav ol p pre section ul"
)
_CELL_NAMES = frozenset(["table", "tbody", "thead", "tr", "td", "th", "col", "colgroup"])

_ANYTHING = _listed(
    "text-align font-style font-weight word-wrap overflow-wrap word-break line-break orphans widows"
    " -webkit-line-break -webkit-nbsp-mode border-collapse cursor clear page page-break-before"
    " page-break-after page-break-inside tab-interval caret-color text-decoration-color"
    " -webkit-tap-highlight-color text-decoration-style hyphens"
    " -webkit-hyphens -moz-hyphens -ms-hyphens text-justify punctuation-wrap text-autospace"
    " tab-stops -ms-interpolation-mode -webkit-font-smoothing -moz-osx-font-smoothing"
    " font-kerning text-rendering border-radius layout-grid-mode"
    " border-spacing mso-style-name mso-style-priority mso-style-type mso-style-link"
    " mso-style-unhide mso-style-noshow mso-style-qformat mso-style-parent mso-style-next"
    " mso-fareast-language mso-ansi-language mso-bidi-language mso-pagination mso-ligatures"
    " mso-line-height-rule mso-table-lspace mso-table-rspace mso-margin-top-alt"
    " mso-margin-bottom-alt mso-outline-level mso-bookmark mso-no-proof mso-default-props"
    " mso-header-margin mso-footer-margin mso-paper-source mso-ascii-theme-font"
    " mso-hansi-theme-font mso-fareast-theme-font mso-bidi-theme-font mso-layout-grid-align"
    " mso-border-alt mso-border-top-alt mso-border-bottom-alt mso-border-left-alt"
    " mso-border-right-alt mso-yfti-tbllook mso-yfti-irow mso-yfti-firstrow mso-yfti-lastrow"
    " mso-padding-alt mso-bidi-font-weight mso-bidi-font-style mso-cellspacing"
)  # fmt: skip
_KEYWORDS = {
    "visibility": {"visible", "inherit"},
    "opacity": {"1", "1.0", "100%"},
    "float": {"none"},
    "position": {"static"},
    "direction": {"ltr"},
    "unicode-bidi": {"normal"},
    "overflow": {"visible"},
    "text-transform": {"none"},
    "text-decoration": {"none", "underline", "initial", "inherit", "underline solid", "none solid"},
    "text-decoration-line": {"none", "underline", "initial", "inherit"},
    "white-space": {"normal", "nowrap", "initial", "inherit"},
    "-webkit-text-stroke-width": {"0", "0px"},
    "text-shadow": {"none"},
    "box-shadow": {"none"},
    "outline": {"none", "0", "0px"},
    "outline-width": {"0", "0px"},
    "outline-style": {"none"},
    "table-layout": {"auto"},
    "min-width": {"0", "0px", "auto"},
    "min-height": {"0", "0px", "auto"},
    "mso-hide": {"none"},
    "box-sizing": {"border-box", "content-box", "inherit"},
    "background-image": {"none", "initial"},
    "background-position": {"initial", "0% 0%"},
    "background-size": {"initial", "auto"},
    "background-repeat": {"initial", "repeat"},
    "background-attachment": {"initial", "scroll"},
    "background-origin": {"initial", "padding-box"},
    "background-clip": {"initial", "border-box"},
    "text-size-adjust": {"none", "100%", "auto"},
    "list-style-position": {"outside"},
}
for _same in ("-webkit-text-size-adjust", "-ms-text-size-adjust", "-moz-text-size-adjust"):
    _KEYWORDS[_same] = _KEYWORDS["text-size-adjust"]
for _same in _listed(
    "font-variant font-variant-caps font-variant-ligatures font-variant-numeric font-stretch"
    " font-variant-east-asian font-variant-alternates font-variant-position font-variant-emoji"
    " font-feature-settings font-variation-settings font-size-adjust font-language-override"
    " font-optical-sizing"
):
    _KEYWORDS[_same] = {"normal", "none", "auto", "initial", "inherit"}

FONTS = _listed(
    """
    aptos, aptos_embeddedfont, aptos_msfontservice, aptos display, arial, arial black, arial narrow,
    arial unicode ms, avenir, avenir next, bitstream vera sans, book antiqua, bookman old style,
    calibri, calibri light, cambria, cambria math, candara, cantarell, century, century gothic,
    century schoolbook, comic sans ms, consolas, constantia, corbel, courier, courier new,
    dejavu sans, dejavu sans mono, dejavu serif, droid sans, franklin gothic book,
    franklin gothic medium, garamond, geneva, georgia, gill sans, gill sans mt, google sans,
    helvetica, helvetica neue, helveticaneue, impact, inter, lato, liberation mono, liberation sans,
    liberation serif, lucida console, lucida grande, lucida sans, lucida sans unicode, menlo,
    meiryo, monaco, monospace, montserrat, ms gothic, ms mincho, ms pgothic, ms sans serif,
    ms serif, ms shell dlg, new york, noto sans, noto serif, nunito, open sans, optima, palatino,
    palatino linotype, poppins, product sans, roboto, sans-serif, san francisco, segoe ui,
    segoe ui light, segoe ui semibold, serif, sf mono, sf pro, sf pro text, simsun, source sans pro,
    system-ui, tahoma, times, times new roman, trebuchet ms, tms rmn, ubuntu, verdana,
    -apple-system, -apple-system-font, blinkmacsystemfont, ui-sans-serif, ui-monospace, ui-serif,
    hiragino kaku gothic pron, hiragino sans, ms ui gothic, pingfang sc, microsoft yahei, yu gothic,
    wf_segoe-ui_normal, segoe ui web (west european), sans serif, inherit, initial
    """,
    ",",
)
"""Fonts whose letters look like letters. In another, a digit may look like another digit."""

_TEXT_COLOURS = _listed(
    "black navy darkblue mediumblue blue darkgreen green teal darkcyan midnightblue darkslategray"
    " darkslategrey dimgray dimgrey gray grey indigo maroon purple darkred darkmagenta red brown"
    " firebrick crimson saddlebrown sienna royalblue steelblue slategray slategrey seagreen olive"
    " windowtext inherit initial currentcolor"
)
_GROUND_COLOURS = _listed(
    "white window yellow lightyellow ivory snow whitesmoke aliceblue ghostwhite floralwhite linen"
    " oldlace seashell mintcream honeydew azure lavenderblush cornsilk beige lemonchiffon"
    " transparent inherit initial none"
)
_TEXT_LUMA_MAX = 160_000
_GROUND_LUMA_MIN = 208_000
_HEX = re.compile(r"#(?:([0-9a-f]{3})|([0-9a-f]{6}))")
_RGB = re.compile(
    r"rgba?\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*(?:,\s*([01](?:\.[0-9]{1,9})?|\.[0-9]{1,9})\s*)?\)"
)
_LENGTH = re.compile(r"(-?)([0-9]{0,6})(?:\.([0-9]{1,12}))?(px|pt|em|rem|ex|cm|mm|in|pc|%)?")
_UNITS = {
    "px": 1_000, "pt": 1_333, "em": 16_000, "rem": 16_000, "ex": 8_000, "cm": 37_795,
    "mm": 3_780, "in": 96_000, "pc": 16_000, None: 1_000,
}  # fmt: skip
_SIZE_WORDS = _listed("x-small small medium large x-large xx-large inherit initial")
_PX = 1_000_000
IMAGE_MIN_PX = 8
"""A smaller image is named as such: it shows nothing."""
_WHITE = " \t\n\f\r"
_NO_GROUND = frozenset(["none", "transparent", "inherit", "initial"])

_CACHED_MAX = 512

_PIECE = re.compile(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", re.DOTALL)
_STRING = re.compile(r"\"[A-Za-z0-9 .,_&+()-]*\"|'[A-Za-z0-9 .,_&+()-]*'")
_PLAIN = re.compile(r"[A-Za-z0-9_ \t\n\f\r#.,:;%()!+*>=~\[\]{}@|-]*")
_NAME = re.compile(r"[a-z-][a-z0-9-]*")
_VALUE = re.compile(r"[a-z0-9_ \t\n\f\r#.,%()!/+\"'&-]*")
_DIGITS = re.compile(r"[ \t\n\f\r]*([0-9]+)")
_RULE = re.compile(r"[ \t\n\f\r]*((?:[^{}; \t\n\f\r][^{};]*)?)\{([^{}]*)\}")
_GROUP = re.compile(r"[ \t\n\f\r]*@media[^{};@]*\{((?:[^{}]*\{[^{}]*\})*[ \t\n\f\r]*)\}")
_NEGATIVE = re.compile(r"(?:^| )-\.?[0-9]")
_SUBJECT = re.compile(r"([a-z][a-z0-9]*)?(?:[.#:\[*].*)?", re.DOTALL)
_FACE = _listed(
    "font-family panose-1 mso-font-charset mso-font-generic-family mso-font-pitch"
    " mso-font-signature mso-font-format font-style font-weight"
)
_PAGE = _listed(
    "size margin mso-header-margin mso-footer-margin mso-paper-source mso-page-orientation"
)


def sheet_traits(text: str) -> frozenset[str] | None:
    """None where a rule of this <style> element could hide, move or change words; otherwise
    which of `GROUND` and `LINE` it has."""
    sheet = _cleaned(text.replace("<!--", " ").replace("-->", " "))
    if sheet is None:
        return None
    traits: frozenset[str] = frozenset()
    position, end = 0, len(sheet.rstrip(_WHITE))
    while position < end:
        group = _GROUP.match(sheet, position)
        rule = None if group else _RULE.match(sheet, position)
        if group is not None:
            found, position = sheet_traits(group[1]), group.end()
        elif rule is not None:
            short = rule.end() - position <= _CACHED_MAX
            judge = _kept_rule_traits if short else _rule_traits
            found, position = judge(rule[1].strip(_WHITE), rule[2]), rule.end()
        else:
            return None
        if found is None:
            return None
        traits |= found
    return traits


def style_traits(text: str, kind: str) -> frozenset[str] | None:
    """The same for a style attribute on an element of this kind."""
    return (_kept_style_traits if len(text) <= _CACHED_MAX else _style_traits)(text, kind)


def _style_traits(text: str, kind: str) -> frozenset[str] | None:
    style = _cleaned(text)
    if style is None or "{" in style or "}" in style or "@" in style:
        return None
    return _traits(style, kind, in_sheet=False)


def style_block(text: str) -> bool:
    """Whether an image's style puts it on lines of its own. The style was found harmless."""
    return any(item[0] == "display" and item[1].startswith("block") for item in _spelt(text))


def small_image(style: str, width: str, height: str) -> bool:
    """Whether an image is made too small to be seen, by its attributes or its style."""
    extents = ("width", "height", "max-width", "max-height")
    styled = [value for name, value in _spelt(style) if name in extents]
    sizes = [length(value.removesuffix("!important").rstrip(" ")) for value in styled]
    for value in (width, height):
        found = _DIGITS.match(value)
        if value.strip(_WHITE):
            sizes.append(int(found[1][:6]) * _PX if found is not None else 0)
    return any(size is not None and size < IMAGE_MIN_PX * _PX for size in sizes)


def _spelt(style: str) -> list[tuple[str, str]]:
    return _declarations(_cleaned(style) or "") or []


def length(value: str) -> int | None:
    """A CSS length in millionths of a pixel; a percentage as such, of 100 pixels."""
    found = _LENGTH.fullmatch(value)
    if found is None or not (found[2] or found[3]):
        return None
    thousandths = int(found[2] or "0") * 1_000 + int(((found[3] or "") + "000")[:3])
    size = thousandths * _UNITS.get(found[4], 1_000)
    return -size if found[1] else size


def text_colour(value: str) -> bool:
    """Dark enough to be read on every ground that is let through."""
    return value in _TEXT_COLOURS or _luma(value, _TEXT_LUMA_MAX + 1, opaque=True) <= _TEXT_LUMA_MAX


def ground_colour(value: str) -> bool:
    """Light enough for every text colour that is let through."""
    return value in _GROUND_COLOURS or _luma(value, -1, opaque=False) >= _GROUND_LUMA_MIN


def fonts(value: str) -> bool:
    return all(name.strip(_WHITE + "\"'") in FONTS for name in value.split(","))


def _luma(value: str, failed: int, *, opaque: bool) -> int:
    """299 R + 587 G + 114 B; `failed` where the value is no colour that is known here."""
    found = _HEX.fullmatch(value)
    if found is not None:
        digits = found[2] or "".join(digit * 2 for digit in found[1])
        red, green, blue = (int(digits[i : i + 2], 16) for i in (0, 2, 4))
    else:
        found = _RGB.fullmatch(value)
        if found is None:
            return failed
        red, green, blue = (int(found[i]) for i in (1, 2, 3))
        if max(red, green, blue) > 255:
            return failed
        alpha = found[4] or "1"
        if alpha.strip("0.") == "" and not opaque:
            return 255_000
        if opaque and alpha.partition(".")[0] != "1":
            return failed
    return 299 * red + 587 * green + 114 * blue


def _cleaned(text: str) -> str | None:
    """In lower case without comments; None where a reader of style sheets could see other bounds
    of rules and declarations than we do."""
    if not text.isascii():
        return None
    text = text.lower()
    bare = _PIECE.sub(lambda found: " " if found[0].startswith("/") else found[0], text)
    rest = _STRING.sub("", bare)
    return bare if "/*" not in bare and _PLAIN.fullmatch(rest.replace("/", "")) else None


def _rule_traits(selectors: str, body: str) -> frozenset[str] | None:
    if selectors.startswith("@"):
        allowed = {"@font-face": _FACE, "@page": _PAGE}.get(selectors.split(" ")[0])
        declarations = _declarations(body)
        if allowed is None or declarations is None:
            return None
        # Charset 2 is that of symbols: its letters are pictures.
        symbols = any(name == "mso-font-charset" and value != "0" for name, value in declarations)
        known = all(name in allowed for name, _ in declarations)
        return frozenset() if known and not symbols else None
    traits: frozenset[str] = frozenset()
    for kind in set(_kinds(selectors)):
        found = _traits(body, kind, in_sheet=True) if "!" not in body else None
        if found is None:
            return None
        traits |= found
    return traits


# Pages are full of the same few styles. Short ones alone are kept, so that memory stays bounded.
_kept_style_traits = lru_cache(maxsize=1_024)(_style_traits)
_kept_rule_traits = lru_cache(maxsize=1_024)(_rule_traits)


def _kinds(selectors: str) -> Iterator[str]:
    for selector in selectors.split(","):
        subject = re.split(r"[ \t\n\f\r>+~]+", selector.strip(_WHITE))[-1]
        found = _SUBJECT.fullmatch(subject)
        name = found[1] if found else None
        # :first-line, ::marker and their like are parts of a block, not blocks.
        if name in _BLOCK_NAMES and ":" not in subject:
            yield BLOCK
        elif name == "li" and ":" not in subject:
            yield ITEM
        elif name in _CELL_NAMES and ":" not in subject:
            yield CELL
        else:
            yield ANY


def _declarations(body: str) -> list[tuple[str, str]] | None:
    found = []
    for declaration in body.split(";"):
        if not (spelt := declaration.strip(_WHITE)):
            continue
        name, colon, value = spelt.partition(":")
        name = name.rstrip(_WHITE)
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return None
        found.append((name, " ".join(value.split())))
    return found


def _traits(body: str, kind: str, *, in_sheet: bool) -> frozenset[str] | None:
    declarations = _declarations(body)
    if declarations is None:
        return None
    traits = set()
    for name, spelt in declarations:
        value = spelt.removesuffix("important").rstrip(" ").removesuffix("!").rstrip(" ")
        if "!" in value:
            return None
        if name == "text-indent" and value.startswith("-"):
            if in_sheet or not _indented(declarations, value):
                return None
        elif not _harmless(name, value, kind):
            return None
        if name.startswith("background") and kind in (INLINE, ANY) and value not in _NO_GROUND:
            traits.add(GROUND)
        if (name == "line-height" or (name == "font" and "/" in value)) and not _own_line(value):
            traits.add(LINE)
    return frozenset(traits)


def _own_line(value: str) -> bool:
    """Whether the distance of lines follows from the size of their own letters."""
    size = length(value) if value[-1:].isdigit() else None
    return value in ("normal", "inherit", "initial") or (size is not None and size >= _PX)


def _harmless(name: str, value: str, kind: str) -> bool:
    if name in _ANYTHING:
        return ("(" not in value or name.endswith("color")) and not _NEGATIVE.search(value)
    if name in _KEYWORDS:
        return value in _KEYWORDS[name]
    check = _CHECKS.get(name)
    if check is None:
        check = next((found for start, found in _FAMILIES if name.startswith(start)), None)
    return check is not None and check(value, kind)


def _indented(declarations: list[tuple[str, str]], indent: str) -> bool:
    """A line may begin further left than its paragraph, never left of the page."""
    wanted = length(indent)
    margins = [value for name, value in declarations if name == "margin-left"]
    shorthand = any(name in ("margin", "margin-inline-start") for name, _ in declarations)
    found = length(margins[0]) if len(margins) == 1 and not shorthand else None
    units = {text.lstrip("-0123456789.") for text in (*margins, indent)}
    if wanted is None or found is None or len(units) != 1 or "%" in units:
        return False
    return -wanted <= found <= 300 * _PX


def _within(value: str, least: int, most: int) -> bool:
    size = length(value)
    return size is not None and least * _PX <= size <= most * _PX


def _space(value: str, kind: str) -> bool:
    """Margins and padding: none inside a line, where a gap would part or join words."""
    most = 0 if kind in (INLINE, ANY) else 300
    values = value.split(" ")
    words = ("inherit", "initial") if not most else ("auto", "inherit", "initial")
    return len(values) <= 4 and all(item in words or _within(item, 0, most) for item in values)


def _border(value: str, kind: str) -> bool:
    lengths = [size for item in value.split(" ") if (size := length(item)) is not None]
    if ("(" in value and "rgb" not in value) or any(not 0 <= s <= 50 * _PX for s in lengths):
        return False
    if kind not in (INLINE, ANY):
        return True
    return bool({"none", "0", "0px", "0pt", "0cm", "initial"} & set(value.split(" ")))


def _extent(value: str, kind: str) -> bool:
    """Width: of what grows with its content, or shows whole whatever the width is."""
    if value in ("auto", "100%"):
        return True
    return kind in (CELL, IMAGE, RULE) and length(value) is not None and "-" not in value


def _most(value: str, kind: str) -> bool:
    return value in ("none", "100%") or (kind == IMAGE and _extent(value, kind))


def _display(value: str, kind: str) -> bool:
    if kind == INLINE:
        return value == "inline"
    if kind in (IMAGE, RULE):
        return value in ("inline", "block", "inline-block")
    return kind == BLOCK and value == "block"


def _vertical(value: str, kind: str) -> bool:
    return value in ("baseline", "inherit", "initial") or (
        kind in (CELL, IMAGE) and value in ("top", "middle", "bottom", "text-top", "text-bottom")
    )


def _font_size(value: str, _kind: str) -> bool:
    """No relative size below 1: they multiply."""
    if value in _SIZE_WORDS:
        return True
    if value.endswith("ex"):
        return False
    if value.endswith("em"):
        return _within(value, 16, 48)
    return _within(value, 100, 300) if value.endswith("%") else _within(value, 8, 100)


def _line_height(value: str, _kind: str) -> bool:
    if value in ("normal", "inherit", "initial"):
        return True
    if value.endswith("%"):
        return _within(value, 80, 400)
    if value[-1:].isdigit():
        size = length(value)
        return size is not None and 8 * _PX <= 10 * size <= 40 * _PX
    return _within(value, 8, 150)


_FONT_WORD = re.compile(r"(?:normal|italic|oblique|bold|bolder|lighter|[1-9]00) ")


def _font(value: str, kind: str) -> bool:
    while (found := _FONT_WORD.match(value)) is not None:
        value = value[found.end() :]
    size, _, families = value.partition(" ")
    size, slash, line = size.partition("/")
    if value in ("inherit", "initial"):
        return True
    return (
        _font_size(size, kind)
        and (not slash or _line_height(line, kind))
        and families != ""
        and fonts(families)
    )


def _spacing(value: str, _kind: str) -> bool:
    return value in ("normal", "inherit", "initial") or (
        value[:1] != "-" and "%" not in value and _within(value, 0, 2)
    )


def _ground(value: str, _kind: str) -> bool:
    left = value
    for word in (" repeat", " scroll", " 0% 0%", " none", "none "):
        left = left.replace(word, "")
    return ground_colour(left)


_CHECKS: dict[str, Callable[[str, str], bool]] = {
    "color": lambda value, _: text_colour(value),
    "background": _ground,
    "background-color": lambda value, _: ground_colour(value),
    "font-family": lambda value, _: fonts(value),
    "mso-fareast-font-family": lambda value, _: fonts(value),
    "mso-ascii-font-family": lambda value, _: fonts(value),
    "mso-hansi-font-family": lambda value, _: fonts(value),
    "mso-bidi-font-family": lambda value, _: fonts(value),
    "font-size": _font_size,
    "mso-bidi-font-size": _font_size,
    "mso-ansi-font-size": _font_size,
    "font": _font,
    "line-height": _line_height,
    "letter-spacing": _spacing,
    "word-spacing": _spacing,
    "text-indent": lambda value, _: value in ("inherit", "initial") or _within(value, 0, 100),
    "width": _extent,
    "max-width": _most,
    "max-height": lambda value, kind: value == "none" or (kind == IMAGE and _extent(value, kind)),
    "height": lambda value, kind: value == "auto"
    or (kind in (CELL, IMAGE, RULE) and _extent(value, kind)),
    "display": _display,
    "vertical-align": _vertical,
}  # fmt: skip
_FAMILIES = (
    ("border-image", lambda _value, _kind: False),
    ("margin", _space),
    ("padding", _space),
    ("border", _border),
)

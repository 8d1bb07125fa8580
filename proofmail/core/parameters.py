"""What a part's own header says of it: type, parameters, encoding, disposition, name
(RFC 2045 §5, RFC 2183, RFC 2231; SPEC §3.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofmail.core import charsets
from proofmail.core.headers import Fields, ascii_lower, clean_text
from proofmail.core.pictures import content_id, content_location

NAME_MAX = 1_024
"""Most code points of a part's name that are kept as they are."""
BOUNDARY_MAX_BYTES = 256
"""RFC 2046 §5.1.1 allows 70; longer ones are met."""

_RFC2045 = r"[!#-'*+.^-~0-9A-Z-]{1,127}"
_TYPE = re.compile(rf"[ \t]*({_RFC2045})/({_RFC2045})(?=[ \t;(]|\Z)([ \t]*(?:;|\Z))?")
_CHARSET = re.compile(r"[!#-'*+.^-~0-9A-Z-]{1,64}")
_FIRST_WORD = re.compile(r"[ \t]*([^ \t;]*)")
_PARAMETER = re.compile(
    r"""
    ;[ \t]*([^ \t=;"]+)[ \t]*=[ \t]*
    (?: "([^"\\]*(?:\\.[^"\\]*)*)(?:"|\Z|\\\Z)[^;]* | ([^;]*) )
    """,
    re.VERBOSE | re.DOTALL,
)
_REGULAR = re.compile(
    r"""
    (?: [ \t]* ; [ \t]*
        (?: (?:file)?name (?:\*(?:(?:0|[1-9][0-9]{0,2})\*?)?)? = [ \t]*
          | (?!(?:file)?name=) [!#-'+.^-~0-9A-Z-]+ = )
        (?: "[^"\\\x00-\x08\x0a-\x1f\x7f]*" | [^"\\\x00-\x20\x7f;(),]+ )
    )* [ \t;]* \Z
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
"""Parameters that programs read alike. Not so: comments, what stands behind a value, backslashes,
blanks around the equals sign (behind a name's they are met), RFC 2231's forms of others.

No parameter may be read in two ways here: each of a row of them would double the time."""
_SIMPLE = re.compile(
    r" ?([a-z0-9]{1,40}(/[a-z0-9.+-]{1,100})?)"
    r'(?:; ?([a-z]+)=(?:"([ !#-\[\]-~]*)"|([A-Za-z0-9._-]+)))?'
)
"""The common shapes of a whole Content-Type or Content-Disposition, which the expressions here
would read the same: lower case, at most one parameter, nothing to be undone in it."""
_ENCODINGS = {
    f"{blank}{name}": name
    for blank in ("", " ")
    for name in ("", "7bit", "8bit", "base64", "quoted-printable")
}
_DISPOSITION = re.compile(rf"[ \t]*{_RFC2045}(?=[ \t;]|\Z){_REGULAR.pattern}", _REGULAR.flags)
_ESCAPE = re.compile(r'\\(["\\])')
_SECTION = re.compile(r"([^*]+)\*(0|[1-9][0-9]{0,2})(\*?)")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_VERBATIM = ("name", "filename")

Parameters = dict[str, str]


@dataclass  # not frozen, for that makes it three times as slow, and there are many
class PartHeader:
    """`type` and `encoding` are lower case; `boundary` is None where there is no usable one.
    Never changed once it is made."""

    type: str
    parameters: Parameters
    boundary: bytes | None
    charset: str | None
    encoding: str
    disposition: str
    name: str | None
    has_content_id: bool
    content_id: bytes | None
    content_location: bytes | None
    """Digests of what the text of a page may refer to this part by (SPEC §3.16)."""

    def parameter(self, name: str) -> str:
        return ascii_lower(self.parameters.get(name, ""))


def part_header(fields: Fields, default_type: str, defects: set[str]) -> PartHeader:
    """Reads the first occurrence of each field; malformed ones read as absent, with a defect."""
    kind, parameters = _content_type(_first(fields, "content-type"), default_type, defects)
    written, disposition = _disposition(fields, defects)
    encoding_field = _first(fields, "content-transfer-encoding") or ""
    encoding = _ENCODINGS.get(encoding_field)
    if encoding is None:
        encoding = _first_word(encoding_field)
        if len(encoding_field.strip(" \t")) != len(encoding):
            defects.add("transfer.parameter")
    return PartHeader(
        kind,
        parameters,
        _boundary(parameters, defects) if kind.startswith("multipart/") else None,
        _charset(parameters) if kind.startswith("text/") else None,
        encoding,
        written,
        _name(disposition, parameters, defects),
        "content-id" in fields,
        content_id(fields),
        content_location(fields),
    )


def _content_type(
    field: str | None, default_type: str, defects: set[str]
) -> tuple[str, Parameters]:
    if field is None:
        return default_type, {}
    simple = _SIMPLE.fullmatch(field)
    if simple is not None and simple[2]:
        return simple[1], _simple_parameters(simple)
    parameters = _parameters(field, defects)
    found = _TYPE.match(field)
    # RFC 2045 §5.2: what cannot be read is text/plain.
    kind = f"{found[1]}/{found[2]}".lower() if found else "text/plain"
    if not found or found[3] is None:
        defects.add("header.content-type")
    if found and not _REGULAR.match(field, found.end(2)):
        defects.add("header.parameter")
    return kind, parameters


def _disposition(fields: Fields, defects: set[str]) -> tuple[str, Parameters]:
    """Its keyword and parameters."""
    if "content-disposition" not in fields:
        return "", {}
    field = _first(fields, "content-disposition") or ""
    simple = _SIMPLE.fullmatch(field)
    if simple is not None and not simple[2]:
        return simple[1], _simple_parameters(simple)
    parameters = _parameters(field, defects) if field else {}
    if not _DISPOSITION.match(field):
        defects.add("header.parameter")
    return _first_word(field), parameters


def _simple_parameters(simple: re.Match[str]) -> Parameters:
    key = simple[3]
    return {} if key is None else {key: simple[4] or simple[5] or ""}


def _first(fields: Fields, name: str) -> str | None:
    values = fields.get(name)
    return values[0] if values else None


def _first_word(value: str) -> str:
    return ascii_lower(_up_to_white(value))


def _up_to_white(value: str) -> str:
    found = _FIRST_WORD.match(value)
    return found[1] if found else ""


def _boundary(parameters: Parameters, defects: set[str]) -> bytes | None:
    written = parameters.get("boundary", "").encode("utf-8", "surrogateescape")
    boundary = written.rstrip(b" \t\r")
    if boundary != written:
        defects.add("header.parameter")  # some look for it with its blanks
    return boundary if 0 < len(boundary) <= BOUNDARY_MAX_BYTES else None


def _charset(parameters: Parameters) -> str | None:
    charset = parameters.get("charset")
    if charset is None:
        return None
    return charset.lower() if _CHARSET.fullmatch(charset) else "?"


def _parameters(value: str, defects: set[str]) -> Parameters:
    """Lower-case name → value as written, quotation undone. The first of two wins."""
    start = value.find(";")
    found = Parameters()
    if start < 0:
        return found
    for name, quoted, token in _PARAMETER.findall(value, start):
        key = ascii_lower(name)
        text = _ESCAPE.sub(r"\1", quoted) if quoted else token.strip(" \t")
        if not quoted and not key.startswith(_VERBATIM):
            text = _up_to_white(text)
        if key in found:
            defects.add("header.parameter")
        else:
            found[key] = text
    return found


def _name(disposition: Parameters, parameters: Parameters, defects: set[str]) -> str | None:
    """The first that is not empty; programs differ on which of several they show."""
    if not disposition and "name" not in parameters and "*" not in "".join(parameters):
        return None
    found = [*_texts(disposition, "filename", defects), *_texts(parameters, "name", defects)]
    if not found:
        return None
    names = dict.fromkeys([clean_text(text, defects, NAME_MAX) for text in dict.fromkeys(found)])
    names.pop("", None)
    if len(names) > 1:
        defects.add("header.parameter")
    return next(iter(names), None)


def _texts(parameters: Parameters, key: str, defects: set[str]) -> list[str]:
    """What a key says in each of its forms, RFC 2231's before the plain one."""
    found = []
    if "*" in "".join(parameters):
        if f"{key}*" in parameters:
            found.append(_extended([(parameters[f"{key}*"], True)], defects))
        sections = _sections(parameters, key, defects)
        if sections:
            found.append(_extended(sections, defects))
    if key in parameters:
        found.append(parameters[key])
    return found


def _sections(parameters: Parameters, key: str, defects: set[str]) -> list[tuple[str, bool]]:
    """RFC 2231 §3: the sections in the order of their numbers, up to the first gap."""
    numbered: dict[int, tuple[str, bool]] = {}
    for name, value in parameters.items():
        section = _SECTION.fullmatch(name)
        if section and section[1] == key:
            if int(section[2]) in numbered:
                defects.add("header.parameter")
            numbered.setdefault(int(section[2]), (value, bool(section[3])))
    whole = next((n for n in range(len(numbered)) if n not in numbered), len(numbered))
    if whole < len(numbered):
        defects.add("header.parameter")
    return [numbered[n] for n in range(whole)]


def _extended(sections: list[tuple[str, bool]], defects: set[str]) -> str:
    """RFC 2231 §4: charset'language'percent-encoded bytes, the charset in the first section."""
    first, first_is_extended = sections[0]
    charset = "utf-8"
    if first_is_extended:
        label, mark, after = first.partition("'")
        _, second_mark, text = after.partition("'")
        if mark and second_mark:
            known = charsets.canonical(label) if label else "us-ascii"
            if known is None:
                defects |= {"header.charset-unknown", "header.parameter"}
                return "".join(text for text, _ in sections)
            charset = known
            sections = [(text, True), *sections[1:]]
        else:
            defects.add("header.parameter")
    elif any(extended for _, extended in sections):
        defects.add("header.parameter")  # no charset is said for it
    data = b"".join(
        _percent_decoded(text, defects) if extended else text.encode("utf-8", "surrogateescape")
        for text, extended in sections
    )
    text, clean = charsets.decode_replacing(data, charset)
    if not clean:
        defects.add("header.undecodable")
    return text


def _percent_decoded(text: str, defects: set[str]) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if data.count(b"%") != len(_PERCENT.findall(data)):
        defects.add("header.parameter")
    return _PERCENT.sub(lambda pair: bytes((int(pair[1], 16),)), data)

"""Journeys through what rewrites mails: small scripts of our own, named for what they imitate.

Each takes a mail as a tree and gives the copy's bytes, or None where it has nothing to rewrite.
What must come of it is said beside it.
"""

from __future__ import annotations

import re
import struct
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from proofmail.core.model import File
from proofmail.core.tnef import Tnef
from tests.core.tnef_maker import file, tnef
from tests.journeys.originals import ORIGINALS
from tests.journeys.outcomes import Outcome, judged
from tests.journeys.tree import Entity, encoded, read

_FOOTER = "_______________________________________________\r\nRoofs mailing list\r\n"
_BANNER = "CAUTION: this mail came from outside. Do not click.\r\n\r\n"


def _new_text(entity: Entity, text: str) -> None:
    """Another text, in the same encoding; in UTF-8 if its charset cannot write it."""
    try:
        content = text.encode(entity.charset)
    except UnicodeEncodeError:
        old = entity.get("content-type") or "text/plain; charset=us-ascii"
        entity.put("Content-Type", old.replace(f"charset={entity.charset}", "charset=utf-8"))
        content = text.encode()
    encoding = entity.get("content-transfer-encoding") or "7bit"
    needs_more = encoding == "7bit" and not content.isascii()
    entity.encode(content, "8bit" if needs_more else encoding)


def _changed(mail: Entity, entities: list[Entity], change: Callable[[str], str]) -> bytes | None:
    """The mail with these texts changed; None if none of them is."""
    changed = [(one, text) for one in entities if (text := change(one.text())) != one.text()]
    for one, text in changed:
        _new_text(one, text)
    return mail.to_bytes() if changed else None


def mailman_footer_appended(mail: Entity) -> bytes | None:
    """Mailman with a plain text mail: the footer goes below the text."""
    if mail.children:
        return None
    return _changed(mail, mail.texts("text/plain"), lambda text: text + _FOOTER)


def mailman_footer_part(mail: Entity) -> bytes:
    """Mailman with anything else: a part more, in a multipart/mixed of its own if needed."""
    footer = Entity([b"Content-Type: text/plain; charset=us-ascii"], _FOOTER.encode())
    if mail.kind == "multipart/mixed":
        mail.children.append(footer)
        return mail.to_bytes()
    inner = [field for field in mail.fields if field.lower().startswith(b"content-")]
    outer = [field for field in mail.fields if field not in inner]
    outer.append(b'Content-Type: multipart/mixed; boundary="list"')
    return Entity(outer, children=[Entity(inner, mail.body, mail.children), footer]).to_bytes()


def external_banner(mail: Entity) -> bytes | None:
    """A gateway that warns: at the start of the subject and of each body."""
    mail.put("Subject", f"[EXTERNAL] {mail.get('subject')}")
    _changed(mail, mail.texts("text/plain"), lambda text: _BANNER + text)
    _changed(mail, mail.texts("text/html"), lambda text: text.replace("<p>", f"<p>{_BANNER}", 1))
    return mail.to_bytes()


_EXCHANGE_HEAD = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office">\r\n<head>\r\n'
    '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
    '<style type="text/css" style="display:none;">'
    " P {margin-top:0;margin-bottom:0;} </style>\r\n</head>\r\n"
)


def exchange_html(mail: Entity) -> bytes | None:
    """Exchange: its own head with a style sheet, attributes dropped, text in lines of its own
    length, what is not ASCII as a reference and references as other references."""

    def rewritten(page: str) -> str:
        found = re.search(r"<body[^>]*>(.*)</body>", page, re.DOTALL)
        if found is None:
            raise ValueError("a page without a body")
        body = re.sub(r' (?:class|id|title|align)="[^"]*"', "", found[1])
        body = body.replace("&nbsp;", "&#160;").replace("&euro;", "&#8364;")
        body = body.encode("ascii", "xmlcharrefreplace").decode()
        lines = textwrap.wrap(body, 60, break_long_words=False, break_on_hyphens=False)
        start = '<body dir="ltr">\r\n<div class="WordSection1">\r\n'
        return _EXCHANGE_HEAD + start + "\r\n".join(lines) + "\r\n</div>\r\n</body>\r\n</html>\r\n"

    return _changed(mail, mail.texts("text/html"), rewritten)


def safe_links(mail: Entity) -> bytes | None:
    """A gateway that sends every link through itself."""

    def guarded(page: str) -> str:
        return page.replace('href="', 'href="https://guard.example/?url=')

    return _changed(mail, mail.texts("text/html"), guarded)


def rewrapped(mail: Entity) -> bytes | None:
    """A program that breaks lines again; format=flowed has rules of its own, and is left."""

    def wrapped(text: str) -> str:
        paragraphs = [
            paragraph if ">" in paragraph else "\r\n".join(_wrap(paragraph))
            for paragraph in text.split("\r\n\r\n")
        ]
        return "\r\n\r\n".join(paragraphs).rstrip("\r\n") + "\r\n"

    texts = [one for one in mail.texts("text/plain") if "flowed" not in one.get("content-type")]
    return _changed(mail, texts, wrapped)


def _wrap(paragraph: str) -> list[str]:
    return textwrap.wrap(paragraph, 50, break_long_words=False, break_on_hyphens=False)


def no_break_spaces(mail: Entity) -> bytes | None:
    """An editor that keeps figures together: `1 200 €` with U+00A0."""
    pattern = re.compile(r"(?<=\d) (?=[\d€])")
    plain = mail.texts("text/plain")
    if not any(pattern.search(one.text()) for one in plain):
        return None
    texts = plain + mail.texts("text/html")
    return _changed(mail, texts, lambda text: pattern.sub("\u00a0", text))


def smart_quotes(mail: Entity) -> bytes | None:
    """An editor that corrects signs: quotation marks, apostrophes, dashes."""

    def corrected(text: str) -> str:
        text = re.sub(r'"([^"\r\n]*)"', "“\\1”", text)
        return text.replace("'", "’").replace(" - ", " – ")

    return _changed(mail, mail.texts("text/plain"), corrected)


def other_line_lengths(mail: Entity) -> bytes | None:
    """Attached files in base64 again, in lines of another length."""
    before = mail.to_bytes()
    for one in mail.walk():
        if one.is_attached and _encoding(one) == "base64":
            one.body = encoded(one.content(), "base64", 60)
    return None if mail.to_bytes() == before else mail.to_bytes()


def _encoding(entity: Entity) -> str:
    return entity.get("content-transfer-encoding").lower()


def _encoded_as(encoding: str) -> Callable[[Entity], bytes | None]:
    def run(mail: Entity) -> bytes | None:
        texts = [
            one
            for one in mail.walk()
            if one.kind.startswith("text/") and _encoding(one) not in ("", encoding)
        ]
        for one in texts:
            one.encode(one.content(), encoding)
        return mail.to_bytes() if texts else None

    return run


def in_utf8(mail: Entity) -> bytes | None:
    """A program that writes every text in UTF-8."""
    texts = [one for one in mail.texts("text/plain") if one.charset not in ("us-ascii", "utf-8")]
    for one in texts:
        content = one.text().encode()
        kind = one.get("content-type").replace(one.charset, "utf-8")
        one.put("Content-Type", kind)
        one.encode(content, _encoding(one))
    return mail.to_bytes() if texts else None


def renamed_attachment(mail: Entity) -> bytes | None:
    """A gateway that gives files names of its own."""
    named = [one for one in mail.walk() if "filename" in one.get("content-disposition")]
    for number, one in enumerate(named):
        role = one.get("content-disposition").partition(";")[0]
        one.put("Content-Disposition", f'{role}; filename="ATT{number:05}.bin"')
    return mail.to_bytes() if named else None


def attachment_replaced(mail: Entity) -> bytes | None:
    """A virus scanner that puts a note in the place of each PDF."""
    files = [one for one in mail.walk() if one.kind == "application/pdf" and one is not mail]
    for one in files:
        one.fields, one.body = [b"Content-Type: text/plain"], b"A file was removed.\r\n"
    return mail.to_bytes() if files else None


def tnef_wrapped(mail: Entity) -> bytes | None:
    """Exchange to a reader that it takes for Outlook: the attached files inside a winmail.dat."""
    files = [one for one in mail.children if _is_file(one)]
    if mail.kind != "multipart/mixed" or not files:
        return None
    wrapped = tnef([file(f"file{n}.bin", one.content()) for n, one in enumerate(files)])
    mail.children = [one for one in mail.children if one not in files]
    mail.children.append(_attached("application/ms-tnef", "winmail.dat", wrapped))
    return mail.to_bytes()


def tnef_unwrapped(mail: Entity) -> bytes | None:
    """A gateway that puts the files of a winmail.dat in its place."""
    wrappers = [one for one in mail.children if one.kind == "application/ms-tnef"]
    for one in wrappers:
        content = one.content()
        reader = Tnef()
        reader.feed(content)
        files = [
            _attached("application/octet-stream", item.name or "", _within(content, item))
            for item in reader.finish()[0]
        ]
        at = mail.children.index(one)
        mail.children[at : at + 1] = files
    return mail.to_bytes() if wrappers else None


def _within(content: bytes, item: File) -> bytes:
    """The bytes of a file, behind the attribute that announces them."""
    start = content.index(struct.pack("<BII", 2, 0x6800F, item.size_bytes)) + 9
    return content[start : start + item.size_bytes]


def _is_file(one: Entity) -> bool:
    attached = one.get("content-disposition").startswith("attachment")
    return attached and one.kind not in ("message/rfc822", "application/ms-tnef")


def _attached(kind: str, name: str, content: bytes) -> Entity:
    entity = Entity([f"Content-Type: {kind}".encode()])
    entity.put("Content-Disposition", f'attachment; filename="{name}"')
    entity.encode(content, "base64")
    return entity


def new_boundaries(mail: Entity) -> bytes | None:
    """A program that writes multiparts with boundaries of its own."""
    multiparts = [one for one in mail.walk() if one.children]
    for number, one in enumerate(multiparts):
        subtype = one.kind
        one.put("Content-Type", f'{subtype};\r\n\tboundary="_{number:03}_NextPart"')
    return mail.to_bytes() if multiparts else None


def reordered_fields(mail: Entity) -> bytes:
    """A program that writes every header's fields in another order."""
    for one in mail.walk():
        one.fields.reverse()
    return mail.to_bytes()


def lf_line_ends(mail: Entity) -> bytes:
    """A file as Unix programs save it."""
    return mail.to_bytes().replace(b"\r\n", b"\n")


def mbox_file(mail: Entity) -> bytes:
    """The only message of an mbox (mboxrd): `From ` line, LF, `>From `."""
    stored = re.sub(rb"^(>*From )", rb">\1", lf_line_ends(mail), flags=re.MULTILINE)
    return b"From claire@atelier.example Sat Nov 21 10:00:00 2026\n" + stored + b"\n"


@dataclass(frozen=True)
class Rewrite:
    """`verdict` is what every copy must get, `bodies` the rungs that its bodies may be on, and
    `named` the kinds of differences of which every report names at least one."""

    run: Callable[[Entity], bytes | None]
    verdict: str
    bodies: frozenset[str]
    named: frozenset[str] = frozenset()

    def outcomes(self) -> dict[str, Outcome]:
        copies = {name: self.run(read(mail)) for name, mail in ORIGINALS.items()}
        return {name: judged(name, copy) for name, copy in copies.items() if copy is not None}


_EXACT = frozenset({"decoded/1"})
_SOME = frozenset({"", "decoded/1"})
"""Some bodies are changed, and others of the same mail are not."""


def _same(run: Callable[[Entity], bytes | None], *rungs: str) -> Rewrite:
    return Rewrite(run, "same.content", frozenset(rungs) or _EXACT)


def _differs(run: Callable[[Entity], bytes | None], bodies: frozenset[str], *named: str) -> Rewrite:
    return Rewrite(run, "differs", bodies, frozenset(named))


REWRITES: dict[str, Rewrite] = {
    "mailman-footer-appended": _differs(mailman_footer_appended, frozenset({""}), "part.changed"),
    "mailman-footer-part": _differs(mailman_footer_part, _EXACT, "part.added"),
    "external-banner": _differs(external_banner, _SOME, "header.differs"),
    "safe-links": _differs(safe_links, _SOME, "part.changed"),
    "smart-quotes": _differs(smart_quotes, _SOME, "part.changed", "part.missing"),
    "renamed-attachment": _differs(renamed_attachment, _EXACT, "part.name"),
    "attachment-replaced": _differs(attachment_replaced, _EXACT, "part.missing"),
    "no-break-spaces": Rewrite(
        no_break_spaces, "same.words", frozenset({"decoded/1", "html-text/1", "words/1"})
    ),
    "rewrapped": Rewrite(rewrapped, "same.words", frozenset({"decoded/1", "words/1"})),
    "exchange-html": _same(exchange_html, "decoded/1", "html-text/1"),
    "in-utf8": _same(in_utf8, "text/1"),
    "other-line-lengths": _same(other_line_lengths),
    "to-base64": _same(_encoded_as("base64")),
    "to-quoted-printable": _same(_encoded_as("quoted-printable")),
    "to-8bit": _same(_encoded_as("8bit")),
    "tnef-wrapped": _differs(tnef_wrapped, _EXACT, "part.wrapped"),
    "tnef-unwrapped": _differs(tnef_unwrapped, _EXACT, "part.unwrapped"),
    "new-boundaries": _same(new_boundaries),
    "reordered-fields": _same(reordered_fields),
    "lf-line-ends": Rewrite(lf_line_ends, "same.bytes", frozenset({"raw/1"})),
    "mbox": Rewrite(mbox_file, "same.bytes", frozenset({"raw/1"})),
}

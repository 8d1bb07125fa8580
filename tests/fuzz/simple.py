"""A comparison of two mails that shares no code with the verifier: Python's email package, and
texts without white space. Coarser than any content rung, so what it tells apart must not pass.
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from unicodedata import normalize

_QUOTES = re.compile(r"^[> ]+", re.MULTILINE)
_BLANKS = re.compile(r"[ \t]+(?=\r?$)", re.MULTILINE)
_FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_MARKED = re.compile(rb"^>(?=>*From )", re.MULTILINE)


def same_mail(copy: bytes, original: bytes) -> bool:
    return essence(copy) == essence(original)


def same_in_box(box: bytes, original: bytes) -> bool:
    """Whether one of the messages of an mbox is the mail, with or without its marks undone."""
    pieces = [box, *_FROM_LINE.split(box)]
    # What looks like a separator may be a line of the text.
    places = [found.end() for found in _FROM_LINE.finditer(box)]
    pieces += [box[a:b] for a in places for b in [*places, len(box)] if a < b]
    wanted = essence(original)
    return any(
        essence(found) == wanted for piece in pieces for found in (piece, _MARKED.sub(b"", piece))
    )


def essence(mail: bytes) -> object:
    """What two mails of the same content have in common."""
    parsed = message_from_bytes(with_crlf(mail), policy=policy.compat32)
    return _head(parsed), [_leaf(part) for part in parsed.walk() if not part.is_multipart()]


def with_crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def squeezed(text: str) -> str:
    return "".join(_QUOTES.sub("", normalize("NFC", text)).split())


def page_text(page: str) -> str:
    reader = _Page()
    reader.feed(page)
    reader.close()
    return squeezed("".join(reader.found))


def _head(mail: Message) -> object:
    people = [
        [(squeezed(_text(name)), address) for name, address in getaddresses(_all(mail, field))]
        for field in ("From", "To", "Cc")
    ]
    moments = []
    for stated in _all(mail, "Date"):
        try:
            moments.append(parsedate_to_datetime(stated).timestamp())
        except (TypeError, ValueError, OverflowError):
            moments.append(stated)
    return people, [squeezed(_text(text)) for text in _all(mail, "Subject")], moments


def _all(mail: Message, field: str) -> list[str]:
    return [str(value) for value in mail.get_all(field, [])]


def _text(value: str) -> str:
    try:
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace")
            for piece, charset in decode_header(value)
        )
    except (LookupError, ValueError, AssertionError):
        return value


def _leaf(part: Message) -> object:
    kind = part.get_content_type()
    if "Content-Transfer-Encoding" in part:  # the package trips over a blank at its end
        encoding = str(part["Content-Transfer-Encoding"])
        part.replace_header("Content-Transfer-Encoding", encoding.strip())
        if encoding.strip().lower() == "quoted-printable":
            # RFC 2045 §6.7 (3): blanks at a line's end are no content; the package keeps them.
            part.set_payload(_BLANKS.sub("", str(part.get_payload())))
    data = part.get_payload(decode=True)
    content = data if isinstance(data, bytes) else b""
    if not kind.startswith("text/"):
        return kind, part.get_filename(), content
    charset = part.get_content_charset("ascii")
    try:
        text = content.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return kind, content
    return kind, page_text(text) if kind == "text/html" else squeezed(text)


class _Page(HTMLParser):
    """Words, link targets and alternative texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in ("style", "title", "script")
        self.found += [value or "" for key, value in attrs if key in ("href", "alt")]

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("style", "title", "script") and self._unseen > 0

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)

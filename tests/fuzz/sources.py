"""Where seeds come from: the project's own vectors, and the folder of real messages if present."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.core.html_pages import LAYOUTS, Content
from tests.making import MAIL

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
SEED_MAX_BYTES = 2_048

_HEAD = b"From: a@x\r\nTo: b@y\r\nSubject: s\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"


def mails() -> Iterator[bytes]:
    """Mails of the project's own: small, and of every kind that has rules of its own."""
    yield MAIL
    for kind, body in _BODIES:
        yield _HEAD + b"Content-Type: " + kind + b"\r\n\r\n" + body
    for page in PAGES:
        yield _HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()


@cache
def real_mails() -> tuple[bytes, ...]:
    """The smaller ones of the folder of real messages, by path; none where it is absent."""
    if not CORPUS.is_dir():
        return ()
    paths = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".eml", ".txt", ".raw"))
    found = (path.read_bytes() for path in paths if path.stat().st_size <= SEED_MAX_BYTES)
    return tuple(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for data in found)


_CONTENT = Content(
    ("Dear Mrs Müller,", "the price is 1 200 € & no more."),
    (("Item", "Price"), ("Work", "1 200,00")),
    "https://a.example/x?y=1&z=2",
    "cid:logo@a",
)
_REPORT = (
    b"--r\r\n\r\nYour mail was read.\r\n--r\r\n"
    b"Content-Type: message/disposition-notification\r\n\r\n"
    b"Reporting-UA: x\r\nFinal-Recipient: rfc822; jean@client.example\r\n"
    b"Original-Message-ID: <offre-42@atelier.example>\r\n"
    b"Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--r--\r\n"
)
_BODIES: tuple[tuple[bytes, bytes], ...] = (
    (b"text/plain; charset=utf-8; format=flowed", "> é \r\n> b\r\n-- \r\nc d \r\ne\r\n".encode()),
    (b"text/plain; charset=utf-8; format=flowed; delsp=yes", b">> a \r\n>> b\r\n> c\r\n"),
    (b"text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: quoted-printable",
     b"caf=E9 =\r\n=80 \t\r\n"),
    (b"application/pdf; name*0*=utf-8''%C3%A9; name*1=t.pdf\r\n"
     b"Content-Transfer-Encoding: base64\r\n"
     b'Content-Disposition: attachment; filename="=?utf-8?q?=C3=A9t=C3=A9?=.pdf"',
     b"JVBERi0=\r\n"),
    (b"multipart/report; report-type=disposition-notification; boundary=r", _REPORT),
    (b"multipart/related; start=\"<b>\"; boundary=c",
     b"--c\r\nContent-ID: <b>\r\n\r\na\r\n--c--\r\n"),
    (b"multipart/digest; boundary=c", b"pre\r\n--c\r\n\r\nFrom: a@b\r\n\r\nhi\r\n--c--\r\npost"),
    (b"message/rfc822",
     b"Subject: x\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n--d\r\n\r\n1"),
    (b"message/rfc822\r\nContent-Transfer-Encoding: base64", base64.encodebytes(MAIL)),
)  # fmt: skip
PAGES = tuple(layout(_CONTENT) for layout in LAYOUTS)

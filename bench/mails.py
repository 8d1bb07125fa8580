"""The mails that are measured: a text, and three base64 attachments of random bytes."""

from __future__ import annotations

import random
from base64 import encodebytes

DOMAIN = "atelier.example"
RECIPIENT = "proof@test.example"
_TEXT = (
    b"Bonjour Jean,=0D=0A=0D=0Avoici l=E2=80=99offre sign=C3=A9e, le devis et le plan ;=\r\n"
    b" r=C3=A9ponse attendue avant le 30 novembre, 1 200 =E2=82=AC hors taxes.\r\n"
)
_HTML = (
    b"<html><body><p>Bonjour <b>Jean</b>,</p><table><tr><td>Offre</td><td>1 200 &euro;</td></tr>"
    b'</table><p>Voir <a href=3D"https://atelier.example/offre">l&rsquo;offre</a>.</p>'
    b"</body></html>\r\n"
)
_HEAD = (
    "From: Claire Dubois <{sender}>\r\n"
    "To: Jean Petit <jean@client.example>, notaire@etude.example\r\n"
    f"Cc: {RECIPIENT}\r\n"
    "Subject: =?utf-8?q?Offre_sign=C3=A9e?= {name}\r\n"
    "Date: Sat, 21 Nov 2026 11:00:00 +0100\r\n"
    "Message-ID: <{name}@atelier.example>\r\n"
    "MIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed; boundary="=_cut"\r\n'
    "\r\n"
)


def head(sender: str, name: str) -> bytes:
    """The header; `name` makes the mail another one."""
    return _HEAD.format(sender=sender, name=name).encode("ascii")


def body(size_bytes: int, seed: int, *, html: bool = False) -> bytes:
    """What follows the header, so that the whole mail is about `size_bytes` on the wire."""
    chance = random.Random(seed)
    text = _part(b"text/plain; charset=utf-8", b"quoted-printable", _TEXT * 4)
    if html:
        text += _part(b"text/html; charset=utf-8", b"quoted-printable", _HTML * 4)
    room = size_bytes - len(head("x", "x")) - len(text)
    each = max(64, int((room / 3 - 190) * 57 / 78))
    for number in range(3):
        data = encodebytes(chance.randbytes(each)).replace(b"\n", b"\r\n")
        name = b'application/pdf; name="piece-%d.pdf"' % number
        text += _part(name, b"base64", data, b'attachment; filename="piece-%d.pdf"' % number)
    return text + b"--=_cut--\r\n"


def _part(kind: bytes, encoding: bytes, data: bytes, disposition: bytes = b"inline") -> bytes:
    return (
        b"--=_cut\r\nContent-Type: " + kind + b"\r\nContent-Disposition: " + disposition
        + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + data
    )  # fmt: skip


def mail(size_bytes: int, number: int, *, html: bool = False) -> bytes:
    """A whole mail; another number gives another mail."""
    return head(f"claire@{DOMAIN}", f"bench-{number}") + body(size_bytes, number, html=html)

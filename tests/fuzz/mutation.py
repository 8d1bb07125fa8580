"""Mutations that know what mail is made of; random bytes seldom get past a header.

Everything follows from the random source given, so an input can be made again.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeAlias

Change: TypeAlias = Callable[[bytes, Random], bytes]

PIECES: tuple[bytes, ...] = tuple(
    piece.encode()
    for piece in (
        *("From: Ann <ann@a.example>", 'To: "a" <', "Cc: g: a@b, c@d;", "Date: Sat, 21 Nov 26"),
        *("Subject: =?utf-8?q?=C3?=", " =?utf-8?b?qQ==?=", "=?us-ascii*en?Q?a_b?=", "=?x?q?=41?="),
        *(
            "Content-Type: multipart/mixed; boundary=X",
            'Content-Type: multipart/related; start="<a>"',
        ),
        *("; boundary=XY", '; boundary="X "', "Content-Type: multipart/digest; boundary=--X"),
        *("Content-Type: message/rfc822", "Content-Type: text/plain; charset=utf-8; format=flowed"),
        *("; delsp=yes", "Content-Type: text/html; charset=utf-8", "Content-Type: text/html"),
        *("Content-Type: text/plain; charset=iso-8859-1", "; charset=utf-7", "; charset*=utf-8''a"),
        *("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable"),
        *("Content-Transfer-Encoding: x-uuencode", "Content-Disposition: attachment; filename=a"),
        *(
            "; filename*0*=utf-8''%E2%82",
            "; filename*1*=%AC",
            "; filename*=utf-8'en'%41",
            '"a\\"b"',
        ),
        *("--X", "--X--", "--XY", "--XY--", "--X ", "--", "> q ", ">> ", "-- ", "w ", "From a@b"),
        *("QUJD", "QUI=", "Q", "====", "=41", "=", "=\r\n", " \r\n", "\t", "\r", "\n", "\r\n\r\n"),
        *("(", ")", "<", ">", "\\", '"', "@", ";", ":", ",", "[", "]", "=?", "?=", "%", "*", "\0"),
        *("é", "e\u0301", "\u0301" * 31, "\ufeff", "\u202e", "\U0001f600", "\U0001d15e", "\u0378"),
        *("Content-Type: multipart/report; boundary=X; report-type=delivery-status",),
        *(
            "Content-Type: message/disposition-notification",
            "Content-Type: message/delivery-status",
        ),
        *("Final-Recipient: rfc822; a@b", "Disposition: manual-action/MDN-sent; displayed"),
        *("Original-Message-ID: <a@b>", "Content-Type: text/rfc822-headers", "Message-ID: <a@b>"),
        *("<p>", "</p>", "<table><tr><td>", "</table>", "<a href='x'>", "<!--", "-->", "<![CDATA["),
        *(
            "<style>p{color:red}</style>",
            '<p style="color:#000;margin:0">',
            "&amp;",
            "&#x41;",
            "&eacute",
        ),
        *("<img src=x alt='y'>", "<ul><li>", "<ol start=3>", "<script>", "<br/>", "<pre>", "<![if"),
        *("References: <a@b> <c@d>", "Content-ID: <a>", "no field", "X :", "name=a", '; name="b"'),
    )
)
"""Lines and marks; one in many mails is enough to change how the rest is read."""


def mutated(data: bytes, random: Random, most_bytes: int) -> bytes:
    """A mail with one to six changes."""
    return changed(data, random, most_bytes, _CHANGES)


def changed(data: bytes, random: Random, most_bytes: int, changes: Sequence[Change]) -> bytes:
    for _ in range(1 + random.randrange(6)):
        data = random.choice(changes)(data, random)[:most_bytes]
    return data


def inserting(pieces: Sequence[bytes]) -> tuple[Change, ...]:
    """Changes for what is made of other pieces than mail."""

    def insert(data: bytes, random: Random) -> bytes:
        at = _at(data, random)
        return data[:at] + random.choice(pieces) + data[at:]

    return insert, insert, insert, _flip, _remove, _repeat, _move_lines


def _at(data: bytes, random: Random) -> int:
    return random.randrange(len(data) + 1)


def _insert(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + random.choice(PIECES) + data[at:]


def _insert_line(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    end = random.choice((b"\r", b"\r", b"\r", b""))
    lines.insert(random.randrange(len(lines) + 1), random.choice(PIECES) + end)
    return b"\n".join(lines)


def _remove_line(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def _move_lines(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    first, second = sorted(random.randrange(len(lines) + 1) for _ in range(2))
    to = random.randrange(len(lines) + 1)
    return b"\n".join(lines[:to] + lines[first:second] + lines[to:])


def _flip(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + bytes((random.randrange(256),)) + data[at + 1 :]


def _remove(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    return data[:at] + data[at + 1 + random.randrange(8) :]


def _repeat(data: bytes, random: Random) -> bytes:
    at = _at(data, random)
    piece = data[at : at + 1 + random.randrange(16)]
    return data[:at] + piece * (2 + random.randrange(60)) + data[at:]


def _wrap(data: bytes, random: Random) -> bytes:
    """The whole as a part of a multipart, or as an enclosed message, perhaps encoded."""
    boundary = random.choice((b"X", b"XY", b"Y", b"=_a'b"))
    kind = random.choice((b"message/rfc822", b"text/plain", b"text/html; charset=utf-8", b"a/b"))
    encoding, content = random.choice(
        ((b"8bit", data), (b"base64", base64.encodebytes(data)),
         (b"quoted-printable", quopri.encodestring(data)))
    )  # fmt: skip
    head = b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\n\r\n" % (kind, encoding)
    return (
        b'From: a@b\r\nDate: x\r\nContent-Type: multipart/mixed; boundary="%b"\r\n\r\n--%b\r\n'
        % (boundary, boundary) + head + content + b"\r\n--%b--\r\n" % boundary
    )  # fmt: skip


_CHANGES = (
    _insert, _insert, _insert_line, _insert_line, _insert_line, _remove_line, _move_lines,
    _flip, _flip, _remove, _repeat, _wrap,
)  # fmt: skip

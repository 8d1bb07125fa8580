"""Mails bent in every way that SPEC §3 knows: put together from fragments that matter to its rules,
and real ones changed here and there."""

from __future__ import annotations

import re
import struct
from base64 import encodebytes
from random import Random

from tests.core.tnef_maker import attribute, file, string_property, tnef

ADDRESSES = (
    b"a", b"@", b".", b"<", b">", b",", b";", b":", b'"', b"(", b")", b"\\", b" ", b"\r\n ",
    b"[1]", b"[", b"=?utf-8?q?x=3by?=", b"=?x?q?a?=", b"\xc3\xa9", b"\xe9", b"\xa9", b'"q\\"x"',
    b"a@B.c", b"(c(d)\\)e)", b"<a@b>", b"G:", b"<@r:a@b>", b"\x00", b"\r", b"e\xcc\x81",
    b"\xcd\xb8",
)  # fmt: skip
WORDS = (
    b"=?", b"?=", b"?", b"utf-8", b"*en", b"q", b"=C3", b"_", b"=", b" ", b"\r\n\t", b"\xc3",
    b"\xa9", b"=?utf-8?q?=C3?=", b"=?utf8?Q?=A9?=", b"=?iso-8859-1*en?q?=E9?=",
    b"=?utf-8?b?w6k?=", b"a", b"=?us-ascii?q?=E9a?=", b"=?koi8-r?b?wQ==?=",
    b"=?windows-1252?q?=80=81?=", b"\xcc\x81" * 31,
)  # fmt: skip
DATES = (
    b"Sat, ", b" ", b"21 ", b"31 ", b"Nov ", b"FEB ", b"2026 ", b"26 ", b"1900 ", b"9999 ",
    b"11:00 ", b"23 : 59 : 59 ", b"+0100", b"-2359", b"GMT", b"pst", b"(c)", b"(", b")", b"\\",
    b"((a)b)", b"\t",
)  # fmt: skip
PARAMETERS = (
    b";", b"; ", b"=", b'"', b"\\", b" ", b"\r\n ", b"name", b"*", b"*0", b"charset=utf-8", b"''",
    b"'", b"%", b"%C3%A9", b"a", b"(c)", b",", b"\xc3\xa9", b"\xe9", b'"a;b"', b'"a\\"b\\x"',
    b"; name=x", b"; filename*=utf-8''%C3%A9", b"; filename*0=a", b"; filename*1=b",
    b"; filename*1*=%C3%A9", b"; filename*0*=utf-8''a%20", b'; filename="z"', b"; name*0*=x''a",
    b"=?utf-8?q?=C3=A9?=", b"; format=flowed", b"; FileName*=''x", b"\xe2\x84\xaa", b"\r",
    b"\x00", b"; boundary=a",
)  # fmt: skip
TYPES = (
    b"text/plain", b"text/html", b"text/calendar; method=request", b"application/pdf", b"text",
    b"", b"message/rfc822", b"message/delivery-status", b"message/disposition-notification",
    b"application/pkcs7-mime; smime-type=enveloped-data", b"application/pgp-encrypted", b"TEXT/x",
)  # fmt: skip
CONTENTS = (
    b"aGVsbG8=", b"a", b"=", b"==", b"\r\n", b"\n", b" ", b"!", b"\x80", b"w6k", b"=C3", b"=\r\n",
    b"=2", b"= \r\n", b"\r", b"  \r\n", b"\t", b"Subject: x\r\n", b"=\r \n",
)  # fmt: skip
HEADERS = (
    b"From ", b">From x\r\n", b"From: a\r\n", b"Subject : b\r\n", b" cont\r\n", b"  \r\n",
    b"\r \r\n", b"\r\n", b"\n", b"\r", b"x\r\n", b"To:c@d\n", b":a\r\n", b"a b: c\r\n",
    b"Date:\r\n", b"Cc: x@y\r", b"Content-Type: message/rfc822\r\n", b"Message-ID: <a b>\r\n",
    b"References: <><b>\r\n",
)  # fmt: skip
STRUCTURES = (
    b"--a", b"--b", b"--a--", b"--ab", b"-", b"\r\n", b"\r\n", b"\n", b" ", b"x", b"\r\n\r\n",
    b"text", b"Content-Type: multipart/mixed; boundary=b\r\n", b"\r\n--a\r\n", b"\r\n--b\r\n",
    b"\r\n--a--\r\n", b'Content-Type: multipart/related; boundary=a; start="<c>"\r\n',
    b"Content-ID: <c>\r\n", b"\r", b'Content-Type: multipart/x; boundary="b "\r\n',
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Type: multipart/digest; boundary=b\r\n\r\n", b"\r\n--b--\r\n", b"--a \t\r\r\n",
    b"Content-Type: multipart/encrypted; boundary=ab\r\n", b"Content-Type: text/html\r\n\r\n",
    b'<img src="cid:c">', b"https://we.tl/a ", b"Content-Disposition: attachment\r\n",
)  # fmt: skip
LINKS = (
    b"http", b"https", b"://", b"HTTPS://", b"we.tl", b"/", b"www.dropbox.com/s/", b"/S/", b".",
    b" ", b"&amp;", b"&", b"drive.google.com/open", b"mega.nz/#!", b"\x80", b",",
    b"https://we.tl/t-a", b"https://sharefile.com/d", b"http://1drv.ms/x", b"share.icloud.com/y",
    b"evilwe.tl/",
)  # fmt: skip
REPORTS = (
    b"Final-Recipient: rfc822; a", b"Original-Recipient: b", b"Disposition: x; y/z",
    b"Action: Failed", b"Original-Message-ID: <m@x>", b"\r\n", b"\r\n", b" cont", b"junk", b"> ",
    b"; ", b"\xe9", b"<q>",
)  # fmt: skip


def some(random: Random, fragments: tuple[bytes, ...], most: int) -> bytes:
    return b"".join(random.choices(fragments, k=random.randint(0, most)))


def bent(random: Random) -> bytes:
    """One mail of fragments."""
    kind = random.choice((
        _addresses, _date, _parameters, _content, _header, _structure, _links, _report, _winmail,
    ))  # fmt: skip
    return kind(random)


def _addresses(random: Random) -> bytes:
    lines = (
        b"From: ",
        some(random, ADDRESSES, 12),
        b"\r\nTo: ",
        some(random, ADDRESSES + WORDS, 9),
    )
    return b"".join((*lines, b"\r\nSubject: ", some(random, WORDS, 9), b"\r\n\r\nx"))


def _date(random: Random) -> bytes:
    date = b"Sat, 21 Nov 2026 11:00:00 +0100"
    for _ in range(random.randint(0, 4)):
        at = random.randint(0, len(date))
        date = date[:at] + random.choice(DATES) + date[at + random.choice((0, 0, 1, 3)) :]
    return b"Date: " + date + b"\r\n\r\n"


def _parameters(random: Random) -> bytes:
    kind = random.choice(TYPES) + some(random, PARAMETERS, 8)
    disposition = random.choice((b"attachment", b"inline", b"")) + some(random, PARAMETERS, 10)
    return b"Content-Type: %s\r\nContent-Disposition: %s\r\n\r\nx  y" % (kind, disposition)


def _content(random: Random) -> bytes:
    encoding = random.choice((b"base64", b"quoted-printable", b"", b"x", b"base64 ;"))
    header = b"Content-Type: %s\r\nContent-Transfer-Encoding: %s" % (random.choice(TYPES), encoding)
    return header + b"\r\n\r\n" + some(random, CONTENTS, 14)


def _header(random: Random) -> bytes:
    return some(random, HEADERS, 9)


def _structure(random: Random) -> bytes:
    kind = random.choice((b"mixed", b"related; start=c", b"report", b"encrypted"))
    head = b"From: a@b\r\nContent-Type: multipart/%s; boundary=a\r\n\r\n--a\r\n" % kind
    return head + some(random, STRUCTURES, 22)


def _links(random: Random) -> bytes:
    return b"\r\n" + some(random, LINKS, 24)


def _report(random: Random) -> bytes:
    kind = random.choice(TYPES)
    head = b"Content-Type: multipart/report; boundary=a\r\n\r\n--a\r\nContent-Type: " + kind
    return head + b"\r\n\r\n" + some(random, tuple(part + b"\r\n" for part in REPORTS), 9)


def _winmail(random: Random) -> bytes:
    names: tuple[str | bytes, ...] = ("é.pdf", b"caf\xe9", "", " \r\n", b"\0x", "a\0b", "\u0378")
    more = (
        string_property(0x3704, random.choice(names)), string_property(0x3701, b"other"),
        struct.pack("<HHI", 0x2003, 0x3001, 7), struct.pack("<HHI", 0x101E, 0x3707, 0),
        struct.pack("<HH16xII", 3, 0x8001, 0, 5) + bytes(4), struct.pack("<HH", 1, 1),
    )  # fmt: skip
    files = [
        file(
            random.choice(names),
            random.choice((b"", b"content", None)),
            *random.choices(more, k=random.choice((0, 0, 1, 2))),
            title=random.choice((b"T.BIN\0", b"\0", b"")),
        )
        for _ in range(random.randint(0, 3))
    ]
    if random.random() < 0.3:
        files.insert(0, attribute(random.choice((1, 2)), random.choice((1, 0x18010)), b"?"))
    whole = tnef(files, text=random.random() < 0.5, code_page=random.choice((1252, 65001, 932)))
    if random.random() < 0.2:
        whole = whole[: random.randrange(len(whole))]
    head = b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head + encodebytes(whole + random.choice((b"", b"", b"\n", b"\r\n", b"\r")))


def changed(mail: bytes, other: bytes, random: Random) -> bytes:
    """A mail with octets, lines, borders or pieces of another changed at up to four places."""
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(mail) + 1)
        lines = mail.split(b"\n")
        line = random.randrange(len(lines))
        match random.randrange(8):
            case 0:
                mail = mail[:at] + bytes((random.randrange(256),)) + mail[at + 1 :]
            case 1:
                mail = b"\n".join(lines[:line] + lines[line + 1 :])
            case 2:
                mail = b"\n".join((*lines[:line], random.choice(lines[:40]), *lines[line:]))
            case 3:
                mail = _at_a_sign(mail, rb"--", STRUCTURES, random)
            case 4:
                signs = rb'[;="<>@,:()\\?*%\']'
                mail = _at_a_sign(mail, signs, ADDRESSES + PARAMETERS + WORDS, random)
            case 5:
                mail = mail[:at] + random.choice(CONTENTS + HEADERS) + mail[at:]
            case 6:
                start = random.randrange(len(other) + 1)
                mail = mail[:at] + other[start : start + random.randint(1, 400)] + mail[at:]
            case _:
                mail = mail[: max(at, len(mail) // 2)]
    return mail


def _at_a_sign(mail: bytes, sign: bytes, fragments: tuple[bytes, ...], random: Random) -> bytes:
    places = [match.end() for match in re.finditer(sign, mail)]
    if not places:
        return mail
    at = random.choice(places) + random.choice((-1, 0, 0, 2))
    return mail[:at] + random.choice(fragments) + mail[at + random.choice((0, 0, 1)) :]

"""Copies against a proof, in every form they come in: no file raises, none takes long, and what
passes is found to be the same by an independent comparison (`simple.py`).
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from hashlib import sha3_256, sha256
from io import BytesIO
from random import Random

import olefile

from proofmail.verify.containers import Folder, judge
from proofmail.verify.copies import Copy, judge_digest
from proofmail.verify.report import Status
from tests.fuzz.mutation import mutated as mutated_mail
from tests.fuzz.simple import page_text, same_in_box, same_mail, squeezed
from tests.fuzz.sources import PAGES
from tests.making import ATTACHMENT, MAIL, claims_of
from tests.verify.msg_maker import Outlook

TEXT = "Voici notre offre : 1 200 € net, payable le 5.\r\nà bientôt\r\n"
PAGE = PAGES[1]
MIXED = (
    b"From: Claire Dubois <claire@atelier.example>\r\nTo: Jean Petit <jean@client.example>\r\n"
    b"Subject: =?utf-8?q?Offre_sign=C3=A9e?=\r\nDate: Sat, 21 Nov 2026 11:00:00 +0100\r\n"
    b"Message-ID: <offre-43@atelier.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n"
    b"Content-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + TEXT.encode()
    + b"--alt\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    + quopri.encodestring(PAGE.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    + b"\r\n--alt--\r\n--cut\r\nContent-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="offre.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(ATTACHMENT) + b"--cut--\r\n"
).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")  # fmt: skip
_NAMES = ("copy.eml", "copy.mbox", "copy.msg", "copy.txt", "copy.html", "copy.bin", "", "folder")
_MAIL, _MBOX, _MSG, _TXT, _HTML, _BIN, _DIGEST, _FOLDER = range(8)

MOST_BYTES = 12_288


@cache
def _claims(mail: bytes) -> dict[str, object]:
    return claims_of(mail)


def check(data: bytes) -> None:
    """The first byte says what the rest is given out for, and against which mail."""
    chosen, content = (data[0] if data else 0), data[1:]
    form, original = chosen & 7, (MAIL, MIXED)[chosen >> 3 & 1]
    claims = _claims(original)
    if form == _DIGEST:
        _check_digest(content.decode("latin-1"), original, claims)
        return
    half = len(content) // 2
    copy = Copy(_NAMES[form], lambda: [content[:half], content[half:]])
    pieces = [piece for piece in content.split(b"\0\0") if piece]
    files = [Copy(f"{i}.eml", lambda piece=piece: [piece]) for i, piece in enumerate(pieces)]
    report = judge(Folder("folder", lambda: iter(files)) if form == _FOLDER else copy, claims)
    for language in ("en", "fr"):
        report.text(language)
    if report.status is not Status.PASSED:
        return
    if report.what == "file":
        assert _known_file(content, original), "a file passes that is none of the mail's"
    elif form == _FOLDER:
        assert any(same_mail(piece, original) for piece in pieces), "a folder passes without it"
    else:
        assert _same(content, original), f"another mail passes as {report.finding.key}"


def _same(content: bytes, original: bytes) -> bool:
    if same_mail(content, original) or same_in_box(content, original):
        return True
    return content.startswith(olefile.MAGIC) and _same_outlook(content)


def _known_file(content: bytes, original: bytes) -> bool:
    if content in (ATTACHMENT, TEXT.encode(), PAGE.encode(), _first_text(original)):
        return True
    for charset in ("utf-8-sig", "utf-16", "cp1252"):
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        texts = (TEXT, _first_text(MAIL).decode())
        if squeezed(text) in map(squeezed, texts) or page_text(text) == page_text(PAGE):
            return True
    return False


def _first_text(original: bytes) -> bytes:
    if original is MAIL:
        return "Voici notre offre : 1 200 €.".encode()
    return TEXT.encode().removesuffix(b"\r\n")


def _same_outlook(content: bytes) -> bool:
    """By olefile, which reads compound files leniently."""
    with olefile.OleFileIO(BytesIO(content)) as file:

        def stream(*path: str) -> bytes:
            return bytes(file.openstream(list(path)).read()) if file.exists(path) else b""

        body = stream("__substg1.0_1000001F").decode("utf-16-le").removesuffix("\0")
        subject = stream("__substg1.0_0037001F").decode("utf-16-le").removesuffix("\0")
        places = [path for path in file.listdir() if path[-1].lower() == "__substg1.0_37010102"]
        attached = [stream(*path) for path in places]
    return (
        squeezed(body) == squeezed(_first_text(MAIL).decode())
        and squeezed(subject) == squeezed("Offre signée n° 42".replace("°", ""))
        and attached == [ATTACHMENT]
    )


def _check_digest(spelt: str, original: bytes, claims: dict[str, object]) -> None:
    report = judge_digest(spelt, claims)
    known = {hasher(ATTACHMENT).hexdigest() for hasher in (sha256, sha3_256)}
    known |= set(_recorded_digests(original))
    if report.status is Status.PASSED:
        assert "".join(spelt.lower().split()) in known, "an unknown digest passes"


@cache
def _recorded_digests(original: bytes) -> frozenset[str]:
    found = set()
    for name, value in _claims(original).items():
        listed = value if name == "message.fingerprints" else []
        if name.startswith("part."):
            listed = value["fingerprints"]  # type: ignore[index]
        for item in listed:  # type: ignore[attr-defined]
            for key in ("sha256", "sha3-256"):
                if key in item:
                    found.add(base64.urlsafe_b64decode(item[key] + "=").hex())
    return frozenset(found)


def seeds() -> Iterator[bytes]:
    for number, mail in ((0, MAIL), (8, MIXED)):
        for form, content in _copies_of(mail):
            yield bytes((number | form,)) + content
    yield bytes((_MSG,)) + _outlook().to_bytes()
    for digest in sorted(_recorded_digests(MAIL))[:2]:
        yield bytes((_DIGEST,)) + digest.encode()


def _copies_of(mail: bytes) -> Iterator[tuple[int, bytes]]:
    trace = b"Received: from a by b; Sat, 21 Nov 2026 11:00:05 +0100\r\n" + mail
    other = mail.replace(b"1 200", b"9 999")
    box = b"".join(b"From a@b Sat Nov 21 10:00:00 2026\n" + m + b"\n" for m in (other, mail))
    yield from ((_MAIL, mail), (_MAIL, trace), (_MAIL, mail.replace(b"\r\n", b"\n")))
    yield from (
        (_MBOX, box),
        (_MBOX, box.replace(b"\r\n", b"\n")),
        (_FOLDER, other + b"\0\0" + trace),
    )
    yield from ((_TXT, _first_text(mail)), (_TXT, TEXT.encode("utf-16")), (_BIN, ATTACHMENT))
    yield from ((_TXT, b"From: x\nTo: y\n\n" + TEXT.encode()), (_HTML, PAGE.encode()))


def _outlook() -> Outlook:
    """What Outlook makes of `MAIL` (MS-OXPROPS, by number)."""
    claims = _claims(MAIL)
    return Outlook(
        {
            0x001A: "IPM.Note", 0x0037: claims["header.subject"][0],  # type: ignore[index]
            0x0039: datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC),
            0x007D: MAIL[: MAIL.index(b"\r\n\r\n") + 2].decode("ascii"),
            0x1000: _first_text(MAIL).decode(), 0x0042: "Claire Dubois", 0x0064: "SMTP",
            0x0065: "claire@atelier.example", 0x3FDE: 65001, 0x3FFD: 1252,
        },
        [
            {0x3001: "Jean Petit", 0x3002: "SMTP", 0x3003: "jean@client.example", 0x0C15: 1},
            {0x3001: "notaire@etude.example", 0x3002: "SMTP", 0x3003: "notaire@etude.example",
             0x0C15: 1},
            {0x3001: "luc@atelier.example", 0x3002: "SMTP", 0x3003: "luc@atelier.example",
             0x0C15: 2},
        ],
        [{0x3705: 1, 0x3707: "offre.pdf", 0x3001: "offre.pdf", 0x3701: ATTACHMENT}],
    )  # fmt: skip


def mutated(data: bytes, random: Random, most_bytes: int) -> bytes:
    """The form seldom changes; a compound file is changed byte by byte, mails by their pieces."""
    first, content = data[:1] or b"\0", data[1:]
    if random.randrange(16) == 0:
        first = bytes((random.randrange(16),))
    if content.startswith(olefile.MAGIC):
        return first + _patched(content, random)
    if random.randrange(4) == 0:
        return first + _rewritten(content, random)[: most_bytes - 1]
    return first + mutated_mail(content, random, most_bytes - 1)


def _patched(content: bytes, random: Random) -> bytes:
    """Some bytes or 32-bit numbers changed, most of them in the tables."""
    out = bytearray(content)
    for _ in range(1 + random.randrange(4)):
        at = random.randrange(len(out))
        if random.randrange(2):
            out[at] = random.randrange(256)
        else:
            at &= ~3
            number = random.choice((0, 1, 2, 3, 0xFFFFFFFE, 0xFFFFFFFF, random.randrange(64)))
            out[at : at + 4] = number.to_bytes(4, "little")
    return bytes(out[: len(content)])


_REWRITES: tuple[tuple[bytes, bytes], ...] = (
    (b"\r\n", b"\n"), (b" ", b"  "), (b"\r\n", b" \r\n"), (b"utf-8", b"UTF-8"),
    (b"8bit", b"7bit"), (b"=C3=A9", b"=c3=a9"), (b"cut", b"other"), (b"200", b"300"),
    (b"offre", b"Offre"), (b"1 ", b"1"), (b"inline", b"attachment"),
    (b"charset=utf-8", b"charset=utf-8; format=flowed"), (b"<p>", b"<p >"),
    (b"text/html", b"text/plain"), (b"Dubois", b"Dubois "), (b"+0100", b"+0000"),
    (b"a", b"\xcc\x81a"), (b"Jean", b'"Jean"'), (b"e", b"=65"), (b"<div>", b"<div hidden>"),
    (b"12", b"1\xe2\x80\x8b2"),
)  # fmt: skip


def _rewritten(content: bytes, random: Random) -> bytes:
    """One or two places as some program would write them, or as a liar would."""
    for _ in range(1 + random.randrange(2)):
        old, new = random.choice(_REWRITES)
        places = content.count(old)
        if places:
            which = random.randrange(places)
            pieces = content.split(old)
            head, tail = old.join(pieces[: which + 1]), old.join(pieces[which + 1 :])
            content = head + new + tail
    return content

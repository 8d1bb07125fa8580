"""Mails as they leave their senders: small, and each of another make. Names say what is in them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.core.tnef_maker import file, tnef
from tests.journeys.tree import encoded

_PDF = b"%PDF-1.4\n" + bytes(range(256)) * 3 + b"\n%%EOF\n"
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200, 256)) * 4
_WORDS = (
    "We offer the repair of the roof for 1,200.00 EUR, all taxes included, and begin on 4 May; "
    "the scaffold stays three weeks at most. "
)
_MOTS = "Nous offrons la réfection du toit pour 1 200,00 €, dès le 4 mai, échafaudage compris. "
_TEXT = (
    "Dear Mr Petit,\n\n"
    'the offer is "final" - it\'s 1200 euro for all of the work, and it holds for 30 days.\n'
    "From now on the price does not change.\n\n"
    "-- \nClaire Dubois\n"
)
_LETTRE = (
    "Bonjour Jean,\n\nvoici l'offre signée : 1 200 € « tout compris », valable 30 jours.\n"
    "À bientôt,\nClaire\n"
)
_LATIN = "Bonjour,\n\nle montant dû est de 450 francs, payé à réception.\n\nClaire\n"
_FLOWED = (
    "Dear Mr Petit, this is a paragraph that the program of the sender has \n"
    "broken where it liked, and that a reader sees as one line of text.\n\n"
    "> an earlier question that was \n> quoted here\n\nYes: 1200 euro.\n-- \nClaire\n"
)
_PAGE = (
    "<!DOCTYPE html>\n<html>\n<head><title>Offer</title></head>\n<body>\n"
    '<p class="a" id="top">The offer is <b>final</b>: 1&nbsp;200&nbsp;&euro;.</p>\n'
    '<table class="t" align="center"><tr><td>Roof</td><td>900</td></tr>'
    "<tr><td>Scaffold</td><td>300</td></tr></table>\n"
    '<p>See <a href="https://atelier.example/offer/42" title="offer">our page</a>.</p>\n'
    "</body>\n</html>\n"
)
_SHORT_PAGE = "<html><body><p>Déjà <b>signé</b> : 1 200 €.</p></body></html>\n"
_PICTURE_PAGE = (
    '<html><body><p>Our stamp:</p><img src="cid:stamp@atelier.example" alt="stamp" width="40">'
    "<p>Claire Dubois</p></body></html>\n"
)


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def _part(kind: str, encoding: str, content: bytes, *fields: str) -> bytes:
    """An entity: its header and its encoded content."""
    head = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + encoded(content, encoding)


def _text(
    text: str, charset: str = "utf-8", encoding: str = "8bit", kind: str = "text/plain"
) -> bytes:
    bare, _, parameters = kind.partition(";")
    tail = f";{parameters}" if parameters else ""
    content = _crlf(text).encode(charset)
    return _part(f"{bare}; charset={charset}{tail}", encoding, content)


def _file(kind: str, data: bytes, disposition: str, *fields: str) -> bytes:
    return _part(kind, "base64", data, f"Content-Disposition: {disposition}", *fields)


def _multi(subtype: str, parts: Sequence[bytes], boundary: str = "cut", tail: str = "") -> bytes:
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"{tail}\r\n\r\n'.encode()
    marks = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    return head + marks + b"--%s--\r\n" % boundary.encode()


def _mail(name: str, entity: bytes, subject: str = "Offer 42", *fields: str) -> bytes:
    head = [
        "From: Claire Dubois <claire@pc7.atelier.example>",
        "To: Jean Petit <jean@client.example>, notary@office.example",
        "Cc: Luc Martin <luc@pc7.atelier.example>",
        f"Subject: {subject}",
        "Date: Sat, 21 Nov 2026 11:00:00 +0100",
        f"Message-ID: <{name}@atelier.example>",
        *fields,
        "MIME-Version: 1.0",
    ]
    return "\r\n".join(head).encode() + b"\r\n" + entity


_ASCII = _text(_TEXT, "us-ascii", "7bit")
_PDF_PART = _file("application/pdf", _PDF, 'attachment; filename="offer.pdf"')
_STAMP = _file(
    "image/png", _PNG, 'inline; filename="stamp.png"', "Content-ID: <stamp@atelier.example>"
)
_BOTH = [_text(_LETTRE), _text(_SHORT_PAGE, kind="text/html")]
_BARE = (
    b"From: claire@pc7.atelier.example\r\nTo: jean@client.example\r\nSubject: bare\r\n"
    b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\n\r\n" + _crlf(_TEXT).encode()
)  # fmt: skip
_CSV = _file("text/csv; charset=utf-8", "é;1\r\n".encode(), 'attachment; filename="t.csv"')
_NOTE = _text(_LETTRE).replace(
    b"8bit\r\n", b'8bit\r\nContent-Disposition: attachment; filename="note.txt"\r\n'
)
_NAME_2231 = "attachment; filename*=utf-8''offre%20sign%C3%A9e.pdf"
_NAME_2047 = 'attachment; filename="=?utf-8?q?sign=C3=A9e=2Epdf?="'
_OCTETS = (
    b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit\r\n"
    b'Content-Disposition: attachment; filename="x.bin"\r\n\r\n\xe9\xff \r\n\x80a\r\n'
)
_LONG_CSV = (
    b"Content-Type: text/csv; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
    b'Content-Disposition: attachment; filename="t.csv"\r\n\r\n' + b"1;2;3;" * 300 + b"\r\n"
)
_SIGNATURE = _file("application/pgp-signature", b"-----", 'attachment; filename="s.asc"')
_SIGNED = '; micalg=pgp-sha256; protocol="application/pgp-signature"'
_ENTITIES: dict[str, bytes] = {
    "ascii": _ASCII,
    "utf8-8bit": _text(_LETTRE),
    "utf8-qp": _text(_LETTRE, encoding="quoted-printable"),
    "utf8-base64": _text(_LETTRE, encoding="base64"),
    "latin1-8bit": _text(_LATIN, "iso-8859-1"),
    "latin1-qp": _text(_LATIN, "iso-8859-1", "quoted-printable"),
    "windows1252-8bit": _text("Prix : 1 200 € – « ferme ».\n", "windows-1252"),
    "flowed": _text(_FLOWED, "us-ascii", "7bit", "text/plain; format=flowed"),
    "flowed-delsp": _text(_FLOWED, kind="text/plain; format=flowed; delsp=yes"),
    "dots-and-from": _text(".\n..\n.dot\nFrom here on\n>From there\n", "us-ascii", "7bit"),
    "long-lines-ascii": _text(_WORDS * 12 + "\n\n" + _WORDS * 20 + "\n", "us-ascii", "7bit"),
    "long-lines-8bit": _text(_MOTS * 20 + "\n"),
    "long-lines-qp": _text(_MOTS * 20 + "\n", encoding="quoted-printable"),
    "long-line-of-figures": _text("1 2 3 4 5 6 7 8 9 " * 100 + "\n", "us-ascii", "7bit"),
    "html-ascii": _text(_PAGE, "us-ascii", "7bit", "text/html"),
    "html-8bit": _text(_SHORT_PAGE, kind="text/html"),
    "html-qp": _text(_PAGE, encoding="quoted-printable", kind="text/html"),
    "html-base64": _text(_SHORT_PAGE, encoding="base64", kind="text/html"),
    "html-long-line": _text(
        f"<html><body><p>{_WORDS * 9}</p></body></html>\n", "us-ascii", "7bit", "text/html"
    ),
    "html-long-line-8bit": _text(
        f"<html><body><p>{_MOTS * 16}</p></body></html>\n", kind="text/html"
    ),
    "alternative": _multi("alternative", _BOTH),
    "alternative-qp": _multi(
        "alternative",
        [
            _text(_LETTRE, encoding="quoted-printable"),
            _text(_SHORT_PAGE, encoding="quoted-printable", kind="text/html"),
        ],
    ),
    "attachment": _multi("mixed", [_ASCII, _PDF_PART]),
    "attachment-8bit-body": _multi("mixed", [_text(_LETTRE), _PDF_PART]),
    "two-attachments": _multi("mixed", [_ASCII, _PDF_PART, _CSV]),
    "attachment-only": _file("application/pdf", _PDF, 'attachment; filename="offer.pdf"'),
    "text-attachment-8bit": _multi("mixed", [_ASCII, _NOTE]),
    "name-rfc2231": _multi(
        "mixed", [_text(_LETTRE), _file("application/pdf", _PDF, _NAME_2231)]
    ),
    "name-encoded-word": _multi(
        "mixed", [_text(_LETTRE), _file("application/pdf", _PDF, _NAME_2047)]
    ),
    "name-raw-utf8": _multi(
        "mixed",
        [_ASCII, _file("application/pdf", _PDF, 'attachment; filename="signée.pdf"')],
    ),
    "winmail": _multi(
        "mixed",
        [
            _ASCII,
            _file(
                "application/ms-tnef",
                tnef([file("offer.pdf", _PDF), file("stamp.png", _PNG)]),
                'attachment; filename="winmail.dat"',
            ),
        ],
    ),
    "octets-8bit": _multi("mixed", [_text(_LETTRE), _OCTETS]),
    "csv-long-line": _multi("mixed", [_ASCII, _LONG_CSV]),
    "signed": _multi("signed", [_text(_LETTRE), _SIGNATURE], tail=_SIGNED),
    "blanks": _text("\n\nDéjà  \n\t\n signé\t\n\n\n"),
    "subject-raw-utf8": _ASCII,
    "inline-image": _multi(
        "related", [_text(_PICTURE_PAGE, "us-ascii", "7bit", "text/html"), _STAMP]
    ),
    "alternative-related-mixed": _multi(
        "mixed",
        [
            _multi(
                "alternative",
                [
                    _text(_LETTRE),
                    _multi("related", [_text(_PICTURE_PAGE, kind="text/html"), _STAMP], "in"),
                ],
                "mid",
            ),
            _PDF_PART,
        ],
    ),
    "forward": _multi(
        "mixed",
        [
            _ASCII,
            b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
            + _mail("enclosed", _multi("mixed", [_ASCII, _PDF_PART], "deep"), "Older offer"),
        ],
    ),
    "forward-8bit": _multi(
        "mixed",
        [
            _ASCII,
            b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            + _mail("enclosed-8bit", _text(_LETTRE), "Older offer"),
        ],
    ),
}  # fmt: skip
_SUBJECTS = {
    "subject-raw-utf8": "Offre signée",
    "utf8-8bit": "=?utf-8?q?Offre_sign=C3=A9e?=",
    "utf8-qp": "=?utf-8?b?T2ZmcmUgc2lnbsOpZQ==?= 42",
    "latin1-8bit": "=?iso-8859-1?q?D=FB?= =?iso-8859-1?q?=E9?=",
}

ORIGINALS: dict[str, bytes] = {
    name: _mail(name, entity, _SUBJECTS.get(name, "Offer 42")) for name, entity in _ENTITIES.items()
} | {"bare-header": _BARE}

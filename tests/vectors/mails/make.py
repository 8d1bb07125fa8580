"""Makes the vectors of this folder anew: python -m tests.vectors.mails.make

Small mails, each for a rule of SPEC §3 and named for it. `expected.json` holds the derived and
stated claims (§4.2) that the rules make of each. Nothing is drawn: the files are always the same.
"""

from __future__ import annotations

import json
from base64 import encodebytes
from pathlib import Path

from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from tests.core.tnef_maker import SIGNATURE, file, tnef

HERE = Path(__file__).parent
HEAD = (
    "From: Claire Dubois <claire@atelier.example>\nTo: jean@client.example\nSubject: Offer\n"
    "Date: Sat, 21 Nov 2026 11:00:00 +0100\nMIME-Version: 1.0\n"
)
TEXT = "Content-Type: text/plain; charset=us-ascii\n\nHello\n"
MIXED = 'Content-Type: multipart/mixed; boundary="cut"\n\n'
FILE = 'Content-Type: application/pdf\nContent-Disposition: attachment; filename="a.pdf"\n\n%PDF\n'


def page(html: str) -> str:
    return f"{HEAD}Content-Type: text/html; charset=utf-8\n\n{html}\n"


def coded(kind: str, encoding: str, content: str) -> str:
    return f"{HEAD}Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{content}\n"


def mixed(*parts: str, end: str = "--cut--\n") -> str:
    return HEAD + MIXED + "".join(f"--cut\n{part}" for part in parts) + end


def headed(*fields: str) -> str:
    """Without the fields of HEAD."""
    return "".join(f"{field}\n" for field in fields) + TEXT


def based(data: bytes) -> str:
    return encodebytes(data).decode()


WHO, DAY = "From: a@b.example", "Date: Sat, 21 Nov 2026 11:00:00 +0100"
DEEP = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(1, 52))
SMIME = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80"
ENCLOSED = (
    "Content-Type: message/rfc822\n\nFrom: =?utf-8?b?UmVuw6k=?= <rene@atelier.example>\n"
    f"To: claire@atelier.example\n{DAY}\nSubject: =?iso-8859-1?q?Caf=E9?=\n{TEXT}"
)
REPORT = (
    f"{HEAD}Content-Type: multipart/report; report-type=disposition-notification; boundary=cut\n\n"
    f"--cut\n{TEXT}--cut\nContent-Type: message/disposition-notification\n\n"
    "Reporting-UA: x\nFinal-Recipient: rfc822; jean@client.example\n"
    "Original-Message-ID: <offer@atelier.example>\n"
    "Disposition: manual-action/MDN-sent-manually; displayed\n\n--cut--\n"
)
BOUNCE = (
    f"{HEAD}Content-Type: multipart/report; report-type=delivery-status; boundary=cut\n\n"
    f"--cut\n{TEXT}--cut\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n"
    "\nFinal-Recipient: rfc822; a@client.example\nAction: failed\n"
    "\nFinal-Recipient: rfc822; b@client.example\nAction: delivered\n\n--cut--\n"
)

MAILS: dict[str, tuple[str, str | bytes]] = {
    # The rules at their plainest.
    "plain": ("§3: a text, and nothing else", HEAD + TEXT),
    "nested": (
        "§3.2.8: paths, roles and in.S of nested multiparts",
        mixed(
            'Content-Type: multipart/alternative; boundary="in"\n\n'
            f"--in\n{TEXT}--in\nContent-Type: text/html\n\n<p>Hello</p>\n--in--\n",
            FILE,
        ),
    ),
    "enclosed-message": ("§3.15: an enclosed message with header-values/1", mixed(TEXT, ENCLOSED)),
    "digest": (
        "§3.2.2: in a digest a part without a type is a message",
        f"{HEAD}Content-Type: multipart/digest; boundary=cut\n\n--cut\n\n{HEAD}{TEXT}--cut--\n",
    ),
    "mailboxes": (
        "§3.6.2: groups, comments, quoted names, addresses without names",
        headed(
            'From: "Dubois, Claire" <"c d"@Atelier.Example>', DAY,
            "To: G: a@b.example, (c) d@e.example;, <f@g.example> (note), =?utf-8?q?h?= <i@[::1]>",
            "Cc: undisclosed-recipients:;", "Disposition-Notification-To: a@b.example",
            "Message-ID: <m@b.example>", "In-Reply-To: <n@b.example>",
        ),
    ),
    "dates": (
        "§3.6.3: a named zone, two digits of year, comments",
        headed(WHO, "Date: (x) 1 (y) feb 99 1:02 EDT"),
    ),
    "encoded-words": (
        "§3.6.1: words joined across blanks before they are decoded",
        headed(
            WHO, DAY, "Subject: =?utf-8?q?=C3?= =?utf-8*fr?b?qSBl?=\n =?x?=\tt =?utf-8?q?=5F_?="
        ),
    ),
    "names-rfc2231": (
        "§3.7.6: names in sections, and with a charset",
        mixed(
            "Content-Type: application/pdf; name*0*=iso-8859-1'fr'%E9t; name*1=\"é.pdf\"\n\nA\n",
            "Content-Type: application/pdf\nContent-Disposition: attachment;"
            " filename*=utf-8''sign%C3%A9e.pdf; filename=sign\u00e9e.pdf\n\nB\n",
        ),
    ),
    "charset-windows-1252": (
        "§3.4: 80 is the euro sign",
        coded("text/plain; charset=windows-1252", "quoted-printable", "1=A0200 =80"),
    ),
    "charset-koi8-r": (
        "§3.14: a table of single octets",
        coded("text/plain; charset=koi8-r", "base64", based("Привет".encode("koi8-r"))),
    ),
    "charset-unknown": (
        "§3.5.7: no text/1, with a note",
        coded("text/plain; charset=gb18030", "base64", based("合同".encode("gb18030"))),
    ),
    "undecodable": (
        "§3.5.7: utf-8 that is none",
        coded("text/plain; charset=utf-8", "quoted-printable", "=C3("),
    ),
    "unassigned": (
        "§3.5.7: a code point that Unicode 14.0 does not assign",
        coded("text/plain; charset=utf-8", "8bit", "\u0378"),
    ),
    "normalised": (
        "§3.5: NFC, a mark at the start, blanks at the ends of lines",
        coded("text/plain; charset=utf-8", "8bit", "\ufeffe\u0301 \t\n\nx\n\n\n"),
    ),
    "flowed": (
        "§3.5.4: format=flowed",
        coded("text/plain; format=flowed", "7bit",
              "one \ntwo\n> three \n> four\n>> five \n-- \nsix"),
    ),
    "flowed-delsp": (
        "§3.5.4: delsp=yes",
        coded("text/plain; format=flowed; delsp=yes", "7bit", "one \ntwo \n  three\n"),
    ),
    # Pages.
    "page": (
        "§3.12.5: table, list, link and picture",
        page("<p>Total</p><table><tr><td>1&nbsp;200</td></tr></table><ol start=3><li>a</ol>"
             "<a href='https://a.example/'>b</a> <img src='cid:x' alt='c'>"),
    ),
    "page-hidden-text": (
        "§3.12: hidden text leaves no html-text/1", page("<p>1 200</p><p hidden>9</p>")
    ),
    "page-style": (
        "§3.12.4: a style that could hide", page('<p>1 200 <span style="font-size:1px">9</span>')
    ),
    "page-malformed": ("§3.12: readers differ on it", page("<p>1 200 <b title='x>")),
    "page-unsupported": ("§3.12: an element that is not read", page("<p>1 200</p><svg></svg>")),
    "pictures": (
        "§3.16: a page's pictures by their Content-IDs",
        f"{HEAD}Content-Type: multipart/related; boundary=cut\n\n--cut\nContent-Type: text/html\n\n"
        "<img src='cid:a@x'><img src='cid:none'><img src='https://x.example/'>\n"
        "--cut\nContent-Type: image/png\nContent-ID: <a@x>\n\nPNG\n--cut--\n",
    ),
    "links": (
        "§3.19: links to files in clouds, each once",
        HEAD + TEXT + "https://we.tl/t-a https://WE.tl/t-a, http://drive.google.com/open?id=1\n",
    ),
    # What protects a part, and what is inside one.
    "smime-encrypted": (
        "§3.17: by the octets, not by what the name says",
        coded('application/pkcs7-mime; name=smime.p7m; smime-type=signed-data', "base64",
              based(SMIME)),
    ),
    "smime-signed": (
        "§3.17: a detached signature",
        f"{HEAD}Content-Type: multipart/signed; boundary=cut\n\n--cut\n{TEXT}--cut\n"
        "Content-Type: application/pkcs7-signature; name=smime.p7s\n\nx\n--cut--\n",
    ),
    "pgp-inline": (
        "§3.17: PGP in a text", HEAD + TEXT + "-----BEGIN PGP MESSAGE-----\n",
    ),
    "winmail": (
        "§3.18: files inside a winmail.dat",
        coded("application/ms-tnef; name=winmail.dat", "base64",
              based(tnef([file("offre signée.pdf", b"%PDF\xe9"), file("b.txt", b"b")]))),
    ),
    "calendar": (
        "§3.9.2: method.M", coded("text/calendar; method=REQUEST", "7bit", "BEGIN:VCALENDAR"),
    ),
    "receipt": ("§3.8: a receipt", REPORT),
    # A defect each, by the names of §3.9.1.
    "defect-header.address": ("§3.6.2", headed("From: a b <c@d> e", DAY)),
    "defect-header.blank-before-colon": ("§3.2.1 (d)", headed("From : a@b.example", DAY)),
    "defect-header.blank-line": ("§3.2.1 (c)", headed(WHO, DAY, "Subject: x\n  \n y")),
    "defect-header.charset-unknown": (
        "§3.6.1", headed(WHO, DAY, "Subject: =?gb18030?b?us8=?=")
    ),
    "defect-header.content-type": ("§3.7.1", f"{HEAD}Content-Type: text\n\nx\n"),
    "defect-header.date": ("§3.6.3", headed(WHO, "Date: 31 Feb 2026 10:00:00 +0000")),
    "defect-header.duplicate": ("§3.6", headed(WHO, "From: c@d.example", DAY)),
    "defect-header.encoded-word": ("§3.6.1", headed(WHO, DAY, "Subject: =?utf-8?q?=4?=")),
    "defect-header.mbox-line": (
        "§3.2.1 (e)", "From claire Sat Nov 21 10:00:00 2026\n" + HEAD + TEXT
    ),
    "defect-header.missing-date": ("§3.6", headed(WHO)),
    "defect-header.missing-from": ("§3.6", headed(DAY)),
    "defect-header.no-separator": ("§3.2.1 (f)", f"{WHO}\n{DAY}\nno field\n"),
    "defect-header.not-normalised": ("§3.6.1", headed(WHO, DAY, "Subject: e" + "\u0301" * 31)),
    "defect-header.parameter": (
        "§3.7.2", f"{HEAD}Content-Type: text/plain; charset=utf-8; charset=us-ascii\n\nx\n"
    ),
    "defect-header.too-long": ("§3.6.1", headed(WHO, DAY, f"Subject: {'x' * 10_001}")),
    "defect-header.undecodable": ("§3.6.1", headed(WHO, DAY).encode() + b""),
    "defect-report.several-recipients": ("§3.8", BOUNCE),
    "defect-structure.epilogue": ("§3.2.7", mixed(TEXT) + "more\n"),
    "defect-structure.near-boundary": ("§3.2.4", mixed(TEXT + "--cutting\n")),
    "defect-structure.no-boundary": ("§3.2.3", f"{HEAD}Content-Type: multipart/mixed\n\nx\n"),
    "defect-structure.no-parts": ("§3.2.5", HEAD + MIXED + "--cut--\n"),
    "defect-structure.preamble": ("§3.2.7", HEAD + MIXED + f"before\n--cut\n{TEXT}--cut--\n"),
    "defect-structure.start": (
        "§3.16",
        f'{HEAD}Content-Type: multipart/related; boundary=cut; start="<b@x>"\n\n'
        f"--cut\nContent-ID: <a@x>\n{TEXT}--cut\nContent-ID: <b@x>\n{TEXT}--cut--\n",
    ),
    "defect-structure.too-deep": ("§3.2.10", HEAD + DEEP + TEXT),
    "defect-structure.unclosed": ("§3.2.5", mixed(TEXT, end="")),
    "defect-tnef.malformed": (
        "§3.18", coded("application/ms-tnef", "base64", based(SIGNATURE + b"\1\0"))
    ),
    "defect-transfer.base64-after-padding": (
        "§3.3.1", coded("text/plain", "base64", "SGVsbG8=SGk")
    ),
    "defect-transfer.base64-foreign": ("§3.3.1", coded("text/plain", "base64", "SGVs!bG8=")),
    "defect-transfer.base64-padding": ("§3.3.1", coded("text/plain", "base64", "SGVsbG8")),
    "defect-transfer.on-message": (
        "§3.2.3",
        mixed(f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
              f"{based((HEAD + TEXT).encode())}"),
    ),
    "defect-transfer.on-multipart": (
        "§3.2.3",
        f"{HEAD}Content-Transfer-Encoding: base64\n{MIXED}--cut\n{TEXT}--cut--\n",
    ),
    "defect-transfer.parameter": ("§3.3", coded("text/plain", "base64; x=y", "SGVsbG8=")),
    "defect-transfer.qp-malformed": ("§3.3.2", coded("text/plain", "quoted-printable", "1=2")),
    "defect-transfer.unknown": ("§3.3", coded("text/plain", "x-uuencode", "#86)C")),
}  # fmt: skip


def octets(mail: str | bytes) -> bytes:
    """As on the wire: lines end in CRLF."""
    data = mail.encode() if isinstance(mail, str) else mail
    return data.replace(b"\n", b"\r\n")


def made() -> dict[str, bytes]:
    mails = {f"{name}.eml": octets(mail) for name, (_, mail) in MAILS.items()}
    name = "defect-header.undecodable.eml"
    return mails | {
        name: mails[name].replace(b"a@b", b"Ren\xe9 <a@b", 1).replace(b"ple", b"ple>", 1)
    }


def main() -> None:
    for old in HERE.glob("*.eml"):
        old.unlink()
    cases = {}
    for name, data in made().items():
        claims = mail_claims(scan(data))
        shows, _ = MAILS[name.removesuffix(".eml")]
        if name.startswith("defect-"):
            defect = name.removeprefix("defect-").removesuffix(".eml")
            if claims["defects"] != [defect]:
                raise ValueError(f"{name} has {claims['defects']}")
        elif claims["defects"]:
            raise ValueError(f"{name} has {claims['defects']}")
        (HERE / name).write_bytes(data)
        cases[name] = {"shows": shows, "claims": claims}
    lines = (
        f" {json.dumps(name)}: {json.dumps(case, ensure_ascii=False)}"
        for name, case in sorted(cases.items())
    )
    (HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()

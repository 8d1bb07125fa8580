"""Makes the vectors of this folder anew: python -m tests.vectors.copies.make

Five recorded mails, each with its proof; and copies of them, each rewritten or changed in one way
and named for it. `expected.json` says of each what is found by SPEC §10. The keys are thrown away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from proofmail.core.redaction import choose, redact
from tests.journeys.originals import ORIGINALS
from tests.journeys.rewrites import REWRITES
from tests.journeys.tree import read
from tests.making import World
from tests.vectors.expected import Expected, write
from tests.verify.msg_maker import Outlook

HERE = Path(__file__).parent
LETTER = ORIGINALS["attachment-8bit-body"]
PAGE = ORIGINALS["html-qp"]
PICTURE = ORIGINALS["alternative-related-mixed"]
WINMAIL = ORIGINALS["winmail"]
FORWARD = ORIGINALS["forward"]
RECORDED = {
    "letter": LETTER, "page": PAGE, "picture": PICTURE, "winmail": WINMAIL, "forward": FORWARD,
}  # fmt: skip
PDF = next(part.content() for part in read(LETTER).walk() if part.kind == "application/pdf")


@dataclass(frozen=True)
class Vector:
    """A copy of `of`, the change (nothing for a good one), and the finding that is due."""

    of: str
    change: str
    finding: str
    make: Callable[[], bytes]
    ending: str = ".eml"


def swapped(old: bytes, new: bytes, mail: bytes = LETTER) -> bytes:
    if mail.count(old) != 1:
        raise ValueError(f"{old!r} stands {mail.count(old)} times")
    return mail.replace(old, new)


def rewritten(name: str, mail: bytes) -> bytes:
    made = REWRITES[name].run(read(mail))
    if made is None:
        raise ValueError(f"{name} changes nothing")
    return made


def _field_moved() -> bytes:
    """The recorded mail as a server hands it on: one more field in front."""
    return b"Received: from a by b; Sat, 21 Nov 2026 11:00:01 +0100\r\n" + LETTER


def _parts_swapped() -> bytes:
    head, first, second, end = LETTER.split(b"--cut")
    return b"--cut".join((head, second, first, end))


def _without_the_file() -> bytes:
    head, first, _, end = LETTER.split(b"--cut")
    return b"--cut".join((head, first, end))


def _with_a_file_more() -> bytes:
    more = b"\r\nContent-Type: text/csv\r\nContent-Disposition: attachment\r\n\r\n1\r\n"
    return LETTER.replace(b"--cut--", b"--cut" + more + b"--cut--")


def _box(*mails: bytes) -> bytes:
    line = b"From claire@atelier.example Sat Nov 21 10:00:00 2026\n"
    return b"".join(line + mail.replace(b"\r\n", b"\n") + b"\n" for mail in mails)


def _outlook(body: str) -> bytes:
    properties: dict[int, object] = {
        0x001A: "IPM.Note", 0x0037: "Offer 42", 0x1000: body, 0x3FFD: 1252,
        0x0039: datetime(2026, 11, 21, 10, tzinfo=UTC), 0x0042: "Claire Dubois", 0x0064: "SMTP",
        0x0065: "claire@pc7.atelier.example",
        0x007D: LETTER.partition(b"Content-Type")[0].decode(),
    }  # fmt: skip
    people = [
        {0x3001: name, 0x3002: "SMTP", 0x3003: address, 0x0C15: kind}
        for name, address, kind in (
            ("Jean Petit", "jean@client.example", 1), ("notary@office.example",
            "notary@office.example", 1), ("Luc Martin", "luc@pc7.atelier.example", 2),
        )
    ]  # fmt: skip
    files = [{0x3705: 1, 0x3707: "offer.pdf", 0x3001: "offer.pdf", 0x3701: PDF}]
    return Outlook(properties, people, files).to_bytes()  # type: ignore[arg-type]


def _body() -> str:
    found = next(part for part in read(LETTER).walk() if part.kind == "text/plain")
    return found.content().decode()


def _saved_page() -> bytes:
    return next(part.content() for part in read(PAGE).walk() if part.kind == "text/html")


def _letter(name: str, finding: str) -> Vector:
    return Vector("letter", "", finding, lambda: rewritten(name, LETTER))


VECTORS: dict[str, Vector] = {
    # Good ones: as they are, or changed as programs on the way change mails.
    "letter-itself": Vector("letter", "", "same.bytes", lambda: LETTER),
    "letter-lf-line-ends": _letter("lf-line-ends", "same.bytes"),
    "letter-in-an-mbox": Vector("letter", "", "same.bytes", lambda: _box(LETTER), ".mbox"),
    "letter-among-others": Vector(
        "letter", "", "same.bytes", lambda: _box(PAGE, LETTER, FORWARD), ".mbox"),
    "letter-handed-on": Vector("letter", "", "same.content", _field_moved),
    "letter-to-base64": _letter("to-base64", "same.content"),
    "letter-to-quoted-printable": _letter("to-quoted-printable", "same.content"),
    "letter-other-line-lengths": _letter("other-line-lengths", "same.content"),
    "letter-new-boundaries": _letter("new-boundaries", "same.content"),
    "letter-reordered-fields": _letter("reordered-fields", "same.content"),
    "letter-no-break-spaces": _letter("no-break-spaces", "same.words"),
    "letter-header-encoded": Vector(
        "letter", "", "same.content",
        lambda: b"X: y\r\n" + swapped(b"Offer 42", b"=?utf-8?b?T2ZmZXI=?= =?utf-8?q?_42?=")),
    "page-exchange-html": Vector(
        "page", "", "same.content", lambda: rewritten("exchange-html", PAGE)),
    "page-rewrapped": Vector(
        "page", "", "same.content",
        lambda: swapped(b"</head>", b"\r\n</head>\r\n", PAGE)),
    "page-cells-joined": Vector(
        "page", "", "same.words", lambda: swapped(b"Roof</td><td>900", b"Roof 900", PAGE)),
    "picture-to-base64": Vector(
        "picture", "", "same.content", lambda: rewritten("to-base64", PICTURE)),
    "picture-renamed": Vector(
        "picture", "", "same.words",
        lambda: PICTURE.replace(b"stamp@atelier.example", b"s1@relay.example")),
    "forward-header-encoded": Vector(
        "forward", "", "same.content",
        lambda: swapped(b"Older offer", b"=?utf-8?q?Older_offer?=", FORWARD)),
    "saved-offer": Vector("letter", "", "file.same", lambda: PDF, ".pdf"),
    "saved-letter": Vector("letter", "", "same.text/1",
        lambda: _body().replace("\r\n", "\n").encode(), ".txt"),
    "saved-page": Vector("page", "", "file.same", _saved_page, ".html"),
    "letter-of-outlook": Vector(
        "letter", "", "same.content", lambda: _outlook(_body()), ".msg"),
    # Each changed in one way.
    "letter-figure-changed": Vector(
        "letter", "a figure in the text", "differs", lambda: swapped(b"1 200", b"1 300")),
    "letter-subject-changed": Vector(
        "letter", "the subject", "differs", lambda: swapped(b"Offer 42", b"Offer 43")),
    "letter-date-changed": Vector(
        "letter", "the date, by a second", "differs", lambda: swapped(b"11:00:00", b"11:00:01")),
    "letter-sender-changed": Vector(
        "letter", "the sender's address", "differs",
        lambda: swapped(b"<claire@pc7", b"<clara@pc7")),
    "letter-recipient-added": Vector(
        "letter", "one more recipient", "differs",
        lambda: swapped(b", notary@", b", eve@office.example, notary@")),
    "letter-recipients-turned": Vector(
        "letter", "the order of the recipients", "differs",
        lambda: swapped(b"Jean Petit <jean@client.example>, notary@office.example",
                        b"notary@office.example, Jean Petit <jean@client.example>")),
    "letter-copy-removed": Vector(
        "letter", "no Cc", "differs", lambda: re.sub(rb"Cc: .*\r\n", b"", LETTER)),
    "letter-file-changed": Vector(
        "letter", "one byte of the file", "differs",
        lambda: swapped(b"JVBERi0xLjQ", b"JVBERi0xLjU")),
    "letter-file-renamed": Vector(
        "letter", "the file's name", "differs", lambda: rewritten("renamed-attachment", LETTER)),
    "letter-file-of-another-type": Vector(
        "letter", "the file's type", "differs",
        lambda: swapped(b"application/pdf", b"application/zip")),
    "letter-file-removed": Vector("letter", "no file", "differs", _without_the_file),
    "letter-file-replaced": Vector(
        "letter", "a note in the file's place", "differs",
        lambda: rewritten("attachment-replaced", LETTER)),
    "letter-file-added": Vector("letter", "one more file", "differs", _with_a_file_more),
    "letter-parts-swapped": Vector("letter", "the order of the parts", "differs", _parts_swapped),
    "letter-footer": Vector(
        "letter", "a list's footer, as a part", "differs",
        lambda: rewritten("mailman-footer-part", LETTER)),
    "letter-banner": Vector(
        "letter", "a warning in front", "differs", lambda: rewritten("external-banner", LETTER)),
    "letter-signs-changed": Vector(
        "forward", "other quotation marks", "differs",
        lambda: rewritten("smart-quotes", FORWARD)),
    "letter-in-a-winmail": Vector(
        "letter", "the file inside a winmail.dat", "differs",
        lambda: rewritten("tnef-wrapped", LETTER)),
    "winmail-unwrapped": Vector(
        "winmail", "the files beside each other", "differs",
        lambda: rewritten("tnef-unwrapped", WINMAIL)),
    "page-link-changed": Vector(
        "page", "where a link leads", "differs", lambda: rewritten("safe-links", PAGE)),
    "page-words-joined": Vector(
        "page", "no border between two cells", "differs",
        lambda: swapped(b"Roof</td><td>900", b"Roof900", PAGE)),
    "page-text-hidden": Vector(
        "page", "a word hidden by a style", "differs",
        lambda: swapped(b"Scaffold", b"Scaff<span style=3D\"display:none\">old</span>", PAGE)),
    "picture-changed": Vector(
        "picture", "which picture is shown", "differs",
        lambda: PICTURE.replace(b"Content-ID: <stamp@", b"Content-ID: <other@")),
    "forward-inner-subject-changed": Vector(
        "forward", "the subject of the enclosed mail", "differs",
        lambda: swapped(b"Older offer", b"Other offer", FORWARD)),
    "saved-offer-changed": Vector(
        "letter", "one byte", "file.none", lambda: PDF.replace(b"1.4", b"1.5", 1), ".pdf"),
    "letter-of-outlook-changed": Vector(
        "letter", "a figure in the text", "differs",
        lambda: _outlook(_body().replace("1 200", "1 300")), ".msg"),
    "another-mail": Vector("letter", "it is another mail", "differs", lambda: PAGE),
    # What cannot be told (§10.3).
    "letter-two-senders": Vector(
        "letter", "From stands twice: programs show either", "differs",
        lambda: swapped(b"To: Jean", b"From: eve@x.example\r\nTo: Jean")),
    "letter-near-boundary": Vector(
        "letter", "a line that some take for a boundary", "undecided",
        lambda: LETTER.replace(b"--cut--", b"--cutter\r\n--cut--")),
    "letter-bare-cr": Vector(
        "letter", "a CR stands alone", "undecided",
        lambda: b"X: a\rb\r\n" + LETTER),
    "letter-charset-doubtful": Vector(
        "letter", "a parameter in an uncommon form", "undecided",
        lambda: swapped(b"charset=utf-8", b"charset=utf-8 (eight)")),
}  # fmt: skip


def main() -> None:
    for old in (
        *HERE.glob("*.eml"),
        *HERE.glob("*.mbox"),
        *HERE.glob("saved-*"),
        *HERE.glob("*.msg"),
    ):
        old.unlink()
    world = World()
    cases: dict[str, Expected] = {}
    for name, mail in RECORDED.items():
        proof = world.prove(mail)
        (HERE / f"{name}.json").write_bytes(proof.to_bytes())
        if name == "letter":
            shown = redact(proof, choose(proof, ["part.2"]))
            (HERE / "letter-redacted.json").write_bytes(shown.to_bytes())
    for name, vector in VECTORS.items():
        copy = name + vector.ending
        (HERE / copy).write_bytes(vector.make())
        cases[name] = {
            "file": f"{vector.of}.json", "copies": [copy], "wrong": vector.change or "nothing",
            "finding": vector.finding,
        }  # fmt: skip
    redacted = {"file": "letter-redacted.json"}
    cases["redacted, the letter itself"] = {
        **redacted, "copies": ["letter-itself.eml"], "finding": "undecided",
    }  # fmt: skip
    cases["redacted, the letter with its file changed"] = {
        **redacted, "copies": ["letter-file-changed.eml"], "finding": "differs",
    }  # fmt: skip
    cases["redacted, the file"] = {
        **redacted, "copies": ["saved-offer.pdf"], "finding": "file.same",
    }  # fmt: skip
    for name, data, finding in (("", PDF, "digest.same"), (" of another file", b"", "digest.none")):
        cases[f"a digest{name}"] = {
            "file": "letter.json", "digests": [sha256(data).hexdigest()], "finding": finding,
        }  # fmt: skip
    (HERE / "trust.json").write_text(
        json.dumps(world.trust().to_json(), indent=1, sort_keys=True) + "\n"
    )
    write("copies", cases)


if __name__ == "__main__":
    main()

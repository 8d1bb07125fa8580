"""Both verifiers say the same of a copy: status, verdict, matches, differences and notes, in both
languages. The copies are rewritten, edited, boxed and saved mails, against claims of all kinds."""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from hashlib import sha256
from pathlib import Path

import pytest

from proofmail.core.canonical import Json
from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from proofmail.verify.containers import Folder, judge
from proofmail.verify.copies import judge_digest
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.report import CopyReport
from proofmail.verify.words import LANGUAGES, Said
from tests.journeys.originals import ORIGINALS
from tests.journeys.rewrites import REWRITES
from tests.journeys.tree import read
from tests.parts import PROJECT, give_up, need
from tests.verify.msg_maker import Outlook
from tests.verify.rtf_maker import packed, rtf_of_html

CORPUS = PROJECT.parent / "shared" / "corpus"
VERIFIER = PROJECT / "verifier"
COPIES = 400
LARGEST = 60_000
DATED = b"From claire@atelier.example Sat Nov 21 10:00:00 2026\n"
PIECES = (
    b"\r\n", b"\r", b"--", b"=", b" ", b"1", b"\xff", b"=?utf-8?q?x?=", b"\r\nFrom ", b"<br>",
    b"\r\nContent-ID: <x@y>", b"; name=x.txt", b"; format=flowed", b"\r\n\r\n",
)  # fmt: skip
Claims = dict[str, Json]


def mails() -> list[bytes]:
    if not CORPUS.is_dir():
        pytest.skip("the folder of real messages is absent")
    rows = (CORPUS / "manifest.tsv").read_text().splitlines()[1:]
    files = [(CORPUS / row.split("\t")[0]).read_bytes() for row in rows]
    whole = [data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for data in files]
    return [*ORIGINALS.values(), *(mail for mail in whole if len(mail) < LARGEST)]


def edited(dice: random.Random, mail: bytes) -> bytes:
    lines = mail.split(b"\n")
    if not mail:
        return mail
    one, other = (dice.randrange(len(lines)) for _ in range(2))
    at = dice.randrange(len(mail))
    kind = dice.randrange(4)
    if kind == 0:
        return mail[:at] + dice.choice(PIECES) + mail[at + dice.choice((0, 0, 1, 9)) :]
    if kind == 1:
        del lines[one]
    elif kind == 2:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines.insert(one, lines[other])
    return b"\n".join(lines)


def rewritten(dice: random.Random, mail: bytes) -> bytes:
    try:
        mail = dice.choice(list(REWRITES.values())).run(read(mail)) or mail
    except (ValueError, KeyError, IndexError, LookupError):  # a mail too bent for this rewrite
        return mail
    return mail


def shaken(dice: random.Random, claims: Claims) -> Claims:
    """Claims that the proof does not show, or that no mail of ours makes."""
    names = [name for name in claims if name.startswith(("part.", "header.", "message."))]
    made = {name: value for name, value in claims.items() if name != dice.choice(names)}
    parts = [name for name in made if name.startswith("part.")]
    for name in parts[: dice.randrange(3)]:
        changes: Claims = {
            "role": dice.choice(("body", "attachment", "inline")),
            "path": dice.choice(("1", "2", "1.1", "3")),
            "notes": [dice.choice(("in.mixed", "in.other", "text.flowed", "method.other"))],
            "images": [dice.choice((0, -1, 1, 2))],
            "content_id": "A" * 43,
            "content_location": "A" * 43,
            "name": dice.choice(("x.txt", "\ufffd")),
        }
        key = dice.choice(list(changes))
        made[name] = {**made[name], key: changes[key]}
    return made


def boxed(*messages: bytes) -> bytes:
    stored = (mail.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ") for mail in messages)
    return b"".join(DATED + mail + b"\n" for mail in stored)


def saved(mail: bytes) -> Iterator[tuple[str, bytes]]:
    for part in message_from_bytes(mail).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and not part.is_multipart():
            kind = part.get_content_type()
            ending = {"text/plain": ".txt", "text/html": ".html"}.get(kind, ".bin")
            yield f"saved{ending}", payload


def asked(dice: random.Random, all_mails: list[bytes]) -> Json:
    mail = dice.choice(all_mails)
    claims = mail_claims(scan(mail))
    if dice.random() < 0.4:
        claims = shaken(dice, claims)
    copy = rewritten(dice, mail) if dice.random() < 0.5 else mail
    for _ in range(dice.randrange(3)):
        copy = edited(dice, copy)
    others = [dice.choice(all_mails), copy, mail][: dice.randrange(1, 4)]
    files = list(saved(copy)) or [("empty.txt", b"")]
    made: list[Callable[[], Json]] = [
        lambda: {"name": "copy.eml", "bytes": b"X-Hop: 1\r\n" + copy},
        lambda: {"name": "copy.eml", "bytes": copy},
        lambda: {"name": "box", "bytes": boxed(*others)},
        lambda: {"name": "mails", "files": [(f"{at}.eml", one) for at, one in enumerate(others)],
                 "passed_over": 1},
        lambda: dict(zip(("name", "bytes"), dice.choice(files), strict=True)),
        lambda: {"digest": sha256(dice.choice(files)[1]).hexdigest()},
    ]  # fmt: skip
    kind = dice.choices(made, (6, 2, 2, 1, 3, 1))[0]
    return {**kind(), "claims": claims}


def first(question: Json) -> CopyReport:
    claims = question["claims"]
    if "digest" in question:
        return judge_digest(question["digest"], claims)
    if "bytes" in question:
        return judge(Copy(question["name"], lambda: [question["bytes"]]), claims)
    copies = [Copy(name, lambda data=data: [data]) for name, data in question["files"]]  # type: ignore[misc]
    return judge(Folder(question["name"], lambda: iter(copies), question["passed_over"]), claims)


def told(one: Said) -> list[str]:
    return [one.key, *map(one.text, LANGUAGES)]


def as_json(report: CopyReport) -> Json:
    return {
        "copy": report.copy,
        "what": report.what,
        "status": report.status.value,
        "finding": told(report.finding),
        "matches": [[match.part, match.name, match.rung] for match in report.matches],
        "changes": [told(change) for change in report.changes],
        "remarks": [told(remark) for remark in report.remarks],
    }


def second(questions: list[Json]) -> list[Json]:
    def spelt(value: object) -> str:
        assert isinstance(value, bytes)
        return b64encode(value).decode()

    need("node")
    runner = VERIFIER / "node_modules" / ".bin" / "vite-node"
    if not runner.exists():
        give_up("the second verifier needs its packages: npm ci in verifier/")
    lines = "".join(json.dumps(question, default=spelt) + "\n" for question in questions)
    command = [str(runner), str(Path("node", "judge_copies.ts"))]
    done = subprocess.run(command, cwd=VERIFIER, input=lines.encode(), stdout=subprocess.PIPE)
    assert done.returncode == 0
    return [json.loads(line) for line in done.stdout.splitlines()]


def mostly(dice: random.Random, same: object, *others: object) -> Json:
    return same if dice.random() < 0.9 else dice.choice(others)


def outlook(dice: random.Random) -> Json:
    """What Outlook keeps of a mail, with something in it as it was, in another form, or edited."""
    page = "<p>Notre offre&nbsp;: <b>1 200 EUR</b>, <a href='https://a.example'>ici</a></p>"
    plain = "Notre offre : 1 200 EUR, ici <https://a.example>"
    mail = (
        "From: Claire <claire@atelier.example>\r\nTo: jean@client.example\r\nSubject: Offre\r\n"
        "Date: Sat, 21 Nov 2026 11:00:00 +0100\r\nContent-Type: multipart/mixed; boundary=cut\r\n"
        "\r\n--cut\r\nContent-Type: text/html\r\n\r\n" + page + "\r\n--cut\r\n"
        "Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF"
        "\r\n--cut--\r\n"
    )  # fmt: skip
    other = mostly(dice, page, page.replace("1 200", "1 300"), page.replace(" 200", "<br>200"))
    properties: dict[int, object] = {
        0x001A: mostly(dice, "IPM.Note", "IPM.Task"),
        0x0037: mostly(dice, "Offre", "Offer"),
        0x0039: datetime(2026, 11, 21, 10, 0, mostly(dice, 0, 1), tzinfo=UTC),
        0x0042: mostly(dice, "Claire", "'Claire'", "Eve"),
        0x0064: "SMTP", 0x0065: "claire@Atelier.example", 0x3FDE: 65001, 0x3FFD: 1252,
    }  # fmt: skip
    forms: dict[int, object] = {
        0x1000: mostly(dice, plain, plain.replace("offre", "offer")),
        0x1013: other.encode(),
        0x1009: packed(rtf_of_html(other).encode(), as_it_is=dice.random() < 0.5),
        0x007D: mail[: mail.index("Content-Type")],
    }
    for number, value in forms.items():
        if dice.random() < 0.6:
            properties[number] = value
    people = [{0x3001: "jean@client.example", 0x3002: "SMTP", 0x3003: "jean@client.example",
               0x0C15: mostly(dice, 1, 2, 9)}]  # fmt: skip
    name = mostly(dice, "a.pdf", "b.pdf")
    files = [{0x3705: 1, 0x3707: name, 0x3001: name, 0x3701: mostly(dice, b"%PDF", b"%PDG")}]
    data = Outlook(properties, people, files[: mostly(dice, 1, 0)]).to_bytes()  # type: ignore[arg-type]
    claims = mail_claims(scan(mail.encode()))
    return {"name": "copy.msg", "bytes": data, "claims": claims}


def test_both_say_the_same_of_outlook_files() -> None:
    dice = random.Random(21)
    questions = [outlook(dice) for _ in range(150)]
    reports = [as_json(first(question)) for question in questions]
    for question, mine, theirs in zip(questions, reports, second(questions), strict=True):
        assert mine == theirs, question
    assert {report["status"] for report in reports} == {"passed", "failed", "not checked"}


def test_both_say_the_same_of_copies() -> None:
    dice = random.Random(20)
    all_mails = mails()
    questions = [asked(dice, all_mails) for _ in range(COPIES)]
    answers = second(questions)
    assert len(answers) == COPIES
    reports = [as_json(first(question)) for question in questions]
    for question, mine, theirs in zip(questions, reports, answers, strict=True):
        assert mine == theirs, question
    for status in ("passed", "failed", "not checked"):
        assert sum(report["status"] == status for report in reports) > COPIES // 20
    assert {report["what"] for report in reports} == {"mail", "file", "digest"}

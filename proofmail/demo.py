"""`proofmail demo`: the whole of it once, as a user, an administrator and an auditor would."""

from __future__ import annotations

import json
import re
import shutil
import smtplib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, TextIO

from proofmail.errors import Misconfigured, TryLater
from proofmail.setup import InitOptions, new_api_key
from proofmail.wiring import initialise

ADDRESS = "proof@proofmail.example"
DOMAIN = "atelier.example"
SENDER = "claire.dubois@atelier.example"
RECIPIENTS = (
    "Jean Petit <jean.petit@client.example>",
    "Anna Schmidt <anna.schmidt@client.example>",
    "notaire@etude.example",
)
COPIES = ("Luc Moreau <luc.moreau@atelier.example>", "comptabilite@atelier.example")
MESSAGE_ID = "<offre-42.20261121@atelier.example>"
FINAL_WITHIN_SECONDS = 90.0
_READY = re.compile(r"SMTP (\S+?):(\d+),.* (http://\S+)")


def run_demo(folder: Path, out: TextIO) -> int:
    """Runs the demo in `folder`; 0 only if every step did what it should."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    say = _Teller(out)
    if not (data / "settings.toml").exists():
        say("Setting up a data folder: keys, database, chain, authority")
        initialise(
            data,
            InitOptions(
                address=ADDRESS, sender_domains=(DOMAIN,), organisation="Atelier Dubois",
                owner="owner@atelier.example", zone="Europe/Paris", language="fr",
                batch_age_seconds=2.0,
            ),
        )  # fmt: skip
    key = new_api_key(data, "demo")
    mail = make_mail()
    attachments = _write_files(folder, mail)
    with _service(data, say) as (host, port, url):
        client = _Client(url, key)
        say(f"Sending a mail by SMTP to {host}:{port}, {ADDRESS} in copy")
        record = _send(host, port, SENDER, mail)
        say(f"  250: recorded as {record}")
        receipt = _send(host, port, "", make_receipt())
        say(f"One recipient's read receipt: recorded as {receipt}")
        _wait_final(client, (record, receipt), say)
        _download(client, record, folder)
    return _verify(folder, attachments, say)


class _Teller:
    """Prints at once, so that a long step is seen to go on."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, text: str, end: str = "\n") -> None:
        self._out.write(text + end)
        self._out.flush()

    def again(self, text: str) -> None:
        """Overwrites the line on a terminal; elsewhere writes a new one."""
        if self._out.isatty():
            self("\r\x1b[K" + text, end="")
        else:
            self(text)


class _Client:
    """The few calls of the API that the demo needs."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - our own service, on loopback
            f"{self._url}{path}", headers={"Authorization": f"Bearer {self._key}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            body: bytes = answer.read()
            return body

    def record(self, record: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get(f"/api/v1/records/{record}"))
        return found


def make_mail() -> bytes:
    """A mail of five recipients and three attachments that asks for a read receipt."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Claire Dubois <{SENDER}>"
    mail["To"] = ", ".join(RECIPIENTS)
    mail["Cc"] = ", ".join((*COPIES, ADDRESS))
    mail["Subject"] = "Offre signée n° 42 — façade, 1 200 €"
    mail["Date"] = "Sat, 21 Nov 2026 10:00:00 +0100"
    mail["Message-ID"] = MESSAGE_ID
    mail["Disposition-Notification-To"] = SENDER
    mail.set_content(
        "Bonjour,\n\nVoici notre offre signée pour la façade : 1 200 € hors taxes.\n"
        "Elle vaut jusqu'au 15 décembre.\n\nClaire Dubois\n",
        cte="quoted-printable",
    )
    mail.add_attachment(_pdf(), "application", "pdf", filename="Offre signée – façade été.pdf")
    mail.add_attachment(bytes(range(256)) * 64, "image", "png", filename="plan.png")
    mail.add_attachment("poste;prix\nfaçade;1200\n", subtype="csv", filename="prix.csv")
    return mail.as_bytes()


def _pdf() -> bytes:
    body = b"".join(b"%% line %d of the offer\n" % number for number in range(400))
    return b"%PDF-1.4\n" + body + b"%%EOF\n"


def make_receipt() -> bytes:
    """What the mail program of one recipient sends when the mail is displayed (RFC 8098)."""
    lines = [
        "From: Jean Petit <jean.petit@client.example>",
        f"To: {SENDER}",
        f"Cc: {ADDRESS}",
        "Subject: Lu : Offre signée n° 42",
        "Date: Sat, 21 Nov 2026 10:12:00 +0100",
        "Message-ID: <lu-1@client.example>",
        f"References: {MESSAGE_ID}",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=disposition-notification;",
        ' boundary="receipt"',
        "",
        "--receipt",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        "Le message a été affiché sur l'écran du destinataire.",
        "--receipt",
        "Content-Type: message/disposition-notification",
        "",
        "Reporting-UA: client.example; ExampleMail 3.1",
        "Final-Recipient: rfc822;jean.petit@client.example",
        f"Original-Message-ID: {MESSAGE_ID}",
        "Disposition: manual-action/MDN-sent-manually; displayed",
        "",
        "--receipt--",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8")


def _write_files(folder: Path, mail: bytes) -> list[Path]:
    """The mail as sent, its attachments as a recipient saves them, and a copy with one byte off."""
    import email

    (folder / "sent.eml").write_bytes(mail)
    place = mail.index(b"Voici notre offre")
    tampered = mail[:place] + b"voici" + mail[place + 5 :]
    (folder / "tampered.eml").write_bytes(tampered)
    saved = []
    for part in email.message_from_bytes(mail, policy=SMTP).iter_attachments():
        path = folder / str(part.get_filename())
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise Misconfigured("the demo's own mail cannot be taken apart")
        path.write_bytes(content)
        saved.append(path)
    return saved


@contextmanager
def _service(data: Path, say: _Teller) -> Iterator[tuple[str, int, str]]:
    """`proofmail serve` on free ports; stopped by SIGTERM at the end."""
    log = (data / "service.log").open("ab")
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "proofmail", "serve", str(data),
         "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip
    try:
        line = process.stdout.readline() if process.stdout else ""
        ready = _READY.search(line)
        if ready is None:
            raise Misconfigured(f"the service did not start; {data / 'service.log'} says why")
        say(line.strip())
        yield ready[1], int(ready[2]), ready[3]
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _send(host: str, port: int, sender: str, mail: bytes) -> str:
    with smtplib.SMTP(host, port, local_hostname="atelier.example", timeout=30) as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        smtp.rcpt(ADDRESS)
        code, answer = smtp.data(mail)
    if code != 250:
        raise TryLater(f"the gateway answered {code}")
    return answer.decode("ascii").rpartition(" ")[2]


def _wait_final(client: _Client, records: Sequence[str], say: _Teller) -> None:
    started = time.monotonic()
    shown = ""
    while True:
        found = [client.record(record) for record in records]
        states = ", ".join(
            f"{item['kind']} {item['state']}{' +stamped' if item['stamped'] else ''}"
            for item in found
        )
        if states != shown:
            say.again(f"  {time.monotonic() - started:4.1f} s  {states}")
            shown = states
        if all(item["state"] == "final" and item["stamped"] for item in found):
            say("")
            return
        if time.monotonic() - started > FINAL_WITHIN_SECONDS:
            raise TryLater(f"not final after {FINAL_WITHIN_SECONDS:.0f} s: run the demo again")
        time.sleep(0.25)


def _download(client: _Client, record: str, folder: Path) -> None:
    base = f"/api/v1/records/{record}"
    (folder / "dossier.pdf").write_bytes(client.get(f"{base}/dossier.pdf?language=fr"))
    (folder / "proof.json").write_bytes(client.get(f"{base}/proof.json"))
    (folder / "trust.json").write_bytes(client.get("/api/v1/trust.json"))
    shutil.copyfile(folder / "data" / "tsa-root.pem", folder / "tsa-root.pem")
    from proofmail.core.loose import loose_files
    from proofmail.core.proof import read_proof

    for name, content in loose_files(read_proof((folder / "proof.json").read_bytes())).items():
        (folder / name).write_bytes(content)


def _verify(folder: Path, attachments: Sequence[Path], say: _Teller) -> int:
    """The auditor's part, with the service stopped: what must pass passes, what must not fails."""
    dossier, trust = folder / "dossier.pdf", folder / "trust.json"
    sent, tampered = folder / "sent.eml", folder / "tampered.eml"
    cases = (
        ("the dossier, the mail and an attachment", [dossier, sent, attachments[0]], trust, 0),
        ("the bare proof with the mail", [folder / "proof.json", sent], trust, 0),
        ("a copy with one byte changed", [dossier, tampered], trust, 1),
        ("the dossier without a trust file", [dossier], None, 3),
    )
    good = True
    for title, files, trusted, expected in cases:
        words = [*map(str, files), *(["--trust", str(trusted)] if trusted else [])]
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "proofmail", "verify", *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        right = done.returncode == expected
        good = good and right
        say(
            f"Verified offline, {title}: {done.returncode}" + ("" if right else f", not {expected}")
        )
        if not right or (expected == 1):
            shown = [line for line in done.stdout.splitlines() if "iffers" in line.lower()]
            say("\n".join(f"  {line.strip()}" for line in (shown or done.stdout.splitlines())))
    say(f"\nLook at {dossier}. Check it yourself:")
    say(f"  proofmail verify {dossier} {sent} --trust {trust}")
    return 0 if good else 1

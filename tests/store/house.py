"""What the tests of store, accounts and intake share: an organisation, mails, a clock, a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from proofmail.accounts.organisations import create_organisation
from proofmail.core.canonical import encode
from proofmail.core.record import make_record
from proofmail.core.scan import scan
from proofmail.intake import Arrival, Intake, load_signer
from proofmail.store.engine import Store, milliseconds, new_id
from proofmail.store.fsck import Finding, fsck
from proofmail.store.records import NewRecord, Summary, keep

LOG = "proofs.example.org"
NOW = datetime(2026, 11, 21, 10, 18, 11, 123000, UTC)
PROOF_ADDRESS = "proof@acme.example"
KEYED = sha256(b"keyed secret of the tests").digest()
KEY = ec.derive_private_key(11, ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
KEYS = {sha256(SPKI).digest(): SPKI}
SIGN = load_signer(PEM)


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, **much: float) -> None:
        self.at += timedelta(**much)


def organisation(store: Store, name: str = "Acme") -> str:
    with store.write() as connection:
        return create_organisation(connection, name, NOW, zone="Europe/Paris", language="fr")


def new_record(
    owner: str, n: int = 0, *, kind: str = "message", in_reply: int | None = None,
    received: datetime = NOW, arrival: bytes | None = None, subject: str = "Devis",
    log: str = LOG,
) -> NewRecord:  # fmt: skip
    """A sealed record made without a mail; `n` makes it differ from others."""
    secret = sha256(b"secret %d" % n).digest()
    claims = {
        "authentication": {"checks": [], "sender": "relay"},
        "defects": [],
        "header.subject": [subject],
    }
    sealed = make_record(kind, log, received, claims, secret)
    record = sealed.record.to_bytes()
    key_id, signature = SIGN(record)
    summary = Summary(
        "alice@acme.example", "bob@example.net", subject, "2026-11-21T10:18:05Z",
        1, 2, 1, False, f"{subject} alice@acme.example bob@example.net".lower(),
    )  # fmt: skip
    return NewRecord(
        id=new_id(), organisation=owner, kind=kind, log=log, received_at=milliseconds(received),
        record=record, signature=signature, key_id=key_id, secret=secret,
        entries=encode([entry.to_json() for entry in sealed.entries]),
        units=1 if kind == "message" else 0, in_reply=in_reply, summary=summary,
        arrival=arrival,
    )  # fmt: skip


def fill(store: Store, owner: str, count: int, **more: object) -> list[str]:
    """Keeps `count` records, a second apart, the first the oldest."""
    with store.write() as connection:
        return keep(
            connection,
            [
                new_record(owner, n, received=NOW + timedelta(seconds=n), **more)  # type: ignore[arg-type]
                for n in range(count)
            ],
        )


def mail(
    subject: str = "Devis", *, message_id: str = "one@acme.example", attachments: int = 0,
    extra: dict[str, str] | None = None, body: str = "Bonjour,\nci-joint le devis.\n",
    to: str = "Bob <bob@example.net>",
) -> bytes:  # fmt: skip
    message = EmailMessage()
    message["From"] = "Alice Martin <alice@acme.example>"
    message["To"] = to
    message["Cc"] = PROOF_ADDRESS
    message["Subject"] = subject
    message["Date"] = "Sat, 21 Nov 2026 11:18:05 +0100"
    message["Message-ID"] = f"<{message_id}>"
    for name, value in (extra or {}).items():
        message[name] = value
    message.set_content(body)
    for number in range(attachments):
        message.add_attachment(
            b"content %d" % number, maintype="application", subtype="pdf",
            filename=f"file{number}.pdf",
        )  # fmt: skip
    return message.as_bytes().replace(b"\n", b"\r\n")


def read_receipt(original: str, *, recipient: str = "bob@example.net") -> bytes:
    """An MDN (RFC 8098 §3) that names the Message-ID `original`."""
    lines = [
        f"From: Bob <{recipient}>",
        "To: alice@acme.example",
        f"Cc: {PROOF_ADDRESS}",
        "Subject: Read: Devis",
        "Date: Sat, 21 Nov 2026 12:00:00 +0100",
        f"Message-ID: <mdn-of-{original}>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "Your message was displayed.",
        "--b",
        "Content-Type: message/disposition-notification",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Original-Message-ID: <{original}>",
        "Disposition: manual-action/MDN-sent-manually; displayed",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


def arrival(
    owner: str, message: bytes, *, mail_from: str = "alice@acme.example", listed: bool = True
) -> Arrival:
    return Arrival(
        organisation=owner,
        peer="127.0.0.1",
        helo="mx.acme.example",
        tls="TLSv1.3",
        mail_from=mail_from,
        recipients=(PROOF_ADDRESS,),
        listed=listed,
        scan=scan(message),
    )


@contextmanager
def intake_on(store: Store, clock: SetClock | None = None) -> Iterator[Intake]:
    intake = Intake(store, LOG, SIGN, KEYED, clock or SetClock())
    try:
        yield intake
    finally:
        intake.close()


def faults(store: Store) -> list[Finding]:
    return [finding for finding in fsck(store, KEYS) if finding.level == "fault"]


# --- PostgreSQL ----------------------------------------------------------------------------


def _program(name: str) -> str | None:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or next((str(place) for place in places), None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server of our own on a Unix socket; yields the socket's directory. Skips without one."""
    initdb, postgres, runuser = _program("initdb"), _program("postgres"), shutil.which("runuser")
    if not initdb or not postgres:
        pytest.skip("needs PostgreSQL's initdb and postgres: apt-get install postgresql")
    # The server refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user and not runuser:
        pytest.skip("needs runuser, to start PostgreSQL as another user than root")
    # A socket's path has at most 107 bytes: not under pytest's directory.
    home = Path(tempfile.mkdtemp(prefix="pm-pg-"))
    try:
        if as_user:
            shutil.chown(home, "postgres", "postgres")
        subprocess.run(
            [*as_user, initdb, "-D", home / "data", "-U", "postgres", "-A", "trust",
             "--encoding=UTF8", "--no-sync"],
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        with open(home / "log", "wb") as output:
            server = subprocess.Popen(
                [*as_user, postgres, "-D", home / "data", "-k", home,
                 "-c", "listen_addresses=", "-c", "fsync=off"],
                stdout=output, stderr=output, cwd="/",
            )  # fmt: skip
        try:
            _wait_for(home)
            yield str(home)
        finally:
            # SIGINT to the server itself: runuser passes on SIGTERM alone, which waits for
            # clients.
            pid = int((home / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, 2)
            server.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(home: Path) -> None:
    import time

    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(host=str(home), user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    pytest.fail("PostgreSQL did not start: " + (home / "log").read_text()[-500:])

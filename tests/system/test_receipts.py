"""Read receipts in the three forms in which they reach us: in copy, forwarded as an attachment,
forwarded inline. Each becomes a record of its own, linked to its mail, and shows in the proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proofmail.core.proof import read_proof
from tests.making import MAIL
from tests.system.service import ADDRESS, SENDER, Service, running

ORIGINAL = b"<offre-42@atelier.example>"
MDN = (
    b"Reporting-UA: client.example; ExampleMail 3.1\r\n"
    b"Original-Recipient: rfc822;jean@client.example\r\n"
    b"Final-Recipient: rfc822;jean@client.example\r\n"
    b"Original-Message-ID: " + ORIGINAL + b"\r\n"
    b"Disposition: manual-action/MDN-sent-manually; displayed\r\n"
)
DIRECT = (
    b"From: Jean Petit <jean@client.example>\r\nTo: claire@atelier.example\r\n"
    b"Subject: Lu : Offre\r\nMessage-ID: <lu-1@client.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/report; report-type=disposition-notification; boundary=mdn\r\n"
    b"\r\n--mdn\r\nContent-Type: text/plain\r\n\r\nDisplayed.\r\n"
    b"--mdn\r\nContent-Type: message/disposition-notification\r\n\r\n" + MDN + b"\r\n--mdn--\r\n"
)
ATTACHED = (
    b"From: Claire <claire@atelier.example>\r\nTo: " + ADDRESS.encode() + b"\r\n"
    b"Subject: Fwd: Lu\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=fwd\r\n"
    b"\r\n--fwd\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
    b"--fwd\r\nContent-Type: message/rfc822\r\n\r\n" + DIRECT + b"\r\n--fwd--\r\n"
)
INLINE = (
    b"From: Claire <claire@atelier.example>\r\nTo: " + ADDRESS.encode() + b"\r\n"
    b"Subject: Fwd: Lu\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"-------- Forwarded Message --------\r\n> " + MDN.replace(b"\r\n", b"\r\n> ") + b"\r\n"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("receipts") / "data") as service:
        yield service


def test_every_form_of_receipt_is_linked(service: Service, tmp_path: Path) -> None:
    mail = service.send(MAIL)
    receipts = {
        "direct": service.send(DIRECT, sender=""),
        "attached": service.send(ATTACHED, sender=SENDER),
        "inline": service.send(INLINE, sender=SENDER),
    }
    service.wait_final(mail, *receipts.values())
    proof = read_proof(service.get(f"/api/v1/records/{mail}/proof.json"))
    found = {linked.claims["receipt.report"]["form"]: linked for linked in proof.linked}
    assert set(found) == set(receipts)
    for form, linked in found.items():
        report = linked.claims["receipt.report"]
        assert report["kind"] == "mdn"
        assert report["disposition"] == "displayed"
        assert report["final_recipient"] == "jean@client.example"
        sender = "none" if form == "direct" else "relay"
        assert linked.claims["authentication"]["sender"] == sender
    for form, record in receipts.items():
        assert service.record(record)["kind"] == "receipt", form
    dossier = service.get(f"/api/v1/records/{mail}/dossier.pdf?language=en")
    assert dossier.startswith(b"%PDF-")


def test_a_receipt_for_a_mail_that_is_not_recorded_is_refused_from_strangers(
    service: Service,
) -> None:
    from tests.system.service import send_on

    stranger = DIRECT.replace(ORIGINAL, b"<unknown@atelier.example>")
    with service.smtp() as smtp:
        code, answer = send_on(smtp, stranger, "")
    assert (code, answer[:5]) == (550, b"5.7.1")

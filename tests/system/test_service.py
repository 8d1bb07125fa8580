"""The whole service as a user, an administrator and an auditor meet it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proofmail.demo import make_mail, make_receipt
from tests.making import MAIL
from tests.parts import need
from tests.system.service import ADDRESS, SENDER, Service, running, send_on

CANARY_BODY = "zqcanarybodyzq"
CANARY_FILE = b"zqcanaryfilezq"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service") / "data") as service:
        yield service


def _verify(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "proofmail", "verify", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def _download(service: Service, record: str, folder: Path) -> tuple[Path, Path]:
    dossier, trust = folder / "dossier.pdf", folder / "trust.json"
    dossier.write_bytes(service.get(f"/api/v1/records/{record}/dossier.pdf"))
    trust.write_bytes(service.get("/api/v1/trust.json"))
    return dossier, trust


def test_a_mail_and_its_receipt_become_a_dossier_that_verifies(
    service: Service, tmp_path: Path
) -> None:
    mail = make_mail().replace(b"proof@proofmail.example", ADDRESS.encode())
    record = service.send(mail)
    assert service.send(mail) == record  # the same message again
    receipt = service.send(make_receipt(), sender="")
    service.wait_final(record, receipt)
    found = service.record(record)
    assert found["received_at"].endswith("Z")
    assert service.record(receipt)["kind"] == "receipt"
    dossier, trust = _download(service, record, tmp_path)
    copy = tmp_path / "sent.eml"
    copy.write_bytes(mail)
    good = _verify(dossier, copy, "--trust", trust, "--json")
    assert good.returncode == 0, good.stdout
    report = json.loads(good.stdout)
    assert [row["status"] for row in report["rows"] if row["number"] == "V14"] == ["passed"]
    assert _verify(dossier, copy).returncode == 3
    copy.write_bytes(mail.replace(b"Voici", b"voici"))
    assert _verify(dossier, copy, "--trust", trust).returncode == 1
    strange = tmp_path / "strange.json"
    other = json.loads(trust.read_bytes())
    other["services"][0]["log"] = "other/1"
    strange.write_text(json.dumps(other))
    assert _verify(dossier, "--trust", strange).returncode == 3


def test_openssl_and_pdfsig_agree(service: Service, tmp_path: Path) -> None:
    from proofmail.core.loose import loose_files
    from proofmail.core.proof import read_proof

    openssl, pdfsig = need("openssl"), need("pdfsig")
    record = service.send(b"X-Try: openssl\r\n" + MAIL)
    service.wait_final(record)
    proof = read_proof(service.get(f"/api/v1/records/{record}/proof.json"))
    for name, content in loose_files(proof).items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [openssl, "ts", "-verify", "-data", tmp_path / "record.json", "-in",
         tmp_path / "token.tsr", "-CAfile", service.folder / "tsa-root.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout + done.stderr
    dossier, _ = _download(service, record, tmp_path)
    done = subprocess.run([pdfsig, dossier], capture_output=True, text=True, check=False)
    assert "Signature is Valid" in done.stdout
    assert "Total document signed" in done.stdout


def test_nothing_of_the_content_is_kept_anywhere(service: Service) -> None:
    import base64

    mail = MAIL.replace(b"Voici notre offre", CANARY_BODY.encode())
    hidden = base64.b64encode(b"%PDF " + CANARY_FILE + b" end of it")
    mail = mail.replace(b"JVBERi0xLjQKJcOkCg==", hidden)
    record = service.send(mail)
    service.wait_final(record)
    service.get(f"/api/v1/records/{record}/dossier.pdf")
    looked_at = 0
    for root in (service.folder, service.temporary):
        for path in root.rglob("*"):
            if path.is_file():
                looked_at += 1
                content = path.read_bytes()
                for canary in (CANARY_BODY.encode(), CANARY_FILE, hidden):
                    assert canary not in content, path
    assert looked_at > 10


def test_swaks_works_as_a_user_would(service: Service, tmp_path: Path) -> None:
    swaks = need("swaks")
    done = subprocess.run(
        [swaks, "--server", f"{service.host}:{service.port}", "--from", SENDER, "--to", ADDRESS,
         "--header", "Subject: by swaks", "--attach", "@pyproject.toml"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "250 2.6.0 Recorded " in done.stdout


def test_a_stranger_is_refused_with_the_cure_and_a_reply_is_taken(service: Service) -> None:
    with service.smtp() as smtp:
        code, answer = send_on(smtp, MAIL, "stranger@elsewhere.example")
        assert code == 550
        assert answer.startswith(b"5.7.1 ")
        assert b"administrateur" in answer
        service.send(MAIL)
        reply = (
            b"From: x@elsewhere.example\r\nIn-Reply-To: <offre-42@atelier.example>\r\n"
            b"Subject: Re\r\n\r\nok\r\n"
        )
        assert send_on(smtp, reply, "stranger@elsewhere.example")[0] == 250
        smtp.mail(SENDER)
        assert smtp.rcpt("nobody@test.example")[0] == 550


def test_a_sender_listed_while_it_runs_is_taken_within_seconds(service: Service) -> None:
    newcomer = "someone@newcomer.example"
    with service.smtp() as smtp:
        mail = b"Subject: new\r\n\r\nnew\r\n"
        assert send_on(smtp, mail, newcomer)[0] == 550
        words = [sys.executable, "-m", "proofmail", "sender", "add", str(service.folder)]
        subprocess.run([*words, "newcomer.example"], check=True, capture_output=True)
        deadline = time.monotonic() + 20
        while send_on(smtp, mail, newcomer)[0] != 250:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def _nested(depth: int) -> bytes:
    head = b"From: a@atelier.example\r\nSubject: nested\r\n"
    for level in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
    return head + b"Content-Type: text/plain\r\n\r\ndeep\r\n"


def _many(parts: int) -> bytes:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = b"From: a@atelier.example\r\nSubject: many\r\n"
    return (
        head + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * parts + b"--b--\r\n"
    )


HOSTILE = {
    "no headers at all": b"\r\nonly a body\r\n",
    "nothing": b"",
    "NUL bytes": b"From: a@atelier.example\r\nSubject: a\x00b\r\n\r\n\x00\x00\r\n",
    "300 nested parts": _nested(300),
    "10,000 parts": _many(10_000),
    "a header of 1 MB": b"From: a@atelier.example\r\nX-Long: " + b"x " * 500_000 + b"\r\n\r\nx\r\n",
    "markup in the subject": MAIL.replace(
        b"Subject: ", b"Subject: <b>bold</b> <para><img src='file:///etc/passwd'/> <script>1"
    ),
    "a file name with path and override": MAIL.replace(
        b'filename="offre.pdf"', "filename=\"../../etc/\u202egpj.exe\"".encode()
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_the_hostile_set_is_recorded_or_refused_and_yields_a_dossier(
    service: Service, name: str, tmp_path: Path
) -> None:
    record = service.send(HOSTILE[name])
    service.wait_final(record)
    dossier, trust = _download(service, record, tmp_path)
    copy = tmp_path / "copy.eml"
    copy.write_bytes(HOSTILE[name].replace(b"\r\n.", b"\r\n."))
    done = _verify(dossier, copy, "--trust", trust)
    assert done.returncode == 0, done.stdout


def _memory_kilobytes(service: Service, figure: str) -> int:
    """A figure of the gateway process, as the kernel accounts it."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            status = (folder / "status").read_text()
        except OSError:
            continue
        if b"gateway" in words and str(service.folder).encode() in words:
            (line,) = (line for line in status.splitlines() if line.startswith(figure))
            return int(line.split()[1])
    raise AssertionError("no gateway process")


def test_a_mail_of_25_megabytes_is_taken_with_flat_memory(service: Service) -> None:
    import base64

    service.send(b"X-Warm: up\r\n" + MAIL)
    before = _memory_kilobytes(service, "VmHWM")
    block = base64.encodebytes(bytes(range(256)) * 4096).replace(b"\n", b"\r\n")
    mail = MAIL.replace(b"JVBERi0xLjQKJcOkCg==\r\n", block * 18)
    assert len(mail) > 25_000_000
    record = service.send(mail)
    assert service.record(record)["id"] == record
    assert _memory_kilobytes(service, "VmHWM") - before < 16_000


def test_it_stops_cleanly_and_finds_its_chain_again(tmp_path: Path) -> None:
    with running(tmp_path / "data") as service:
        record = service.send(MAIL)
        service.wait_final(record)
        dossier, trust = _download(service, record, tmp_path)
        assert service.stop() == 0
        service.start()
        second = service.send(b"X-Second: 1\r\n" + MAIL)
        service.wait_final(second)
        old = json.loads(trust.read_bytes())
        new = json.loads(service.get("/api/v1/trust.json"))
        assert new["chains"][0]["chain_id"] == old["chains"][0]["chain_id"]
        assert set(old["chains"][0]["blocks"]) < set(new["chains"][0]["blocks"])
        trust.write_text(json.dumps(new))
        assert _verify(dossier, "--trust", trust).returncode == 0
        assert service.stop() == 0
    fsck = subprocess.run(
        [sys.executable, "-m", "proofmail", "fsck", str(tmp_path / "data")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert fsck.returncode == 0, fsck.stdout + fsck.stderr

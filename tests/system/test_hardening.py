"""Attacks and accidents: a part killed, three signals at once, mistakes in the settings, a second
`serve`, and a canary in every place of a mail that is not to be kept."""

from __future__ import annotations

import base64
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from proofmail.config import read_settings
from proofmail.core.proof import read_proof
from proofmail.errors import Misconfigured, ProofmailError
from proofmail.setup import InitOptions
from proofmail.wiring import initialise
from tests.making import MAIL
from tests.system.service import SENDER, Service, recorded_id, running, send_on, set_up


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("hard") / "data") as service:
        yield service


def _children(pid: int) -> dict[int, str]:
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text().rpartition(")")[2].split()
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if int(stat[1]) == pid and stat[0] != "Z":
            found[int(path.name)] = words
    return found


def _parts(service: Service, name: str) -> list[int]:
    """The process ids of this part: the gateway may have several."""
    assert service.process
    parts = _children(service.process.pid)
    return [pid for pid, words in parts.items() if f"part {name}" in words]


def _part(service: Service, name: str) -> int:
    """The process id of this part, 0 while there is none."""
    return next(iter(_parts(service, name)), 0)


def _until(what: str, holds: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- content -------------------------------------------------------------------------------


def _canary(place: str) -> str:
    return f"zq{place}zq"


def _mail(number: int) -> bytes:
    """A canary in every place of a mail that SPEC §4.2 does not name."""
    secret = base64.b64encode(_canary("attachment").encode()).decode()
    lines = [
        *(f"{name}: {_canary(name.lower())}" for name in
          ("X-Secret", "Bcc", "Reply-To", "Sender", "Resent-To", "Received", "Return-Path",
           "DKIM-Signature", "List-Id", "Keywords", "Comments", "User-Agent")),
        f"From: {SENDER}", "To: Bob <bob@client.example>", f"Subject: canaries {number}",
        f"Message-ID: <canary-{number}@atelier.example>", "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="b"; x="{_canary("parameter")}"', "",
        _canary("preamble"),
        "--b", f'Content-Type: text/plain; x="{_canary("part-parameter")}"',
        f"Content-Description: {_canary('description')}", f"Content-ID: <{_canary('id')}>", "",
        _canary("body"),
        "--b", "Content-Type: text/html", "", f"<p>{_canary('html')}<!-- {_canary('comment')} -->",
        "--b", 'Content-Type: application/pdf; name="a.pdf"',
        f'Content-Disposition: attachment; filename="a.pdf"; x="{_canary("disposition")}"',
        "Content-Transfer-Encoding: base64", "", secret,
        "--b", "Content-Type: message/rfc822", "", f"Subject: {_canary('inner-subject')}",
        f"Bcc: {_canary('inner-bcc')}", "", _canary("inner-body"),
        "--b--", _canary("epilogue"), "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def _report(kind: str) -> bytes:
    """A read receipt (mdn) or delivery report (dsn) of mail 0, with canaries likewise."""
    of = "<canary-0@atelier.example>"
    mdn = [
        f"Reporting-UA: {_canary('ua')}", f"MDN-Gateway: dns;{_canary('mdn-gateway')}",
        "Final-Recipient: rfc822;bob@client.example", f"Original-Message-ID: {of}",
        "Disposition: automatic-action/MDN-sent-automatically; displayed",
        f"Error: {_canary('error')}", f"X-More: {_canary('more')}",
    ]  # fmt: skip
    dsn = [
        f"Reporting-MTA: dns;{_canary('mta')}", "", "Final-Recipient: rfc822;bob@client.example",
        "Action: failed", f"Status: 5.1.1 ({_canary('status')})",
        f"Remote-MTA: dns;{_canary('remote')}", f"Diagnostic-Code: smtp; 550 {_canary('why')}",
    ]  # fmt: skip
    name, fields = {
        "mdn": ("disposition-notification", mdn), "dsn": ("delivery-status", dsn),
    }[kind]  # fmt: skip
    lines = [
        "From: bob@client.example", f"To: {SENDER}", f"Subject: {kind}", f"References: {of}",
        "MIME-Version: 1.0",
        f"Content-Type: multipart/report; report-type={name}; boundary=r", "",
        "--r", "", _canary("human"),
        "--r", f"Content-Type: message/{name}", "", *fields, "",
        "--r", "Content-Type: text/rfc822-headers", "", f"Subject: {_canary('returned')}", "",
        "--r--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def _answer(service: Service, mail: bytes, sender: str = SENDER) -> int:
    with service.smtp() as smtp:
        return send_on(smtp, mail, sender)[0]


def test_no_canary_is_kept_also_when_recording_fails(service: Service) -> None:
    mail = service.send(_mail(0))
    receipts = [service.send(_report(kind), "") for kind in ("mdn", "dsn")]
    service.wait_final(mail, *receipts)
    service.get(f"/api/v1/records/{mail}/dossier.pdf")
    proof = service.get(f"/api/v1/records/{mail}/proof.json")
    assert len(read_proof(proof).linked) == 2
    assert _answer(service, _mail(1), f"eve@{_canary('domain')}.example") == 550
    with service.smtp() as smtp:
        smtp.ehlo(_canary("unused-helo"))
        smtp.docmd(_canary("command"))
        assert smtp.docmd(f"MAIL FROM:<{SENDER}> X={_canary('mail-parameter')}")[0] == 555
        smtp.docmd(f"MAIL FROM:<{SENDER}>")
        assert smtp.docmd(f"RCPT TO:<{_canary('rcpt')}@elsewhere.example>")[0] == 550
    database = sqlite3.connect(service.folder / "proofmail.db")
    try:
        database.execute(
            "create trigger fault before insert on summaries begin "
            "select raise(abort, 'a fault') ; end"
        )
        assert _answer(service, _mail(2)) == 451
        database.execute("drop trigger fault")
    finally:
        database.close()
    places = [service.folder, service.temporary]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert len(files) > 10
    contents = {str(path): path.read_bytes() for path in files} | {"proof": proof}
    found = {name: re.findall(rb"zq[a-z-]+zq", content) for name, content in contents.items()}
    assert {name: places for name, places in found.items() if places} == {}
    assert service.send(_mail(2)) != mail


# --- parts that die ------------------------------------------------------------------------


def test_a_gateway_that_dies_comes_back_to_its_port(service: Service) -> None:
    pids = _parts(service, "gateway")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    _until(
        "there are others", lambda: len(set(_parts(service, "gateway")) - set(pids)) == len(pids)
    )

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((service.host, service.port)) == 0

    _until("it listens again", listens)
    service.send(b"X-After: gateway\r\n" + MAIL)


def test_a_dossier_process_that_dies_is_made_anew_and_ends_with_its_parent(
    service: Service,
) -> None:
    record = service.send(b"X-Try: dossier\r\n" + MAIL)
    path = f"/api/v1/records/{record}/dossier.pdf"
    service.get(path)

    def workers() -> list[int]:
        web = _children(_part(service, "web"))
        return [pid for pid, words in web.items() if "spawn_main" in words]

    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    _until("it is gone", lambda: not _alive(worker))
    with suppress(urllib.error.HTTPError):  # 503: its death is noticed with this very dossier
        service.get(path)
    assert service.get(path).startswith(b"%PDF-")
    (worker,) = workers()
    os.kill(_part(service, "web"), signal.SIGKILL)
    _until("the orphan ends", lambda: not _alive(worker))

    def healthy() -> bool:
        try:
            return bool(service.get("/healthz"))
        except OSError:
            return False

    _until("the pages are back", healthy)


def _serve(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "proofmail", "serve", str(folder), *words],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_second_serve_says_so(service: Service) -> None:
    done = _serve(service.folder, "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0")
    assert done.returncode == 1
    assert done.stderr == f"proofmail: {service.folder} is being served already\n"


def test_killed_then_served_again_then_three_signals_at_once(tmp_path: Path) -> None:
    """The supervisor alone is killed: its parts end by themselves and leave the chain and the
    ports to the next. A handler that waited for a lock used to hang at the second signal."""
    service = set_up(tmp_path / "data")
    service.start()
    assert service.process
    parts = _children(service.process.pid)
    first = service.send(MAIL)
    with service.smtp() as smtp:  # in the middle of a mail
        smtp.ehlo()
        smtp.mail(SENDER)
        service.process.kill()
        service.process.wait()
        if service.process.stdout:
            service.process.stdout.close()
        service.start()
        smtp.close()
    try:
        service.wait_final(first)
        _until("the orphans end", lambda: not any(map(_alive, parts)))
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            service.process.send_signal(number)
        assert service.stop() == 0
    finally:
        if service.process.poll() is None:
            service.kill()
    assert "Traceback" not in (service.folder / "service.log").read_text()


# --- an operator's mistakes ----------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return set_up(tmp_path_factory.mktemp("settings") / "data").folder


MISTAKES = {
    "log = .*": 'log = "Bad Name"',
    "port = 2525": "port = 70000",
    "port = 8025": "port = -1",
    'lmtp = ""': 'lmtp = "nonsense"',
    "max_age_seconds = .*": "max_age_seconds = nan",
    r"\[batches\]": "[batches]\nmax_records = 0",
    r"\[smtp\]": "[smtp]\nsize_limit_bytes = -1",
    r"\[http\]": "[ledger]\npoll_seconds = inf\n[http]",
    "public_url": "public_urll",
}


@pytest.mark.parametrize("place", MISTAKES)
def test_a_mistake_in_the_settings_is_told_before_anything_starts(
    folder: Path, tmp_path: Path, place: str
) -> None:
    text = (folder / "settings.toml").read_text()
    wrong, changes = re.subn(f"(?m)^{place}", MISTAKES[place], text, count=1)
    assert changes == 1
    (tmp_path / "settings.toml").write_text(wrong)
    with pytest.raises(Misconfigured):
        read_settings(tmp_path)


@pytest.mark.parametrize("wrong", [{"address": "nonsense"}, {"zone": "Mars/Base"}, {"owner": "x"}])
def test_an_init_that_fails_leaves_nothing_and_can_be_tried_again(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    right = InitOptions(
        address="p@x.example", sender_domains=(), organisation="X", owner="o@x.example",
        zone="UTC", language="en",
    )  # fmt: skip
    folder = tmp_path / "new"
    with pytest.raises(ProofmailError):
        initialise(folder, replace(right, **wrong))  # type: ignore[arg-type]
    assert list(folder.iterdir()) == []


def test_a_port_in_use_and_a_damaged_database_are_one_line_each(
    folder: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _serve(folder, "--smtp", "127.0.0.1:0", "--http", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert f"proofmail: cannot listen for HTTP on port {port}\n" in done.stderr
    assert "Traceback" not in done.stderr
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "proofmail.db").write_bytes(b"no database at all " * 500)
    done = subprocess.run(
        [sys.executable, "-m", "proofmail", "fsck", str(broken)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("proofmail: the database's file is damaged")
    assert len(done.stderr.splitlines()) == 1


def test_a_full_disk_is_451_and_room_again_is_250(service: Service) -> None:
    """The gateways may write no file beyond this size, which SQLite meets as a full disk."""
    gateways = _parts(service, "gateway")
    soft, hard = resource.prlimit(gateways[0], resource.RLIMIT_FSIZE)
    small = max(path.stat().st_size for path in service.folder.glob("proofmail.db*")) + 100_000
    for gateway in gateways:
        resource.prlimit(gateway, resource.RLIMIT_FSIZE, (small, hard))
    kept, refused = [], 0
    try:
        with service.smtp() as smtp:
            for number in range(400):
                code, answer = send_on(smtp, b"X-Number: %d\r\n" % number + MAIL)
                assert code in (250, 451)
                if code == 250:
                    kept.append(recorded_id(answer))
                refused += code == 451
                if refused == 3:
                    break
        assert refused
        assert service.get("/healthz")
    finally:
        for gateway in gateways:
            resource.prlimit(gateway, resource.RLIMIT_FSIZE, (soft, hard))
    after = service.send(b"X-After: all\r\n" + MAIL)
    service.wait_final(*kept[:1], *kept[-1:], after)
    for record in kept:
        assert service.record(record)["id"] == record

"""A real service in its own processes, for tests that try it as its users would."""

from __future__ import annotations

import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofmail.setup import InitOptions, Made
from proofmail.wiring import initialise

ADDRESS = "proof@test.example"
SENDER = "claire@atelier.example"
_READY = re.compile(r"SMTP (\S+?):(\d+)(?:, LMTP (\S+))?, (http://\S+)")


@dataclass
class Service:
    """A data folder and, while it runs, the places of its service."""

    folder: Path
    made: Made
    process: subprocess.Popen[str] | None = None
    host: str = ""
    port: int = 0
    lmtp: str = ""
    url: str = ""
    extra: list[str] = field(default_factory=list)

    def start(self) -> None:
        log = (self.folder / "service.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "proofmail", "serve", str(self.folder),
             "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0", *self.extra],
            stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )  # fmt: skip
        log.close()
        assert self.process.stdout
        line = self.process.stdout.readline()
        ready = _READY.search(line)
        assert ready, (line, (self.folder / "service.log").read_text())
        self.host, self.port, self.lmtp, self.url = ready[1], int(ready[2]), ready[3], ready[4]

    @property
    def temporary(self) -> Path:
        path = self.folder.parent / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def stop(self) -> int:
        assert self.process
        if self.process.stdout:
            self.process.stdout.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def kill(self) -> None:
        """Everything dies at once, as when the power goes."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        if self.process.stdout:
            self.process.stdout.close()

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP(self.host, self.port, local_hostname="client.example", timeout=60)

    def send(self, mail: bytes, sender: str = SENDER) -> str:
        """The id in the 250; fails on any other answer."""
        with self.smtp() as smtp:
            code, answer = send_on(smtp, mail, sender)
        assert code == 250, (code, answer)
        return recorded_id(answer)

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"Bearer {self.made.api_key}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            body: bytes = answer.read()
        return body

    def record(self, record: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get(f"/api/v1/records/{record}"))
        return found

    def wait_final(self, *records: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while True:
            states = [self.record(record) for record in records]
            if all(item["state"] == "final" and item["stamped"] for item in states):
                return
            assert time.monotonic() < deadline, [item["state"] for item in states]
            time.sleep(0.2)


def send_on(smtp: smtplib.SMTP, mail: bytes, sender: str = SENDER) -> tuple[int, bytes]:
    """One mail on an open connection; the answer to its final dot, or the first refusal."""
    smtp.ehlo_or_helo_if_needed()
    for code, answer in (smtp.mail(sender), smtp.rcpt(ADDRESS)):
        if code != 250:
            smtp.rset()
            return code, answer
    return smtp.data(mail)


def recorded_id(answer: bytes) -> str:
    found = re.fullmatch(rb"2\.6\.0 Recorded (\S+)", answer)
    assert found, answer
    return found[1].decode()


def set_up(folder: Path, *extra: str) -> Service:
    """A fresh data folder whose batches close after a second."""
    made = initialise(
        folder,
        InitOptions(
            address=ADDRESS, sender_domains=("atelier.example",), organisation="Atelier",
            owner="owner@atelier.example", zone="Europe/Paris", language="fr",
            batch_age_seconds=1.0,
        ),
    )  # fmt: skip
    return Service(folder, made, extra=list(extra))


@contextmanager
def running(folder: Path, *extra: str) -> Iterator[Service]:
    service = set_up(folder, *extra)
    service.start()
    try:
        yield service
    finally:
        if service.process and service.process.poll() is None:
            service.kill()

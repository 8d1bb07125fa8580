"""Kills a real service at random moments under load, and then looks whether it kept its word.

`python -m tests.reliability.kill --seconds 600` runs `proofmail serve` with several gateway
processes. Senders send mails, some of them twice, and receipts; what got no 250 is sent again, as a
mail server does. Meanwhile a random part, the supervisor or all of them are killed with SIGKILL,
and proofs are fetched. In the end all must become final, fsck must find nothing, and every proof
that was ever fetched, and one for each 250, must verify.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import smtplib
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from proofmail.core.proof import read_proof
from proofmail.store.engine import open_store
from proofmail.store.proofs import assemble
from proofmail.verify.checks import verify_proof
from proofmail.verify.trust import Trust, read_trust
from tests.making import MAIL
from tests.store.house import read_receipt
from tests.system.service import SENDER, Service, recorded_id, send_on, set_up

FINAL_WITHIN_SECONDS = 300.0
PARTS = ("gateway", "worker", "web", "supervisor", "everything")


@dataclass(frozen=True)
class Plan:
    seconds: float
    gateways: int = 3
    senders: int = 4
    seed: int = 11
    least_kills: int = 0
    least_pause_seconds: float = 0.3
    most_pause_seconds: float = 5.0


@dataclass
class Tally:
    """What was promised and what was seen. `wrong` names every broken promise."""

    acknowledged: dict[bytes, str] = field(default_factory=dict)
    """The id in the 250, by the bytes of the mail."""
    proofs: list[tuple[str, bytes]] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    sent_again: int = 0
    wrong: list[str] = field(default_factory=list)


class Run:
    """One service, its senders and its killer."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._plan, self._dice = plan, random.Random(plan.seed)
        self.service = set_up(folder)
        settings = folder / "settings.toml"
        text = re.sub(r"(?m)^gateway_processes = .*\n", "", settings.read_text())
        settings.write_text(
            text.replace("[smtp]\n", f"[smtp]\ngateway_processes = {plan.gateways}\n")
        )
        self.tally = Tally()
        self._over = threading.Event()

    def go(self) -> Tally:
        """Runs for the planned time, waits until all is final, and judges."""
        threads = [
            threading.Thread(target=self._send, args=(number,))
            for number in range(self._plan.senders)
        ]
        threads.append(threading.Thread(target=self._fetch))
        try:
            self.service.start()
            for thread in threads:
                thread.start()
            end = time.monotonic() + self._plan.seconds
            while time.monotonic() < end or self.tally.kills.total() < self._plan.least_kills:
                time.sleep(
                    self._dice.uniform(
                        self._plan.least_pause_seconds, self._plan.most_pause_seconds
                    )
                )
                self._kill(self._dice.choice(PARTS))
            self._over.set()
            for thread in threads:
                thread.join(120)
                if thread.is_alive():
                    self.tally.wrong.append("a sender did not get all of its mails taken")
            self._wait_final()
        finally:
            self._over.set()
            self._end()
        self._judge()
        return self.tally

    def _end(self) -> None:
        process = self.service.process
        if process is not None and process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self.service.stop()
            if process.poll() is None:
                self.service.kill()

    def _kill(self, what: str) -> None:
        process = self.service.process
        if process is None:
            return
        self.tally.kills[what] += 1
        if what == "everything":
            self.service.kill()
        elif what == "supervisor":
            process.kill()
            process.wait(10)
            if process.stdout:
                process.stdout.close()
        else:
            with suppress(ProcessLookupError, IndexError):
                os.kill(self._dice.choice(_parts(process.pid, what)), signal.SIGKILL)
            return
        self.service.start()

    def _send(self, number: int) -> None:
        """Sends until the end, and then until all of its own has got a 250."""
        dice, count = random.Random(f"{self._plan.seed}-{number}"), 0
        waiting: list[bytes] = []
        mine: list[bytes] = []
        while not self._over.is_set() or waiting:
            try:
                with self.service.smtp() as smtp:
                    while not self._over.is_set() or waiting:
                        if not waiting:
                            count += 1
                            waiting.append(self._next(dice, f"{number}-{count}", mine))
                        if not self._give(smtp, waiting[0]):
                            time.sleep(0.1)
                            continue
                        mine.append(waiting.pop(0))
            except (OSError, smtplib.SMTPException):
                self.tally.sent_again += 1
                time.sleep(0.1)

    def _next(self, dice: random.Random, name: str, mine: list[bytes]) -> bytes:
        """A mail; now and then one that was sent already, or the receipt of one."""
        chance = dice.random()
        if mine and chance < 0.1:
            return dice.choice(mine)
        mails = [item for item in mine[-50:] if b"X-Number: " in item]
        if mails and chance < 0.15:
            found = re.search(rb"X-Number: (\S+)", dice.choice(mails))
            if found:
                return read_receipt(f"{found[1].decode()}@atelier.example").replace(
                    b"Subject: ", b"Subject: " + name.encode() + b" "
                )
        identifier = b"<" + name.encode() + b"@atelier.example>"
        return (
            b"X-Number: "
            + name.encode()
            + b"\r\n"
            + MAIL.replace(b"<offre-42@atelier.example>", identifier)
        )

    def _give(self, smtp: smtplib.SMTP, mail: bytes) -> bool:
        sender = SENDER if mail.startswith(b"X-Number: ") else ""
        code, answer = send_on(smtp, mail, sender)
        if code != 250:
            if code >= 500:
                self.tally.wrong.append(f"a mail was refused with {code}")
                return True
            return False
        record = recorded_id(answer)
        if self.tally.acknowledged.setdefault(mail, record) != record:
            self.tally.wrong.append("one mail has two records")
        return True

    def _fetch(self) -> None:
        """Proofs as they are at random moments, kept as an administrator keeps them."""
        dice = random.Random(f"{self._plan.seed}-proofs")
        while not self._over.is_set():
            known = list(self.tally.acknowledged.values())
            if known:
                # The newest are the least complete.
                record = dice.choice(known[-20:] if dice.random() < 0.7 else known)
                with suppress(OSError, HTTPException):
                    data = self.service.get(f"/api/v1/records/{record}/proof.json")
                    self.tally.proofs.append((record, data))
            time.sleep(0.1)

    def _wait_final(self) -> None:
        deadline = time.monotonic() + FINAL_WITHIN_SECONDS
        waiting = (
            "SELECT count(*) FROM records r LEFT JOIN batches b ON b.id = r.batch"
            " WHERE r.stamped_at IS NULL OR b.state IS NULL OR b.state <> 'final'"
        )
        while _ask(self.service, waiting):
            if time.monotonic() > deadline:
                self.tally.wrong.append("not all records become final")
                return
            time.sleep(0.5)
        while _blocks(self.service) - _trusted(self.service) and time.monotonic() < deadline:
            time.sleep(0.2)

    def _judge(self) -> None:
        wrong, folder = self.tally.wrong, self.service.folder
        trust = read_trust((folder / "trust.json").read_bytes())
        promised = self.tally.acknowledged
        for what, query, expected in (
            ("records", "SELECT count(*) FROM records", len(promised)),
            ("memberships", "SELECT count(*) FROM memberships", len(promised)),
            ("gaps", "SELECT max(sequence) - count(*) FROM batches", 0),
            ("batches", "SELECT count(*) - count(DISTINCT batch) FROM anchors", 0),
            ("nonces", "SELECT count(*) - count(DISTINCT batch) FROM nonces", 0),
            ("blocks", "SELECT count(*) - count(DISTINCT block_hash) FROM anchors", 0),
        ):
            found = _ask(self.service, query)
            if found != expected:
                wrong.append(f"{what}: {found} instead of {expected}")
        self._verify(trust)
        done = subprocess.run(
            [sys.executable, "-m", "proofmail", "fsck", str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            wrong.append(f"fsck: {done.stdout[-1000:]}")

    def _verify(self, trust: Trust) -> None:
        wrong = self.tally.wrong
        for record, data in self.tally.proofs:
            status = verify_proof(read_proof(data), trust).exit_status
            if status not in (0, 3):
                wrong.append(f"a proof of {record} that was fetched earlier: status {status}")
        store = open_store(f"sqlite:///{self.service.folder / 'proofmail.db'}")
        try:
            with store.read() as connection:
                query = "SELECT id FROM organisations"
                organisation = connection.exec_driver_sql(query).scalar_one()
            for record in self.tally.acknowledged.values():
                report = verify_proof(assemble(store, organisation, record), trust)
                passed = [witness.status for witness in report.witnesses].count("passed")
                if report.exit_status or passed < 2:
                    wrong.append(f"{record}: status {report.exit_status}, {passed} witnesses")
        finally:
            store.close()


def _ask(service: Service, query: str) -> int:
    with closing(sqlite3.connect(service.folder / "proofmail.db", timeout=30)) as database:
        found: int = database.execute(query).fetchone()[0]
    return found


def _blocks(service: Service) -> set[bytes]:
    with closing(sqlite3.connect(service.folder / "proofmail.db", timeout=30)) as database:
        return {row[0] for row in database.execute("SELECT block_hash FROM anchors")}


def _trusted(service: Service) -> set[bytes]:
    trust = read_trust((service.folder / "trust.json").read_bytes())
    return {block for chain in trust.chains for block in chain.blocks}


def _parts(supervisor: int, name: str) -> list[int]:
    """The children of this supervisor with this name."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            stat = (path / "stat").read_text().rpartition(")")[2].split()
            words = (path / "cmdline").read_bytes().split(b"\0")
            if int(stat[1]) == supervisor and stat[0] != "Z" and name.encode() in words:
                found.append(int(path.name))
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--gateways", type=int, default=3)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    plan = Plan(given.seconds, given.gateways, given.senders, given.seed)
    with TemporaryDirectory(prefix="proofmail-kill-") as folder:
        tally = Run(Path(folder) / "data", plan).go()
    kills = ", ".join(f"{name} {n}" for name, n in sorted(tally.kills.items()))
    print(f"killed {tally.kills.total()} times: {kills}")
    print(f"connections that broke: {tally.sent_again}")
    print(f"answered 250, each a record: {len(tally.acknowledged)}")
    print(f"proofs fetched on the way and verified: {len(tally.proofs)}")
    print(f"broken promises: {len(tally.wrong)}")
    for words in tally.wrong[:50]:
        print(f"  {words}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

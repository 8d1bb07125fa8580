"""kill -9 at many moments: no mail that got its 250 is lost, and nothing is anchored twice."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.making import MAIL
from tests.system.service import Service, recorded_id, send_on, set_up

ROUNDS = 4


def _load(service: Service, kept: list[str], stop: threading.Event, name: str) -> None:
    number = 0
    try:
        with service.smtp() as smtp:
            while not stop.is_set():
                number += 1
                mail = f"X-Number: {name}-{number}\r\n".encode() + MAIL
                code, answer = send_on(smtp, mail)
                if code == 250:
                    kept.append(recorded_id(answer))
    except OSError:
        return  # the service was killed: what got no 250 may be lost
    except Exception as error:
        if "smtplib" not in type(error).__module__:
            raise


def test_kill_nine_loses_nothing_and_anchors_nothing_twice(tmp_path: Path) -> None:
    service = set_up(tmp_path / "data")
    dice = random.Random(11)
    kept: list[str] = []
    for number in range(ROUNDS):
        service.start()
        stop = threading.Event()
        senders = [
            threading.Thread(target=_load, args=(service, kept, stop, f"{number}-{n}"))
            for n in range(2)
        ]
        for sender in senders:
            sender.start()
        time.sleep(dice.uniform(0.4, 3.0))
        service.kill()
        stop.set()
        for sender in senders:
            sender.join(30)
    assert len(kept) > 50
    service.start()
    try:
        service.wait_final(*kept[:1], *kept[-1:], seconds=60)
        for record in kept[:: max(1, len(kept) // 20)]:
            service.wait_final(record)
    finally:
        service.stop()
    with sqlite3.connect(tmp_path / "data" / "proofmail.db") as database:
        known = {row[0] for row in database.execute("select id from records")}
        assert set(kept) <= known
        assert database.execute("select count(*) from records where batch is null").fetchone() == (
            0,
        )
        twice = "select count(*) from anchors group by batch having count(*) > 1"
        assert database.execute(twice).fetchall() == []
        sent = "select count(*), count(distinct nonce), count(distinct batch) from transactions"
        total, nonces, batches = database.execute(sent).fetchone()
        assert total == nonces == batches
    database.close()
    done = subprocess.run(
        [sys.executable, "-m", "proofmail", "fsck", str(tmp_path / "data")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

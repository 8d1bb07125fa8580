"""What the load is sent to: our service, and a Postfix of our own; both on loopback.

Both keep what they keep under the one folder for temporary files, hence on one disk: set TMPDIR to
choose another.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

from bench.mails import RECIPIENT
from tests.parts import PARTS, find
from tests.postfix import Postfix, private_postfix
from tests.system.service import Service, set_up


@contextmanager
def our_service() -> Iterator[Service]:
    """`proofmail serve` on a fresh data folder: gateway, worker and web, as an operator runs it."""
    with tempfile.TemporaryDirectory(prefix="proofmail-bench-") as made:
        service = set_up(Path(made) / "data")
        try:
            service.start()
            yield service
        finally:
            if service.process and service.process.poll() is None:
                service.kill()


def missing_postfix() -> str:
    """Why there is no Postfix to compare with; "" if there is one."""
    if find("postfix") is None:
        return f"no Postfix here: {PARTS['postfix'].cure}"
    return "" if os.geteuid() == 0 else "Postfix starts as root only"


def holding_postfix() -> AbstractContextManager[Postfix]:
    """A Postfix that accepts to its queue and goes no further: every mail is put on hold, so no
    queue manager reads it again. Its check of addresses and its delays are off."""
    return private_postfix(
        9,  # nothing is delivered there
        domain=RECIPIENT.partition("@")[2],
        settings={
            "smtpd_recipient_restrictions": "check_recipient_access static:HOLD",
            "in_flow_delay": "0",
            "smtpd_error_sleep_time": "0",
        },
    )


def count_records(service: Service) -> int:
    """The records in the database, read beside the service that runs."""
    with closing(sqlite3.connect(service.folder / "proofmail.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM records").fetchone()[0])


def count_held(postfix: Postfix) -> int:
    """The mails in the queue, on hold."""
    return sum(1 for _ in (postfix.folder / "queue" / "hold").iterdir())


def check_kept(who: str, answered: int, kept: int) -> None:
    """A side that kept less, or more, than it answered 250 was not measured at the same work."""
    if kept != answered:
        raise RuntimeError(f"{who} answered {answered} mails with 250 and kept {kept}")


def part_pid(service: Service, name: str) -> int:
    """The process of a part of our service."""
    if service.process is None:
        raise RuntimeError("the service does not run")
    supervisor = service.process.pid
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if parent == supervisor and name.encode() in words:
                return int(entry.name)
    raise RuntimeError(f"no process of the part {name}")

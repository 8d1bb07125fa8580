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


def part_pids(service: Service, name: str) -> list[int]:
    """The processes of a part of our service; the gateway may have several."""
    if service.process is None:
        raise RuntimeError("the service does not run")
    found = []
    for pid in _family(service.process.pid):
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"part" in words and name.encode() in words:
                found.append(pid)
    if not found:
        raise RuntimeError(f"no process of the part {name}")
    return found


def our_root(service: Service) -> int:
    """The process that all others of our service descend from."""
    if service.process is None:
        raise RuntimeError("the service does not run")
    return service.process.pid


def postfix_root(postfix: Postfix) -> int:
    """The same of Postfix: its master."""
    return int((postfix.folder / "queue" / "pid" / "master.pid").read_text())


def processor_seconds(root: int) -> float:
    """What a process and its descendants have used, with those that ended and were waited for."""
    ticks = 0
    for pid in _family(root):
        with suppress(OSError):
            ticks += sum(map(int, _stat(pid)[11:15]))  # utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on, the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

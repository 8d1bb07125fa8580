"""What the load is sent to: our service, a Postfix of our own, and a sink; all on loopback.

All keep what they keep under the one folder for temporary files, hence on one disk: set TMPDIR to
choose another.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
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
        service.start()
        try:
            yield service
        finally:
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


@contextmanager
def sink() -> Iterator[int | None]:
    """Postfix's smtp-sink, which answers and throws away; yields its port, None without it."""
    command = shutil.which("smtp-sink") or shutil.which("/usr/sbin/smtp-sink")
    if command is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([command, *user, f"127.0.0.1:{port}", "100"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.05)
    raise RuntimeError("the sink does not answer")


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

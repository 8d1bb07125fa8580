"""Resident memory of the gateway processes while 50 sessions each send 25 MB, against idle."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path

from bench.load import Plan, send
from bench.servers import our_service, part_pids
from bench.table import Row

MANY = Plan(sessions=50, size_bytes=25_000_000, mails=1)
SAMPLE_SECONDS = 0.02


def run() -> list[Row]:
    with our_service() as service:
        statuses = [Path(f"/proc/{pid}/status") for pid in part_pids(service, "gateway")]
        idle = _resident_mb(statuses)
        over = threading.Event()
        most = [idle]

        def watch() -> None:
            while not over.wait(SAMPLE_SECONDS):
                most[0] = max(most[0], _resident_mb(statuses))

        watcher = threading.Thread(target=watch, daemon=True)
        result = None
        watcher.start()
        try:
            result = send(service.host, service.port, MANY)
        finally:
            over.set()
            watcher.join()
    print(
        f"memory: {len(statuses)} gateway processes, idle {idle:.0f} MB, most {most[0]:.0f} MB, "
        f"{result.mails} mails of 25 MB"
    )
    return [
        Row("more memory with 50 sessions of 25 MB", most[0] - idle, None, None, "MB",
            64.0, 200.0, less=True),
        Row("  25 MB mails recorded", result.per_second, None, None, "mails/s"),
    ]  # fmt: skip


def _resident_mb(statuses: Sequence[Path]) -> float:
    """The sum; what the processes have in common is counted for each, in both figures."""
    total = 0
    for status in statuses:
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        if found is None:
            raise RuntimeError("a gateway process has gone")
        total += int(found[1])
    return total / 1024

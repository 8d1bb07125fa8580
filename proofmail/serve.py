"""Supervises the service's processes: gateway, worker and web, each started anew when it dies.

A part's standard input is a pipe that only the supervisor holds: when the supervisor is killed,
however suddenly, every part reads the end of it and stops. A part says on its standard output
when it is ready, and where.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from proofmail.errors import Misconfigured

log = logging.getLogger("proofmail.serve")

LOCK_FILE = "serve.lock"
PARTS = ("gateway", "worker", "web")
READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 25.0
MOST_BACK_OFF_SECONDS = 30.0
_STEADY_SECONDS = 60.0


@dataclass
class _Part:
    """One supervised process and what it said when it became ready."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    places: dict[str, str] = field(default_factory=dict)
    started_at: float = 0.0
    back_off_seconds: float = 0.5
    restart_at: float = 0.0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*self.command, *_again(self.places)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                self.places = json.loads(line)
                self.ready.set()


def _again(places: dict[str, str]) -> list[str]:
    """A part that is started anew listens where the first one did."""
    return [f"--{name}={place}" for name, place in places.items()]


def supervise(
    folder: Path, arguments: dict[str, list[str]], announce: Callable[[str], None]
) -> int:
    """Runs all parts on a data folder until SIGTERM or SIGINT; returns the exit status.

    Misconfigured when another does so already. `arguments` are further words for a part's command;
    `announce` is called once, with the places that people may use, when every part is ready.
    """
    with _only_one(folder):
        return _supervise(folder, arguments, announce)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, which ends with this process, however it ends."""
    with (folder / LOCK_FILE).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(f"{folder} is being served already") from None
        yield


def _supervise(
    folder: Path, arguments: dict[str, list[str]], announce: Callable[[str], None]
) -> int:
    stop = _asked_to_stop()
    base = [sys.executable, "-m", "proofmail", "part"]
    parts = [_Part(name, [*base, name, str(folder), *arguments.get(name, [])]) for name in PARTS]
    try:
        for part in parts:
            part.start()
        if not _wait_ready(parts, stop):
            return 0 if stop.is_set() else 1
        announce(_places(parts))
        while not stop.wait(0.2):
            _restart_dead(parts)
        return 0
    finally:
        _stop(parts)


def _wait_ready(parts: Sequence[_Part], stop: threading.Event) -> bool:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not all(part.ready.is_set() for part in parts):
        for part in parts:
            if part.process and part.process.poll() is not None:
                log.error("%s ended with status %s at start", part.name, part.process.returncode)
                return False
        if time.monotonic() > deadline:
            late = ", ".join(part.name for part in parts if not part.ready.is_set())
            raise Misconfigured(f"not ready after {READY_WITHIN_SECONDS:.0f} s: {late}")
        if stop.wait(0.05):
            return False
    return True


def _places(parts: Sequence[_Part]) -> str:
    places = {name: place for part in parts for name, place in part.places.items()}
    named = [f"{name.upper()} {place}" for name, place in places.items() if name != "http"]
    return ", ".join([*named, f"http://{places['http']}"])


def _restart_dead(parts: Sequence[_Part]) -> None:
    now = time.monotonic()
    for part in parts:
        if part.process is None or part.process.poll() is None:
            continue
        if part.restart_at == 0.0:
            if now - part.started_at > _STEADY_SECONDS:
                part.back_off_seconds = 0.5
            log.error(
                "%s ended with status %s; again in %.1f s",
                part.name, part.process.returncode, part.back_off_seconds,
            )  # fmt: skip
            part.restart_at = now + part.back_off_seconds
            part.back_off_seconds = min(MOST_BACK_OFF_SECONDS, part.back_off_seconds * 2)
        elif now >= part.restart_at:
            part.restart_at = 0.0
            part.start()


def _stop(parts: Sequence[_Part]) -> None:
    """Asks first; a part that does not end in time is killed, which loses nothing."""
    running = [part.process for part in parts if part.process and part.process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _asked_to_stop() -> threading.Event:
    """An event that SIGTERM and SIGINT set, however many come at once.

    Not set by the handler itself: that runs inside whatever the main thread is doing, which may
    be `wait` or another handler's `set`, and would wait for ever for the lock that these hold. A
    SimpleQueue may be put to from there."""
    stop = threading.Event()
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda seen, _: signals.put(seen))

    def listen() -> None:
        signals.get()
        stop.set()

    threading.Thread(target=listen, daemon=True, name="signals").start()
    return stop


def part_lifetime() -> threading.Event:
    """In a part: an event that is set by SIGTERM, SIGINT, or the supervisor's end."""
    over = _asked_to_stop()

    def listen() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        over.set()
        # Nobody is left to end a part that hangs, and one that lingers keeps the built-in chain
        # and the ports from its successor. Being killed loses nothing.
        time.sleep(STOP_WITHIN_SECONDS)
        os._exit(1)

    threading.Thread(target=listen, daemon=True, name="lifetime").start()
    return over


def say_ready(**places: str) -> None:
    """In a part: tells the supervisor that it is ready, and where it listens."""
    sys.stdout.write(json.dumps(places) + "\n")
    sys.stdout.flush()

"""Supervises the service's processes: gateways, worker and web, each started anew when it dies.

The doors for mail are opened here, once, and every gateway process inherits them: while one is
started anew the others take the connections, and with one alone they wait in the queue. A part's
standard input is a pipe that only the supervisor holds: when the supervisor is killed, however
suddenly, every part reads the end of it and stops. A part says on its standard output when it is
ready, and where.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from proofmail import COMPILED, __version__
from proofmail.config import Settings, gateway_processes, parse_endpoint
from proofmail.errors import Misconfigured
from smtp_gateway.board import shared_memory
from smtp_gateway.doors import open_lmtp, open_tcp, open_unix

log = logging.getLogger("proofmail.serve")

LOCK_FILE = "serve.lock"
READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 25.0
MOST_BACK_OFF_SECONDS = 30.0
DOOR_PATIENCE_SECONDS = 3.0
_STEADY_SECONDS = 60.0


def environment_of(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What a part inherits: the secrets of the anchor key go to the worker alone, which signs."""
    return {
        key: value
        for key, value in environment.items()
        if name == "worker" or not key.startswith("PROOFMAIL_ANCHOR_")
    }


@dataclass
class _Part:
    """One supervised process and what it said when it became ready."""

    name: str
    command: Sequence[str]
    inherited: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    places: dict[str, str] = field(default_factory=dict)
    started_at: float = 0.0
    back_off_seconds: float = 0.5
    restart_at: float = 0.0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*self.command, *_again(self.places)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=self.inherited,
            env=environment_of(self.name, os.environ),
        )  # fmt: skip
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


def supervise(settings: Settings, announce: Callable[[str], None]) -> int:
    """Runs all parts on a data folder until SIGTERM or SIGINT; returns the exit status.

    Misconfigured when another does so already, or a door cannot be opened. `announce` is called
    once, with the places that people may use, when every part is ready.
    """
    with _only_one(settings.folder), _doors(settings) as doors:
        return _supervise(settings, doors, announce)


@dataclass(frozen=True)
class _Doors:
    """What every gateway process inherits, and where the doors are."""

    words: Sequence[str]
    inherited: Sequence[int]
    places: dict[str, str]


@contextlib.contextmanager
def _doors(settings: Settings) -> Iterator[_Doors]:
    """Opens the doors for mail, and the memory in which the gateways count together."""
    smtp = settings.smtp
    with contextlib.ExitStack() as stack:
        mail = _patiently(lambda: open_tcp(smtp.host, smtp.port))
        places = {"smtp": f"{smtp.host}:{mail[0].getsockname()[1]}"}
        front: list[socket.socket] = []
        stack.callback(_close, mail)
        if "/" in smtp.lmtp:
            path = settings.path(smtp.lmtp)
            front = [open_unix(str(path))]
            stack.callback(path.unlink, missing_ok=True)
            places["lmtp"] = str(path)
        elif smtp.lmtp:
            host, port = parse_endpoint(smtp.lmtp)
            front = _patiently(lambda: open_lmtp(host, port))
            places["lmtp"] = f"{host}:{front[0].getsockname()[1]}"
        stack.callback(_close, front)
        board = shared_memory()
        stack.callback(os.close, board)
        words = [f"--board={board}", f"--processes={gateway_processes(smtp)}"]
        for name, doors in (("smtp", mail), ("lmtp", front)):
            words += [f"--{name}-door={door.fileno()}" for door in doors]
        yield _Doors(words, [board, *(door.fileno() for door in (*mail, *front))], places)


def _patiently(open_doors: Callable[[], list[socket.socket]]) -> list[socket.socket]:
    """The gateways of a supervisor that was killed close their doors a moment after it."""
    until = time.monotonic() + DOOR_PATIENCE_SECONDS
    while True:
        try:
            return open_doors()
        except Misconfigured:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


def _close(doors: Sequence[socket.socket]) -> None:
    for door in doors:
        door.close()


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, which ends with this process, however it ends."""
    with (folder / LOCK_FILE).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(f"{folder} is being served already") from None
        yield


def _parts(settings: Settings, doors: _Doors) -> list[_Part]:
    def command(name: str, *words: str) -> list[str]:
        return [sys.executable, "-m", "proofmail", "part", name, str(settings.folder), *words]

    many = gateway_processes(settings.smtp)
    http = settings.http
    return [
        *(
            _Part(
                f"gateway {number + 1}" if many > 1 else "gateway",
                command("gateway", f"--number={number}", *doors.words),
                doors.inherited,
            )
            for number in range(many)
        ),
        _Part("worker", command("worker")),
        _Part("web", command("web", f"--http=[{http.host}]:{http.port}")),
    ]


def _supervise(settings: Settings, doors: _Doors, announce: Callable[[str], None]) -> int:
    stop = _asked_to_stop()
    log.info("proofmail %s, scanner %s", __version__, "compiled" if COMPILED else "interpreted")
    parts = _parts(settings, doors)
    try:
        for part in parts:
            part.start()
        if not _wait_ready(parts, stop):
            return 0 if stop.is_set() else 1
        announce(_places(doors, parts))
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


def _places(doors: _Doors, parts: Sequence[_Part]) -> str:
    said = {name: place for part in parts for name, place in part.places.items()}
    places = {**doors.places, **said}
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
    """In a part: an event that is set by SIGTERM, SIGINT, or the supervisor's end. It also sees to
    it that a message in memory does not get to the disk in a core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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

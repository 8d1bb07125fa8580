"""Several gateway processes behind one door: both serve, one is killed, and the promises hold."""

from __future__ import annotations

import os
import re
import signal
import smtplib
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.making import MAIL
from tests.system.service import ADDRESS, SENDER, Service, recorded_id, send_on, set_up

WITHIN_SECONDS = 30


def _set(service: Service, line: str, wrong: str = "") -> None:
    path = service.folder / "settings.toml"
    text = path.read_text()
    if wrong:
        text = re.sub(f"(?m)^{wrong} = .*\n", "", text)
    path.write_text(text.replace("[smtp]\n", f"[smtp]\n{line}\n"))


@contextmanager
def _started(folder: Path, *lines: str) -> Iterator[Service]:
    service = set_up(folder, "--lmtp", str(folder / "lmtp"))
    for line in ("gateway_processes = 2", *lines):
        _set(service, line, line.partition(" ")[0])
    service.start()
    try:
        yield service
    finally:
        if service.process and service.process.poll() is None:
            service.kill()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with _started(tmp_path_factory.mktemp("gateways") / "data") as service:
        yield service


def _gateways(service: Service) -> list[int]:
    """The gateway processes that live."""
    assert service.process
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = (path / "stat").read_text().rpartition(")")[2].split()
            words = (path / "cmdline").read_bytes().split(b"\0")
            if int(stat[1]) == service.process.pid and stat[0] != "Z" and b"gateway" in words:
                found.append(int(path.name))
    return sorted(found)


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _sessions_of(service: Service, pid: int) -> int:
    """How many connections to the door this process holds."""
    established, door = "01", f":{service.port:04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    links = {
        f"socket:[{row[9]}]" for row in rows if row[1].endswith(door) and row[3] == established
    }
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found += os.readlink(entry) in links
    return found


def _until(what: str, holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def _sessions(service: Service, number: int) -> Iterator[list[smtplib.SMTP]]:
    """So many greeted sessions, some of them in each process."""
    gateways = _gateways(service)
    assert len(gateways) == 2
    _until("nobody else is in", lambda: not any(_sessions_of(service, p) for p in gateways))
    made: list[smtplib.SMTP] = []

    def shared() -> bool:
        """A process that was just started anew may not take any yet."""
        for smtp in made:
            smtp.close()
        made[:] = [service.smtp() for _ in range(number)]
        return all(_sessions_of(service, p) for p in gateways)

    try:
        _until("both have some", shared)
        for smtp in made:
            smtp.ehlo()
        yield made
    finally:
        for smtp in made:
            smtp.close()


def _records(service: Service) -> set[str]:
    with closing(sqlite3.connect(service.folder / "proofmail.db")) as database:
        return {row[0] for row in database.execute("select id from records")}


def test_each_process_serves_both_doors_alone(service: Service) -> None:
    first, second = _gateways(service)
    for number, stopped in enumerate((first, second)):
        os.kill(stopped, signal.SIGSTOP)
        try:
            service.send(f"X-Number: {number}\r\n".encode() + MAIL)
            with closing(socket.socket(socket.AF_UNIX)) as front:
                front.settimeout(WITHIN_SECONDS)
                front.connect(service.lmtp)
                assert front.recv(100).startswith(b"220 ")
        finally:
            os.kill(stopped, signal.SIGCONT)


def test_the_same_mail_in_two_processes_at_once_is_one_record(service: Service) -> None:
    mail = b"X-Same: mail\r\n" + MAIL
    together = threading.Barrier(6)
    answers: list[tuple[int, bytes]] = []

    def send(smtp: smtplib.SMTP) -> None:
        together.wait(WITHIN_SECONDS)
        answers.append(send_on(smtp, mail))

    before = len(_records(service))
    with _sessions(service, 6) as sessions:
        threads = [threading.Thread(target=send, args=(smtp,)) for smtp in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WITHIN_SECONDS)
    assert len(answers) == 6
    assert len({recorded_id(answer) for _, answer in answers}) == 1
    assert len(_records(service)) == before + 1


def test_one_that_is_killed_under_load_loses_no_250_and_comes_back(service: Service) -> None:
    kept: list[str] = []
    faults: list[Exception] = []
    over = threading.Event()

    def load(name: int) -> None:
        number = 0
        while not over.is_set():
            try:
                with service.smtp() as smtp:
                    while not over.is_set():
                        number += 1
                        mail = f"X-Load: {name} {number}\r\n".encode() + MAIL
                        code, answer = send_on(smtp, mail)
                        if code == 250:
                            kept.append(recorded_id(answer))
            except ConnectionRefusedError as error:
                faults.append(error)  # the door is never shut
            except (OSError, smtplib.SMTPException):
                continue

    threads = [threading.Thread(target=load, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            before = _gateways(service)
            assert len(before) == 2
            seen = len(kept)
            _until("mails are recorded", lambda n=seen: len(kept) > n + 10)  # type: ignore[misc]
            os.kill(before[0], signal.SIGKILL)
            _until("it is gone", lambda b=before: b[0] not in _gateways(service))  # type: ignore[misc]
            seen = len(kept)
            _until("the other goes on", lambda n=seen: len(kept) > n + 10)  # type: ignore[misc]
            _until("there are two again", lambda: len(_gateways(service)) == 2)
    finally:
        over.set()
        for thread in threads:
            thread.join(WITHIN_SECONDS)
    assert not faults
    assert len(set(kept)) == len(kept)
    assert set(kept) <= _records(service)


def test_limits_hold_over_all_processes_and_the_dead_leave_their_seats(tmp_path: Path) -> None:
    with _started(tmp_path / "data", 'relay_networks = ["192.0.2.0/24"]') as service:

        def greeting() -> tuple[socket.socket, bytes]:
            peer = socket.create_connection((service.host, service.port), WITHIN_SECONDS)
            return peer, peer.recv(200)

        peers = [greeting() for _ in range(24)]
        try:
            codes = sorted(line[:3] for _, line in peers)
            assert codes == [b"220"] * 20 + [b"421"] * 4  # peer_connections of the service
            victim = _gateways(service)[0]
            os.kill(victim, signal.SIGKILL)
            _until("it is gone", lambda: victim not in _gateways(service))

            def let_in() -> bool:
                peers.append(greeting())
                return peers[-1][1].startswith(b"220 ")

            _until("its seats are free", let_in)
        finally:
            for peer, _ in peers:
                peer.close()
        _until("it is back", lambda: len(_gateways(service)) == 2)
        started = time.monotonic()
        codes_of = []
        with _sessions(service, 8) as sessions:
            for number in range(80):
                smtp = sessions[number % 8]
                smtp.mail(f"x{number}@elsewhere.example")
                codes_of.append(smtp.rcpt(ADDRESS)[0])
                smtp.rset()
        refilled = (time.monotonic() - started) * 30 / 60 + 1
        assert set(codes_of) == {250, 450}
        assert 60 <= codes_of.count(250) <= 60 + refilled  # unlisted_rate of the service


def test_the_end_lets_each_process_finish_the_data_under_way(tmp_path: Path) -> None:
    with _started(tmp_path / "data") as service:
        assert service.process
        with _sessions(service, 6) as sessions:
            for smtp in sessions:
                smtp.mail(SENDER)
                smtp.rcpt(ADDRESS)
                assert smtp.docmd("DATA")[0] == 354
                smtp.send(b"X-Cut: here\r\n")
            service.process.send_signal(signal.SIGTERM)

            def shut() -> bool:
                with closing(socket.socket()) as probe:
                    probe.settimeout(5)
                    try:
                        probe.connect((service.host, service.port))
                        return probe.recv(100) == b""
                    except OSError:
                        return True

            time.sleep(0.5)  # the signal has reached the parts
            answers = []
            for number, smtp in enumerate(sessions):
                smtp.send(f"Subject: {number}\r\n\r\nlate\r\n.\r\n".encode())
                answers.append(smtp.getreply())
            assert [code for code, _ in answers] == [250] * 6
            _until("the door is shut", shut)
        assert service.process.wait(WITHIN_SECONDS) == 0
        if service.process.stdout:
            service.process.stdout.close()
        assert {recorded_id(answer) for _, answer in answers} <= _records(service)
        assert not Path(service.lmtp).exists()
        assert "Traceback" not in (service.folder / "service.log").read_text()


def test_a_successor_of_a_killed_supervisor_gets_the_same_doors(tmp_path: Path) -> None:
    with _started(tmp_path / "data") as service:
        assert service.process
        orphans = _gateways(service)
        place = f"--smtp={service.host}:{service.port}"
        service.process.kill()
        service.process.wait()
        if service.process.stdout:
            service.process.stdout.close()
        service.extra.append(place)
        service.start()
        assert place.endswith(f":{service.port}")
        service.send(b"X-After: the supervisor\r\n" + MAIL)
        _until("the orphans end", lambda: not any(map(_lives, orphans)))
        assert service.stop() == 0

"""The load generator for every mail server here: a process a session, on plain blocking sockets.

Each mail is another one (our service answers the same bytes with the same record). A session
waits for every reply, as smtp-source does; `gateway` also measures this generator against a sink
that throws everything away, to show that it is not what is measured.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bench.mails import DOMAIN, RECIPIENT, body, head

SENDERS = 20
"""Each session takes turns between as many senders of the listed domain: the service allows a
sender 1,200 mails at once and then 600 a minute."""
_PIECE = 256 * 1024
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Plan:
    """What each session does: mails of `size_bytes` for `seconds`, or `mails` of them if that is
    not 0; `every_seconds` is the pace of one session, 0: as fast as it is answered."""

    sessions: int
    size_bytes: int
    seconds: float = 0.0
    mails: int = 0
    every_seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """`mails` answered 250, the rate over the time from the first to the last of them, and for
    each the time from the final dot to the 250."""

    mails: int
    per_second: float
    waits_seconds: list[float]

    def wait_ms(self, share: float) -> float:
        """The wait that this share of the mails did not exceed."""
        ordered = sorted(self.waits_seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def send(host: str, port: int, plan: Plan) -> Result:
    """Runs the plan; RuntimeError if any reply is not the one that belongs there."""
    bodies = _bodies(plan.size_bytes)
    pipes, processes = [], []
    for number in range(plan.sessions):
        mine, its = _FORK.Pipe()
        process = _FORK.Process(target=_session, args=(its, host, port, plan, number, bodies))
        process.start()
        its.close()
        pipes.append(mine)
        processes.append(process)
    try:
        for pipe in pipes:
            pipe.recv()  # connected and greeted
        start = time.monotonic() + 0.05
        for pipe in pipes:
            pipe.send(start)
        ends, waits = [], []
        for pipe in pipes:
            ended, its_waits = pipe.recv()
            ends.append(ended)
            waits += its_waits
    except EOFError as error:
        raise RuntimeError("a session of the load generator failed; see above") from error
    finally:
        for process in processes:
            process.join(10)
            process.kill()
    return Result(len(waits), len(waits) / (max(ends) - start), waits)


def _bodies(size_bytes: int) -> list[bytes]:
    """Several, made before the start; for large mails one, since the header differs anyway."""
    return [body(size_bytes, seed) for seed in range(32 if size_bytes < 100_000 else 1)]


def _session(
    pipe: Connection, host: str, port: int, plan: Plan, number: int, bodies: list[bytes]
) -> None:
    with socket.create_connection((host, port), timeout=60) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _expect(peer, b"220")
        _ask(peer, b"EHLO client.example", b"250")
        pipe.send(None)
        start = pipe.recv()
        # Paced sessions begin one after the other, not all at the same moment.
        due = start + plan.every_seconds * number / plan.sessions
        over = start + plan.seconds
        waits: list[float] = []
        while len(waits) < plan.mails if plan.mails else max(due, time.monotonic()) < over:
            time.sleep(max(0.0, due - time.monotonic()))
            sender = f"s{number}x{len(waits) % SENDERS}@{DOMAIN}"
            name = f"{os.getpid()}.{number}.{len(waits)}.{start}"
            waits.append(_one(peer, sender, head(sender, name), bodies[len(waits) % len(bodies)]))
            due += plan.every_seconds
        pipe.send((time.monotonic(), waits))
        _ask(peer, b"QUIT", b"221")


def _one(peer: socket.socket, sender: str, header: bytes, content: bytes) -> float:
    """Sends one mail; returns the seconds from the final dot to the 250."""
    _ask(peer, b"MAIL FROM:<" + sender.encode() + b">", b"250")
    _ask(peer, b"RCPT TO:<" + RECIPIENT.encode() + b">", b"250")
    _ask(peer, b"DATA", b"354")
    if len(content) <= _PIECE:
        peer.sendall(header + content + b".\r\n")
    else:
        peer.sendall(header)
        whole = memoryview(content)
        for at in range(0, len(content), _PIECE):
            peer.sendall(whole[at : at + _PIECE])
        peer.sendall(b".\r\n")
    dotted = time.monotonic()
    _expect(peer, b"250")
    return time.monotonic() - dotted


def _ask(peer: socket.socket, line: bytes, code: bytes) -> None:
    peer.sendall(line + b"\r\n")
    _expect(peer, code)


def _expect(peer: socket.socket, code: bytes) -> None:
    """Reads one reply, of one line or of several, and nothing beyond."""
    reply = b""
    while True:
        chunk = peer.recv(4096)
        if not chunk:
            raise RuntimeError("the server closed the connection")
        reply += chunk
        if reply.endswith(b"\n") and reply[reply.rfind(b"\n", 0, -1) + 1 :][3:4] != b"-":
            break
    if not reply.startswith(code):
        raise RuntimeError(f"expected {code!r}, got {reply[:200]!r}")

"""The gateway: connections taken from listening sockets, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from proofmail.errors import Misconfigured
from smtp_gateway.board import Board
from smtp_gateway.contract import Desk
from smtp_gateway.doors import open_lmtp, open_tcp, open_unix
from smtp_gateway.hall import Hall
from smtp_gateway.limits import Limits
from smtp_gateway.replies import SHUTDOWN
from smtp_gateway.session import Session

log = logging.getLogger("proofmail.smtp")

CROWDED_SECONDS = 0.002
"""What a process that has more than its share of the sessions leaves to the others."""
NO_ROOM_SECONDS = 1.0


class Gateway:
    """Receives mail for `desk`. It runs in the event loop that it is started in. Nothing is
    taken before `listen` or a `start` method is called; each may be called several times. `board`
    is what it shares with other gateway processes; it has the same `limits`. The constructor
    raises Misconfigured if `limits.relay_networks` holds what is no network."""

    def __init__(
        self,
        desk: Desk,
        *,
        hostname: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        board: Board | None = None,
    ) -> None:
        limits = limits or Limits()
        self._hall = Hall(desk, hostname, limits, tls, board or Board(limits))
        self._doors: list[socket.socket] = []
        self._arrivals: set[asyncio.Task[None]] = set()
        self._paths: list[str] = []

    async def start(self, host: str, port: int) -> int:
        """Opens the door for SMTP; returns the port. As :func:`smtp_gateway.doors.open_tcp`."""
        doors = open_tcp(host, port)
        self.listen(doors, lmtp=False)
        return int(doors[0].getsockname()[1])

    async def start_lmtp(self, host: str, port: int) -> int:
        """Opens a door for LMTP over TCP; returns the port. Whoever reaches it is taken for a
        front server, so bind it where only that one comes. As `open_lmtp`."""
        doors = open_lmtp(host, port)
        self.listen(doors, lmtp=True)
        return int(doors[0].getsockname()[1])

    async def start_lmtp_socket(self, path: str) -> None:
        """Opens a door for LMTP on a Unix socket, and removes it at the end. As `open_unix`."""
        self.listen([open_unix(path)], lmtp=True)
        self._paths.append(path)

    def listen(self, doors: Sequence[socket.socket], *, lmtp: bool) -> None:
        """Takes connections from listening, non-blocking sockets until `stop`, which closes them
        here. Other processes may take from the same ones."""
        for door in doors:
            self._doors.append(door)
            self._watch(door, lmtp)

    def _watch(self, door: socket.socket, lmtp: bool) -> None:
        if door in self._doors:  # and not closed meanwhile
            asyncio.get_running_loop().add_reader(door, self._arrive, door, lmtp)

    def _arrive(self, door: socket.socket, lmtp: bool) -> None:
        """One connection at a time, so that another process may have the next."""
        if self._hall.board.crowded:
            self._rest(door, lmtp, CROWDED_SECONDS)
        else:
            self._take(door, lmtp)

    def _rest(self, door: socket.socket, lmtp: bool, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(door)
        loop.call_later(seconds, self._return, door, lmtp)

    def _return(self, door: socket.socket, lmtp: bool) -> None:
        if door in self._doors:
            self._watch(door, lmtp)
            self._take(door, lmtp)

    def _take(self, door: socket.socket, lmtp: bool) -> None:
        try:
            connection, _ = door.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the peer has gone
        except OSError as error:
            log.error("no connection can be taken: %s", type(error).__name__)
            self._rest(door, lmtp, NO_ROOM_SECONDS)
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._seat(connection, lmtp))
        self._arrivals.add(task)
        task.add_done_callback(self._arrivals.discard)

    async def _seat(self, connection: socket.socket, lmtp: bool) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: Session(self._hall, lmtp=lmtp), connection)
        except OSError as error:
            log.info("a connection was lost at once: %s", type(error).__name__)
            connection.close()

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._hall.sessions)

    async def stop(self, grace_seconds: float = 30) -> None:
        """Takes no more connections; idle sessions get 421 at once. A DATA under way has
        `grace_seconds` to come to its end and its reply; then it gets 421, its Reception is
        abandoned, and a commit that still runs is cancelled. Safe to call twice."""
        self._hall.closing = True
        loop = asyncio.get_running_loop()
        doors, self._doors = self._doors, []
        for door in doors:
            loop.remove_reader(door)
            door.close()
        if self._arrivals:
            await asyncio.wait(set(self._arrivals))
        sessions = list(self._hall.sessions)
        for session in sessions:
            session.drain()
        await self._wait_for(sessions, grace_seconds)
        for session in list(self._hall.sessions):
            session.drop(SHUTDOWN)
        for task in list(self._hall.commits):
            task.cancel()
        await self._wait_for(sessions, self._hall.limits.linger_seconds)
        for session in sessions:
            session.abort()
        for path in self._paths:
            Path(path).unlink(missing_ok=True)
        self._paths = []

    async def _wait_for(self, sessions: list[Session], seconds: float) -> None:
        tasks: set[asyncio.Task[Any]] = {s.task for s in sessions if s.task is not None}
        tasks |= self._hall.commits
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For STARTTLS: a PEM chain, leaf first, and its unencrypted PEM key. TLS 1.2 or later. A
    mail server must speak to whoever comes, so no client certificate is asked for. Raises
    Misconfigured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password function OpenSSL would ask the terminal.
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise Misconfigured(
            "the TLS certificate or key cannot be used: give a PEM chain and its PEM key, "
            "readable and not encrypted"
        ) from error
    return context


def _no_password() -> str:
    raise ValueError

"""The gateway: listening sockets, and an orderly end."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from typing import Any

from proofmail.errors import Misconfigured
from smtp_gateway.contract import Desk
from smtp_gateway.hall import Hall
from smtp_gateway.limits import Limits
from smtp_gateway.replies import SHUTDOWN
from smtp_gateway.session import Session

# Readable and writable by the owner and the group: the front server joins the group.
SOCKET_MODE = 0o660


class Gateway:
    """Receives mail for `desk`. It runs in the event loop that `start` is called in. Nothing
    listens before a `start` method is called; each may be called several times. The constructor
    raises Misconfigured if `limits.relay_networks` holds what is no network."""

    def __init__(
        self,
        desk: Desk,
        *,
        hostname: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._hall = Hall(desk, hostname, limits or Limits(), tls)
        self._servers: list[asyncio.Server] = []
        self._paths: list[str] = []

    async def start(self, host: str, port: int) -> int:
        """Listens for SMTP; returns the port, which the system chooses if 0 was asked for. Raises
        Misconfigured if it cannot listen there."""
        return await self._listen(host, port, lmtp=False)

    async def start_lmtp(self, host: str, port: int) -> int:
        """Listens for LMTP over TCP; returns the port. Whoever reaches it is taken for a front
        server, so bind it where only that one comes. Raises Misconfigured, also for port 25,
        which RFC 2033 §5 forbids."""
        if port == 25:
            raise Misconfigured("LMTP must not listen on port 25 (RFC 2033); choose another")
        return await self._listen(host, port, lmtp=True)

    async def start_lmtp_socket(self, path: str) -> None:
        """Listens for LMTP on a Unix socket. A socket left behind there by a process that died is
        replaced; anything else there is an error: Misconfigured. Keep the folder to the front
        server's group, since the socket's own mode is set only after it exists."""
        try:
            server = await asyncio.get_running_loop().create_unix_server(
                lambda: Session(self._hall, lmtp=True), path
            )
            os.chmod(path, SOCKET_MODE)
        except OSError as error:
            raise Misconfigured("the LMTP socket cannot be made; see its folder") from error
        self._servers.append(server)
        self._paths.append(path)

    async def _listen(self, host: str, port: int, *, lmtp: bool) -> int:
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: Session(self._hall, lmtp=lmtp), host, port
            )
        except OSError as error:
            raise Misconfigured(f"cannot listen for mail on port {port}") from error
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._hall.sessions)

    async def stop(self, grace_seconds: float = 30) -> None:
        """Takes no more connections; idle sessions get 421 at once. A DATA under way has
        `grace_seconds` to come to its end and its reply; then it gets 421, its Reception is
        abandoned, and a commit that still runs is cancelled. Safe to call twice."""
        self._hall.closing = True
        for server in self._servers:
            server.close()
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
        for server in self._servers:
            await server.wait_closed()
        for path in self._paths:
            Path(path).unlink(missing_ok=True)
        self._servers, self._paths = [], []

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

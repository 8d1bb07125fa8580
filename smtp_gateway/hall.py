"""What the sessions of one gateway process share: the desk, the limits, and who is in."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofmail.errors import Misconfigured
from smtp_gateway.board import Board
from smtp_gateway.contract import Desk
from smtp_gateway.limits import Limits
from smtp_gateway.replies import MANY_CONNECTIONS, SHUTDOWN, Reply

if TYPE_CHECKING:
    from smtp_gateway.session import Session


@dataclass(frozen=True)
class Peer:
    """`address` is an IP address, or "" over a Unix socket. `place` is what the limits by peer
    count: the address, or the /64 of an IPv6 one, since one host has all of it. `front`: a front
    server of ours, to which those limits do not apply."""

    address: str
    place: Hashable
    front: bool


class Hall:
    """The sessions that are in, and the commits under way. Who may come in, and how often, is
    counted on the `board`, which other processes may share; it has the same limits."""

    def __init__(
        self, desk: Desk, hostname: str, limits: Limits, tls: ssl.SSLContext | None, board: Board
    ) -> None:
        self.desk = desk
        self.hostname = hostname
        self.limits = limits
        self.tls = tls
        self.board = board
        self.closing = False
        self.commits: set[asyncio.Task[str]] = set()
        self.sessions: dict[Session, int] = {}
        """With the seat of each on the board."""
        try:
            self._fronts = [ipaddress.ip_network(network) for network in limits.relay_networks]
        except ValueError as error:
            raise Misconfigured("relay networks are written like 192.0.2.0/24") from error

    def peer(self, peername: object, *, lmtp: bool) -> Peer:
        """The peer behind a transport's `peername`: a tuple for TCP, "" or a name for a Unix
        socket; never None, which is a TCP peer that has gone."""
        if isinstance(peername, str | bytes):
            return Peer("", "", True)
        if not isinstance(peername, tuple):
            raise TypeError("a peer without an address")
        address = ipaddress.ip_address(str(peername[0]).partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        front = lmtp or any(address in network for network in self._fronts)
        place = int(address) >> 64 if address.version == 6 else str(address)
        return Peer(str(address), place, front)

    def enter(self, session: Session, peer: Peer) -> Reply | None:
        """Lets a session in, or says why not."""
        if self.closing:
            return SHUTDOWN
        seat = self.board.enter(peer.place, peer.front)
        if seat is None:
            return MANY_CONNECTIONS
        self.sessions[session] = seat
        return None

    def leave(self, session: Session) -> None:
        """Safe to call twice."""
        seat = self.sessions.pop(session, None)
        if seat is not None:
            self.board.leave(seat)

    def commit(self, task: asyncio.Task[str]) -> None:
        """Keeps a commit in sight until its end, whatever becomes of the session."""
        self.commits.add(task)
        task.add_done_callback(self._committed)

    def _committed(self, task: asyncio.Task[str]) -> None:
        self.commits.discard(task)
        if not task.cancelled():
            task.exception()  # the session that waits judges it; if it has gone, nobody has to

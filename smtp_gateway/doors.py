"""Listening sockets, opened before there is a gateway: several processes take from the same ones.

Inherited sockets rather than SO_REUSEPORT: the system would give each process a queue of its own,
and what waits in it is lost with the process; a queue that all share is served by those that live.
A Unix socket has no SO_REUSEPORT at all.
"""

from __future__ import annotations

import os
import socket
import stat

from proofmail.errors import Misconfigured

BACKLOG = 128
# Readable and writable by the owner and the group: the front server joins the group.
SOCKET_MODE = 0o660


def open_tcp(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on all addresses of `host` ("": every interface), and on one port, which
    the system chooses if 0 was asked for. Raises Misconfigured if it cannot listen there."""
    doors: list[socket.socket] = []
    try:
        places = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, place in dict.fromkeys(places):
            try:
                door = socket.socket(family, kind, protocol)
            except OSError:  # no such family in this system, though its resolver names it
                continue
            doors.append(door)
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            chosen = doors[0].getsockname()[1] if len(doors) > 1 else port
            door.bind((place[0], chosen, *place[2:]))
            _listen(door)
        if not doors:
            raise OSError
    except OSError as error:
        for door in doors:
            door.close()
        raise Misconfigured(f"cannot listen for mail on port {port}") from error
    return doors


def open_lmtp(host: str, port: int) -> list[socket.socket]:
    """As open_tcp. Misconfigured also for port 25, which RFC 2033 §5 forbids."""
    if port == 25:
        raise Misconfigured("LMTP must not listen on port 25 (RFC 2033); choose another")
    return open_tcp(host, port)


def open_unix(path: str) -> socket.socket:
    """A listening Unix socket. One left behind there by a process that died is replaced; anything
    else there is an error: Misconfigured. Keep the folder to the front server's group, since the
    socket's own mode is set only after it exists."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            if stat.S_ISSOCK(os.stat(path).st_mode):
                os.unlink(path)
        except FileNotFoundError:
            pass
        door.bind(path)
        os.chmod(path, SOCKET_MODE)
        _listen(door)
    except OSError as error:
        door.close()
        raise Misconfigured("the LMTP socket cannot be made; see its folder") from error
    return door


def _listen(door: socket.socket) -> None:
    door.setblocking(False)
    door.listen(BACKLOG)

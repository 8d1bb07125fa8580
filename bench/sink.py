"""A mail server that throws everything away: what the load generator could do at most."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_FORK = multiprocessing.get_context("fork")
_END = b"\r\n.\r\n"


@contextmanager
def sink(sessions: int) -> Iterator[int]:
    """Serves `sessions` connections, a process each; yields the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=sessions) as door:
        processes = [_FORK.Process(target=_serve, args=(door,)) for _ in range(sessions)]
        for process in processes:
            process.start()
        try:
            yield int(door.getsockname()[1])
        finally:
            for process in processes:
                process.kill()
                process.join(10)


def _serve(door: socket.socket) -> None:
    peer, _ = door.accept()
    with peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(b"220 sink\r\n")
        # The generator waits for each reply, so a command comes alone and whole.
        while line := peer.recv(4096):
            if line.startswith(b"DATA"):
                peer.sendall(b"354 go\r\n")
                _swallow(peer)
            peer.sendall(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 ok\r\n")


def _swallow(peer: socket.socket) -> None:
    room = bytearray(256 * 1024)
    last = b""
    while not last.endswith(_END):
        taken = peer.recv_into(room)
        if not taken:
            raise SystemExit
        last = (last + room[max(0, taken - len(_END)) : taken])[-len(_END) :]

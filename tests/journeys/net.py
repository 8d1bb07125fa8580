"""Ports of servers that tests start."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_greets(port: int, log: Callable[[], str]) -> None:
    """Waits at most 10 seconds; the error holds the server's own words."""
    for _ in range(200):
        with (
            suppress(ConnectionError, TimeoutError),
            socket.create_connection(("127.0.0.1", port), timeout=5) as client,
        ):
            if client.recv(4).startswith(b"220"):
                client.sendall(b"QUIT\r\n")
                return
        time.sleep(0.05)
    raise RuntimeError("the server does not answer:\n" + log())

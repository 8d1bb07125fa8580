"""Mails a second through the gateway alone, with a Reception that does nothing.

    python -m tests.smtp_gateway.rate [sessions] [mails] [bytes]

The gateway runs in a process of its own; the peers wait for every reply (no pipelining). Prints
the raw figure: it says what the protocol costs and is no comparison with anything.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection

from smtp_gateway.contract import Envelope, Reception
from smtp_gateway.gateway import Gateway
from smtp_gateway.limits import Limits, Rate
from tests.smtp_gateway.fakes import Peer, peer_at


class NullReception:
    def feed(self, chunk: bytes) -> None: ...

    async def finish(self) -> str:
        return "r1"

    def abandon(self) -> None: ...


class NullDesk:
    def organisation_of(self, recipient: str) -> str | None:
        return "o1"

    def listed(self, organisation: str, mail_from: str, peer: str) -> bool:
        return True

    def open(self, envelope: Envelope) -> Reception:
        return NullReception()


def serve(pipe: Connection) -> None:
    async def run() -> None:
        limits = Limits(listed_rate=Rate(1e9, 1e9))
        gateway = Gateway(NullDesk(), hostname="mx.proofs.example", limits=limits)
        pipe.send(await gateway.start("127.0.0.1", 0))
        await asyncio.to_thread(pipe.recv)
        await gateway.stop(grace_seconds=1)

    asyncio.run(run())


async def session(port: int, mails: int, content: bytes) -> None:
    async with peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        for _ in range(mails):
            await one(peer, content)


async def one(peer: Peer, content: bytes) -> None:
    await peer.data(hello=False)
    assert (await peer.ask(content)).startswith("250 2.6.0")


def main(sessions: int = 10, mails: int = 3000, size_bytes: int = 10_000) -> None:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs,))
    process.start()
    content = (b"x" * 76 + b"\r\n") * (size_bytes // 78) + b"."

    async def run() -> float:
        port = ours.recv()
        started = time.monotonic()
        each = mails // sessions
        await asyncio.gather(*(session(port, each, content) for _ in range(sessions)))
        return sessions * each / (time.monotonic() - started)

    print(f"{asyncio.run(run()):.0f} mails/s of {size_bytes} bytes over {sessions} sessions")
    ours.send(None)
    process.join()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

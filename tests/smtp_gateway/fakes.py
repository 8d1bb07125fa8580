"""A house for the gateway that enforces the words of contract.py, and a peer on a raw socket."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from smtp_gateway.contract import Envelope, Reception
from smtp_gateway.gateway import Gateway
from smtp_gateway.limits import Limits

# Loopback counts as a stranger, so that the limits by peer apply.
STRICT = Limits(relay_networks=())


def strict(**changes: object) -> Limits:
    return dataclasses.replace(STRICT, **changes)  # type: ignore[arg-type]


class FakeReception:
    """Keeps what it is fed and refuses calls out of order."""

    def __init__(self, desk: FakeDesk, envelope: Envelope) -> None:
        self.desk = desk
        self.envelope = envelope
        self.content = bytearray()
        self.state = "open"

    def feed(self, chunk: bytes) -> None:
        assert self.state == "open"
        assert chunk
        assert len(chunk) <= 64 * 1024 + 4
        if self.desk.on_feed is not None:
            self.desk.on_feed(chunk)
        if self.desk.keep:
            self.content += chunk

    async def finish(self) -> str:
        assert self.state == "open"
        self.state = "finishing"
        if self.desk.on_finish is not None:
            await self.desk.on_finish(self)
        self.state = "recorded"
        self.desk.recorded.append(self)
        return f"r{len(self.desk.recorded)}"

    def abandon(self) -> None:
        assert self.state == "open"
        self.state = "abandoned"


class FakeDesk:
    """Addresses at proofs.example belong to the organisation that stands before the "+", or "o1";
    everybody at listed.example is listed."""

    def __init__(self) -> None:
        self.receptions: list[FakeReception] = []
        self.recorded: list[FakeReception] = []
        self.keep = True
        self.on_feed: Callable[[bytes], None] | None = None
        self.on_finish: Callable[[FakeReception], Awaitable[None]] | None = None
        self.on_open: Callable[[Envelope], None] | None = None

    def organisation_of(self, recipient: str) -> str | None:
        local, _, domain = recipient.rpartition("@")
        if domain.lower() != "proofs.example" or local.startswith("nobody"):
            return None
        return local.partition("+")[0] if "+" in local else "o1"

    def listed(self, organisation: str, mail_from: str, peer: str) -> bool:
        return mail_from.lower().endswith("@listed.example")

    def open(self, envelope: Envelope) -> Reception:
        if self.on_open is not None:
            self.on_open(envelope)
        reception = FakeReception(self, envelope)
        self.receptions.append(reception)
        return reception


@asynccontextmanager
async def running(
    desk: FakeDesk,
    limits: Limits = STRICT,
    *,
    lmtp: bool = False,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A gateway on 127.0.0.1; gives its port."""
    gateway = Gateway(desk, hostname="mx.proofs.example", limits=limits, tls=tls)
    try:
        yield await (gateway.start_lmtp if lmtp else gateway.start)("127.0.0.1", 0)
    finally:
        await gateway.stop(grace_seconds=0)


class Peer:
    """A peer that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> str:
        """One reply, all its lines; "" at the end of the connection."""
        lines = []
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), 10)).decode()
            lines.append(line)
            if line[3:4] != "-":
                return "".join(lines)

    async def replies(self, count: int) -> list[str]:
        return [await self.reply() for _ in range(count)]

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, command: str | bytes) -> str:
        data = command if isinstance(command, bytes) else command.encode()
        await self.send(data + b"\r\n")
        return await self.reply()

    async def drip(self, piece: bytes, *, every_seconds: float = 0.05) -> str:
        """Sends the piece again and again until the gateway says something: that reply."""
        reply = asyncio.create_task(self.reply())
        while not reply.done():
            self.writer.write(piece)
            await asyncio.wait({reply}, timeout=every_seconds)
        return await reply

    async def data(
        self, mail_from: str = "a@listed.example", to: str = "p@proofs.example", hello: bool = True
    ) -> None:
        """Goes on until 354."""
        if hello:
            assert (await self.ask("EHLO peer.example")).startswith("250")
        assert (await self.ask(f"MAIL FROM:<{mail_from}>")).startswith("250 2.1.0")
        assert (await self.ask(f"RCPT TO:<{to}>")).startswith("250 2.1.5")
        assert (await self.ask("DATA")).startswith("354 ")

    async def ended(self) -> bool:
        """The gateway has closed and says nothing more."""
        try:
            return await asyncio.wait_for(self.reader.read(), 10) == b""
        except ConnectionError:
            return True

    def reset(self) -> None:
        """Goes without a word: RST, where `close` sends FIN."""
        link = self.writer.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


@asynccontextmanager
async def peer_at(
    port: int, *, greet: bool = True, address: str = "127.0.0.1"
) -> AsyncIterator[Peer]:
    """A connection from this loopback address; with `greet` the 220 has been read."""
    peer = Peer(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))
    try:
        if greet:
            assert (await peer.reply()).startswith("220 mx.proofs.example ")
        yield peer
    finally:
        await peer.close()


async def until(condition: Callable[[], object], seconds: float = 5) -> None:
    """Waits until the condition holds, and fails if it never does."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to be")

"""Start and stop; clients as people use them; memory."""

from __future__ import annotations

import asyncio
import errno
import smtplib
import socket
import subprocess
import time
import tracemalloc

import pytest

from proofmail.errors import Misconfigured
from smtp_gateway.board import Board
from smtp_gateway.gateway import Gateway
from smtp_gateway.hall import Hall, Peer
from smtp_gateway.limits import Limits
from smtp_gateway.replies import SHUTDOWN
from smtp_gateway.session import Session
from tests.parts import need
from tests.smtp_gateway.fakes import (
    STRICT,
    FakeDesk,
    FakeReception,
    peer_at,
    running,
    strict,
    until,
)


async def test_idle_sessions_are_told_at_once() -> None:
    gateway = Gateway(FakeDesk(), hostname="mx.proofs.example", limits=STRICT)
    port = await gateway.start("127.0.0.1", 0)
    async with peer_at(port) as peer:
        assert gateway.sessions == 1
        await asyncio.wait_for(gateway.stop(grace_seconds=60), 5)
        assert (await peer.reply()).startswith("421 4.3.2")
        assert await peer.ended()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert gateway.sessions == 0
    await gateway.stop()


async def test_a_data_under_way_comes_to_its_end() -> None:
    desk = FakeDesk()
    gateway = Gateway(desk, hostname="mx.proofs.example", limits=STRICT)
    port = await gateway.start("127.0.0.1", 0)
    async with peer_at(port) as peer:
        await peer.data()
        stopping = asyncio.create_task(gateway.stop(grace_seconds=10))
        await asyncio.sleep(0.05)
        assert (await peer.ask(b"x\r\n.")).startswith("250 2.6.0")
        assert (await peer.reply()).startswith("421 4.3.2")
        assert await peer.ended()
        await asyncio.wait_for(stopping, 5)
    assert len(desk.recorded) == 1


async def test_a_data_over_the_grace_is_abandoned() -> None:
    desk = FakeDesk()
    gateway = Gateway(desk, hostname="mx.proofs.example", limits=STRICT)
    port = await gateway.start("127.0.0.1", 0)
    async with peer_at(port) as peer:
        await peer.data()
        await peer.send(b"half a mail\r\n")
        await asyncio.wait_for(gateway.stop(grace_seconds=0.2), 5)
        assert (await peer.reply()).startswith("421 4.3.2")
    assert desk.receptions[0].state == "abandoned"


async def test_a_commit_over_the_grace_is_cancelled_and_never_250() -> None:
    desk = FakeDesk()
    cancelled = asyncio.Event()

    async def hang(_: FakeReception) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    desk.on_finish = hang
    gateway = Gateway(desk, hostname="mx.proofs.example", limits=STRICT)
    port = await gateway.start("127.0.0.1", 0)
    async with peer_at(port) as peer:
        await peer.data()
        await peer.send(b"x\r\n.\r\n")
        await until(lambda: desk.receptions[0].state == "finishing")
        await asyncio.wait_for(gateway.stop(grace_seconds=0.1), 5)
        assert (await peer.reply()).startswith("421 4.3.2")
    assert cancelled.is_set()


async def test_stop_waits_for_the_commit_of_a_peer_that_has_gone() -> None:
    desk = FakeDesk()

    async def slow(_: FakeReception) -> None:
        await asyncio.sleep(0.3)

    desk.on_finish = slow
    gateway = Gateway(desk, hostname="mx.proofs.example", limits=STRICT)
    port = await gateway.start("127.0.0.1", 0)
    async with peer_at(port) as peer:
        await peer.data()
        await peer.send(b"x\r\n.\r\n")
        await until(lambda: desk.receptions[0].state == "finishing")
        peer.reset()
        await until(lambda: gateway.sessions == 0)
        assert desk.receptions[0].state == "finishing"
    await gateway.stop(grace_seconds=5)
    assert len(desk.recorded) == 1


async def test_a_port_that_is_taken() -> None:
    async with running(FakeDesk()) as port:
        with pytest.raises(Misconfigured):
            await Gateway(FakeDesk(), hostname="mx.proofs.example").start("127.0.0.1", port)


def test_peers() -> None:
    limits = Limits(relay_networks=("192.0.2.0/24",))
    hall = Hall(FakeDesk(), "mx.proofs.example", limits, None, Board(limits))
    assert hall.peer(("192.0.2.7", 5), lmtp=False) == Peer("192.0.2.7", "192.0.2.7", True)
    assert hall.peer(("::ffff:192.0.2.7", 5, 0, 0), lmtp=False).address == "192.0.2.7"
    assert not hall.peer(("198.51.100.1", 5), lmtp=False).front
    assert hall.peer(("198.51.100.1", 5), lmtp=True).front
    one = hall.peer(("2001:db8::1", 5, 0, 0), lmtp=False)
    two = hall.peer(("2001:db8::2", 5, 0, 0), lmtp=False)
    far = hall.peer(("2001:db8:0:1::1", 5, 0, 0), lmtp=False)
    assert one.place == two.place != far.place
    assert hall.peer(("fe80::1%eth0", 5, 0, 2), lmtp=False).address == "fe80::1"
    assert hall.peer("", lmtp=True) == Peer("", "", True)


async def test_nobody_comes_in_while_it_stops() -> None:
    hall = Hall(FakeDesk(), "mx.proofs.example", Limits(), None, Board(Limits()))
    late = Session(hall, lmtp=False)
    hall.closing = True
    assert hall.enter(late, Peer("192.0.2.7", "192.0.2.7", False)) is SHUTDOWN
    assert not hall.sessions


async def test_a_peer_that_reads_no_replies_is_cut() -> None:
    """A closed socket would else wait for ever for the peer to take what was written."""
    limits = strict(idle_seconds=0.2, linger_seconds=0.2, commands_between_messages=10**9)

    def deaf_peer(port: int) -> bool:
        """Whether it was cut off within five seconds."""
        with socket.create_connection(("127.0.0.1", port), timeout=0.5) as deaf:
            try:
                while True:
                    deaf.sendall(b"HELP\r\n" * 1000)
            except TimeoutError:
                pass  # the way is full
            except ConnectionResetError:
                return True
            for _ in range(100):
                if deaf.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET:
                    return True
                time.sleep(0.05)
            return False

    async with running(FakeDesk(), limits) as port:
        assert await asyncio.to_thread(deaf_peer, port)


def test_a_relay_network_that_is_none() -> None:
    with pytest.raises(Misconfigured):
        Gateway(FakeDesk(), hostname="mx.proofs.example", limits=Limits(relay_networks=("x",)))


async def test_smtplib_as_a_user() -> None:
    desk = FakeDesk()

    def send(port: int) -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="peer.example") as client:
            client.sendmail("a@listed.example", ["p@proofs.example"], b"one\r\n.\r\n..two\r\n")
            return client.sendmail(
                "é@listed.example",
                ["p@proofs.example", "x@elsewhere.example", "o2+p@proofs.example"],
                b"three\r\n",
                mail_options=["SMTPUTF8", "BODY=8BITMIME"],
            )

    async with running(desk) as port:
        refused = await asyncio.to_thread(send, port)
    assert {name: code for name, (code, _) in refused.items()} == {
        "x@elsewhere.example": 550,
        "o2+p@proofs.example": 452,
    }
    assert [bytes(got.content) for got in desk.recorded] == [b"one\r\n.\r\n..two\r\n", b"three\r\n"]


async def test_swaks_as_a_user() -> None:
    swaks = str(need("swaks"))
    desk = FakeDesk()

    def send(port: int) -> subprocess.CompletedProcess[str]:
        arguments = ["--server", f"127.0.0.1:{port}", "--helo", "peer.example", "--pipeline"]
        arguments += ["--from", "a@listed.example", "--to", "p@proofs.example,q@proofs.example"]
        arguments += ["--data", "Subject: x\\n\\n.dot\\n", "--timeout", "10"]
        return subprocess.run([swaks, *arguments], capture_output=True, text=True, timeout=30)

    async with running(desk) as port:
        done = await asyncio.to_thread(send, port)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "250 2.6.0 Recorded r1" in done.stdout
    assert bytes(desk.recorded[0].content).startswith(b"Subject: x\r\n\r\n.dot\r\n")


async def test_memory_does_not_grow_with_the_message() -> None:
    """Peer and gateway share this process; 25 MB that were kept anywhere would show."""
    desk = FakeDesk()
    desk.keep = False
    block = (b"y" * 76 + b"\r\n") * 800
    async with running(desk) as port, peer_at(port) as peer:
        await peer.data()
        for _ in range(20):
            await peer.send(block)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(400):
                await peer.send(block)
            _, highest = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (await peer.ask(b".")).startswith("250 2.6.0")
    assert highest - before < 2 * 1024 * 1024

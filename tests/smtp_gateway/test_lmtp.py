"""LMTP (RFC 2033): another greeting, and a reply for each accepted recipient."""

from __future__ import annotations

import asyncio
import os
import smtplib
import stat
import tempfile
from pathlib import Path

import pytest

from proofmail.errors import Misconfigured, Refused
from smtp_gateway.gateway import Gateway
from tests.smtp_gateway.fakes import FakeDesk, FakeReception, Peer, peer_at, running, strict


async def two_recipients(peer: Peer) -> None:
    """Goes on to DATA with two accepted recipients out of four."""
    assert (await peer.ask("LHLO front.example")).startswith("250-mx.proofs.example")
    assert (await peer.ask("MAIL FROM:<a@listed.example>")).startswith("250")
    assert (await peer.ask("RCPT TO:<o1+p@proofs.example>")).startswith("250 2.1.5")
    assert (await peer.ask("RCPT TO:<nobody@proofs.example>")).startswith("550 5.1.1")
    assert (await peer.ask("RCPT TO:<o2+p@proofs.example>")).startswith("452 4.5.3")
    assert (await peer.ask("RCPT TO:<o1+q@proofs.example>")).startswith("250 2.1.5")


async def test_a_reply_for_each_accepted_recipient() -> None:
    desk = FakeDesk()
    async with running(desk, lmtp=True) as port, peer_at(port) as peer:
        await two_recipients(peer)
        await peer.send(b"DATA\r\nx\r\n.\r\nNOOP\r\n")
        assert await peer.replies(4) == [
            "354 End data with <CR><LF>.<CR><LF>\r\n",
            "250 2.6.0 Recorded r1\r\n",
            "250 2.6.0 Recorded r1\r\n",
            "250 2.0.0 OK\r\n",
        ]
    assert len(desk.recorded) == 1
    assert desk.recorded[0].envelope.recipients == ("o1+p@proofs.example", "o1+q@proofs.example")


async def test_an_address_named_twice_is_owed_two_replies() -> None:
    desk = FakeDesk()
    async with running(desk, lmtp=True) as port, peer_at(port) as peer:
        await peer.ask("LHLO front.example")
        await peer.ask("MAIL FROM:<>")
        await peer.ask("RCPT TO:<p@proofs.example>")
        await peer.ask("RCPT TO:<p@proofs.example>")
        await peer.send(b"DATA\r\nx\r\n.\r\nNOOP\r\n")
        assert [reply[:9] for reply in await peer.replies(4)][1:] == [
            "250 2.6.0",
            "250 2.6.0",
            "250 2.0.0",
        ]
    assert desk.recorded[0].envelope.recipients == ("p@proofs.example",)


async def test_refusals_are_given_to_each_too() -> None:
    desk = FakeDesk()

    async def refuse(_: FakeReception) -> None:
        raise Refused("No.\nNon.")

    async with running(desk, strict(message_bytes=100), lmtp=True) as port, peer_at(port) as peer:
        for content, code in ((b"a\nb", "550 5.6.0"), (b"x" * 200, "552 5.3.4")):
            await two_recipients(peer)
            assert (await peer.ask("DATA")).startswith("354")
            await peer.send(content + b"\r\n.\r\nNOOP\r\n")
            replies = [reply[:9] for reply in await peer.replies(3)]
            assert replies == [code, code, "250 2.0.0"]
        desk.on_finish = refuse
        await two_recipients(peer)
        await peer.ask("DATA")
        await peer.send(b"x\r\n.\r\nNOOP\r\n")
        no = "550-5.7.1 No.\r\n550 5.7.1 Non.\r\n"
        assert await peer.replies(3) == [no, no, "250 2.0.0 OK\r\n"]


async def test_a_refused_data_has_one_reply() -> None:
    desk = FakeDesk()

    def fail(_: object) -> None:
        raise RuntimeError

    desk.on_open = fail
    async with running(desk, lmtp=True) as port, peer_at(port) as peer:
        assert (await peer.ask("LHLO front.example")).startswith("250")
        assert (await peer.ask("MAIL FROM:<a@listed.example>")).startswith("250")
        assert (await peer.ask("DATA")).startswith("503 5.5.1")  # RFC 2033 §4.2
        await peer.ask("RCPT TO:<p@proofs.example>")
        await peer.ask("RCPT TO:<q@proofs.example>")
        assert (await peer.ask("DATA")).startswith("451 4.3.0")
        assert (await peer.ask("NOOP")).startswith("250 2.0.0")


async def test_helo_and_ehlo_are_not_lmtp() -> None:
    async with running(FakeDesk(), lmtp=True) as port, peer_at(port) as peer:
        assert (await peer.ask("EHLO front.example")).startswith("500 5.5.2")
        assert (await peer.ask("HELO front.example")).startswith("500 5.5.2")
        assert (await peer.ask("MAIL FROM:<a@listed.example>")).startswith("503 5.5.1")


async def test_never_on_port_25() -> None:
    gateway = Gateway(FakeDesk(), hostname="mx.proofs.example")
    with pytest.raises(Misconfigured):
        await gateway.start_lmtp("127.0.0.1", 25)


async def test_over_a_unix_socket() -> None:
    desk = FakeDesk()
    # Not tmp_path: a socket's path may have some 100 bytes only.
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "lmtp")
        gateway = Gateway(desk, hostname="mx.proofs.example")
        await gateway.start_lmtp_socket(path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660

        def send() -> None:
            with smtplib.LMTP(path, local_hostname="front.example") as client:
                client.sendmail("a@listed.example", ["p@proofs.example"], b"x\r\n")

        try:
            await asyncio.to_thread(send)
        finally:
            await gateway.stop(grace_seconds=0)
        assert not os.path.exists(path)
        (got,) = desk.recorded
        assert (got.envelope.peer, got.envelope.helo) == ("", "front.example")


async def test_a_unix_socket_replaces_a_dead_one_and_nothing_else() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lmtp")
        for _ in range(2):  # the second finds what the first left
            dead = await asyncio.create_subprocess_exec(
                "python3",
                "-c",
                "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
                str(path),
            )
            assert await dead.wait() == 0
            gateway = Gateway(FakeDesk(), hostname="mx.proofs.example")
            await gateway.start_lmtp_socket(str(path))
            await gateway.stop()
        path.write_text("a file")
        with pytest.raises(Misconfigured):
            await gateway.start_lmtp_socket(str(path))
        assert path.read_text() == "a file"

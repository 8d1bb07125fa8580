"""Caps, rates and time-outs, with limits made small."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from smtp_gateway.hall import Peer as HallPeer
from smtp_gateway.limits import Limits, Rate
from smtp_gateway.session import Session
from tests.smtp_gateway.fakes import FakeDesk, Peer, peer_at, running, strict, until

SCARCE = Rate(per_minute=0.001, burst=2)


@contextmanager
def capturing(cls: type, name: str) -> Iterator[list[Any]]:
    """The objects whose method was called, in order."""
    found: list[Any] = []
    method = getattr(cls, name)

    def called(self: Any, *words: Any) -> Any:
        found.append(self)
        return method(self, *words)

    with mock.patch.object(cls, name, called):
        yield found


async def start_mail(peer: Peer, sender: str, to: str = "p@proofs.example") -> str:
    """The reply to RCPT, or to MAIL if that one was refused."""
    reply = await peer.ask(f"MAIL FROM:<{sender}>")
    if not reply.startswith("250"):
        return reply
    reply = await peer.ask(f"RCPT TO:<{to}>")
    await peer.ask("RSET")
    return reply


async def test_connections_of_one_peer() -> None:
    limits = strict(peer_connections=2)
    async with running(FakeDesk(), limits) as port, peer_at(port) as first, peer_at(port):
        async with peer_at(port, greet=False) as third:
            assert (await third.reply()).startswith("421 4.7.0")
            assert await third.ended()
        await first.ask("QUIT")
        assert await first.ended()
        async with peer_at(port):
            pass


async def test_front_servers_have_no_limit_by_peer() -> None:
    limits = Limits(peer_connections=1, peer_rate=SCARCE, consecutive_errors=3)
    async with running(FakeDesk(), limits) as port, peer_at(port), peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        for _ in range(4):
            assert (await start_mail(peer, "a@listed.example")).startswith("250")
        await peer.ask("MAIL FROM:<a@listed.example>")
        for _ in range(9):
            assert (await peer.ask("RCPT TO:<nobody@proofs.example>")).startswith("550")


async def test_connections_of_all() -> None:
    async with (
        running(FakeDesk(), Limits(connections=2)) as port,
        peer_at(port),
        peer_at(port),
        peer_at(port, greet=False) as third,
    ):
        assert (await third.reply()).startswith("421 4.7.0")


async def test_recipients() -> None:
    async with running(FakeDesk(), strict(recipients=3)) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.ask("MAIL FROM:<a@listed.example>")
        replies = [await peer.ask(f"RCPT TO:<p{i}@proofs.example>") for i in range(4)]
        assert [reply[:9] for reply in replies] == ["250 2.1.5"] * 3 + ["452 4.5.3"]
        assert (await peer.ask("RCPT TO:<nobody@proofs.example>")).startswith("550 5.1.1")
        assert (await peer.ask("DATA")).startswith("354")


async def test_consecutive_errors_end_the_session() -> None:
    async with running(FakeDesk(), strict(consecutive_errors=3)) as port, peer_at(port) as peer:
        assert (await peer.ask("FOO")).startswith("500")
        assert (await peer.ask("FOO")).startswith("500")
        assert (await peer.ask("NOOP")).startswith("250")
        assert (await peer.ask("FOO")).startswith("500")
        assert (await peer.ask("FOO")).startswith("500")
        assert (await peer.ask("FOO")).startswith("500")
        assert (await peer.reply()).startswith("421 4.7.0")
        assert await peer.ended()


async def test_guessing_addresses_ends_the_session() -> None:
    async with running(FakeDesk()) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.ask("MAIL FROM:<a@b.example>")
        for _ in range(10):
            assert (await peer.ask("RCPT TO:<nobody@proofs.example>")).startswith("550 5.1.1")
        assert (await peer.reply()).startswith("421 4.7.0")


async def test_a_browser_is_shown_out_at_once() -> None:
    desk = FakeDesk()
    async with running(desk) as port, peer_at(port) as peer:
        await peer.send(
            b"POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<a@listed.example>\r\n"
            b"RCPT TO:<p@proofs.example>\r\nDATA\r\nx\r\n.\r\n"
        )
        assert (await peer.reply()).startswith("421 4.7.0")
        assert await peer.ended()
    assert not desk.receptions


async def test_chatter_is_bounded_and_a_recorded_mail_begins_anew() -> None:
    desk = FakeDesk()
    async with running(desk, strict(commands_between_messages=6)) as port, peer_at(port) as peer:
        await peer.data()
        assert (await peer.ask(b"x\r\n.")).startswith("250")
        for _ in range(2):
            await peer.data(hello=False)
            assert (await peer.ask(b"x\r\n.")).startswith("250")
        for _ in range(6):
            assert (await peer.ask("NOOP")).startswith("250")
        assert (await peer.ask("NOOP")).startswith("421 4.7.0")
        assert await peer.ended()


async def test_rate_by_peer() -> None:
    async with running(FakeDesk(), strict(peer_rate=SCARCE)) as port:
        async with peer_at(port) as peer:
            await peer.ask("EHLO peer.example")
            assert (await start_mail(peer, "a@listed.example")).startswith("250")
            assert (await start_mail(peer, "b@listed.example")).startswith("250")
            assert (await start_mail(peer, "c@listed.example")).startswith("421 4.7.0")
            assert await peer.ended()
        async with peer_at(port) as peer:
            await peer.ask("EHLO peer.example")
            assert (await start_mail(peer, "d@listed.example")).startswith("421 4.7.0")


async def test_rate_by_listed_sender_and_organisation() -> None:
    async with running(FakeDesk(), strict(listed_rate=SCARCE)) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        assert (await start_mail(peer, "a@listed.example")).startswith("250")
        assert (await start_mail(peer, "A@listed.example")).startswith("250")
        assert (await start_mail(peer, "a@listed.example")).startswith("450 4.7.1")
        assert (await start_mail(peer, "b@listed.example")).startswith("250")
        assert (await start_mail(peer, "a@listed.example", "o2+p@proofs.example"))[:3] == "250"


async def test_unlisted_and_null_senders_have_less() -> None:
    limits = strict(listed_rate=Rate(60, 5), unlisted_rate=Rate(0.001, 1))
    async with running(FakeDesk(), limits) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        assert (await start_mail(peer, "")).startswith("250")
        for sender in ("", "x@elsewhere.example"):
            assert (await start_mail(peer, sender)).startswith("450 4.7.1")
        for _ in range(5):
            assert (await start_mail(peer, "a@listed.example")).startswith("250")


async def test_a_new_sender_for_each_mail_gets_a_stranger_no_more() -> None:
    limits = strict(unlisted_rate=Rate(0.001, 3))
    async with running(FakeDesk(), limits) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        answers = [await start_mail(peer, f"x{number}@elsewhere.example") for number in range(6)]
    assert [answer[:3] for answer in answers] == ["250"] * 3 + ["450"] * 3


async def test_a_front_server_is_not_one_stranger() -> None:
    """Everybody's receipts come through it: thirty a minute for all would be too few, and nobody
    who makes up senders may use them up."""
    limits = strict(
        unlisted_rate=Rate(0.001, 1), listed_rate=Rate(0.001, 3), relay_networks=("127.0.0.0/8",)
    )
    async with running(FakeDesk(), limits) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        for sender in ("", "x@elsewhere.example"):
            answers = [await start_mail(peer, sender) for _ in range(4)]
            assert [answer[:3] for answer in answers] == ["250"] * 3 + ["450"]


async def test_strangers_leave_places_for_front_servers() -> None:
    limits = strict(stranger_connections=2, relay_networks=("127.0.0.2/32",))
    async with (
        running(FakeDesk(), limits) as port,
        peer_at(port, address="127.0.0.1"),
        peer_at(port, address="127.0.0.3"),
    ):
        async with peer_at(port, address="127.0.0.4", greet=False) as crowded:
            assert (await crowded.reply()).startswith("421 4.7.0")
        async with peer_at(port, address="127.0.0.2") as front:
            assert (await front.ask("EHLO front.example")).startswith("250")


async def test_one_peer_does_not_wear_out_the_unlisted_of_another() -> None:
    limits = strict(unlisted_rate=Rate(0.001, 1))
    async with running(FakeDesk(), limits) as port:
        for address in ("127.0.0.1", "127.0.0.2"):
            async with peer_at(port, address=address) as peer:
                await peer.ask("EHLO peer.example")
                assert (await start_mail(peer, "")).startswith("250")
                assert (await start_mail(peer, "")).startswith("450 4.7.1")


async def test_a_sender_over_its_rate_has_no_transaction() -> None:
    desk = FakeDesk()
    async with running(desk, strict(listed_rate=Rate(0.001, 0))) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.ask("MAIL FROM:<a@listed.example>")
        assert (await peer.ask("RCPT TO:<p@proofs.example>")).startswith("450 4.7.1")
        assert (await peer.ask("DATA")).startswith("503 5.5.1")
    assert not desk.receptions


async def test_idle_between_commands() -> None:
    async with running(FakeDesk(), strict(idle_seconds=0.2)) as port, peer_at(port) as peer:
        assert (await peer.reply()).startswith("421 4.4.2")
        assert await peer.ended()


async def test_a_command_that_drips_is_idle() -> None:
    async with running(FakeDesk(), strict(idle_seconds=0.3)) as port, peer_at(port) as peer:
        assert (await peer.drip(b"N")).startswith("421 4.4.2")


async def test_idle_within_data() -> None:
    desk = FakeDesk()
    async with running(desk, strict(idle_seconds=0.2)) as port, peer_at(port) as peer:
        await peer.data()
        await peer.send(b"x\r\n")
        assert (await peer.reply()).startswith("421 4.4.2")
        assert await peer.ended()
        await until(lambda: desk.receptions[0].state == "abandoned")


async def test_slow_data_is_not_idle() -> None:
    desk = FakeDesk()
    async with running(desk, strict(idle_seconds=0.3)) as port, peer_at(port) as peer:
        await peer.data()
        for _ in range(5):
            await peer.send(b"x\r\n")
            await asyncio.sleep(0.1)
        assert (await peer.ask(b".")).startswith("250 2.6.0")


async def test_data_that_drips() -> None:
    desk = FakeDesk()
    limits = strict(data_grace_seconds=0.2, data_bytes_per_second=1000)
    async with running(desk, limits) as port, peer_at(port) as peer:
        await peer.data()
        assert (await peer.drip(b"x\r\n")).startswith("421 4.4.2")
        assert desk.receptions[0].state == "abandoned"


async def test_data_that_is_fast_enough_but_endless() -> None:
    desk = FakeDesk()
    async with running(desk, strict(data_seconds=0.2)) as port, peer_at(port) as peer:
        await peer.data()
        assert (await peer.drip(b"x" * 1000 + b"\r\n")).startswith("421 4.4.2")


async def test_a_commit_is_not_the_peers_idleness() -> None:
    desk = FakeDesk()

    async def commit(_: object) -> None:
        await asyncio.sleep(0.4)

    desk.on_finish = commit
    async with running(desk, strict(idle_seconds=0.2)) as port, peer_at(port) as peer:
        await peer.data()
        assert (await peer.ask(b"x\r\n.")).startswith("250 2.6.0")


async def test_who_has_gone_before_being_let_in_is_nobody() -> None:
    """The system names no address of a connection that was reset, as it names none of a Unix
    socket's: such a peer was taken for a front server, and what it says would count as a listed
    relay's."""
    desk = FakeDesk()
    seen: list[tuple[str, str, str]] = []
    desk.listed = lambda *asked: bool(seen.append(asked)) or True  # type: ignore[method-assign]
    words = b"EHLO x\r\nMAIL FROM:<a@listed.example>\r\nRCPT TO:<p@proofs.example>\r\nDATA\r\n"
    with capturing(Session, "connection_made") as made:
        async with running(desk, strict(connections=2)) as port:
            for _ in range(5):
                # In one go, so that the gateway cannot take it before.
                with socket.create_connection(("127.0.0.1", port)) as peer:
                    peer.sendall(words)
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await until(lambda: len(made) >= 5)
            assert [session._peer for session in made] == [HallPeer("", "", False)] * 5
            async with peer_at(port), peer_at(port):  # no seat is lost
                pass
    assert seen == []

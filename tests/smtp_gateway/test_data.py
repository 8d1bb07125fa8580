"""The DATA reader: against a short reference, and against aiosmtpd's stock reader."""

from __future__ import annotations

import asyncio
import random

import pytest
from aiosmtpd.smtp import SMTP

from smtp_gateway.data import DataReader
from smtp_gateway.limits import Limits
from smtp_gateway.replies import BARE_NEWLINE, LONG_TEXT_LINE, TOO_LARGE, Reply
from tests.smtp_gateway.fakes import FakeDesk, peer_at, running

HOSTILE = [b"\r\n", b".", b"\r\n.", b"\n", b"\r", b"..", b"x", b"\r\n..", b"abc", b"\r\n.\n"]
HOSTILE += [b"\n.\r\n", b"\r.\r\n", b"\r.\r", b"\n.\n", b"\r\n.\r"]
CLEAN = [b"\r\n", b".", b"\r\n.x", b"..", b"x", b"\r\n..", b"abc ", b"\r\n\r\n", b"\xe9\x00"]


def reference(wire: bytes) -> tuple[bytes, bytes, bool]:
    """Content, rest, whether a newline is bare: RFC 5321 §4.5.2, written to be read."""
    lines, rest = [], wire
    while True:
        line, end, rest = rest.partition(b"\r\n")
        assert end, "no final dot"
        if line == b".":
            break
        lines.append(line)
    bare = any(b"\r" in line or b"\n" in line for line in lines)
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines), rest, bare


def cut(data: bytes, dice: random.Random) -> list[bytes]:
    count = min(len(data) - 1, dice.randrange(0, 12))
    places = sorted(dice.sample(range(1, len(data)), count)) if len(data) > 1 else []
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def read(pieces: list[bytes], limits: Limits | None = None) -> tuple[bytes, DataReader]:
    reader = DataReader(limits or Limits())
    content = b""
    for index, piece in enumerate(pieces):
        content += reader.push(piece)
        if reader.done:
            reader.rest += b"".join(pieces[index + 1 :])
            break
    return content, reader


def test_it_reads_what_the_reference_reads() -> None:
    dice = random.Random(20)
    for tokens in (HOSTILE, CLEAN):
        for _ in range(3000):
            body = b"".join(dice.choice(tokens) for _ in range(dice.randrange(0, 40)))
            wire = body + b"\r\n.\r\nRSET\r\n"
            content, rest, bare = reference(wire)
            got, reader = read(cut(wire, dice))
            assert reader.done
            assert (got, reader.rest) == (content, rest), wire
            assert (reader.fault is BARE_NEWLINE) == bare, wire
            assert reader.size_bytes == len(content)
            assert reader.taken_bytes == len(wire) - len(rest)


def test_one_byte_at_a_time() -> None:
    wire = b"..a\r\n.b\r\n\r\n...\r\n.\r\nQUIT\r\n"
    content, reader = read([wire[i : i + 1] for i in range(len(wire))])
    assert content == b".a\r\nb\r\n\r\n..\r\n"
    assert (reader.rest, reader.fault) == (b"QUIT\r\n", None)


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\r\r\n"]
)
def test_no_other_end_than_crlf_dot_crlf(end: bytes) -> None:
    reader = DataReader(Limits())
    reader.push(b"x" + end + b"MAIL FROM:<evil@x.example>\r\n")
    assert not reader.done
    reader.push(b".\r\n")
    assert reader.done
    assert reader.fault is BARE_NEWLINE


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"12345678\r\n" * 10, None),
        (b"12345678\r\n" * 10 + b"\r\n", TOO_LARGE),
        (b"x" * 50 + b"\r\n", None),
        (b"x" * 51 + b"\r\n", LONG_TEXT_LINE),
        (b"a\r\n" + b"x" * 51 + b"\r\na\r\n", LONG_TEXT_LINE),
        (b"a\r\n" + b"x" * 50 + b"\r\na\r\n", None),
        (b"a\rb\r\n" + b"12345678\r\n" * 10, BARE_NEWLINE),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_limits_are_exact_however_it_is_cut(
    content: bytes, fault: Reply | None, piece: int
) -> None:
    wire = content + b".\r\n"
    pieces = [wire[i : i + piece] for i in range(0, len(wire), piece)]
    _, reader = read(pieces, Limits(message_bytes=100, line_bytes=50))
    assert reader.done
    assert reader.fault is fault


class StockHandler:
    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.got.append(envelope.original_content)  # type: ignore[attr-defined]
        return "250 OK"


async def test_it_reads_what_stock_aiosmtpd_reads() -> None:
    """Bodies with clean line ends, since the stock reader lets bare ones pass."""
    dice = random.Random(7)
    loop = asyncio.get_running_loop()
    handler = StockHandler()
    stock = await loop.create_server(
        lambda: SMTP(handler, hostname="mx.proofs.example", loop=loop), "127.0.0.1", 0
    )
    desk = FakeDesk()
    try:
        async with (
            running(desk) as port,
            peer_at(stock.sockets[0].getsockname()[1]) as theirs,
            peer_at(port) as ours,
        ):
            await theirs.ask("EHLO peer.example")
            await ours.ask("EHLO peer.example")
            for _ in range(300):
                body = b"".join(dice.choice(CLEAN) for _ in range(dice.randrange(0, 40)))
                wire = body + b"\r\n.\r\n"
                wire = wire[: (b"\r\n" + wire).index(b"\r\n.\r\n") + 3]
                for peer in (theirs, ours):
                    await peer.ask("MAIL FROM:<a@listed.example>")
                    await peer.ask("RCPT TO:<p@proofs.example>")
                    assert (await peer.ask("DATA")).startswith("354")
                    for piece in cut(wire, dice):
                        await peer.send(piece)
                        await asyncio.sleep(0)
                    assert (await peer.reply()).startswith("250")
                assert bytes(desk.recorded.pop().content) == handler.got.pop(), wire
    finally:
        stock.close()
        await stock.wait_closed()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_faults_the_same_is_told_however_it_is_cut(order: tuple[int, ...]) -> None:
    """Found by fuzzing (tests/fuzz/session.py): the fault told was the one that came first."""
    limits = Limits(message_bytes=90, line_bytes=40)
    faults = (b"a\nb\r\n", b"x\r\n" * 40, b"y" * 50 + b"\r\n")
    wire = b"".join(faults[at] for at in order) + b".\r\n"
    for size in (1, 7, len(wire)):
        _, reader = read([wire[at : at + size] for at in range(0, len(wire), size)], limits)
        assert reader.fault is BARE_NEWLINE
    _, reader = read(
        [wire.replace(b"a\nb", b"a b")[at : at + 1] for at in range(len(wire))], limits
    )
    assert reader.fault is TOO_LARGE

"""An SMTP or LMTP session over a transport in memory: any bytes, in any fragments.

The replies are well-formed and the same for any fragments, tell nothing of a fault of ours, and
the reply to a final dot is 250 exactly if the desk has committed.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from proofmail.errors import Refused, TryLater
from smtp_gateway.board import Board
from smtp_gateway.hall import Hall
from smtp_gateway.limits import Limits
from smtp_gateway.session import Session
from tests.fuzz.mutation import changed, inserting
from tests.smtp_gateway.fakes import FakeDesk, FakeReception

SECRET = "s3cret-of-ours"
LIMITS = Limits(
    message_bytes=600, line_bytes=200, command_bytes=300, commands_between_messages=60,
    recipients=3, relay_networks=(), idle_seconds=30, connections=4, rate_entries=16,
)  # fmt: skip
_ENDS_SECONDS = 10
_LINE = re.compile(rb"([2-5][0-9]{2})([ -])(?:(([245])\.[0-9]{1,3}\.[0-9]{1,3}) )?([^\r\n]*)\r\n")
_WITHOUT_ENHANCED = (b"220", b"354")
_GREETED = re.compile(
    rb"(?:mx\.fuzz\.example|PIPELINING|SIZE [0-9]+|8BITMIME|SMTPUTF8|ENHANCED\w+)"
)
_COMMITTED = re.compile(rb"Recorded (r[0-9]+)")
MOST_BYTES = 1_024


def seeds() -> Iterator[bytes]:
    yield from _SEEDS


def check(data: bytes) -> None:
    """The first byte chooses the protocol, what the desk does wrong, and one way to fragment."""
    chosen, content = (data[0] if data else 0), data[1:]
    whole = run(chosen, [content])
    for size in (1, 1 + chosen):
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        assert run(chosen, pieces) == whole, f"other replies in fragments of {size}"


def mutated(data: bytes, random: Random, most_bytes: int) -> bytes:
    return changed(data, random, most_bytes, _CHANGES)


def run(chosen: int, pieces: Sequence[bytes]) -> bytes:
    """What the gateway says; judged by itself."""
    desk = _desk(chosen >> 1 & 7)
    log = logging.getLogger("proofmail.smtp")
    before, log.disabled = log.disabled, True
    try:
        written = _loop().run_until_complete(_session(desk, pieces, lmtp=bool(chosen & 1)))
    finally:
        log.disabled = before
    _judge(written, desk, lmtp=bool(chosen & 1))
    return written


def _judge(written: bytes, desk: FakeDesk, *, lmtp: bool) -> None:
    assert SECRET.encode() not in written, "the text of a fault leaks"
    assert b"Traceback" not in written
    at, open_code, recorded = 0, b"", set()
    while at < len(written):
        line = _LINE.match(written, at)
        assert line, f"a malformed reply at {at}: {written[at : at + 80]!r}"
        assert len(line[0]) <= 512
        code, mark, enhanced = line[1], line[2], line[3]
        assert not open_code or code == open_code, "a reply changes its code"
        open_code = code if mark == b"-" else b""
        if enhanced is None:
            greeted = code == b"250" and _GREETED.fullmatch(line[5])
            assert code in _WITHOUT_ENHANCED or greeted, f"no enhanced code: {line[0]!r}"
        else:
            assert line[4] == code[:1], f"the enhanced code is of another class: {line[0]!r}"
        if committed := _COMMITTED.fullmatch(line[5]):
            recorded.add(committed[1].decode())
        at = line.end()
    assert not open_code, "a reply is cut short"
    assert recorded == {f"r{n}" for n in range(1, len(desk.recorded) + 1)}, "250 and commits differ"
    for reception in desk.receptions:
        assert reception.state in ("recorded", "abandoned", "finishing"), "a reception is left open"


class _Transport(asyncio.Transport):
    """Keeps what is written; the peer reads all of it at once."""

    def __init__(self, protocol: Session, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self._protocol = protocol
        self._loop = loop

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.7", 40_000) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closed:
            self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        """All is fed in the end; the stream's own bound is not what is looked at here."""

    def resume_reading(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return True


async def _session(desk: FakeDesk, pieces: Sequence[bytes], *, lmtp: bool) -> bytes:
    loop = asyncio.get_running_loop()
    session = Session(Hall(desk, "mx.fuzz.example", LIMITS, None, Board(LIMITS)), lmtp=lmtp)
    transport = _Transport(session, loop)
    session.connection_made(transport)
    task = session.task
    assert task is not None
    for piece in pieces:
        if transport.closed:
            break
        session.data_received(piece)
        await asyncio.sleep(0)
    if not transport.closed:
        session.eof_received()
    await asyncio.wait({task}, timeout=_ENDS_SECONDS)
    assert task.done(), "the session does not end"
    await asyncio.sleep(0)
    return bytes(transport.written)


def _desk(fault: int) -> FakeDesk:
    """A desk that goes wrong in one of seven ways, or in none."""
    errors = (
        RuntimeError(SECRET), TryLater(SECRET), ValueError(SECRET),
        Refused("No: see https://a.example\nNon: é " + "x" * 200, code=550, enhanced="5.7.1"),
        Refused(SECRET, code=250, enhanced="2.0.0"), KeyError(SECRET), Refused("line\r\n250 OK"),
    )  # fmt: skip
    desk = FakeDesk()
    if not fault:
        return desk
    error = errors[fault - 1]

    async def finish(reception: FakeReception) -> None:
        await asyncio.sleep(0)
        raise error

    def feed(chunk: bytes) -> None:
        if b"!" in chunk:
            raise error

    desk.on_finish = finish
    desk.on_feed = feed
    return desk


_made: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    """One loop for all inputs: making one costs more than a session."""
    if not _made or _made[0].is_closed():
        _made[:] = [asyncio.new_event_loop()]
        atexit.register(_made[0].close)
    return _made[0]


_START = b"EHLO a.example\r\nMAIL FROM:<a@listed.example>\r\nRCPT TO:<p@proofs.example>\r\n"
_SEEDS = (
    b"\0" + _START + b"DATA\r\nSubject: x\r\n\r\n..a\r\n.b\r\n.\r\nQUIT\r\n",
    b"\1LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<p@proofs.example>\r\nRCPT TO:<q@proofs.example>\r\n"
    b"DATA\r\nx\r\n.\r\nRSET\r\nMAIL FROM:<b@x> SIZE=999999\r\nQUIT\r\n",
    b"\2" + _START + b"DATA\r\n.\r\n" + _START + b"DATA\r\na!b\r\n.\r\nNOOP\r\n",
    b"\6" + _START + b"DATA\r\na\r\n.\r\nHELP\r\nVRFY x\r\nEXPN y\r\nSTARTTLS\r\nETRN\r\n",
    b"\0" + _START + b"DATA\r\na\nb\r\n.\n" + b"x" * 250 + b"\r\n" * 200 + b".\r\nQUIT\r\n",
    b"\0GET / HTTP/1.1\r\n",
    b"\0" + b"A" * 400 + b"\r\nNOOP\r\n\r\n \r\n\0\r\nx\n",
    b"\0\r\n" * 12,
    "\0EHLO [::1]\r\nMAIL FROM:<é@x> SMTPUTF8 BODY=8BITMIME\r\n".encode()
    + "RCPT TO:<@r:é@proofs.example>\r\n".encode(),
    b'\0HELO a\r\nMAIL FROM:<"a\\"b"@x>\r\nRCPT TO:<postmaster>\r\n'
    b"RCPT TO:<o2+p@proofs.example>\r\nRCPT TO:<p@proofs.example>\r\nDATA\r\nx\r\n.\r\n",
)
_CHANGES = inserting((
    b"EHLO a\r\n", b"LHLO a\r\n", b"MAIL FROM:<a@listed.example>\r\n",
    b"RCPT TO:<p@proofs.example>\r\n",
    b"RCPT TO:<nobody@proofs.example>\r\n", b"RCPT TO:<o2+p@proofs.example>\r\n",
    b"DATA\r\n",
    b"\r\n.\r\n", b".\r\n", b"\n.\n", b"\r.\r", b"\r\n.\n", b"\n.\r\n", b"..", b"!", b"RSET\r\n",
    b"QUIT\r\n", b"NOOP\r\n", b"HELP\r\n", b" SIZE=1", b" BODY=7BIT", b" SMTPUTF8", b"\r", b"\n",
    b"x" * 210,
    b"STARTTLS\r\n", b"\xff", b"\0", b"a\r\n" * 70, b"\r\n",
))  # fmt: skip

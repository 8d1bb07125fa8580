"""Time-stamping authorities over loopback HTTP, each with a root of its own, that do what they are
told: answer, be slow, hang, refuse, throttle, answer rubbish, or lie."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from anchoring.authority import BuiltInAuthority
from anchoring.desks import Desk
from anchoring.tsa_client import build_request
from anchoring.tsa_http import HttpAuthority
from proofmail.core import der
from proofmail.ports import Clock
from proofmail.verify.token import TokenTrust
from tests.making import World
from tests.serving import serving

GARBAGE = b"\x30\x03\x02\x01\x00"


@dataclass
class Offset:
    """A clock that is off from another one."""

    clock: Clock
    by: timedelta

    def now(self) -> Any:
        return self.clock.now() + self.by


@dataclass
class FarAuthority:
    """`manner` is one of those in `_answer`; it may be changed at any time. `asked` counts the
    requests that came, `granted` the tokens that were given out."""

    name: str
    clock: Clock
    manner: str = "good"
    world: World = field(default_factory=World)
    asked: int = 0
    granted: int = 0
    url: str = ""
    let_go: threading.Event = field(default_factory=threading.Event)
    """What hangs, hangs until this."""
    seen: list[bytes] = field(default_factory=list)

    @property
    def trust(self) -> TokenTrust:
        return self.world.trust().tokens

    @property
    def root(self) -> bytes:
        return sha256(self.world.trust().authorities[0].certificate).digest()

    def desk(self, timeout_seconds: float = 5.0, **more: Any) -> Desk:
        return Desk(HttpAuthority(self.name, self.url, timeout_seconds), self.trust, **more)

    def stamp(self, request: bytes, by: timedelta = timedelta()) -> bytes:
        self.granted += 1
        clock = Offset(self.clock, by)
        return BuiltInAuthority(self.name, self.world.authority, clock).respond(request)

    def answer(self, handler: BaseHTTPRequestHandler, request: bytes) -> None:
        self.asked += 1
        self.seen.append(request)
        manner = self.manner
        if manner == "hang":
            self.let_go.wait(30)
        if manner == "slow":
            self.let_go.wait(0.6)
        if manner in ("good", "slow", "hang"):
            return _reply(handler, self.stamp(request))
        if manner == "throttle":
            return _reply(handler, b"", 429, **{"Retry-After": "40"})
        if manner in ("503", "404", "500"):
            return _reply(handler, b"", int(manner))
        if manner == "garbage":
            return _reply(handler, GARBAGE)
        if manner == "wrong imprint":
            return _reply(handler, self.stamp(_with_imprint(request, bytes(32))))
        if manner == "wrong nonce":
            return _reply(handler, self.stamp(build_request(_imprint(request), 7)))
        if manner == "ahead":
            return _reply(handler, self.stamp(request, timedelta(minutes=5)))
        if manner == "a little behind":
            return _reply(handler, self.stamp(request, timedelta(seconds=-30)))
        if manner == "cannot":
            return _reply(handler, _rejection(14))
        if manner == "refuses":
            return _reply(handler, _rejection(2))
        if manner == "stranger":
            stranger = BuiltInAuthority("stranger", World().authority, self.clock)
            return _reply(handler, stranger.respond(request))
        handler.close_connection = True  # "hangs up"
        return None


BAD = (
    "503", "404", "throttle", "garbage", "wrong imprint", "wrong nonce", "ahead", "cannot",
    "refuses", "stranger", "hangs up",
)  # fmt: skip


@contextmanager
def far(*authorities: FarAuthority) -> Iterator[None]:
    """Runs them, each on a port of its own."""
    with ExitStack() as running:
        for authority in authorities:
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(authority))
            authority.url = f"http://127.0.0.1:{server.server_address[1]}/tsa"
            running.enter_context(serving(server))
            running.callback(authority.let_go.set)
        yield


def _handler(authority: FarAuthority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                authority.answer(self, body)
            except OSError:  # nobody waits for it any more
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _reply(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/timestamp-reply")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def _parts(request: bytes) -> tuple[bytes, int]:
    body = der.only(request)
    body.integer()
    imprint = der.only(body.raw(der.SEQUENCE))
    imprint.raw(der.SEQUENCE)
    return imprint.octets(), body.integer()


def _imprint(request: bytes) -> bytes:
    return _parts(request)[0]


def _with_imprint(request: bytes, imprint: bytes) -> bytes:
    return build_request(imprint, _parts(request)[1])


def _rejection(failure: int) -> bytes:
    octets, bit = divmod(failure, 8)
    bits = der.tlv(der.BIT_STRING, bytes((7 - bit,)), bytes(octets), bytes((0x80 >> bit,)))
    return der.sequence(der.sequence(der.integer(2), bits))

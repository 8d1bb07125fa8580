"""A mail server of our own, the next hop of others: keeps what it is given, in memory."""

from __future__ import annotations

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.serving import serving


@dataclass
class Sink:
    """What came, by the local part of the recipient; the bytes as they were on the wire, but for
    the dots of SMTP."""

    port: int = 0
    eight_bit: bool = True
    copies: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def sink(*, eight_bit: bool) -> Iterator[Sink]:
    """Serves on loopback; says 8BITMIME or, if not `eight_bit`, does not."""
    taken = Sink(eight_bit=eight_bit)

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 sink.example\r\n")
            recipient = ""
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    more = b"250-8BITMIME\r\n" if taken.eight_bit else b""
                    self.wfile.write(
                        b"250-sink.example\r\n" + more + b"250 ENHANCEDSTATUSCODES\r\n"
                    )
                    continue
                if verb == b"RCPT":
                    recipient = line.partition(b"<")[2].partition(b"@")[0].decode()
                if verb == b"DATA":
                    self.wfile.write(b"354 go\r\n")
                    taken.copies[recipient] = b"".join(self._lines())
                if verb == b"QUIT":
                    self.wfile.write(b"221 2.0.0 bye\r\n")
                    return
                self.wfile.write(b"250 2.0.0 ok\r\n")

        def _lines(self) -> Iterator[bytes]:
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                yield line[1:] if line.startswith(b".") else line

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Session)
    taken.port = server.server_address[1]
    with serving(server):
        yield taken

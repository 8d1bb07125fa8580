"""One HTTP exchange with a host that is not trusted: bounded in bytes and, as a whole, in time.

No redirect is followed, no proxy or password file of the environment is used. The name is looked
up once, and what is connected to is what was looked at: a name that answers differently the second
time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from functools import cache
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from proofmail.errors import TryLater

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 2000
MAX_ADDRESSES = 4
"""Of one name: each that is silent takes its share of the time."""
_CHUNK_BYTES = 64 << 10


@dataclass(frozen=True)
class Bounds:
    """`who` names the host in errors. `near`: None lets every address be gone to; else those of the
    public internet and of these networks alone."""

    who: str
    seconds: float
    most_bytes: int
    near: Sequence[Network] | None = None


@dataclass(frozen=True)
class Request:
    """`url` is as :func:`read_url` wants it. POST with a body, GET without. `tls` takes the place
    of the system's roots and of no certificate of ours."""

    url: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Answer:
    """`body` is read for status 200 alone."""

    status: int
    body: bytes
    headers: Message


class NotTrusted(TryLater):
    """The host's TLS certificate is not one that we trust."""


class TooLarge(TryLater):
    """The body has more bytes than the bounds allow."""


def is_loopback(host: str) -> bool:
    """Whether a host, as a URL names it, is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL in visible ASCII; None for everything else."""
    if len(url) > MAX_URL or any(not "!" <= character <= "~" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def exchange(request: Request, bounds: Bounds) -> Answer:
    """TryLater for everything that is no answer within the bounds."""
    deadline = time.monotonic() + bounds.seconds
    parts = read_url(request.url)
    if parts is None:
        raise TryLater(f"{bounds.who} is not at an http or https address")
    try:
        connection = _connected(parts, request.tls or _tls(), bounds, deadline)
        over = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [connection.sock])
        over.daemon = True
        over.start()
        try:
            found = _exchange(connection, parts, request, bounds)
        finally:
            over.cancel()
            connection.close()
    except ssl.SSLCertVerificationError:
        raise NotTrusted(f"{bounds.who} has a TLS certificate that is not trusted") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
            raise TryLater(f"{bounds.who} is too slow") from None
        raise TryLater(f"{bounds.who} cannot be reached, or broke off") from None
    if time.monotonic() >= deadline:  # what was cut off looks like an end
        raise TryLater(f"{bounds.who} is too slow")
    return found


def _exchange(
    connection: http.client.HTTPConnection, parts: SplitResult, request: Request, bounds: Bounds
) -> Answer:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    method = "GET" if request.body is None else "POST"
    connection.request(method, target, request.body, request.headers)
    with connection.getresponse() as response:
        body = _read(response, bounds) if response.status == 200 else b""
        return Answer(response.status, body, response.headers)


def _read(response: http.client.HTTPResponse, bounds: Bounds) -> bytes:
    pieces, size = [], 0
    while piece := response.read1(_CHUNK_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > bounds.most_bytes:
            raise TooLarge(f"{bounds.who} answers with more than {bounds.most_bytes} bytes")
    if response.length:
        raise http.client.IncompleteRead(b"")
    return b"".join(pieces)


def _connected(
    parts: SplitResult, tls: ssl.SSLContext, bounds: Bounds, deadline: float
) -> http.client.HTTPConnection:
    host, secure = parts.hostname or "", parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, parts.port)
    reached = _reach(host, connection.port, bounds, deadline)
    try:
        if secure:
            reached = tls.wrap_socket(reached, server_hostname=host)
    except BaseException:
        reached.close()
        raise
    connection.sock = reached
    return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _reach(host: str, port: int, bounds: Bounds, deadline: float) -> socket.socket:
    """A connection to one of the first addresses of the name that may be gone to."""
    trouble: OSError | None = None
    for place in _places(host, port, bounds)[:MAX_ADDRESSES]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return socket.create_connection(place, timeout=left)
        except OSError as error:
            trouble = error
    raise trouble or OSError()


def _places(host: str, port: int, bounds: Bounds) -> list[tuple[str, int]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    hosts = dict.fromkeys(str(entry[4][0]) for entry in found)
    good = [one for one in hosts if bounds.near is None or _may_be_gone_to(one, bounds.near)]
    if hosts and not good:
        raise TryLater(f"{bounds.who} is at an address that is not gone to")
    return [(one, port) for one in good]


def _may_be_gone_to(host: str, near: Sequence[Network]) -> bool:
    address: Address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        # What a system, a tunnel or a translator takes for an address of version 4.
        inner = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    if any(address in network for network in near):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved)


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052 §2.1."""


def _cut(sock: socket.socket) -> None:
    """Ends the wait of the thread that reads from this socket."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # TLS's own would talk first

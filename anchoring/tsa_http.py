"""A time-stamping authority over HTTP or HTTPS (RFC 3161 §3.4): the wire alone, nothing judged."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from proofmail.core.der import MAX_BYTES
from proofmail.errors import Misconfigured, TryLater

_QUERY = "application/timestamp-query"
_REPLY = "application/timestamp-reply"
_CHUNK_BYTES = 16 << 10
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_SECONDS = re.compile(r"\d{1,6}\Z", re.ASCII)
_VISIBLE = re.compile(r"[!-~]{1,4096}\Z", re.ASCII)


@dataclass(frozen=True)
class Credentials:
    """How we show who we are: a value for the field Authorization, or a client certificate (the
    path of a PEM file with its key), or both, or nothing."""

    authorization: str = field(default="", repr=False)
    client_certificate: Path | None = None


def basic(user_and_password: str) -> str:
    """The Authorization of RFC 7617 for `user:password`, in UTF-8."""
    user, colon, password = user_and_password.partition(":")
    if not colon or not user or not (user + password).isprintable():
        raise Misconfigured("a file for basic authentication holds one line, user:password")
    return "Basic " + b64encode(user_and_password.encode("utf-8")).decode("ascii")


def bearer(token: str) -> str:
    """The Authorization of RFC 6750 §2.1."""
    if not _VISIBLE.match(token):
        raise Misconfigured("a file for a bearer token holds one line, the token")
    return f"Bearer {token}"


class HttpAuthority:
    """A TimestampAuthority over HTTP or HTTPS. One connection a request.

    No redirect is followed, no proxy of the environment is used, and an answer has at most 1 MiB.
    `timeout_seconds` bounds each wait and, from the connection on, the whole. Credentials go over
    HTTPS alone, or to this very machine. `tls_roots` is a PEM file of the roots that the server's
    certificate is checked against, in place of the system's.
    """

    def __init__(
        self,
        name: str,
        url: str,
        timeout_seconds: float = 10.0,
        credentials: Credentials = Credentials(),
        tls_roots: Path | None = None,
    ) -> None:
        self._name, self._timeout_seconds = name, timeout_seconds
        parts = _read_url(url)
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if credentials != Credentials() and not (self._secure or _is_loopback(parts.hostname)):
            raise Misconfigured("credentials go to an authority over https alone")
        self._credentials, self._tls_roots = credentials, tls_roots

    @property
    def name(self) -> str:
        return self._name

    def respond(self, request_der: bytes) -> bytes:
        """Raises TryLater for what may pass, Misconfigured for what calls for the operator."""
        connection = self._connection()
        deadline = time.monotonic() + self._timeout_seconds
        try:
            connection.connect()
            # connection.sock goes as soon as the last byte is known to be on its way.
            over = threading.Timer(self._timeout_seconds, _cut, [connection.sock])
            over.start()
            try:
                body = self._post(connection, request_der)
            finally:
                over.cancel()
        except ssl.SSLCertVerificationError:
            raise Misconfigured("the authority's TLS certificate is not trusted") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise TryLater("the authority is too slow") from None
            raise TryLater("the authority cannot be reached") from None
        finally:
            connection.close()
        if time.monotonic() >= deadline:  # what we cut off ourselves looks like an end
            raise TryLater("the authority is too slow")
        return body

    def _post(self, connection: http.client.HTTPConnection, request_der: bytes) -> bytes:
        headers = {"Content-Type": _QUERY, "Accept": _REPLY}
        if self._credentials.authorization:
            headers["Authorization"] = self._credentials.authorization
        connection.request("POST", self._target, request_der, headers)
        with connection.getresponse() as response:
            _check_answer(response)
            return _read_bounded(response)

    def _connection(self) -> http.client.HTTPConnection:
        host, port, seconds = str(self._host), self._port, self._timeout_seconds
        if self._secure:
            return http.client.HTTPSConnection(host, port, timeout=seconds, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=seconds)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._tls_roots)
            if self._credentials.client_certificate:
                context.load_cert_chain(self._credentials.client_certificate)
        except (OSError, ValueError):
            raise Misconfigured("the files for TLS with the authority cannot be used") from None
        return context


def _read_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Misconfigured("the authority's URL is malformed") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured("the authority's URL is not an http or https one")
    if parts.username is not None or parts.password is not None:
        raise Misconfigured("the authority's URL holds a user name or password")
    if any(not "!" <= character <= "~" for character in url):
        raise Misconfigured("the authority's URL has characters that belong encoded")
    return parts


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _cut(sock: socket.socket) -> None:
    """Ends the wait of the thread that reads from this socket: the time is over."""
    with suppress(OSError):
        # The socket's own: that of TLS would talk first.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _check_answer(response: http.client.HTTPResponse) -> None:
    status = response.status
    if status in _PASSING:
        raise TryLater(f"the authority answers {status}", after_seconds=_retry_after(response))
    if 300 <= status < 400:
        raise Misconfigured(f"the authority answers {status}: set its new URL")
    if status in (401, 403):
        raise Misconfigured(f"the authority answers {status}: it does not take our credentials")
    if status != 200:
        raise Misconfigured(f"the authority answers {status}")
    if response.headers.get_content_type() != _REPLY:
        raise Misconfigured("the answer at this URL is not that of a time-stamping authority")


def _retry_after(response: http.client.HTTPResponse) -> float:
    """Seconds of RFC 9110 §10.2.3; 0 without the field, or with a date: our own back-off does."""
    told = (response.headers.get("Retry-After") or "").strip()
    return float(told) if _SECONDS.match(told) else 0.0


def _read_bounded(response: http.client.HTTPResponse) -> bytes:
    pieces, size = [], 0
    while piece := response.read1(_CHUNK_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            raise Misconfigured("the authority's answer is larger than 1 MiB")
    if response.length:
        raise TryLater("the authority's answer was cut short")
    return b"".join(pieces)

"""Asking a time-stamping authority, and judging its answer before anything is kept.

The request is by digest only, and written as DER by hand: one is made for each record. What comes
back is judged by proofmail.verify.token alone.
"""

from __future__ import annotations

import http.client
import secrets
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from proofmail.core import der
from proofmail.core.der import MAX_BYTES
from proofmail.errors import Misconfigured, TryLater
from proofmail.ports import Clock, TimestampAuthority
from proofmail.verify.token import (
    SHA256,
    Reception,
    TokenFacts,
    TokenTrust,
    read_response,
    receive_token,
)

_NONCE_BITS = 64
_VERSION, _TRUE = der.integer(1), b"\x01\x01\xff"
_SHA256 = der.sequence(der.oid(SHA256))
_QUERY = "application/timestamp-query"
_REPLY = "application/timestamp-reply"
_CHUNK_BYTES = 16 << 10
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REJECTIONS = frozenset({2, 3, 4, 5})
"""PKIStatus: rejection, waiting, revocationWarning, revocationNotification."""
_PASSING_FAILURES = frozenset({14, 25})
"""PKIFailureInfo: timeNotAvailable, systemFailure."""
_WAITING = 3


@dataclass(frozen=True)
class StampedToken:
    """A response that passed R1 to R15, raw, with what it says."""

    response_der: bytes
    facts: TokenFacts
    sent_at: datetime
    received_at: datetime


def build_request(imprint: bytes, nonce: int) -> bytes:
    """The DER of a TimeStampReq (RFC 3161 §2.4.1) for a SHA-256 imprint, certificates wanted."""
    if len(imprint) != 32:
        raise ValueError("an imprint by SHA-256 has 32 bytes")
    return der.sequence(
        _VERSION, der.sequence(_SHA256, der.octets(imprint)), der.integer(nonce), _TRUE
    )


class HttpAuthority:
    """A TimestampAuthority over HTTP or HTTPS (RFC 3161 §3.4). One connection a request.

    No redirect is followed, no proxy of the environment is used, and an answer has at most 1 MiB.
    `timeout_seconds` bounds each wait and, checked between chunks, the whole.
    """

    def __init__(self, name: str, url: str, timeout_seconds: float = 10.0) -> None:
        self._name, self._timeout_seconds = name, timeout_seconds
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Misconfigured("the authority's URL is malformed") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misconfigured("the authority's URL is not an http or https one")
        if parts.username is not None or parts.password is not None:
            raise Misconfigured("the authority's URL holds a user name or password")
        if any(not "!" <= character <= "~" for character in url):
            raise Misconfigured("the authority's URL has characters that belong encoded")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def name(self) -> str:
        return self._name

    def respond(self, request_der: bytes) -> bytes:
        """Raises TryLater for what may pass, Misconfigured for what calls for the operator."""
        connection = self._connection()
        deadline = time.monotonic() + self._timeout_seconds
        headers = {"Content-Type": _QUERY, "Accept": _REPLY}
        try:
            connection.request("POST", self._target, request_der, headers)
            response = connection.getresponse()
            self._check_answer(response)
            return _read_bounded(response, deadline)
        except ssl.SSLCertVerificationError:
            raise Misconfigured("the authority's TLS certificate is not trusted") from None
        except (OSError, http.client.HTTPException):
            raise TryLater("the authority cannot be reached") from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host,
                self._port,
                timeout=self._timeout_seconds,
                context=ssl.create_default_context(),
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)

    def _check_answer(self, response: http.client.HTTPResponse) -> None:
        status = response.status
        if status in _PASSING:
            raise TryLater(f"the authority answers {status}")
        if 300 <= status < 400:
            raise Misconfigured(f"the authority answers {status}: set its new URL")
        if status != 200:
            raise Misconfigured(f"the authority answers {status}")
        if response.headers.get_content_type() != _REPLY:
            raise Misconfigured("the answer at this URL is not that of a time-stamping authority")


def _read_bounded(response: http.client.HTTPResponse, deadline: float) -> bytes:
    pieces, size = [], 0
    while piece := response.read1(_CHUNK_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            raise Misconfigured("the authority's answer is larger than 1 MiB")
        if time.monotonic() > deadline:
            raise TryLater("the authority is too slow")
    if response.length:
        raise TryLater("the authority's answer was cut short")
    return b"".join(pieces)


def stamp_once(
    authority: TimestampAuthority, imprint: bytes, trust: TokenTrust, clock: Clock
) -> StampedToken:
    """Asks once for a token over a SHA-256 imprint, and runs all of R1 to R15 on the answer.

    Raises TryLater or Misconfigured when there is no token to judge, and Unreadable, CheckFailed
    or NotChecked (the authority is not in the trust) when there is and it must not be kept.
    If we die here nothing is lost: the same imprint is stamped again.
    """
    nonce = secrets.randbits(_NONCE_BITS)
    request_der = build_request(imprint, nonce)
    sent_at = clock.now()
    response_der = authority.respond(request_der)
    received_at = clock.now()
    _check_answered(response_der)
    facts = receive_token(response_der, imprint, trust, Reception(nonce, sent_at, received_at))
    return StampedToken(response_der, facts, sent_at, received_at)


def _check_answered(response_der: bytes) -> None:
    """Turns a plain refusal (no token) into what to do next; all else is left to the checks."""
    response = read_response(response_der)
    if response.token_der is not None or response.status not in _REJECTIONS:
        return
    if response.status == _WAITING or response.failures & _PASSING_FAILURES:
        raise TryLater("the authority cannot stamp now")
    reasons = ", ".join(map(str, sorted(response.failures))) or "none given"
    raise Misconfigured(f"the authority refuses our requests (PKIFailureInfo: {reasons})")

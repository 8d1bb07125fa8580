"""A time-stamping authority over HTTP or HTTPS (RFC 3161 §3.4): the wire alone, nothing judged."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult

from anchoring.outgoing import (
    Answer,
    Bounds,
    NotTrusted,
    Request,
    TooLarge,
    exchange,
    is_loopback,
    read_url,
)
from proofmail.core.der import MAX_BYTES
from proofmail.errors import Misconfigured, TryLater

_QUERY = "application/timestamp-query"
_REPLY = "application/timestamp-reply"
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
    `timeout_seconds` bounds the whole. Credentials go over HTTPS alone, or to this very machine.
    `tls_roots` is a PEM file of the roots that the server's certificate is checked against, in
    place of the system's.
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
        self._url, parts = url, _read_url(url)
        secure = parts.scheme == "https"
        if credentials != Credentials() and not (secure or is_loopback(parts.hostname or "")):
            raise Misconfigured("credentials go to an authority over https alone")
        self._secure, self._credentials, self._tls_roots = secure, credentials, tls_roots

    @property
    def name(self) -> str:
        return self._name

    def respond(self, request_der: bytes) -> bytes:
        """Raises TryLater for what may pass, Misconfigured for what calls for the operator."""
        headers = {"Content-Type": _QUERY, "Accept": _REPLY}
        if self._credentials.authorization:
            headers["Authorization"] = self._credentials.authorization
        request = Request(self._url, request_der, headers, self._tls if self._secure else None)
        try:
            answer = exchange(request, Bounds("the authority", self._timeout_seconds, MAX_BYTES))
        except NotTrusted:
            raise Misconfigured("the authority's TLS certificate is not trusted") from None
        except TooLarge:
            raise Misconfigured("the authority's answer is larger than 1 MiB") from None
        _check_answer(answer)
        return answer.body

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
    parts = read_url(url)
    if parts is None:
        raise Misconfigured("the authority's URL is not an http or https one in visible ASCII")
    if parts.username is not None or parts.password is not None:
        raise Misconfigured("the authority's URL holds a user name or password")
    return parts


def _check_answer(answer: Answer) -> None:
    status = answer.status
    if status in _PASSING:
        raise TryLater(f"the authority answers {status}", after_seconds=_retry_after(answer))
    if 300 <= status < 400:
        raise Misconfigured(f"the authority answers {status}: set its new URL")
    if status in (401, 403):
        raise Misconfigured(f"the authority answers {status}: it does not take our credentials")
    if status != 200:
        raise Misconfigured(f"the authority answers {status}")
    if answer.headers.get_content_type() != _REPLY:
        raise Misconfigured("the answer at this URL is not that of a time-stamping authority")


def _retry_after(answer: Answer) -> float:
    """Seconds of RFC 9110 §10.2.3; 0 without the field, or with a date: our own back-off does."""
    told = (answer.headers.get("Retry-After") or "").strip()
    return float(told) if _SECONDS.match(told) else 0.0

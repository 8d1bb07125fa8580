"""Fetching what an authority publishes on the revocation of a certificate: OCSP and CRL over HTTP.

The places stand in the certificate itself (RFC 5280 §4.2.1.13, §4.2.2.1), whose path to the trust
has been judged before. What comes back is believed in nothing: the caller judges it.
"""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from proofmail.core.proof import CRL, MAX_REVOCATION_BYTES, OCSP
from proofmail.errors import TryLater

MAX_OCSP_BYTES = 64 << 10
MAX_PLACES = 4
MAX_URL = 2000
TIMEOUT_SECONDS = 5.0
_CHUNK_BYTES = 16 << 10
_REQUEST = "application/ocsp-request"


@dataclass(frozen=True)
class Place:
    """Where one certificate's status is published; `kind` is CRL or OCSP."""

    kind: str
    url: str


def places(certificate: x509.Certificate) -> list[Place]:
    """The places that a certificate names, OCSP first: its answers are small. HTTP and HTTPS
    alone (RFC 5280 §8 warns of loops with the latter; nothing is looked up for TLS here)."""
    found = [Place(OCSP, url) for url in _responders(certificate)]
    found += [Place(CRL, url) for url in _lists(certificate)]
    return [place for place in found if _readable(place.url)][:MAX_PLACES]


def fetch(
    place: Place, certificate: x509.Certificate, issuer: x509.Certificate,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> bytes:  # fmt: skip
    """The bytes that the place gives; TryLater for everything else. No redirect is followed, no
    proxy of the environment is used, and an answer has its limit in bytes and in time."""
    if place.kind == OCSP:
        return _exchange(place, _ocsp_request(certificate, issuer), MAX_OCSP_BYTES, timeout_seconds)
    return _exchange(place, None, MAX_REVOCATION_BYTES, timeout_seconds)


def _responders(certificate: x509.Certificate) -> list[str]:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return []
    return [
        entry.access_location.value
        for entry in access.value
        if entry.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(entry.access_location, x509.UniformResourceIdentifier)
    ]


def _lists(certificate: x509.Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    except x509.ExtensionNotFound:
        return []
    return [
        name.value
        for point in points.value
        if point.reasons is None and point.crl_issuer is None
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    ]


def _readable(url: str) -> bool:
    return _parts(url) is not None


def _parts(url: str) -> SplitResult | None:
    if len(url) > MAX_URL or any(not "!" <= character <= "~" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    good = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
    return parts if good else None


def _ocsp_request(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """RFC 6960 §4.1.1, named by SHA-1: what every responder knows. No nonce, so that answers made
    ahead are good too."""
    name_by = hashes.SHA1()  # noqa: S303 - it names a certificate, and signs nothing
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, name_by)
    return builder.build().public_bytes(Encoding.DER)


def _exchange(place: Place, body: bytes | None, most_bytes: int, timeout_seconds: float) -> bytes:
    parts = _parts(place.url)
    if parts is None or parts.hostname is None:
        raise TryLater("the place of revocation data is not an http or https one")
    deadline = time.monotonic() + timeout_seconds
    connection = _connection(parts, timeout_seconds)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {} if body is None else {"Content-Type": _REQUEST}
    try:
        connection.request("GET" if body is None else "POST", target, body, headers)
        with connection.getresponse() as response:
            if response.status != 200:
                raise TryLater(f"the place of revocation data answers {response.status}")
            return _read(response, most_bytes, deadline)
    except (OSError, http.client.HTTPException):
        raise TryLater("the place of revocation data cannot be reached") from None
    finally:
        connection.close()


def _connection(parts: SplitResult, timeout_seconds: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(
            host, parts.port, timeout=timeout_seconds, context=context
        )
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_seconds)


def _read(response: http.client.HTTPResponse, most_bytes: int, deadline: float) -> bytes:
    pieces, size = [], 0
    while piece := response.read1(_CHUNK_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > most_bytes:
            raise TryLater("revocation data is larger than a proof may hold")
        if time.monotonic() > deadline:
            raise TryLater("the place of revocation data is too slow")
    if response.length:
        raise TryLater("revocation data was cut short")
    return b"".join(pieces)

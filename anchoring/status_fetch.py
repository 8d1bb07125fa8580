"""Fetching what an authority publishes on the revocation of a certificate: OCSP and CRL over HTTP.

The places stand in the certificate itself (RFC 5280 §4.2.1.13, §4.2.2.1), whose path to the trust
has been judged before. What comes back is believed in nothing: the caller judges it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from anchoring.outgoing import Bounds, Network, Request, exchange, read_url
from proofmail.core.proof import CRL, MAX_REVOCATION_BYTES, OCSP
from proofmail.errors import TryLater

MAX_OCSP_BYTES = 64 << 10
MAX_PLACES = 4
TIMEOUT_SECONDS = 5.0
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
    near: Sequence[Network] = (), timeout_seconds: float = TIMEOUT_SECONDS,
) -> bytes:  # fmt: skip
    """The bytes that the place gives; TryLater for everything else, bounded in bytes and in time.

    Whoever issues certificates names the places. They lie in the public internet, or in `near`:
    nobody gets this host to ask what only it and its neighbours can reach.
    """
    body, headers, most = None, dict[str, str](), MAX_REVOCATION_BYTES
    if place.kind == OCSP:
        body, most = _ocsp_request(certificate, issuer), MAX_OCSP_BYTES
        headers = {"Content-Type": _REQUEST}
    bounds = Bounds("the place of revocation data", timeout_seconds, most, near)
    answer = exchange(Request(place.url, body, headers), bounds)
    if answer.status != 200:
        raise TryLater(f"the place of revocation data answers {answer.status}")
    return answer.body


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
    parts = read_url(url)
    return parts is not None and parts.username is None


def _ocsp_request(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """RFC 6960 §4.1.1, named by SHA-1: what every responder knows. No nonce, so that answers made
    ahead are good too."""
    name_by = hashes.SHA1()  # noqa: S303 - it names a certificate, and signs nothing
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, name_by)
    return builder.build().public_bytes(Encoding.DER)

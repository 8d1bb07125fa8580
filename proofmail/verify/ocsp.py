"""Looking a certificate up in an OCSP response (RFC 6960 §3.2), as far as signed ones go.

The responder is the certificate's issuer itself, or one whom that issuer certified for OCSP
signing, and of whose own certificate it said that it need not be looked up (§4.2.2.2.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from proofmail.core import der
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.cms import certificate_names
from proofmail.verify.status_signer import Entry, Signed, check_signed, digest_of, earliest

_INVALIDITY_DATE = "2.5.29.24"
MAX_CERTIFICATES = 8
MAX_RESPONSES = 64
_DIGESTS = ("sha1", "sha256", "sha384", "sha512")
"""By which a certificate may be named: SHA-1 names here, it does not sign."""


@dataclass(frozen=True)
class _Extension:
    oid: str
    critical: bool
    value: bytes


def look_up(value: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Entry:
    """The certificate's standing by this response. CheckFailed when the response is not one of
    its issuer for it, or does not hold; Unreadable when it is none."""
    response = read(value)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise CheckFailed("an OCSP response is not a successful one")
    _check_signer(response, issuer)
    if any(extension.critical for extension in response.extensions):
        raise CheckFailed("an OCSP response has a critical extension")
    answers = _singles(response, certificate, issuer)
    # Of several the worst.
    revoked = [one for one in answers if one[0].certificate_status is ocsp.OCSPCertStatus.REVOKED]
    found = [_entry(response, *one) for one in revoked or answers]
    times = [entry.revoked_at for entry in found if entry.revoked_at is not None]
    reasons = {entry.reason for entry in found}
    reason = reasons.pop() if len(reasons) == 1 else None
    return replace(found[0], revoked_at=min(times, default=None), reason=reason)


def _entry(
    response: ocsp.OCSPResponse, single: ocsp.OCSPSingleResponse, extensions: Sequence[_Extension]
) -> Entry:
    as_of, until = single.this_update_utc, single.next_update_utc
    if as_of > response.produced_at_utc or (until is not None and until < as_of):
        raise CheckFailed("the times of an OCSP response do not fit together")
    if any(extension.critical for extension in extensions):
        raise CheckFailed("an answer in an OCSP response has a critical extension")
    if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return Entry(as_of, until)
    if single.certificate_status is not ocsp.OCSPCertStatus.REVOKED:
        raise CheckFailed("an OCSP responder does not know the certificate")
    revoked_at = single.revocation_time_utc
    try:
        reason = single.revocation_reason
        for extension in extensions:
            if (
                revoked_at and extension.oid == _INVALIDITY_DATE
            ):  # RFC 6960 §4.4.5: as in the entry of a CRL
                revoked_at = earliest(revoked_at, der.Reader(extension.value).time())
    except (ValueError, Unreadable):  # it was revoked, whatever else is unreadable
        reason = None
    return Entry(as_of, until, revoked_at, reason)


def read(value: bytes) -> ocsp.OCSPResponse:
    try:
        response = ocsp.load_der_ocsp_response(value)
        if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
            _ = response.extensions, response.produced_at_utc, response.certificates
    except Exception:  # its errors have no common base; all of them say "unreadable"
        raise Unreadable("an OCSP response cannot be read") from None
    return response


def _singles(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> list[tuple[ocsp.OCSPSingleResponse, list[_Extension]]]:
    """The answers on this certificate (RFC 6960 §4.1.1: by the issuer's name and key, and the
    serial number), with their extensions; at least one."""
    names = certificate_names(issuer.public_bytes(Encoding.DER))
    issued_by = (names.subject, _key_bits(issuer))
    answers = zip(response.responses, _extensions(response.tbs_response_bytes), strict=True)
    found = [
        (single, extensions)
        for single, extensions in islice(answers, MAX_RESPONSES)
        if single.serial_number == certificate.serial_number and _is_of(single, *issued_by)
    ]
    if not found:
        raise CheckFailed("an OCSP response is on another certificate")
    return found


def _extensions(data: bytes) -> Iterator[list[_Extension]]:
    """Those of each answer in a ResponseData (RFC 6960 §4.2.1), which the library does not give
    where there are several."""
    body = der.only(data)
    if body.peek() == der.context(0):
        body.raw()  # the version
    body.raw()  # who answers
    body.raw()  # when
    answers = body.enter()
    while answers.peek():
        answer = answers.enter()
        for _ in ("of which certificate", "its status", "thisUpdate"):
            answer.raw()
        if answer.peek() == der.context(0):
            answer.raw()  # nextUpdate
        found = []
        if answer.peek():
            items = answer.enter(der.context(1)).enter()
            while items.peek():
                item = items.enter()
                oid = item.oid()
                critical = item.peek() == der.BOOLEAN and item.boolean()
                found.append(_Extension(oid, critical, item.octets()))
        yield found


def _is_of(single: ocsp.OCSPSingleResponse, name: bytes, key: bytes) -> bool:
    try:
        digest = single.hash_algorithm.name
    except Exception:  # an algorithm that the library does not know
        return False
    if digest not in _DIGESTS:
        return False
    hashed = (hashlib.new(digest, data, usedforsecurity=False).digest() for data in (name, key))
    return tuple(hashed) == (single.issuer_name_hash, single.issuer_key_hash)


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The public key without its algorithm: the BIT STRING's octets."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = der.only(spki)
    body.raw(der.SEQUENCE)
    return body.content(der.BIT_STRING)[1:]


def _check_signer(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> None:
    signed = Signed(
        response.tbs_response_bytes,
        response.signature,
        response.signature_algorithm_oid,
        digest_of(response),
    )
    for signer in (issuer, *_delegates(response, issuer)):
        if _is_named(response, signer):
            check_signed(signed, signer)
            return
    raise CheckFailed("an OCSP response is not of the certificate's issuer, nor of one it named")


def _is_named(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    """RFC 6960 §4.2.2.3: by name, or by the SHA-1 of the key."""
    if response.responder_name is not None:
        return response.responder_name == signer.subject
    named = hashlib.sha1(_key_bits(signer), usedforsecurity=False).digest()
    return response.responder_key_hash == named


def _delegates(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    for certificate in response.certificates[:MAX_CERTIFICATES]:
        try:
            _check_delegate(certificate, issuer)
        except (CheckFailed, x509.ExtensionNotFound, ValueError, TypeError):
            continue
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if start <= response.produced_at_utc <= end:
            yield certificate


def _check_delegate(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    if certificate.issuer != issuer.subject:
        raise CheckFailed("a responder's certificate is of another issuer")
    check_signed(
        Signed(
            certificate.tbs_certificate_bytes, certificate.signature,
            certificate.signature_algorithm_oid, digest_of(certificate),
        ),
        issuer,
    )  # fmt: skip
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
        raise CheckFailed("a responder's certificate is not for OCSP signing")
    certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)

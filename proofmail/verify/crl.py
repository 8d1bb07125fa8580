"""Looking a certificate up in a CRL (RFC 5280 §6.3.3), as far as complete ones go.

Delta CRLs, indirect ones, and those for some reasons alone are passed over: none is needed to
judge the issuers of time-stamping certificates, and each has ways to mislead.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.status_signer import (
    Entry,
    Signed,
    check_signed,
    digest_of,
    earliest,
)

_KNOWN = (x509.AuthorityKeyIdentifier, x509.CRLNumber, x509.IssuingDistributionPoint)


def look_up(value: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Entry:
    """The certificate's standing by this CRL. CheckFailed when the CRL is not one of its issuer
    for it, or does not hold; Unreadable when it is none."""
    crl = read(value)
    _check_signer(crl, issuer)
    _check_scope(crl, certificate)
    until = crl.next_update_utc
    if until is not None and until < crl.last_update_utc:
        raise CheckFailed("a CRL ends before it begins")
    listed = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if listed is None:
        return Entry(crl.last_update_utc, until)
    try:
        reason, invalid_since = _details(listed)
    except Exception:  # it is listed, whatever else is unreadable in its entry
        return Entry(crl.last_update_utc, until, listed.revocation_date_utc)
    revoked_at = earliest(listed.revocation_date_utc, invalid_since)
    return Entry(crl.last_update_utc, until, revoked_at, reason)


def read(value: bytes) -> x509.CertificateRevocationList:
    try:
        crl = x509.load_der_x509_crl(value)
        _ = crl.issuer, crl.extensions, crl.last_update_utc, crl.signature_algorithm_oid
    except Exception:  # its errors have no common base; all of them say "unreadable"
        raise Unreadable("a CRL cannot be read") from None
    return crl


def _check_signer(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
    if crl.issuer != issuer.subject:
        raise CheckFailed("a CRL is of another issuer")
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        usage = None
    if usage is not None and not usage.crl_sign:
        raise CheckFailed("a CRL's issuer may not sign CRLs")
    signed = Signed(
        crl.tbs_certlist_bytes, crl.signature, crl.signature_algorithm_oid, digest_of(crl)
    )
    check_signed(signed, issuer)


def _check_scope(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> None:
    for extension in crl.extensions:
        if extension.critical and not isinstance(extension.value, _KNOWN):
            raise CheckFailed("a CRL has a critical extension that is not known")
        if isinstance(extension.value, x509.DeltaCRLIndicator):
            raise CheckFailed("a CRL is a delta")
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            _check_point(extension.value, certificate)


def _check_point(point: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> None:
    """RFC 5280 §6.3.3 (b)(2): the CRL's part of the issuer's certificates has this one in it."""
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
        raise CheckFailed("a CRL is not a complete one of its issuer")
    ours, others = point.only_contains_ca_certs, point.only_contains_user_certs
    if not _is_issuer(certificate):
        ours, others = others, ours
    if others and not ours:
        raise CheckFailed("a CRL is for certificates of another kind")
    if point.relative_name is not None:
        raise CheckFailed("a CRL's distribution point is named relative to its issuer")
    if point.full_name is not None and not set(point.full_name) & _points(certificate):
        raise CheckFailed("a CRL is for another distribution point")


def _is_issuer(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _points(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in found for name in point.full_name or ()}


def _details(
    listed: x509.RevokedCertificate,
) -> tuple[x509.ReasonFlags | None, datetime | None]:
    reason = invalid_since = None
    for extension in listed.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
        elif isinstance(extension.value, x509.InvalidityDate):
            invalid_since = extension.value.invalidity_date_utc
    return reason, invalid_since

"""CRLs and OCSP responses for tests: good ones, and every fault that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from proofmail.core import der
from proofmail.core.proof import CRL, OCSP, RevocationData
from tests.verify.token_maker import DAY, NOW, Credential, certify

Revoked = tuple[Credential, datetime, x509.ReasonFlags | None]
HOUR = timedelta(hours=1)
POINT = "http://crl.test.example/part-1.crl"


def crl(
    issuer: Credential,
    revoked: Sequence[Revoked] = (),
    *,
    as_of: datetime = NOW - HOUR,
    until: datetime = NOW + 7 * DAY,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    invalid_since: datetime | None = None,
    by: Credential | None = None,
    digest: hashes.HashAlgorithm | None = None,
) -> RevocationData:
    """A complete CRL of the issuer; `by` signs it in the issuer's name."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(as_of)
        .next_update(until)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    for credential, when, reason in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(credential.certificate.serial_number)
            .revocation_date(when)
        )
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        if invalid_since is not None:
            entry = entry.add_extension(x509.InvalidityDate(invalid_since), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign((by or issuer).key, digest or hashes.SHA256())
    return RevocationData(CRL, signed.public_bytes(Encoding.DER))


def remade(
    issuer: Credential, made: Sequence[RevocationData], *extensions: bytes
) -> RevocationData:
    """The answers of several OCSP responses of the issuer in one; the last with these extensions,
    each as DER. The library makes responses of one answer alone, and without extensions."""
    taken = []
    for item in made:
        body = der.only(item.value)
        body.raw()
        basic = body.enter(der.context(0)).enter()
        basic.raw()
        signed = der.only(basic.octets())
        data, algorithm = signed.enter(), signed.raw()
        head = data.raw() + data.raw()
        answers = data.enter()
        while answers.peek():
            answer = answers.raw()
            taken.append(answer)
    if extensions:
        last = der.only(taken[-1])
        inside = b""
        while last.peek():
            inside += last.raw()
        extra = der.tlv(der.context(1), der.sequence(*extensions))
        taken[-1] = der.sequence(inside, extra)
    tbs = der.sequence(head, der.sequence(*taken))
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    signature = issuer.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    basic_der = der.sequence(tbs, algorithm, der.tlv(der.BIT_STRING, b"\0" + signature))
    inner = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.1"), der.octets(basic_der))
    status = der.tlv(0x0A, b"\0")
    return RevocationData(OCSP, der.sequence(status, der.tlv(der.context(0), inner)))


def point(**changes: object) -> x509.IssuingDistributionPoint:
    fields: dict[str, object] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**fields, **changes})  # type: ignore[arg-type]


def responder(issuer: Credential, *, usage: bool = True, nocheck: bool = True) -> Credential:
    """A certificate for OCSP signing, made by the issuer."""
    usages = (ExtendedKeyUsageOID.OCSP_SIGNING,) if usage else (ExtendedKeyUsageOID.SERVER_AUTH,)
    # An answer says when it was produced, and the library knows no other time for that than now.
    made = certify("test responder", issuer, usages=usages, critical=False, end=NOW + 20000 * DAY)
    if not nocheck:
        return made
    builder = (
        x509.CertificateBuilder()
        .subject_name(made.certificate.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(made.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(made.certificate.not_valid_before_utc)
        .not_valid_after(made.certificate.not_valid_after_utc)
        .add_extension(x509.OCSPNoCheck(), critical=False)
    )
    if usage:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False
        )
    return replace(made, certificate=builder.sign(issuer.key, hashes.SHA256()))


def answer(
    subject: Credential,
    issuer: Credential,
    *,
    by: Credential | None = None,
    carried: bool = True,
    revoked: tuple[datetime, x509.ReasonFlags | None] | None = None,
    unknown: bool = False,
    as_of: datetime = NOW - HOUR,
    until: datetime | None = NOW + DAY,
    digest: hashes.HashAlgorithm | None = None,
    by_name: bool = False,
) -> RevocationData:
    """An OCSP response on the subject; `by` is a delegated responder."""
    signer = by or issuer
    status = ocsp.OCSPCertStatus.GOOD
    if revoked:
        status = ocsp.OCSPCertStatus.REVOKED
    elif unknown:
        status = ocsp.OCSPCertStatus.UNKNOWN
    encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            subject.certificate,
            issuer.certificate,
            hashes.SHA1(),
            status,
            as_of,
            until,
            revoked[0] if revoked else None,
            revoked[1] if revoked else None,
        )
        .responder_id(encoding, signer.certificate)
    )
    if by is not None and carried:
        builder = builder.certificates([by.certificate])
    signed = builder.sign(signer.key, digest or hashes.SHA256())
    return RevocationData(OCSP, signed.public_bytes(Encoding.DER))

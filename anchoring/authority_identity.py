"""The certificates and the key of the built-in authority: made once, by `proofmail init`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proofmail.core import der
from proofmail.errors import Misconfigured

NOT_QUALIFIED = "proofmail built-in authority, not qualified"
ROOT_YEARS = 25
LEAF_YEARS = 10
_BACKDATED = timedelta(hours=1)
NO_REVOCATION = x509.ObjectIdentifier("2.5.29.56")
"""noRevAvail (RFC 9608): the issuer gives out no revocation data on this certificate. It cannot:
the root's key is gone. A verifier that asks for such data is told so, and not left waiting."""

KeyKind = Literal["p256", "rsa3072"]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class AuthorityMaterial:
    """The root's and the authority's certificates, and the authority's key (PKCS #8), all PEM.

    The root's key is not here: it signed one certificate and was let go. So nobody can ever issue
    a second authority under this root, and after `LEAF_YEARS` a new root has to be trusted.
    """

    root_pem: bytes
    leaf_pem: bytes
    key_pem: bytes = field(repr=False)


def new_key(kind: KeyKind) -> Key:
    if kind == "rsa3072":
        return rsa.generate_private_key(65537, 3072)
    return ec.generate_private_key(ec.SECP256R1())


def create_authority(name: str, now: datetime, kind: KeyKind = "p256") -> AuthorityMaterial:
    """A fresh root and one authority under it, with keys of one kind (RFC 5280; RFC 3161 §2.3).

    `name` (1 to 64 characters) becomes the organisation in both names; `now` is aware. Both are
    valid from an hour before, so that a clock that is set back a little stays within.
    """
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise Misconfigured("an authority's name has 1 to 64 printable characters")
    start = now.astimezone(UTC).replace(microsecond=0) - _BACKDATED
    root_key, leaf_key = new_key(kind), new_key(kind)
    root_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    # A part of the key's digest in the name: two authorities of one operator have two names.
    root_name = _name(name, f"root {root_id.digest[:4].hex()}")
    root = (
        _certificate(root_name, root_name, root_key, start, ROOT_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(root_id, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf_id = x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    leaf_name = _name(name, f"TSA {leaf_id.digest[:4].hex()}")
    leaf = (
        _certificate(leaf_name, root_name, leaf_key, start, LEAF_YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(leaf_id, critical=False)
        .add_extension(above, critical=False)
        .add_extension(x509.UnrecognizedExtension(NO_REVOCATION, der.NULL_DER), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return AuthorityMaterial(
        root_pem=root.public_bytes(Encoding.PEM),
        leaf_pem=leaf.public_bytes(Encoding.PEM),
        key_pem=leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _name(organisation: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{NOT_QUALIFIED}, {role}"),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    start: datetime,
    years: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(new_serial())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * years + years // 4))
    )


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def new_serial() -> int:
    """126 random bits under a fixed 01: positive, and always 16 octets long (RFC 3161 §2.4.2).

    The operating system's generator gives them afresh each time, so that no state has to survive
    a restart or be shared by processes: of 2^40 tokens, two have one number with a chance of 2^-47.
    """
    return secrets.randbits(126) | 1 << 126

"""What CRLs and OCSP responses have in common: an entry, and the rules on who may sign one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.ocsp import OCSPResponse

from proofmail.errors import CheckFailed
from proofmail.verify.cms import rsa_taken

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_RSA_PSS = x509.ObjectIdentifier("1.2.840.113549.1.1.10")


@dataclass(frozen=True)
class Entry:
    """Aware times. `revoked_at` is None for a certificate that is not revoked; where an
    invalidity date before it is given, it is that (RFC 5280 §5.3.2)."""

    as_of: datetime
    until: datetime | None
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None


@dataclass(frozen=True)
class Signed:
    """Bytes to be signed, and their signature. `digest` is None where the library knows none."""

    data: bytes
    signature: bytes
    algorithm: x509.ObjectIdentifier
    digest: hashes.HashAlgorithm | None


def check_signed(signed: Signed, signer: x509.Certificate) -> None:
    """The signature is the signer's, by what SPEC §5.4 allows for certificates."""
    if not isinstance(signed.digest, _HASHES) or signed.algorithm == _RSA_PSS:
        raise CheckFailed("revocation data is signed by an algorithm that is not taken")
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and rsa_taken(key):
            key.verify(signed.signature, signed.data, padding.PKCS1v15(), signed.digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
            key.verify(signed.signature, signed.data, ec.ECDSA(signed.digest))
        else:
            raise CheckFailed("revocation data is signed with a key that is not taken")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise CheckFailed("the signature on revocation data is not good") from None


def digest_of(
    signed: x509.Certificate | x509.CertificateRevocationList | OCSPResponse,
) -> hashes.HashAlgorithm | None:
    try:
        return signed.signature_hash_algorithm
    except Exception:  # whatever it says of an algorithm that it does not know
        return None


def earliest(revoked_at: datetime, invalid_since: datetime | None) -> datetime:
    return revoked_at if invalid_since is None else min(revoked_at, invalid_since)

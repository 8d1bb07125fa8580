"""A seal key inside a PKCS #11 token: a smart card, an HSM, SoftHSM. The key never leaves it."""

from __future__ import annotations

from pathlib import Path

from asn1crypto import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import InvalidVersion, load_pem_x509_certificate
from pyhanko.config.pkcs11 import TokenCriteria

from dossier.seal import KeyLost
from proofmail.errors import Misconfigured, TryLater

try:
    import pkcs11
    from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
except ImportError:
    raise Misconfigured(
        "a seal key in a PKCS #11 token needs: pip install 'proofmail[pkcs11]'"
    ) from None


class TokenKey(PKCS11Signer):
    """pyHanko's signer; KeyLost when the token does not sign, of which nothing more is told."""

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        try:
            signature: bytes = await super().async_sign_raw(data, digest_algorithm, dry_run)
        except pkcs11.PKCS11Error:
            raise KeyLost("the seal's key cannot be used now") from None
        return signature


def open_token_key(
    module: Path, token: str, key_label: str, pin: str, certificate_pem: bytes
) -> TokenKey:
    """Opens a session on the token with this label, for the private key with that one.

    Misconfigured if the library, the token, the key or the PIN is wrong: the caller must not try
    a refused PIN again, since tokens lock after a few. TryLater if the token cannot be reached.
    """
    try:
        certificate = load_pem_x509_certificate(certificate_pem)
    except (ValueError, InvalidVersion):
        raise Misconfigured("the seal's key or certificate cannot be read") from None
    try:
        session = open_pkcs11_session(
            str(module), token_criteria=TokenCriteria(label=token), user_pin=pin
        )
        signer = TokenKey(
            session,
            signing_cert=x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
            key_label=key_label,
            # Tokens differ in which of their mechanisms hash; this one all of them have.
            use_raw_mechanism=isinstance(certificate.public_key(), ec.EllipticCurvePublicKey),
        )
        signer._load_objects()  # type: ignore[no-untyped-call]
    except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLocked):
        raise Misconfigured("the token with the seal's key refuses the PIN") from None
    except pkcs11.exceptions.DeviceRemoved:
        raise TryLater("the seal's key cannot be used now") from None
    except (pkcs11.PKCS11Error, RuntimeError, OSError):
        raise Misconfigured(
            "the token with the seal's key, or the key in it, is not found by the settings [seal]"
        ) from None
    return signer

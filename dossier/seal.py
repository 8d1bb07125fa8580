"""The seal on a dossier: one PAdES signature over the whole file (ETSI EN 319 142-1).

B-T when a time-stamping authority is at hand, B-B otherwise. The seal says who made the dossier
and that nobody changed it since; it adds nothing to what the proof proves.
"""

from __future__ import annotations

import io
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from proofmail.errors import CheckFailed, Misconfigured, NotChecked
from proofmail.ports import TimestampAuthority
from proofmail.verify.token import TokenTrust, verify_token

FIELD_NAME = "Seal"
VALID_YEARS = 10
_BACKDATED = timedelta(hours=1)
_RESERVED_PLAIN = 8 << 10
_RESERVED_STAMPED = 48 << 10
"""Hexadecimal digits kept for the signature: half as many bytes."""


def create_seal_identity(name: str, now: datetime) -> tuple[bytes, bytes]:
    """A fresh P-256 key (PKCS #8) and its self-signed certificate, both PEM.

    `name`, 1 to 64 characters, becomes the organisation; `now` is aware. A verifier trusts this
    very certificate, so there is nothing above it.
    """
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise Misconfigured("a seal's name has 1 to 64 printable characters")
    key = ec.generate_private_key(ec.SECP256R1())
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, f"proofmail seal {key_id.digest[:4].hex()}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=365 * VALID_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(key_id, critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
    )


class Sealer:
    """Seals dossiers with one key, held in memory. Raises Misconfigured if the pair does not fit.

    With an `authority`, each seal is time-stamped, and what that port raises passes through.
    """

    def __init__(
        self, key_pem: bytes, certificate_pem: bytes, authority: TimestampAuthority | None = None
    ) -> None:
        try:
            key = load_pem_private_key(key_pem, None)
            self.certificate = x509.load_pem_x509_certificate(certificate_pem)
        except (ValueError, TypeError):
            raise Misconfigured("the seal's key or certificate cannot be read") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise Misconfigured("the seal's key is not on P-256")
        if key.public_key() != self.certificate.public_key():
            raise Misconfigured("the seal's key and certificate do not belong together")
        self._signer = _KeySigner(key, self.certificate)
        self._stamper = _PortStamper(authority) if authority else None

    def seal(self, pdf: bytes, reason: str) -> bytes:
        """`pdf` with one revision more: the seal. Blocks on the authority if there is one."""
        metadata = PdfSignatureMetadata(
            field_name=FIELD_NAME,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            reason=reason,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
        )
        signer = PdfSigner(
            metadata,
            signer=self._signer,
            timestamper=self._stamper,
            new_field_spec=SigFieldSpec(FIELD_NAME, box=None),
        )
        reserved = _RESERVED_STAMPED if self._stamper else _RESERVED_PLAIN
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        sealed: bytes = signer.sign_pdf(writer, bytes_reserved=reserved).getvalue()
        return sealed


class _KeySigner(Signer):
    """pyHanko's signer over a key that is loaded once, not at each signature."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        der = certificate.public_bytes(Encoding.DER)
        loaded = asn1_x509.Certificate.load(der)
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register(loaded)
        super().__init__(signing_cert=loaded, cert_registry=store, embed_roots=True)
        self._key = key

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if digest_algorithm != "sha256":
            raise Misconfigured("seals are signed over SHA-256")
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


class _PortStamper(TimeStamper):
    """Carries pyHanko's requests through our port, and checks each answer before it is used."""

    def __init__(self, authority: TimestampAuthority) -> None:
        super().__init__(include_nonce=True)  # type: ignore[no-untyped-call]
        self._authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        response = self._authority.respond(req.dump())
        imprint = req["message_imprint"]["hashed_message"].native
        if len(imprint) != sha256().digest_size:
            raise CheckFailed("a seal's time-stamp is asked for by SHA-256 alone")
        # pyHanko compares the nonce, and nothing else. NotChecked says that all checks on the token
        # itself passed; which authority to trust is the reader's decision.
        with suppress(NotChecked):
            verify_token(response, imprint, TokenTrust())
        return tsp.TimeStampResp.load(response, strict=True)

"""The seal on a dossier: one PAdES signature over the whole file (ETSI EN 319 142-1).

B-T when a time-stamping authority is at hand, B-B otherwise, B-LTA when asked for. The seal says
who made the dossier and that nobody changed it since; it adds nothing to what the proof proves.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
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

from dossier.archive import add_stamp, add_validation_data
from proofmail.core.proof import RevocationData
from proofmail.errors import CheckFailed, Misconfigured, NotChecked, TryLater
from proofmail.ports import TimestampAuthority
from proofmail.verify.token import TokenContext, TokenTrust, verify_token

FIELD_NAME = "Seal"
VALID_YEARS = 10
NO_ROOTS = TokenTrust()
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


@dataclass(frozen=True)
class Stamping:
    """Where a seal's time-stamps come from. `trust` holds the roots that the answers are checked
    against; without any, all but the path is. `policy` is asked for, if it is not ""."""

    authority: TimestampAuthority
    trust: TokenTrust = NO_ROOTS
    policy: str = ""


@dataclass(frozen=True)
class Archiving:
    """What B-LTA takes beside a time-stamp: `chain`, DER of certificates above the seal's, and
    `revocation`, which gives what is known on the path of the authority's certificate (by its
    SHA-256) for a moment. Where nothing is known or published, nothing of it is in the file, and
    a validator that asks for it will call the seal B-T with a document time-stamp."""

    chain: tuple[bytes, ...]
    revocation: Callable[[bytes, datetime], Sequence[RevocationData]]


class KeyLost(TryLater):
    """The key elsewhere does not sign any more: it has to be opened anew, by another process."""


class Sealer:
    """Seals dossiers with one key: PEM (PKCS #8), held in memory, or a signer of pyHanko's over a
    key elsewhere. Raises Misconfigured if the pair does not fit.

    With `stamping`, each seal is time-stamped, and what that port raises passes through; with
    `archiving` as well, a document time-stamp follows.
    """

    def __init__(
        self,
        key: bytes | Signer,
        certificate_pem: bytes,
        stamping: Stamping | None = None,
        archiving: Archiving | None = None,
    ) -> None:
        try:
            self.certificate = x509.load_pem_x509_certificate(certificate_pem)
            loaded = load_pem_private_key(key, None) if isinstance(key, bytes) else None
        except (ValueError, TypeError, x509.InvalidVersion):
            raise Misconfigured("the seal's key or certificate cannot be read") from None
        if archiving is not None and stamping is None:
            raise Misconfigured("a seal for archives needs a time-stamping authority")
        self._stamping, self._archiving = stamping, archiving
        if isinstance(key, Signer):
            _try_out(key, self.certificate)
        self._signer = key if isinstance(key, Signer) else _KeySigner(loaded, self.certificate)

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
        stamper = _PortStamper(self._stamping) if self._stamping else None
        signer = PdfSigner(
            metadata,
            signer=self._signer,
            timestamper=stamper,
            new_field_spec=SigFieldSpec(FIELD_NAME, box=None),
        )
        reserved = _RESERVED_STAMPED if stamper else _RESERVED_PLAIN
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        sealed: bytes = signer.sign_pdf(writer, bytes_reserved=reserved).getvalue()
        if stamper is None or self._archiving is None:
            return sealed
        own = self.certificate.public_bytes(Encoding.DER)
        certificates = (own, *self._archiving.chain, *stamper.certificates)
        revocation = self._archiving.revocation(stamper.signer, stamper.gen_time)
        return add_stamp(add_validation_data(sealed, certificates, revocation), stamper)


def _try_out(signer: Signer, certificate: x509.Certificate) -> None:
    """Signs once with a key that cannot be looked at. Misconfigured if the certificate is not that
    of the key."""
    key, data = certificate.public_key(), b"proofmail seal"
    signature = asyncio.run(signer.async_sign_raw(data, "sha256"))
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise Misconfigured("the seal's certificate is for no key on P-256, nor for RSA")
    except InvalidSignature:
        raise Misconfigured("the seal's key and certificate do not belong together") from None


class _KeySigner(Signer):
    """pyHanko's signer over a key that is loaded once, not at each signature."""

    def __init__(self, key: object, certificate: x509.Certificate) -> None:
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise Misconfigured("the seal's key is not on P-256")
        if key.public_key() != certificate.public_key():
            raise Misconfigured("the seal's key and certificate do not belong together")
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
    """Carries pyHanko's requests through our port, and checks each answer before it is used.

    After an answer, `certificates` are DER of those of its path, as far as they are known,
    `signer` is the SHA-256 of the first one, and `gen_time` the token's.
    """

    def __init__(self, stamping: Stamping) -> None:
        super().__init__(include_nonce=True)  # type: ignore[no-untyped-call]
        self._stamping = stamping
        self.certificates: tuple[bytes, ...] = ()
        self.signer = b""
        self.gen_time = datetime.min

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        if self._stamping.policy:
            req["req_policy"] = self._stamping.policy
        response = self._stamping.authority.respond(req.dump())
        imprint = req["message_imprint"]["hashed_message"].native
        if len(imprint) != sha256().digest_size:
            raise CheckFailed("a seal's time-stamp is asked for by SHA-256 alone")
        # pyHanko compares the nonce, and nothing else.
        trust = self._stamping.trust
        try:
            verify_token(response, imprint, trust)
        except NotChecked:
            # All checks on the token itself passed; which authority to trust is the reader's
            # decision, unless whoever seals named roots.
            if trust.anchors:
                raise CheckFailed("a seal's time-stamp is not of the authority asked") from None
        self._keep(TokenContext(response, imprint, trust))
        return tsp.TimeStampResp.load(response, strict=True)

    def _keep(self, context: TokenContext) -> None:
        self.signer = sha256(context.certificate_der).digest()
        self.gen_time = context.token.info.gen_time
        path: tuple[bytes, ...] = ()
        with suppress(NotChecked):
            path = tuple(found.public_bytes(Encoding.DER) for found in context.path)
        self.certificates = (*path, *context.token.certificates)

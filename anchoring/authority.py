"""The built-in time-stamping authority: real RFC 3161, and not a qualified one.

It lets the service run with nothing configured. What it says is worth what its operator's word is
worth, and its certificates say so in their names. It answers in a fraction of a millisecond: what
never changes in an answer is encoded once, and the rest is written as DER by hand.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proofmail.core import der
from proofmail.errors import Misconfigured, Unreadable
from proofmail.ports import Clock
from proofmail.verify import cms
from proofmail.verify.token_reader import SHA256, TST_INFO

POLICY = "2.25.94258806003547316313128921873474763019"
"""The policy of every built-in authority: genTime from the host's clock, to the second, accuracy
one second, no audit. The arc 2.25 is that of random UUIDs (ITU-T X.667): it is ours without a
registration, where 2.999 is for examples in print only."""

NOT_QUALIFIED = "proofmail built-in authority, not qualified"
ROOT_YEARS = 25
LEAF_YEARS = 10
ACCURACY_SECONDS = 1
_BACKDATED = timedelta(hours=1)
_MAX_REQUEST_BYTES = 4096
_MAX_NONCE_BITS = 256

# RFC 3161 §2.4.2, PKIFailureInfo
BAD_ALG = 0
BAD_REQUEST = 2
BAD_DATA_FORMAT = 5
TIME_NOT_AVAILABLE = 14
UNACCEPTED_POLICY = 15
UNACCEPTED_EXTENSION = 16
SYSTEM_FAILURE = 25

_IMPRINT_BYTES = {
    SHA256: 32,
    "2.16.840.1.101.3.4.2.2": 48,
    "2.16.840.1.101.3.4.2.3": 64,
    "2.16.840.1.101.3.4.2.8": 32,  # SHA3-256
}
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_REJECTION = 2


@dataclass(frozen=True)
class AuthorityMaterial:
    """The root's and the authority's certificates, and the authority's key (PKCS #8), all PEM.

    The root's key is not here: it signed one certificate and was let go. So nobody can ever issue
    a second authority under this root, and after `LEAF_YEARS` a new root has to be trusted.
    """

    root_pem: bytes
    leaf_pem: bytes
    key_pem: bytes = field(repr=False)


class _Rejected(Exception):
    def __init__(self, failure: int, text: str) -> None:
        self.failure, self.text = failure, text


def create_authority(name: str, now: datetime) -> AuthorityMaterial:
    """A fresh root and one authority under it, on P-256 (RFC 5280; RFC 3161 §2.3).

    `name` (1 to 64 characters) becomes the organisation in both names; `now` is aware. Both are
    valid from an hour before, so that a clock that is set back a little stays within.
    """
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise Misconfigured("an authority's name has 1 to 64 printable characters")
    start = now.astimezone(UTC).replace(microsecond=0) - _BACKDATED
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
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
    key: ec.EllipticCurvePrivateKey,
    start: datetime,
    years: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(_serial())
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


def _serial() -> int:
    """126 random bits under a fixed 01: positive, and always 16 octets long (RFC 3161 §2.4.2)."""
    return secrets.randbits(126) | 1 << 126


@dataclass(frozen=True)
class _Request:
    imprint_der: bytes
    nonce: int | None
    wants_certificates: bool


class BuiltInAuthority:
    """A TimestampAuthority in this process. Thread-safe; holds its key in memory.

    Raises Misconfigured at construction if the material does not fit together. `respond` answers
    every request, bad ones with a rejection (RFC 3161 §2.4.2), and raises nothing.
    """

    def __init__(self, name: str, material: AuthorityMaterial, clock: Clock) -> None:
        self._name, self._clock = name, clock
        try:
            root = x509.load_pem_x509_certificate(material.root_pem)
            leaf = x509.load_pem_x509_certificate(material.leaf_pem)
            key = load_pem_private_key(material.key_pem, None)
        except (ValueError, TypeError):
            raise Misconfigured("the built-in authority's files cannot be read") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise Misconfigured("the built-in authority's key is not on P-256")
        if key.public_key() != leaf.public_key() or leaf.issuer != root.subject:
            raise Misconfigured("the built-in authority's key and certificates do not belong")
        self._key = key
        self._valid = (leaf.not_valid_before_utc, leaf.not_valid_after_utc)
        self._encode_constants(leaf.public_bytes(Encoding.DER))

    def _encode_constants(self, leaf: bytes) -> None:
        names = cms.certificate_names(leaf)
        directory_name = der.tlv(der.context(4), names.issuer)
        issuer_serial = der.sequence(der.sequence(directory_name), der.integer(names.serial))
        # ESSCertIDv2; SHA-256 is its DEFAULT and so left out (RFC 5816 §2.2.1, X.690 §11.5)
        bound = der.sequence(der.octets(sha256(leaf).digest()), issuer_serial)
        sha256_der = der.sequence(der.oid(SHA256))
        self._info_head = der.integer(1) + der.oid(POLICY)
        self._accuracy = der.sequence(der.integer(ACCURACY_SECONDS))
        self._tsa = der.tlv(der.context(0), der.tlv(der.context(4), names.subject))
        self._content_type = _attribute(cms.CONTENT_TYPE, der.oid(TST_INFO))
        self._bound = _attribute(cms.SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(bound)))
        self._digest_oid = der.oid(cms.MESSAGE_DIGEST)
        sid = der.sequence(names.issuer, der.integer(names.serial))
        self._signer_head = der.integer(1) + sid + sha256_der
        self._signature_algorithm = der.sequence(der.oid(_ECDSA_SHA256))
        self._data_head = der.integer(3) + der.set_of(sha256_der)
        self._tst_oid = der.oid(TST_INFO)
        self._certificates = der.tlv(der.context(0), leaf)
        self._signed_data_oid = der.oid(cms.SIGNED_DATA)
        self._granted = der.sequence(der.integer(0))

    @property
    def name(self) -> str:
        return self._name

    @property
    def not_after(self) -> datetime:
        """When its certificate expires; from then on every request is rejected."""
        return self._valid[1]

    def respond(self, request_der: bytes) -> bytes:
        try:
            request = _read_request(request_der)
            return self._grant(request, self._time())
        except _Rejected as rejected:
            return _reject(rejected)
        except Exception:  # whatever it was, RFC 3161 has an answer for it
            return _reject(_Rejected(SYSTEM_FAILURE, "the authority failed"))

    def _time(self) -> datetime:
        try:
            now = self._clock.now().astimezone(UTC).replace(microsecond=0)
        except Exception:
            raise _Rejected(TIME_NOT_AVAILABLE, "no time at hand") from None
        if now < self._valid[0]:
            raise _Rejected(TIME_NOT_AVAILABLE, "the clock is behind the certificate")
        if now > self._valid[1]:
            raise _Rejected(SYSTEM_FAILURE, "the certificate has expired")
        return now

    def _grant(self, request: _Request, now: datetime) -> bytes:
        info = der.sequence(
            self._info_head,
            request.imprint_der,
            der.integer(_serial()),
            der.generalized_time(now),
            self._accuracy,
            b"" if request.nonce is None else der.integer(request.nonce),
            self._tsa,
        )
        digest = der.octets(sha256(info).digest())
        attributes = der.set_of(
            self._content_type,
            self._bound,
            der.sequence(self._digest_oid, der.tlv(der.SET, digest)),
        )
        signature = self._key.sign(attributes, ec.ECDSA(hashes.SHA256()))
        signer = der.sequence(
            self._signer_head,
            bytes((der.context(0),)) + attributes[1:],  # RFC 5652 §5.4: signed as SET, kept as [0]
            self._signature_algorithm,
            der.octets(signature),
        )
        signed_data = der.sequence(
            self._data_head,
            der.sequence(self._tst_oid, der.tlv(der.context(0), der.octets(info))),
            self._certificates if request.wants_certificates else b"",
            der.tlv(der.SET, signer),
        )
        token = der.sequence(self._signed_data_oid, der.tlv(der.context(0), signed_data))
        return der.sequence(self._granted, token)


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(value))


def _reject(rejected: _Rejected) -> bytes:
    """A TimeStampResp without a token; PKIFailureInfo is a named bit list (X.690 §11.2.2)."""
    octets, bit = divmod(rejected.failure, 8)
    bits = bytes(octets) + bytes((0x80 >> bit,))
    return der.sequence(
        der.sequence(
            der.integer(_REJECTION),
            der.sequence(der.tlv(der.UTF8_STRING, rejected.text.encode())),
            der.tlv(der.BIT_STRING, bytes((7 - bit,)), bits),
        )
    )


def _read_request(request_der: bytes) -> _Request:
    """A TimeStampReq, RFC 3161 §2.4.1; raises _Rejected with what is wrong."""
    if len(request_der) > _MAX_REQUEST_BYTES:
        raise _Rejected(BAD_DATA_FORMAT, "the request is too large")
    try:
        body = der.only(request_der)
        version, imprint_der = body.integer(), body.raw(der.SEQUENCE)
        imprint = der.only(imprint_der)
        algorithm, hashed = cms.read_algorithm(imprint), imprint.octets()
        imprint.done()
        policy = body.oid() if body.peek() == der.OID else None
        nonce = body.integer() if body.peek() == der.INTEGER else None
        wants_certificates = body.boolean() if body.peek() == der.BOOLEAN else False
        extensions = body.raw(der.context(0)) if body.peek() else b""
        body.done()
    except Unreadable:
        raise _Rejected(BAD_DATA_FORMAT, "the request is not a DER TimeStampReq") from None
    if version != 1:
        raise _Rejected(BAD_REQUEST, "unknown version of a request")
    if algorithm.oid not in _IMPRINT_BYTES or not cms.plain(algorithm):
        raise _Rejected(BAD_ALG, "imprints are by SHA-256, SHA-384, SHA-512 or SHA3-256")
    if len(hashed) != _IMPRINT_BYTES[algorithm.oid]:
        raise _Rejected(BAD_DATA_FORMAT, "the imprint's length is not its algorithm's")
    if policy not in (None, POLICY):
        raise _Rejected(UNACCEPTED_POLICY, "the policy asked for is not this authority's")
    if nonce is not None and nonce.bit_length() > _MAX_NONCE_BITS:
        raise _Rejected(BAD_REQUEST, "the nonce is larger than 256 bits")
    if extensions:
        raise _Rejected(UNACCEPTED_EXTENSION, "no extension is known here")
    return _Request(imprint_der, nonce, wants_certificates)

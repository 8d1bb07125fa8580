"""The built-in time-stamping authority: real RFC 3161, and not a qualified one.

It lets the service run with nothing configured. What it says is worth what its operator's word is
worth, and its certificates say so in their names. It answers in a fraction of a millisecond: what
never changes in an answer is encoded once, and the rest is written as DER by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeGuard

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from anchoring.authority_identity import AuthorityMaterial, Key, new_serial
from proofmail.core import der
from proofmail.errors import Misconfigured, Unreadable
from proofmail.ports import Clock
from proofmail.verify import cms
from proofmail.verify.token_reader import SHA256, TST_INFO

POLICY = "2.25.94258806003547316313128921873474763019"
"""The policy of every built-in authority: genTime from the host's clock, to the second, accuracy
one second, no audit. The arc 2.25 is that of random UUIDs (ITU-T X.667): it is ours without a
registration, where 2.999 is for examples in print only."""

ACCURACY_SECONDS = 1
MAX_DRIFT = timedelta(seconds=1)
_MAX_REQUEST_BYTES = 4096
_MAX_NONCE_BITS = 256

# RFC 3161 §2.4.2, PKIFailureInfo
BAD_ALG = 0
BAD_REQUEST = 2
BAD_DATA_FORMAT = 5
TIME_NOT_AVAILABLE = 14
UNACCEPTED_POLICY = 15
UNACCEPTED_EXTENSION = 16
ADD_INFO_NOT_AVAILABLE = 17
SYSTEM_FAILURE = 25

_IMPRINT_BYTES = {
    SHA256: 32,
    "2.16.840.1.101.3.4.2.2": 48,
    "2.16.840.1.101.3.4.2.3": 64,
    "2.16.840.1.101.3.4.2.8": 32,  # SHA3-256
}
_ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))
_RSA_SHA256 = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.NULL_DER)
_REJECTION = 2


class _Rejected(Exception):
    def __init__(self, failure: int, text: str) -> None:
        self.failure, self.text = failure, text


@dataclass(frozen=True)
class _Request:
    imprint_der: bytes
    nonce: int | None
    wants_certificates: bool


class BuiltInAuthority:
    """A TimestampAuthority in this process. Thread-safe; holds its key in memory.

    Raises Misconfigured at construction if the material does not fit together. `respond` answers
    every request, bad ones with a rejection (RFC 3161 §2.4.2), and raises nothing.

    `drift` says by how much, at least, the clock is off from what other authorities say, zero
    when nothing is known; beyond `MAX_DRIFT` no token is given.
    """

    def __init__(
        self,
        name: str,
        material: AuthorityMaterial,
        clock: Clock,
        drift: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._name, self._clock, self._drift = name, clock, drift
        try:
            root = x509.load_pem_x509_certificate(material.root_pem)
            leaf = x509.load_pem_x509_certificate(material.leaf_pem)
            key = load_pem_private_key(material.key_pem, None)
        except (ValueError, TypeError):
            raise Misconfigured("the built-in authority's files cannot be read") from None
        if not _is_ours(key):
            raise Misconfigured("the built-in authority's key is neither on P-256 nor RSA-3072")
        if key.public_key() != leaf.public_key() or leaf.issuer != root.subject:
            raise Misconfigured("the built-in authority's key and certificates do not belong")
        self._key: Key = key
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
            drift = self._drift()
        except Exception:
            raise _Rejected(TIME_NOT_AVAILABLE, "no time at hand") from None
        if abs(drift) > MAX_DRIFT:
            raise _Rejected(TIME_NOT_AVAILABLE, "the clock is off from other authorities' clocks")
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
        algorithm, signature = _sign(self._key, attributes)
        signer = der.sequence(
            self._signer_head,
            bytes((der.context(0),)) + attributes[1:],  # RFC 5652 §5.4: signed as SET, kept as [0]
            algorithm,
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


def _is_ours(key: object) -> TypeGuard[Key]:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.key_size == 3072
    return isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"


def _serial() -> int:
    """openssl's choice of a failure for a token that cannot be numbered is ours too."""
    try:
        return new_serial()
    except Exception:
        raise _Rejected(ADD_INFO_NOT_AVAILABLE, "no serial number at hand") from None


def _sign(key: Key, data: bytes) -> tuple[bytes, bytes]:
    """The AlgorithmIdentifier (RFC 5754 §3) and the signature, by SHA-256."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _RSA_SHA256, key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return _ECDSA_SHA256, key.sign(data, ec.ECDSA(hashes.SHA256()))


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

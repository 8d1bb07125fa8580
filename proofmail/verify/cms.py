"""Signed data as RFC 5652 has it, read strictly, and the checks on its one signer.

Used for time-stamp tokens (content inside) and for the seal of a PDF (content outside). Reading
raises Unreadable; each check is a function of its own and raises CheckFailed. The certificates
that travel along are claims of whoever made the bytes: nothing here trusts them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from proofmail.core import der
from proofmail.errors import CheckFailed, Unreadable

SIGNED_DATA = "1.2.840.113549.1.7.2"
DATA = "1.2.840.113549.1.7.1"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

DIGESTS: Mapping[str, str] = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ECDSA = {
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_RSA = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)

MAX_CERTIFICATES = 32
MAX_SIGNERS = 4
MAX_ATTRIBUTES = 32
RSA_BITS = range(2048, 8193)
MAX_RSA_EXPONENT = (1 << 33) - 1
"""What every browser's WebCrypto takes; a larger one makes a signature slow to judge."""

Digest = Callable[[str], bytes]
"""Gives the digest of the content by the algorithm named: sha256, sha384 or sha512."""


@dataclass(frozen=True)
class Algorithm:
    """An AlgorithmIdentifier; `parameters` is DER, empty when absent."""

    oid: str
    parameters: bytes


@dataclass(frozen=True)
class Attribute:
    oid: str
    values: tuple[bytes, ...]


@dataclass(frozen=True)
class Signer:
    """A SignerInfo. Named by `issuer` (DER of a Name) and `serial`, or by `key_id`.

    `signed_bytes` is what the signature covers: the signed attributes under the tag of a SET
    (RFC 5652 §5.4), in the order in which they came.
    """

    issuer: bytes | None
    serial: int | None
    key_id: bytes | None
    digest: Algorithm
    attributes: tuple[Attribute, ...]
    signed_bytes: bytes
    signature_algorithm: Algorithm
    signature: bytes
    unsigned_attributes: tuple[Attribute, ...]


@dataclass(frozen=True)
class SignedData:
    """`content` is None when it is detached; `certificates` are DER, as they came."""

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    signers: tuple[Signer, ...]


@dataclass(frozen=True)
class Names:
    """What a certificate calls itself: DER of its two names, and its serial number."""

    issuer: bytes
    serial: int
    subject: bytes


def digest_of(content: bytes) -> Digest:
    """The digests of content that is at hand."""
    return lambda name: hashlib.new(name, content).digest()


def digests_given(digests: Mapping[str, bytes]) -> Digest:
    """Digests computed elsewhere, by algorithm; asking for another one is CheckFailed."""

    def give(name: str) -> bytes:
        if name not in digests:
            raise CheckFailed(f"the content's digest by {name} is not at hand")
        return digests[name]

    return give


def read_signed_data(content_info_der: bytes) -> SignedData:
    """Reads a ContentInfo that holds SignedData (RFC 5652 §3, §5.1). Raises Unreadable."""
    outer = der.only(content_info_der)
    if outer.oid() != SIGNED_DATA:
        raise Unreadable("CMS: not signed data")
    wrapped = outer.enter(der.context(0))
    outer.done()
    body = wrapped.enter()
    wrapped.done()
    if not 1 <= body.integer() <= 5:
        raise Unreadable("CMS: unknown version of signed data")
    _each(body.enter(der.SET), MAX_SIGNERS, "digest algorithms")
    content_type, content = _read_content(body.enter())
    certificates: tuple[bytes, ...] = ()
    if body.peek() == der.context(0):
        found = _each(body.enter(der.context(0)), MAX_CERTIFICATES, "certificates")
        # RFC 5652 §10.2.2: the other choices (attribute certificates and such) carry a context tag
        certificates = tuple(raw for raw in found if raw[0] == der.SEQUENCE)
    if body.peek() == der.context(1):  # revocation data is judged elsewhere
        body.raw()
    signers = _each(body.enter(der.SET), MAX_SIGNERS, "signers")
    body.done()
    return SignedData(content_type, content, certificates, tuple(map(_read_signer, signers)))


def _each(reader: der.Reader, limit: int, what: str) -> list[bytes]:
    elements: list[bytes] = []
    while reader.peek():
        if len(elements) == limit:
            raise Unreadable(f"CMS: too many {what}")
        elements.append(reader.raw())
    reader.done()
    return elements


def _read_content(reader: der.Reader) -> tuple[str, bytes | None]:
    content_type, content = reader.oid(), None
    if reader.peek():
        explicit = reader.enter(der.context(0))
        content = explicit.octets()
        explicit.done()
    reader.done()
    return content_type, content


def _read_signer(raw: bytes) -> Signer:
    """RFC 5652 §5.3. Signed attributes must be there: without them nothing names the signer."""
    info = der.only(raw)
    version = info.integer()
    issuer = serial = key_id = None
    if version == 1:
        sid = info.enter()
        issuer, serial = sid.raw(der.SEQUENCE), sid.integer()
        sid.done()
    elif version == 3:
        key_id = info.octets(der.context(0, constructed=False))
    else:
        raise Unreadable("CMS: unknown version of a signer")
    digest = read_algorithm(info)
    if info.peek() != der.context(0):
        raise Unreadable("CMS: the signer has no signed attributes")
    tagged = info.raw()
    signed_bytes = bytes((der.SET,)) + tagged[1:]
    signature_algorithm = read_algorithm(info)
    signature = info.octets()
    unsigned: tuple[Attribute, ...] = ()
    if info.peek():
        unsigned = _read_attributes(info.enter(der.context(1)))
    info.done()
    return Signer(
        issuer=issuer,
        serial=serial,
        key_id=key_id,
        digest=digest,
        attributes=_read_attributes(der.only(signed_bytes, der.SET)),
        signed_bytes=signed_bytes,
        signature_algorithm=signature_algorithm,
        signature=signature,
        unsigned_attributes=unsigned,
    )


def _read_attributes(reader: der.Reader) -> tuple[Attribute, ...]:
    attributes: list[Attribute] = []
    for raw in _each(reader, MAX_ATTRIBUTES, "attributes"):
        attribute = der.only(raw)
        oid = attribute.oid()
        values = _each(attribute.enter(der.SET), MAX_ATTRIBUTES, "values")
        attribute.done()
        attributes.append(Attribute(oid, tuple(values)))
    return tuple(attributes)


def read_algorithm(reader: der.Reader) -> Algorithm:
    """The next element as an AlgorithmIdentifier (RFC 5280 §4.1.1.2)."""
    sequence = reader.enter()
    oid = sequence.oid()
    parameters = sequence.raw() if sequence.peek() else b""
    sequence.done()
    return Algorithm(oid, parameters)


def plain(algorithm: Algorithm) -> bool:
    """Whether the parameters are absent or NULL, as RFC 5754 §2 lets a reader accept."""
    return algorithm.parameters in (b"", der.NULL_DER)


def digest_name(algorithm: Algorithm) -> str:
    """sha256, sha384 or sha512; raises CheckFailed for every other digest."""
    name = DIGESTS.get(algorithm.oid)
    if name is None or not plain(algorithm):
        raise CheckFailed("the digest algorithm is not SHA-256, SHA-384 or SHA-512")
    return name


@lru_cache(maxsize=256)
def certificate_names(certificate_der: bytes) -> Names:
    """Reads issuer, serial and subject from a certificate (RFC 5280 §4.1) as bytes, without
    re-encoding them. Raises Unreadable."""
    body = der.only(certificate_der).enter()
    if body.peek() == der.context(0):
        body.raw()
    serial = body.integer()
    body.raw(der.SEQUENCE)  # signature
    issuer = body.raw(der.SEQUENCE)
    body.raw(der.SEQUENCE)  # validity
    return Names(issuer, serial, body.raw(der.SEQUENCE))


@lru_cache(maxsize=256)
def load_certificate(certificate_der: bytes) -> x509.Certificate:
    """Raises Unreadable; a serial number that is not positive is not read (RFC 5280 §4.1.2.2)."""
    if certificate_names(certificate_der).serial <= 0:
        raise Unreadable("a certificate's serial number is not positive")
    try:
        certificate = x509.load_der_x509_certificate(certificate_der)
        _ = certificate.extensions, certificate.subject, certificate.issuer
    except Exception:  # its errors have no common base; all of them say "unreadable"
        raise Unreadable("a certificate cannot be read") from None
    return certificate


def one_signer(data: SignedData) -> Signer:
    """RFC 3161 §2.4.2: exactly one signer."""
    if len(data.signers) != 1:
        raise CheckFailed(f"{len(data.signers)} signers where exactly one is due")
    return data.signers[0]


def signer_certificate(data: SignedData, signer: Signer) -> bytes:
    """The DER of the one carried certificate that the signer names (RFC 5652 §5.3)."""
    found = {raw for raw in data.certificates if _is_named(signer, raw)}
    if len(found) != 1:
        few = "is not among those carried" if not found else "is not unique among those carried"
        raise CheckFailed(f"the signer's certificate {few}")
    return found.pop()


def _is_named(signer: Signer, certificate_der: bytes) -> bool:
    try:
        if signer.key_id is None:
            names = certificate_names(certificate_der)
            return (names.issuer, names.serial) == (signer.issuer, signer.serial)
        extensions = load_certificate(certificate_der).extensions
        key_id = extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return key_id.value.digest == signer.key_id
    except (Unreadable, x509.ExtensionNotFound):
        return False


def _single(signer: Signer, oid: str, name: str) -> bytes:
    """The one value of an attribute that is there exactly once (RFC 5652 §5.3, §11)."""
    values = [attribute.values for attribute in signer.attributes if attribute.oid == oid]
    if len(values) != 1 or len(values[0]) != 1:
        raise CheckFailed(f"the signed attribute {name} is not there exactly once")
    return values[0][0]


def _whole(value: bytes, tag: int) -> bytes:
    reader = der.Reader(value)
    content = reader.content(tag)
    reader.done()
    return content


def check_content_type(data: SignedData, signer: Signer, expected: str) -> None:
    """RFC 5652 §11.1: the attribute equals the content's type, and both are the one expected."""
    attribute = _single(signer, CONTENT_TYPE, "contentType")
    if data.content_type != expected or attribute != der.oid(expected):
        raise CheckFailed("the content is not of the type that is due")


def check_message_digest(signer: Signer, digest: Digest) -> None:
    """RFC 5652 §11.2: the attribute equals the digest of the content."""
    attribute = _single(signer, MESSAGE_DIGEST, "messageDigest")
    name = digest_name(signer.digest)
    if _whole(attribute, der.OCTET_STRING) != digest(name):
        raise CheckFailed("the content is not the one that was signed")


def signing_certificate_versions(signer: Signer) -> tuple[str, ...]:
    """Which of the two attributes are there: "v1" (SHA-1, RFC 2634), "v2" (RFC 5035), or both."""
    present = {attribute.oid for attribute in signer.attributes}
    both = (("v1", SIGNING_CERTIFICATE), ("v2", SIGNING_CERTIFICATE_V2))
    return tuple(version for version, oid in both if oid in present)


def check_signing_certificate(signer: Signer, certificate_der: bytes) -> None:
    """RFC 5816 §2.2.1: the first certificate named in each attribute present is the signer's.

    At least one must be there; that is what keeps a token from being read under another
    certificate of the same key. SHA-1 (v1) is accepted: forging it takes a second preimage.
    """
    versions = signing_certificate_versions(signer)
    if not versions:
        raise CheckFailed("no signed attribute names the signer's certificate")
    for version in versions:
        oid = SIGNING_CERTIFICATE if version == "v1" else SIGNING_CERTIFICATE_V2
        first = _first_id(_single(signer, oid, "signingCertificate"))
        if version == "v1":
            digest = hashlib.sha1(certificate_der, usedforsecurity=False).digest()
        else:
            name = "sha256"
            if first.peek() == der.SEQUENCE:
                name = digest_name(read_algorithm(first))
            digest = hashlib.new(name, certificate_der).digest()
        if first.octets() != digest:
            raise CheckFailed("the signed attribute names another certificate as the signer's")
        if first.peek():
            _check_issuer_serial(first.enter(), certificate_names(certificate_der))
        first.done()


def _first_id(value: bytes) -> der.Reader:
    attribute = der.only(value)
    identifiers = _each(attribute.enter(), MAX_CERTIFICATES, "certificate identifiers")
    if not identifiers:
        raise CheckFailed("the signed attribute names no certificate")
    return der.only(identifiers[0])


def _check_issuer_serial(reader: der.Reader, names: Names) -> None:
    general_names = reader.content(der.SEQUENCE)
    serial = reader.integer()
    reader.done()
    if general_names != der.tlv(der.context(4), names.issuer) or serial != names.serial:
        raise CheckFailed("the signed attribute names another issuer or serial number")


def check_signature(signer: Signer, certificate: x509.Certificate) -> str:
    """Checks the signature over the signed attributes; returns the algorithm's name.

    ECDSA on P-256, P-384, P-521; RSA of 2048 to 8192 bits, PKCS #1 v1.5 or PSS. The signature's
    digest is the signer's digest algorithm (RFC 5754 §3): two that differ are refused.
    """
    name = digest_name(signer.digest)
    algorithm = signer.signature_algorithm
    try:
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey) and _ECDSA.get(algorithm.oid) == name:
            title = _verify_ecdsa(key, signer, name)
        elif isinstance(key, rsa.RSAPublicKey):
            title = _verify_rsa(key, signer, name)
        else:
            raise CheckFailed("the signature's algorithm does not fit the key")
    except (ValueError, UnsupportedAlgorithm):
        raise CheckFailed("the signer's key cannot be used") from None
    except InvalidSignature:
        raise CheckFailed("the signature is not good") from None
    return f"{title} with SHA-{name[3:]}"


def _verify_ecdsa(key: ec.EllipticCurvePublicKey, signer: Signer, name: str) -> str:
    if not isinstance(key.curve, _CURVES) or not plain(signer.signature_algorithm):
        raise CheckFailed("the curve is not P-256, P-384 or P-521")
    key.verify(signer.signature, signer.signed_bytes, ec.ECDSA(_HASHES[name]))
    return f"ECDSA P-{key.curve.key_size}"


def rsa_taken(key: rsa.RSAPublicKey) -> bool:
    """Whether SPEC §5.3 and §5.4 take signatures by a key of this size and exponent."""
    return key.key_size in RSA_BITS and key.public_numbers().e <= MAX_RSA_EXPONENT


def _verify_rsa(key: rsa.RSAPublicKey, signer: Signer, name: str) -> str:
    if not rsa_taken(key):
        raise CheckFailed("the RSA key is shorter than 2048 or longer than 8192 bits, or odd")
    algorithm = signer.signature_algorithm
    pad: padding.AsymmetricPadding = padding.PKCS1v15()
    title = "PKCS #1 v1.5"
    if algorithm.oid == _RSA_PSS:
        pad, title = _pss(algorithm, name), "PSS"
    elif not plain(algorithm) or _RSA.get(algorithm.oid, name) != name:
        raise CheckFailed("the signature's algorithm does not fit the digest")
    elif algorithm.oid not in (_RSA_ENCRYPTION, *_RSA):
        raise CheckFailed("the signature's algorithm is not supported")
    key.verify(signer.signature, signer.signed_bytes, pad, _HASHES[name])
    return f"RSA-{key.key_size} {title}"


def _pss(algorithm: Algorithm, name: str) -> padding.PSS:
    """RSASSA-PSS-params (RFC 4055 §3.1); both digests must be the signer's, the trailer 1."""
    salt_bytes, digests, trailer = 20, ["sha1", "sha1"], 1
    for number, field in _pss_fields(algorithm.parameters):
        if number == 0:
            digests[0] = digest_name(read_algorithm(field))
        elif number == 1:
            mask = field.enter()
            if mask.oid() != _MGF1:
                raise CheckFailed("the signature's mask is not MGF1")
            digests[1] = digest_name(read_algorithm(mask))
            mask.done()
        elif number == 2:
            salt_bytes = field.integer()
        else:
            trailer = field.integer()
        field.done()
    if digests != [name, name] or trailer != 1 or not 0 <= salt_bytes <= 64:
        raise CheckFailed("the signature's parameters do not fit the digest")
    return padding.PSS(padding.MGF1(_HASHES[name]), salt_bytes)


def _pss_fields(parameters: bytes) -> Iterator[tuple[int, der.Reader]]:
    reader = der.only(parameters)
    for number in range(4):
        if reader.peek() == der.context(number):
            yield number, reader.enter(der.context(number))
    reader.done()

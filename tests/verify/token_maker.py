"""A time-stamping authority for tests that makes every mistake it is asked to make.

`Recipe` describes a good response; a test replaces the one field that is to be wrong.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proofmail.core import der
from proofmail.verify import cms
from proofmail.verify.token import SHA256, Reception, TokenAnchor, TokenTrust
from proofmail.verify.token_reader import TST_INFO

STAMPING = ExtendedKeyUsageOID.TIME_STAMPING
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
SHA3_256 = "2.16.840.1.101.3.4.2.8"
POLICY = "2.999.1"
OTHER_POLICY = "2.999.2"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DAY = timedelta(days=1)
DATA = b"a record's bytes"
IMPRINT = hashlib.sha256(DATA).digest()
NONCE = 0x1F2E3D4C5B6A7988

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DIGEST_OIDS = {name: oid for oid, name in cms.DIGESTS.items()}
_ECDSA = {
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
_RSA = {"sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12"}
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True)
class Credential:
    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@cache
def key_of(kind: str, number: int = 0) -> Key:
    """A key of the kind named; the same one each time, another one for another number."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    curve = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "k256": ec.SECP256K1()}[kind]
    return ec.generate_private_key(curve)


def certify(
    common_name: str,
    issuer: Credential | None,
    *,
    ca: bool = False,
    key: Key | None = None,
    usages: tuple[x509.ObjectIdentifier, ...] = (),
    critical: bool = True,
    start: datetime = NOW - 365 * DAY,
    end: datetime = NOW + 365 * DAY,
    signing: bool = True,
    key_usage: bool = True,
    path_length: int | None = None,
) -> Credential:
    """A certificate with a fresh P-256 key unless one is given; self-signed without an issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if key_usage:
        builder = builder.add_extension(_key_usage(ca, signing), critical=True)
    if issuer:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=critical)
    return Credential(key, builder.sign(signer, hashes.SHA256()))


def extended(of: Credential, issuer: Credential, *extensions: x509.ExtensionType) -> Credential:
    """The same certificate with more extensions, none of them critical."""
    old = of.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(old.serial_number)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    for known in old.extensions:
        builder = builder.add_extension(known.value, known.critical)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return replace(of, certificate=builder.sign(issuer.key, hashes.SHA256()))


def _key_usage(ca: bool, signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signing and not ca,
        content_commitment=False,
        key_encipherment=not signing,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca and signing,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


@cache
def root() -> Credential:
    return certify("test root", None, ca=True, start=NOW - 4000 * DAY, end=NOW + 4000 * DAY)


@cache
def leaf() -> Credential:
    return certify("test TSA", root(), usages=(STAMPING,))


def trust_in(*credentials: Credential, policies: frozenset[str] = frozenset()) -> TokenTrust:
    return TokenTrust(tuple(TokenAnchor(c.certificate, policies) for c in credentials))


def reception(**changes: object) -> Reception:
    moment = timedelta(milliseconds=300)
    return replace(Reception(NONCE, NOW - moment, NOW + moment), **changes)


@dataclass(frozen=True)
class Recipe:
    """What goes into a response. `ess_of` is the certificate that ESSCertID names."""

    signer: Credential
    status: int = 0
    failure: int | None = None
    version: int = 1
    imprint_oid: str = SHA256
    imprint: bytes = IMPRINT
    nonce: int | None = NONCE
    policy: str = POLICY
    serial: int = 77
    gen_time: bytes = der.generalized_time(NOW)
    accuracy: bytes = der.sequence(der.integer(1))
    tail: bytes = b""
    content_type: str = TST_INFO
    content_type_attribute: str | None = TST_INFO
    message_digest: bytes | None = None
    ess: tuple[str, ...] = ("v2",)
    ess_of: Credential | None = None
    ess_serial: int | None = None
    ess_digest: str = "sha256"
    certificates: tuple[bytes, ...] | None = None
    digest: str = "sha256"
    signature_algorithm: bytes | None = None
    pss: bool = False
    by_key_id: bool = False
    signers: int = 1
    break_signature: bool = False
    repeat_digest: bool = False


def info_of(recipe: Recipe) -> bytes:
    return der.sequence(
        der.integer(recipe.version),
        der.oid(recipe.policy),
        der.sequence(
            der.sequence(der.oid(recipe.imprint_oid), der.NULL_DER), der.octets(recipe.imprint)
        ),
        der.integer(recipe.serial),
        recipe.gen_time,
        recipe.accuracy,
        b"" if recipe.nonce is None else der.integer(recipe.nonce),
        recipe.tail,
    )


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(value))


def _attributes(recipe: Recipe, info: bytes) -> bytes:
    named = recipe.ess_of or recipe.signer
    names = cms.certificate_names(named.der)
    serial = names.serial if recipe.ess_serial is None else recipe.ess_serial
    issuer_serial = der.sequence(
        der.sequence(der.tlv(der.context(4), names.issuer)), der.integer(serial)
    )
    digest = recipe.message_digest or hashlib.new(recipe.digest, info).digest()
    found = [_attribute(cms.MESSAGE_DIGEST, der.octets(digest))]
    if recipe.repeat_digest:
        found.append(_attribute(cms.MESSAGE_DIGEST, der.octets(bytes(32))))
    if recipe.content_type_attribute:
        found.append(_attribute(cms.CONTENT_TYPE, der.oid(recipe.content_type_attribute)))
    if "v1" in recipe.ess:
        sha1 = hashlib.sha1(named.der, usedforsecurity=False).digest()
        identifier = der.sequence(der.octets(sha1), issuer_serial)
        found.append(_attribute(cms.SIGNING_CERTIFICATE, der.sequence(der.sequence(identifier))))
    if "v2" in recipe.ess:
        algorithm = der.sequence(der.oid(DIGEST_OIDS[recipe.ess_digest]))
        identifier = der.sequence(
            algorithm,  # explicit even where it is the DEFAULT, as some authorities write it
            der.octets(hashlib.new(recipe.ess_digest, named.der).digest()),
            issuer_serial,
        )
        found.append(_attribute(cms.SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier))))
    return der.set_of(*found)


def _pss_parameters(name: str) -> bytes:
    digest = der.sequence(der.oid(DIGEST_OIDS[name]), der.NULL_DER)
    return der.sequence(
        der.tlv(der.context(0), digest),
        der.tlv(der.context(1), der.sequence(der.oid("1.2.840.113549.1.1.8"), digest)),
        der.tlv(der.context(2), der.integer(32)),
    )


def _sign(recipe: Recipe, attributes: bytes) -> tuple[bytes, bytes]:
    key, chosen = recipe.signer.key, _HASHES[recipe.digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = der.sequence(der.oid(_ECDSA[recipe.digest]))
        return algorithm, key.sign(attributes, ec.ECDSA(chosen))
    if recipe.pss:
        algorithm = der.sequence(der.oid("1.2.840.113549.1.1.10"), _pss_parameters(recipe.digest))
        return algorithm, key.sign(attributes, padding.PSS(padding.MGF1(chosen), 32), chosen)
    algorithm = der.sequence(der.oid(_RSA[recipe.digest]), der.NULL_DER)
    return algorithm, key.sign(attributes, padding.PKCS1v15(), chosen)


def _signer_info(recipe: Recipe, info: bytes) -> bytes:
    attributes = _attributes(recipe, info)
    algorithm, signature = _sign(recipe, attributes)
    if recipe.break_signature:
        signature = signature[:-1] + bytes((signature[-1] ^ 1,))
    names = cms.certificate_names(recipe.signer.der)
    sid = der.sequence(names.issuer, der.integer(names.serial))
    if recipe.by_key_id:
        extensions = recipe.signer.certificate.extensions
        key_id = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        sid = der.tlv(der.context(0, constructed=False), key_id)
    return der.sequence(
        der.integer(3 if recipe.by_key_id else 1),
        sid,
        der.sequence(der.oid(DIGEST_OIDS[recipe.digest]), der.NULL_DER),
        b"\xa0" + attributes[1:],
        recipe.signature_algorithm or algorithm,
        der.octets(signature),
    )


def token_of(recipe: Recipe, info: bytes | None = None, signed_info: bytes | None = None) -> bytes:
    """The token; `signed_info` lets the signature be over another TSTInfo than the one inside."""
    info = info or info_of(recipe)
    signer = _signer_info(recipe, signed_info or info)
    carried = recipe.certificates
    if carried is None:
        carried = (recipe.signer.der,)
    signed_data = der.sequence(
        der.integer(3),
        der.set_of(der.sequence(der.oid(DIGEST_OIDS[recipe.digest]), der.NULL_DER)),
        der.sequence(der.oid(recipe.content_type), der.tlv(der.context(0), der.octets(info))),
        der.set_of(*carried, tag=der.context(0)) if carried else b"",
        der.set_of(*[signer] * recipe.signers),
    )
    return der.sequence(der.oid(cms.SIGNED_DATA), der.tlv(der.context(0), signed_data))


def response_of(recipe: Recipe, token: bytes | None = None) -> bytes:
    failure = b""
    if recipe.failure is not None:
        octets, bit = divmod(recipe.failure, 8)
        failure = der.tlv(der.BIT_STRING, bytes((7 - bit,)), bytes(octets), bytes((0x80 >> bit,)))
    status = der.sequence(der.integer(recipe.status), failure)
    return der.sequence(status, token_of(recipe) if token is None else token)


def good() -> Recipe:
    return Recipe(leaf())

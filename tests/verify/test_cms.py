"""Signed data as the seal of a PDF uses it: content outside, digests computed elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from proofmail.core import der
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify import cms
from tests.verify import token_maker as maker
from tests.verify.token_maker import Recipe, certify, good, key_of, leaf, root

CONTENT = b"the bytes of a file but for its seal"


def detached(recipe: Recipe) -> bytes:
    """Signed data over CONTENT with no content inside."""
    token = maker.token_of(replace(recipe, content_type=cms.DATA), CONTENT)
    encapsulated = der.sequence(der.oid(cms.DATA), der.tlv(der.context(0), der.octets(CONTENT)))
    body = der.only(token)
    body.oid()
    signed = body.enter(der.context(0)).enter()
    pieces = []
    while signed.peek():
        piece = signed.raw()
        pieces.append(der.sequence(der.oid(cms.DATA)) if piece == encapsulated else piece)
    return der.sequence(der.oid(cms.SIGNED_DATA), der.tlv(der.context(0), der.sequence(*pieces)))


def seal(**changes: object) -> Recipe:
    return replace(good(), content_type_attribute=cms.DATA, **changes)


def check(data_der: bytes, digest: cms.Digest) -> str:
    data = cms.read_signed_data(data_der)
    signer = cms.one_signer(data)
    certificate_der = cms.signer_certificate(data, signer)
    cms.check_content_type(data, signer, cms.DATA)
    cms.check_message_digest(signer, digest)
    cms.check_signing_certificate(signer, certificate_der)
    return cms.check_signature(signer, cms.load_certificate(certificate_der))


def test_detached_content_by_its_digest() -> None:
    given = cms.digests_given({"sha256": hashlib.sha256(CONTENT).digest()})
    assert cms.read_signed_data(detached(seal())).content is None
    assert check(detached(seal()), given) == "ECDSA P-256 with SHA-256"
    assert check(detached(seal()), cms.digest_of(CONTENT))


def test_other_content_or_a_digest_that_is_not_at_hand_is_refused() -> None:
    with pytest.raises(CheckFailed, match="not the one that was signed"):
        check(detached(seal()), cms.digest_of(CONTENT + b"!"))
    rsa = replace(seal(digest="sha384"), signer=_rsa())
    assert check(detached(rsa), cms.digest_of(CONTENT)) == "RSA-2048 PKCS #1 v1.5 with SHA-384"
    with pytest.raises(CheckFailed, match="not at hand"):
        check(detached(rsa), cms.digests_given({"sha256": bytes(32)}))


def _rsa() -> maker.Credential:
    return certify("rsa", root(), key=key_of("rsa2048"))


def _signer(recipe: Recipe) -> cms.Signer:
    return cms.one_signer(cms.read_signed_data(maker.token_of(recipe)))


@pytest.mark.parametrize("oid", ["1.3.14.3.2.26", "2.16.840.1.101.3.4.2.8", "1.2.840.113549.2.5"])
def test_sha1_sha3_and_md5_are_refused_as_digests(oid: str) -> None:
    signer = replace(_signer(good()), digest=cms.Algorithm(oid, b""))
    with pytest.raises(CheckFailed, match="digest algorithm"):
        cms.check_message_digest(signer, cms.digest_of(CONTENT))
    with pytest.raises(CheckFailed, match="digest algorithm"):
        cms.check_signature(signer, leaf().certificate)


def _pss(**fields: bytes) -> bytes:
    sha256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
    parts = {
        "digest": der.tlv(0xA0, sha256),
        "mask": der.tlv(0xA1, der.sequence(der.oid("1.2.840.113549.1.1.8"), sha256)),
        "salt": der.tlv(0xA2, der.integer(32)),
        "trailer": b"",
    }
    return der.sequence(*{**parts, **fields}.values())


@pytest.mark.parametrize(
    "parameters",
    [
        _pss(digest=b""),
        _pss(mask=b""),
        _pss(mask=der.tlv(0xA1, der.sequence(der.oid("2.999")))),
        _pss(salt=b""),
        _pss(salt=der.tlv(0xA2, der.integer(-1))),
        _pss(trailer=der.tlv(0xA3, der.integer(2))),
        _pss(trailer=der.tlv(0xA4, der.integer(1))),
        der.sequence(),
        b"",
    ],
)
def test_pss_with_other_parameters_is_refused(parameters: bytes) -> None:
    recipe = Recipe(_rsa(), pss=True)
    assert cms.check_signature(_signer(recipe), recipe.signer.certificate).startswith(
        "RSA-2048 PSS"
    )
    algorithm = cms.Algorithm("1.2.840.113549.1.1.10", parameters)
    signer = replace(_signer(recipe), signature_algorithm=algorithm)
    with pytest.raises((CheckFailed, Unreadable)):
        cms.check_signature(signer, recipe.signer.certificate)


def test_the_signature_is_over_the_attributes_as_they_came() -> None:
    signer = _signer(good())
    assert signer.signed_bytes[0] == der.SET
    changed = replace(signer, signed_bytes=b"\xa0" + signer.signed_bytes[1:])
    with pytest.raises(CheckFailed, match="signature is not good"):
        cms.check_signature(changed, leaf().certificate)


def test_the_key_of_another_certificate_is_refused() -> None:
    for other in (root(), _rsa()):
        with pytest.raises(CheckFailed):
            cms.check_signature(_signer(good()), other.certificate)


@pytest.mark.parametrize(
    "data",
    [
        der.sequence(der.oid(cms.DATA), der.tlv(0xA0, der.octets(b""))),
        der.sequence(der.oid(cms.SIGNED_DATA)),
        der.sequence(der.oid(cms.SIGNED_DATA), der.tlv(0xA0, der.sequence(der.integer(9)))),
        b"",
    ],
)
def test_what_is_not_signed_data_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        cms.read_signed_data(data)


def test_a_signer_without_signed_attributes_is_unreadable() -> None:
    token = maker.token_of(good())
    attributes = _signer(good()).signed_bytes
    without = token.replace(b"\xa0" + attributes[1:], b"")
    assert len(without) < len(token)
    with pytest.raises(Unreadable):
        cms.read_signed_data(without)


def test_numbers_of_certificates_are_bounded() -> None:
    many = tuple(der.sequence(der.integer(n)) for n in range(cms.MAX_CERTIFICATES + 1))
    with pytest.raises(Unreadable, match="too many"):
        cms.read_signed_data(maker.token_of(replace(good(), certificates=many)))


def test_two_certificates_for_one_name_are_ambiguous() -> None:
    """Same issuer and serial number, other bytes: nobody could say which one signed."""
    other = leaf().der[:-1] + bytes((leaf().der[-1] ^ 1,))
    data = cms.read_signed_data(maker.token_of(replace(good(), certificates=(leaf().der, other))))
    with pytest.raises(CheckFailed, match="not unique"):
        cms.signer_certificate(data, cms.one_signer(data))


def test_a_damaged_certificate_is_unreadable() -> None:
    for damaged in (b"", b"\x30\0", leaf().der[:-9], leaf().der + b"\0"):
        with pytest.raises(Unreadable):
            cms.load_certificate(damaged)

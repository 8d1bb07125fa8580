"""The built-in authority: what it grants is good to three verifiers, and what it must refuse."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
import rfc3161_client
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from anchoring import authority as built_in
from anchoring import authority_identity
from anchoring.authority import BuiltInAuthority
from anchoring.authority_identity import NOT_QUALIFIED, AuthorityMaterial, create_authority
from anchoring.tsa_client import build_request
from proofmail.cli import main
from proofmail.core import der
from proofmail.errors import CheckFailed, Misconfigured
from proofmail.verify.token import (
    TokenAnchor,
    TokenTrust,
    read_response,
    read_token,
    verify_token,
)

DATA = b"a record's bytes"
IMPRINT = hashlib.sha256(DATA).digest()
CREATED = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
NAMES = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3_256": "2.16.840.1.101.3.4.2.8",
}

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command is not installed"
)


class FixedClock:
    def __init__(self, moment: datetime = CREATED) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


@cache
def material() -> AuthorityMaterial:
    return create_authority("Example & Söhne", CREATED)


def authority(moment: datetime = CREATED) -> BuiltInAuthority:
    return BuiltInAuthority("built-in", material(), FixedClock(moment))


def root() -> x509.Certificate:
    return x509.load_pem_x509_certificate(material().root_pem)


def trust() -> TokenTrust:
    return TokenTrust((TokenAnchor(root(), frozenset({built_in.POLICY})),))


def request(
    oid: str = NAMES["sha256"],
    imprint: bytes = IMPRINT,
    version: int = 1,
    parameters: bytes = der.NULL_DER,
    tail: bytes = b"",
) -> bytes:
    algorithm = der.sequence(der.oid(oid), parameters)
    return der.sequence(der.integer(version), der.sequence(algorithm, der.octets(imprint)), tail)


CERTIFICATES = b"\x01\x01\xff"


def test_its_token_passes_every_check_and_says_what_was_asked() -> None:
    moment = CREATED + timedelta(microseconds=900_000)
    nonce = 2**63 + 1
    facts = verify_token(authority(moment).respond(build_request(IMPRINT, nonce)), IMPRINT, trust())
    assert facts.gen_time == CREATED
    assert facts.accuracy == timedelta(seconds=1)
    assert (facts.nonce, facts.policy, facts.ess_version) == (nonce, built_in.POLICY, "v2")
    assert NOT_QUALIFIED.replace(",", "\\,") in facts.signer
    assert NOT_QUALIFIED.replace(",", "\\,") in facts.root


@pytest.mark.parametrize("name", NAMES)
def test_every_digest_that_it_knows(name: str) -> None:
    imprint = hashlib.new(name, DATA).digest()
    response = authority().respond(request(NAMES[name], imprint, tail=CERTIFICATES))
    facts = verify_token(response, imprint, trust(), imprint_oid=NAMES[name])
    assert (facts.imprint_oid, facts.imprint) == (NAMES[name], imprint)


def test_serial_numbers_are_random_positive_and_of_one_length() -> None:
    answers = [authority().respond(request()) for _ in range(200)]
    serials = {read_token(answer).info.serial for answer in answers}
    assert len(serials) == 200
    assert {serial.bit_length() for serial in serials} == {127}
    assert {len(der.integer(serial)) for serial in serials} == {18}


def test_what_was_not_asked_for_is_left_out() -> None:
    token = read_token(authority().respond(request()))
    assert (token.certificates, token.info.nonce) == ((), None)
    with pytest.raises(CheckFailed, match="not among those carried"):
        verify_token(authority().respond(request()), IMPRINT, trust())
    assert len(read_token(authority().respond(request(tail=CERTIFICATES))).certificates) == 1


def test_a_nonce_is_echoed_whatever_it_is() -> None:
    for nonce in (0, 1, -5, 2**255):
        assert read_token(authority().respond(request(tail=der.integer(nonce)))).info.nonce == nonce


_EXTENSION = der.tlv(der.context(0), der.sequence(der.oid("2.999"), der.octets(b"")))

BAD: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", built_in.BAD_DATA_FORMAT),
    "no DER": (b"GET / HTTP/1.1", built_in.BAD_DATA_FORMAT),
    "trailing byte": (request() + b"\0", built_in.BAD_DATA_FORMAT),
    "huge": (bytes(10_000), built_in.BAD_DATA_FORMAT),
    "unknown member": (request(tail=der.octets(b"")), built_in.BAD_DATA_FORMAT),
    "version 2": (request(version=2), built_in.BAD_REQUEST),
    "SHA-1": (request("1.3.14.3.2.26", bytes(20)), built_in.BAD_ALG),
    "MD5": (request("1.2.840.113549.2.5", bytes(16)), built_in.BAD_ALG),
    "digest with parameters": (request(parameters=der.integer(1)), built_in.BAD_ALG),
    "imprint too short": (request(imprint=bytes(20)), built_in.BAD_DATA_FORMAT),
    "imprint of another digest": (
        request(NAMES["sha512"], bytes(32)),
        built_in.BAD_DATA_FORMAT,
    ),
    "other policy": (request(tail=der.oid("2.999")), built_in.UNACCEPTED_POLICY),
    "huge nonce": (request(tail=der.integer(2**300)), built_in.BAD_REQUEST),
    "extension": (request(tail=_EXTENSION), built_in.UNACCEPTED_EXTENSION),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_answered_with_its_failure(name: str) -> None:
    made, failure = BAD[name]
    response = read_response(authority().respond(made))
    assert (response.status, response.failures) == (2, frozenset({failure}))
    assert response.token_der is None


def test_its_own_policy_may_be_asked_for() -> None:
    token = read_token(authority().respond(request(tail=der.oid(built_in.POLICY))))
    assert token.info.policy == built_in.POLICY


def test_an_rsa_authority_is_as_good() -> None:
    made = create_authority("RSA", CREATED, "rsa3072")
    answer = BuiltInAuthority("rsa", made, FixedClock()).respond(build_request(IMPRINT, 5))
    anchor = TokenAnchor(x509.load_pem_x509_certificate(made.root_pem))
    facts = verify_token(answer, IMPRINT, TokenTrust((anchor,)))
    assert facts.signature == "RSA-3072 PKCS #1 v1.5 with SHA-256"


def test_other_kinds_of_keys_are_refused() -> None:
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(Misconfigured, match="neither on P-256 nor RSA-3072"):
            BuiltInAuthority("odd", replace(material(), key_pem=pem), FixedClock())


@pytest.mark.parametrize("seconds", [-1.5, -1.001, 1.001, 3600])
def test_it_does_not_stamp_with_a_clock_that_is_off(seconds: float) -> None:
    off = timedelta(seconds=seconds)
    made = BuiltInAuthority("built-in", material(), FixedClock(), lambda: off)
    assert _failure(made) == {built_in.TIME_NOT_AVAILABLE}
    near = BuiltInAuthority(
        "built-in", material(), FixedClock(), lambda: off / abs(off.total_seconds())
    )
    assert not _failure(near)


def test_without_a_serial_number_it_grants_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_bits: int) -> int:
        raise OSError("no dice")

    monkeypatch.setattr(authority_identity.secrets, "randbits", fails)
    assert _failure(authority()) == {built_in.ADD_INFO_NOT_AVAILABLE}


def test_its_tokens_claim_no_order() -> None:
    assert not read_token(authority().respond(request())).info.ordering


class BrokenClock:
    def now(self) -> datetime:
        raise OSError("no clock")


def _failure(made: BuiltInAuthority) -> frozenset[int]:
    return read_response(made.respond(request())).failures


def test_without_a_time_it_grants_nothing() -> None:
    broken = BuiltInAuthority("built-in", material(), BrokenClock())
    assert _failure(broken) == {built_in.TIME_NOT_AVAILABLE}
    assert _failure(authority(CREATED - timedelta(hours=2))) == {built_in.TIME_NOT_AVAILABLE}
    assert not _failure(authority(CREATED - timedelta(minutes=30)))
    end = authority().not_after
    assert not _failure(authority(end))
    assert _failure(authority(end + timedelta(seconds=1))) == {built_in.SYSTEM_FAILURE}


def test_a_failure_of_its_own_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made = authority()
    monkeypatch.setattr(made, "_key", None)
    assert _failure(made) == {built_in.SYSTEM_FAILURE}


def test_the_certificates_are_as_promised() -> None:
    leaf = x509.load_pem_x509_certificate(material().leaf_pem)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert list(usage.value) == [x509.ExtendedKeyUsageOID.TIME_STAMPING]
    assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root().not_valid_after_utc - root().not_valid_before_utc > timedelta(days=9130)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc > timedelta(days=3651)
    assert leaf.not_valid_before_utc == CREATED - timedelta(hours=1)
    for certificate in (leaf, root()):
        assert NOT_QUALIFIED in certificate.subject.rfc4514_string().replace("\\", "")
    leaf.verify_directly_issued_by(root())
    # RFC 9608: no revocation data, and so no place to fetch any from
    noted = leaf.extensions.get_extension_for_oid(authority_identity.NO_REVOCATION)
    assert not noted.critical
    assert isinstance(noted.value, x509.UnrecognizedExtension)
    assert noted.value.value == der.NULL_DER


def test_two_authorities_of_one_name_have_two_names() -> None:
    other = create_authority("Example & Söhne", CREATED)
    assert x509.load_pem_x509_certificate(other.root_pem).subject != root().subject
    assert b"PRIVATE KEY" in other.key_pem
    assert "PRIVATE" not in repr(other)
    key = load_pem_private_key(other.key_pem, None)
    assert key.public_key() != root().public_key()


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_names_that_no_certificate_can_hold_are_refused(name: str) -> None:
    with pytest.raises(Misconfigured):
        create_authority(name, CREATED)


def test_material_that_does_not_belong_together_is_refused() -> None:
    other = create_authority("other", CREATED)
    for wrong in (
        replace(material(), key_pem=other.key_pem),
        replace(material(), root_pem=other.root_pem),
        replace(material(), leaf_pem=b"nothing"),
    ):
        with pytest.raises(Misconfigured):
            BuiltInAuthority("built-in", wrong, FixedClock())


def _openssl(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *words], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )


@needs_openssl
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_asks_and_accepts(tmp_path: Path, digest: str) -> None:
    """As a person does it: a query from a file, the answer checked against file and root."""
    (tmp_path / "f").write_bytes(DATA)
    (tmp_path / "g").write_bytes(DATA + b"!")
    (tmp_path / "root.pem").write_bytes(material().root_pem)
    query = _openssl(tmp_path, "ts", "-query", "-data", "f", f"-{digest}", "-cert", "-out", "q")
    assert query.returncode == 0
    (tmp_path / "r").write_bytes(authority().respond((tmp_path / "q").read_bytes()))
    verify = ("ts", "-verify", "-in", "r", "-CAfile", "root.pem", "-x509_strict")
    at = ("-attime", str(int(CREATED.timestamp())))
    assert "Verification: OK" in _openssl(tmp_path, *verify, *at, "-data", "f").stdout
    assert "Verification: OK" in _openssl(tmp_path, *verify, *at, "-queryfile", "q").stdout
    assert _openssl(tmp_path, *verify, *at, "-data", "g").returncode != 0


def test_rfc3161_client_accepts() -> None:
    asked = (
        rfc3161_client.TimestampRequestBuilder()
        .data(DATA)
        .hash_algorithm(rfc3161_client.HashAlgorithm.SHA256)
        .build()
    )
    response = rfc3161_client.decode_timestamp_response(authority().respond(asked.as_bytes()))
    verifier = (
        rfc3161_client.VerifierBuilder(
            policy_id=x509.ObjectIdentifier(built_in.POLICY), nonce=asked.nonce
        )
        .add_root_certificate(root())
        .build()
    )
    assert verifier.verify(response, IMPRINT)
    with pytest.raises(rfc3161_client.VerificationError):
        verifier.verify(response, bytes(32))


def test_init_makes_the_kind_of_authority_asked_for(tmp_path: Path) -> None:
    words = ["init", str(tmp_path / "d"), "--authority-key", "rsa3072"]
    assert main(words) == 0
    leaf = x509.load_pem_x509_certificate((tmp_path / "d" / "tsa.pem").read_bytes())
    key = leaf.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 3072

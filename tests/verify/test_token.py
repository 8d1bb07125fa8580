"""The two lists of token checks: what they accept, and above all what they refuse, and where."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from proofmail.core import der
from proofmail.errors import CheckFailed, NotChecked, ProofmailError, Unreadable
from proofmail.verify.token import (
    RECEPTION_CHECKS,
    TOKEN_CHECKS,
    TokenAnchor,
    TokenCheck,
    TokenContext,
    TokenTrust,
    read_bare_token,
    read_response,
    read_token,
    receive_token,
    token_facts,
    verify_token,
)
from tests.verify import token_maker as maker
from tests.verify.token_maker import (
    DAY,
    IMPRINT,
    NONCE,
    NOW,
    OTHER_POLICY,
    POLICY,
    SERVER,
    STAMPING,
    Recipe,
    certify,
    good,
    key_of,
    leaf,
    reception,
    response_of,
    root,
    trust_in,
)


def first_failure(
    response: bytes, trust: TokenTrust, checks: tuple[TokenCheck, ...] = TOKEN_CHECKS
) -> tuple[str, type[ProofmailError]] | None:
    """Where a list stops; a NotChecked does not stop it, but counts if nothing else does."""
    undecided = None
    context = TokenContext(response, IMPRINT, trust, reception=reception())
    for check in checks:
        try:
            check.run(context)
        except NotChecked:
            undecided = undecided or (check.number, NotChecked)
        except ProofmailError as error:
            return check.number, type(error)
    return undecided


def test_the_lists_are_numbered_and_differ_by_nonce_and_bounds() -> None:
    assert [check.number for check in TOKEN_CHECKS] == [f"T{n}" for n in range(1, 14)]
    assert [check.number for check in RECEPTION_CHECKS] == [f"R{n}" for n in range(1, 16)]
    extra = {check.title for check in RECEPTION_CHECKS} - {check.title for check in TOKEN_CHECKS}
    assert extra == {
        "the nonce is the one that was sent",
        "genTime lies between request and answer",
    }


def test_a_good_token_passes_both_lists_with_its_facts() -> None:
    response = response_of(good())
    facts = verify_token(response, IMPRINT, trust_in(root()))
    assert facts == receive_token(response, IMPRINT, trust_in(root()), reception())
    assert facts.gen_time == NOW
    assert facts.accuracy == timedelta(seconds=1)
    assert (facts.policy, facts.serial, facts.nonce) == (POLICY, 77, NONCE)
    assert (facts.imprint, facts.ess_version) == (IMPRINT, "v2")
    assert facts.signature == "ECDSA P-256 with SHA-256"
    assert (facts.signer, facts.root) == ("CN=test TSA", "CN=test root")


def _by(**options: object) -> Recipe:
    """A good recipe of a signer whose certificate has been made with these options."""
    return Recipe(certify("odd TSA", root(), **{"usages": (STAMPING,), **options}))


def _tampered_info() -> bytes:
    recipe = good()
    other = maker.info_of(replace(recipe, serial=78))
    return response_of(recipe, maker.token_of(recipe, other, maker.info_of(recipe)))


def _under_sub(**options: object) -> Recipe:
    sub = certify("test sub", root(), **{"ca": True, **options})
    signer = certify("test TSA", sub, usages=(STAMPING,))
    return Recipe(signer, certificates=(signer.der, sub.der))


def _forged(name: str) -> Recipe:
    """A signer under a root of the forger's own, which the token brings along."""
    forger = certify(name, None, ca=True)
    signer = certify("test TSA", forger, usages=(STAMPING,))
    return Recipe(signer, certificates=(signer.der, forger.der))


def _twin() -> Recipe:
    """Two certificates on one key; the token names one and was signed as the other."""
    twin = certify("test TSA", root(), key=leaf().key, usages=(STAMPING,))
    return Recipe(leaf(), ess_of=twin, certificates=(leaf().der, twin.der))


_LAST_DAY = {"start": NOW - 9 * DAY, "end": NOW - DAY}

BAD: dict[str, tuple[Callable[[], Recipe | bytes], str, type[ProofmailError]]] = {
    "trailing garbage": (lambda: response_of(good()) + b"\0", "T1", Unreadable),
    "not version 1": (lambda: replace(good(), version=2), "T1", Unreadable),
    "content type is data": (
        lambda: replace(good(), content_type="1.2.840.113549.1.7.1"),
        "T1",
        Unreadable,
    ),
    "critical extension": (
        lambda: replace(
            good(),
            tail=der.tlv(0xA1, der.sequence(der.oid("2.999.3"), b"\1\1\xff", der.octets(b"\5\0"))),
        ),
        "T1",
        Unreadable,
    ),
    "accuracy over a day": (
        lambda: replace(good(), accuracy=der.sequence(der.integer(86400))),
        "T1",
        Unreadable,
    ),
    "accuracy of 1000 milliseconds": (
        lambda: replace(good(), accuracy=der.sequence(der.integer(1000, 0x80))),
        "T1",
        Unreadable,
    ),
    "granted with mods": (lambda: replace(good(), status=1), "T2", CheckFailed),
    "rejection with a token": (lambda: replace(good(), status=2), "T2", CheckFailed),
    "granted with a failure": (lambda: replace(good(), failure=25), "T2", CheckFailed),
    "granted without a token": (lambda: response_of(good(), b""), "T2", CheckFailed),
    "rejection without a token": (
        lambda: response_of(replace(good(), status=2, failure=0), b""),
        "T2",
        CheckFailed,
    ),
    "imprint of something else": (
        lambda: replace(good(), imprint=bytes(32)),
        "T3",
        CheckFailed,
    ),
    "same imprint under SHA3-256": (
        lambda: replace(good(), imprint_oid=maker.SHA3_256),
        "T3",
        CheckFailed,
    ),
    "two signers": (lambda: replace(good(), signers=2), "T4", CheckFailed),
    "no signer": (lambda: replace(good(), signers=0), "T4", CheckFailed),
    "no certificates": (lambda: replace(good(), certificates=()), "T5", CheckFailed),
    "the root's certificate alone": (
        lambda: replace(good(), certificates=(root().der,)),
        "T5",
        CheckFailed,
    ),
    "content type attribute is data": (
        lambda: replace(good(), content_type_attribute="1.2.840.113549.1.7.1"),
        "T6",
        CheckFailed,
    ),
    "no content type attribute": (
        lambda: replace(good(), content_type_attribute=None),
        "T6",
        CheckFailed,
    ),
    "message digest of something else": (
        lambda: replace(good(), message_digest=bytes(32)),
        "T7",
        CheckFailed,
    ),
    "message digest twice": (lambda: replace(good(), repeat_digest=True), "T7", CheckFailed),
    "tampered TSTInfo": (_tampered_info, "T7", CheckFailed),
    "no ESSCertID": (lambda: replace(good(), ess=()), "T8", CheckFailed),
    "ESSCertID of another certificate": (
        lambda: replace(good(), ess_of=root()),
        "T8",
        CheckFailed,
    ),
    "ESSCertID v1 of another certificate": (
        lambda: replace(good(), ess=("v1",), ess_of=root()),
        "T8",
        CheckFailed,
    ),
    "ESSCertID with another serial number": (
        lambda: replace(good(), ess_serial=5),
        "T8",
        CheckFailed,
    ),
    "ESSCertID of a twin on the same key": (_twin, "T8", CheckFailed),
    "tampered signature": (lambda: replace(good(), break_signature=True), "T9", CheckFailed),
    "signature algorithm with another digest": (
        lambda: replace(good(), signature_algorithm=der.sequence(der.oid("1.2.840.10045.4.3.3"))),
        "T9",
        CheckFailed,
    ),
    "secp256k1": (lambda: _by(key=key_of("k256")), "T9", CheckFailed),
    "RSA of 1024 bits": (lambda: _by(key=key_of("rsa1024")), "T9", CheckFailed),
    "leaf without extended key usage": (lambda: _by(usages=()), "T10", CheckFailed),
    "leaf whose usage is not critical": (lambda: _by(critical=False), "T10", CheckFailed),
    "leaf with serverAuth too": (lambda: _by(usages=(STAMPING, SERVER)), "T10", CheckFailed),
    "leaf for serverAuth": (lambda: _by(usages=(SERVER,)), "T10", CheckFailed),
    "leaf that may not sign": (lambda: _by(signing=False), "T10", CheckFailed),
    "leaf expired at genTime": (lambda: _by(**_LAST_DAY), "T11", CheckFailed),
    "leaf not valid yet at genTime": (lambda: _by(start=NOW + DAY), "T11", CheckFailed),
    "other root": (lambda: _forged("other root"), "T12", NotChecked),
    "self-rooted forgery under the trusted name": (
        lambda: _forged("test root"),
        "T12",
        CheckFailed,
    ),
    "intermediate expired at genTime": (lambda: _under_sub(**_LAST_DAY), "T12", CheckFailed),
    "intermediate that is no authority": (
        lambda: _under_sub(ca=False, signing=True),
        "T12",
        CheckFailed,
    ),
    "intermediate that may not sign": (lambda: _under_sub(signing=False), "T12", CheckFailed),
    "intermediate left out": (
        lambda: replace(_under_sub(), certificates=(_under_sub().signer.der,)),
        "T5",
        CheckFailed,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_refused_by_the_check_that_is_there_for_it(name: str) -> None:
    make, number, error = BAD[name]
    made = make()
    response = made if isinstance(made, bytes) else response_of(made)
    assert first_failure(response, trust_in(root())) == (number, error)
    with pytest.raises(error):
        verify_token(response, IMPRINT, trust_in(root()))
    with pytest.raises(error):
        receive_token(response, IMPRINT, trust_in(root()), reception())


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        ("R4", {"nonce": NONCE + 1}),
        ("R4", {"nonce": None}),
        ("R15", {"gen_time": der.generalized_time(NOW + timedelta(seconds=62))}),
        ("R15", {"gen_time": der.generalized_time(NOW - timedelta(seconds=62))}),
        ("R15", {"gen_time": der.generalized_time(NOW + 300 * DAY)}),
    ],
)
def test_what_only_reception_can_refuse(number: str, changes: dict[str, object]) -> None:
    response = response_of(replace(good(), **changes))
    verify_token(response, IMPRINT, trust_in(root()))
    found = first_failure(response, trust_in(root()), RECEPTION_CHECKS)
    assert found == (number, CheckFailed)
    with pytest.raises(CheckFailed):
        receive_token(response, IMPRINT, trust_in(root()), reception())


def test_a_clock_that_is_a_minute_off_is_borne() -> None:
    response = response_of(
        replace(good(), gen_time=der.generalized_time(NOW + timedelta(seconds=60)))
    )
    receive_token(response, IMPRINT, trust_in(root()), reception())


def test_the_policies_of_an_anchor() -> None:
    response = response_of(good())
    verify_token(response, IMPRINT, trust_in(root(), policies=frozenset({POLICY})))
    other = trust_in(root(), policies=frozenset({OTHER_POLICY}))
    assert first_failure(response, other) == ("T13", CheckFailed)
    # what another anchor is trusted for does not count
    stranger = certify("stranger", None, ca=True)
    both = TokenTrust((*other.anchors, *trust_in(stranger).anchors))
    assert first_failure(response, both) == ("T13", CheckFailed)


def test_without_any_trust_all_but_path_and_policy_is_judged() -> None:
    response = response_of(good())
    assert first_failure(response, TokenTrust()) == ("T12", NotChecked)
    with pytest.raises(NotChecked, match="no time-stamping authority"):
        verify_token(response, IMPRINT, TokenTrust())
    with pytest.raises(CheckFailed):
        verify_token(response_of(_by(critical=False)), IMPRINT, TokenTrust())
    facts = token_facts(TokenContext(response, IMPRINT, TokenTrust()))
    assert (facts.gen_time, facts.root, facts.root_sha256) == (NOW, "", b"")


def test_a_self_rooted_forgery_is_never_good() -> None:
    """Permanent: a token that embeds its own root once passed in rfc3161-client."""
    for name in ("forger", "test root"):
        recipe = _forged(name)
        for trust in (trust_in(root()), TokenTrust()):
            with pytest.raises((CheckFailed, NotChecked)):
                verify_token(response_of(recipe), IMPRINT, trust)
        beside = replace(recipe, certificates=(recipe.signer.der,))
        assert recipe.certificates is not None
        with pytest.raises((CheckFailed, NotChecked)):
            verify_token(
                response_of(beside), IMPRINT, trust_in(root()), certificates=recipe.certificates
            )


def test_a_leaf_that_issues_does_not_make_a_path() -> None:
    """A time-stamping certificate under the trusted root certifies another one."""
    signer = certify("sub-leaf", leaf(), usages=(STAMPING,))
    recipe = Recipe(signer, certificates=(signer.der, leaf().der))
    assert first_failure(response_of(recipe), trust_in(root())) == ("T12", CheckFailed)


GOOD: dict[str, tuple[Callable[[], Recipe], str]] = {
    "ESSCertID v1 alone": (lambda: replace(good(), ess=("v1",)), "v1 (SHA-1)"),
    "both ESSCertIDs": (lambda: replace(good(), ess=("v1", "v2")), "v1 (SHA-1), v2"),
    "ESSCertIDv2 by SHA-512": (lambda: replace(good(), ess_digest="sha512"), "v2"),
    "signer named by its key": (lambda: replace(good(), by_key_id=True), "v2"),
    "no accuracy": (lambda: replace(good(), accuracy=b""), "v2"),
    "nothing under a second": (lambda: replace(good(), accuracy=der.sequence()), "v2"),
    "an intermediate": (_under_sub, "v2"),
    "an intermediate with the timeStamping usage": (
        lambda: _under_sub(usages=(STAMPING,), critical=False),
        "v2",
    ),
    "root embedded as well": (
        lambda: replace(good(), certificates=(leaf().der, root().der)),
        "v2",
    ),
    "P-384 with SHA-384": (
        lambda: replace(_by(key=key_of("p384")), digest="sha384"),
        "v2",
    ),
    "RSA PKCS #1 v1.5": (lambda: _by(key=key_of("rsa2048")), "v2"),
    "RSA PKCS #1 v1.5 named by its key type": (
        lambda: replace(
            _by(key=key_of("rsa2048")),
            signature_algorithm=der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL_DER),
        ),
        "v2",
    ),
    "RSA PSS": (lambda: replace(_by(key=key_of("rsa2048")), pss=True), "v2"),
    "a harmless extension": (
        lambda: replace(
            good(), tail=der.tlv(0xA1, der.sequence(der.oid("2.999.3"), der.octets(b"\5\0")))
        ),
        "v2",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_token_of_another_make_passes(name: str) -> None:
    make, ess_version = GOOD[name]
    facts = verify_token(response_of(make()), IMPRINT, trust_in(root()))
    assert facts.ess_version == ess_version


def test_a_certificate_that_expired_since_takes_nothing_away() -> None:
    """genTime years back, the leaf long expired now and good then (with the real clock unused)."""
    then = NOW - 2000 * DAY
    signer = certify("old TSA", root(), usages=(STAMPING,), start=then - DAY, end=then + DAY)
    recipe = replace(Recipe(signer), gen_time=der.generalized_time(then))
    assert verify_token(response_of(recipe), IMPRINT, trust_in(root())).gen_time == then


def test_a_path_that_was_good_is_not_remembered_for_another_time_or_trust() -> None:
    """The issuer alone is outlived: the leaf's own validity (T11) has nothing to say of it."""
    brief = certify("brief root", None, ca=True, start=NOW - DAY, end=NOW + DAY)
    other = certify("brief root", None, ca=True, start=NOW - DAY, end=NOW + DAY)
    signer = certify("test TSA", brief, usages=(STAMPING,))
    now, later = (
        response_of(replace(Recipe(signer), gen_time=der.generalized_time(moment)))
        for moment in (NOW, NOW + 2 * DAY)
    )
    for _ in range(2):
        assert first_failure(now, trust_in(brief)) is None
        assert first_failure(later, trust_in(brief)) == ("T12", CheckFailed)
        assert first_failure(now, trust_in(other)) == ("T12", CheckFailed)


def _under(issuer_key: maker.Key, *extensions: x509.ExtensionType) -> tuple[bytes, TokenTrust]:
    """A token of a signer right under a root with this key and these extensions, not critical."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd root")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(issuer_key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(NOW + 9 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    issuer = maker.Credential(issuer_key, builder.sign(issuer_key, hashes.SHA256()))
    signer = certify("test TSA", issuer, usages=(STAMPING,))
    return response_of(Recipe(signer)), trust_in(issuer)


def test_an_issuer_whose_rsa_key_is_short_by_bits() -> None:
    """The library counts octets, and 2041 bits fill as many as 2048."""
    for bits, expected in ((2041, ("T12", CheckFailed)), (2048, None)):
        assert first_failure(*_under(key_of(f"rsa{bits}"))) == expected


def test_directory_names_in_constraints_are_not_passed_over() -> None:
    """RFC 5280 §4.2.1.10 has them judged on subjects, which nobody does here."""
    other = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "somebody else")])
    for subtrees in (([x509.DirectoryName(other)], None), (None, [x509.DirectoryName(other)])):
        found = first_failure(*_under(key_of("p256"), x509.NameConstraints(*subtrees)))
        assert found == ("T12", CheckFailed)
    hosts = x509.NameConstraints([x509.DNSName("example.com")], None)
    assert first_failure(*_under(key_of("p256"), hosts)) is None


def test_an_intermediate_that_can_not_be_read_still_tells_where_the_path_leads() -> None:
    sub = certify("test sub", root(), ca=True)
    signer = certify("test TSA", sub, usages=(STAMPING,))
    assert sub.der.count(b"\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff") == 1
    odd = sub.der.replace(b"\x30\x03\x01\x01\xff", b"\x30\x03\x01\x01\x07")
    response = response_of(Recipe(signer, certificates=(signer.der, odd)))
    assert first_failure(response, trust_in(root())) == ("T12", CheckFailed)
    stranger = certify("stranger", None, ca=True)
    assert first_failure(response, trust_in(stranger)) == ("T12", NotChecked)


def test_issuers_as_openssl_makes_them() -> None:
    """`openssl req -x509` gives a root without key usage; the Web's rules would refuse it."""
    plain = certify("plain root", None, ca=True, key_usage=False)
    signer = certify("test TSA", plain, usages=(STAMPING,), key_usage=False)
    verify_token(response_of(Recipe(signer)), IMPRINT, trust_in(plain))


def test_a_path_longer_than_the_anchor_allows_is_refused() -> None:
    short = certify("short root", None, ca=True, path_length=0)
    sub = certify("test sub", short, ca=True)
    signer = certify("test TSA", sub, usages=(STAMPING,))
    response = response_of(Recipe(signer, certificates=(signer.der, sub.der)))
    assert first_failure(response, trust_in(short)) == ("T12", CheckFailed)


def test_the_anchor_may_be_the_issuer_or_the_authority_itself() -> None:
    sub = certify("test sub", root(), ca=True)
    signer = certify("test TSA", sub, usages=(STAMPING,))
    response = response_of(Recipe(signer))
    for anchor in (sub, signer):
        assert verify_token(response, IMPRINT, trust_in(anchor)).root_sha256
    assert first_failure(response, trust_in(root())) == ("T12", NotChecked)
    beside = verify_token(response, IMPRINT, trust_in(root()), certificates=[b"\x30\0", sub.der])
    assert beside.root == "CN=test root"


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        (b"20260304050607Z", 0),
        (b"20260304050607.5Z", 500_000),
        (b"20260304050607.000001Z", 1),
        (b"20260304050607.123456789Z", 123_456),
    ],
)
def test_gen_time_in_its_one_form(text: bytes, microsecond: int) -> None:
    recipe = replace(good(), gen_time=der.tlv(der.GENERALIZED_TIME, text))
    facts = verify_token(response_of(recipe), IMPRINT, trust_in(root()))
    assert facts.gen_time == NOW.replace(microsecond=microsecond)


@pytest.mark.parametrize(
    "text",
    [
        b"20260304050607",
        b"202603040506Z",
        b"20260304050607.Z",
        b"20260304050607.50Z",
        b"20260304050607.0Z",
        b"20260304050607,5Z",
        b"20260304050607+0000",
        b"20260230050607Z",
        b"20260304050660Z",
        b"20260304050607Z\n",
        b" 0260304050607Z",
        b"19690304050607Z",
        b"99991231235959Z",
    ],
)
def test_gen_time_in_any_other_form_is_refused(text: bytes) -> None:
    recipe = replace(good(), gen_time=der.tlv(der.GENERALIZED_TIME, text))
    with pytest.raises(Unreadable):
        read_token(response_of(recipe))


def test_reading_a_token_judges_nothing_and_tells_all() -> None:
    tsa = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hint")]).public_bytes()
    recipe = replace(
        good(),
        break_signature=True,
        accuracy=der.sequence(der.integer(2, 0x02), der.integer(3, 0x80), der.integer(4, 0x81)),
        tail=b"",
        ess=("v1", "v2"),
    )
    token = read_token(response_of(recipe))
    assert token.info.accuracy == timedelta(seconds=2, milliseconds=3, microseconds=4)
    assert token.certificates == (leaf().der,)
    assert token.ess_versions == ("v1", "v2")
    assert token.info.gen_time.utcoffset() == timedelta(0)
    named = der.tlv(0xA0, der.tlv(0xA4, tsa))
    assert read_bare_token(maker.token_of(replace(recipe, tail=named))).info.tsa == named[2:]
    with pytest.raises(CheckFailed, match="status is 2"):
        read_token(response_of(replace(recipe, status=2)))
    refusal = read_response(response_of(replace(recipe, status=2, failure=25), b""))
    assert (refusal.status, refusal.failures, refusal.token_der) == (2, frozenset({25}), None)


def test_ber_is_refused() -> None:
    """The outermost length made indefinite: the same values, but not their one encoding."""
    response = response_of(good())
    head = 4
    assert response[1] == 0x82
    indefinite = b"\x30\x80" + response[head:] + b"\0\0"
    longer = b"\x30\x83\0" + response[2:]
    for changed in (indefinite, longer):
        assert first_failure(changed, trust_in(root())) == ("T1", Unreadable)


def test_a_response_larger_than_a_proof_may_hold_is_refused() -> None:
    with pytest.raises(Unreadable, match="at most"):
        read_response(bytes(65537))


def test_a_single_changed_byte_is_refused_or_changes_no_fact() -> None:
    recipe = _under_sub()
    response = response_of(replace(recipe, ess=("v1", "v2")))
    facts = verify_token(response, IMPRINT, trust_in(root()))
    dice = random.Random(20260304)
    passed = 0
    for _ in range(600):
        mutated = bytearray(response)
        mutated[dice.randrange(len(mutated))] ^= dice.randrange(1, 256)
        try:
            found = verify_token(bytes(mutated), IMPRINT, trust_in(root()))
        except (Unreadable, CheckFailed, NotChecked):
            continue
        passed += 1
        assert found == facts
    assert passed < 60


def test_cut_short_anywhere_it_is_unreadable() -> None:
    response = response_of(good())
    for length in range(0, len(response), 7):
        with pytest.raises(Unreadable):
            read_token(response[:length])


VECTORS = Path(__file__).parents[1] / "vectors" / "rfc3161"
REAL_IMPRINT = bytes.fromhex("dbcabda2713070b6e75016ce164ebaa423456566626019b346a85b91b4c864a6")


def test_a_token_of_a_public_authority() -> None:
    """vectors/rfc3161/README.md has the recipe."""
    response = (VECTORS / "digicert-2024.tsr").read_bytes()
    anchor = x509.load_pem_x509_certificate((VECTORS / "digicert-root-g4.pem").read_bytes())
    facts = verify_token(response, REAL_IMPRINT, TokenTrust((TokenAnchor(anchor),)))
    assert facts.gen_time == datetime(2024, 10, 29, 1, 47, 39, tzinfo=UTC)
    assert facts.signer == "CN=DigiCert Timestamp 2024,O=DigiCert,C=US"
    assert (facts.accuracy, facts.nonce) == (None, None)
    assert (facts.policy, facts.ess_version) == ("2.16.840.1.114412.7.1", "v1 (SHA-1), v2")
    with pytest.raises(NotChecked):
        verify_token(response, REAL_IMPRINT, trust_in(root()))
    with pytest.raises(CheckFailed):
        verify_token(response, IMPRINT, TokenTrust((TokenAnchor(anchor),)))


def test_times_are_aware() -> None:
    facts = verify_token(response_of(good()), IMPRINT, trust_in(root()))
    for moment in (facts.gen_time, facts.signer_not_after):
        assert isinstance(moment, datetime)
        assert moment.utcoffset() == timedelta(0)

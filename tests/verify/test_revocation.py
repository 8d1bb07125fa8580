"""Revocation data beside a token: what passes, what fails, and what is not believed."""

from __future__ import annotations

import random
import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.core import der
from proofmail.core.proof import CRL, OCSP, RevocationData
from proofmail.errors import CheckFailed, NotChecked
from proofmail.verify.revocation import standing
from tests.judges.dss import Known, TokenJob, judge_tokens
from tests.parts import need
from tests.verify.status_maker import HOUR, POINT, answer, crl, point, remade, responder
from tests.verify.token_maker import (
    DAY,
    IMPRINT,
    NONCE,
    NOW,
    STAMPING,
    Credential,
    Recipe,
    certify,
    extended,
    key_of,
    response_of,
    root,
)

R = x509.ReasonFlags
CA = certify("status CA", root(), ca=True)
TSA = certify("status TSA", CA, usages=(STAMPING,))
OTHER = certify("another TSA", CA, usages=(STAMPING,))
PATH = (TSA.certificate, CA.certificate, root().certificate)
ABOVE = crl(root())
"""The root's own list, good on the CA."""


def judge(*data: RevocationData, path: tuple[x509.Certificate, ...] = PATH) -> str:
    return standing(path, data, NOW).text


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_good_by_crl(digest: hashes.HashAlgorithm) -> None:
    found = standing(PATH, [crl(CA, digest=digest), ABOVE], NOW)
    assert found.as_of == NOW - HOUR
    assert found.text.count("by CRL") == 2


def test_good_by_ocsp_of_the_issuer_or_of_one_it_named() -> None:
    for made in (
        answer(TSA, CA),
        answer(TSA, CA, by_name=True),
        answer(TSA, CA, by=responder(CA)),
        answer(TSA, CA, by=responder(CA), by_name=True),
    ):
        assert "by OCSP; " in judge(made, ABOVE)


def test_an_rsa_issuer_signs_both() -> None:
    ca = certify("status RSA CA", root(), ca=True, key=key_of("rsa2048", 7))
    tsa = certify("status TSA", ca, usages=(STAMPING,))
    path = (tsa.certificate, ca.certificate, root().certificate)
    assert judge(crl(ca), ABOVE, path=path)
    assert judge(answer(tsa, ca), ABOVE, path=path)


def test_the_newest_word_is_named_and_the_weakest_certificate_counts() -> None:
    later = crl(CA, as_of=NOW + 8 * DAY, until=NOW + 20 * DAY)
    found = standing(PATH, [crl(CA), later, ABOVE], NOW)
    assert found.as_of == NOW - HOUR  # that of the CA's own certificate
    assert found.text.startswith("good as of 2026-03-12")


STRANGE = der.sequence(der.oid("2.999.1"), der.tlv(der.BOOLEAN, b"\xff"), der.octets(b"\5\0"))


NOTHING: dict[str, Callable[[], RevocationData]] = {
    "of another issuer": lambda: crl(root()),
    "in the issuer's name by another key": lambda: crl(CA, by=certify("x", None, ca=True)),
    "over before genTime": lambda: crl(CA, as_of=NOW - 9 * DAY, until=NOW - DAY),
    "made after the certificate's end": lambda: crl(
        CA, as_of=NOW + 400 * DAY, until=NOW + 500 * DAY
    ),
    "ending before it begins": lambda: _backwards(),
    "delta": lambda: crl(CA, extensions=[(x509.DeltaCRLIndicator(1), True)]),
    "indirect": lambda: crl(CA, extensions=[(point(indirect_crl=True), True)]),
    "for attribute certificates": lambda: crl(
        CA, extensions=[(point(only_contains_attribute_certs=True), True)]
    ),
    "for some reasons": lambda: crl(
        CA, extensions=[(point(only_some_reasons=frozenset({R.key_compromise})), True)]
    ),
    "for issuers alone": lambda: crl(CA, extensions=[(point(only_contains_ca_certs=True), True)]),
    "of another part": lambda: crl(
        CA,
        extensions=[(point(full_name=[x509.UniformResourceIdentifier("http://x/2.crl")]), True)],
    ),
    "with a critical extension": lambda: crl(
        CA,
        extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), b"\5\0"), True)],
    ),
    "not DER": lambda: RevocationData(CRL, b"\x30\x80"),
    "with bytes behind it": lambda: RevocationData(CRL, crl(CA).value + b"\0"),
    "an answer under the kind of a list": lambda: RevocationData(CRL, answer(TSA, CA).value),
    "a list under the kind of an answer": lambda: RevocationData(OCSP, crl(CA).value),
    "answer on another certificate": lambda: answer(OTHER, CA),
    "answer of a stranger": lambda: answer(TSA, CA, by=certify("x", None, ca=True)),
    "answer of a stranger's delegate": lambda: answer(TSA, CA, by=responder(root())),
    "answer of a delegate not carried": lambda: answer(TSA, CA, by=responder(CA), carried=False),
    "answer of one not named for it": lambda: answer(TSA, CA, by=responder(CA, usage=False)),
    "answer of one that would have to be looked up": lambda: answer(
        TSA, CA, by=responder(CA, nocheck=False)
    ),
    "answer of the authority itself": lambda: answer(TSA, CA, by=OTHER),
    "answer that does not know": lambda: answer(TSA, CA, unknown=True),
    "answer from before, that ends nowhere": lambda: answer(TSA, CA, until=None),
    "answer over before genTime": lambda: answer(TSA, CA, as_of=NOW - 3 * DAY, until=NOW - 2 * DAY),
    "answer with a critical extension": lambda: remade(CA, [answer(TSA, CA)], STRANGE),
    "answer that does not know, behind one that does": lambda: remade(
        CA, [answer(TSA, CA), answer(TSA, CA, unknown=True)]
    ),
    "answer that tries later": lambda: RevocationData(OCSP, der.sequence(der.tlv(0x0A, b"\x03"))),
    "kind unknown": lambda: RevocationData("scvp", crl(CA).value),
}


def _backwards() -> RevocationData:
    """The builder refuses it, so the list is made the wrong way round by hand."""
    good = crl(CA, as_of=NOW - HOUR, until=NOW + DAY).value
    start = (NOW - HOUR).strftime("%y%m%d%H%M%SZ").encode()
    end = (NOW + DAY).strftime("%y%m%d%H%M%SZ").encode()
    assert good.count(start) == good.count(end) == 1
    turned = good.replace(start, b"placeholder").replace(end, start).replace(b"placeholder", end)
    body = der.only(turned)
    tbs, algorithm = body.raw(der.SEQUENCE), body.raw(der.SEQUENCE)
    assert isinstance(CA.key, ec.EllipticCurvePrivateKey)
    signature = CA.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return RevocationData(
        CRL, der.sequence(tbs, algorithm, der.tlv(der.BIT_STRING, b"\0" + signature))
    )


@pytest.mark.parametrize("name", NOTHING)
def test_what_says_nothing_leaves_it_unchecked(name: str) -> None:
    with pytest.raises(NotChecked, match="not checked: revocation"):
        judge(NOTHING[name](), ABOVE)
    # and takes nothing from what does hold
    assert judge(NOTHING[name](), crl(CA), ABOVE)


def test_each_certificate_below_the_anchor_needs_its_own_word() -> None:
    for data in ([crl(CA)], [ABOVE], []):
        with pytest.raises(NotChecked):
            judge(*data)
    assert judge(crl(CA), path=PATH[:2])  # the CA itself is the anchor: nobody asks about it


def test_an_issuer_that_may_not_sign_lists() -> None:
    no_lists = _without_crl_sign()
    tsa = certify("status TSA", no_lists, usages=(STAMPING,))
    path = (tsa.certificate, no_lists.certificate)
    with pytest.raises(NotChecked):
        judge(crl(no_lists), path=path)
    assert judge(answer(tsa, no_lists), path=path)


def _without_crl_sign() -> Credential:
    made = certify("no lists", root(), ca=True, key_usage=False)
    usage = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(made.certificate.subject)
        .issuer_name(root().certificate.subject)
        .public_key(made.key.public_key())
        .serial_number(5)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    return replace(made, certificate=builder.sign(root().key, hashes.SHA256()))


def test_a_part_that_the_certificate_names_is_its_own() -> None:
    named = [x509.UniformResourceIdentifier(POINT)]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(named, None, None, None)])
    tsa = extended(TSA, CA, points)
    path = (tsa.certificate, CA.certificate)
    assert judge(crl(CA, extensions=[(point(full_name=named), True)]), path=path)
    assert judge(crl(CA, extensions=[(point(only_contains_user_certs=True), True)]), path=path)


BEFORE, AT, AFTER = NOW - DAY, NOW, NOW + DAY
HARMLESS = (R.unspecified, R.affiliation_changed, R.superseded, R.cessation_of_operation)
HARMFUL = (
    None, R.key_compromise, R.ca_compromise, R.certificate_hold, R.privilege_withdrawn,
    R.aa_compromise,
)  # fmt: skip


@pytest.mark.parametrize("reason", [*HARMLESS, *HARMFUL])
@pytest.mark.parametrize("when", [BEFORE, AT])
def test_revoked_before_gen_time_fails(when: datetime, reason: R | None) -> None:
    listed = crl(CA, [(TSA, when, reason)], as_of=NOW + 2 * DAY, until=NOW + 9 * DAY)
    answered = answer(TSA, CA, revoked=(when, reason), as_of=NOW + 2 * DAY, until=None)
    for data in (listed, answered):
        with pytest.raises(CheckFailed, match="before genTime"):
            judge(data, ABOVE)
        with pytest.raises(CheckFailed, match="before genTime"):
            judge(crl(CA), data, ABOVE)  # whatever an older list said


@pytest.mark.parametrize("reason", HARMLESS)
def test_revoked_later_for_a_harmless_reason_leaves_the_token_good(reason: R) -> None:
    listed = crl(CA, [(TSA, AFTER, reason)], as_of=NOW + 2 * DAY, until=NOW + 9 * DAY)
    assert "revoked only later, on 2026-03-05" in judge(listed, ABOVE)
    answered = answer(TSA, CA, revoked=(AFTER, reason), as_of=NOW + 2 * DAY, until=None)
    if reason is not R.unspecified:
        assert "by OCSP" in judge(answered, ABOVE)


@pytest.mark.parametrize("reason", HARMFUL)
def test_revoked_later_for_another_reason_or_none_takes_the_token_with_it(
    reason: R | None,
) -> None:
    """RFC 3161 §4."""
    listed = crl(CA, [(TSA, AFTER, reason)], as_of=NOW + 2 * DAY, until=NOW + 9 * DAY)
    for data in ([listed], [crl(CA), listed], [listed, crl(CA)]):
        with pytest.raises(CheckFailed, match="takes its earlier tokens with it"):
            judge(*data, ABOVE)


LATER = {"as_of": NOW + 2 * DAY, "until": None}


def invalid_since(value: bytes) -> bytes:
    return der.sequence(der.oid("2.5.29.24"), der.octets(value))


def test_an_invalidity_date_in_an_answer_counts() -> None:
    """RFC 6960 §4.4.5."""
    late = answer(TSA, CA, revoked=(AFTER, R.superseded), **LATER)
    assert "revoked only later" in judge(remade(CA, [late]), ABOVE)
    true = invalid_since(der.generalized_time(NOW + HOUR))
    assert "revoked only later" in judge(remade(CA, [late], true), ABOVE)
    for value, words in [
        (der.generalized_time(BEFORE), "before genTime"),
        (b"x", "no reason given"),
    ]:
        for made in ([late], [answer(OTHER, CA), late], [late, late]):
            with pytest.raises(CheckFailed, match=words):
                judge(remade(CA, made, invalid_since(value)), ABOVE)


def test_of_several_answers_in_one_response_the_worst_counts() -> None:
    good, unknown = answer(TSA, CA), answer(TSA, CA, unknown=True)
    late = answer(TSA, CA, revoked=(AFTER, R.superseded), **LATER)
    early = answer(TSA, CA, revoked=(BEFORE, R.superseded), **LATER)
    stolen = answer(TSA, CA, revoked=(AFTER, R.key_compromise), **LATER)
    assert "good as of" in judge(remade(CA, [answer(OTHER, CA), good]), ABOVE)
    for made in ([late, early], [early, late], [late, stolen], [stolen, late], [good, stolen],
                 [unknown, stolen], [stolen, good, unknown]):  # fmt: skip
        with pytest.raises(CheckFailed):
            judge(remade(CA, made), ABOVE)


def test_a_listed_certificate_is_revoked_whatever_stands_in_its_entry() -> None:
    """An entry with one extension twice: the library refuses it with an error of its own."""
    value = crl(CA, [(TSA, BEFORE, R.superseded)]).value
    body = der.only(value)
    tbs = body.raw()
    algorithm = body.raw()
    reason = der.sequence(der.oid("2.5.29.21"), der.octets(b"\x0a\x01\x04"))
    assert tbs.count(der.sequence(reason)) == 1
    fields = der.only(tbs)
    inside = []
    while fields.peek():
        field = fields.raw()
        if reason in field:
            entry = der.only(der.only(field).raw())
            field = der.sequence(
                der.sequence(entry.raw(), entry.raw(), der.sequence(reason, reason))
            )
        inside.append(field)
    twice = der.sequence(*inside)
    assert isinstance(CA.key, ec.EllipticCurvePrivateKey)
    signature = CA.key.sign(twice, ec.ECDSA(hashes.SHA256()))
    odd = der.sequence(twice, algorithm, der.tlv(der.BIT_STRING, b"\0" + signature))
    with pytest.raises(CheckFailed, match="before genTime"):
        judge(RevocationData(CRL, odd), ABOVE)


def test_an_invalidity_date_before_gen_time_counts() -> None:
    listed = crl(
        CA, [(TSA, AFTER, R.superseded)], as_of=NOW + 2 * DAY, until=NOW + 9 * DAY,
        invalid_since=BEFORE,
    )  # fmt: skip
    with pytest.raises(CheckFailed, match="before genTime"):
        judge(listed, ABOVE)


def test_a_revoked_issuer_takes_the_token_with_it() -> None:
    above = crl(root(), [(CA, BEFORE, R.ca_compromise)])
    with pytest.raises(CheckFailed):
        judge(crl(CA), above)
    with pytest.raises(CheckFailed):
        judge(above)  # of the signer's certificate nothing is known, and this is enough


def test_another_certificate_on_the_list_is_no_matter() -> None:
    assert judge(crl(CA, [(OTHER, BEFORE, R.key_compromise)]), ABOVE)


def test_a_forger_can_not_revoke() -> None:
    stranger = certify("status CA", None, ca=True)
    assert judge(crl(stranger, [(TSA, BEFORE, R.key_compromise)]), crl(CA), ABOVE)


def test_a_word_from_long_after_counts_while_the_certificate_ran() -> None:
    assert judge(crl(CA, as_of=NOW + 300 * DAY, until=NOW + 310 * DAY), ABOVE)
    assert judge(answer(TSA, CA, as_of=NOW + 200 * DAY, until=None), ABOVE)


def test_no_data_is_promised_or_none_is_needed() -> None:
    none = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.56"), der.NULL_DER)
    with pytest.raises(NotChecked, match="RFC 9608"):
        judge(path=(extended(TSA, CA, none).certificate, CA.certificate))
    with pytest.raises(NotChecked, match="the authority's own certificate"):
        judge(crl(CA), path=(TSA.certificate,))


def test_a_changed_byte_never_makes_a_revoked_certificate_good() -> None:
    """The one word on the certificate is that it was revoked: whatever is changed, no pass."""
    dice = random.Random(20260304)
    items = [
        crl(CA, [(TSA, BEFORE, R.superseded)]),
        answer(TSA, CA, by=responder(CA), revoked=(BEFORE, R.superseded)),
    ]
    for item in items:
        for _ in range(400):
            changed = bytearray(item.value)
            changed[dice.randrange(len(changed))] ^= dice.randrange(1, 256)
            with pytest.raises((CheckFailed, NotChecked)):
                judge(RevocationData(item.kind, bytes(changed)), ABOVE)


LISTS = [name for name in NOTHING if "answer" not in name and "DER" not in name
         and name not in ("with bytes behind it", "kind unknown")]  # fmt: skip


def _by_openssl(folder: Path, *lists: RevocationData) -> bool:
    """`openssl verify -crl_check_all` at genTime, with these lists and nothing else."""
    for name, credential in (("root", root()), ("ca", CA), ("tsa", TSA)):
        pem = credential.certificate.public_bytes(Encoding.PEM)
        (folder / f"{name}.pem").write_bytes(pem)
    body = b""
    for item in lists:
        body += (
            b"-----BEGIN X509 CRL-----\n" + b64encode(item.value) + b"\n-----END X509 CRL-----\n"
        )
    (folder / "crls.pem").write_bytes(body)
    done = subprocess.run(
        [need("openssl"), "verify", "-crl_check_all", "-purpose", "timestampsign", "-attime",
         str(int(NOW.timestamp())), "-CAfile", "root.pem", "-untrusted", "ca.pem",
         "-CRLfile", "crls.pem", "tsa.pem"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return done.returncode == 0


def test_openssl_agrees_on_what_is_good_and_what_is_revoked(tmp_path: Path) -> None:
    assert _by_openssl(tmp_path, crl(CA), ABOVE)
    assert _by_openssl(tmp_path, crl(CA, [(OTHER, BEFORE, R.key_compromise)]), ABOVE)
    for reason in (None, R.key_compromise, R.superseded):
        assert not _by_openssl(tmp_path, crl(CA, [(TSA, BEFORE, reason)]), ABOVE)
    assert not _by_openssl(tmp_path, crl(CA), crl(root(), [(CA, BEFORE, R.ca_compromise)]))
    assert not _by_openssl(tmp_path, crl(CA))


@pytest.mark.parametrize("name", [name for name in LISTS if name != "delta"])
def test_openssl_takes_none_of_the_lists_that_say_nothing(name: str, tmp_path: Path) -> None:
    """But that OpenSSL 3.0.20 takes a delta list for a whole one, and 3.0.22 does not."""
    assert not _by_openssl(tmp_path, NOTHING[name](), ABOVE)


def test_eu_dss_agrees_but_wants_the_token_seen_before_the_revocation(tmp_path: Path) -> None:
    """Judged two days after genTime. Of the one revoked in between for a harmless reason DSS asks
    for a proof that the token existed before; RFC 3161 §4 says that it remains valid."""
    names = ("good", "before", "stolen", "superseded")
    made = {name: certify(f"TSA {name}", CA, usages=(STAMPING,)) for name in names}
    revoked = [
        (made["before"], BEFORE, R.superseded),
        (made["stolen"], AFTER, R.key_compromise),
        (made["superseded"], AFTER, R.superseded),
    ]
    later = NOW + 2 * DAY
    lists = [
        crl(issuer, found, as_of=later - HOUR, until=later + DAY)
        for issuer, found in ((CA, revoked), (root(), ()))
    ]
    files = []
    for number, item in enumerate(lists):
        files.append(tmp_path / f"{number}.crl")
        files[-1].write_bytes(item.value)
    for name, credential in (("root", root()), ("ca", CA)):
        (tmp_path / f"{name}.der").write_bytes(credential.der)
    ours, jobs = {}, []
    for name, tsa in made.items():
        recipe = Recipe(tsa, certificates=(tsa.der, CA.der))
        (tmp_path / f"{name}.tsr").write_bytes(response_of(recipe))
        seconds = int(later.timestamp())
        jobs.append(TokenJob(name, tmp_path / f"{name}.tsr", IMPRINT, NONCE, "", seconds))
        try:
            ours[name] = bool(judge(*lists, path=(tsa.certificate, *PATH[1:])))
        except CheckFailed:
            ours[name] = False
    assert ours == {"good": True, "before": False, "stolen": False, "superseded": True}
    known = Known([tmp_path / "root.der"], [tmp_path / "ca.der"], files)
    found = judge_tokens(jobs, known)
    said = {name: verdict.accepted for name, verdict in found.items()}
    assert said == {**ours, "superseded": False}
    assert "REVOKED" in found["superseded"].indication

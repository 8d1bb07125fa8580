"""Revocation data in a proof: its form, and what it makes of the report and the exit status."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography import x509

from proofmail.core import der
from proofmail.core.canonical import base64url, encode
from proofmail.core.proof import (
    CRL,
    MAX_REVOCATION,
    MAX_REVOCATION_BYTES,
    Proof,
    RevocationData,
    Rfc3161Token,
    Unknown,
    read_proof,
)
from proofmail.errors import Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Report, Status
from proofmail.verify.trust import Authority, Trust, make_trust, read_trust
from tests.making import World
from tests.verify.status_maker import crl
from tests.verify.token_maker import DAY, STAMPING, Recipe, certify, response_of

WORLD = World()
BARE = WORLD.prove()
THEN = WORLD.now + timedelta(seconds=1)
AROUND = {"start": THEN - 90 * DAY, "end": THEN + 900 * DAY}
ROOT = certify("outside root", None, ca=True, **AROUND)
TSA = certify("outside TSA", ROOT, usages=(STAMPING,), **AROUND)
GOOD = crl(ROOT, as_of=THEN - DAY, until=THEN + DAY)


def proof_with(*data: RevocationData | Unknown) -> Proof:
    imprint = sha256(BARE.record.to_bytes()).digest()
    recipe = Recipe(TSA, imprint=imprint, gen_time=der.generalized_time(THEN), nonce=None)
    token = Rfc3161Token(response_of(recipe), revocation=data)
    return replace(BARE, tokens=(token,), batches=())


def trust(required: bool) -> Trust:
    base = WORLD.trust()
    authority = Authority("outside", ROOT.der, revocation_required=required)
    return make_trust(base.services, [authority], base.chains, base.seals)


def judged(proof: Proof, required: bool = False) -> Report:
    return verify_proof(read_proof(proof.to_bytes()), trust(required))


def row(report: Report) -> Status:
    return next(row.status for row in report.rows if row.number == "V5.S")


def test_good_data_pass_and_say_as_of_when() -> None:
    report = judged(proof_with(GOOD), required=True)
    assert (report.exit_status, row(report)) == (0, Status.PASSED)
    assert dict(report.witnesses[0].details)["not_revoked_as_of"].startswith(
        f"{THEN - DAY:%Y-%m-%dT%H:%M:%S}"
    )


def test_without_data_the_report_says_not_checked_and_the_trust_decides() -> None:
    for data in ((), (crl(TSA),), (Unknown("scvp", {"kind": "scvp", "x": 1}),)):
        report = judged(proof_with(*data))
        assert (report.exit_status, row(report)) == (0, Status.NOT_CHECKED)
        assert dict(report.witnesses[0].details)["not_revoked_as_of"] == "not checked"
        strict = judged(proof_with(*data), required=True)
        assert strict.exit_status == 3
        assert strict.witnesses[0].status is Status.NOT_CHECKED


def test_a_revoked_authority_fails_the_proof() -> None:
    listed = crl(ROOT, [(TSA, THEN - DAY, None)], as_of=THEN + DAY, until=THEN + 9 * DAY)
    report = judged(proof_with(GOOD, listed))
    assert (report.exit_status, row(report)) == (1, Status.FAILED)
    assert report.witnesses[0].status is Status.FAILED
    assert report.existed_by is None
    kept = crl(ROOT, [(TSA, THEN + DAY, x509.ReasonFlags.superseded)], as_of=THEN + 2 * DAY,
               until=THEN + 9 * DAY)  # fmt: skip
    assert judged(proof_with(GOOD, kept), required=True).exit_status == 0


def test_an_unknown_kind_beside_good_data_weakens_nothing() -> None:
    proof = proof_with(GOOD, Unknown("scvp", {"kind": "scvp", "x": 1}))
    report = judged(proof, required=True)
    assert report.exit_status == 0
    said = [r.status for r in report.rows if r.number == "V5.S"]
    assert said == [Status.PASSED, Status.NOT_CHECKED]
    assert read_proof(proof.to_bytes()).to_bytes() == proof.to_bytes()


@pytest.mark.parametrize("change", [
    [],
    [{"kind": "crl"}],
    [{"kind": "crl", "value": "AA", "more": 1}],
    [{"kind": "crl", "value": "AA="}],
    [{"value": "AA"}],
    [{"kind": "crl", "value": "AA"}] * (MAX_REVOCATION + 1),
    {"kind": "crl", "value": "AA"},
])  # fmt: skip
def test_any_other_form_is_unreadable(change: object) -> None:
    value = proof_with(GOOD).to_json()
    value["tokens"][0]["revocation"] = change
    del value["sha256"]
    value["sha256"] = base64url(sha256(encode(value)).digest())
    with pytest.raises(Unreadable):
        read_proof(encode(value))


def test_an_item_has_its_limit() -> None:
    read_proof(proof_with(RevocationData(CRL, bytes(MAX_REVOCATION_BYTES))).to_bytes())
    with pytest.raises(Unreadable):
        read_proof(proof_with(RevocationData(CRL, bytes(MAX_REVOCATION_BYTES + 1))).to_bytes())


def test_the_trust_file_says_whether_it_is_required() -> None:
    for required in (False, True):
        again = read_trust(encode(trust(required).to_json()))
        assert again.authorities[0].revocation_required is required

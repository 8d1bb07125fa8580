"""Who counts as a witness of their own: no authority twice, whatever else its tokens differ in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from proofmail.core import der
from proofmail.core.proof import Rfc3161Token, read_proof
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Report, Row, Status
from proofmail.verify.trust import Authority, make_trust
from tests.making import World
from tests.verify.token_maker import DAY, STAMPING, Credential, Recipe, certify, key_of, response_of

WORLD = World()
BARE = WORLD.prove()
THEN = WORLD.now + timedelta(seconds=1)
AROUND = {"start": THEN - 90 * DAY, "end": THEN + 900 * DAY}
ONE, TWO = (certify(f"root {name}", None, ca=True, **AROUND) for name in ("one", "two"))
RENEWED = certify("root one", None, ca=True, key=ONE.key, start=THEN - DAY, end=THEN + DAY)
RENAMED = certify("root three", None, ca=True, key=ONE.key, **AROUND)


def signer(issuer: Credential, key: int) -> Credential:
    return certify(
        f"signer {key}", issuer, usages=(STAMPING,), key=key_of("p256", 100 + key), **AROUND
    )


def judged(signers: list[Credential], roots: list[tuple[str, Credential]]) -> Report:
    tokens = tuple(
        Rfc3161Token(
            response_of(
                Recipe(
                    one,
                    imprint=sha256(BARE.record.to_bytes()).digest(),
                    gen_time=der.generalized_time(THEN),
                    nonce=None,
                )
            )
        )
        for one in signers
    )
    own = WORLD.trust()
    authorities = [Authority(name, root.der) for name, root in roots]
    trust = make_trust(own.services, authorities, own.chains, [], 2)
    proof = replace(BARE, tokens=tokens, batches=())
    report = verify_proof(read_proof(proof.to_bytes()), trust)
    assert all(witness.status is Status.PASSED for witness in report.witnesses)
    assert len(report.witnesses) == len(signers)
    return report


def enough(report: Report) -> Row:
    return next(row for row in report.rows if row.number == "V17")


def test_two_authorities_are_two_witnesses() -> None:
    report = judged([signer(ONE, 1), signer(TWO, 2)], [("one", ONE), ("two", TWO)])
    assert (report.exit_status, enough(report).reason) == (0, "2 of 2 needed")


@pytest.mark.parametrize(
    ("signers", "roots"),
    [
        ([signer(ONE, 1), signer(ONE, 2)], [("one", ONE)]),
        ([signer(ONE, 1), signer(RENAMED, 2)], [("one", ONE), ("two", RENAMED)]),
        ([signer(ONE, 1), signer(TWO, 2)], [("one", ONE), ("one", TWO)]),
        ([signer(ONE, 1), signer(TWO, 1)], [("one", ONE), ("two", TWO)]),
        ([signer(ONE, 1), signer(RENEWED, 2)], [("one", ONE), ("two", RENEWED)]),
    ],
    ids=["one root", "one root's key", "one name", "one signer's key", "a renewed root"],
)
def test_one_authority_is_one_witness(
    signers: list[Credential], roots: list[tuple[str, Credential]]
) -> None:
    report = judged(signers, roots)
    assert (report.exit_status, enough(report).reason) == (3, "1 of 2 needed")


def test_what_joins_two_may_come_last() -> None:
    roots = [("one", ONE), ("two", TWO), ("three", RENAMED)]
    report = judged([signer(ONE, 1), signer(TWO, 2), signer(RENAMED, 2)], roots)
    assert enough(report).reason == "1 of 2 needed"


@pytest.mark.parametrize("flag", ["revocation_required", "qualified_required", "built_in"])
def test_a_root_that_is_listed_twice_has_all_that_either_asks_for(flag: str) -> None:
    plain = Authority("one", ONE.der)
    for listed in (
        [plain, replace(plain, **{flag: True})],
        [replace(plain, **{flag: True}), plain],
    ):
        trust = make_trust([], listed, [], [])
        found = trust.authority(sha256(ONE.der).digest())
        assert found is not None
        assert getattr(found, flag)

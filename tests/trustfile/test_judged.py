"""EU DSS reads the same lists and says the same of their signatures and of the tokens.

DSS asks for the status at genTime and once more at the moment from which the token is known to
have existed, which without more evidence is now; here it is told genTime for both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from proofmail.core import der
from proofmail.errors import CheckFailed
from proofmail.trustfile.build import Signers, take_list
from proofmail.verify.lists import NOT_QUALIFIED, QUALIFIED, UNKNOWN, qualification
from tests.judges.dss import ListJob, judge_lists
from tests.trustfile.list_maker import CA_QC, START, TSA, Listed, ListRecipe, sign, signed, xml_of
from tests.verify.token_maker import (
    DAY,
    IMPRINT,
    NOW,
    STAMPING,
    Credential,
    Recipe,
    certify,
    root,
    token_of,
)

AROUND = {"start": NOW - 3900 * DAY, "end": NOW + 900 * DAY}
SIGNER = certify("list signer", None, **AROUND)
STRANGER = certify("list signer", None, **AROUND)
UNIT = certify("test TSA", root(), usages=(STAMPING,), **AROUND)
OLD = datetime(2016, 6, 30, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """`answer` is ours, `theirs` that of DSS, which has no word for "not checked"."""

    data: bytes
    answer: str
    theirs: str
    moment: datetime = NOW
    signed: bool = True


def by(listed: Listed, **changes: object) -> bytes:
    return signed(replace(ListRecipe((listed,)), **changes), SIGNER)


def history(status: str, since: datetime, *past: tuple[datetime, str]) -> Listed:
    return Listed((root().der,), status, since, history=past)


def cases() -> dict[str, Case]:
    granted = Listed((root().der,))
    return {
        "granted": Case(by(granted), QUALIFIED, "QTSA"),
        "own certificate": Case(by(Listed((UNIT.der,))), QUALIFIED, "QTSA"),
        "withdrawn before": Case(
            by(history("withdrawn", NOW - DAY, (START, "granted"))), NOT_QUALIFIED, "TSA"
        ),
        "withdrawn since": Case(
            by(history("withdrawn", NOW + DAY, (START, "granted"))), QUALIFIED, "QTSA"
        ),
        "granted again": Case(
            by(history("granted", NOW - DAY, (NOW - 9 * DAY, "withdrawn"), (START, "granted"))),
            QUALIFIED, "QTSA",
        ),
        "not listed yet": Case(by(history("granted", NOW + DAY)), NOT_QUALIFIED, "TSA"),
        "of another type": Case(by(replace(granted, type=TSA)), NOT_QUALIFIED, "TSA"),
        # The one difference: DSS takes "accredited" for "granted" before there was a qualified
        # time-stamp in the law; SPEC §5.8 does not.
        "accredited, before eIDAS": Case(
            by(history("granted", OLD, (OLD - 900 * DAY, "accredited"))),
            NOT_QUALIFIED, "QTSA", moment=OLD - timedelta(hours=1),
        ),
        "by the list's id": Case(
            sign(xml_of(ListRecipe((granted,))), SIGNER, uri="#list"), QUALIFIED, "QTSA"
        ),
        "by a stranger": Case(signed(ListRecipe((granted,)), STRANGER), UNKNOWN, "-", signed=False),
        "changed": Case(
            by(granted).replace(b"Horloge SA", b"Horloge AG"), UNKNOWN, "-", signed=False
        ),
        "not signed": Case(xml_of(ListRecipe((granted,))), UNKNOWN, "-", signed=False),
        "no time-stamps": Case(by(replace(granted, type=CA_QC)), UNKNOWN, "TSA"),
    }  # fmt: skip


def ours(case: Case) -> tuple[bool, str]:
    try:
        found = take_list(case.data, Signers((SIGNER.certificate,))).trusted_list
    except CheckFailed:
        return False, UNKNOWN
    return True, qualification(UNIT.certificate, (), case.moment, [found]).answer


def stamp(signer: Credential, moment: datetime) -> bytes:
    return token_of(Recipe(signer, gen_time=der.generalized_time(moment), nonce=None))


def test_dss_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "signer.der").write_bytes(SIGNER.der)
    jobs = []
    for number, (name, case) in enumerate(cases().items()):
        data, token = tmp_path / f"{number}.xml", tmp_path / f"{number}.tst"
        data.write_bytes(case.data)
        token.write_bytes(stamp(UNIT, case.moment))
        at = int(case.moment.timestamp())
        jobs.append(ListJob(name, data, tmp_path / "signer.der", token, IMPRINT, at))
    for name, case in cases().items():
        assert ours(case) == (case.signed, case.answer), name
    judged = judge_lists(jobs)
    expected = {name: (case.signed, case.theirs) for name, case in cases().items()}
    assert {
        name: (holds, answer if holds else "-") for name, (holds, answer) in judged.items()
    } == expected

"""Sealed files of more than one proof or revision, bent: dossiers of level B-LTA, with validation
data and a document time-stamp behind the seal, and case dossiers. For the target `evidence`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from dossier.case import CaseOptions, Judged, make_case
from dossier.make import make_dossier
from proofmail.errors import Unreadable
from proofmail.verify.case import CaseEvidence, CaseReport, read_given, verify_case, verify_one
from proofmail.verify.checks import verify_proof
from proofmail.verify.dossier import Evidence, verify
from proofmail.verify.pdf import Seal, read_dossier
from proofmail.verify.report import Report, Row, Status
from tests.dossier import evidence as made
from tests.verify import test_case

PROOFS = 3


@cache
def archived() -> bytes:
    full = made.full()
    return make_dossier(full.proof, full.report, made.options("en"), made.archiver())


@cache
def case() -> bytes:
    trust = test_case.trust()
    records = [Judged(p, verify_proof(p, trust), final=True) for p in test_case.proofs(PROOFS)]
    options = made.options("en")
    asked = CaseOptions(options.language, options.zone, options.organisation_name, "Lot 7")
    return make_case(records, asked, made.archiver())


def check_archived(data: bytes) -> None:
    """What the seal covers is the good file's, and no time-stamp passes that is not in it."""
    try:
        given = read_given(data)
    except Unreadable:
        return
    assert isinstance(given, Evidence), "a dossier is read as a case"
    report = verify(given, made.trust_for(made.full().proof))
    _check_rows(report.rows, _good_archived().rows)
    if _passed(report.rows, "V16"):
        assert given.dossier is not None
        _check_seal(given.dossier.seal, data, archived())
    if report.exit_status == 0:
        assert report.facts == _good_archived().facts, "other facts"
        assert report.existed_by == _good_archived().existed_by, "another time"
    report.to_json()


def check_case(data: bytes) -> None:
    try:
        given = read_given(data)
    except Unreadable:
        return
    trust = test_case.trust()
    if isinstance(given, Evidence):
        assert not _passed(verify(given, trust).rows, "V16"), "a case passes as a dossier"
        return
    report, good = verify_case(given, trust), _good_case()
    known = [replace(member, number=0) for member in good.members]
    for member in report.members:
        if member.status is Status.PASSED:
            assert replace(member, number=0) in known, "a proof passes that never was"
    _check_rows(report.rows, good.rows)
    if _passed(report.rows, "V16"):
        _check_seal(given.dossier.seal, data, case())
    if report.exit_status == 0:
        assert (report.title, report.members) == (good.title, good.members), "another case"
        assert verify_one(given, 1, trust).facts == verify_one(_case(), 1, trust).facts
    report.to_json()


def _passed(rows: tuple[Row, ...], number: str) -> bool:
    return any(row.number == number and row.status is Status.PASSED for row in rows)


def _check_rows(rows: tuple[Row, ...], good: tuple[Row, ...]) -> None:
    """Neither seal nor document time-stamp says anything more than it did."""
    for row in rows:
        if row.number.startswith("V16") and row.status is Status.PASSED:
            assert row in good, "a seal or a document time-stamp passes that never was"


def _check_seal(seal: Seal | None, data: bytes, good: bytes) -> None:
    """All that the seal covers is there, byte for byte. In its gap may be other bytes: its digits
    may be small or large, and no signature covers the certificates and the time-stamp in it. What
    stands behind was admitted by a list of its own."""
    first = read_dossier(good).seal
    assert seal is not None
    assert first is not None
    assert seal.byte_range == first.byte_range, "another seal passes"
    _, before, after, size = first.byte_range
    assert data[:before] == good[:before], "a changed file passes as sealed"
    assert data[after : after + size] == good[after : after + size], "a changed file passes"


@cache
def _good_archived() -> Report:
    given = read_given(archived())
    assert isinstance(given, Evidence)
    report = verify(given, made.trust_for(made.full().proof))
    assert report.exit_status == 0
    return report


@cache
def _case() -> CaseEvidence:
    given = read_given(case())
    assert isinstance(given, CaseEvidence)
    return given


@cache
def _good_case() -> CaseReport:
    report = verify_case(_case(), test_case.trust())
    assert report.exit_status == 0
    return report

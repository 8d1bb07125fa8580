"""Both verifiers on one case: what `proofmail verify` says, and how the other's answer differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.case import CaseReport, read_given, verify_case, verify_one
from proofmail.verify.checks import NO_TRUST
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.dossier import Evidence, verify
from proofmail.verify.report import Report
from proofmail.verify.trust import read_trust
from tests.verifier.browser import Case

UNREADABLE = {"exit_status": 2}


def ours(case: Case) -> dict[str, Any]:
    """The report of the Python, or UNREADABLE."""
    try:
        return judge(case).to_json()
    except (Unreadable, CheckFailed):
        return UNREADABLE


def judge(case: Case) -> Report | CaseReport:
    """What `proofmail verify` finds; raises as it does for what it cannot read."""
    given = read_given(case.proof)
    trust = NO_TRUST if case.trust is None else read_trust(case.trust)
    copies = [Copy(name, partial(_slices, data)) for name, data in case.copies]
    if isinstance(given, Evidence):
        return verify(given, trust, copies, case.digests)
    if case.number is None:
        return verify_case(given, trust)
    return verify_one(given, case.number, trust, copies, case.digests)


def _slices(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 1 << 18):
        yield data[start : start + (1 << 18)]


def theirs(answer: dict[str, Any]) -> dict[str, Any]:
    """The report in an answer of the page; UNREADABLE for what it calls so."""
    if answer["kind"] == "unreadable":
        return UNREADABLE
    assert answer["kind"] in ("report", "case"), answer
    report: dict[str, Any] = json.loads(answer["json"])
    return report


def verdict(report: dict[str, Any]) -> dict[str, Any]:
    """A report without the words for experts: all that decides, and all that is said of copies."""
    if report == UNREADABLE:
        return report
    bare = dict(report)
    bare["rows"] = [{k: v for k, v in row.items() if k != "reason"} for row in report["rows"]]
    for name in ("witnesses", "proofs"):
        if name in report:
            left_out = ("details", "reason")
            bare[name] = [
                {k: v for k, v in item.items() if k not in left_out} for item in report[name]
            ]
    return bare


def difference(mine: dict[str, Any], other: dict[str, Any]) -> str:
    """Where two reports differ first, or nothing."""
    one, two = verdict(mine), verdict(other)
    if one == two:
        return ""
    if UNREADABLE in (one, two):
        readable = other if one == UNREADABLE else mine
        who = "the Python" if one == UNREADABLE else "the second verifier"
        return f"unreadable to {who} alone; the other: {readable['verdict']}"
    for key in sorted({*one, *two}):
        if one.get(key) != two.get(key):
            return f"{key}: {_first(one.get(key), two.get(key))}"
    return "?"


def _first(one: Any, two: Any) -> str:
    if isinstance(one, Sequence) and isinstance(two, Sequence) and not isinstance(one, str):
        pairs = zip([*one, None], [*two, None], strict=False)
        return next((f"{a} / {b}" for a, b in pairs if a != b), f"{len(one)} / {len(two)}")
    return f"{one} / {two}"

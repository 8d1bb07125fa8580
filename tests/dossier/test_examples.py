"""The example dossiers that the documents show: each verifies, and says what it is there for."""

from pathlib import Path

import pytest

from proofmail.verify.case import CaseEvidence, CaseReport, read_given, verify_case
from proofmail.verify.dossier import Evidence, verify
from proofmail.verify.report import Report
from proofmail.verify.trust import read_trust
from tests.parts import PROJECT

FOLDER = PROJECT / "docs" / "examples"
NAMES = sorted(path.name for path in FOLDER.glob("*.pdf"))


def judged(name: str) -> Report | CaseReport:
    trust = read_trust((FOLDER / "trust.json").read_bytes())
    given = read_given(Path(FOLDER / name).read_bytes())
    if isinstance(given, Evidence):
        return verify(given, trust)
    assert isinstance(given, CaseEvidence)
    return verify_case(given, trust)


@pytest.mark.parametrize("name", NAMES)
def test_each_verifies_under_the_trust_file_beside_it(name: str) -> None:
    assert judged(name).exit_status == 0


def test_what_they_show() -> None:
    assert len(NAMES) == 5
    less, case = judged("redacted-en.pdf"), judged("case-fr.pdf")
    assert isinstance(less, Report)
    assert isinstance(case, CaseReport)
    assert set(less.facts["claims"]) == {"authentication", "defects", "part.2"}
    assert len(case.members) == 14

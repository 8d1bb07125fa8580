"""`proofmail redact`, offline."""

from functools import partial

import pytest

from dossier.make import make_dossier
from proofmail.cli import main
from proofmail.core.proof import read_proof
from proofmail.verify.checks import verify_proof
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.dossier import Evidence, verify
from proofmail.verify.report import Status
from tests.dossier import evidence


@pytest.fixture(params=["proof", "dossier"])
def given(request, tmp_path):
    full = evidence.full()
    path = tmp_path / "given"
    if request.param == "proof":
        path.write_bytes(full.proof.to_bytes())
    else:
        path.write_bytes(
            make_dossier(full.proof, full.report, evidence.options(), evidence.sealer())
        )
    return path


def test_a_proof_that_shows_one_attachment(given, tmp_path, capsys):
    out = tmp_path / "less.json"
    assert main(["redact", str(given), "--show", "part.3", "--out", str(out)]) == 0
    made = read_proof(out.read_bytes())
    assert set(made.claims) == {"authentication", "defects", "part.3"}
    assert verify_proof(made, evidence.trust_for(made)).exit_status == 0
    told = capsys.readouterr()
    assert "29 entries" in told.err
    assert "1 linked proofs left out" in told.err
    assert "example.net" not in told.err
    assert main(["verify", str(out)]) == 3


def test_no_file_is_overwritten(given, tmp_path):
    out = tmp_path / "less.json"
    out.write_bytes(b"mine")
    assert main(["redact", str(given), "--out", str(out)]) == 2
    assert out.read_bytes() == b"mine"


def test_what_can_be_shown_is_listed(given, capsys):
    assert main(["redact", str(given), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "header.subject" in lines
    assert "defects  (always shown)" in lines


def test_refusals_leave_no_file(given, tmp_path):
    out = tmp_path / "less.json"
    assert main(["redact", str(given), "--show", "part.999", "--out", str(out)]) == 2
    assert main(["redact", str(tmp_path), "--out", str(out)]) == 2
    other = tmp_path / "other"
    other.write_bytes(b"{}")
    assert main(["redact", str(other), "--out", str(out)]) == 2
    assert not out.exists()
    with pytest.raises(SystemExit):
        main(["redact", str(given)])


def test_a_bad_proof_is_not_redacted(tmp_path):
    proof = evidence.full().proof
    bad = tmp_path / "bad.json"
    bad.write_bytes(evidence.replace(proof, entries=proof.entries[1:]).to_bytes())
    assert main(["redact", str(bad), "--out", str(tmp_path / "out")]) == 1


def test_a_copy_against_a_redacted_proof_is_told_what_can_be_said():
    """The shown attachment is that file; the mail itself cannot be judged."""
    proof = evidence.full().proof
    made = proof.redact(frozenset({"authentication", "defects", "part.3"}))
    name = "devis-été.pdf"
    attachment = name.encode() * 999
    other = b"other.pdf" * 999
    mail = b"From: alice@example.org\r\nSubject: x\r\n\r\nHello\r\n"
    copies = [
        Copy(label, partial(iter, [data]))
        for label, data in ((name, attachment), ("other.pdf", other), ("copy.eml", mail))
    ]
    report = verify(Evidence(made), evidence.trust_for(proof), copies)
    found = [copy.status for copy in report.copies]
    assert found[0] is Status.PASSED
    assert Status.PASSED not in found[1:]

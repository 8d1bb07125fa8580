"""The kept vectors, through the command as an auditor types it."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from proofmail.cli import main
from proofmail.core.loose import loose_files
from proofmail.core.proof import read_proof
from tests.parts import need
from tests.recompute import recompute

HERE = Path(__file__).resolve().parents[1] / "vectors" / "proof"
EXPECTED = json.loads((HERE / "expected.json").read_bytes())
TRUST = ["--trust", str(HERE / "trust.json")]


def test_every_file_is_listed() -> None:
    others = {"expected.json", "trust.json"}
    assert {path.name for path in HERE.glob("*.json")} - others == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_vector_ends_as_expected(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["verify", str(HERE / name), *TRUST, "--json"])
    report = json.loads(capsys.readouterr().out)
    assert status == report["exit_status"] == EXPECTED[name]["exit_status"]
    failed = {row["number"] for row in report["rows"] if row["status"] == "failed"}
    assert set(EXPECTED[name]["failed"]) <= failed
    assert bool(failed) == (status == 1)


@pytest.mark.parametrize(
    ("proof", "copies", "status"),
    [
        ("good.json", ["mail.eml", "offre.pdf"], 0), ("good-redacted.json", ["offre.pdf"], 0),
        ("good-redacted.json", ["mail.eml"], 3), ("good.json", ["README.md"], 1),
    ],
)  # fmt: skip
def test_copies_beside_the_vectors(proof: str, copies: list[str], status: int) -> None:
    words = [str(HERE / proof), *(str(HERE / copy) for copy in copies), *TRUST]
    assert main(["verify", *words]) == status


def test_digests_are_looked_for() -> None:
    digest = sha256((HERE / "offre.pdf").read_bytes()).hexdigest()
    assert main(["verify", str(HERE / "good.json"), "--digest", digest, *TRUST]) == 0
    assert main(["verify", str(HERE / "good.json"), "--digest", "00" * 32, *TRUST]) == 1


def test_the_script_from_the_specification_and_openssl_agree(tmp_path: Path) -> None:
    data = (HERE / "good.json").read_bytes()
    assert recompute(json.loads(data))[0] == sha256(read_proof(data).record.to_bytes()).hexdigest()
    for name, content in loose_files(read_proof(data)).items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [need("openssl"), "ts", "-verify", "-data", tmp_path / "record.json", "-in",
         tmp_path / "token.tsr", "-CAfile", HERE / "tsa-root.pem"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["swapped-entries", "header-as-record", "changed-subject"])
def test_the_script_from_the_specification_refuses_too(name: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        recompute(json.loads((HERE / f"{name}.json").read_bytes()))

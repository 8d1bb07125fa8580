"""The kept vectors: a list, its trust file, and proofs under it, by the commands as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proofmail.cli import main
from proofmail.verify.trust import read_trust

HERE = Path(__file__).resolve().parents[1] / "vectors" / "lists"
EXPECTED = json.loads((HERE / "expected.json").read_bytes())


STATUS = {
    "granted under trust": "passed",
    "granted under trust-without-list": "not checked",
    "withdrawn under trust": "absent",
    "withdrawn under trust-without-list": "not checked",
}


def test_every_case_is_here() -> None:
    assert set(EXPECTED) == set(STATUS)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_vector_ends_as_expected(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    case = EXPECTED[name]
    words = [str(HERE / case["file"]), "--trust", str(HERE / case["trust"]), "--json"]
    assert main(["verify", *words]) == case["exit_status"] == 0
    report = json.loads(capsys.readouterr().out)
    (row,) = [row for row in report["rows"] if row["number"] == "V5.Q"]
    assert row["status"] == STATUS[name]
    assert f"V5.Q {row['status']}" in case["rows"]
    assert report["witnesses"][0]["details"]["service_saw"].startswith("list FR no. 6 of")


def test_the_list_makes_the_same_trust_again(tmp_path: Path) -> None:
    out = tmp_path / "trust.json"
    words = ["--base", str(HERE / "trust-without-list.json"), "--list", str(HERE / "list.xml")]
    signer = ["--list-signer", str(HERE / "signer.pem")]
    assert main(["trust", "build", "--out", str(out), *words, *signer]) == 0
    assert read_trust(out.read_bytes()) == read_trust((HERE / "trust.json").read_bytes())

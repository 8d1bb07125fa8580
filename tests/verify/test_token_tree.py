"""Tokens over a tree of records: the kept vectors, the numbers of the report, and openssl."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from proofmail.cli import main
from proofmail.core.canonical import decode, encode
from proofmail.core.merkle import Tree, leaf_hash, node_hash, root_from_path
from proofmail.core.proof import Proof, Rfc3161Token, TreePlace, read_proof
from proofmail.core.record import read_record
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.trust import read_trust
from tests.making import World
from tests.parts import need
from tests.vectors.tree.make import make

HERE = Path(__file__).resolve().parents[1] / "vectors" / "tree"
EXPECTED = json.loads((HERE / "expected.json").read_bytes())
TRUST = ["--trust", str(HERE / "trust.json")]


def test_every_file_is_listed_and_the_recipe_makes_them() -> None:
    others = {"expected.json", "trust.json"}
    assert {path.name for path in HERE.glob("*.json")} - others == set(EXPECTED)
    made = {
        f"{name}.json": {"exit_status": status, "failed": failed}
        for name, (_, status, failed) in make(World()).items()
    }
    kept = {
        name: {"exit_status": value["exit_status"], "failed": value["failed"]}
        for name, value in EXPECTED.items()
    }
    assert made == kept


@pytest.mark.parametrize("name", EXPECTED)
def test_a_vector_ends_as_expected(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["verify", str(HERE / name), *TRUST, "--json"])
    out = capsys.readouterr().out
    assert status == EXPECTED[name]["exit_status"]
    if status != 2:
        failed = [row["number"] for row in json.loads(out)["rows"] if row["status"] == "failed"]
        assert failed == EXPECTED[name]["failed"]


def _root() -> str:
    report = verify_proof(
        read_proof((HERE / "good.json").read_bytes()),
        read_trust((HERE / "trust.json").read_bytes()),
    )
    (row,) = (row for row in report.rows if row.number == "V5.T0")
    assert "a tree of 5 records, this one at index 2" in row.reason
    root = row.reason.rpartition("-digest ")[2]
    (witness,) = report.witnesses
    details = dict(witness.details)
    assert (details["tree_place"], details["tree_root"]) == ("2 / 5", root)
    return root


def test_openssl_agrees_over_the_root_that_the_report_shows() -> None:
    openssl = need("openssl")
    root = _root()

    def verify(digest: str) -> int:
        command = [
            openssl, "ts", "-verify", "-digest", digest, "-in", str(HERE / "good.tsr"),
            "-CAfile", str(HERE / "tsa-root.pem"), "-attime", "1795255201",
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode

    assert verify(root) == 0
    assert verify("00" + root[2:]) != 0 or root.startswith("00")


def test_what_people_read_says_that_it_is_a_tree(capsys: pytest.CaptureFixture[str]) -> None:
    for language in ("en", "fr"):
        main(["verify", str(HERE / "good.json"), *TRUST, "--language", language])
        assert f"openssl ts -verify -digest {_root()}" in capsys.readouterr().out


def test_a_record_can_be_no_node() -> None:
    """The bytes of two hashes in a row are no record, whatever tree they come from."""
    tree = Tree([leaf_hash(b"%d" % n) for n in range(4)])
    below = Tree([leaf_hash(b"%d" % n) for n in range(2)])
    inner = leaf_hash(b"0") + leaf_hash(b"1")
    assert below.root == node_hash(inner[:32], inner[32:])
    assert root_from_path(leaf_hash(inner), 0, 2, tree.path(0)[1:]) != tree.root
    with pytest.raises(Unreadable):
        read_record(decode(inner))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 1000])
def test_every_place_of_a_tree_leads_to_its_root_and_no_other_place_does(size: int) -> None:
    leaves = [leaf_hash(b"%d" % n) for n in range(size)]
    tree = Tree(leaves)
    for index in {0, size // 2, size - 1}:
        path = tree.path(index)
        assert root_from_path(leaves[index], index, size, path) == tree.root
        for other in {0, size // 2, size - 1} - {index}:
            try:
                assert root_from_path(leaves[index], other, size, path) != tree.root
            except CheckFailed:
                continue
    with pytest.raises(CheckFailed):
        root_from_path(leaves[0], size, size, tree.path(0))


def test_a_place_survives_the_proof_file() -> None:
    proof = read_proof((HERE / "good.json").read_bytes())
    (token,) = proof.tokens
    assert isinstance(token, Rfc3161Token)
    assert isinstance(token.tree, TreePlace)
    assert isinstance(proof, Proof)
    assert encode(proof.to_json()) == (HERE / "good.json").read_bytes()

"""`proofmail trust build`: what it writes, what it prints, and what it refuses in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.cli import main
from proofmail.core.canonical import encode
from proofmail.verify.trust import read_trust
from tests.making import World
from tests.trustfile.list_maker import LISTS, Listed, ListRecipe, signed, xml_of
from tests.verify.token_maker import DAY, NOW, certify, leaf, root

SIGNER = certify("list signer", None, end=NOW + 900 * DAY)
LOTL_SIGNER = certify("Commission", None, end=NOW + 900 * DAY)
RECIPE = ListRecipe((Listed((leaf().der,)), Listed(())))
LOTL = ListRecipe(territory="EU", type=LISTS, pointers=(("FR", (SIGNER.der,)),))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All the files that a builder may be given."""
    monkeypatch.chdir(tmp_path)
    for name, credential in (("signer", SIGNER), ("commission", LOTL_SIGNER), ("root", root())):
        pem = credential.certificate.public_bytes(Encoding.PEM)
        (tmp_path / f"{name}.pem").write_bytes(pem)
    (tmp_path / "FR.xml").write_bytes(signed(RECIPE, SIGNER))
    (tmp_path / "bare.xml").write_bytes(xml_of(replace(RECIPE, territory="DE")))
    (tmp_path / "lotl.xml").write_bytes(signed(LOTL, LOTL_SIGNER))
    (tmp_path / "odd").write_bytes(b"odd")
    # X.509 version 2, which cryptography refuses by an error of its own kind.
    second = root().der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)
    (tmp_path / "v2.der").write_bytes(second)
    armour = b64encode(second).decode()
    (tmp_path / "v2.pem").write_text(
        f"-----BEGIN CERTIFICATE-----\n{armour}\n-----END CERTIFICATE-----\n"
    )
    return tmp_path


def build(*words: str) -> int:
    return main(["trust", "build", "--out", "trust.json", *words])


def test_lists_by_a_signer_named_or_by_the_list_of_lists(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build("--list", "FR.xml", "--list-signer", "signer.pem") == 0
    said = capsys.readouterr().out
    data = (folder / "FR.xml").read_bytes()
    assert f"trusted list: FR.xml, SHA-256 {sha256(data).hexdigest()}" in said
    assert "list FR no. 123 of 2026-04-03, next update 2026-09-20" in said
    assert "1 time-stamping services, 1 passed over" in said
    written = (folder / "trust.json").read_bytes()
    assert sha256(written).hexdigest() in said
    trust = read_trust(written)
    assert written == encode(trust.to_json()) + b"\n"
    assert [found.territory for found in trust.lists] == ["FR"]
    assert build("--list", "FR.xml", "--lotl", "lotl.xml", "--lotl-signer", "commission.pem") == 0
    assert read_trust((folder / "trust.json").read_bytes()) == trust


def test_everything_at_once_and_again_on_top_of_a_base(folder: Path) -> None:
    world = World()
    proof = world.prove()
    (anchor,) = proof.batches[0].anchors
    (folder / "header").write_bytes(b"0x" + anchor.header.hex().encode() + b"\n")
    (folder / "own.json").write_text(json.dumps(world.trust().to_json()))
    block = f"0x{next(iter(world.blocks)).hex()}"
    assert build(
        "--base", "own.json", "--unsigned-list", "bare.xml", "--witnesses", "2",
        "--root", "root.pem", "--name", "Outside", "--policy", "1.2.3", "--policy", "1.2.4",
        "--qualified-required", "--root", "signer.pem", "--revocation-required",
        "--chain", "31337", "--name", "A chain", "--block", block, "--block-header", "header",
        "--chain", "1", "--name", "Main", "--service", "other/1", "--service-key", "root.pem",
        "--sender", f"0x{'a' * 40}", "--seal-signer", "signer.pem",
    ) == 0  # fmt: skip
    trust = read_trust((folder / "trust.json").read_bytes())
    assert trust.witnesses == 2
    assert trust.lists[0].signer is None
    assert [a.name for a in trust.authorities] == ["test", "Outside", "CN=list signer"]
    outside, other = trust.authorities[1:]
    assert outside.policies == {"1.2.3", "1.2.4"}
    assert (outside.qualified_required, outside.revocation_required) == (True, False)
    assert (other.qualified_required, other.revocation_required) == (False, True)
    assert [(c.chain_id, c.name, len(c.headers)) for c in trust.chains] == [
        (31337, "A chain", 1),
        (1, "Main", 0),
    ]
    assert trust.chains[0].development
    assert [s.log for s in trust.services] == ["test/1", "other/1"]
    assert trust.seals == (SIGNER.der,)
    assert build("--base", "trust.json") == 0
    assert read_trust((folder / "trust.json").read_bytes()) == trust


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--list", "FR.xml"], "FR.xml: the list is not signed by any"),
        (["--list", "bare.xml", "--list-signer", "signer.pem"], "bare.xml: the list has no sig"),
        (["--list", "FR.xml", "--list-signer", "root.pem"], "FR.xml: the list is not signed"),
        (["--lotl", "lotl.xml"], "lotl.xml: the list is not signed"),
        (["--lotl", "FR.xml", "--lotl-signer", "signer.pem"], "FR.xml: this is not the Europ"),
        (["--unsigned-list", "odd"], "odd: the list is not well-formed"),
        (["--unsigned-list", "lotl.xml"], "lotl.xml: this is not a national"),
        (["--list", "nowhere.xml"], "nowhere.xml: No such file"),
        (["--list", "."], "Is a directory"),
        (["--base", "odd"], "odd: "),
        (["--root", "odd"], "odd: not one certificate"),
        (["--root", "v2.der"], "v2.der: not one certificate"),
        (["--root", "v2.pem"], "v2.pem: not one certificate"),
        (["--seal-signer", "v2.der"], "v2.der: not one certificate"),
        (["--service", "a/1", "--service-key", "v2.pem"], "v2.pem: not a public key"),
        (["--root", "root.pem", "--policy", "x"], "not an object identifier"),
        (["--chain", "x", "--name", "n"], "chain_id"),
        (["--chain", "1", "--block", "0x1"], "hexadecimal"),
        (["--chain", "1", "--block-header", "odd"], ""),
        (["--service", "a/1", "--service-key", "odd"], "odd: not a public key"),
        (["--service", "a/1", "--service-key", "root.pem", "--sender", "x"], "hexadecimal"),
        (["--witnesses", "0"], "witnesses"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    assert build(*words) == 1
    said = capsys.readouterr().err
    assert why in said
    assert len(said.splitlines()) == 1
    assert not (folder / "trust.json").exists()


def test_a_header_that_leads_back_from_nothing_believed_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (anchor,) = World().prove().batches[0].anchors
    (folder / "header").write_bytes(anchor.header)
    assert build("--chain", "31337", "--name", "c", "--block-header", "header") == 1
    assert "leads back from no block" in capsys.readouterr().err


def test_an_option_out_of_its_group_is_refused(folder: Path) -> None:
    for words in (["--policy", "1.2"], ["--chain", "1", "--policy", "1.2"], ["--sender", "x"]):
        with pytest.raises(SystemExit):
            build(*words)


def test_help_and_a_missing_command() -> None:
    for words in ([], ["nonsense"]):
        done = subprocess.run(
            [sys.executable, "-m", "proofmail", "trust", *words],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "usage:" in done.stderr


def test_without_its_package_a_list_is_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "signxml.algorithms", None)
    assert build("--list", "FR.xml", "--list-signer", "signer.pem") == 1
    assert "pip install 'proofmail[lists]'" in capsys.readouterr().err

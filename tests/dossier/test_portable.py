"""Archives: what is in them, in which form, and that a damaged one is never handed out."""

import csv
import io
import json
import os
import shutil
import stat
import subprocess
import zipfile
from dataclasses import replace
from hashlib import sha256

import pytest

from dossier import portable
from dossier.portable import Extras, Filed, check_archive, write_archive
from proofmail.errors import CheckFailed
from proofmail.verify.checks import verify_proof
from tests.dossier import evidence
from tests.verify.test_case import proofs, trust

EXTRAS = Extras(b'{"format":"proofmail/trust/0"}', {"proofmail.pyz": b"#!python"})
FORMULAS = (
    "=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1",
    '="a","b"',
)  # fmt: skip


def filed(proof, dossier=b"%PDF-1.7 of it", final=True):
    name = sha256(proof.record.to_bytes()).hexdigest()[:26]
    return Filed(name, proof, verify_proof(proof, trust()), final, dossier)


def written(path, records, extras=EXTRAS):
    assert write_archive(path, records, extras) == len(records)
    return zipfile.ZipFile(path)


def test_an_archive_and_its_index(tmp_path):
    with written(tmp_path / "a.zip", [filed(p) for p in proofs()]) as made:
        names = made.namelist()
        assert len([n for n in names if n.startswith("dossiers/")]) == 3
        assert names[3:] == [
            "index.json", "index.csv", "trust.json", "README.txt", "LISEZMOI.txt",
            "verifier/proofmail.pyz",
        ]  # fmt: skip
        index = json.loads(made.read("index.json"))
        assert index["format"] == "proofmail/archive-index/0"
        for row, proof in zip(index["records"], proofs(), strict=True):
            assert sha256(made.read(row["file"])).hexdigest() == row["sha256"]
            assert row["record_sha256"] == sha256(proof.record.to_bytes()).hexdigest()
            assert row["subject"] == proof.claims["header.subject"][0]
            assert row["verdict"] == "verified"
        table = made.read("index.csv").decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(table)))
        assert [row["file"] for row in rows] == [row["file"] for row in index["records"]]
        assert made.read("trust.json") == EXTRAS.trust
        assert "--trust trust.json" in made.read("README.txt").decode()
        assert "--trust trust.json" in made.read("LISEZMOI.txt").decode()


def test_the_verifier_for_browsers_lies_at_the_top(tmp_path):
    extras = replace(EXTRAS, page=b"<!doctype html>")
    with written(tmp_path / "a.zip", [filed(proofs()[0])], extras) as made:
        assert made.read("verifier.html") == extras.page
        for name in ("README.txt", "LISEZMOI.txt"):
            assert "verifier.html" in made.read(name).decode()


def test_the_same_records_give_the_same_bytes(tmp_path):
    records = [filed(p) for p in proofs()]
    for name in ("a.zip", "b.zip"):
        written(tmp_path / name, records).close()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.zip", "b.zip"]  # no index is left beside them


def test_another_tool_reads_it(tmp_path):
    written(tmp_path / "a.zip", [filed(p) for p in proofs()]).close()
    if not (tool := shutil.which("unzip")):
        pytest.skip("unzip is missing")
    subprocess.run([tool, "-tq", tmp_path / "a.zip"], check=True, capture_output=True)
    subprocess.run([tool, "-q", tmp_path / "a.zip", "-d", tmp_path / "out"], check=True)
    assert stat.S_IMODE((tmp_path / "out" / "index.csv").stat().st_mode) == 0o644


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_a_formula(text, tmp_path):
    claims = evidence.mail_claims(text, [])
    claims["header.from"] = [{"address": text, "name": ""}]
    claims["header.to"] = [{"address": text, "name": ""}]
    proof = evidence.stamped(evidence.signed("message", claims))
    with written(tmp_path / "a.zip", [filed(proof)]) as made:
        table = made.read("index.csv").decode("utf-8-sig")
        index = json.loads(made.read("index.json"))
    assert index["records"][0]["subject"] == text  # as it is, for programs
    (row,) = csv.DictReader(io.StringIO(table))
    for cell in row.values():
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\uff1d"))
    for column in ("subject", "sender", "recipients"):
        assert row[column].startswith("'")
    assert table.count("\r\n") == 2
    assert table.replace("\r\n", "").isprintable()


def test_a_record_that_does_not_verify_is_told_and_has_no_dossier(tmp_path):
    good = filed(proofs()[0])
    bad_proof = evidence.replace(proofs()[1], entries=proofs()[0].entries)
    bad = Filed("bad", bad_proof, verify_proof(bad_proof, trust()), True, b"")
    with written(tmp_path / "a.zip", [good, bad]) as made:
        rows = json.loads(made.read("index.json"))["records"]
    assert [row["verdict"] for row in rows] == ["verified", "failed"]
    assert rows[1]["file"] == rows[1]["subject"] == ""


def test_the_same_record_twice_is_refused(tmp_path):
    with pytest.raises(CheckFailed):
        write_archive(tmp_path / "a.zip", [filed(proofs()[0])] * 2, EXTRAS)


def test_many_files_need_the_large_form(tmp_path, monkeypatch):
    """Over 65,535 files or 4 GiB; here the bounds are lower, the bytes written are the same."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    written(tmp_path / "a.zip", [filed(p, b"%PDF" * 500) for p in proofs()]).close()
    monkeypatch.undo()
    data = (tmp_path / "a.zip").read_bytes()
    assert b"PK\x06\x06" in data  # the record of ZIP64 (APPNOTE §4.3.14)
    with zipfile.ZipFile(tmp_path / "a.zip") as made:
        assert made.testzip() is None


def test_what_was_damaged_on_the_disk_is_not_handed_out(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    written(path, [filed(p) for p in proofs()]).close()
    with zipfile.ZipFile(path) as made:
        digests = {name: sha256(made.read(name)).digest() for name in made.namelist()}
        place = made.getinfo("index.json").header_offset + 90
    check_archive(path, digests)
    for changed in ({"index.json": b""}, {"more": b""}):
        with pytest.raises(CheckFailed):
            check_archive(path, {**digests, **changed})
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckFailed):
        check_archive(path, digests)


def test_one_dossier_is_in_memory_at_a_time(tmp_path):
    """Each record is made after the one before was written."""
    path = tmp_path / "a.zip"
    sizes = []

    def records():
        for proof in proofs():
            sizes.append(path.stat().st_size)
            yield filed(proof, b"%PDF" + os.urandom(100_000))

    portable.write_archive(path, records(), EXTRAS)
    assert sizes[1] > 90_000
    assert sizes[2] > sizes[1] + 90_000

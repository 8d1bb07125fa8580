"""The vector of names: our claims are those written down, and a second reader finds the same."""

from __future__ import annotations

import json
from pathlib import Path

from proofmail.core.canonical import from_base64url
from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from tests.recompute import names
from tests.vectors.names.make import mail

FOLDER = Path(__file__).parents[1] / "vectors" / "names"


def test_the_claims_are_those_written_down() -> None:
    data = (FOLDER / "mail.eml").read_bytes()
    assert data == mail()
    expected = json.loads((FOLDER / "expected.json").read_text())
    assert expected == {"mail.eml": {"claims": mail_claims(scan(data))}}


def test_a_second_reader_finds_the_same_digests() -> None:
    claims = mail_claims(scan(mail()))
    parts = [claims[f"part.{n}"] for n in range(1, claims["message.parts"] + 1)]
    ids = [from_base64url(part["content_id"]).hex() for part in parts if "content_id" in part]
    values = [
        from_base64url(item["sha256"]).hex()
        for part in parts
        for item in part["fingerprints"]
        if item["rule"] == "header-values/1"
    ]
    files = [
        (item["size"], from_base64url(item["sha256"]).hex())
        for part in parts
        for item in part.get("files", [])
    ]
    assert (len(ids), len(values), len(files)) == (2, 1, 2)
    assert names(mail()) == (ids, values, files)

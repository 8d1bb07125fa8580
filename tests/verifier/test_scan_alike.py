"""Both verifiers make the same claims of a mail: of real ones, of real ones changed here and there,
and of mails put together from what SPEC §3 speaks of."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Iterable, Sequence
from random import Random

import pytest

from proofmail.core.canonical import encode
from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from tests.journeys.originals import ORIGINALS
from tests.parts import PROJECT, give_up, need
from tests.verifier.bent_mails import bent, changed

ENVIRONMENT = {**os.environ, "CI": "true"}
"""Without it, vite ends its process once the input ends, before a pipe has taken all output."""
VERIFIER = PROJECT / "verifier"
CORPUS = PROJECT.parent / "shared" / "corpus"
VECTORS = sorted((PROJECT / "tests/vectors").glob("*/*.eml"))
LARGEST = 30_000
SAMPLE = 400
MUTATIONS = 600
BENT = 3_000


@pytest.fixture(autouse=True)
def _node() -> None:
    need_node()


def need_node() -> None:
    """Skips the calling test where the second scan cannot run."""
    need("node")
    if not (VERIFIER / "node_modules/.bin/vite-node").exists():
        give_up("needs the packages of verifier/: npm ci")


def second(mails: Iterable[bytes]) -> list[bytes]:
    """The claims by the scan in verifier/, one process for all."""
    run = subprocess.run(
        [VERIFIER / "node_modules/.bin/vite-node", "node/scan.ts"], cwd=VERIFIER,
        input=b"".join(struct.pack(">I", len(mail)) + mail for mail in mails),
        capture_output=True, check=True, timeout=600,
        env=ENVIRONMENT,
    )  # fmt: skip
    return run.stdout.splitlines()


def disagreements(mails: Sequence[bytes]) -> list[str]:
    others = second(mails)
    assert len(others) == len(mails)
    found = []
    for mail, other in zip(mails, others, strict=True):
        claims = mail_claims(scan(mail))
        if encode(claims) != other:
            theirs = json.loads(other)
            names = {*claims, *theirs}
            differ = [name for name in names if claims.get(name) != theirs.get(name)]
            found.append(f"{sorted(differ)} of {mail[:2_000]!r}")
    return found


def originals() -> list[bytes]:
    return [*(path.read_bytes() for path in VECTORS), *ORIGINALS.values()]


def corpus() -> list[bytes]:
    if not CORPUS.is_dir():
        pytest.skip("the folder of real messages is absent")
    rows = (CORPUS / "manifest.tsv").read_text().splitlines()[1:]
    files = [(CORPUS / row.split("\t")[0]).read_bytes() for row in rows]
    whole = [data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for data in files]
    return [mail for mail in whole if len(mail) < LARGEST]


def test_of_mails_that_other_tests_use() -> None:
    assert VECTORS
    assert not disagreements(originals())


def test_of_real_mails() -> None:
    assert not disagreements(Random(1).sample(corpus(), SAMPLE))


def test_of_changed_mails() -> None:
    random = Random(2)
    mails = originals()
    assert not disagreements(
        [changed(random.choice(mails), random.choice(mails), random) for _ in range(MUTATIONS)]
    )


def test_of_changed_real_mails() -> None:
    random = Random(3)
    mails = corpus()
    assert not disagreements(
        [changed(random.choice(mails), random.choice(mails), random) for _ in range(MUTATIONS)]
    )


def test_of_bent_mails() -> None:
    random = Random(4)
    mails = [bent(random) for _ in range(BENT)]
    named = {name for mail in mails for name in scan(mail).defects}
    assert len(named) >= 30, "too tame: few defects of §3.9.1 are among them"
    assert not disagreements(mails)

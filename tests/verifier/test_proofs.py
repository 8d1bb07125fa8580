"""Both verifiers say the same of the vectors, and of what becomes of good ones when changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from proofmail.core.merkle import leaf_hash, root_from_path
from proofmail.core.proof import Batch, EvmAnchor
from tests.making import World
from tests.parts import PROJECT, give_up, need
from tests.verifier import browser
from tests.verifier.alike import difference, ours
from tests.verifier.comparison import VERIFIER, second
from tests.verifier.crooked_anchors import crooked_anchor, keccak256
from tests.verifier.mutations import mutated_trust, mutation

Case: TypeAlias = tuple[str, Path, Path | None]
VECTORS = PROJECT / "tests/vectors"
GOOD = (
    ("proof", "good.json"), ("proof", "good-redacted.json"), ("proof",
    "receipt-of-another-mail.json"),
    ("tree", "good.json"), ("lists", "granted.json"),
)  # fmt: skip
MUTATIONS = 240
ANCHORS = 160


@pytest.fixture(autouse=True)
def _node() -> None:
    need("node")
    if not (VERIFIER / "node_modules/.bin/vite-node").exists():
        give_up("needs the packages of verifier/: npm ci")


def _first(proof: Path, trust: Path | None) -> dict[str, Any]:
    believed = trust and trust.read_bytes()
    return ours(browser.Case(proof.name, proof.read_bytes(), believed))


def _disagreements(cases: Iterable[Case]) -> list[str]:
    cases = list(cases)
    others = second((proof, trust) for _, proof, trust in cases)
    assert len(others) == len(cases)
    found = []
    for (name, proof, trust), other in zip(cases, others, strict=True):
        if why := difference(_first(proof, trust), other):
            found.append(f"{name}: {why}")
    return found


def test_of_every_vector_under_every_trust() -> None:
    cases: list[Case] = []
    for folder in ("proof", "tree", "lists"):
        for proof in sorted((VECTORS / folder).glob("*.json")):
            for trust in (*sorted((VECTORS / folder).glob("trust*.json")), None):
                cases.append((f"{folder}/{proof.name} under {trust}", proof, trust))
    assert len(cases) > 80
    assert not _disagreements(cases)


def test_of_proofs_and_trust_files_that_were_changed(tmp_path: Path) -> None:
    cases: list[Case] = []
    for seed in range(MUTATIONS):
        folder, name = GOOD[seed % len(GOOD)]
        proof, trust = VECTORS / folder / name, VECTORS / folder / "trust.json"
        of_trust = seed % 6 == 5
        changed = tmp_path / f"{seed}.json"
        made = (
            mutated_trust(seed, trust.read_bytes())
            if of_trust
            else mutation(seed, proof.read_bytes())
        )
        changed.write_bytes(made.data)
        said = f"{seed}: {name}, {made.changes}"
        cases.append((said, proof, changed) if of_trust else (said, changed, trust))
    assert not _disagreements(cases)


def test_of_anchors_that_are_crooked(tmp_path: Path) -> None:
    world = World()
    proof = world.prove()
    (batch,) = proof.batches
    assert isinstance(batch, Batch)
    root = root_from_path(
        leaf_hash(batch.header.to_bytes()), 0, batch.header.count + 1, batch.header_path
    )
    cases: list[Case] = []
    trust = tmp_path / "trust.json"
    blocks: list[str] = []
    timestamp = int(world.now.timestamp()) + 9
    for start in range(0, ANCHORS, 16):
        made = [
            crooked_anchor(seed, root, world.anchor_key, timestamp)
            for seed in range(start, start + 16)
        ]
        blocks += [f"0x{keccak256(one.header).hex()}" for one in made]
        anchors = tuple(EvmAnchor(m.transaction, m.index, m.nodes, m.header) for m in made)
        changed = replace(proof, tokens=(), batches=(replace(batch, anchors=anchors),))
        path = tmp_path / f"{start}.json"
        path.write_bytes(changed.to_bytes())
        cases.append((str([one.changes for one in made]), path, trust))
    believed = world.trust().to_json()
    believed["chains"][0]["blocks"] = blocks
    trust.write_text(json.dumps(believed))
    judged = [_first(path, trust) for _, path, _ in cases]
    statuses = [row["status"] for one in judged for row in one["rows"] if row["number"] == "V9"]
    assert {"passed", "failed"} == set(statuses)
    assert not _disagreements(cases)

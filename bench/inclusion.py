"""Inclusion proofs from a batch of 100,000 records, against pymerkle's tree in memory."""

from __future__ import annotations

import gc
import random

import pymerkle  # type: ignore[import-untyped]

from bench.table import Row, versus
from bench.timing import alternate
from proofmail.core.merkle import Tree, leaf_hash

LEAVES = 100_000
PROOFS = 1_000
BUILD_ROUNDS = 2


def run() -> list[Row]:
    entries = [b"record %d" % number for number in range(LEAVES)]
    tree, other = _build_ours(entries), _build_peer(entries)
    if tree.root != other.get_root():
        raise RuntimeError("the two trees have different roots")
    gc.freeze()  # the peer's tree is 200,000 objects: nobody's collector walks them while timed
    # Random leaves, never the same twice: both sides' caches see what a service would ask.
    chance = random.Random(1)
    waiting = chance.sample(range(LEAVES), LEAVES)

    def ours() -> int:
        picked = waiting[:PROOFS]
        for index in picked:
            tree.path(index)
        return len(picked)

    def peer() -> int:
        picked, waiting[:PROOFS] = waiting[:PROOFS], []
        for index in picked:
            other.prove_inclusion(index + 1)
        return len(picked)

    proofs = alternate(ours, peer)
    gc.unfreeze()

    def build_ours() -> int:
        built = _build_ours(entries)
        for index in range(PROOFS):
            built.path(index)
        return PROOFS

    def build_peer() -> int:
        built = _build_peer(entries)
        for index in range(PROOFS):
            built.prove_inclusion(index + 1)
        return PROOFS

    whole = alternate(build_ours, build_peer, BUILD_ROUNDS)
    return [
        versus("inclusion proofs, batch of 100,000 at hand", *proofs, "proofs/s", (20.0, 5.0)),
        versus("  the tree built first, then 1,000 proofs", *whole, "proofs/s"),
    ]


def _build_ours(entries: list[bytes]) -> Tree:
    return Tree([leaf_hash(entry) for entry in entries])


def _build_peer(entries: list[bytes]) -> pymerkle.InmemoryTree:
    return pymerkle.InmemoryTree.init_from_entries(entries)

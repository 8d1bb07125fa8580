"""The Merkle tree of RFC 9162 §2.1 over SHA-256: roots, and inclusion proofs both ways."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from proofmail.errors import CheckFailed

MAX_PATH = 63
"""No tree has more than 2^63 leaves."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A closed tree over leaf hashes; all levels are kept, so that a proof is one walk up.

    An odd last node rises unchanged, which gives the tree of RFC 9162 §2.1.1.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves:
            raise ValueError("a batch has at least its header")
        self._levels = [list(leaves)]
        while len(level := self._levels[-1]) > 1:
            above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            if len(level) % 2:
                above.append(level[-1])
            self._levels.append(above)

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def path(self, index: int) -> list[bytes]:
        """The audit path of the leaf at `index` (RFC 9162 §2.1.3.1), from the leaf up."""
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(index)
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return path


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that this path leads to (RFC 9162 §2.1.3.2); CheckFailed when it cannot be one.

    `leaf` is a leaf hash, `index` its place in a tree of `size` leaves.
    """
    if not 0 <= index < size:
        raise CheckFailed("the index lies outside the tree")
    node, place, last = leaf, index, size - 1
    for sibling in path:
        if last == 0:
            raise CheckFailed("the path is longer than the tree is high")
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise CheckFailed("the path is shorter than the tree is high")
    return node

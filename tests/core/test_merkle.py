"""The batch tree against pymerkle's idea of it and against the recursive words of RFC 9162."""

from __future__ import annotations

from hashlib import sha256

import pytest

from proofmail.core.merkle import Tree, leaf_hash, node_hash, root_from_path
from proofmail.errors import CheckFailed


def _root(data: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word by word."""
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    split = 1
    while split * 2 < len(data):
        split *= 2
    return sha256(b"\x01" + _root(data[:split]) + _root(data[split:])).digest()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100, 257])
def test_roots_and_paths_for_every_leaf(size: int) -> None:
    data = [b"record %d" % number for number in range(size)]
    tree = Tree([leaf_hash(item) for item in data])
    assert tree.root == _root(data)
    for index, item in enumerate(data):
        path = tree.path(index)
        assert root_from_path(leaf_hash(item), index, size, path) == tree.root
        for other in {0, index + 1, size - 1} - {index}:
            assert _leads_elsewhere(leaf_hash(item), other, size, path, tree.root)
        if path:
            assert _leads_elsewhere(leaf_hash(item), index, size, path[:-1], tree.root)
        assert _leads_elsewhere(leaf_hash(item), index, size, [*path, bytes(32)], tree.root)


def _leads_elsewhere(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    try:
        return root_from_path(leaf, index, size, path) != root
    except CheckFailed:
        return True


def test_a_node_is_never_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)

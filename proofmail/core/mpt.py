"""Values proven in a Merkle-Patricia trie (SPEC anchors §5; yellow paper, appendix D)."""

from __future__ import annotations

from collections.abc import Sequence

from Crypto.Hash import keccak

from proofmail.core import rlp
from proofmail.errors import CheckFailed, Unreadable

# A full branch is 532 bytes and an anchor's leaf some 200; small foreign transactions may sit
# inside a branch, in under 32 bytes each.
MAX_NODE_BYTES = 1024
# Transactions tries have keys of at most 4 bytes; 32 serves any trie with hashed keys.
MAX_KEY_BYTES = 32


def keccak256(data: bytes) -> bytes:
    """Ethereum's hash: Keccak with the padding of before FIPS 202 (not SHA3-256)."""
    return keccak.new(digest_bits=256, data=data).digest()


def trie_value(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes:
    """The value under `key` in the trie whose root hash is `root`.

    `nodes` are the encoded nodes on the way, from the root on, in order: exactly those that are
    referred to by hash. CheckFailed when they do not prove a value; Unreadable when a node, though
    it has the hash asked for, is not a trie node.
    """
    if len(root) != 32 or len(key) > MAX_KEY_BYTES:
        raise CheckFailed("trie: root or key of the wrong size")
    if not 0 < len(nodes) <= 2 * len(key) + 1:
        raise CheckFailed("trie: too few or too many nodes")
    path = key.hex()
    reference: rlp.Item = root
    used = 0
    while True:
        if isinstance(reference, bytes):
            if used == len(nodes):
                raise CheckFailed("trie: a node is missing")
            node = _opened(reference, nodes[used])
            used += 1
        else:
            node = reference
        target, path, done = _step(node, path)
        if done:
            break
        reference = _reference(target)
    if not isinstance(target, bytes) or not target:
        raise CheckFailed("trie: no value under this key")
    if used != len(nodes):
        raise CheckFailed("trie: a node is not needed")
    return target


def _opened(reference: bytes, node: bytes) -> list[rlp.Item]:
    if len(node) > MAX_NODE_BYTES:
        raise CheckFailed("trie: a node is too large")
    if keccak256(node) != reference:
        raise CheckFailed("trie: a node does not have the hash its parent names")
    return rlp.decode_list(node)


def _reference(target: rlp.Item) -> rlp.Item:
    """What a branch or an extension points to: a hash, or a node of under 32 bytes itself."""
    if target == b"":
        raise CheckFailed("trie: no value under this key")
    if isinstance(target, bytes):
        if len(target) != 32:
            raise Unreadable("trie: a reference is not a hash")
    elif len(rlp.encode(target)) >= 32:
        raise Unreadable("trie: a large node inside another")
    return target


def _step(node: list[rlp.Item], path: str) -> tuple[rlp.Item, str, bool]:
    """What one node gives for the rest of the path (hexadecimal digits): value or reference, the
    path that is left, and whether it is the value."""
    if len(node) == 17:
        if not path:
            return node[16], "", True
        return node[int(path[0], 16)], path[1:], False
    if len(node) != 2 or not isinstance(node[0], bytes) or not node[0]:
        raise Unreadable("trie: not a node")
    prefix = node[0].hex()
    flag = int(prefix[0], 16)
    if flag > 3 or (not flag & 1 and prefix[1] != "0"):
        raise Unreadable("trie: bad path prefix")
    digits = prefix[1:] if flag & 1 else prefix[2:]
    leaf = flag >= 2
    if not leaf and not digits:
        raise Unreadable("trie: an extension by nothing")
    if not path.startswith(digits) or (leaf and path != digits):
        raise CheckFailed("trie: no value under this key")
    return node[1], path[len(digits) :], leaf

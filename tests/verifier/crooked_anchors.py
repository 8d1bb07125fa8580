"""Anchors that are good, or wrong in one place or two, signed and proven all the same (SPEC §6.4).

A changed byte of a good anchor fails at its first hash. These hold up to the rule that they break:
the transaction is signed anew, put into a trie, and the header names that trie's root.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from coincurve import PrivateKey
from Crypto.Hash import keccak

Item: TypeAlias = "bytes | list[Item]"
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SIZES = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}


@dataclass(frozen=True)
class Anchor:
    transaction: bytes
    index: int
    nodes: tuple[bytes, ...]
    header: bytes
    changes: tuple[str, ...]
    """Empty for a good one."""


def crooked_anchor(seed: int, root: bytes, key: bytes, timestamp: int) -> Anchor:
    """An anchor of `root` on chain 31337 by the sender of `key`, with none to two things wrong."""
    random = Random(f"anchor {seed}")
    wrong = random.sample(_WRONG, random.choice((0, 1, 1, 1, 2)))
    raw = _transaction(wrong, random, root, key)
    index = random.choice((0, 0, 0, 1, 15, 16, 127, 128, 130, 255, 256, 65_536, 999_999, 1_000_000))
    top, nodes = _trie(wrong, random, rlp(number(index)), raw)
    if "another index" in wrong:
        index = (index + 1) % 1_000_001
    if "a node more" in wrong:
        nodes = (*nodes, nodes[-1])
    if "a node less" in wrong:
        nodes = nodes[:-1]
    header = _header(wrong, random, top, timestamp)
    return Anchor(raw, index, nodes, header, tuple(wrong))


def number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def rlp(item: Item) -> bytes:
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _head(0x80, len(item)) + item
    body = b"".join(map(rlp, item))
    return _head(0xC0, len(body)) + body


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def _head(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = number(length)
    return bytes([base + 55 + len(size)]) + size


_WRONG = (
    "chain nought", "chain too large", "chain at its largest", "chain with a zero before",
    "nonce long",
    "nonce of 8 bytes", "fee of 33 bytes", "fee of 32 bytes", "to nobody", "to another", "value",
    "tag",
    "data longer", "data a list", "an access list", "access of bytes", "parity 2", "parity long",
    "other parity", "s in the upper half", "s nought", "r nought", "r too large",
    "s with a zero before",
    "a field more", "a field less", "type 1", "bytes behind", "a large nonce field", "nested to 7",
    "nested to 8", "another index", "a node more", "a node less", "leaf as extension",
    "stray nibble",
    "flag 4", "empty path", "a byte of the value", "inline leaf", "value a list", "value empty",
    "extension of nothing", "a large inline node", "a short reference", "18 items",
    "inline deep 7", "inline deep 8", "inline deep 9", "a field of 31 bytes",
    "a list in the header",
    "14 fields", "64 fields", "65 fields", "time too large", "time at its largest",
    "time of 9 bytes",
    "number with a zero before", "a header's length long",
)  # fmt: skip


def _transaction(wrong: list[str], random: Random, root: bytes, key: bytes) -> bytes:
    own = keccak256(PrivateKey(key).public_key.format(compressed=False)[1:])[12:]
    chain = number(
        0 if "chain nought" in wrong
        else 2**53 if "chain too large" in wrong
        else 2**53 - 1 if "chain at its largest" in wrong
        else 31337
    )  # fmt: skip
    fields: list[Item] = [
        b"\0" + chain if "chain with a zero before" in wrong else chain,
        bytes([1]) * 9 if "nonce long" in wrong else b"\xff" * 8 if "nonce of 8 bytes" in wrong
        else number(random.randrange(300)),
        b"\x01" * 33 if "fee of 33 bytes" in wrong else number(10**8),
        b"\xff" * 32 if "fee of 32 bytes" in wrong else number(10**9),
        number(30_000),
        b"" if "to nobody" in wrong else bytes(20) if "to another" in wrong else own,
        b"\x01" if "value" in wrong else b"",
        [] if "data a list" in wrong
        else (b"PMv1" if "tag" in wrong else b"PMv0") + root + (b"\0" * ("data longer" in wrong)),
        [[own, []]] if "an access list" in wrong else b"" if "access of bytes" in wrong else [],
    ]  # fmt: skip
    for depth in (7, 8):
        if f"nested to {depth}" in wrong:
            inner: Item = b""
            for _ in range(depth - 1):
                inner = [inner]
            fields[8] = inner
    if "a large nonce field" in wrong:
        fields[4] = b"\x01" * 300
    signed = PrivateKey(key).sign_recoverable(keccak256(b"\x02" + rlp(fields)), hasher=None)
    r, s, parity = signed[:32].lstrip(b"\0"), signed[32:64].lstrip(b"\0"), number(signed[64])
    if "s in the upper half" in wrong:
        s, parity = number(CURVE_ORDER - int.from_bytes(s, "big")), number(1 - signed[64])
    changes: dict[str, tuple[bytes, bytes, bytes]] = {
        "parity 2": (b"\x02", r, s), "parity long": (b"\x01\x01", r, s),
        "other parity": (number(1 - signed[64]), r, s), "s nought": (parity, r, b""),
        "r nought": (parity, b"", s), "r too large": (parity, number(CURVE_ORDER), s),
        "s with a zero before": (parity, r, b"\0" + s[:31]),
    }  # fmt: skip
    for name, parts in changes.items():
        if name in wrong:
            parity, r, s = parts
    whole: list[Item] = [*fields, parity, r, s]
    if "a field more" in wrong:
        whole.append(b"")
    if "a field less" in wrong:
        whole.pop()
    raw = (b"\x01" if "type 1" in wrong else b"\x02") + rlp(whole)
    return raw + b"\0" * ("bytes behind" in wrong)


def _trie(
    wrong: list[str], random: Random, key: bytes, raw: bytes
) -> tuple[bytes, tuple[bytes, ...]]:
    """The root's hash, and the nodes of a trie with this value: a leaf under other nodes."""
    path = [nibble for octet in key for nibble in (octet >> 4, octet & 15)]
    below = random.randrange(len(path) + 1)
    value: Item = raw
    if "a byte of the value" in wrong:
        value = raw[:-1] + bytes([raw[-1] ^ 1])
    if "value a list" in wrong:
        value = [raw]
    if "value empty" in wrong:
        value = b""
    rest = path[below:]
    node: list[Item] = [_hex_prefix(rest, leaf="leaf as extension" not in wrong), value]
    prefix = node[0]
    assert isinstance(prefix, bytes)
    if "stray nibble" in wrong and len(rest) % 2 == 0:
        node[0] = bytes([prefix[0] | 1]) + prefix[1:]
    if "flag 4" in wrong:
        node[0] = bytes([prefix[0] + 0x20]) + prefix[1:]
    if "empty path" in wrong:
        node[0] = b""
    if "18 items" in wrong:
        node = [b""] * 17 + [raw]
    if not rest and random.randrange(2):  # the value of a branch, where the way ends at one
        node = [*([b""] * 16), value]
    nodes: list[bytes] = []
    reference = _reference(node, nodes, wrong)
    at = below
    while at > 0:
        if at > 1 and random.randrange(3) == 0:
            at -= (taken := random.randrange(1, at))
            node = [_hex_prefix(path[at : at + taken], leaf=False), reference]
        else:
            at -= 1
            node = [b""] * 17
            node[path[at]] = reference
            _beside(node, path[at], wrong)
        reference = _reference(node, nodes, wrong)
    if "extension of nothing" in wrong:
        reference = _reference([b"\0", reference], nodes, wrong)
    top = nodes[-1]
    return keccak256(top), tuple(reversed(nodes))


def _beside(node: list[Item], place: int, wrong: list[str]) -> None:
    """Something in a branch that the way does not pass, but that has to be RLP."""
    for depth in (7, 8, 9):
        if f"inline deep {depth}" in wrong:
            item: Item = b""
            for _ in range(depth):
                item = [item]
            node[(place + 1) % 16] = item


def _reference(node: list[Item], nodes: list[bytes], wrong: list[str]) -> Item:
    encoded = rlp(node)
    if len(encoded) < 32 and "a short reference" not in wrong:
        if nodes or "inline leaf" in wrong:
            return node
    elif "a large inline node" in wrong and nodes == []:
        nodes.append(encoded)
        return node
    nodes.append(encoded)
    return keccak256(encoded)[: 31 if "a short reference" in wrong else 32]


def _hex_prefix(nibbles: list[int], *, leaf: bool) -> bytes:
    flag = (2 if leaf else 0) + len(nibbles) % 2
    digits = [flag, *([] if len(nibbles) % 2 else [0]), *nibbles]
    return bytes(16 * one + other for one, other in zip(digits[::2], digits[1::2], strict=True))


def _header(wrong: list[str], random: Random, top: bytes, timestamp: int) -> bytes:
    moment = number(timestamp)
    if "time too large" in wrong:
        moment = number(253_402_300_800)
    if "time at its largest" in wrong:
        moment = number(253_402_300_799)
    if "time of 9 bytes" in wrong:
        moment = b"\x01" * 9
    fields: list[Item] = [bytes(_SIZES.get(place, 0)) for place in range(15)]
    fields[4], fields[11] = top, moment
    fields[8] = (b"\0" if "number with a zero before" in wrong else b"") + number(7)
    if "a field of 31 bytes" in wrong:
        fields[random.choice(list(_SIZES))] = bytes(31)
    if "a list in the header" in wrong:
        fields[12] = []
    if "14 fields" in wrong:
        fields.pop()
    for count in (64, 65):
        if f"{count} fields" in wrong:
            fields += [b"\x07"] * (count - len(fields))
    header = rlp(fields)
    if "a header's length long" in wrong:
        return bytes([header[0] + 1, 0]) + header[1:]
    return header

"""EVM anchors: one captured from a real node, and its siblings with one thing wrong."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_hash.auto import keccak as other_keccak
from trie import hexary
from trie.constants import BLANK_NODE_HASH

from proofmail.core import rlp
from proofmail.core.evm import (
    ANCHOR_TAG,
    MAX_HEADER_BYTES,
    AnchoredRoot,
    address_of,
    read_evm_anchor,
    read_header,
    read_transaction,
    transaction_key,
)
from proofmail.core.mpt import keccak256, trie_value
from proofmail.errors import CheckFailed, Unreadable

HexaryTrie: Any = hexary.HexaryTrie

VECTOR = json.loads(
    (Path(__file__).parent.parent / "vectors" / "evm" / "anvil.json").read_text(encoding="utf-8")
)
KEY = b"\x11" * 32
SENDER = address_of(PrivateKey(KEY).public_key.format(compressed=False))
ROOT = bytes(range(32))
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Evidence:
    transaction: bytes
    index: int
    nodes: tuple[bytes, ...]
    header: bytes

    def read(self) -> AnchoredRoot:
        return read_evm_anchor(self.transaction, self.index, self.nodes, self.header)


CAPTURED = Evidence(
    bytes.fromhex(VECTOR["transaction"]),
    VECTOR["index"],
    tuple(map(bytes.fromhex, VECTOR["nodes"])),
    bytes.fromhex(VECTOR["header"]),
)


def test_the_captured_anchor() -> None:
    found = CAPTURED.read()
    block = VECTOR["block"]
    said = block["transactions"][VECTOR["index"]]
    assert found == AnchoredRoot(
        chain_id=31337,
        sender=bytes.fromhex(said["from"][2:]),
        to=bytes.fromhex(said["to"][2:]),
        root=bytes.fromhex(VECTOR["root"]),
        tx_hash=bytes.fromhex(said["hash"][2:]),
        block_hash=bytes.fromhex(block["hash"][2:]),
        block_number=int(block["number"], 16),
        block_time=datetime.fromtimestamp(int(block["timestamp"], 16), UTC),
    )


def test_judges_agree_on_the_captured_anchor() -> None:
    found = CAPTURED.read()
    recovered = Account.recover_transaction(CAPTURED.transaction)
    assert bytes.fromhex(recovered[2:]) == found.sender
    assert other_keccak(CAPTURED.header) == found.block_hash
    proof = tuple(rlp.decode(node) for node in CAPTURED.nodes)
    root = read_header(CAPTURED.header).transactions_root
    key = transaction_key(CAPTURED.index)
    assert HexaryTrie.get_from_proof(root, key, proof) == CAPTURED.transaction


# A block of our own making around any transaction, for faults that no node would mine.


def signed(data: bytes = ANCHOR_TAG + ROOT, **changes: Any) -> list[rlp.Item]:
    fields: list[rlp.Item] = [
        rlp.encode_int(changes.get("chain_id", 5)),
        rlp.encode_int(3),
        rlp.encode_int(10**9),
        rlp.encode_int(2 * 10**9),
        rlp.encode_int(25_000),
        changes.get("to", SENDER),
        rlp.encode_int(changes.get("value", 0)),
        data,
        changes.get("access_list", []),
    ]
    digest = keccak256(b"\x02" + rlp.encode(fields))
    signature = PrivateKey(KEY).sign_recoverable(digest, hasher=None)
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
    return [*fields, *map(rlp.encode_int, (signature[64], r, s))]


def raw(fields: list[rlp.Item]) -> bytes:
    return b"\x02" + rlp.encode(fields)


def header(root: bytes) -> list[rlp.Item]:
    fields = rlp.decode_list(CAPTURED.header)
    fields[4] = root
    return fields


def in_block(transaction: bytes, index: int = 2) -> Evidence:
    trie = HexaryTrie({})
    for place in range(5):
        other = b"\x02" + bytes([place]) * 60
        trie[transaction_key(place)] = transaction if place == index else other
    nodes = tuple(rlp.encode(node) for node in trie.get_proof(transaction_key(index)))
    return Evidence(transaction, index, nodes, rlp.encode(header(trie.root_hash)))


def changed(position: int, value: rlp.Item) -> bytes:
    fields = signed()
    fields[position] = value
    return raw(fields)


def test_an_anchor_of_our_own_making_is_good() -> None:
    found = in_block(raw(signed())).read()
    assert (found.chain_id, found.sender, found.root) == (5, SENDER, ROOT)


def negated_s() -> bytes:
    fields = signed()
    parity = 1 - rlp.decode_int(fields[9], 1)
    s = ORDER - rlp.decode_int(fields[11], 32)
    fields[9], fields[11] = rlp.encode_int(parity), rlp.encode_int(s)
    # The very same sender, for whoever does not ask for a low s.
    return raw(fields)


def legacy() -> bytes:
    fields = {
        "chainId": 5, "nonce": 3, "gasPrice": 10**9, "gas": 25_000, "value": 0,
        "to": "0x" + SENDER.hex(), "data": ANCHOR_TAG + ROOT,
    }  # fmt: skip
    account = Account.from_key(KEY)
    fields["to"] = account.address
    return bytes(account.sign_transaction(fields).raw_transaction)


ACCESS_LIST = [[SENDER, [bytes(32)]]]


@pytest.mark.parametrize(
    ("transaction", "words"),
    [
        (raw(signed(data=b"PMv1" + ROOT)), "tag"),
        (raw(signed(data=ROOT)), "tag"),
        (raw(signed(data=ANCHOR_TAG + ROOT[:-1])), "tag"),
        (raw(signed(data=ANCHOR_TAG + ROOT + b"\0")), "tag"),
        (raw(signed(data=b"")), "tag"),
        (raw(signed(value=1)), "value"),
        (raw(signed(to=b"\x22" * 20)), "to itself"),
        (raw(signed(to=b"")), "to itself"),
        (raw(signed(access_list=ACCESS_LIST)), "access list"),
        (raw(signed(chain_id=0)), "chain id"),
        (raw(signed(chain_id=1 << 53)), "chain id"),
        (legacy(), "type 2"),
        (b"\x01" + rlp.encode(signed()), "type 2"),
        (b"\x03" + rlp.encode(signed()), "type 2"),
        (negated_s(), "signature"),
        (changed(9, b"\x02"), "signature"),
        (changed(9, b"\x1b"), "signature"),
        (changed(10, b""), "signature"),
        (changed(11, b""), "signature"),
        (changed(10, rlp.encode_int(ORDER)), "signature"),
        (changed(11, rlp.encode_int(ORDER)), "signature"),
        # Five is no x of a point of the curve.
        (changed(10, b"\x05"), "no sender"),
        # Someone else's signature: the fields are no longer those signed.
        (changed(1, b"\x04"), "to itself"),
    ],
)
def test_one_fault_in_the_transaction(transaction: bytes, words: str) -> None:
    with pytest.raises(CheckFailed, match=words):
        in_block(transaction).read()


@pytest.mark.parametrize(
    "transaction",
    [
        changed(0, b"\x00\x05"),
        changed(1, b"\x00"),
        changed(1, b"\x01" * 9),
        changed(3, b"\x00\x01"),
        changed(5, SENDER + b"\0"),
        changed(5, SENDER[1:]),
        changed(5, []),
        changed(6, b"\x00"),
        changed(7, []),
        changed(9, b"\x00"),
        changed(10, b"\x01" * 33),
        changed(10, b"\x00" + b"\x01" * 31),
        changed(11, []),
        raw(signed()[:-1]),
        raw([*signed(), b""]),
        raw(signed()) + b"\x00",
        raw(signed())[:-1],
        b"\x02",
        b"\x02" + rlp.encode(b"PMv0"),
        raw(signed(data=bytes(600))),
    ],
)
def test_unreadable_transactions(transaction: bytes) -> None:
    with pytest.raises(Unreadable):
        in_block(transaction).read()


def test_the_root_is_that_of_the_calldata() -> None:
    other = in_block(raw(signed(data=ANCHOR_TAG + bytes(32)))).read()
    assert other.root == bytes(32)
    assert other.sender == SENDER


def test_one_fault_in_the_inclusion() -> None:
    good = CAPTURED
    first, last = good.nodes[0], good.nodes[-1]
    faults = {
        "another index": replace(good, index=good.index + 1),
        "an index below": replace(good, index=good.index - 1),
        "index 0": replace(good, index=0),
        "an index below zero": replace(good, index=-1),
        "an index too large": replace(good, index=1_000_001),
        "no nodes": replace(good, nodes=()),
        "the first node dropped": replace(good, nodes=good.nodes[1:]),
        "the last node dropped": replace(good, nodes=good.nodes[:-1]),
        "a node dropped": replace(good, nodes=good.nodes[:1] + good.nodes[2:]),
        "a node twice": replace(good, nodes=(*good.nodes, last)),
        "a foreign node": replace(good, nodes=(*good.nodes, b"\xc0")),
        "a foreign node before": replace(good, nodes=(b"\xc0", *good.nodes)),
        "nodes in another order": replace(good, nodes=good.nodes[::-1]),
        "a thousand nodes": replace(good, nodes=good.nodes + (first,) * 1000),
        "a large node": replace(good, nodes=(first + bytes(1024), *good.nodes[1:])),
        "another transaction": replace(good, transaction=raw(signed())),
    }
    for name, fault in faults.items():
        try:
            fault.read()
        except CheckFailed:
            continue
        pytest.fail(f"accepted: {name}")


def test_headers() -> None:
    fields = rlp.decode_list(CAPTURED.header)
    assert len(fields) == 21
    # As before London, and as after some fork to come.
    for count in (15, 21):
        some = [*fields[:count]]
        assert read_header(rlp.encode(some)).number == 1
        assert read_header(rlp.encode([*some, b"\x01", bytes(32)])).number == 1
    wrong: list[list[rlp.Item]] = [
        fields[:14],
        fields + [b""] * 44,
        [bytes(33), *fields[1:]],
        [*fields[:4], b"\x01" * 31, *fields[5:]],
        [*fields[:8], b"\x00\x01", *fields[9:]],
        [*fields[:8], b"\x01" * 9, *fields[9:]],
        [*fields[:11], b"\x00" + b"\x01" * 4, *fields[12:]],
        [*fields[:11], rlp.encode_int(253_402_300_800), *fields[12:]],
        [*fields[:14], b"", *fields[15:]],
        [*fields[:12], [b""], *fields[13:]],
        [*fields, []],
        [*fields[:12], bytes(MAX_HEADER_BYTES), *fields[13:]],
    ]
    for fault in wrong:
        with pytest.raises(Unreadable):
            read_header(rlp.encode(fault))
    for data in (b"", b"\xc0", b"\x80", CAPTURED.header + b"\0", CAPTURED.header[:-1]):
        with pytest.raises(Unreadable):
            read_header(data)


def test_a_changed_header_is_another_block() -> None:
    dice = random.Random(5)
    for _ in range(600):
        found = flipped(CAPTURED.header, dice)
        try:
            other = replace(CAPTURED, header=found).read()
        except (CheckFailed, Unreadable):
            continue
        assert other.block_hash != CAPTURED.read().block_hash


def flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def cut_or_padded(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[at + 1 :] if dice.random() < 0.5 else data[:at] + b"\0" + data[at:]


def test_mutations_are_refused() -> None:
    dice = random.Random(3)
    trusted = CAPTURED.read().block_hash
    for _ in range(4000):
        change = dice.choice([flipped, flipped, cut_or_padded])
        what = dice.randrange(4)
        if what == 0:
            fault = replace(CAPTURED, transaction=change(CAPTURED.transaction, dice))
        elif what == 1:
            nodes = list(CAPTURED.nodes)
            at = dice.randrange(len(nodes))
            nodes[at] = change(nodes[at], dice)
            fault = replace(CAPTURED, nodes=tuple(nodes))
        elif what == 2:
            fault = replace(CAPTURED, header=change(CAPTURED.header, dice))
        else:
            index = dice.choice([n for n in range(300) if n != CAPTURED.index])
            fault = replace(CAPTURED, index=index)
        try:
            accepted = fault.read()
        except (CheckFailed, Unreadable):
            continue
        # A field of the header that nothing reads: then it is not the block that is trusted.
        assert what == 2
        assert accepted.block_hash != trusted


def test_recovery_agrees_with_eth_account() -> None:
    dice = random.Random(11)
    for _ in range(40):
        key = dice.randbytes(32)
        account = Account.from_key(key)
        fields = {
            "type": 2, "chainId": dice.randrange(1, 1 << 53), "nonce": dice.randrange(1 << 20),
            "to": account.address, "value": dice.randrange(1 << 90), "gas": 30_000,
            "data": dice.randbytes(dice.randrange(60)), "maxFeePerGas": dice.randrange(1 << 60),
            "maxPriorityFeePerGas": dice.randrange(1 << 40),
        }  # fmt: skip
        made = account.sign_transaction(fields)
        found = read_transaction(bytes(made.raw_transaction))
        assert found.sender == bytes.fromhex(account.address[2:])
        assert found.hash == bytes(made.hash)
        assert found.chain_id == fields["chainId"]
        assert found.nonce == fields["nonce"]
        assert found.value_wei == fields["value"]
        assert found.data == fields["data"]
        assert found.max_fee_wei == fields["maxFeePerGas"]
        assert found.max_priority_fee_wei == fields["maxPriorityFeePerGas"]
        assert found.gas_limit == 30_000


@pytest.mark.parametrize("size", [1, 2, 3, 128, 129, 257])
def test_tries_agree_with_the_judge(size: int) -> None:
    trie = HexaryTrie({})
    values = [bytes([index % 256]) * (1 + index % 90) for index in range(size)]
    for index, value in enumerate(values):
        trie[transaction_key(index)] = value
    for index in {0, 1 % size, size // 2, 127 % size, 128 % size, size - 1}:
        key = transaction_key(index)
        proof = trie.get_proof(key)
        # The judge lists nodes inside others too; ours are those that a hash refers to.
        nodes = [one for at, one in enumerate(map(rlp.encode, proof)) if at == 0 or len(one) >= 32]
        assert HexaryTrie.get_from_proof(trie.root_hash, key, proof) == values[index]
        assert trie_value(trie.root_hash, key, nodes) == values[index]


def test_an_absent_key_proves_nothing() -> None:
    trie = HexaryTrie({})
    for index in range(200):
        trie[transaction_key(index)] = bytes([index]) * 40
    key = transaction_key(200)
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    with pytest.raises(CheckFailed):
        trie_value(trie.root_hash, key, nodes)
    with pytest.raises(Unreadable):
        trie_value(BLANK_NODE_HASH, key, [b"\x80"])


def _node(*items: rlp.Item) -> bytes:
    return rlp.encode(list(items))


@pytest.mark.parametrize(
    "node",
    [
        _node(b"\x20\x80"),
        _node(b"", b"value"),
        _node([], b"value"),
        _node(b"\x40\x80", b"value"),
        _node(b"\x21\x80", b"value"),
        _node(b"\x00", bytes(32)),
        _node(b"\x00\x80", b"\x01" * 31),
        _node(b"\x00\x80", [b"\x20", b"\x01" * 31]),
        _node(*[b""] * 16),
        _node(*[b""] * 18),
    ],
)
def test_not_trie_nodes(node: bytes) -> None:
    with pytest.raises((Unreadable, CheckFailed)):
        trie_value(keccak256(node), b"\x80", [node])


def test_a_leaf_alone_is_a_trie() -> None:
    node = _node(b"\x20\x80", b"value")
    assert trie_value(keccak256(node), b"\x80", [node]) == b"value"
    for key in (b"\x01", b"\x80\x80", b""):
        with pytest.raises(CheckFailed):
            trie_value(keccak256(node), key, [node])
    with pytest.raises(CheckFailed):
        trie_value(keccak256(_node(b"\x20\x80", b"")), b"\x80", [_node(b"\x20\x80", b"")])

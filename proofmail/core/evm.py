"""What an EVM anchor says, read from its bytes alone (SPEC anchors).

An anchor is a signed transaction, its inclusion proof, and the header of its block. Nothing here
knows whether that block is part of any chain: the block hash has to be compared with trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from coincurve import PublicKey

from proofmail.core import rlp
from proofmail.core.mpt import keccak256, trie_value
from proofmail.errors import CheckFailed, Unreadable

# Legible in an explorer; the last byte is the format's version; it has no zero byte, so that a
# root with a lost or shifted tag is never read as a tagged one.
ANCHOR_TAG = b"PMv0"
ROOT_BYTES = 32
# An anchor is 110 to 180 bytes, whatever its fees.
MAX_TRANSACTION_BYTES = 512
# Public chains: 0.5 to 1 KB; chains run by authorities list their keys in the extra data.
MAX_HEADER_BYTES = 64 << 10
MAX_HEADER_FIELDS = 64
# More than any block holds; keeps trie keys within 4 bytes.
MAX_INDEX = 1_000_000
# A JSON number has to carry it.
MAX_CHAIN_ID = (1 << 53) - 1
# 9999-12-31T23:59:59Z
MAX_TIMESTAMP = 253_402_300_799

_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_TRANSACTION_TYPE = 2
_TRANSACTION_FIELDS = 12
# Header fields by position; the first fifteen are the same since the first block of Ethereum,
# later rules append theirs.
_HEADER_SIZES = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}
_HEADER_NUMBERS = {7: 32, 8: 8, 9: 8, 10: 8, 11: 8}
_HEADER_FIELDS = 15


@dataclass(frozen=True)
class Transaction:
    """A signed EIP-1559 transaction (type 2) with an empty access list. Addresses are 20 bytes;
    `to` is empty for one that creates a contract."""

    chain_id: int
    nonce: int
    max_priority_fee_wei: int
    max_fee_wei: int
    gas_limit: int
    to: bytes
    value_wei: int
    data: bytes
    hash: bytes
    sender: bytes


@dataclass(frozen=True)
class Header:
    """The fields of a block header that count for an anchor. `timestamp` is in Unix seconds."""

    hash: bytes
    parent_hash: bytes
    transactions_root: bytes
    number: int
    timestamp: int


@dataclass(frozen=True)
class AnchoredRoot:
    """What a good anchor says: `sender` put `root` into the block on the chain of this id.
    `block_time` is the block's own word, aware, in UTC."""

    chain_id: int
    sender: bytes
    to: bytes
    root: bytes
    tx_hash: bytes
    block_hash: bytes
    block_number: int
    block_time: datetime


def address_of(public_key: bytes) -> bytes:
    """The 20-byte address of an uncompressed public key (65 bytes)."""
    if len(public_key) != 65:
        raise ValueError("not an uncompressed public key")
    return keccak256(public_key[1:])[12:]


def read_transaction(raw: bytes) -> Transaction:
    """The transaction in its signed bytes, its sender recovered (EIP-2718, EIP-1559, EIP-2).

    CheckFailed for another type, an access list or a signature that gives no sender; Unreadable
    for bytes that are no transaction.
    """
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise Unreadable("transaction: too large for an anchor")
    if raw[:1] != bytes([_TRANSACTION_TYPE]):
        raise CheckFailed("transaction: not of type 2")
    fields = rlp.decode_list(raw[1:])
    if len(fields) != _TRANSACTION_FIELDS:
        raise Unreadable("transaction: not twelve fields")
    to, data, access_list = fields[5], fields[7], fields[8]
    if not isinstance(to, bytes) or len(to) not in (0, 20) or not isinstance(data, bytes):
        raise Unreadable("transaction: a field of the wrong shape")
    if access_list != []:
        raise CheckFailed("transaction: an access list")
    chain_id = rlp.decode_int(fields[0], 32)
    if not 0 < chain_id <= MAX_CHAIN_ID:
        raise CheckFailed("transaction: chain id out of range")
    return Transaction(
        chain_id=chain_id,
        nonce=rlp.decode_int(fields[1], 8),
        max_priority_fee_wei=rlp.decode_int(fields[2], 32),
        max_fee_wei=rlp.decode_int(fields[3], 32),
        gas_limit=rlp.decode_int(fields[4], 8),
        to=to,
        value_wei=rlp.decode_int(fields[6], 32),
        data=data,
        hash=keccak256(raw),
        sender=_sender(fields),
    )


def _sender(fields: list[rlp.Item]) -> bytes:
    """The address whose key signed the fields before the last three (EIP-1559)."""
    parity = rlp.decode_int(fields[9], 1)
    r = rlp.decode_int(fields[10], 32)
    s = rlp.decode_int(fields[11], 32)
    # Above half of the order the negated signature is meant: one of the two is canonical (EIP-2).
    if parity > 1 or not 0 < r < _CURVE_ORDER or not 0 < s <= _CURVE_ORDER // 2:
        raise CheckFailed("transaction: signature out of range")
    signed = bytes([_TRANSACTION_TYPE]) + rlp.encode(fields[:9])
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = PublicKey.from_signature_and_message(signature, keccak256(signed), hasher=None)
    except ValueError as failure:
        raise CheckFailed("transaction: signature gives no sender") from failure
    return address_of(key.format(compressed=False))


def read_header(raw: bytes) -> Header:
    """The block header in its RLP. Fields beyond the fifteenth are allowed: rules that come later
    append theirs, and the hash covers them. Unreadable for anything else."""
    if len(raw) > MAX_HEADER_BYTES:
        raise Unreadable("header: too large")
    fields = rlp.decode_list(raw)
    if not _HEADER_FIELDS <= len(fields) <= MAX_HEADER_FIELDS:
        raise Unreadable("header: too few or too many fields")
    items = [item for item in fields if isinstance(item, bytes)]
    if len(items) != len(fields):
        raise Unreadable("header: a list among its fields")
    if any(len(items[at]) != size for at, size in _HEADER_SIZES.items()):
        raise Unreadable("header: a field of the wrong size")
    numbers = {at: rlp.decode_int(items[at], size) for at, size in _HEADER_NUMBERS.items()}
    if numbers[11] > MAX_TIMESTAMP:
        raise Unreadable("header: its time is not in seconds")
    return Header(
        hash=keccak256(raw),
        parent_hash=items[0],
        transactions_root=items[4],
        number=numbers[8],
        timestamp=numbers[11],
    )


def transaction_key(index: int) -> bytes:
    """The key of the transaction at this place, from 0, in its block's trie."""
    return rlp.encode(rlp.encode_int(index))


def read_evm_anchor(
    transaction: bytes, index: int, nodes: Sequence[bytes], header: bytes
) -> AnchoredRoot:
    """Checks an anchor and returns what it says (SPEC anchors §6, whose order this is).

    The block hash returned is computed from `header`. Whether the chain id, the sender and the
    block deserve trust is for the caller. CheckFailed names the first check that fails; Unreadable
    is raised for bytes that are not what they should be.
    """
    sent = read_transaction(transaction)
    if sent.to != sent.sender:
        raise CheckFailed("anchor: not sent by an address to itself")
    if sent.value_wei != 0:
        raise CheckFailed("anchor: carries value")
    if len(sent.data) != len(ANCHOR_TAG) + ROOT_BYTES or not sent.data.startswith(ANCHOR_TAG):
        raise CheckFailed("anchor: calldata is not tag and root")
    block = read_header(header)
    if not 0 <= index <= MAX_INDEX:
        raise CheckFailed("anchor: index out of range")
    if trie_value(block.transactions_root, transaction_key(index), nodes) != transaction:
        raise CheckFailed("anchor: the block has another transaction at this index")
    return AnchoredRoot(
        chain_id=sent.chain_id,
        sender=sent.sender,
        to=sent.to,
        root=sent.data[len(ANCHOR_TAG) :],
        tx_hash=sent.hash,
        block_hash=block.hash,
        block_number=block.number,
        block_time=datetime.fromtimestamp(block.timestamp, UTC),
    )

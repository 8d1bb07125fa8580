"""Recomputes a block from what a node says of it, so that nothing has to be believed.

A node answers in JSON (the execution API). From it come the header's RLP, whose hash has to be the
block's, and every transaction's bytes, whose trie has to have the root that the header names.
Every disagreement raises Disagrees, whatever its cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coincurve import PublicKey

from proofmail.core import rlp
from proofmail.core.evm import Header, address_of, read_header, transaction_key
from proofmail.core.mpt import keccak256, trie_value
from proofmail.errors import ProofmailError, TryLater
from proofmail.ports import Inclusion

Json = Mapping[str, Any]

_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")

# Fields before the signature, by transaction type (EIP-155, 2930, 1559, 4844, 7702).
_FEES = "maxPriorityFeePerGas maxFeePerGas"
_FIELDS = {
    0: "nonce gasPrice gas to value input",
    1: "chainId nonce gasPrice gas to value input accessList",
    2: f"chainId nonce {_FEES} gas to value input accessList",
    3: f"chainId nonce {_FEES} gas to value input accessList maxFeePerBlobGas blobVersionedHashes",
    4: f"chainId nonce {_FEES} gas to value input accessList authorizationList",
}


class Disagrees(TryLater):
    """What the node says cannot be: ask again, or another node."""

    def __init__(self) -> None:
        super().__init__("the node's answer does not hold")


@dataclass(frozen=True)
class Block:
    """A block whose parts agree. `encoded` is the header's RLP; `transactions` are in order."""

    header: Header
    encoded: bytes
    transactions: tuple[bytes, ...]


def octets(value: object) -> bytes:
    """The bytes that a node writes as 0x and pairs of digits."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise Disagrees
    return bytes.fromhex(value[2:])


def quantity(value: object) -> int:
    """The number that a node writes as 0x and digits."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Disagrees
    return int(value, 16)


def _number(value: object) -> bytes:
    return rlp.encode_int(quantity(value))


# In the header's order. A field is in the header if the block's JSON has it: forks append theirs.
_HEADER: dict[str, Callable[[object], bytes]] = {
    "parentHash": octets,
    "sha3Uncles": octets,
    "miner": octets,
    "stateRoot": octets,
    "transactionsRoot": octets,
    "receiptsRoot": octets,
    "logsBloom": octets,
    "difficulty": _number,
    "number": _number,
    "gasLimit": _number,
    "gasUsed": _number,
    "timestamp": _number,
    "extraData": octets,
    "mixHash": octets,
    "nonce": octets,
    "baseFeePerGas": _number,
    "withdrawalsRoot": octets,
    "blobGasUsed": _number,
    "excessBlobGas": _number,
    "parentBeaconBlockRoot": octets,
    "requestsHash": octets,
    "blockAccessListHash": octets,
    "slotNumber": _number,
}


def header_bytes(block: Json) -> bytes:
    """The header's RLP from a block's JSON. Not judged: its hash tells whether it is complete."""
    return rlp.encode(
        [read(block[name]) for name, read in _HEADER.items() if block.get(name) is not None]
    )


def header_of(encoded: bytes) -> Header:
    """read_header for bytes that a node is answerable for."""
    try:
        return read_header(encoded)
    except ProofmailError:
        raise Disagrees from None


def transaction_bytes(transaction: Json) -> bytes | None:
    """A transaction's signed bytes from its JSON, for the types 0 to 4; None for others."""
    kind = quantity(transaction.get("type", "0x0"))
    if kind not in _FIELDS:
        return None
    fields = [_field(name, transaction.get(name)) for name in _FIELDS[kind].split()]
    parity = transaction.get("v")
    if kind and transaction.get("yParity") is not None:
        parity = transaction["yParity"]
    fields += [_number(n) for n in (parity, transaction.get("r"), transaction.get("s"))]
    return (bytes([kind]) if kind else b"") + rlp.encode(fields)


def sender_and_nonce(raw: bytes) -> tuple[bytes, int] | None:
    """Whose transaction these signed bytes are, and its nonce, for the types 0 to 4; None for any
    other type, and for a signature that gives nobody. EIP-155: with a chain id, a legacy
    transaction's signature covers that and two noughts, too."""
    kind = raw[0] if raw and raw[0] < 0x80 else 0
    if kind not in _FIELDS:
        return None
    try:
        fields = rlp.decode_list(raw[1:] if kind else raw)
        if len(fields) != len(_FIELDS[kind].split()) + 3:
            return None
        signed, parity = fields[:-3], rlp.decode_int(fields[-3], 8)
        if not kind and parity >= 35:
            chain_id, parity = divmod(parity - 35, 2)
            signed = [*signed, rlp.encode_int(chain_id), b"", b""]
        elif not kind:
            parity -= 27
        if parity not in (0, 1):
            return None
        digest = keccak256((bytes([kind]) if kind else b"") + rlp.encode(signed))
        numbers = [rlp.decode_int(field, 32).to_bytes(32, "big") for field in fields[-2:]]
        signature = b"".join(numbers) + bytes([parity])
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
        return address_of(key.format(compressed=False)), rlp.decode_int(fields[1 if kind else 0], 8)
    except (ProofmailError, ValueError):
        return None


def _field(name: str, value: Any) -> rlp.Item:
    if name == "to":
        return b"" if value is None else octets(value)
    if name == "input":
        return octets(value)
    if name == "accessList":
        return [
            [octets(_of(entry, "address")), [octets(k) for k in _list(_of(entry, "storageKeys"))]]
            for entry in _list(value)
        ]
    if name == "blobVersionedHashes":
        return [octets(one) for one in _list(value)]
    if name == "authorizationList":
        return [_authorization(one) for one in _list(value)]
    return _number(value)


def _authorization(value: object) -> rlp.Item:
    return [
        _number(_of(value, "chainId")),
        octets(_of(value, "address")),
        *(_number(_of(value, name)) for name in ("nonce", "yParity", "r", "s")),
    ]


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Disagrees
    return value


def _of(value: object, name: str) -> Any:
    if not isinstance(value, dict):
        raise Disagrees
    return value.get(name)


def all_transactions(block: Json, fetch: Callable[[bytes], bytes]) -> list[bytes]:
    """The bytes of every transaction of a block given with its transactions in full. `fetch`
    gets the bytes of one by its hash, and is asked for those alone whose bytes cannot be made."""
    found = []
    for transaction in _list(block.get("transactions")):
        name = octets(_of(transaction, "hash"))
        raw = transaction_bytes(transaction)
        if raw is None or keccak256(raw) != name:
            raw = fetch(name)
            if keccak256(raw) != name:
                raise Disagrees
        found.append(raw)
    return found


def transactions_trie(transactions: Sequence[bytes]) -> Any:
    """The trie of a block's transactions, in memory (trie.HexaryTrie)."""
    from trie.hexary import (
        HexaryTrie,
    )  # a third of a second: not for those who only ask for a balance

    built = HexaryTrie({})
    for index, raw in enumerate(transactions):
        built[transaction_key(index)] = raw
    return built


def inclusion(block: Block, transaction_hash: bytes) -> Inclusion | None:
    """Where the block has the transaction, proven and the proof checked; None if it has not."""
    hashes = [keccak256(raw) for raw in block.transactions]
    if transaction_hash not in hashes:
        return None
    index = hashes.index(transaction_hash)
    trie = transactions_trie(block.transactions)
    if trie.root_hash != block.header.transactions_root:
        raise Disagrees
    key = transaction_key(index)
    nodes = tuple(rlp.encode(node) for node in trie.get_proof(key))
    if trie_value(block.header.transactions_root, key, nodes) != block.transactions[index]:
        raise Disagrees
    return Inclusion(
        block_hash=block.header.hash,
        block_number=block.header.number,
        header=block.encoded,
        index=index,
        nodes=nodes,
    )

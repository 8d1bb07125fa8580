"""A chain in memory that speaks JSON-RPC, with a pool, empty blocks and finality some blocks deep.

It enforces what a real node does of that: nonces in order, fees above the base fee, no second
transaction with a nonce in one chain. Headers and tries are real, so the client can recompute them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from web3.providers import BaseProvider

from anchoring.evm_block import header_bytes, transactions_trie
from proofmail.core import rlp
from proofmail.core.evm import Transaction, read_transaction
from proofmail.core.mpt import keccak256
from tests.reliability.hook import GARBAGE, REFUSED, Hook

BASE_FEE_WEI = 10**9
FINAL_DEPTH = 2
RICH_WEI = 10**21


class RpcError(Exception):
    """The node's error object."""


@dataclass
class Node:
    """`now` is the time that the whole chain goes by, whatever any host's clock says."""

    chain_id: int
    now: Callable[[], datetime]
    blocks: list[dict[str, Any]] = field(default_factory=list)
    raws: list[list[bytes]] = field(default_factory=list)
    pool: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mine()

    def mine(self) -> None:
        """One block more, with all of the pool that fits on."""
        taken: list[bytes] = []
        while (nonce := self.count() + len(taken)) in self.pool:
            taken.append(self.pool.pop(nonce))
        block = self._block(len(self.blocks), taken)
        self.blocks.append(block)
        self.raws.append(taken)

    def count(self, height: int | None = None) -> int:
        return sum(len(raws) for raws in self.raws[: None if height is None else height + 1])

    def mined(self) -> list[bytes]:
        return [raw for raws in self.raws for raw in raws]

    def finalized(self) -> int:
        return max(0, len(self.blocks) - 1 - FINAL_DEPTH)

    def _block(self, number: int, raws: list[bytes]) -> dict[str, Any]:
        parent = self.blocks[-1] if self.blocks else None
        least = int(parent["timestamp"], 16) + 1 if parent else 0
        block: dict[str, Any] = {
            "parentHash": parent["hash"] if parent else _hex(bytes(32)),
            "sha3Uncles": _hex(bytes(32)), "miner": _hex(bytes(20)), "stateRoot": _hex(bytes(32)),
            "transactionsRoot": _hex(transactions_trie(raws).root_hash),
            "receiptsRoot": _hex(bytes(32)), "logsBloom": _hex(bytes(256)), "difficulty": "0x0",
            "number": hex(number), "gasLimit": hex(30_000_000), "gasUsed": hex(21_000 * len(raws)),
            "timestamp": hex(max(least, int(self.now().timestamp()))), "extraData": "0x",
            "mixHash": _hex(bytes(32)), "nonce": _hex(bytes(8)), "baseFeePerGas": hex(BASE_FEE_WEI),
        }  # fmt: skip
        block["hash"] = _hex(keccak256(header_bytes(block)))
        block["transactions"] = [_transaction(raw, block["hash"]) for raw in raws]
        return block

    def answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return hex(self.chain_id)
        if method == "eth_maxPriorityFeePerGas":
            return hex(10**8)
        if method == "eth_getBalance":
            return hex(RICH_WEI)
        if method == "eth_getTransactionCount":
            return hex(self.count(None if params[1] == "latest" else int(params[1], 16)))
        if method == "eth_getBlockByHash":
            return next((block for block in self.blocks if block["hash"] == params[0]), None)
        if method == "eth_getBlockByNumber":
            return self._by_number(params[0])
        if method == "eth_getTransactionByHash":
            return self._by_hash(params[0])
        if method == "eth_sendRawTransaction":
            return self._send(bytes.fromhex(params[0][2:]))
        raise RpcError("method not found")

    def _by_number(self, which: str) -> Any:
        if which == "pending":
            return {"timestamp": hex(int(self.now().timestamp()))}
        if which in ("latest", "finalized"):
            return self.blocks[-1 if which == "latest" else self.finalized()]
        number = int(which, 16)
        return self.blocks[number] if number < len(self.blocks) else None

    def _by_hash(self, name: str) -> Any:
        for block in self.blocks:
            for sent in block["transactions"]:
                if sent["hash"] == name:
                    return sent
        for raw in self.pool.values():
            if _hex(keccak256(raw)) == name:
                return _transaction(raw, None)
        return None

    def _send(self, raw: bytes) -> str:
        sent = read_transaction(raw)
        if raw in self.pool.values() or raw in self.mined():
            raise RpcError("already known")
        if sent.nonce < self.count():
            raise RpcError("nonce too low")
        if sent.chain_id != self.chain_id:
            raise RpcError("invalid chain id")
        if sent.max_fee_wei < BASE_FEE_WEI:
            raise RpcError("max fee per gas less than block base fee")
        waiting = self.pool.get(sent.nonce)
        if waiting is not None and not _dearer(sent, read_transaction(waiting)):
            raise RpcError("replacement transaction underpriced")
        self.pool[sent.nonce] = raw
        return _hex(sent.hash)


class Line(BaseProvider):
    """The way to a node, and every fault of it. A block's tag is part of the call's name."""

    def __init__(self, node: Node, hook: Hook) -> None:
        super().__init__()
        self._node, self._hook = node, hook

    def make_request(self, method: Any, params: Any) -> Any:
        def apply() -> dict[str, Any]:
            try:
                return {"jsonrpc": "2.0", "id": 1, "result": self._node.answer(method, params)}
            except RpcError as error:
                return _error(str(error))

        def spoil(kind: str, answer: dict[str, Any]) -> dict[str, Any]:
            if kind == GARBAGE:
                return {"jsonrpc": "2.0", "id": 1, "result": "0xnonsense"}
            return {"jsonrpc": "2.0", "id": 1, "result": self._other(method, answer)}

        call = f"rpc {method}"
        if method == "eth_getBlockByNumber":
            call += f" {params[0] if params[0].isalpha() else 'N'}"
        try:
            return self._hook.through(call, apply, _fail, spoil)
        except _RefusedByNode:
            return _error("internal error: try again")

    def _other(self, method: str, answer: dict[str, Any]) -> Any:
        """A good answer to another question."""
        if method == "eth_chainId":
            return hex(self._node.chain_id + 1)
        if method == "eth_getTransactionCount":
            return hex(max(0, int(answer["result"], 16) - 1))
        if method == "eth_getBalance":
            return "0x0"
        if method == "eth_maxPriorityFeePerGas":
            return hex(10**30)
        if method == "eth_sendRawTransaction":
            return _hex(bytes(32))
        if method == "eth_getTransactionByHash":
            return None
        return self._node.blocks[0]


class _RefusedByNode(Exception):
    pass


def _fail(kind: str) -> Exception:
    return _RefusedByNode() if kind == REFUSED else ConnectionError("the line is broken")


def _error(words: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": words}}


def _dearer(new: Transaction, old: Transaction) -> bool:
    return (
        new.max_fee_wei * 10 >= old.max_fee_wei * 11
        and new.max_priority_fee_wei * 10 >= old.max_priority_fee_wei * 11
    )


def _transaction(raw: bytes, block_hash: str | None) -> dict[str, Any]:
    fields = rlp.decode_list(raw[1:])
    names = ["chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas"]
    numbers = {name: hex(rlp.decode_int(fields[n], 32)) for n, name in enumerate(names)}  # type: ignore[arg-type]
    signature = {name: hex(rlp.decode_int(fields[n], 32)) for n, name in enumerate("vrs", 9)}  # type: ignore[arg-type]
    return {
        "type": "0x2", "hash": _hex(keccak256(raw)), "blockHash": block_hash, "accessList": [],
        "to": _hex(fields[5]), "value": "0x0", "input": _hex(fields[7]),  # type: ignore[arg-type]
        **numbers, **signature,
    }  # fmt: skip


def _hex(data: bytes) -> str:
    return "0x" + data.hex()

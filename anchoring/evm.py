"""An EVM chain through a node's JSON-RPC, carried by web3 (ports.Ledger).

The node is not trusted: what it says of blocks is recomputed (evm_block) before it is passed on.
That it shows the chain that others see cannot be known from one node; verifiers compare the block
hash with their own trust. Answers about fees, nonces and balances are taken as they are: a lie
there costs at most the operator's fee ceiling, or time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from anchoring.evm_block import (
    Block,
    Disagrees,
    all_transactions,
    header_bytes,
    header_of,
    inclusion,
    octets,
    quantity,
    sender_and_nonce,
    transactions_trie,
)
from anchoring.recursion import usual_recursion
from proofmail.core.evm import MAX_TIMESTAMP, Header
from proofmail.core.mpt import keccak256
from proofmail.errors import Misconfigured, Refused, TryLater
from proofmail.ports import Fees, Head, Inclusion, SpentNonce
from proofmail.store.gas import base_fee_wei

if TYPE_CHECKING:
    from web3.providers import BaseProvider

DEFAULT_TIMEOUT_SECONDS = 10.0
# For nodes that do not name a tip.
DEFAULT_PRIORITY_FEE_WEI = 10**9
# How far check_supported goes back for a block that has transactions.
_LOOK_BACK_BLOCKS = 16

# Words of geth, reth, erigon, Nethermind, Besu and anvil, letters alone in lower case.
_KNOWN = ("alreadyknown", "alreadyimported", "knowntransaction", "alreadyexists", "inmempool")
_CONSUMED = ("noncetoolow", "nonceistoolow", "oldnonce", "belowsenderaccountnonce")
_UNDERPRICED = (
    "underpriced",
    "lessthanblockbasefee",
    "feetoolow",
    "gaspriceistoolow",
    "belowconfiguredminimum",
    "couldnotreplace",
    "samenonce",
)
_UNFUNDED = ("insufficientfunds", "upfrontcostexceeds", "insufficientbalance")
_WRONG_CHAIN = ("invalidchainid", "chainidmismatch", "wrongchain", "incorrectchainid")
_GAS = ("intrinsicgas", "floordatagas", "exceedsblockgaslimit", "gaslimittoo", "gastoolow")


class _RpcError(Exception):
    """The node's error object: its words reduced to small letters, for comparing only."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self.letters = re.sub("[^a-z]", "", message.lower())

    def says(self, words: tuple[str, ...]) -> bool:
        return any(word in self.letters for word in words)


class EvmLedger:
    """One chain through one node. Nothing is asked before the first call; then the chain id is
    compared with `expected_chain_id`, if given: Misconfigured if it is another."""

    def __init__(self, provider: BaseProvider, expected_chain_id: int | None = None) -> None:
        self._provider = provider
        self._expected_chain_id = expected_chain_id
        self._manager: Any = None
        self._chain_id: int | None = None

    def chain_id(self) -> int:
        found = quantity(self._ask_unchecked("eth_chainId"))
        if self._expected_chain_id not in (None, found):
            raise Misconfigured("the node serves another chain id than the one configured")
        if self._chain_id not in (None, found):
            self._chain_id = None  # so that the next call asks again
            raise Misconfigured("the node serves another chain id than it did before")
        self._chain_id = found
        return found

    def head(self) -> Head:
        """A chain that makes no empty blocks shows its time only in the block being made."""
        header = self.newest_header()
        newest = header.timestamp
        try:
            pending = self._call("eth_getBlockByNumber", "pending", False)
            if isinstance(pending, dict):
                newest = max(newest, quantity(pending.get("timestamp")))
        except (_RpcError, Disagrees):
            pass  # not every node makes one
        return Head(header.number, datetime.fromtimestamp(min(newest, MAX_TIMESTAMP), UTC))

    def newest_header(self) -> Header:
        return self._header(self._newest(full=False))[0]

    def next_nonce(self, sender: bytes) -> int:
        return quantity(self._ask("eth_getTransactionCount", _hex(sender), "latest"))

    def final_transaction(self, sender: bytes, nonce: int) -> SpentNonce | None:
        """Bisects for the block in which the address's count passes the nonce, and finds the
        transaction in its bytes: the counts are the node's word, what is returned is not. Nodes
        forget the states of old blocks (128 of them are usual); an error there reads as `earlier`.
        """
        high = self.finalized_number()
        if quantity(self._ask("eth_getTransactionCount", _hex(sender), hex(high))) <= nonce:
            return None
        low = -1
        while high - low > 1:
            middle = (low + high) // 2
            if self._count_at(sender, middle) > nonce:
                high = middle
            else:
                low = middle
        block = self._block(_dictionary(self._ask("eth_getBlockByNumber", hex(high), True)))
        for raw in block.transactions:
            if sender_and_nonce(raw) == (sender, nonce):
                place = inclusion(block, keccak256(raw))
                return None if place is None else SpentNonce(raw, place)
        raise TryLater(
            "the node cannot show any more what a nonce was used for: name one with older states"
        )

    def _count_at(self, sender: bytes, number: int) -> int:
        try:
            return quantity(self._call("eth_getTransactionCount", _hex(sender), hex(number)))
        except _RpcError:
            return 0

    def balance_wei(self, sender: bytes) -> int:
        return quantity(self._ask("eth_getBalance", _hex(sender), "latest"))

    def fees(self) -> Fees:
        """The base fee of the newest block, and the tip that the node advises."""
        _, encoded = self._header(self._newest(full=False))
        base_fee = base_fee_wei(encoded)
        if base_fee is None:
            raise Misconfigured("this chain has no base fee: it takes no transactions of type 2")
        try:
            tip = quantity(self._call("eth_maxPriorityFeePerGas"))
        except _RpcError:
            tip = DEFAULT_PRIORITY_FEE_WEI
        return Fees(base_fee, tip)

    def broadcast(self, raw_transaction: bytes) -> None:
        name = keccak256(raw_transaction)
        try:
            answer = self._call("eth_sendRawTransaction", _hex(raw_transaction))
        except _RpcError as error:
            self._judge_refusal(error, name)
            return
        if octets(answer) != name:
            raise Disagrees

    def locate(self, transaction_hash: bytes) -> Inclusion | None:
        found = self._ask("eth_getTransactionByHash", _hex(transaction_hash))
        if found is None:
            return None
        if not isinstance(found, dict):
            raise Disagrees
        if found.get("blockHash") is None:
            return None
        name = octets(found["blockHash"])
        block = self._block(_dictionary(self._ask("eth_getBlockByHash", _hex(name), True)))
        if block.header.hash != name or self.block_hash(block.header.number) != name:
            raise Disagrees
        place = inclusion(block, transaction_hash)
        if place is None:
            raise Disagrees
        return place

    def finalized_number(self) -> int:
        block = self._ask("eth_getBlockByNumber", "finalized", False)
        if block is None:
            raise TryLater("the node knows no finalized block yet")
        return self._header(_dictionary(block))[0].number

    def block_hash(self, number: int) -> bytes | None:
        block = self._ask("eth_getBlockByNumber", hex(number), False)
        if block is None:
            return None
        header, _ = self._header(_dictionary(block))
        if header.number != number:
            raise Disagrees
        return header.hash

    def newest_block(self) -> Block:
        """The newest block, or the newest of the last few that has transactions: recomputed."""
        block = head = self._newest(full=True)
        for back in range(1, _LOOK_BACK_BLOCKS):
            number = quantity(head.get("number")) - back
            if block.get("transactions") or number < 0:
                break
            block = _dictionary(self._ask("eth_getBlockByNumber", hex(number), True))
        if not block.get("transactions"):
            block = head
        return self._block(block)

    def _newest(self, *, full: bool) -> dict[str, Any]:
        return _dictionary(self._ask("eth_getBlockByNumber", "latest", full))

    def _block(self, block: dict[str, Any]) -> Block:
        """A block, given with its transactions in full, once everything in it agrees."""
        header, encoded = self._header(block)
        transactions = tuple(all_transactions(block, self._raw_transaction))
        if transactions_trie(transactions).root_hash != header.transactions_root:
            raise Disagrees
        return Block(header, encoded, transactions)

    def _header(self, block: dict[str, Any]) -> tuple[Header, bytes]:
        """The header and its RLP, whose hash is the block's."""
        name = octets(block.get("hash"))
        encoded = header_bytes(block)
        if keccak256(encoded) != name:
            # A fork newer than this file, or a chain with fields of its own: geth, reth, erigon
            # and Nethermind can give the bytes themselves. A block tag would be a race.
            try:
                encoded = octets(self._call("debug_getRawHeader", _hex(name)))
            except _RpcError:
                raise Disagrees from None
        if keccak256(encoded) != name:
            raise Disagrees
        header = header_of(encoded)
        if header.number != quantity(block.get("number")):
            raise Disagrees
        return header, encoded

    def _raw_transaction(self, name: bytes) -> bytes:
        return octets(self._ask("eth_getRawTransactionByHash", _hex(name)))

    def _judge_refusal(self, error: _RpcError, name: bytes) -> None:
        """Returns if the node has the transaction already; else raises what the caller does."""
        if error.says(_KNOWN):
            return
        if error.says(_CONSUMED):
            # Said also of the transaction that consumed the nonce itself.
            if self._ask("eth_getTransactionByHash", _hex(name)) is not None:
                return
            raise Refused("the chain has another transaction with this nonce")
        if error.says(_UNDERPRICED):
            raise Refused("the chain asks for a higher fee")
        if error.says(_UNFUNDED):
            raise Misconfigured("the anchor sender's account cannot pay: fund it")
        if error.says(_WRONG_CHAIN):
            raise Misconfigured("the transaction is signed for another chain than the node's")
        if error.says(_GAS):
            raise Misconfigured("the chain asks more gas than an anchor is signed with")
        raise TryLater("the node did not take the transaction")

    def _ask(self, method: str, *params: object) -> Any:
        try:
            return self._call(method, *params)
        except _RpcError:
            raise TryLater("the node answers with an error") from None

    def _ask_unchecked(self, method: str) -> Any:
        try:
            return self._send(method, ())
        except _RpcError:
            raise TryLater("the node answers with an error") from None

    def _call(self, method: str, *params: object) -> Any:
        if self._chain_id is None:
            self.chain_id()
        return self._send(method, params)

    def _send(self, method: str, params: tuple[object, ...]) -> Any:
        """One request, without web3's middleware: its formatters would refuse chains with more
        extra data than Ethereum's, and hide fields they do not know."""
        with usual_recursion():
            from web3 import Web3  # over a second: only for those who talk to a node
            from web3.exceptions import Web3RPCError

        if self._manager is None:
            self._manager = Web3(self._provider, middleware=[]).manager
        try:
            return self._manager.request_blocking(method, list(params))
        except Web3RPCError as failure:
            raise _RpcError(_message(failure.rpc_response)) from None
        except (TryLater, Misconfigured):
            raise
        except Exception:
            # web3's own have texts that quote the answer: nothing of them is passed on.
            raise TryLater("the node cannot be reached or does not answer") from None


def http_ledger(
    url: str,
    *,
    expected_chain_id: int | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> EvmLedger:
    """A ledger over HTTP. The time limit holds for each request as a whole."""
    with usual_recursion():
        from anchoring.evm_http import NodeOverHttp

    return EvmLedger(NodeOverHttp(url, timeout_seconds), expected_chain_id)


def check_supported(ledger: EvmLedger) -> None:
    """Proves on the newest block that this chain's anchors will be provable: its header hash and
    transactions root can be recomputed, it has a base fee, and it names a finalized block.
    Misconfigured says what is missing; TryLater if the node cannot be asked."""
    try:
        ledger.newest_block()
    except Disagrees:
        raise Misconfigured(
            "this chain is not supported: block hash and transactions root cannot be recomputed "
            "from what the node gives"
        ) from None
    ledger.fees()
    ledger.finalized_number()


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _dictionary(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Disagrees
    return value


def _message(response: object) -> str:
    """The text in a JSON-RPC error, bounded; empty when there is none."""
    error = response.get("error") if isinstance(response, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    return text[:1000] if isinstance(text, str) else ""

"""The ledger client: against a node that lies (the captured block, altered), and against anvil."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_account import Account
from web3.providers import BaseProvider

from anchoring.evm import EvmLedger, check_supported, http_ledger
from anchoring.evm_block import Disagrees, transaction_bytes
from anchoring.evm_signing import (
    Price,
    anchor_sender,
    gas_limit,
    price,
    replacement_price,
    sign_anchor,
)
from proofmail.core import rlp
from proofmail.core.evm import ANCHOR_TAG, read_evm_anchor, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.errors import Misconfigured, Refused, TryLater
from proofmail.ports import Fees, Inclusion, Ledger
from proofmail.store.gas import anchor_gas
from tests.anchoring.anvil import CHAIN_ID, KEY, Anvil, anvil
from tests.vectors.evm.capture import fill_block

VECTOR = json.loads(
    (Path(__file__).parent.parent / "vectors" / "evm" / "anvil.json").read_text(encoding="utf-8")
)
OURS = bytes.fromhex(VECTOR["transaction"])
GWEI = 10**9
SENDER = anchor_sender(KEY)
ROOT = bytes(range(32))


class Node(BaseProvider):
    """A node that has the captured block alone; `answers` replaces what a method says, by a value
    or by a function of the parameters; an exception in its place is raised."""

    def __init__(self, block: dict[str, Any] | None = None, **answers: Any) -> None:
        super().__init__()
        self.block = copy.deepcopy(VECTOR["block"]) if block is None else block
        self.answers = answers
        self.asked: list[str] = []

    def make_request(self, method: Any, params: Any) -> Any:
        self.asked.append(method)
        answer = self.answers[method] if method in self.answers else self.usual(method, params)
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict) and "error" in answer:
            return {"jsonrpc": "2.0", "id": 1, **answer}
        return {"jsonrpc": "2.0", "id": 1, "result": copy.deepcopy(answer)}

    def usual(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return hex(CHAIN_ID)
        if method == "eth_getTransactionByHash":
            found = [one for one in self.block["transactions"] if one["hash"] == params[0]]
            return found[0] if found else None
        if method == "eth_getBlockByHash":
            return self.block if params[0] == self.block["hash"] else None
        if method == "eth_getBlockByNumber":
            return self.block if params[0] in ("latest", "finalized", "0x1") else None
        return error("method not found")


def error(message: object) -> dict[str, Any]:
    return {"error": {"code": -32000, "message": message}}


def block_with(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    block: dict[str, Any] = copy.deepcopy(VECTOR["block"])
    change(block)
    return block


def test_it_is_a_ledger() -> None:
    ledger: Ledger = EvmLedger(Node())
    assert ledger.chain_id() == CHAIN_ID


def test_nothing_is_asked_by_the_constructor() -> None:
    node = Node()
    EvmLedger(node, expected_chain_id=1)
    assert node.asked == []


def test_locates_in_the_captured_block() -> None:
    node = Node()
    place = EvmLedger(node).locate(keccak256(OURS))
    assert place is not None
    assert place.index == VECTOR["index"]
    assert place.header.hex() == VECTOR["header"]
    assert [one.hex() for one in place.nodes] == VECTOR["nodes"]
    assert read_evm_anchor(OURS, place.index, place.nodes, place.header).block_number == 1
    # Types 0, 1, 2 and 4 were made from the JSON: no request for each transaction.
    assert "eth_getRawTransactionByHash" not in node.asked


def test_unknown_and_pending_transactions_are_nowhere() -> None:
    assert EvmLedger(Node()).locate(bytes(32)) is None
    pending = Node(eth_getTransactionByHash={"blockHash": None, "hash": "0x" + "11" * 32})
    assert EvmLedger(pending).locate(bytes(32)) is None


def flip(field: str) -> Callable[[dict[str, Any]], None]:
    def change(block: dict[str, Any]) -> None:
        value = block[field]
        block[field] = value[:-1] + ("1" if value[-1] == "0" else "0")

    return change


def without(field: str) -> Callable[[dict[str, Any]], object]:
    return lambda block: block.pop(field)


def flip_transaction(index: int, field: str) -> Callable[[dict[str, Any]], None]:
    return lambda block: flip(field)(block["transactions"][index])


HEADER_FIELDS = [
    name
    for name in VECTOR["block"]
    if name not in ("size", "totalDifficulty", "transactions", "uncles", "withdrawals", "hash")
]

Lies = dict[str, Callable[[dict[str, Any]], Any]]

FLIPPED: Lies = {f"header: {name}": flip(name) for name in HEADER_FIELDS}
LEFT_OUT: Lies = {f"header without {name}": without(name) for name in HEADER_FIELDS}
ALTERED: Lies = {
    f"transaction {index}: {field}": flip_transaction(index, field)
    for index in (0, 1, 2, 3, 4, VECTOR["index"])
    for field in ("nonce", "value", "gas", "r", "s")
}
LIES: Lies = {
    **FLIPPED,
    **LEFT_OUT,
    **ALTERED,
    "a transaction dropped": lambda block: block["transactions"].pop(7),
    "the last transaction dropped": lambda block: block["transactions"].pop(),
    "a transaction replaced": lambda block: block["transactions"].__setitem__(
        7, block["transactions"][8]
    ),
    "a transaction twice": lambda block: block["transactions"].append(block["transactions"][0]),
    "transactions in another order": lambda block: block["transactions"].reverse(),
    "no transactions": lambda block: block.update(transactions=None),
    "transactions by hash": lambda block: block.update(
        transactions=[one["hash"] for one in block["transactions"]]
    ),
    "a transaction's hash": flip_transaction(9, "hash"),
    "an authorization": lambda block: flip("address")(
        block["transactions"][4]["authorizationList"][0]
    ),
    "an access list": lambda block: flip("address")(block["transactions"][1]["accessList"][0]),
    "not a number": lambda block: block.update(gasUsed="many"),
    "a number as a number": lambda block: block.update(gasUsed=7),
    "a list as a header field": lambda block: block.update(extraData=[]),
    "a transaction that is a number": lambda block: block["transactions"].append(3),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_node_is_not_believed(lie: str) -> None:
    node = Node(block_with(LIES[lie]))
    # It says of ours that it is in the block, whatever it does to the block.
    node.answers["eth_getTransactionByHash"] = VECTOR["block"]["transactions"][VECTOR["index"]]
    with pytest.raises(TryLater, match=r"^the node('s answer does not hold| answers with)"):
        EvmLedger(node).locate(keccak256(OURS))


def test_a_block_off_the_canonical_chain_is_not_believed() -> None:
    node = Node(eth_getBlockByNumber=None)
    with pytest.raises(Disagrees):
        EvmLedger(node).locate(keccak256(OURS))


def test_another_blocks_transaction_is_not_believed() -> None:
    node = Node(eth_getTransactionByHash=VECTOR["block"]["transactions"][3])
    with pytest.raises(Disagrees):
        EvmLedger(node).locate(bytes(32))


def test_a_block_of_another_height_is_not_believed() -> None:
    node = Node(eth_getBlockByNumber=VECTOR["block"])
    with pytest.raises(Disagrees):
        EvmLedger(node).block_hash(2)
    assert EvmLedger(node).block_hash(1) == bytes.fromhex(VECTOR["block"]["hash"][2:])


def test_unknown_types_are_fetched_and_their_hash_is_checked() -> None:
    def raw_of(params: list[str]) -> str:
        for one in VECTOR["block"]["transactions"]:
            if one["hash"] == params[0]:
                made = transaction_bytes(one)
                assert made is not None
                return "0x" + made.hex()
        raise AssertionError

    strange = block_with(lambda block: block["transactions"][5].update(type="0x7e"))
    node = Node(strange, eth_getRawTransactionByHash=raw_of)
    assert EvmLedger(node).locate(keccak256(OURS)) is not None
    assert node.asked.count("eth_getRawTransactionByHash") == 1
    with pytest.raises(Disagrees):
        EvmLedger(Node(strange, eth_getRawTransactionByHash="0x7e01")).locate(keccak256(OURS))
    with pytest.raises(TryLater):
        EvmLedger(Node(strange)).locate(keccak256(OURS))


def test_unknown_header_fields_are_fetched_and_the_hash_is_checked() -> None:
    newer = block_with(lambda block: block.pop("requestsHash"))
    node = Node(newer, debug_getRawHeader="0x" + VECTOR["header"])
    assert EvmLedger(node).locate(keccak256(OURS)) is not None
    node = Node(newer, debug_getRawHeader="0x" + VECTOR["header"][:-2] + "00")
    with pytest.raises(Disagrees):
        EvmLedger(node).locate(keccak256(OURS))
    with pytest.raises(Misconfigured, match="cannot be recomputed"):
        check_supported(EvmLedger(Node(newer)))


def test_blob_transactions_are_made_from_json() -> None:
    # The judge is py-evm: no node that runs here gives a block with a blob in Ethereum's encoding.
    dice = random.Random(2)
    signed = {name: hex(dice.getrandbits(250)) for name in ("r", "s")}
    found: dict[str, Any] = {
        "type": "0x3", "chainId": "0x5", "nonce": "0x0", "maxPriorityFeePerGas": "0x1",
        "maxFeePerGas": "0x77359400", "gas": "0x5208", "to": "0x" + "11" * 20, "value": "0x0",
        "input": "0x", "maxFeePerBlobGas": "0x9", "yParity": "0x1", "v": "0x1",
        "accessList": [{"address": "0x" + "22" * 20, "storageKeys": ["0x" + "33" * 32]}],
        "blobVersionedHashes": ["0x01" + "44" * 31, "0x01" + "55" * 31], **signed,
    }  # fmt: skip
    made = transaction_bytes(found)
    assert made is not None
    decoded = PragueTransactionBuilder.decode(made)
    assert decoded.encode() == made
    assert decoded.max_fee_per_blob_gas == 9
    assert [one.hex() for one in decoded.blob_versioned_hashes] == [
        one[2:] for one in found["blobVersionedHashes"]
    ]
    assert decoded.to == b"\x11" * 20


def test_chain_id_is_compared_at_first_use() -> None:
    ledger = EvmLedger(Node(), expected_chain_id=1)
    for call in (ledger.chain_id, ledger.fees, lambda: ledger.broadcast(OURS)):
        with pytest.raises(Misconfigured, match="chain id"):
            call()
    assert EvmLedger(Node(), expected_chain_id=CHAIN_ID).finalized_number() == 1


@pytest.mark.parametrize(
    "message",
    ["already known", "transaction already imported", "AlreadyKnown", "Known transaction"],
)
def test_broadcast_accepts_what_is_known(message: str) -> None:
    EvmLedger(Node(eth_sendRawTransaction=error(message))).broadcast(OURS)


@pytest.mark.parametrize(
    ("message", "raised"),
    [
        ("nonce too low: next nonce 5, tx nonce 0", Refused),
        ("OldNonce, Current nonce: 5", Refused),
        ("replacement transaction underpriced", Refused),
        ("transaction underpriced: gas tip cap 0", Refused),
        ("max fee per gas less than block base fee: address 0x", Refused),
        ("FeeTooLow, FeePerGas too low", Refused),
        ("insufficient funds for gas * price + value", Misconfigured),
        ("invalid chain id for signer: have 5 want 1", Misconfigured),
        ("intrinsic gas too low: gas 1, minimum needed 21000", Misconfigured),
        ("txpool is full", TryLater),
        ("<script>", TryLater),
        (None, TryLater),
        (7, TryLater),
        ({}, TryLater),
    ],
)
def test_broadcast_errors_say_what_to_do(message: object, raised: type[Exception]) -> None:
    stranger = sign_anchor(KEY, CHAIN_ID, 0, bytes(32), Price(GWEI, 1))
    with pytest.raises(raised) as caught:
        EvmLedger(Node(eth_sendRawTransaction=error(message))).broadcast(stranger)
    assert str(message)[:9] not in str(caught.value)


def test_a_consumed_nonce_is_fine_if_it_was_by_these_bytes() -> None:
    EvmLedger(Node(eth_sendRawTransaction=error("nonce too low"))).broadcast(OURS)


def test_broadcast_wants_its_own_hash_back() -> None:
    with pytest.raises(Disagrees):
        EvmLedger(Node(eth_sendRawTransaction="0x" + "00" * 32)).broadcast(OURS)
    EvmLedger(Node(eth_sendRawTransaction="0x" + keccak256(OURS).hex())).broadcast(OURS)


def test_transport_failures_never_show_the_address() -> None:
    secret = "http://user:secret@127.0.0.1:1/key"
    for failure in (ConnectionError(secret), ValueError(secret), RuntimeError(secret)):
        with pytest.raises(TryLater) as caught:
            EvmLedger(Node(eth_chainId=failure)).fees()
        assert "secret" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_a_dead_node_is_to_be_tried_later() -> None:
    ledger = http_ledger("http://127.0.0.1:9", timeout_seconds=1)
    with pytest.raises(TryLater):
        ledger.broadcast(OURS)


def test_a_chain_without_finality_or_base_fee_is_said_so() -> None:
    with pytest.raises(TryLater, match="finalized"):
        EvmLedger(Node(eth_getBlockByNumber=None)).finalized_number()
    old = block_with(
        lambda block: [
            block.pop(name)
            for name in (
                "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas",
                "parentBeaconBlockRoot", "requestsHash",
            )
        ]
    )  # fmt: skip
    fields = rlp.decode_list(bytes.fromhex(VECTOR["header"]))[:15]
    old["hash"] = "0x" + keccak256(rlp.encode(fields)).hex()
    with pytest.raises(Misconfigured, match="base fee"):
        check_supported(EvmLedger(Node(old)))


def test_fees_and_a_node_without_advice() -> None:
    base_fee = int(VECTOR["block"]["baseFeePerGas"], 16)
    assert EvmLedger(Node()).fees() == Fees(base_fee, GWEI)
    assert EvmLedger(Node(eth_maxPriorityFeePerGas="0x7")).fees() == Fees(base_fee, 7)


# Signing


def test_signing_is_what_eth_account_signs() -> None:
    made = sign_anchor(KEY, 5, 9, ROOT, Price(3 * GWEI, GWEI))
    account = Account.from_key(KEY)
    fields = {
        "type": 2, "chainId": 5, "nonce": 9, "to": account.address, "value": 0,
        "data": ANCHOR_TAG + ROOT, "gas": gas_limit(ROOT), "maxFeePerGas": 3 * GWEI,
        "maxPriorityFeePerGas": GWEI,
    }  # fmt: skip
    assert made == bytes(account.sign_transaction(fields).raw_transaction)
    assert made == sign_anchor(KEY, 5, 9, ROOT, Price(3 * GWEI, GWEI))
    found = read_transaction(made)
    assert (found.sender, found.to) == (SENDER, SENDER)
    for wrong in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="32 bytes"):
            sign_anchor(KEY, 5, 9, wrong, Price(3 * GWEI, GWEI))


def test_gas_by_formula() -> None:
    assert anchor_gas(b"\x01" * 32) == 21_000 + 40 * 36
    assert anchor_gas(bytes(32)) == 21_000 + 40 * 4 + 10 * 32
    assert gas_limit(b"\x01" * 32) == 22_440 + 2_805


def test_prices_stay_below_the_ceiling() -> None:
    fees = Fees(10 * GWEI, 2 * GWEI)
    assert price(fees, 100 * GWEI) == Price(22 * GWEI, 2 * GWEI)
    assert price(fees, 15 * GWEI) == Price(15 * GWEI, 2 * GWEI)
    assert price(Fees(GWEI, 50 * GWEI), 15 * GWEI) == Price(15 * GWEI, 15 * GWEI)
    with pytest.raises(TryLater, match="ceiling"):
        price(fees, 10 * GWEI)
    before = Price(22 * GWEI, 2 * GWEI)
    after = replacement_price(before, fees, 100 * GWEI)
    assert after.max_fee_wei * 8 >= before.max_fee_wei * 9
    assert after.max_priority_fee_wei * 8 >= before.max_priority_fee_wei * 9
    assert replacement_price(before, Fees(40 * GWEI, GWEI), 100 * GWEI).max_fee_wei == 81 * GWEI
    with pytest.raises(TryLater, match="ceiling"):
        replacement_price(before, fees, 24 * GWEI)


# Against anvil


@pytest.fixture(scope="module")
def shared_node() -> Iterator[Anvil]:
    with anvil("--hardfork", "prague", "--slots-in-an-epoch", "1") as node:
        yield node


@pytest.fixture
def node(shared_node: Anvil) -> Iterator[Anvil]:
    before = shared_node.rpc("evm_snapshot")
    yield shared_node
    shared_node.rpc("evm_setAutomine", True)
    shared_node.rpc("evm_revert", before)


@pytest.fixture
def ledger(node: Anvil) -> EvmLedger:
    return http_ledger(node.url, expected_chain_id=CHAIN_ID)


def anchor(ledger: EvmLedger, root: bytes = ROOT) -> bytes:
    offer = price(ledger.fees(), 1000 * GWEI)
    return sign_anchor(KEY, ledger.chain_id(), ledger.next_nonce(SENDER), root, offer)


def located(ledger: EvmLedger, raw: bytes) -> Inclusion:
    """Where the transaction is, once anvil, which answers before it mines, has mined it."""
    for _ in range(500):
        place = ledger.locate(keccak256(raw))
        if place is not None:
            return place
        time.sleep(0.01)
    raise AssertionError("not mined")


def test_anvil_anchor_to_final(node: Anvil, ledger: EvmLedger) -> None:
    check_supported(ledger)
    balance = ledger.balance_wei(SENDER)
    raw = anchor(ledger)
    assert ledger.locate(keccak256(raw)) is None
    ledger.broadcast(raw)
    ledger.broadcast(raw)
    place = located(ledger, raw)
    found = read_evm_anchor(raw, place.index, place.nodes, place.header)
    assert (found.root, found.sender, found.chain_id) == (ROOT, SENDER, CHAIN_ID)
    assert found.block_hash == place.block_hash == ledger.block_hash(place.block_number)
    assert ledger.next_nonce(SENDER) == 1
    assert ledger.balance_wei(SENDER) < balance
    used = int(node.rpc("eth_getTransactionReceipt", "0x" + found.tx_hash.hex())["gasUsed"], 16)
    assert used == anchor_gas(ROOT) <= gas_limit(ROOT)
    assert ledger.finalized_number() < place.block_number
    assert ledger.block_hash(place.block_number + 1) is None
    node.rpc("anvil_mine", "0x2")
    assert ledger.finalized_number() == place.block_number
    check_supported(ledger)


def test_anvil_reorganisation(node: Anvil, ledger: EvmLedger) -> None:
    raw = anchor(ledger)
    ledger.broadcast(raw)
    before = located(ledger, raw)
    node.rpc("anvil_reorg", 1, [])
    assert ledger.locate(keccak256(raw)) is None
    assert ledger.block_hash(before.block_number) != before.block_hash
    ledger.broadcast(raw)
    after = located(ledger, raw)
    assert after.block_hash != before.block_hash
    assert read_evm_anchor(raw, after.index, after.nodes, after.header).root == ROOT


def test_anvil_replacement(node: Anvil, ledger: EvmLedger) -> None:
    node.rpc("evm_setAutomine", False)
    offer = price(ledger.fees(), 1000 * GWEI)
    first = sign_anchor(KEY, CHAIN_ID, 0, ROOT, offer)
    ledger.broadcast(first)
    with pytest.raises(Refused, match="higher fee"):
        ledger.broadcast(sign_anchor(KEY, CHAIN_ID, 0, bytes(32), offer))
    dearer = replacement_price(offer, ledger.fees(), 1000 * GWEI)
    second = sign_anchor(KEY, CHAIN_ID, 0, ROOT, dearer)
    ledger.broadcast(second)
    node.rpc("evm_mine")
    located(ledger, second)
    assert ledger.locate(keccak256(first)) is None
    ledger.broadcast(second)
    with pytest.raises(Refused, match="nonce"):
        ledger.broadcast(first)
    with pytest.raises(Refused, match="higher fee"):
        ledger.broadcast(sign_anchor(KEY, CHAIN_ID, 1, ROOT, Price(1, 1)))
    poor = bytes([9]) * 32
    with pytest.raises(Misconfigured, match="fund"):
        ledger.broadcast(sign_anchor(poor, CHAIN_ID, 0, ROOT, dearer))
    with pytest.raises(Misconfigured, match="another chain"):
        ledger.broadcast(sign_anchor(KEY, 1, 1, ROOT, dearer))


def test_anvil_among_foreign_transactions(node: Anvil, ledger: EvmLedger) -> None:
    raw = sign_anchor(KEY, CHAIN_ID, 0, ROOT, Price(50 * GWEI, 4 * GWEI))
    fill_block(node, raw)
    place = located(ledger, raw)
    block = node.rpc("eth_getBlockByHash", "0x" + place.block_hash.hex(), True)
    assert len(block["transactions"]) == 141
    assert {one["type"] for one in block["transactions"]} == {"0x0", "0x1", "0x2", "0x4"}
    assert read_evm_anchor(raw, place.index, place.nodes, place.header).root == ROOT

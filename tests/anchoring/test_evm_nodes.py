"""Several nodes: one that lies, lags, is silent or serves another chain; and a real one behind a
proxy that alters its answers."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from anchoring import evm_nodes
from anchoring.evm import check_supported, http_ledger
from anchoring.evm_nodes import LAGS, LIES, SILENT, UNFIT, SeveralNodes, usual_quorum
from anchoring.evm_signing import Price, anchor_sender, price, sign_anchor
from proofmail.core.mpt import keccak256
from proofmail.errors import Misconfigured, Refused, TryLater
from proofmail.ports import Fees, Head, Inclusion, Ledger, SpentNonce
from tests.anchoring.anvil import CHAIN_ID, KEY, Anvil, anvil
from tests.json_rpc import json_rpc

A, B = b"a" * 32, b"b" * 32
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ROOT = bytes(range(32))


class Said:
    """A node that says what it is told to; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        def answer(*_: object) -> Any:
            self.asked += 1
            found = self.answers[name]
            if isinstance(found, Exception):
                raise found
            return found

        return answer


def several(*nodes: Said, quorum: int = 0) -> tuple[SeveralNodes, list[tuple[int, str]]]:
    told: list[tuple[int, str]] = []
    made = SeveralNodes(
        nodes,  # type: ignore[arg-type]
        quorum,
        lambda number, why: told.append((number, why)),
        lambda: NOW,
    )
    return made, told


def place(block_hash: bytes) -> Inclusion:
    return Inclusion(block_hash, 7, b"", 0, ())


def test_it_is_a_ledger() -> None:
    ledger: Ledger = several(Said(chain_id=5))[0]
    assert ledger.chain_id() == 5
    assert [usual_quorum(n) for n in (1, 2, 3, 4, 5)] == [1, 1, 2, 3, 3]
    with pytest.raises(Misconfigured):
        several(Said(), quorum=2)


def test_two_that_contradict_each_other_are_both_not_believed() -> None:
    nodes, told = several(Said(block_hash=A), Said(block_hash=B))
    with pytest.raises(TryLater, match="agree on block 7"):
        nodes.block_hash(7)
    assert told == [(0, "block 7")]


def test_of_three_the_one_that_stands_alone_is_set_aside() -> None:
    liar = Said(block_hash=B)
    nodes, told = several(Said(block_hash=A), liar, Said(block_hash=A))
    assert nodes.block_hash(7) == A
    assert (2, LIES) in told
    asked = liar.asked
    assert nodes.block_hash(7) == A
    assert liar.asked == asked


def test_the_pause_grows_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(evm_nodes.time, "monotonic", lambda: now[0])
    bad = Said(block_hash=TryLater("silent"))
    nodes, told = several(Said(block_hash=A), bad)
    pauses = []
    for _ in range(9):
        before = bad.asked
        while bad.asked == before:
            now[0] += 10
            assert nodes.block_hash(7) == A
        pauses.append(now[0])
    gaps = [int(b - a) for a, b in itertools.pairwise(pauses)]
    assert gaps[0] < gaps[1] < gaps[2]
    assert max(gaps) <= evm_nodes.LONGEST_PAUSE_SECONDS + 20
    bad.answers["block_hash"] = A
    now[0] += evm_nodes.LONGEST_PAUSE_SECONDS + 1
    nodes.block_hash(7)
    assert told[-1] == (2, "")
    assert {why for number, why in told if number == 2} == {SILENT, ""}


def test_all_set_aside_still_asks_one() -> None:
    nodes, _ = several(Said(fees=TryLater("x")), Said(fees=Misconfigured("y")))
    for _ in range(3):
        with pytest.raises((TryLater, Misconfigured)):
            nodes.fees()


def test_a_node_of_another_chain_is_set_aside() -> None:
    nodes, told = several(Said(chain_id=Misconfigured("another chain id")), Said(chain_id=5))
    assert nodes.chain_id() == 5
    assert (1, UNFIT) in told


def test_a_lagging_node_is_set_aside_and_does_not_hold_the_time_back() -> None:
    old = Said(head=Head(5, NOW - timedelta(minutes=10)))
    nodes, told = several(Said(head=Head(9, NOW)), old)
    assert nodes.head() == Head(9, NOW)
    assert told == [(2, LAGS)]
    # One that is a little behind counts: no batch is sent before both are past it.
    nodes, told = several(Said(head=Head(9, NOW)), Said(head=Head(8, NOW - timedelta(seconds=12))))
    assert nodes.head() == Head(9, NOW - timedelta(seconds=12))
    assert told == []


@pytest.mark.parametrize("ahead", [timedelta(days=365), timedelta(seconds=119)])
def test_a_time_of_ones_own_invention_does_not_drive_the_honest_ones_out(ahead: timedelta) -> None:
    """Else a liar would be the only one to say what is final."""
    honest = {"head": Head(9, NOW - timedelta(seconds=12)), "block_hash": A}
    liar = {"head": Head(9, NOW + ahead), "block_hash": B}
    for others in (1, 2):
        nodes, told = several(*(Said(**honest) for _ in range(others)), Said(**liar))
        assert nodes.head() == Head(9, NOW - timedelta(seconds=12))
        assert told == ([(others + 1, LIES)] if ahead > evm_nodes.LAGGING else [])
        if ahead > evm_nodes.LAGGING or others > 1:
            assert nodes.block_hash(9) == A
        else:
            with pytest.raises(TryLater):
                nodes.block_hash(9)


def test_a_clock_of_ours_that_is_behind_drives_nobody_out() -> None:
    early = Head(9, NOW + timedelta(hours=1))
    nodes, told = several(Said(head=early), Said(head=Head(9, NOW + timedelta(days=9))))
    assert nodes.head() == early
    assert told == []


def test_of_two_nodes_none_can_name_a_nonce_that_is_never_reached() -> None:
    for pair in ((4, 10**6), (10**6, 4)):
        nodes, _ = several(*(Said(next_nonce=nonce) for nonce in pair))
        assert nodes.next_nonce(A) == 4


def test_what_cannot_be_compared_is_bounded() -> None:
    honest = {"next_nonce": 4, "fees": Fees(10, 1), "balance_wei": 50}
    lies = {"next_nonce": 10**6, "fees": Fees(10**15, 10**15), "balance_wei": 0}
    nodes, _ = several(Said(**honest), Said(**lies), Said(**honest))
    assert (nodes.next_nonce(A), nodes.fees(), nodes.balance_wei(A)) == (4, Fees(10, 1), 50)
    behind = Said(**{**honest, "next_nonce": 2})
    assert several(behind, Said(**honest), Said(**honest))[0].next_nonce(A) == 4


def test_a_place_needs_as_many_as_the_quorum() -> None:
    here, there, none = Said(locate=place(A)), Said(locate=place(B)), Said(locate=None)
    assert several(here, none)[0].locate(A) == place(A)
    assert several(here, none, quorum=2)[0].locate(A) is None
    assert several(here, there, here)[0].locate(A) == place(A)
    assert several(none, none)[0].locate(A) is None
    with pytest.raises(TryLater):
        several(here, there)[0].locate(A)


def test_finality_is_what_enough_nodes_have_reached_and_agree_on() -> None:
    def node(number: int, block: bytes | None = A) -> Said:
        return Said(finalized_number=number, block_hash=block)

    assert several(node(10**9, None), node(7), node(6))[0].finalized_number() == 7
    assert several(node(7), node(6), quorum=2)[0].finalized_number() == 6
    with pytest.raises(TryLater):
        several(node(7), node(7, B))[0].finalized_number()
    with pytest.raises(TryLater):
        several(node(10**9, None), node(7))[0].finalized_number()


def test_a_spent_nonce_counts_only_in_a_block_that_all_agree_on() -> None:
    spent = SpentNonce(b"raw", place(B))
    honest = Said(final_transaction=None, finalized_number=9, block_hash=A)
    liar = Said(final_transaction=spent, finalized_number=9, block_hash=B)
    with pytest.raises(TryLater):
        several(honest, liar, honest)[0].final_transaction(A, 0)
    good = Said(final_transaction=spent, finalized_number=9, block_hash=B)
    assert several(good, good, honest)[0].final_transaction(A, 0) == spent
    early = Said(final_transaction=spent, finalized_number=6, block_hash=B)
    assert several(early, early, early)[0].final_transaction(A, 0) is None


def test_a_transaction_goes_to_all_and_one_that_takes_it_is_enough() -> None:
    ok, no = Said(broadcast=None), Said(broadcast=Refused("nonce"))
    poor = Said(broadcast=Misconfigured("fund it"))
    nodes, told = several(no, ok, poor)
    nodes.broadcast(b"")
    assert (no.asked, ok.asked, poor.asked, told) == (1, 1, 1, [])
    with pytest.raises(Refused):
        several(poor, no)[0].broadcast(b"")
    with pytest.raises(Misconfigured):
        several(poor, Said(broadcast=TryLater("silent")))[0].broadcast(b"")


# A real node, and a proxy before it

Change = Callable[[str, Any], Any]


@contextmanager
def proxy(node: Anvil, change: Change) -> Iterator[str]:
    """Another address of the node, whose results `change` alters."""

    def answer(asked: dict[str, Any]) -> Any:
        found = requests.post(node.url, json=asked, timeout=10).json()
        if "result" in found:
            found["result"] = change(asked["method"], found["result"])
        return found

    with json_rpc(answer) as url:
        yield url


def lying(method: str, result: Any) -> Any:
    """Says that a block is an hour older than it is."""
    if method.startswith("eth_getBlock") and isinstance(result, dict):
        return {**result, "timestamp": hex(int(result["timestamp"], 16) - 3600)}
    return result


@pytest.fixture
def node() -> Iterator[Anvil]:
    with anvil("--slots-in-an-epoch", "1") as running:
        yield running


def both(node: Anvil, url: str) -> tuple[SeveralNodes, list[tuple[int, str]]]:
    told: list[tuple[int, str]] = []
    clients = [http_ledger(one, expected_chain_id=CHAIN_ID) for one in (node.url, url)]
    return SeveralNodes(clients, 0, lambda number, why: told.append((number, why))), told


def test_a_lying_node_is_set_aside_and_the_honest_one_goes_on(node: Anvil) -> None:
    with proxy(node, lying) as url:
        ledger, told = both(node, url)
        assert ledger.head().number == 0
        assert (2, LIES) in told
        with pytest.raises(Misconfigured, match="not supported"):
            check_supported(http_ledger(url))
        raw = sign_anchor(KEY, CHAIN_ID, 0, ROOT, price(ledger.fees(), 10**12))
        ledger.broadcast(raw)
        found, until = None, time.monotonic() + 20  # anvil mines it a moment later
        while found is None and time.monotonic() < until:
            found = ledger.locate(keccak256(raw))
        assert found is not None
        node.rpc("anvil_mine", "0x5")
        assert ledger.finalized_number() >= found.block_number
        assert ledger.block_hash(found.block_number) == found.block_hash


def test_a_node_on_a_chain_of_its_own_cannot_be_told_from_the_other_one(node: Anvil) -> None:
    """Both hold by themselves: nothing is final until they agree."""
    with anvil("--slots-in-an-epoch", "1", "--timestamp", "1700000000") as other:
        for one in (node, other):
            one.rpc("anvil_mine", "0x9")
        ledger, told = both(node, other.url)
        with pytest.raises(TryLater, match="too few nodes agree"):
            ledger.finalized_number()
        assert any(number == 0 for number, _ in told)


def test_a_nonce_that_another_program_used_is_found_in_its_block(node: Anvil) -> None:
    ledger = http_ledger(node.url, expected_chain_id=CHAIN_ID)
    sender = anchor_sender(KEY)
    sent = []
    for nonce in range(3):
        raw = sign_anchor(KEY, CHAIN_ID, nonce, bytes([nonce]) * 32, Price(10**11, 10**9))
        ledger.broadcast(raw)
        sent.append(raw)
        node.rpc("anvil_mine", "0x2")
    assert ledger.final_transaction(sender, 3) is None
    assert ledger.final_transaction(bytes(20), 0) is None
    node.rpc("anvil_mine", "0x3")
    for nonce, raw in enumerate(sent):
        spent = ledger.final_transaction(sender, nonce)
        assert spent is not None
        assert (spent.raw, spent.place) == (raw, ledger.locate(keccak256(raw)))


def test_the_chains_time_is_that_of_the_block_being_made(node: Anvil) -> None:
    ledger = http_ledger(node.url, expected_chain_id=CHAIN_ID)
    node.rpc("evm_setAutomine", False)
    node.rpc("evm_increaseTime", 5000)
    newest = ledger.newest_header()
    head = ledger.head()
    assert head.number == newest.number
    assert head.time.timestamp() >= newest.timestamp + 5000


def test_a_chain_exchanged_behind_the_address_is_noticed(node: Anvil) -> None:
    ledger = http_ledger(node.url)
    assert ledger.chain_id() == CHAIN_ID
    node.rpc("anvil_setChainId", 4242)
    with pytest.raises(Misconfigured, match="another chain id"):
        ledger.chain_id()

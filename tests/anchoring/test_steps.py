"""The worker's steps against a ledger and an authority that fail on either side of each call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anchoring.evm_signing import anchor_sender
from anchoring.ledger_steps import batch_step
from proofmail.core.evm import read_transaction
from proofmail.store import anchors
from proofmail.store.proofs import assemble
from tests.anchoring.house import House

CALLS = (
    "chain_id", "head", "next_nonce", "fees", "balance_wei", "broadcast", "locate",
    "finalized_number", "block_hash",
)  # fmt: skip
TABLE = [*((call, "lost") for call in CALLS), ("broadcast", "done")]


@pytest.mark.parametrize("fault", TABLE, ids="-".join)
def test_a_fault_at_any_call_delays_and_loses_nothing(house: House, fault: tuple[str, str]) -> None:
    first = house.send(1)
    house.turn(2)
    house.ledger.fault = fault
    second = house.send(2)
    raised = house.turn(4)
    assert any("TryLater" in text for text in raised)
    house.turn(2)
    house.check(first, second)
    assert len(house.ledger.chain) == 2


def test_a_reorganisation_sends_the_same_bytes_again(house: House) -> None:
    house.ledger.final_depth = 5
    record = house.send(1)
    house.turn(2)
    before = house.ledger.chain[0][0]
    house.ledger.reorganise()
    house.turn(1)
    saved = anchors.open_transactions(house.store, house.world.chain_id)
    assert [item.raw for item in saved] == [before]
    assert anchors.open_anchors(house.store, house.world.chain_id) == []
    house.clock.moment += timedelta(minutes=2)
    house.turn(2)
    assert [raw for raw, _ in house.ledger.chain] == [before]
    house.ledger.final_depth = 0
    house.turn(2)
    house.check(record)


def test_a_late_transaction_is_replaced_with_both_fees_an_eighth_higher(house: House) -> None:
    house.send(1)
    refuse = house.ledger.broadcast
    house.ledger.broadcast = lambda raw_transaction: None  # type: ignore[method-assign]
    house.turn(2)
    house.clock.moment += timedelta(minutes=6)
    house.turn(1)
    house.ledger.broadcast = refuse  # type: ignore[method-assign]
    old, new = anchors.open_transactions(house.store, house.world.chain_id)
    first, second = read_transaction(old.raw), read_transaction(new.raw)
    assert (first.nonce, first.data) == (second.nonce, second.data)
    assert second.max_fee_wei >= first.max_fee_wei * 9 // 8
    assert second.max_priority_fee_wei >= first.max_priority_fee_wei * 9 // 8


def test_a_clock_that_was_set_back_makes_no_witness_contradict_a_record(house: House) -> None:
    """SPEC V-checks: a received_at later than the token's or the block's time fails for ever."""
    before = house.clock.moment
    house.clock.moment += timedelta(hours=1)
    early = house.send(1)
    batch_step(house.store, house.world.log, house.clock, 1, 0.0)()
    late = house.send(2)
    house.clock.moment = before
    good = house.send(3)
    house.turn(3)
    house.check(good)
    assert len(house.ledger.chain) == 1
    for record in (early, late):
        proof = assemble(house.store, house.organisation, record)
        assert proof.tokens == ()
        assert not any(batch.anchors for batch in proof.batches)  # type: ignore[union-attr]
    house.clock.moment = before + timedelta(hours=1)
    house.turn(3)
    house.check(early, late, good)


def test_a_clock_that_was_set_back_does_not_hold_up_what_was_dropped(house: House) -> None:
    """It was sent by a clock a day ahead, and the node forgot it."""
    before = house.clock.moment
    record = house.send(1)
    house.clock.moment += timedelta(seconds=2)
    for _, run in house.steps()[:2]:
        run()  # type: ignore[operator]
    take = house.ledger.broadcast
    house.ledger.broadcast = lambda raw_transaction: None  # type: ignore[method-assign]
    house.clock.moment += timedelta(days=1)
    dict(house.steps())["anchor"]()  # type: ignore[operator]
    house.ledger.broadcast = take  # type: ignore[method-assign]
    house.clock.moment = before + timedelta(seconds=10)
    house.turn(3)
    house.check(record)


def test_two_workers_at_once_anchor_a_batch_once(house: House) -> None:
    """The first stalls past its lease, just before it signs."""
    record = house.send(1)
    house.clock.moment += timedelta(seconds=2)
    for _, run in house.steps()[:2]:
        run()  # type: ignore[operator]
    next_nonce, second = house.ledger.next_nonce, dict(house.steps())["anchor"]

    def stall(sender: bytes) -> int:
        house.ledger.next_nonce = next_nonce  # type: ignore[method-assign]
        second()  # type: ignore[operator]
        return next_nonce(sender)

    house.ledger.next_nonce = stall  # type: ignore[method-assign]
    assert "anchor: Refused" in house.turn(3)
    assert len(house.ledger.chain) == 1
    house.check(record)


def test_the_sender_is_the_keys_address(house: House) -> None:
    house.send(1)
    house.turn(2)
    sent = read_transaction(house.ledger.chain[0][0])
    assert sent.sender == sent.to == anchor_sender(house.world.anchor_key)


def test_each_step_run_twice_changes_nothing(house: House) -> None:
    record = house.send(1)
    house.turn(3)
    proof = assemble(house.store, house.organisation, record).to_bytes()
    house.turn(3)
    assert assemble(house.store, house.organisation, record).to_bytes() == proof

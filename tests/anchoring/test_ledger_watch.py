"""From a signed transaction to finality, whatever clocks, fees, nonces, nodes and deaths do."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from datetime import timedelta
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import event

from anchoring import ledger_steps, ledger_watch
from anchoring.evm_block import sender_and_nonce
from anchoring.evm_signing import Price, anchor_sender, gas_limit, sign_anchor
from proofmail.core.evm import ANCHOR_TAG, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.errors import Misconfigured
from proofmail.store import anchors, conditions, spending, strengthening
from proofmail.store.fsck import fsck
from proofmail.store.stamps import count_unstamped
from proofmail.verify.trust import key_id
from tests.anchoring.house import House

GWEI = 10**9


def anchors_on(house: House) -> list[bytes]:
    """The roots on the chain, in order."""
    sent = [read_transaction(raw).data for raw, _ in house.ledger.chain]
    return [data for data in sent if data.startswith(ANCHOR_TAG)]


def deaf(house: House) -> Any:
    """The chain hears no broadcast until what is returned is put back."""
    heard = house.ledger.broadcast
    house.ledger.broadcast = lambda raw_transaction: None  # type: ignore[method-assign]
    return heard


# Clocks


def test_with_our_clock_ahead_batches_wait_for_the_chain_and_the_offset_is_named(
    house: House,
) -> None:
    house.ledger.behind = timedelta(hours=1)
    record = house.send(1)
    house.turn(3)
    assert house.ledger.chain == []
    (found,) = conditions.current(house.store)
    assert found.name == ledger_steps.CLOCK_AHEAD
    assert 3590 < int(found.details["seconds"]) <= 3600
    # An hour later the chain's clock has come to where ours was.
    house.clock.moment += timedelta(hours=1)
    house.turn(3)
    house.check(record)
    house.ledger.behind = timedelta()
    house.turn(1)
    assert house.conditions() == set()


@pytest.mark.parametrize("seconds", [0, 20, 29])
def test_a_clock_within_the_bound_delays_nothing(house: House, seconds: int) -> None:
    house.ledger.behind = timedelta(seconds=seconds)
    record = house.send(1)
    house.turn(3)
    house.check(record)
    assert house.conditions() == set()


def test_a_clock_that_is_behind_is_named_and_spoils_nothing(house: House) -> None:
    house.ledger.behind = timedelta(seconds=-90)
    record = house.send(1)
    house.turn(3)
    house.check(record)
    assert house.conditions() == {ledger_steps.CLOCK_LATE}
    house.ledger.behind = timedelta()
    house.turn(1)
    assert house.conditions() == set()


def test_a_chain_that_stands_still_is_not_written_to_blindly(house: House) -> None:
    house.ledger.idle = True
    house.clock.moment += timedelta(minutes=5)
    record = house.send(1)
    house.turn(3)
    assert house.ledger.chain == []
    assert house.conditions() == {ledger_steps.CLOCK_AHEAD}
    house.ledger.idle = False
    house.turn(3)
    house.check(record)


def test_an_anchor_in_a_block_older_than_its_records_is_never_kept(house: House) -> None:
    """The chain showed a good time, and then made an old block."""
    house.ledger.final_depth = 1
    record = house.send(1)
    head = house.ledger.head
    house.ledger.behind = timedelta(minutes=30)
    house.ledger.head = lambda: replace(head(), time=house.clock.now())  # type: ignore[method-assign]
    house.turn(4)
    assert len(house.ledger.chain) == 1
    assert anchors.open_anchors(house.store, house.world.chain_id) == []
    assert house.conditions() == {ledger_watch.BLOCK_TOO_OLD}
    house.ledger.behind = timedelta()
    house.ledger.final_depth = 0
    house.turn(4)
    assert len(house.ledger.chain) == 2
    house.ledger.chain.pop(0)  # nobody's evidence: the check below wants each root once
    house.check(record)
    assert house.conditions() == set()


# Fees


def test_a_base_fee_beyond_the_ceiling_is_waited_out_and_said(house: House) -> None:
    house.bounds = replace(house.bounds, max_fee_wei=5 * GWEI)
    house.ledger.base_fee_wei = 6 * GWEI
    record = house.send(1)
    assert "anchor: AboveCeiling" in house.turn(3)
    (found,) = conditions.current(house.store)
    assert found.name == ledger_steps.CEILING
    assert found.details == {"base_fee_wei": str(6 * GWEI), "ceiling_wei": str(5 * GWEI)}
    assert anchors.open_transactions(house.store, house.world.chain_id) == []
    house.ledger.base_fee_wei = 2 * GWEI
    house.turn(3)
    assert house.conditions() == set()
    house.check(record)


def test_a_replacement_stops_at_the_ceiling_and_the_old_bytes_go_out_again(house: House) -> None:
    house.bounds = replace(house.bounds, max_fee_wei=2_200_000_000)
    record = house.send(1)
    heard = deaf(house)
    house.turn(2)
    house.clock.moment += timedelta(minutes=6)
    house.ledger.base_fee_wei = 3 * GWEI
    house.ledger.broadcast = heard  # type: ignore[method-assign]
    assert "watch: AboveCeiling" in house.turn(2)
    assert house.conditions() == {ledger_steps.CEILING}
    (saved,) = anchors.open_transactions(house.store, house.world.chain_id)
    house.ledger.base_fee_wei = GWEI
    house.clock.moment += timedelta(minutes=2)
    house.turn(3)
    assert [raw for raw, _ in house.ledger.chain] == [saved.raw]
    house.check(record)


def test_a_day_costs_no_more_than_its_budget(house: House) -> None:
    first = house.send(1)
    house.turn(2)
    (account,) = spending.spent(house.store, house.clock.now())
    assert (account.anchors, account.at_stake_wei) == (1, 0)
    assert account.paid_wei == account.today_wei > 0
    house.bounds = replace(house.bounds, daily_budget_wei=account.paid_wei + 10)
    second = house.send(2)
    assert "anchor: OverBudget" in house.turn(3)
    assert house.conditions() == {ledger_steps.BUDGET}
    assert len(house.ledger.chain) == 1
    house.clock.moment += timedelta(days=1)
    assert "anchor: OverBudget" in house.turn(3)  # the most it can cost, not what it will
    house.bounds = replace(house.bounds, daily_budget_wei=account.paid_wei * 4)
    house.turn(3)
    assert house.conditions() == set()
    house.check(first, second)


def test_without_money_nothing_is_signed_into_the_store(house: House) -> None:
    house.ledger.balance = gas_limit(bytes(32))
    house.send(1)
    assert "anchor: Misconfigured" in house.turn(3)
    assert house.conditions() == {ledger_steps.UNFUNDED}
    assert anchors.open_transactions(house.store, house.world.chain_id) == []
    house.ledger.balance = 10**18
    house.turn(3)
    assert house.conditions() == set()
    assert len(house.ledger.chain) == 1


# Nonces


def test_a_nonce_that_another_program_took_is_given_up_once_that_is_final(house: House) -> None:
    record = house.send(1)
    heard = deaf(house)
    house.turn(2)
    house.ledger.broadcast = heard  # type: ignore[method-assign]
    house.ledger.final_depth = 1
    house.foreign()
    house.clock.moment += timedelta(minutes=6)
    house.turn(3)
    # Not final yet: it could still be ours, so nothing else is signed.
    (saved,) = anchors.open_transactions(house.store, house.world.chain_id)
    assert saved.nonce == 0
    assert house.conditions() == {ledger_watch.NONCE_TAKEN}
    house.foreign()
    house.turn(4)
    assert house.conditions() == set()
    assert len(anchors_on(house)) == 1
    assert read_transaction(house.ledger.chain[2][0]).nonce == 2
    house.ledger.final_depth = 0
    house.turn(2)
    house.check(record)
    assert spending.spent(house.store, house.clock.now())[0].anchors == 1


def test_a_foreign_transaction_that_is_reorganised_away_costs_no_nonce(house: House) -> None:
    record = house.send(1)
    heard = deaf(house)
    house.turn(2)
    house.ledger.broadcast = heard  # type: ignore[method-assign]
    house.ledger.final_depth = 1
    house.foreign()
    house.turn(2)
    house.ledger.reorganise()
    house.clock.moment += timedelta(minutes=2)
    house.turn(2)
    house.ledger.final_depth = 0
    house.turn(2)
    assert [read_transaction(raw).nonce for raw, _ in house.ledger.chain] == [0]
    house.check(record)


def test_an_anchor_that_the_store_forgot_is_taken_for_what_it_is(house: House) -> None:
    """A backup was put in the place of a store that had replaced the transaction since."""
    record = house.send(1)
    heard = deaf(house)
    house.turn(2)
    house.ledger.broadcast = heard  # type: ignore[method-assign]
    (saved,) = anchors.open_transactions(house.store, house.world.chain_id)
    forgotten = sign_anchor(
        house.world.anchor_key, house.world.chain_id, 0, saved.root, Price(9 * GWEI, GWEI)
    )
    house.ledger.broadcast(forgotten)
    house.turn(3)
    assert [raw for raw, _ in house.ledger.chain] == [forgotten]
    house.check(record)


def test_a_gap_is_filled_by_the_next_batch(house: House) -> None:
    first = house.send(1)
    next_nonce = house.ledger.next_nonce
    house.ledger.next_nonce = lambda sender: next_nonce(sender) + 1  # type: ignore[method-assign]
    heard = deaf(house)
    house.turn(1)
    house.ledger.next_nonce = next_nonce  # type: ignore[method-assign]
    house.ledger.broadcast = heard  # type: ignore[method-assign]
    second = house.send(2)
    house.turn(2)
    assert [read_transaction(raw).nonce for raw, _ in house.ledger.chain] == [0]
    house.clock.moment += timedelta(minutes=2)
    house.turn(3)
    assert [read_transaction(raw).nonce for raw, _ in house.ledger.chain] == [0, 1]
    house.check(first, second)


def test_few_transactions_are_under_way_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_steps, "MAX_UNDER_WAY", 2)
    heard = deaf(house)
    for number in range(4):
        house.send(number)
        house.turn(1)
    assert len(anchors.open_transactions(house.store, house.world.chain_id)) == 2
    house.ledger.broadcast = heard  # type: ignore[method-assign]
    house.clock.moment += timedelta(minutes=2)
    house.turn(8)
    assert len(anchors_on(house)) == 4


def test_senders_of_all_types_are_recovered() -> None:
    from eth_account import Account

    account = Account.from_key(b"\x07" * 32)
    address = bytes.fromhex(account.address[2:])
    common = {"chainId": 5, "nonce": 300, "to": account.address, "value": 1, "gas": 90_000}
    fees = {"maxFeePerGas": 9, "maxPriorityFeePerGas": 1}
    allowed = account.sign_authorization({"chainId": 5, "address": account.address, "nonce": 4})
    for more in (
        {"gasPrice": 9},
        {"type": 1, "gasPrice": 9, "accessList": []},
        {"type": 2, **fees},
        {"type": 3, **fees, "maxFeePerBlobGas": 9, "blobVersionedHashes": ["0x01" + "11" * 31]},
        {"type": 4, **fees, "authorizationList": [allowed]},
    ):
        raw = bytes(account.sign_transaction({**common, **more}).raw_transaction)
        assert sender_and_nonce(raw) == (address, 300)
        assert sender_and_nonce(raw[:-1] + bytes([raw[-1] ^ 1])) != (address, 300)
    # From before EIP-155: no chain id.
    raw = bytes(
        account.sign_transaction({**common, "gasPrice": 9, "chainId": None}).raw_transaction
    )
    assert sender_and_nonce(raw) == (address, 300)
    for junk in (b"", b"\x02", b"\x05\xc0", b"\xc0", b"\x7f\xc0", bytes(40)):
        assert sender_and_nonce(junk) is None


def test_trouble_with_one_batch_keeps_no_other_from_its_anchor(house: House) -> None:
    first = house.send(1)
    heard = deaf(house)
    house.turn(1)
    second = house.send(2)
    house.turn(1)
    (_, other) = anchors.open_transactions(house.store, house.world.chain_id)
    locate = house.ledger.locate

    def trouble(transaction_hash: bytes) -> Any:
        if transaction_hash != other.hash:
            raise Misconfigured("this one never")
        return locate(transaction_hash)

    house.ledger.broadcast = heard  # type: ignore[method-assign]
    for saved in anchors.open_transactions(house.store, house.world.chain_id):
        house.ledger.broadcast(saved.raw)
    house.ledger.locate = trouble  # type: ignore[method-assign]
    assert "watch: Misconfigured" in house.turn(2)
    house.check(second)
    house.ledger.locate = locate  # type: ignore[method-assign]
    house.turn(2)
    house.check(first, second)


# Another chain


def test_old_batches_get_an_anchor_on_another_chain_when_asked(house: House) -> None:
    first = house.send(1)
    house.turn(2)
    house.check(first)
    house.world.chain_id, house.ledger.chain = 99, []
    second = house.send(2)
    house.turn(2)
    assert len(house.ledger.chain) == 1
    strengthening.request_anchors(house.store, 99, house.clock.now())
    house.turn(4)
    assert len(house.ledger.chain) == 2
    assert strengthening.progress(house.store, 99).left == 0
    house.check_trusting(2, first)
    house.check(second)


# Deaths


class Died(BaseException):
    pass


class Reaper:
    """Ends the process, so to speak, before the first line that it has not ended it at yet."""

    # A death inside one of the store's transactions undoes it: the same as one before it.
    FILES = (ledger_steps.__file__, ledger_watch.__file__)

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in self.FILES:
            return None
        place = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and place not in self.seen:
            self.seen.add(place)
            raise Died
        return self


def live(house: House, trace: Any) -> bool:
    """Two turns of the ledger's steps; says whether they ended before their time."""
    before, dead = sys.gettrace(), False
    try:
        for _ in range(2):
            house.clock.moment += timedelta(seconds=2)
            for name, run in house.steps():
                if name != "stamp":
                    sys.settrace(trace)
                    try:
                        run()  # type: ignore[operator]
                    finally:
                        sys.settrace(before)
    except Died:
        dead = True
    if dead:
        # A death at the very end of a `with` leaves a transaction open, which the system closes.
        gc.collect()
    return dead


def test_a_death_between_any_two_lines_loses_nothing_and_anchors_nothing_twice(
    house: House,
) -> None:
    # These deaths leave the machine running, and the disk would be waited for all day.
    house.store.engine.dispose()
    event.listen(house.store.engine, "connect", lambda db, _: db.execute("PRAGMA synchronous=OFF"))
    gc.freeze()  # all that is loaded, which would be gone through at each death
    sent: list[str] = []
    reaper = Reaper()
    for story in ("plain", "reorganised", "taken", "late"):
        dead = True
        while dead:
            sent.append(house.send(len(sent)))
            _begin(house, story)
            dead = live(house, reaper)
            house.clock.moment += timedelta(minutes=2)
            live(house, None)
            assert len(anchors_on(house)) == len(sent), story
    assert len(reaper.seen) > 80
    gc.unfreeze()
    while count_unstamped(house.store):
        house.turn(1)
    house.check(*sent)


def _begin(house: House, story: str) -> None:
    """Brings the newest record to where its story begins."""
    if story == "plain":
        return
    heard = house.ledger.broadcast
    if story != "reorganised":
        deaf(house)
    house.ledger.final_depth = 9
    live(house, None)
    house.ledger.broadcast = heard  # type: ignore[method-assign]
    if story == "reorganised":
        house.ledger.reorganise()
        house.clock.moment += timedelta(minutes=2)
    elif story == "late":
        house.clock.moment += timedelta(minutes=6)
    else:
        house.foreign()
    house.ledger.final_depth = 0


def test_the_sender_of_the_tests_is_the_keys(house: House) -> None:
    raw = house.foreign()
    assert sender_and_nonce(raw) == (anchor_sender(house.world.anchor_key), 0)
    assert keccak256(raw) == read_transaction(raw).hash
    keys = {key_id(house.world.spki): house.world.spki}
    assert [f for f in fsck(house.store, keys) if f.level == "fault"] == []

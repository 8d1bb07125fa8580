"""What anchors cost, requests for further anchors, and conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text, update

import migrations
from anchoring.evm_signing import Price, gas_limit, sign_anchor
from proofmail.core.mpt import keccak256
from proofmail.errors import TryLater
from proofmail.store import anchors as a
from proofmail.store import conditions, gas, strengthening
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.store.spending import OverBudget, spent
from proofmail.store.tables import anchors, nonces, spending
from tests.dossier.evidence import ANCHOR_KEY, CHAIN_ID, block_header
from tests.store.house import NOW, faults, fill, organisation
from tests.store.test_witnesses import LATER, SENDER, close, found_at

GWEI = 10**9


def prepare(store: Store, count: int = 2) -> list[a.BatchToAnchor]:
    fill(store, organisation(store), count)
    for _ in range(count):
        close(store, max_records=1)
    return a.batches_to_anchor(store, CHAIN_ID)


def save(
    store: Store, batch: a.BatchToAnchor, nonce: int, fee: int, *, budget: int | None = None,
    days: int = 0, chain_id: int = CHAIN_ID,
) -> bytes:  # fmt: skip
    raw = sign_anchor(ANCHOR_KEY, chain_id, nonce, batch.root, Price(fee, GWEI))
    new = a.NewTransaction(batch.id, chain_id, SENDER, nonce, raw, keccak256(raw))
    a.save_transaction(store, new, LATER + timedelta(days=days), daily_budget_wei=budget)
    return raw


def test_the_most_that_is_signed_counts_until_the_block_says_what_was_paid(store: Store) -> None:
    first, second = prepare(store)
    most = gas_limit(first.root) * 2 * GWEI
    raw = save(store, first, 0, 2 * GWEI, budget=most)
    (account,) = spent(store, LATER)
    assert (account.at_stake_wei, account.today_wei, account.paid_wei) == (most, most, 0)
    with pytest.raises(OverBudget, match="budget"):
        save(store, second, 1, 2 * GWEI, budget=most)
    # Nothing of it was kept: no nonce, no stake.
    assert a.free_nonce(store, CHAIN_ID, SENDER, 1) == 1
    assert spent(store, LATER) == [account]
    found = found_at(first.id, raw, 4242)
    a.save_anchor(store, found, LATER)
    a.mark_final(store, first.id, CHAIN_ID, found.block_hash)
    (account,) = spent(store, LATER)
    # The header in these tests has no base fee: the tip alone is paid.
    assert account.paid_wei == gas.anchor_gas(first.root) * GWEI
    assert (account.at_stake_wei, account.anchors, account.records) == (0, 1, 1)
    assert account.paid_per_record_wei == account.paid_wei
    assert a.mark_final(store, first.id, CHAIN_ID, found.block_hash)
    assert spent(store, LATER) == [account]
    assert spent(store, LATER + timedelta(days=1))[0].today_wei == 0
    save(store, second, 1, 2 * GWEI, budget=most + account.paid_wei)
    assert faults(store) == []


def test_a_replacement_counts_instead_of_what_it_replaces_and_on_its_own_day(store: Store) -> None:
    first, _ = prepare(store)
    gas_wanted = gas_limit(first.root)
    save(store, first, 0, 2 * GWEI)
    save(store, first, 0, 3 * GWEI, budget=gas_wanted * 3 * GWEI)
    assert spent(store, LATER)[0].today_wei == gas_wanted * 3 * GWEI
    with pytest.raises(OverBudget):
        save(store, first, 0, 4 * GWEI, budget=gas_wanted * 4 * GWEI - 1, days=1)
    save(store, first, 0, 4 * GWEI, budget=gas_wanted * 4 * GWEI, days=1)
    (account,) = spent(store, LATER)
    assert (account.today_wei, account.at_stake_wei) == (0, gas_wanted * 4 * GWEI)
    assert faults(store) == []
    a.give_up_nonce(store, CHAIN_ID, SENDER, 0, LATER)
    a.give_up_nonce(store, CHAIN_ID, SENDER, 0, LATER)
    a.give_up_nonce(store, CHAIN_ID, SENDER, 77, LATER)
    assert spent(store, LATER)[0].at_stake_wei == 0
    assert faults(store) == []


def test_amounts_beyond_any_integer_of_a_database(store: Store) -> None:
    first, second = prepare(store)
    for nonce, batch in enumerate((first, second)):
        save(store, batch, nonce, 2**80)
    expected = sum(gas_limit(batch.root) * 2**80 for batch in (first, second))
    assert spent(store, LATER)[0].at_stake_wei == expected > 2**90
    assert faults(store) == []


def test_paid_is_computed_from_transaction_and_header() -> None:
    root = bytes(range(1, 33))
    raw = sign_anchor(ANCHOR_KEY, CHAIN_ID, 0, root, Price(10 * GWEI, 2 * GWEI))
    header = block_header(bytes(32), 1, NOW)
    from proofmail.core import rlp

    for base_fee, each in ((3 * GWEI, 5 * GWEI), (9 * GWEI, 10 * GWEI)):
        with_fee = rlp.encode([*rlp.decode_list(header), rlp.encode_int(base_fee)])
        assert gas.base_fee_wei(with_fee) == base_fee
        assert gas.paid_wei(raw, with_fee) == 22_440 * each
    assert gas.most_wei(raw) == gas_limit(root) * 10 * GWEI


SPOILT = {
    "a day's sum": update(spending).values(at_stake_wei="7"),
    "a day missing": update(spending).values(day=3),
    "what a nonce can cost": update(nonces).values(at_stake_wei="7"),
    "paid without an anchor": update(nonces).values(paid_wei="7"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_fsck_adds_the_money_up_again(store: Store, what: str) -> None:
    first, _ = prepare(store)
    save(store, first, 0, 2 * GWEI)
    assert faults(store) == []
    with store.write() as connection:
        connection.execute(SPOILT[what])
    assert any("nonce" in str(fault) or "spending" in str(fault) for fault in faults(store))


def test_fsck_finds_another_price_than_the_block_says(store: Store) -> None:
    first, _ = prepare(store)
    found = found_at(first.id, save(store, first, 0, 2 * GWEI), 4242)
    a.save_anchor(store, found, LATER)
    a.mark_final(store, first.id, CHAIN_ID, found.block_hash)
    assert faults(store) == []
    with store.write() as connection:
        connection.execute(update(nonces).values(paid_wei="7"))
        connection.execute(update(spending).values(paid_wei="7"))
    assert any("what was paid" in str(fault) for fault in faults(store))


def test_old_batches_are_anchored_elsewhere_only_when_asked_for(store: Store) -> None:
    first, second = prepare(store)
    for nonce, batch in enumerate((first, second)):
        found = found_at(batch.id, save(store, batch, nonce, 2 * GWEI), 4242 + nonce)
        a.save_anchor(store, found, LATER)
        if batch is first:
            a.mark_final(store, batch.id, CHAIN_ID, found.block_hash)
    # The second is not final on its chain: it is not left to it.
    assert a.batches_to_anchor(store, 1) == [second]
    a.mark_final(store, second.id, CHAIN_ID, found.block_hash)
    assert a.batches_to_anchor(store, 1) == []
    assert strengthening.progress(store, 1).wanted == 0
    asked = strengthening.request_anchors(store, 1, LATER)
    assert (asked.wanted, asked.anchored, asked.final) == (2, 0, 0)
    assert strengthening.request_anchors(store, 1, LATER + timedelta(hours=1)) == asked
    assert a.batches_to_anchor(store, 1, 1) == [first]
    assert a.batches_to_anchor(store, 1) == [first, second]
    assert not strengthening.finish(store, 1, LATER)
    for nonce, batch in enumerate((first, second)):
        raw = save(store, batch, nonce, 2 * GWEI, chain_id=1)
        found = replace(found_at(batch.id, raw, 9 + nonce), chain_id=1)
        a.save_anchor(store, found, LATER)
        assert strengthening.progress(store, 1).anchored == nonce + 1
        a.mark_final(store, batch.id, 1, found.block_hash)
    assert strengthening.progress(store, 1).left == 0
    assert strengthening.finish(store, 1, LATER)
    assert not strengthening.finish(store, 1, LATER)
    assert a.senders(store) == {SENDER}
    assert set(a.blocks(store)) == {1, CHAIN_ID}
    assert faults(store) == []


def test_new_batches_go_before_those_asked_for(store: Store) -> None:
    first, second = prepare(store)
    found = found_at(first.id, save(store, first, 0, 2 * GWEI), 4242)
    a.save_anchor(store, found, LATER)
    a.mark_final(store, first.id, CHAIN_ID, found.block_hash)
    strengthening.request_anchors(store, 1, LATER)
    assert a.batches_to_anchor(store, 1) == [second, first]


def test_a_condition_keeps_its_beginning_and_goes_when_cleared(store: Store) -> None:
    conditions.note(store, "ledger.clock", "", {"seconds": "90"}, NOW)
    conditions.note(store, "ledger.clock", "", {"seconds": "90"}, NOW + timedelta(seconds=5))
    conditions.note(store, "ledger.node", "2", {"why": "x" * 500}, NOW)
    clock, node = conditions.current(store)
    assert (clock.since, clock.at, clock.details) == (NOW, NOW, {"seconds": "90"})
    assert len(node.details["why"]) == conditions.MAX_WORD
    conditions.note(store, "ledger.clock", "", {"seconds": "95"}, NOW + timedelta(seconds=6))
    clock = conditions.current(store)[0]
    assert (clock.since, clock.at) == (NOW, NOW + timedelta(seconds=6))
    conditions.clear(store, "ledger.clock")
    conditions.clear(store, "ledger.node", "1")
    assert [found.name for found in conditions.current(store)] == ["ledger.node"]
    conditions.clear(store, "ledger.node")
    assert conditions.current(store) == []


def test_a_folder_of_the_first_schema_is_brought_up_and_its_anchors_become_final(
    tmp_path: Path,
) -> None:
    """Nonces from before the columns: what they cost is not known, and nothing fails for it."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    create_or_upgrade(url)
    store = open_store(url)
    first, _ = prepare(store)
    raw = save(store, first, 0, 2 * GWEI)
    with store.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        for column in ("day", "at_stake_wei", "paid_wei"):
            connection.execute(text(f"ALTER TABLE nonces DROP COLUMN {column}"))
        for table in ("spending", "anchor_requests", "conditions"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        command.upgrade(config, "0002")
    assert spent(store, LATER) == []
    found = found_at(first.id, raw, 4242)
    a.save_anchor(store, found, LATER)
    assert a.mark_final(store, first.id, CHAIN_ID, found.block_hash)
    with store.read() as connection:
        assert connection.execute(anchors.select()).one().state == "final"
    assert faults(store) == []
    store.close()
    assert issubclass(OverBudget, TryLater)

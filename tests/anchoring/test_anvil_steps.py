"""The steps on a real node: reorganisations, dropped and late transactions, fees, nonces lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from anchoring.evm import EvmLedger, http_ledger
from anchoring.evm_signing import LocalSigner, Price, sign_anchor
from anchoring.ledger_steps import CEILING, Anchoring, Bounds, anchor_step, batch_step
from anchoring.ledger_watch import watch_step
from proofmail.core.evm import read_transaction
from proofmail.core.proof import Batch
from proofmail.errors import TryLater
from proofmail.store import anchors, spending
from proofmail.store.fsck import fsck
from proofmail.store.proofs import assemble
from proofmail.verify.trust import key_id
from tests.anchoring.anvil import CHAIN_ID, KEY, Anvil, anvil
from tests.anchoring.house import House

GWEI = 10**9


@dataclass
class Real:
    """A house on a real node. The node's clock is set to the house's, which the test moves."""

    house: House
    node: Anvil
    ledger: EvmLedger
    bounds: Bounds

    def turn(self, times: int = 1) -> list[str]:
        told = []
        parts = Anchoring(
            self.house.store, self.ledger, LocalSigner(KEY), self.house.clock, self.bounds
        )
        for _ in range(times):
            self.move(timedelta(seconds=2))
            log = self.house.world.log
            for step in (
                batch_step(self.house.store, log, self.house.clock, 1000, 1.0),
                anchor_step(parts),
                watch_step(parts),
            ):
                try:
                    step()
                except TryLater as trouble:
                    told.append(type(trouble).__name__)
        return told

    def move(self, span: timedelta) -> None:
        self.house.clock.moment += span
        self.mine(0)

    def mine(self, blocks: int = 1) -> None:
        """Empty or not, at the house's time."""
        self.node.rpc("evm_setTime", self.now())
        for _ in range(blocks):
            self.node.rpc("evm_mine")

    def now(self) -> int:
        moment: datetime = self.house.clock.moment
        return int(moment.timestamp())

    def finish(self, *records: str) -> None:
        self.turn(1)
        self.mine(6)
        self.turn(3)
        world = self.house.world
        found = list(fsck(self.house.store, {key_id(world.spki): world.spki}))
        assert [fault for fault in found if fault.level == "fault"] == []
        for record in records:
            (batch,) = assemble(self.house.store, self.house.organisation, record).batches
            assert isinstance(batch, Batch)
            assert len(batch.anchors) == 1
        assert anchors.open_anchors(self.house.store, CHAIN_ID) == []
        assert anchors.open_transactions(self.house.store, CHAIN_ID) == []
        assert not self.house.conditions()

    def sent(self) -> list[Any]:
        """What the anchor key sent that is in the chain, oldest first."""
        head = int(self.node.rpc("eth_blockNumber"), 16)
        blocks = (self.node.rpc("eth_getBlockByNumber", hex(n), True) for n in range(head + 1))
        return [one for block in blocks for one in block["transactions"]]


@pytest.fixture
def real(house: House) -> Iterator[Real]:
    start = str(int(house.clock.moment.timestamp()))
    house.world.chain_id, house.world.anchor_key = CHAIN_ID, KEY
    arguments = ("--no-mining", "--slots-in-an-epoch", "1", "--timestamp", start)
    with anvil(*arguments) as node:
        ledger = http_ledger(node.url, expected_chain_id=CHAIN_ID)
        yield Real(house, node, ledger, Bounds(1000 * GWEI))


def test_a_reorganisation_takes_the_anchor_back_and_the_same_bytes_go_out_again(
    real: Real,
) -> None:
    record = real.house.send(1)
    real.turn(1)
    real.mine()
    real.turn(1)
    (before,) = anchors.open_anchors(real.house.store, CHAIN_ID)
    (saved,) = anchors.open_transactions(real.house.store, CHAIN_ID)
    real.node.rpc("anvil_reorg", 1, [])
    real.turn(1)
    assert anchors.open_anchors(real.house.store, CHAIN_ID) == []
    real.move(timedelta(seconds=61))
    real.turn(1)
    real.mine()
    real.turn(1)
    (after,) = anchors.open_anchors(real.house.store, CHAIN_ID)
    assert after.tx_hash == before.tx_hash == saved.hash
    assert after.block_hash != before.block_hash
    real.finish(record)
    assert len(real.sent()) == 1


def test_a_dropped_transaction_goes_out_again(real: Real) -> None:
    record = real.house.send(1)
    real.turn(1)
    (saved,) = anchors.open_transactions(real.house.store, CHAIN_ID)
    real.node.rpc("anvil_dropTransaction", "0x" + saved.hash.hex())
    real.mine(2)
    assert real.sent() == []
    real.move(timedelta(seconds=61))
    real.turn(1)
    real.mine()
    real.finish(record)
    assert [one["hash"] for one in real.sent()] == ["0x" + saved.hash.hex()]


def test_a_late_transaction_is_replaced_and_one_of_the_two_counts(real: Real) -> None:
    record = real.house.send(1)
    real.turn(1)
    real.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
    real.mine()
    real.move(timedelta(minutes=6))
    real.turn(1)
    first, second = anchors.open_transactions(real.house.store, CHAIN_ID)
    assert read_transaction(second.raw).max_fee_wei > read_transaction(first.raw).max_fee_wei
    real.mine()
    real.finish(record)
    assert [one["hash"] for one in real.sent()] == ["0x" + second.hash.hex()]
    (account,) = spending.spent(real.house.store, real.house.clock.now())
    receipt = real.node.rpc("eth_getTransactionReceipt", "0x" + second.hash.hex())
    paid = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert account.paid_wei == paid


def test_a_base_fee_beyond_the_ceiling_is_waited_out(real: Real) -> None:
    real.bounds = Bounds(20 * GWEI)
    real.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(90 * GWEI))
    real.mine()
    record = real.house.send(1)
    assert real.turn(2) == ["AboveCeiling"] * 2
    assert real.house.conditions() == {CEILING}
    real.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    real.mine()
    real.turn(1)
    real.mine()
    real.finish(record)


def test_a_nonce_that_another_program_took_costs_a_new_one_and_no_second_anchor(
    real: Real,
) -> None:
    record = real.house.send(1)
    real.turn(1)
    (saved,) = anchors.open_transactions(real.house.store, CHAIN_ID)
    real.node.rpc("anvil_dropTransaction", "0x" + saved.hash.hex())
    foreign = sign_anchor(KEY, CHAIN_ID, 0, bytes(32), Price(900 * GWEI, 9 * GWEI))
    real.node.rpc("eth_sendRawTransaction", "0x" + foreign.hex())
    real.mine()
    real.turn(2)
    assert [t.nonce for t in anchors.open_transactions(real.house.store, CHAIN_ID)] == [0]
    real.mine(3)
    real.turn(2)
    assert [t.nonce for t in anchors.open_transactions(real.house.store, CHAIN_ID)] == [1]
    real.mine()
    real.finish(record)
    assert [int(one["nonce"], 16) for one in real.sent()] == [0, 1]

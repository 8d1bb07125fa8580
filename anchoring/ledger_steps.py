"""The steps around the ledger that make anchors: close a batch, sign and send its transaction.
What follows them to finality is in :mod:`anchoring.ledger_watch`.

Each looks its work up in the store and is safe to run twice. Recovery after a crash is the same
step run again: what was signed is in the store, and the same bytes are broadcast once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from anchoring.evm_signing import AboveCeiling, Price, check_signed, price, unsigned_anchor
from proofmail.core.mpt import keccak256
from proofmail.errors import Misconfigured, Refused
from proofmail.ports import AnchorSigner, Clock, Head, Ledger
from proofmail.store import anchors, conditions
from proofmail.store.anchors import BatchToAnchor, NewTransaction
from proofmail.store.batches import close_batch
from proofmail.store.engine import Store
from proofmail.store.gas import most_wei
from proofmail.store.spending import OverBudget

log = logging.getLogger("proofmail.ledger")

MAX_UNDER_WAY = 16
"""Nodes keep few waiting transactions of one sender; more would be dropped, and sent again."""
MAX_AHEAD = timedelta(seconds=30)
"""How far a batch's closing time may be ahead of the chain's time when it is sent. Half of what
V12 allows (SPEC §9): the other half is for a reorganisation to a block that is a little older."""
CLOCK_BEHIND = timedelta(seconds=60)

CLOCK_AHEAD, CLOCK_LATE = "ledger.clock-ahead", "ledger.clock-behind"
CEILING, BUDGET, UNFUNDED = "ledger.fee-ceiling", "ledger.budget", "ledger.unfunded"


@dataclass(frozen=True)
class Bounds:
    """What the operator allows. Fees in wei per gas; no budget: None."""

    max_fee_wei: int
    daily_budget_wei: int | None = None
    replace_after: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Anchoring:
    """What the ledger steps work with."""

    store: Store
    ledger: Ledger
    signer: AnchorSigner
    clock: Clock
    bounds: Bounds

    def note(self, name: str, subject: str = "", **details: object) -> None:
        words = {key: str(value) for key, value in details.items()}
        conditions.note(self.store, name, subject, words, self.clock.now())

    def clear(self, *names: str) -> None:
        for name in names:
            conditions.clear(self.store, name)


def batch_step(
    store: Store, log_name: str, clock: Clock, max_records: int, max_age_seconds: float
) -> Callable[[], bool]:
    """A step that closes one batch when it is due; says whether one was closed."""

    def run() -> bool:
        sequence = close_batch(
            store, log_name, clock.now(), max_records=max_records, max_age_seconds=max_age_seconds
        )
        if sequence is not None:
            log.info("batch %d closed", sequence)
        return sequence is not None

    return run


def anchor_step(parts: Anchoring) -> Callable[[], bool]:
    """A step that brings saved transactions on their way, then signs that of one new batch."""

    def run() -> bool:
        chain_id = parts.ledger.chain_id()  # asked before each batch: another chain, no anchor
        under_way = anchors.open_transactions(parts.store, chain_id)
        for saved in under_way:
            if saved.broadcast_at is None:
                # Saved, and then we died, or the node did not answer.
                broadcast(parts, saved.id, saved.raw)
        if len({saved.batch for saved in under_way}) >= MAX_UNDER_WAY:
            return False
        until = _until(parts, chain_id)
        waiting = anchors.batches_to_anchor(parts.store, chain_id, 1, until=until)
        for batch in waiting:
            _anchor(parts, chain_id, batch)
        return bool(waiting)

    return run


def _until(parts: Anchoring, chain_id: int) -> datetime:
    """Batches closed after this moment wait. A batch that meets a block older than its records
    fails V12 for ever, so where our clock is ahead of the chain's, the chain's counts."""
    head, now = parts.ledger.head(), parts.clock.now()
    until = min(now, head.time + MAX_AHEAD)
    held = until < now and anchors.batches_to_anchor(parts.store, chain_id, 1, until=now)
    if held and not anchors.batches_to_anchor(parts.store, chain_id, 1, until=until):
        seconds = _seconds(now - head.time)
        log.warning(
            "our clock is %d s ahead of the chain's: batches wait until it is there", seconds
        )
        parts.note(CLOCK_AHEAD, seconds=seconds)
    elif until == now:
        parts.clear(CLOCK_AHEAD)
    _note_late(parts, head, now)
    return until


def _note_late(parts: Anchoring, head: Head, now: datetime) -> None:
    """A clock that is behind spoils no proof, but makes received_at untrue: it is only named."""
    if head.time - now > CLOCK_BEHIND:
        parts.note(CLOCK_LATE, seconds=_seconds(head.time - now))
    else:
        parts.clear(CLOCK_LATE)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _anchor(parts: Anchoring, chain_id: int, batch: BatchToAnchor) -> None:
    sender = parts.signer.address
    nonce = anchors.free_nonce(parts.store, chain_id, sender, parts.ledger.next_nonce(sender))
    offer = fair_price(parts)
    send(parts, chain_id, nonce, offer, batch.id, batch.root)
    log.info("batch %d sent to chain %d", batch.sequence, chain_id)


def fair_price(parts: Anchoring) -> Price:
    """The price now; AboveCeiling, and noted, while the chain asks more than the operator."""
    fees = parts.ledger.fees()
    try:
        found = price(fees, parts.bounds.max_fee_wei)
    except AboveCeiling:
        parts.note(CEILING, base_fee_wei=fees.base_fee_wei, ceiling_wei=parts.bounds.max_fee_wei)
        raise
    parts.clear(CEILING)
    return found


def send(
    parts: Anchoring, chain_id: int, nonce: int, offer: Price, batch: int, root: bytes
) -> None:
    """Signs, checks, saves, and only then broadcasts one anchor."""
    sender = parts.signer.address
    wanted = unsigned_anchor(sender, chain_id, nonce, root, offer)
    raw = parts.signer.sign(wanted)
    check_signed(raw, wanted, sender)
    if parts.ledger.balance_wei(sender) < most_wei(raw):
        parts.note(UNFUNDED, address="0x" + sender.hex(), needed_wei=most_wei(raw))
        raise Misconfigured("the anchor sender's account cannot pay: fund it")
    parts.clear(UNFUNDED)
    new = NewTransaction(batch, chain_id, sender, nonce, raw, keccak256(raw))
    budget = parts.bounds.daily_budget_wei
    try:
        # Saved, then broadcast. If we die before the commit nothing was sent; after it, the next
        # run sends these very bytes, so a batch is never anchored twice.
        saved = anchors.save_transaction(
            parts.store, new, parts.clock.now(), daily_budget_wei=budget
        )
    except OverBudget:
        parts.note(BUDGET, budget_wei=budget)
        raise
    parts.clear(BUDGET)
    broadcast(parts, saved, raw)


def broadcast(parts: Anchoring, transaction_id: int, raw: bytes) -> None:
    """TryLater leaves the transaction unmarked, so that the next run sends the same bytes."""
    try:
        parts.ledger.broadcast(raw)
    except Refused as error:
        # The nonce may have been consumed by these very bytes, or the fee be too low by now: the
        # watcher looks it up, and replaces it when it is late.
        log.warning("the chain refuses a transaction: %s", error)
    # If we die before this mark, the same bytes are broadcast again, which does no harm.
    anchors.mark_broadcast(parts.store, transaction_id, parts.clock.now())

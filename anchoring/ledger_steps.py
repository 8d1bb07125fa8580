"""The steps around the ledger: close a batch, anchor it, watch it become final.

Each looks its work up in the store and is safe to run twice. Recovery after a crash is the same
step run again: what was signed is in the store, and the same bytes are broadcast once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from anchoring.evm_signing import Price, anchor_sender, price, replacement_price, sign_anchor
from proofmail.core.evm import read_evm_anchor, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.errors import CheckFailed, Refused, TryLater, Unreadable
from proofmail.ports import Clock, Ledger
from proofmail.store import anchors
from proofmail.store.anchors import BatchToAnchor, Found, NewTransaction, SavedTransaction
from proofmail.store.batches import close_batch
from proofmail.store.engine import Store

log = logging.getLogger("proofmail.ledger")

REBROADCAST_AFTER = timedelta(seconds=60)
REPLACE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Anchoring:
    """What the two ledger steps work with. `key` is the anchor sender's, 32 bytes."""

    store: Store
    ledger: Ledger
    key: bytes
    clock: Clock
    max_fee_ceiling_wei: int


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
    """A step that brings saved transactions on their way, then signs those for new batches."""

    def run() -> bool:
        chain_id = parts.ledger.chain_id()
        for saved in anchors.open_transactions(parts.store, chain_id):
            if saved.broadcast_at is None:
                # Saved, and then we died, or the node did not answer.
                _broadcast(parts, saved.id, saved.raw)
        waiting = anchors.batches_to_anchor(parts.store, chain_id, 1, until=parts.clock.now())
        for batch in waiting:
            _anchor(parts, chain_id, batch)
        return bool(waiting)

    return run


def _anchor(parts: Anchoring, chain_id: int, batch: BatchToAnchor) -> None:
    sender = anchor_sender(parts.key)
    nonce = anchors.free_nonce(parts.store, chain_id, sender, parts.ledger.next_nonce(sender))
    offer = price(parts.ledger.fees(), parts.max_fee_ceiling_wei)
    _send(parts, chain_id, nonce, offer, batch.id, batch.root)
    log.info("batch %d sent to chain %d", batch.sequence, chain_id)


def _send(
    parts: Anchoring, chain_id: int, nonce: int, offer: Price, batch: int, root: bytes
) -> None:
    raw = sign_anchor(parts.key, chain_id, nonce, root, offer)
    new = NewTransaction(batch, chain_id, anchor_sender(parts.key), nonce, raw, keccak256(raw))
    # Saved, then broadcast. If we die before the commit nothing was sent; after it, the next run
    # sends these very bytes, so a batch is never anchored twice.
    saved = anchors.save_transaction(parts.store, new, parts.clock.now())
    _broadcast(parts, saved, raw)


def _broadcast(parts: Anchoring, transaction_id: int, raw: bytes) -> None:
    """TryLater leaves the transaction unmarked, so that the next run sends the same bytes."""
    try:
        parts.ledger.broadcast(raw)
    except Refused as error:
        # The nonce may have been consumed by these very bytes, or the fee be too low by now: the
        # watcher looks it up, and replaces it when it is late.
        log.warning("the chain refuses a transaction: %s", error)
    # If we die before this mark, the same bytes are broadcast again, which does no harm.
    anchors.mark_broadcast(parts.store, transaction_id, parts.clock.now())


def watch_step(parts: Anchoring) -> Callable[[], bool]:
    """A step that finds transactions in blocks, notices reorganisations, and marks finality."""

    def run() -> bool:
        chain_id = parts.ledger.chain_id()
        _drop_or_finish(parts, chain_id)
        placed = {anchor.batch for anchor in anchors.open_anchors(parts.store, chain_id)}
        saved = anchors.open_transactions(parts.store, chain_id)
        for batch, group in groupby(saved, key=lambda item: item.batch):
            if batch not in placed:
                _look_up(parts, list(group))
        return False

    return run


def _drop_or_finish(parts: Anchoring, chain_id: int) -> None:
    finalized = parts.ledger.finalized_number()
    for anchor in anchors.open_anchors(parts.store, chain_id):
        where = (anchor.batch, chain_id, anchor.block_hash)
        if parts.ledger.block_hash(anchor.block_number) != anchor.block_hash:
            log.warning("a reorganisation took block %d away", anchor.block_number)
            anchors.drop_anchor(parts.store, *where)
        elif anchor.block_number <= finalized:
            anchors.mark_final(parts.store, *where)


def _look_up(parts: Anchoring, replacing: Sequence[SavedTransaction]) -> None:
    """Finds whichever of a batch's transactions made it; the last of them goes out again, or is
    replaced at a higher fee, when it is late."""
    for saved in replacing:
        place = parts.ledger.locate(saved.hash)
        if place is None:
            continue
        try:
            read = read_evm_anchor(saved.raw, place.index, place.nodes, place.header)
        except (CheckFailed, Unreadable) as error:
            raise TryLater(f"the ledger's inclusion proof does not hold: {error}") from error
        if read.root != saved.root:
            raise TryLater("the transaction found carries another root")
        found = Found(
            saved.batch, saved.chain_id, saved.hash, place.block_hash, place.block_number,
            place.header, place.index, place.nodes,
        )  # fmt: skip
        anchors.save_anchor(parts.store, found, parts.clock.now())
        return
    newest = max(replacing, key=lambda item: item.id)
    now = parts.clock.now()
    if newest.broadcast_at is None:
        return  # the anchor step sends it
    if now - newest.created_at > REPLACE_AFTER and newest.nonce == parts.ledger.next_nonce(
        newest.sender
    ):
        sent = read_transaction(newest.raw)
        offer = replacement_price(
            Price(sent.max_fee_wei, sent.max_priority_fee_wei),
            parts.ledger.fees(),
            parts.max_fee_ceiling_wei,
        )
        _send(parts, newest.chain_id, newest.nonce, offer, newest.batch, newest.root)
    elif now - newest.broadcast_at > REBROADCAST_AFTER:
        _broadcast(parts, newest.id, newest.raw)

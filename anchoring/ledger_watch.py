"""The step that follows transactions to finality: finds them in blocks, notices reorganisations,
sends again what was dropped, replaces what is late, and gives up a nonce that the chain has
finally used for something else.

What it does to one batch does not keep it from the others: the first trouble is told at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import groupby

from anchoring.evm_signing import AboveCeiling, Price, replacement_price
from anchoring.ledger_steps import CEILING, Anchoring, broadcast, log, send
from proofmail.core.evm import AnchoredRoot, read_evm_anchor, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.errors import (
    CheckFailed,
    Misconfigured,
    ProofmailError,
    Refused,
    TryLater,
    Unreadable,
)
from proofmail.ports import Inclusion
from proofmail.store import anchors, strengthening
from proofmail.store.anchors import Found, NewTransaction, SavedTransaction
from proofmail.store.spending import OverBudget

REBROADCAST_AFTER = timedelta(seconds=60)
MOST_OLDER = timedelta(seconds=60)
"""How much older than a record its block may be before V12 fails (SPEC §9)."""
NONCE_TAKEN, BLOCK_TOO_OLD = "ledger.nonce-taken", "ledger.block-too-old"


def watch_step(parts: Anchoring) -> Callable[[], bool]:
    """A step that looks at every transaction and anchor that is not final."""

    def run() -> bool:
        chain_id = parts.ledger.chain_id()
        troubles: list[ProofmailError] = []
        with _kept(troubles):
            _drop_or_finish(parts, chain_id)
        placed = {anchor.batch for anchor in anchors.open_anchors(parts.store, chain_id)}
        saved = anchors.open_transactions(parts.store, chain_id)
        for batch, group in groupby(saved, key=lambda item: item.batch):
            if batch not in placed:
                with _kept(troubles):
                    _look_up(parts, list(group))
        strengthening.finish(parts.store, chain_id, parts.clock.now())
        if troubles:
            raise troubles[0]
        return False

    return run


@contextmanager
def _kept(troubles: list[ProofmailError]) -> Iterator[None]:
    try:
        yield
    except (TryLater, Misconfigured, Refused) as trouble:
        troubles.append(trouble)


def _drop_or_finish(parts: Anchoring, chain_id: int) -> None:
    waiting = anchors.open_anchors(parts.store, chain_id)
    if not waiting:
        return
    # Asked before the hashes: a block that is still there afterwards, and not above it, is final.
    finalized = parts.ledger.finalized_number()
    for anchor in waiting:
        where = (anchor.batch, chain_id, anchor.block_hash)
        if parts.ledger.block_hash(anchor.block_number) != anchor.block_hash:
            log.warning("a reorganisation took block %d away", anchor.block_number)
            # If we die before this, the next run sees the same; after it, the transaction is
            # open again, and its bytes are looked for and broadcast.
            anchors.drop_anchor(parts.store, *where)
        elif anchor.block_number <= finalized:
            anchors.mark_final(parts.store, *where)


def _look_up(parts: Anchoring, replacing: Sequence[SavedTransaction]) -> None:
    """Finds whichever of a batch's transactions made it; else the last of them goes out again, or
    is replaced, or its nonce turns out to be lost."""
    for saved in replacing:
        place = parts.ledger.locate(saved.hash)
        if place is not None:
            _keep(parts, saved, saved.raw, place)
            return
    newest = max(replacing, key=lambda item: item.id)
    if newest.broadcast_at is None:
        return  # the anchor step sends it
    now = parts.clock.now()
    next_nonce = parts.ledger.next_nonce(newest.sender)
    late = _apart(now, newest.created_at) > parts.bounds.replace_after
    if newest.nonce < next_nonce:
        _take_leave(parts, newest, late=late)
    elif late and newest.nonce == next_nonce:
        _replace(parts, newest)
    else:
        _again(parts, newest)


def _keep(parts: Anchoring, saved: SavedTransaction, raw: bytes, place: Inclusion) -> None:
    """Keeps an anchor that a node shows, once it holds, and no record of it is newer."""
    facts = _read(raw, place)
    if facts.root != saved.root:
        raise TryLater("the transaction found carries another root")
    newest = anchors.newest_received(parts.store, saved.batch)
    if newest - facts.block_time > MOST_OLDER:
        # Only with a clock that was ahead when it was sent, and a chain whose time we could not
        # see then. Such an anchor would make every proof of the batch fail: it is left alone,
        # and once it is final the batch gets another.
        log.error("a block is older than the records of its batch: it is not kept")
        parts.note(BLOCK_TOO_OLD, str(facts.block_number))
        if place.block_number <= parts.ledger.finalized_number():
            _give_up(parts, saved)
        return
    # If we die before the commit, the next run finds the same block.
    anchors.save_anchor(
        parts.store,
        Found(
            saved.batch, saved.chain_id, keccak256(raw), place.block_hash, place.block_number,
            place.header, place.index, place.nodes,
        ),
        parts.clock.now(),
    )  # fmt: skip
    parts.clear(NONCE_TAKEN)


def _read(raw: bytes, place: Inclusion) -> AnchoredRoot:
    try:
        return read_evm_anchor(raw, place.index, place.nodes, place.header)
    except (CheckFailed, Unreadable) as error:
        raise TryLater(f"the ledger's inclusion proof does not hold: {error}") from error


def _replace(parts: Anchoring, newest: SavedTransaction) -> None:
    sent, fees = read_transaction(newest.raw), parts.ledger.fees()
    before, most = Price(sent.max_fee_wei, sent.max_priority_fee_wei), parts.bounds.max_fee_wei
    try:
        offer = replacement_price(before, fees, most)
        send(parts, newest.chain_id, newest.nonce, offer, newest.batch, newest.root)
    except (AboveCeiling, OverBudget) as trouble:
        if isinstance(trouble, AboveCeiling):
            parts.note(CEILING, base_fee_wei=fees.base_fee_wei, ceiling_wei=most)
        # The old one may still get in when the chain asks less: it must not be forgotten.
        _again(parts, newest)
        raise
    log.info("a late transaction was replaced at a higher fee")


def _again(parts: Anchoring, newest: SavedTransaction) -> None:
    """A node may have dropped it: after a reorganisation, a restart, or for want of room."""
    sent_at = newest.broadcast_at
    if sent_at is None or _apart(parts.clock.now(), sent_at) > REBROADCAST_AFTER:
        broadcast(parts, newest.id, newest.raw)


def _apart(now: datetime, then: datetime) -> timedelta:
    """What lies ahead was written before the clock was set back, nobody knows how long ago: a
    transaction must not wait for as long as the clock had been ahead."""
    return abs(now - then)


def _take_leave(parts: Anchoring, newest: SavedTransaction, *, late: bool) -> None:
    """The nonce is used, and none of ours is in the chain. Only a final block says by what: then
    the batch takes another nonce, and its old transactions can never be included any more."""
    spent = parts.ledger.final_transaction(newest.sender, newest.nonce)
    if spent is None:
        if late:
            parts.note(NONCE_TAKEN, str(newest.nonce))
        return
    if _is_ours(newest, spent.raw):
        # A replacement that the store lost, with a backup put in its place: it is the anchor.
        new = NewTransaction(
            newest.batch, newest.chain_id, newest.sender, newest.nonce, spent.raw,
            keccak256(spent.raw),
        )  # fmt: skip
        try:
            anchors.save_transaction(parts.store, new, parts.clock.now())
        except Refused:
            return  # another worker was at it
        _keep(parts, newest, spent.raw, spent.place)
        return
    log.warning("another program used nonce %d of the anchor key", newest.nonce)
    _give_up(parts, newest)


def _is_ours(saved: SavedTransaction, raw: bytes) -> bool:
    """Whether these bytes anchor the same root; `_read` judges the rest of them."""
    try:
        sent = read_transaction(raw)
    except (CheckFailed, Unreadable):
        return False
    wanted = read_transaction(saved.raw)
    return (sent.sender, sent.to, sent.value_wei, sent.data, sent.chain_id) == (
        wanted.sender, wanted.to, wanted.value_wei, wanted.data, wanted.chain_id,
    )  # fmt: skip


def _give_up(parts: Anchoring, saved: SavedTransaction) -> None:
    # If we die before the commit, the next run comes to the same end: what is final stays so.
    anchors.give_up_nonce(parts.store, saved.chain_id, saved.sender, saved.nonce, parts.clock.now())
    parts.clear(NONCE_TAKEN, BLOCK_TOO_OLD)

"""Transactions and anchors: what was sent to which chain, and where it was found.

A batch's state is that of its furthest anchor, and is set here only, together with the counters.
A nonce belongs to one batch (a foreign key keeps it so): its transactions replace one another.
It is given up only when the chain has finally used it for something else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from proofmail.core.canonical import base64url, encode
from proofmail.errors import Refused
from proofmail.store import counters, spending
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.gas import most_wei, paid_wei
from proofmail.store.spending import day_of
from proofmail.store.tables import (
    anchor_requests,
    anchors,
    batch_counts,
    batches,
    memberships,
    nonces,
    records,
    transactions,
)

_ALWAYS = 2**63 - 1


@dataclass(frozen=True)
class BatchToAnchor:
    """`id` is the store's own number of the batch, `sequence` that of its log."""

    id: int
    log: str
    sequence: int
    root: bytes
    closed_at: datetime


@dataclass(frozen=True)
class SavedTransaction:
    """Signed bytes that may be on their way. `root` is that of its batch."""

    id: int
    batch: int
    root: bytes
    chain_id: int
    sender: bytes
    nonce: int
    raw: bytes
    hash: bytes
    created_at: datetime
    broadcast_at: datetime | None


@dataclass(frozen=True)
class NewTransaction:
    batch: int
    chain_id: int
    sender: bytes
    nonce: int
    raw: bytes
    hash: bytes


@dataclass(frozen=True)
class Found:
    """Where a transaction is: in this block, at `index`, proven by `nodes`; `header` is RLP."""

    batch: int
    chain_id: int
    tx_hash: bytes
    block_hash: bytes
    block_number: int
    header: bytes
    index: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True)
class OpenAnchor:
    """An anchor in a block that is not final yet."""

    batch: int
    chain_id: int
    tx_hash: bytes
    block_hash: bytes
    block_number: int


def batches_to_anchor(
    store: Store, chain_id: int, limit: int = 100, *, until: datetime | None = None
) -> list[BatchToAnchor]:
    """The batches that want a transaction on this chain: first, oldest first, those without a
    final anchor anywhere; then those asked for by `strengthening`. None that has an anchor here,
    or a nonce that may still bring one. With `until`, none closed after it."""
    upto = _ALWAYS if until is None else milliseconds(until)
    anchored = exists().where(anchors.c.batch == batches.c.id, anchors.c.chain_id == chain_id)
    under_way = exists().where(
        nonces.c.batch == batches.c.id, nonces.c.chain_id == chain_id, nonces.c.lost_at.is_(None)
    )
    columns = ("id", "log", "sequence", "root", "closed_at")
    wanting = (
        select(*(batches.c[name] for name in columns))
        .where(~anchored, ~under_way, batches.c.closed_at <= upto)
        .order_by(batches.c.id)
    )
    request = select(anchor_requests.c.upto_batch).where(
        anchor_requests.c.chain_id == chain_id, anchor_requests.c.done_at.is_(None)
    )
    with store.read() as connection:
        rows = list(connection.execute(wanting.where(batches.c.state != "final").limit(limit)))
        asked = connection.execute(request).scalar()
        if asked is not None and len(rows) < limit:
            old = wanting.where(batches.c.state == "final", batches.c.id <= asked)
            rows += connection.execute(old.limit(limit - len(rows)))
    return [
        BatchToAnchor(row.id, row.log, row.sequence, row.root, moment(row.closed_at))
        for row in rows
    ]


def save_transaction(
    store: Store, new: NewTransaction, now: datetime, *, daily_budget_wei: int | None = None
) -> int:
    """Keeps signed bytes, before they are broadcast; returns the transaction's id.

    The same bytes again: the same id. OverBudget when what they can cost does not fit into what is
    left of the day's budget. Refused when the nonce belongs to another batch, or when the
    batch has another nonce that was not given up: a second worker was at it, and two nonces would
    anchor the batch twice. If the process dies after this and before the broadcast, the same bytes
    are broadcast later.
    """
    spot = {"chain_id": new.chain_id, "sender": new.sender, "nonce": new.nonce}
    with store.write() as connection:
        _lock(connection, new.batch)
        if _taken_care_of(connection, new):
            raise Refused("this batch has another transaction under way")
        connection.execute(
            counters.upsert(connection, nonces)
            .values(**spot, batch=new.batch)
            .on_conflict_do_nothing(index_elements=["chain_id", "sender", "nonce"])
        )
        owner = connection.execute(select(nonces).filter_by(**spot).with_for_update()).one()
        if owner.batch != new.batch or owner.lost_at is not None:
            raise Refused("this nonce belongs to another batch, or was given up")
        spending.charge(connection, owner, most_wei(new.raw), day_of(now), daily_budget_wei)
        connection.execute(
            counters.upsert(connection, transactions)
            .values(
                **spot,
                batch=new.batch,
                raw=new.raw,
                hash=new.hash,
                created_at=milliseconds(now),
            )
            .on_conflict_do_nothing(index_elements=["chain_id", "sender", "nonce", "hash"])
        )
        saved: int = connection.execute(
            select(transactions.c.id).filter_by(**spot, hash=new.hash)
        ).scalar_one()
        return saved


def _taken_care_of(connection: Connection, new: NewTransaction) -> bool:
    found = connection.execute(
        select(nonces.c.sender, nonces.c.nonce).where(
            nonces.c.batch == new.batch,
            nonces.c.chain_id == new.chain_id,
            nonces.c.lost_at.is_(None),
        )
    ).all()
    return any((row.sender, row.nonce) != (new.sender, new.nonce) for row in found)


def open_transactions(store: Store, chain_id: int) -> list[SavedTransaction]:
    """What may still have to be broadcast or looked for: every transaction whose nonce was not
    given up and whose batch has no final anchor on this chain; by nonce, then by age."""
    final = exists().where(
        anchors.c.batch == transactions.c.batch,
        anchors.c.chain_id == chain_id,
        anchors.c.state == "final",
    )
    with store.read() as connection:
        rows = connection.execute(
            select(transactions, batches.c.root)
            .join(batches, batches.c.id == transactions.c.batch)
            .join(
                nonces,
                (nonces.c.chain_id == transactions.c.chain_id)
                & (nonces.c.sender == transactions.c.sender)
                & (nonces.c.nonce == transactions.c.nonce),
            )
            .where(transactions.c.chain_id == chain_id, nonces.c.lost_at.is_(None), ~final)
            .order_by(transactions.c.nonce, transactions.c.id)
        ).all()
    return [
        SavedTransaction(
            id=row.id,
            batch=row.batch,
            root=row.root,
            chain_id=row.chain_id,
            sender=row.sender,
            nonce=row.nonce,
            raw=row.raw,
            hash=row.hash,
            created_at=moment(row.created_at),
            broadcast_at=None if row.broadcast_at is None else moment(row.broadcast_at),
        )
        for row in rows
    ]


def mark_broadcast(store: Store, transaction_id: int, now: datetime) -> None:
    """Notes the newest broadcast. Says nothing about inclusion."""
    with store.write() as connection:
        connection.execute(
            update(transactions)
            .where(transactions.c.id == transaction_id)
            .values(broadcast_at=milliseconds(now))
        )


def free_nonce(store: Store, chain_id: int, sender: bytes, next_nonce: int) -> int:
    """The lowest nonce from `next_nonce` up that was never saved: saved ones belong to their
    batches for good, even if the chain does not know them; a gap between them is filled, or those
    behind it would wait for ever."""
    with store.read() as connection:
        taken = set(
            connection.execute(
                select(nonces.c.nonce).where(
                    nonces.c.chain_id == chain_id,
                    nonces.c.sender == sender,
                    nonces.c.nonce >= next_nonce,
                )
            ).scalars()
        )
    while next_nonce in taken:
        next_nonce += 1
    return next_nonce


def give_up_nonce(store: Store, chain_id: int, sender: bytes, nonce: int, now: datetime) -> None:
    """The chain has finally used this nonce for a transaction that is no good anchor of ours: the
    batch goes back to those that want a transaction. The caller MUST know it to be final."""
    spot = {"chain_id": chain_id, "sender": sender, "nonce": nonce}
    with store.write() as connection:
        row = connection.execute(select(nonces).filter_by(**spot).with_for_update()).first()
        if row is None or row.lost_at is not None:
            return
        spending.release(connection, row)
        connection.execute(
            update(nonces)
            .where(
                nonces.c.chain_id == chain_id, nonces.c.sender == sender, nonces.c.nonce == nonce
            )
            .values(lost_at=milliseconds(now))
        )


def save_anchor(store: Store, found: Found, now: datetime) -> None:
    """Keeps where a batch's transaction was found, instead of an earlier place on this chain. An
    anchor that is final stays as it is."""
    with store.write() as connection:
        _lock(connection, found.batch)
        here = (anchors.c.batch == found.batch, anchors.c.chain_id == found.chain_id)
        state = connection.execute(select(anchors.c.state).where(*here)).scalar()
        if state == "final":
            return
        connection.execute(delete(anchors).where(*here))
        connection.execute(
            insert(anchors),
            {
                "batch": found.batch,
                "chain_id": found.chain_id,
                "tx_hash": found.tx_hash,
                "block_hash": found.block_hash,
                "block_number": found.block_number,
                "header": found.header,
                "idx": found.index,
                "nodes": encode([base64url(node) for node in found.nodes]),
                "state": "anchored",
                "located_at": milliseconds(now),
            },
        )
        _settle(connection, found.batch)


def open_anchors(store: Store, chain_id: int) -> list[OpenAnchor]:
    """The anchors on this chain that are not final, lowest block first."""
    with store.read() as connection:
        rows = connection.execute(
            select(
                anchors.c.batch,
                anchors.c.chain_id,
                anchors.c.tx_hash,
                anchors.c.block_hash,
                anchors.c.block_number,
            )
            .where(anchors.c.chain_id == chain_id, anchors.c.state == "anchored")
            .order_by(anchors.c.block_number, anchors.c.batch)
        ).all()
    return [OpenAnchor(*row) for row in rows]


def drop_anchor(store: Store, batch: int, chain_id: int, block_hash: bytes) -> bool:
    """A reorganisation took this block away: the anchor goes, the transaction is open again.
    False, and nothing is done, if the anchor is final or in another block by now."""
    with store.write() as connection:
        _lock(connection, batch)
        gone = connection.execute(
            delete(anchors).where(
                anchors.c.batch == batch,
                anchors.c.chain_id == chain_id,
                anchors.c.block_hash == block_hash,
                anchors.c.state == "anchored",
            )
        )
        _settle(connection, batch)
        return bool(gone.rowcount)


def mark_final(store: Store, batch: int, chain_id: int, block_hash: bytes) -> bool:
    """The chain calls this anchor's block final, and what it cost is known. False if the anchor is
    in another block."""
    here = (
        anchors.c.batch == batch,
        anchors.c.chain_id == chain_id,
        anchors.c.block_hash == block_hash,
    )
    with store.write() as connection:
        _lock(connection, batch)
        done = connection.execute(update(anchors).where(*here).values(state="final"))
        if done.rowcount:
            _pay(connection, batch, here)
        _settle(connection, batch)
        return bool(done.rowcount)


def _pay(connection: Connection, batch: int, here: Sequence[Any]) -> None:
    found = connection.execute(
        select(
            anchors.c.header, transactions.c.raw, batches.c.count.label("records"),
            *(transactions.c[name] for name in ("chain_id", "sender", "nonce")),
        )
        .join(
            transactions,
            (transactions.c.batch == anchors.c.batch)
            & (transactions.c.chain_id == anchors.c.chain_id)
            & (transactions.c.hash == anchors.c.tx_hash),
        )
        .join(batches, batches.c.id == anchors.c.batch)
        .where(*here)
    ).first()  # fmt: skip
    if found is None:
        return
    spot = {"chain_id": found.chain_id, "sender": found.sender, "nonce": found.nonce}
    row = connection.execute(select(nonces).filter_by(**spot).with_for_update()).one()
    spending.pay(connection, row, paid_wei(found.raw, found.header), found.records)


def senders(store: Store) -> set[bytes]:
    """The senders of all final anchors: keys that were changed since are among them."""
    with store.read() as connection:
        found = connection.execute(
            select(transactions.c.sender)
            .join(
                anchors,
                (transactions.c.batch == anchors.c.batch)
                & (transactions.c.chain_id == anchors.c.chain_id)
                & (transactions.c.hash == anchors.c.tx_hash),
            )
            .where(anchors.c.state == "final")
            .distinct()
        ).scalars()
        return set(found)


def newest_received(store: Store, batch: int) -> datetime:
    """When the newest record of a batch was received: no block of its anchor may be much older."""
    with store.read() as connection:
        found: int = connection.execute(
            select(func.max(records.c.received_at))
            .join(memberships, memberships.c.record == records.c.sequence)
            .where(memberships.c.batch == batch)
        ).scalar_one()
        return moment(found)


def blocks(store: Store) -> dict[int, list[bytes]]:
    """For each chain the hashes of the blocks of all final anchors: what a trust file lists."""
    with store.read() as connection:
        rows = connection.execute(
            select(anchors.c.chain_id, anchors.c.block_hash, anchors.c.block_number)
            .where(anchors.c.state == "final")
            .distinct()
            .order_by(anchors.c.chain_id, anchors.c.block_number)
        ).all()
    found: dict[int, list[bytes]] = {}
    for chain_id, block_hash, _ in rows:
        found.setdefault(chain_id, []).append(block_hash)
    return found


def batch_state(states: Sequence[str]) -> str:
    """The state of a batch whose anchors are in these states."""
    return next((state for state in ("final", "anchored") if state in states), "batched")


def _lock(connection: Connection, batch: int) -> None:
    connection.execute(select(batches.c.id).where(batches.c.id == batch).with_for_update()).one()


def _settle(connection: Connection, batch: int) -> None:
    """Sets the batch's state from its anchors, and moves the counters of its records along."""
    states = connection.execute(select(anchors.c.state).where(anchors.c.batch == batch)).scalars()
    new = batch_state(list(states))
    old = connection.execute(select(batches.c.state).where(batches.c.id == batch)).scalar_one()
    if new == old:
        return
    connection.execute(update(batches).where(batches.c.id == batch).values(state=new))
    changes: Counter[counters.Key] = Counter()
    rows = connection.execute(
        select(batch_counts.c.organisation, batch_counts.c.kind, batch_counts.c.n).where(
            batch_counts.c.batch == batch
        )
    ).all()
    for organisation, kind, n in rows:
        changes[organisation, kind, old] -= n
        changes[organisation, kind, new] += n
    counters.bump(connection, changes)

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

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from proofmail.core.canonical import base64url, encode
from proofmail.errors import Refused
from proofmail.store import counters
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import anchors, batch_counts, batches, nonces, transactions

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
    """The oldest batches that have neither an anchor on this chain nor a nonce that may still
    bring one. With `until` set to now, without those from after it: see `close_batch`."""
    upto = _ALWAYS if until is None else milliseconds(until)
    anchored = exists().where(anchors.c.batch == batches.c.id, anchors.c.chain_id == chain_id)
    under_way = exists().where(
        nonces.c.batch == batches.c.id, nonces.c.chain_id == chain_id, nonces.c.lost_at.is_(None)
    )
    with store.read() as connection:
        rows = connection.execute(
            select(
                batches.c.id,
                batches.c.log,
                batches.c.sequence,
                batches.c.root,
                batches.c.closed_at,
            )
            .where(~anchored, ~under_way, batches.c.closed_at <= upto)
            .order_by(batches.c.id)
            .limit(limit)
        ).all()
    return [BatchToAnchor(*row[:4], moment(row.closed_at)) for row in rows]


def save_transaction(store: Store, new: NewTransaction, now: datetime) -> int:
    """Keeps signed bytes, before they are broadcast; returns the transaction's id.

    The same bytes again: the same id. Refused when the nonce belongs to another batch, or when the
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


def highest_saved_nonce(store: Store, chain_id: int, sender: bytes) -> int | None:
    """The highest nonce ever saved for this sender, given up or not."""
    with store.read() as connection:
        highest: int | None = connection.execute(
            select(func.max(nonces.c.nonce)).where(
                nonces.c.chain_id == chain_id, nonces.c.sender == sender
            )
        ).scalar_one()
        return highest


def give_up_nonce(store: Store, chain_id: int, sender: bytes, nonce: int, now: datetime) -> None:
    """The chain has finally used this nonce for a transaction that is not ours: the batch goes
    back to those that want a transaction. The caller MUST know it to be final."""
    with store.write() as connection:
        connection.execute(
            update(nonces)
            .where(
                nonces.c.chain_id == chain_id,
                nonces.c.sender == sender,
                nonces.c.nonce == nonce,
                nonces.c.lost_at.is_(None),
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
    """The chain calls this anchor's block final. False if the anchor is in another block."""
    with store.write() as connection:
        _lock(connection, batch)
        done = connection.execute(
            update(anchors)
            .where(
                anchors.c.batch == batch,
                anchors.c.chain_id == chain_id,
                anchors.c.block_hash == block_hash,
            )
            .values(state="final")
        )
        _settle(connection, batch)
        return bool(done.rowcount)


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

"""The part of fsck on money: what each nonce can cost or has cost, and the days' accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, select

from proofmail.errors import CheckFailed, Unreadable
from proofmail.store.engine import Store
from proofmail.store.gas import most_wei, paid_wei
from proofmail.store.tables import anchors, batches, nonces, spending, transactions

Fault: TypeAlias = tuple[str, str]
_Sums: TypeAlias = dict[tuple[int, int], list[int]]


def faults(store: Store) -> Iterator[Fault]:
    """In one read transaction: an anchor that becomes final meanwhile would look like a fault."""
    with store.read() as connection:
        sums: _Sums = defaultdict(lambda: [0, 0, 0, 0])
        for nonce in connection.execute(select(nonces).where(nonces.c.day.is_not(None))).all():
            try:
                _check_nonce(connection, nonce, sums)
            except (CheckFailed, Unreadable) as fault:
                yield f"nonce {nonce.nonce} on chain {nonce.chain_id}", str(fault)
        for row in connection.execute(select(spending)).all():
            kept = [int(row.at_stake_wei), int(row.paid_wei), row.anchors, row.records]
            if sums.pop((row.chain_id, row.day), [0, 0, 0, 0]) != kept:
                yield _account(row.chain_id, row.day), "it is not the sum of its nonces"
        for chain_id, day in sorted(sums):
            yield _account(chain_id, day), "it is missing"


def _account(chain_id: int, day: int) -> str:
    return f"spending on chain {chain_id}, day {day}"


def _check_nonce(connection: Connection, nonce: Row[Any], sums: _Sums) -> None:
    stake, paid = int(nonce.at_stake_wei), nonce.paid_wei
    sent = connection.execute(
        select(transactions.c.raw, transactions.c.hash).where(
            transactions.c.chain_id == nonce.chain_id,
            transactions.c.sender == nonce.sender,
            transactions.c.nonce == nonce.nonce,
        )
    ).all()
    final = connection.execute(
        select(anchors.c.header, anchors.c.tx_hash, batches.c.count.label("records"))
        .join(batches, batches.c.id == anchors.c.batch)
        .where(
            anchors.c.batch == nonce.batch,
            anchors.c.chain_id == nonce.chain_id,
            anchors.c.state == "final",
            anchors.c.tx_hash.in_([row.hash for row in sent]),
        )
    ).first()
    account = sums[nonce.chain_id, nonce.day]
    account[0] += stake
    if final is None:
        if paid is not None:
            raise CheckFailed("it reads as paid, and yet its batch has no final anchor")
        expected = 0 if nonce.lost_at is not None else max(most_wei(row.raw) for row in sent)
        if stake != expected:
            raise CheckFailed("what it can cost is not what its transactions say")
        return
    raw = next(row.raw for row in sent if row.hash == final.tx_hash)
    if paid is None or int(paid) != paid_wei(raw, final.header) or stake:
        raise CheckFailed("what was paid is not what its transaction and its block say")
    for place, amount in enumerate((int(paid), 1, final.records), 1):
        account[place] += amount

"""What anchors cost: at stake from the moment a transaction is saved, paid once its block is final.

Both are kept by UTC day in the transactions that change them, so that the day's budget is a bound
and not a guess: whatever is signed can cost its maximal fee. Only a final block says what was paid.
fsck adds the nonces up again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from proofmail.errors import TryLater
from proofmail.store.counters import upsert
from proofmail.store.engine import Store
from proofmail.store.tables import nonces, spending

_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


class OverBudget(TryLater):
    """The day's budget does not cover another transaction: a later day's may."""


@dataclass(frozen=True)
class Spending:
    """Of one chain, all days: amounts in wei. `at_stake_wei` may still be paid or not; `today_wei`
    is what the budget of the day counts, both together."""

    chain_id: int
    at_stake_wei: int
    paid_wei: int
    anchors: int
    records: int
    today_wei: int

    @property
    def paid_per_record_wei(self) -> int:
        """What a proof cost on average, rounded up; 0 while nothing is final."""
        return -(-self.paid_wei // self.records) if self.records else 0


def day_of(moment: datetime) -> int:
    """The UTC day as a number, 0 for 1970-01-01."""
    return moment.astimezone(UTC).toordinal() - _EPOCH_DAY


def charge(
    connection: Connection, nonce: Row[Any], amount_wei: int, day: int, budget_wei: int | None
) -> None:
    """Puts the most that a nonce can cost to this day's account. A nonce is paid once, so a
    replacement counts instead of what it replaces. OverBudget if the day's budget, None for none,
    does not cover it."""
    before = int(nonce.at_stake_wei or 0)
    amount = max(before, amount_wei)
    if nonce.day is not None:
        _change(connection, nonce.chain_id, nonce.day, {"at_stake_wei": -before})
    after = _change(connection, nonce.chain_id, day, {"at_stake_wei": amount})
    if budget_wei is not None and after > budget_wei:
        raise OverBudget("the day's budget for anchors is used up")  # rolls back
    _keep(connection, nonce, {"day": day, "at_stake_wei": str(amount)})


def release(connection: Connection, nonce: Row[Any]) -> None:
    """The nonce was given up: nothing of it will be paid."""
    if nonce.day is None:
        return
    stake = -int(nonce.at_stake_wei)
    _change(connection, nonce.chain_id, nonce.day, {"at_stake_wei": stake})
    _keep(connection, nonce, {"at_stake_wei": "0"})


def pay(connection: Connection, nonce: Row[Any], amount_wei: int, records: int) -> None:
    """The nonce's anchor is final: what it cost replaces what it could have cost."""
    if nonce.day is None or nonce.paid_wei is not None:
        return
    changes = {
        "at_stake_wei": -int(nonce.at_stake_wei),
        "paid_wei": amount_wei,
        "anchors": 1,
        "records": records,
    }
    _change(connection, nonce.chain_id, nonce.day, changes)
    _keep(connection, nonce, {"at_stake_wei": "0", "paid_wei": str(amount_wei)})


def spent(store: Store, now: datetime) -> list[Spending]:
    """Each chain's account, by chain id."""
    with store.read() as connection:
        rows = connection.execute(select(spending).order_by(spending.c.chain_id)).all()
    today = day_of(now)
    found: dict[int, list[int]] = {}
    for row in rows:
        sums = found.setdefault(row.chain_id, [0] * 5)
        amounts = [int(row.at_stake_wei), int(row.paid_wei), row.anchors, row.records]
        amounts.append(sum(amounts[:2]) if row.day == today else 0)
        sums[:] = [a + b for a, b in zip(sums, amounts, strict=True)]
    return [Spending(chain_id, *sums) for chain_id, sums in found.items()]


def _change(connection: Connection, chain_id: int, day: int, changes: Mapping[str, int]) -> int:
    """Adds to a day's account; returns what the budget counts of it."""
    spot = {"chain_id": chain_id, "day": day}
    connection.execute(
        upsert(connection, spending)
        .values(**spot, at_stake_wei="0", paid_wei="0", anchors=0, records=0)
        .on_conflict_do_nothing(index_elements=["chain_id", "day"])
    )
    row = connection.execute(select(spending).filter_by(**spot).with_for_update()).one()
    stake = int(row.at_stake_wei) + changes.get("at_stake_wei", 0)
    paid = int(row.paid_wei) + changes.get("paid_wei", 0)
    connection.execute(
        update(spending)
        .where(spending.c.chain_id == chain_id, spending.c.day == day)
        .values(
            at_stake_wei=str(stake),
            paid_wei=str(paid),
            anchors=row.anchors + changes.get("anchors", 0),
            records=row.records + changes.get("records", 0),
        )
    )
    return stake + paid


def _keep(connection: Connection, nonce: Row[Any], values: Mapping[str, object]) -> None:
    connection.execute(
        update(nonces)
        .where(
            nonces.c.chain_id == nonce.chain_id,
            nonces.c.sender == nonce.sender,
            nonces.c.nonce == nonce.nonce,
        )
        .values(**values)
    )

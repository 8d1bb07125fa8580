"""Anchors for batches that have one already, on another chain: only when they are asked for.

A request is one row: all batches up to one, on one chain. The anchor step works it off behind the
new batches, within the day's budget; what is done is seen from the anchors alone, so that it goes
on wherever it was cut off, and asking again changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, insert, select, update

from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import anchor_requests, anchors, batches


@dataclass(frozen=True)
class Progress:
    """Of the batches asked for on this chain: how many there are, how many have an anchor there,
    and how many a final one."""

    chain_id: int
    wanted: int
    anchored: int
    final: int
    requested_at: datetime | None

    @property
    def left(self) -> int:
        return self.wanted - self.final


def request_anchors(store: Store, chain_id: int, now: datetime) -> Progress:
    """Asks for an anchor on this chain for every batch closed so far. If we die before COMMIT
    nothing was asked; after it the worker does the rest."""
    with store.write() as connection:
        newest = connection.execute(select(func.max(batches.c.id))).scalar() or 0
        old = connection.execute(
            select(anchor_requests).where(anchor_requests.c.chain_id == chain_id).with_for_update()
        ).first()
        values = {"upto_batch": newest, "requested_at": milliseconds(now), "done_at": None}
        if old is None:
            connection.execute(insert(anchor_requests), {"chain_id": chain_id, **values})
        elif old.upto_batch < newest:
            connection.execute(
                update(anchor_requests)
                .where(anchor_requests.c.chain_id == chain_id)
                .values(**values)
            )
    return progress(store, chain_id)


def progress(store: Store, chain_id: int) -> Progress:
    """How far the request for this chain has come; all noughts if there is none."""
    here = exists().where(anchors.c.batch == batches.c.id, anchors.c.chain_id == chain_id)
    final = exists().where(
        anchors.c.batch == batches.c.id, anchors.c.chain_id == chain_id, anchors.c.state == "final"
    )
    with store.read() as connection:
        request = connection.execute(
            select(anchor_requests).where(anchor_requests.c.chain_id == chain_id)
        ).first()
        if request is None:
            return Progress(chain_id, 0, 0, 0, None)
        wanted, anchored, done = [
            connection.execute(
                select(func.count())
                .select_from(batches)
                .where(batches.c.id <= request.upto_batch, *condition)
            ).scalar_one()
            for condition in ((), (here,), (final,))
        ]
    return Progress(chain_id, wanted, anchored, done, moment(request.requested_at))


def finish(store: Store, chain_id: int, now: datetime) -> bool:
    """Closes a request whose batches all have a final anchor; says whether it did."""
    with store.read() as connection:
        open_one = connection.execute(
            select(anchor_requests.c.chain_id).where(
                anchor_requests.c.chain_id == chain_id, anchor_requests.c.done_at.is_(None)
            )
        ).first()
    if open_one is None or progress(store, chain_id).left:
        return False
    with store.write() as connection:
        connection.execute(
            update(anchor_requests)
            .where(anchor_requests.c.chain_id == chain_id, anchor_requests.c.done_at.is_(None))
            .values(done_at=milliseconds(now))
        )
    return True

"""Batches: closing one, and which wait.

What needs time (reading the members, hashing the tree) is done before the write transaction, so
that the gateway is not kept waiting; the transaction then locks the log's head and goes on only
if nothing has changed. Members and sequence are fixed in it, and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from proofmail.core.batch import FIRST_PREVIOUS, MAX_RECORDS, Header, batch_tree
from proofmail.core.merkle import Tree
from proofmail.store import counters
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import batch_counts, batches, log_heads, memberships, records

_CHUNK = 2000


@dataclass(frozen=True)
class _Draft:
    header: Header
    tree: Tree
    members: list[tuple[int, str]]
    """Sequence and organisation of each record, in the order of the tree."""


def close_batch(
    store: Store,
    log: str,
    now: datetime,
    *,
    max_records: int = 10_000,
    max_age_seconds: float = 600,
) -> int | None:
    """Closes a batch of the log's oldest records; returns its sequence number, None for none.

    Records from after `now` (the clock was set back since) are left for later: a block made now
    would say that their received_at is untrue. It closes when `max_records` records wait, or when
    the oldest has waited `max_age_seconds`. Safe to run twice and at the same time: of two runs
    that drafted the same batch one finds the head moved and returns None. If the process dies
    before COMMIT nothing happened; the next run drafts the batch anew, with a later closing time.
    """
    if not 1 <= max_records <= MAX_RECORDS:
        raise ValueError(f"a batch has 1 to {MAX_RECORDS} records")
    draft = _draft(store, log, now, max_records, max_age_seconds)
    if draft is None:
        return None
    with store.write() as connection:
        return _fix(connection, draft)


def _draft(
    store: Store, log: str, now: datetime, max_records: int, max_age_seconds: float
) -> _Draft | None:
    with store.read() as connection:
        waiting = connection.execute(
            select(
                records.c.sequence,
                records.c.organisation,
                records.c.received_at,
                records.c.record,
            )
            .where(records.c.log == log, records.c.batch.is_(None))
            .where(records.c.received_at <= milliseconds(now))
            .order_by(records.c.sequence)
            .limit(max_records)
        ).all()
        head = connection.execute(select(log_heads).where(log_heads.c.log == log)).first()
    if not waiting:
        return None
    oldest = moment(min(row.received_at for row in waiting))
    if len(waiting) < max_records and now - oldest < timedelta(seconds=max_age_seconds):
        return None
    header = Header(
        log=log,
        sequence=head.sequence + 1 if head else 1,
        previous=head.root if head else FIRST_PREVIOUS,
        count=len(waiting),
        closed_at=moment(milliseconds(now)),
    )
    tree = batch_tree(header, [row.record for row in waiting])
    return _Draft(header, tree, [(row.sequence, row.organisation) for row in waiting])


def _fix(connection: Connection, draft: _Draft) -> int | None:
    header = draft.header
    if not _advance(connection, draft):
        return None
    made = connection.execute(
        insert(batches).returning(batches.c.id),
        {
            "log": header.log,
            "sequence": header.sequence,
            "header": header.to_bytes(),
            "root": draft.tree.root,
            "header_path": b"".join(draft.tree.path(0)),
            "count": header.count,
            "closed_at": milliseconds(header.closed_at),
            "state": "batched",
        },
    ).scalar_one()
    for rows in _memberships(draft, made):
        connection.execute(insert(memberships), rows)
    mine = select(memberships.c.record).where(memberships.c.batch == made)
    moved = connection.execute(
        update(records)
        .where(records.c.sequence.in_(mine), records.c.batch.is_(None))
        .values(batch=made)
    )
    if moved.rowcount != header.count:
        # The head has not moved since the draft, so only a fault of ours can lead here. Rolls back.
        raise RuntimeError("the members of a batch are not those of its draft")
    _count(connection, made)
    return header.sequence


def _advance(connection: Connection, draft: _Draft) -> bool:
    """Locks the log's head and moves it on to this batch; False if another batch came first."""
    header = draft.header
    log = header.log
    # The first time there is no row to lock: it is made at 0, by one of those who try.
    connection.execute(
        counters.upsert(connection, log_heads)
        .values(log=log, sequence=0, root=FIRST_PREVIOUS)
        .on_conflict_do_nothing(index_elements=["log"])
    )
    head = connection.execute(
        select(log_heads).where(log_heads.c.log == log).with_for_update()
    ).one()
    if (head.sequence + 1, head.root) != (header.sequence, header.previous):
        return False
    connection.execute(
        update(log_heads)
        .where(log_heads.c.log == log)
        .values(sequence=header.sequence, root=draft.tree.root)
    )
    return True


def _memberships(draft: _Draft, batch: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(draft.members), _CHUNK):
        yield [
            {
                "record": sequence,
                "organisation": organisation,
                "batch": batch,
                "idx": index,
                "path": b"".join(draft.tree.path(index)),
            }
            for index, (sequence, organisation) in enumerate(
                draft.members[start : start + _CHUNK], start + 1
            )
        ]


def _count(connection: Connection, batch: int) -> None:
    """After the update of the records, which keeps the stamper from them until COMMIT."""
    stamped = records.c.stamped_at.is_not(None).label("stamped")
    groups = connection.execute(
        select(records.c.organisation, records.c.kind, stamped, func.count().label("n"))
        .join(memberships, memberships.c.record == records.c.sequence)
        .where(memberships.c.batch == batch)
        .group_by(records.c.organisation, records.c.kind, stamped)
    ).all()
    changes: Counter[counters.Key] = Counter()
    sums: Counter[tuple[str, str]] = Counter()
    for organisation, kind, was_stamped, n in groups:
        changes[organisation, kind, counters.state_of(bool(was_stamped), None)] -= n
        changes[organisation, kind, "batched"] += n
        sums[organisation, kind] += n
    connection.execute(
        insert(batch_counts),
        [
            {"batch": batch, "organisation": organisation, "kind": kind, "n": n}
            for (organisation, kind), n in sorted(sums.items())
        ],
    )
    counters.bump(connection, changes)

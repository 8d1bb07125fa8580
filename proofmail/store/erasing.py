"""Erasing (DESIGN: what is proven, and what is kept).

What goes: secret and disclosures, summary, labels, keyed digests, the link to another record, and
every export of the organisation, for it may hold the record. What stays: the record's bytes and
signature, tokens, path, counts; they tell nothing to whoever holds neither a dossier nor the mail.
The row in `erasures` stays too, so that whoever restores an older copy of the database can erase
again: see `replay`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from proofmail.errors import Refused
from proofmail.store.counters import ATTACHMENTS, bump, upsert
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.exports import remove_all
from proofmail.store.tables import (
    arrivals,
    disclosures,
    erasures,
    identifiers,
    labels,
    records,
    summaries,
)

_ERASABLE = (disclosures, summaries, arrivals, identifiers, labels)


@dataclass(frozen=True)
class Erasure:
    """`swept_at` is None while the write-ahead log may still hold a copy."""

    record_id: str
    organisation: str
    erased_at: datetime
    swept_at: datetime | None


def erase(store: Store, organisation: str, record_id: str, now: datetime) -> None:
    """Erases what can be erased of a record. Safe to run twice. Refused for an unknown record.

    If the process dies after the first transaction, the rows are gone from the tables, and
    `sweep` (which the worker runs too) still has the write-ahead log to empty.
    """
    with store.write() as connection:
        found = connection.execute(
            select(records.c.sequence, records.c.kind)
            .where(records.c.id == record_id, records.c.organisation == organisation)
            .with_for_update()
        ).first()
        if found is None:
            raise Refused("there is no such record", enhanced="5.1.1")
        sequence = found.sequence
        attachments = connection.execute(
            select(summaries.c.attachments).where(summaries.c.record == sequence)
        ).scalar()
        for table in _ERASABLE:
            connection.execute(delete(table).where(table.c.record == sequence))
        connection.execute(
            update(records)
            .where(records.c.sequence == sequence, records.c.erased_at.is_(None))
            .values(erased_at=milliseconds(now), in_reply=None)
        )
        connection.execute(
            upsert(connection, erasures)
            .values(record_id=record_id, organisation=organisation, erased_at=milliseconds(now))
            .on_conflict_do_nothing(index_elements=["record_id"])
        )
        bump(connection, {(organisation, found.kind, ATTACHMENTS): -(attachments or 0)})
        # Their files may hold this record: handed out no more from here on, and swept away.
        remove_all(connection, organisation, now)
    sweep(store, now)


def sweep(store: Store, now: datetime) -> bool:
    """Empties SQLite's write-ahead log when an erasure waits for it; False if readers kept it
    from that, so that it has to be tried again. PostgreSQL's own log and dead rows are for the
    operator's retention and VACUUM: nothing can be done about them here."""
    with store.read() as connection:
        waiting = list(
            connection.execute(
                select(erasures.c.record_id).where(erasures.c.swept_at.is_(None))
            ).scalars()
        )
    if not waiting:
        return True
    if store.is_sqlite and not _truncate_log(store):
        return False
    with store.write() as connection:
        connection.execute(
            update(erasures)
            .where(erasures.c.record_id.in_(waiting))
            .values(swept_at=milliseconds(now))
        )
    return True


def erasures_since(store: Store, since: datetime) -> list[Erasure]:
    """What was erased since then: to be kept beside the backups, for `replay`."""
    with store.read() as connection:
        rows = connection.execute(
            select(erasures)
            .where(erasures.c.erased_at >= milliseconds(since))
            .order_by(erasures.c.erased_at, erasures.c.record_id)
        ).all()
    return [
        Erasure(
            row.record_id,
            row.organisation,
            moment(row.erased_at),
            None if row.swept_at is None else moment(row.swept_at),
        )
        for row in rows
    ]


def replay(store: Store, erased: Iterable[Erasure], now: datetime) -> int:
    """Erases again after a restore; returns how many records the copy still had. Those that it
    never had are passed over."""
    found = 0
    for item in erased:
        try:
            erase(store, item.organisation, item.record_id, now)
        except Refused:
            continue
        found += 1
    return found


def _truncate_log(store: Store) -> bool:
    """Copies the log into the file, where secure_delete has written zeros, and cuts it to 0."""
    with store.engine.connect() as connection:
        raw = connection.connection.cursor()
        try:
            busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            raw.close()
    return not busy

"""Records: kept in groups, looked up, paged.

Life of a record here: `keep` writes it with everything that belongs to it; `stamps` adds tokens;
`batches` puts it in a batch; `erasing` takes away what can be erased. Its row never goes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from proofmail.store import counters
from proofmail.store.bulk import ask, put
from proofmail.store.engine import Store, moment
from proofmail.store.tables import (
    arrivals,
    batches,
    disclosures,
    identifiers,
    organisations,
    records,
    summaries,
)

SAME_MESSAGE_MS = 7 * 24 * 3600 * 1000
"""For how long the same bytes from the same sender are the same message (DESIGN, life of a
message); a sender's server gives up long before."""


@dataclass(frozen=True)
class Summary:
    """What lists show and searches read of a mail; erased with its disclosures. `thread` is the
    sequence of the first recorded mail of its thread, None for that one itself."""

    sender: str
    recipients: str
    subject: str
    date: str
    parts: int
    attachments: int
    recipients_count: int
    receipt_requested: bool
    search: str
    thread: int | None = None


@dataclass(frozen=True)
class NewRecord:
    """A sealed and signed record, ready to be kept. `received_at` is in milliseconds, `entries`
    canonical JSON, `in_reply` a sequence, `units` what is metered (0: nothing). Digests are keyed;
    without `arrival` the record is never taken for one that is there already, and `answers` are
    the identifiers of the mails before it, the nearest first."""

    id: str
    organisation: str
    kind: str
    log: str
    received_at: int
    record: bytes
    signature: bytes
    key_id: bytes
    secret: bytes
    entries: bytes
    units: int = 0
    in_reply: int | None = None
    summary: Summary | None = None
    arrival: bytes | None = None
    identifier: bytes | None = None
    answers: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Linked:
    """The recorded mail that an identifier names."""

    sequence: int
    id: str
    record_sha256: bytes


@dataclass(frozen=True)
class StoredRecord:
    """A record as it stands. `summary` is None for one without, and once it was erased."""

    sequence: int
    id: str
    organisation: str
    kind: str
    log: str
    received_at: datetime
    state: str
    stamped: bool
    units: int
    in_reply_id: str | None
    record: bytes
    erased_at: datetime | None
    summary: Summary | None


def keep(connection: Connection, new: Sequence[NewRecord]) -> list[str]:
    """Keeps a group of records in the caller's write transaction; returns their ids in order.

    A message that arrived already within seven days is not kept again: its first id is returned,
    also when both are in this group. If the process dies before the caller's COMMIT, nothing of
    the group was kept, and nobody was told an id.
    """
    _lock(connection, new)
    known = _arrived(connection, new)
    ids, fresh = [], []
    for item in new:
        key = (item.organisation, item.arrival)
        first = known.get(key) if item.arrival else None
        if first and item.received_at - first[1] < SAME_MESSAGE_MS:
            ids.append(first[0])
            continue
        if item.arrival:
            known[key] = (item.id, item.received_at)
        ids.append(item.id)
        fresh.append(item)
    if fresh:
        _insert(connection, fresh)
    return ids


def _lock(connection: Connection, new: Sequence[NewRecord]) -> None:
    """On PostgreSQL two processes must not look for the same arrival at the same time. This lock
    lets other tables go on referring to the row. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            select(organisations.c.id)
            .where(organisations.c.id.in_({item.organisation for item in new}))
            .order_by(organisations.c.id)
            .with_for_update(key_share=True)
        ).all()


def _arrived(
    connection: Connection, new: Sequence[NewRecord]
) -> dict[tuple[str, bytes | None], tuple[str, int]]:
    digests = [item.arrival for item in new if item.arrival]
    if not digests:
        return {}
    marks = ", ".join("?" * len(digests))
    rows = ask(connection, f"{_ARRIVED} ({marks})", digests)
    return {(organisation, digest): (id_, at) for organisation, digest, id_, at in rows}


# Statements of `keep` are built once: the gateway's senders wait for it.
_ARRIVED = (
    "SELECT a.organisation, a.digest, r.id, a.received_at FROM arrivals a "
    "JOIN records r ON r.sequence = a.record WHERE a.digest IN"
)
_THREADS = (
    "SELECT i.organisation, i.digest, coalesce(s.thread, i.record) FROM identifiers i "
    "LEFT JOIN summaries s ON s.record = i.record WHERE i.digest IN"
)
_ASKED_AT_ONCE = 500
"""SQLite takes no more than 999 values in a statement in its older builds."""
_DISCLOSE = insert(disclosures)
_SUMMARISE = insert(summaries)
_IDENTIFY = insert(identifiers)
_NUMBERED = insert(records)
_NEWEST = "SELECT coalesce(max(sequence), 0) FROM records"


def _insert(connection: Connection, fresh: Sequence[NewRecord]) -> None:
    sequences = _insert_records(connection, fresh)
    owned = [
        ({"record": sequences[item.id], "organisation": item.organisation}, item) for item in fresh
    ]
    rows = [{**owner, "secret": item.secret, "entries": item.entries} for owner, item in owned]
    put(connection, _DISCLOSE, rows)
    threads = _threads(connection, fresh)
    if rows := [
        {**owner, **vars(item.summary), "thread": threads.get(item.id)}
        for owner, item in owned
        if item.summary
    ]:
        put(connection, _SUMMARISE, rows)
    if rows := [{**owner, "digest": item.identifier} for owner, item in owned if item.identifier]:
        put(connection, _IDENTIFY, rows)
    _note_arrivals(connection, owned)
    _count(connection, fresh)


def _threads(connection: Connection, fresh: Sequence[NewRecord]) -> dict[str, int]:
    """The first mail of the thread of each that answers a recorded one, by id."""
    named = {(item.organisation, digest) for item in fresh for digest in item.answers}
    if not named:
        return {}
    digests = sorted({digest for _, digest in named})
    found: dict[tuple[str, bytes], int] = {}
    for start in range(0, len(digests), _ASKED_AT_ONCE):
        some = digests[start : start + _ASKED_AT_ONCE]
        marks = ", ".join("?" * len(some))
        for organisation, digest, first in ask(connection, f"{_THREADS} ({marks})", some):
            found.setdefault((organisation, digest), first)
    threads = {}
    for item in fresh:
        known = (found.get((item.organisation, digest)) for digest in item.answers)
        first = next((sequence for sequence in known if sequence is not None), None)
        if first is not None:
            threads[item.id] = first
    return threads


def _insert_records(connection: Connection, fresh: Sequence[NewRecord]) -> dict[str, int]:
    """The sequence of each, by id."""
    rows = [_record_row(item) for item in fresh]
    if connection.dialect.name == "postgresql":
        return {row.id: row.sequence for row in connection.execute(_KEEP, rows)}
    # SQLite's one writer holds the lock, and a new row gets the largest number and one anyway.
    first = ask(connection, _NEWEST, ())[0][0] + 1
    for sequence, row in enumerate(rows, first):
        row["sequence"] = sequence
    put(connection, _NUMBERED, rows)
    return {row["id"]: row["sequence"] for row in rows}


def _note_arrivals(
    connection: Connection, owned: Sequence[tuple[dict[str, Any], NewRecord]]
) -> None:
    # The last of a group counts: it can only be a later one when the earlier is over seven days.
    latest = {
        (item.organisation, item.arrival): {
            **owner,
            "digest": item.arrival,
            "received_at": item.received_at,
        }
        for owner, item in owned
        if item.arrival
    }
    if latest:
        put(connection, _arriving(connection.dialect.name), list(latest.values()))


@cache
def _arriving(dialect: str) -> Any:
    statement = counters.insert_into(dialect, arrivals)
    return statement.on_conflict_do_update(
        index_elements=["organisation", "digest"],
        set_={
            "record": statement.excluded.record,
            "received_at": statement.excluded.received_at,
        },
    )


_KEEP = insert(records).returning(records.c.id, records.c.sequence)


def _record_row(item: NewRecord) -> dict[str, Any]:
    return {
        "id": item.id,
        "organisation": item.organisation,
        "kind": item.kind,
        "log": item.log,
        "received_at": item.received_at,
        "record": item.record,
        "record_sha256": sha256(item.record).digest(),
        "signature": item.signature,
        "key_id": item.key_id,
        "in_reply": item.in_reply,
        "units": item.units,
    }


def _count(connection: Connection, fresh: Sequence[NewRecord]) -> None:
    changes: Counter[counters.Key] = Counter()
    metered: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for item in fresh:
        changes[item.organisation, item.kind, "recorded"] += 1
        if item.summary:
            key = (item.organisation, item.kind, counters.ATTACHMENTS)
            changes[key] += item.summary.attachments
        if item.units:
            at = moment(item.received_at)
            month = (item.organisation, f"{at.year:04}-{at.month:02}")  # strftime costs much more
            mails, units = metered[month]
            metered[month] = (mails + 1, units + item.units)
    counters.bump(connection, changes)
    counters.meter(connection, metered)


def linked(connection: Connection, organisation: str, digests: Sequence[bytes]) -> Linked | None:
    """The newest record of the organisation that the first of these identifiers names which
    names any."""
    if not digests:
        return None
    rows = connection.execute(
        select(identifiers.c.digest, records.c.sequence, records.c.id, records.c.record_sha256)
        .join(records, records.c.sequence == identifiers.c.record)
        .where(identifiers.c.organisation == organisation, identifiers.c.digest.in_(digests))
        .order_by(records.c.sequence)
    ).all()
    newest = {row.digest: Linked(*row[1:]) for row in rows}
    return next((newest[digest] for digest in digests if digest in newest), None)


def find(connection: Connection, organisation: str, record_id: str) -> Linked | None:
    """The record with this id, as something to link to. One that was erased is not found."""
    row = connection.execute(
        select(records.c.sequence, records.c.id, records.c.record_sha256).where(
            records.c.id == record_id,
            records.c.organisation == organisation,
            records.c.erased_at.is_(None),
        )
    ).first()
    return Linked(*row) if row else None


# --- looking up ----------------------------------------------------------------------------

_parent = records.alias("parent")


def stored() -> Select[Any]:
    """Records with their state and summary; the caller adds conditions and order."""
    return (
        select(
            records,
            batches.c.state.label("batch_state"),
            _parent.c.id.label("in_reply_id"),
            *(column for column in summaries.c if column.name not in ("record", "organisation")),
        )
        .join(batches, batches.c.id == records.c.batch, isouter=True)
        .join(_parent, _parent.c.sequence == records.c.in_reply, isouter=True)
        .join(summaries, summaries.c.record == records.c.sequence, isouter=True)
    )


def read_row(row: Row[Any]) -> StoredRecord:
    """A row of :func:`stored`."""
    found = row._mapping
    stamped = found["stamped_at"] is not None
    summary = None
    if found["search"] is not None:
        names = [column.name for column in summaries.c]
        summary = Summary(**{n: found[n] for n in names if n not in ("record", "organisation")})
    return StoredRecord(
        sequence=found["sequence"],
        id=found["id"],
        organisation=found["organisation"],
        kind=found["kind"],
        log=found["log"],
        received_at=moment(found["received_at"]),
        state=counters.state_of(stamped, found["batch_state"]),
        stamped=stamped,
        units=found["units"],
        in_reply_id=found["in_reply_id"],
        record=found["record"],
        erased_at=None if found["erased_at"] is None else moment(found["erased_at"]),
        summary=summary,
    )


def get_record(store: Store, organisation: str, record_id: str) -> StoredRecord | None:
    """The record with this id, if it is this organisation's."""
    with store.read() as connection:
        row = connection.execute(
            stored().where(records.c.id == record_id, records.c.organisation == organisation)
        ).first()
    return read_row(row) if row else None


def receipts_of(
    store: Store, organisation: str, record_id: str, limit: int = 256
) -> list[StoredRecord]:
    """The newest receipts and addenda of a record, oldest first."""
    with store.read() as connection:
        rows = connection.execute(
            stored()
            .where(_parent.c.id == record_id, _parent.c.organisation == organisation)
            .where(records.c.organisation == organisation)
            .order_by(records.c.sequence.desc())
            .limit(limit)
        ).all()
    return [read_row(row) for row in reversed(rows)]


def counts(store: Store, organisation: str) -> counters.Counts:
    with store.read() as connection:
        return counters.counts(connection, organisation)

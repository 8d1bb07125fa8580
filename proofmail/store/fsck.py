"""fsck: derives again what can be derived again, and says what can't.

Read-only; safe while the service runs: each piece is read in one transaction. The order is that
of a record's life. What the witnesses said is looked at in :mod:`proofmail.store.fsck_witnesses`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Row, func, select

from proofmail.core.canonical import decode
from proofmail.core.proof import Signature
from proofmail.core.record import (
    Disclosure,
    Record,
    check_commitment,
    make_record,
    read_entry,
    read_record,
)
from proofmail.errors import CheckFailed, Unreadable
from proofmail.store import counters, fsck_revocations, fsck_spending, fsck_witnesses
from proofmail.store.engine import Store, milliseconds
from proofmail.store.tables import (
    arrivals,
    batches,
    disclosures,
    erasures,
    identifiers,
    records,
    summaries,
)
from proofmail.store.tables import (
    counters as kept_counters,
)
from proofmail.verify.checks import check_signature

_CHUNK = 500


@dataclass(frozen=True)
class Finding:
    """`level` is fault, or not-checked for what cannot be judged here. `subject` names the row;
    texts never quote what is stored."""

    level: str
    subject: str
    text: str


def fsck(store: Store, keys: Mapping[bytes, bytes]) -> Iterator[Finding]:
    """Every finding, as it comes up; none of level fault means that all is well.

    `keys` are the service's public keys: SubjectPublicKeyInfo DER by key id (its SHA-256).
    """
    yield from _file(store)
    yield from _records(store, keys)
    for subject, text in chain(
        fsck_witnesses.faults(store), fsck_spending.faults(store), fsck_revocations.faults(store)
    ):
        yield Finding("fault", subject, text)
    for subject, text in fsck_revocations.open_questions(store):
        yield Finding("not-checked", subject, text)
    yield from _counters(store)
    yield from _erasures(store)
    for text in (
        "keyed digests of arrivals and identifiers: they were made of what was not kept",
        "tokens' signatures and certificates, and whether blocks are in their chains: both need "
        "trust; verify a proof for that",
        "summaries, which serve lists alone",
    ):
        yield Finding("not-checked", "-", text)


def _file(store: Store) -> Iterator[Finding]:
    """The database's own checks; PostgreSQL enforces its constraints and has no such command."""
    if not store.is_sqlite:
        return
    with store.read() as connection:
        if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar() != "ok":
            yield Finding("fault", "database", "SQLite finds its file damaged")
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield Finding("fault", f"table {row[0]}", "a row belongs to a row that is not there")


def _records(store: Store, keys: Mapping[bytes, bytes]) -> Iterator[Finding]:
    last = 0
    while True:
        with store.read() as connection:
            rows = connection.execute(
                select(records, disclosures.c.secret, disclosures.c.entries)
                .join(disclosures, disclosures.c.record == records.c.sequence, isouter=True)
                .where(records.c.sequence > last)
                .order_by(records.c.sequence)
                .limit(_CHUNK)
            ).all()
        if not rows:
            return
        for row in rows:
            subject = f"record {row.id}"
            try:
                _check_record(row)
            except (CheckFailed, Unreadable) as fault:
                yield Finding("fault", subject, str(fault))
                continue
            if row.key_id not in keys:
                yield Finding("not-checked", subject, "signed with a key that was not given")
                continue
            try:
                signature = Signature(row.key_id, row.signature)
                check_signature(keys[row.key_id], read_record(decode(row.record)), signature)
            except CheckFailed as fault:
                yield Finding("fault", subject, str(fault))
        last = rows[-1].sequence


def _check_record(row: Row[Any]) -> None:
    record = read_record(decode(row.record))
    if record.to_bytes() != row.record:
        raise CheckFailed("the record's bytes are not those of its values")
    if sha256(row.record).digest() != row.record_sha256:
        raise CheckFailed("the SHA-256 beside the record is not the record's")
    columns = (row.kind, row.log, row.received_at)
    if columns != (record.kind, record.log, milliseconds(record.received_at)):
        raise CheckFailed("kind, log or time beside the record are not the record's")
    if row.erased_at is not None:
        if row.entries is not None:
            raise CheckFailed("it was erased, and yet its disclosures are there")
        return
    if row.entries is None:
        raise CheckFailed("its disclosures are gone, and it was not erased")
    _check_entries(record, row.entries, row.secret)


def _check_entries(record: Record, stored: bytes, secret: bytes) -> None:
    entries = tuple(read_entry(entry) for entry in decode(stored))
    check_commitment(record, entries)
    claims = {entry.name: entry.value for entry in entries if isinstance(entry, Disclosure)}
    again = make_record(record.kind, record.log, record.received_at, claims, secret)
    if again.entries_json != stored:
        raise CheckFailed("salts and decoys are not those of its secret")


def _counters(store: Store) -> Iterator[Finding]:
    with store.read() as connection:
        expected = {key: n for key, n in _count_again(connection).items() if n}
        kept = {
            (row.organisation, row.kind, row.name): row.n
            for row in connection.execute(select(kept_counters)).all()
            if row.n
        }
    for key in sorted(expected.keys() | kept.keys()):
        if expected.get(key, 0) != kept.get(key, 0):
            where = f"counter {'/'.join(key)}"
            text = f"is {kept.get(key, 0)}, counted {expected.get(key, 0)}"
            yield Finding("fault", where, text)


def _count_again(connection: Connection) -> Counter[counters.Key]:
    found: Counter[counters.Key] = Counter()
    stamped = records.c.stamped_at.is_not(None).label("stamped")
    groups = connection.execute(
        select(
            records.c.organisation,
            records.c.kind,
            stamped,
            batches.c.state,
            func.count().label("n"),
        )
        .join(batches, batches.c.id == records.c.batch, isouter=True)
        .group_by(records.c.organisation, records.c.kind, stamped, batches.c.state)
    ).all()
    for organisation, kind, has_token, state, n in groups:
        found[organisation, kind, counters.state_of(bool(has_token), state)] += n
        if has_token:
            found[organisation, kind, counters.WITH_TOKEN] += n
    sums = connection.execute(
        select(records.c.organisation, records.c.kind, func.sum(summaries.c.attachments))
        .join(summaries, summaries.c.record == records.c.sequence)
        .group_by(records.c.organisation, records.c.kind)
    ).all()
    for organisation, kind, n in sums:
        found[organisation, kind, counters.ATTACHMENTS] += int(n)
    return found


def _erasures(store: Store) -> Iterator[Finding]:
    with store.read() as connection:
        for table in (disclosures, summaries, arrivals, identifiers):
            left = connection.execute(
                select(records.c.id)
                .join(table, table.c.record == records.c.sequence)
                .join(erasures, erasures.c.record_id == records.c.id)
            ).scalars()
            for record_id in left:
                text = f"it was erased, and yet a row of {table.name} is there"
                yield Finding("fault", f"record {record_id}", text)
        waiting = connection.execute(
            select(func.count()).select_from(erasures).where(erasures.c.swept_at.is_(None))
        ).scalar_one()
    if waiting:
        text = f"{waiting} erased records may still be in the write-ahead log"
        yield Finding("fault", "erasures", text)

"""Counts kept beside the records, in the very transactions that change them.

The synthesis then costs the same with a thousand records as with a million. Counting by an index
would read every entry of it, and moving a batch of 100,000 records to another state would write
every one of them; here it changes a few rows. fsck counts again and compares.

Order of locks: a transaction changes counters after everything else, and sorted, so that two of
them never wait for one another (PostgreSQL).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from proofmail.store.bulk import put
from proofmail.store.tables import counters, usage

STATES = ("recorded", "stamped", "batched", "anchored", "final")
WITH_TOKEN = "with_token"  # noqa: S105 - a counter's name
ATTACHMENTS = "attachments"

Key: TypeAlias = tuple[str, str, str]
"""Organisation, kind, name of the counter."""


@dataclass(frozen=True)
class Counts:
    """What an organisation has. `states` counts every record once, in its furthest state;
    `with_token` counts those with at least one time-stamp, whatever else they have."""

    messages: int
    receipts: int
    attachments: int
    others: int
    with_token: int
    states: Mapping[str, int] = field(default_factory=dict)
    message_states: Mapping[str, int] = field(default_factory=dict)


def state_of(stamped: bool, batch_state: str | None) -> str:
    """The furthest state of a record: its batch's if it is in one, else whether it is stamped."""
    return batch_state or ("stamped" if stamped else "recorded")


def upsert(connection: Connection, table: Table) -> Any:
    """INSERT … ON CONFLICT, which both databases have and SQLAlchemy spells per database."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


@cache
def _adding(dialect: str, table: Table, *names: str) -> Any:
    """Adds to the named columns of a row, or makes it. Built once: the gateway waits for it."""
    statement = insert_into(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: table.c[name] + statement.excluded[name] for name in names},
    )


def bump(connection: Connection, changes: Mapping[Key, int]) -> None:
    """Adds to counters; those that do not exist yet start from 0."""
    rows = [
        {"organisation": organisation, "kind": kind, "name": name, "n": n}
        for (organisation, kind, name), n in sorted(changes.items())
        if n
    ]
    if not rows:
        return
    put(connection, _adding(connection.dialect.name, counters, "n"), rows)


def move(
    changes: Counter[Key], organisation: str, kind: str, n: int, path: tuple[str, str]
) -> None:
    """Notes in `changes` that `n` records went from the first state of `path` to the second."""
    changes[organisation, kind, path[0]] -= n
    changes[organisation, kind, path[1]] += n


def meter(connection: Connection, changes: Mapping[tuple[str, str], tuple[int, int]]) -> None:
    """Adds (mails, units) to the usage of an (organisation, month)."""
    rows = [
        {"organisation": organisation, "month": month, "mails": mails, "units": units}
        for (organisation, month), (mails, units) in sorted(changes.items())
    ]
    if not rows:
        return
    put(connection, _adding(connection.dialect.name, usage, "mails", "units"), rows)


def counts(connection: Connection, organisation: str) -> Counts:
    """The synthesis of an organisation: a few rows, whatever it has recorded."""
    rows = connection.execute(
        select(counters.c.kind, counters.c.name, counters.c.n).where(
            counters.c.organisation == organisation
        )
    ).all()
    states: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    of_messages: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    kinds: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for kind, name, n in rows:
        if name not in STATES:
            named[name] += n
            continue
        states[name] += n
        kinds[kind] += n
        if kind == "message":
            of_messages[name] += n
    return Counts(
        messages=kinds["message"],
        receipts=kinds["receipt"],
        attachments=named[ATTACHMENTS],
        others=kinds.total() - kinds["message"] - kinds["receipt"],
        with_token=named[WITH_TOKEN],
        states=dict(states),
        message_states=dict(of_messages),
    )

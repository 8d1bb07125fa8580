"""What stands in the way right now: told by the process that meets it, shown by the others.

A condition is a name of a closed list, the thing that it is about, and a few short words for its
sentence. It is there as long as it holds. Whoever notes one clears it too; if a process dies in
between, its successor meets the same state and does so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from proofmail.core.canonical import decode, encode
from proofmail.store.counters import upsert
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import conditions

REFRESH = timedelta(seconds=30)
MAX_WORD = 100


@dataclass(frozen=True)
class Condition:
    """`since` when it began, `at` when it was met last; `details` fills its sentence."""

    name: str
    subject: str
    details: Mapping[str, str]
    since: datetime
    at: datetime


def note(store: Store, name: str, subject: str, details: Mapping[str, str], now: datetime) -> None:
    """Says that this holds. Its beginning is kept; unchanged within REFRESH, nothing is written."""
    words = encode({key: value[:MAX_WORD] for key, value in details.items()}).decode("utf-8")
    key = (conditions.c.name == name, conditions.c.subject == subject)
    with store.read() as connection:
        old = connection.execute(select(conditions).where(*key)).first()
    if old and old.details == words and abs(now - moment(old.at)) < REFRESH:
        return
    with store.write() as connection:
        statement = upsert(connection, conditions).values(
            name=name, subject=subject, details=words, since=milliseconds(now), at=milliseconds(now)
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name", "subject"],
                set_={"details": words, "at": milliseconds(now)},
            )
        )


def clear(store: Store, name: str, subject: str | None = None) -> None:
    """Says that this holds no more, for one subject or for all."""
    key = [conditions.c.name == name]
    if subject is not None:
        key.append(conditions.c.subject == subject)
    with store.read() as connection:
        if connection.execute(select(conditions.c.name).where(*key)).first() is None:
            return
    with store.write() as connection:
        connection.execute(delete(conditions).where(*key))


def current(store: Store) -> list[Condition]:
    """All that holds, in order of name and subject."""
    with store.read() as connection:
        rows = connection.execute(
            select(conditions).order_by(conditions.c.name, conditions.c.subject)
        ).all()
    return [
        Condition(
            row.name,
            row.subject,
            decode(row.details.encode("utf-8")),
            moment(row.since),
            moment(row.at),
        )
        for row in rows
    ]

"""Lists of records, page by page, newest first.

A page starts after a cursor (the last row's received_at and sequence) and is read from an index
that has that order, so that page 1 of a thousand records and page 20,000 of a million cost alike.
Two cases need care. Records in a state that few are in are found from the batches in that state
(the counters tell how many there are). A search for text reads summaries, newest first, and stops
after `SCAN_ROWS` of them: the page then says how far it looked, and its cursor goes on from
there. There is no index over words: it would double what the gateway has to write for each mail,
and an erased word would be hard to get out of it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from proofmail.errors import Unreadable
from proofmail.store.counters import counts
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.records import StoredRecord, read_row, stored
from proofmail.store.tables import batches, labels, memberships, records, summaries

SCAN_ROWS = 20_000
FEW = 2000
MAX_LIMIT = 500


@dataclass(frozen=True)
class Filter:
    """What to list; None and "" stand for anything. `since` is included, `until` is not."""

    state: str | None = None
    kind: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    label: str = ""
    thread: str = ""
    """The id of any record of a thread: all of its mails."""

    @property
    def few(self) -> bool:
        """Whether it names records that are found without looking at the others."""
        return bool(self.label or self.thread)


ANY = Filter()


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of the next page, None after the last. `searched_back_to` is set when
    a search stopped before it had looked at everything."""

    items: tuple[StoredRecord, ...]
    next: str | None
    searched_back_to: datetime | None = None


def day_start(text: str, zone: ZoneInfo, days_after: int = 0) -> datetime | None:
    """The beginning of a day YYYY-MM-DD in the zone, or of one that many days later; None for
    nothing. Unreadable for what is no such day, in words for whoever typed it."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days_after)
    except (ValueError, OverflowError):
        raise Unreadable("a day is written YYYY-MM-DD") from None
    if not 1971 <= day.year <= 9000:
        raise Unreadable("a day is from 1971 to 9000")
    return datetime.combine(day, time(), zone)


def fold(text: str) -> str:
    """Case and accents away: what searches compare."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def list_records(
    store: Store, organisation: str, *, limit: int, before: str | None = None, only: Filter = ANY
) -> Page:
    """A page of an organisation's records. Unreadable for a cursor that is not one of ours."""
    limit = max(1, min(limit, MAX_LIMIT))
    conditions = [records.c.organisation == organisation, *_conditions(only)]
    if before is not None:
        conditions.append(_after(before))
    with store.read() as connection:
        order = _NEWEST_OF_FEW if only.few else _NEWEST_FIRST
        conditions += _chosen(organisation, only)
        if only.state is not None:
            many = counts(connection, organisation).states.get(only.state, 0)
            if not many:
                return Page((), None)
            conditions += _in_state(only.state, many)
            order = _NEWEST_OF_FEW if _few(only.state, many) else order
        last = None
        if only.text:
            last = _scanned_to(connection, conditions)
            if last is not None:
                conditions.append(_key() >= tuple_(*last))
            conditions += _contains(only.text)
        rows = connection.execute(
            stored().where(*conditions).order_by(*order).limit(limit + 1)
        ).all()
    items = tuple(read_row(row) for row in rows[:limit])
    if len(rows) > limit:
        end = items[-1]
        return Page(items, f"{milliseconds(end.received_at)}-{end.sequence}")
    if last is not None:
        return Page(items, f"{last[0]}-{last[1]}", moment(last[0]))
    return Page(items, None)


def count_thread(connection: Connection, organisation: str, record_id: str) -> int:
    """How many mails the thread of this record has, those that were erased left out."""
    chosen = _chosen(organisation, Filter(thread=record_id))
    statement = select(func.count()).select_from(records).where(records.c.erased_at.is_(None))
    return int(connection.execute(statement.where(*chosen)).scalar_one())


def _key() -> Any:
    return tuple_(records.c.received_at, records.c.sequence)


def _after(cursor: str) -> ColumnElement[bool]:
    received_at, _, sequence = cursor.partition("-")
    if not (received_at + sequence).isascii() or len(cursor) > 40:
        raise Unreadable("not a cursor")
    try:
        place = int(received_at), int(sequence)
    except ValueError as error:
        raise Unreadable("not a cursor") from error
    if not all(0 <= number < 2**63 for number in place):
        raise Unreadable("not a cursor")
    after: ColumnElement[bool] = _key() < tuple_(*place)
    return after


def _conditions(only: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if only.kind is not None:
        found.append(records.c.kind == only.kind)
    if only.since is not None:
        found.append(records.c.received_at >= milliseconds(only.since))
    if only.until is not None:
        found.append(records.c.received_at < milliseconds(only.until))
    return found


def _chosen(organisation: str, only: Filter) -> list[ColumnElement[bool]]:
    """Records with this label, and records of this thread."""
    found: list[ColumnElement[bool]] = []
    if only.label:
        labelled = select(labels.c.record).where(
            labels.c.organisation == organisation, labels.c.name == only.label
        )
        found.append(records.c.sequence.in_(labelled))
    if only.thread:
        first = (
            select(func.coalesce(summaries.c.thread, records.c.sequence))
            .join(summaries, summaries.c.record == records.c.sequence)
            .where(records.c.id == only.thread, records.c.organisation == organisation)
        )
        later = select(summaries.c.record).where(summaries.c.thread.in_(first))
        found.append(records.c.sequence.in_(first.union_all(later)))
    return found


def _few(state: str, many: int) -> bool:
    return state in ("batched", "anchored") and many <= FEW


def _in_state(state: str, many: int) -> list[ColumnElement[bool]]:
    if state in ("recorded", "stamped"):
        stamped = records.c.stamped_at
        return [
            records.c.batch.is_(None),
            stamped.is_(None) if state == "recorded" else stamped.is_not(None),
        ]
    if _few(state, many):
        members = (
            select(memberships.c.record)
            .join(batches, batches.c.id == memberships.c.batch)
            .where(batches.c.state == state)
        )
        return [records.c.sequence.in_(members)]
    # Many, so that one soon meets a page of them in the order's index.
    return [records.c.batch.in_(select(batches.c.id).where(batches.c.state == state))]


_NEWEST_FIRST: Sequence[ColumnElement[Any]] = (
    records.c.received_at.desc(),
    records.c.sequence.desc(),
)
# Found from their batches and then sorted. The sum keeps the planner from walking all records in
# order for them.
_NEWEST_OF_FEW: Sequence[ColumnElement[Any]] = (
    (records.c.received_at + 0).desc(),
    records.c.sequence.desc(),
)


def _scanned_to(
    connection: Connection, conditions: Sequence[ColumnElement[bool]]
) -> tuple[int, int] | None:
    """Where a search has to stop, or None when it reaches the end."""
    row = connection.execute(
        select(records.c.received_at, records.c.sequence)
        .where(*conditions)
        .order_by(*_NEWEST_FIRST)
        .offset(SCAN_ROWS - 1)
        .limit(1)
    ).first()
    return (row.received_at, row.sequence) if row else None


def _contains(text: str) -> list[ColumnElement[bool]]:
    """Every word of the text, anywhere in what is searched."""
    words = fold(text).split()[:8]
    return [summaries.c.search.contains(word, autoescape=True) for word in words]

"""Tokens: what is to be stamped, and keeping what an authority gave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from proofmail.core.canonical import base64url, encode
from proofmail.store import counters
from proofmail.store.bulk import ask, put
from proofmail.store.engine import Store, milliseconds
from proofmail.store.tables import records, tokens

MOST_COUNTED = 10_000
"""For a page: it costs the same whatever waits."""
_STAMPED = (
    records.c.sequence,
    records.c.id,
    records.c.organisation,
    records.c.received_at,
    records.c.record,
)


@dataclass(frozen=True)
class Unstamped:
    """A record that needs a token. `record` is what is stamped: its bytes. `held` are the
    authorities that it has tokens of, and `roots` as many values as those are independent."""

    sequence: int
    id: str
    organisation: str
    received_at: int
    record: bytes
    held: frozenset[str] = frozenset()
    roots: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class TreeSpot:
    """Where a record stands in the tree whose root was stamped; `path` as in a proof."""

    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class NewToken:
    """A token for one record, completely checked. `sequence` is that of :class:`Unstamped`,
    `authority` a name for pages, `certificates` DER."""

    sequence: int
    authority: str
    response: bytes
    gen_time: datetime
    certificates: tuple[bytes, ...] = ()
    tree: TreeSpot | None = None
    root: bytes | None = None
    """SHA-256 of the trusted certificate that its path ended in."""
    sent_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True)
class Window:
    """Records by when they were received, from `since` to before `until`; None: no bound."""

    since: datetime | None = None
    until: datetime | None = None


def unstamped(
    store: Store,
    limit: int,
    *,
    until: datetime | None = None,
    after: int = 0,
    helpers: Collection[str] | None = None,
) -> list[Unstamped]:
    """The oldest records, behind the sequence `after`, that do not have all the tokens that they
    need. With `until` set to now, without those from after it: the clock was set back since, and a
    token made now would say that their received_at is untrue. With `helpers`, without those that
    have tokens of all these authorities already."""
    where = [records.c.stamped_at.is_(None), records.c.sequence > after]
    if until is not None:
        where.append(records.c.received_at <= milliseconds(until))
    if helpers is not None:
        own = (tokens.c.record == records.c.sequence, tokens.c.authority.in_(sorted(helpers)))
        has = select(func.count()).select_from(tokens).where(*own).scalar_subquery()
        where.append(has < len(helpers))
    with store.read() as connection:
        rows = connection.execute(
            select(*_STAMPED).where(*where).order_by(records.c.sequence).limit(limit)
        ).all()
        held = _held(connection, [row.sequence for row in rows])
    return [Unstamped(*row, *held.get(row.sequence, ())) for row in rows]


def newest_unstamped(store: Store) -> int:
    """The highest sequence among the records that need a token; 0 when none does."""
    with store.read() as connection:
        query = select(func.max(records.c.sequence)).where(records.c.stamped_at.is_(None))
        return connection.execute(query).scalar() or 0


def partly_stamped_sequences(store: Store) -> list[int]:
    """All records that have a token, but do not read as stamped."""
    with store.read() as connection:
        has = exists().where(tokens.c.record == records.c.sequence)
        query = select(records.c.sequence).where(records.c.stamped_at.is_(None), has)
        return list(connection.execute(query).scalars())


def _held(
    connection: Connection, sequences: Sequence[int]
) -> dict[int, tuple[frozenset[str], frozenset[bytes]]]:
    """The authorities, and the distinct roots, of the tokens of those records that have any."""
    names, roots = _held_sets(connection, sequences)
    return {record: (frozenset(names[record]), frozenset(roots[record])) for record in names}


def _held_sets(
    connection: Connection, sequences: Sequence[int]
) -> tuple[defaultdict[int, set[str]], defaultdict[int, set[bytes]]]:
    names: defaultdict[int, set[str]] = defaultdict(set)
    roots: defaultdict[int, set[bytes]] = defaultdict(set)
    if sequences:
        marks = ", ".join("?" * len(sequences))
        text = f"SELECT record, authority, root FROM tokens WHERE record IN ({marks})"  # noqa: S608
        for record, authority, root in ask(connection, text, sequences):
            names[record].add(authority)
            roots[record].add(_independent(root, authority))
    return names, roots


def _independent(root: bytes | None, authority: str) -> bytes:
    """What makes a token one more witness: its root (SPEC §9.1). Tokens from before roots were
    kept are told apart by their authorities' names."""
    return root or authority.encode("utf-8")


def count_lacking(store: Store, authority: str, window: Window) -> int:
    """How many records of the window have no token of this authority."""
    with store.read() as connection:
        query = select(func.count()).select_from(records).where(*_lacking(authority, window))
        return connection.execute(query).scalar_one()


def lacking(
    store: Store, authority: str, window: Window, after: int, limit: int
) -> list[Unstamped]:
    """Records of the window that have no token of this authority, oldest first, from behind the
    record with the sequence `after` (0: from the first)."""
    with store.read() as connection:
        rows = connection.execute(
            select(*_STAMPED)
            .where(records.c.sequence > after, *_lacking(authority, window))
            .order_by(records.c.sequence)
            .limit(limit)
        ).all()
    return [Unstamped(*row) for row in rows]


def _lacking(authority: str, window: Window) -> list[Any]:
    has = exists().where(tokens.c.record == records.c.sequence, tokens.c.authority == authority)
    found: list[Any] = [~has]
    if window.since is not None:
        found.append(records.c.received_at >= milliseconds(window.since))
    if window.until is not None:
        found.append(records.c.received_at < milliseconds(window.until))
    return found


def count_unstamped(store: Store, most: int | None = None) -> int:
    """How many records need a token; counted up to `most`, if that is given."""
    with store.read() as connection:
        waiting = select(records.c.sequence).where(records.c.stamped_at.is_(None)).limit(most)
        query = select(func.count()).select_from(waiting.subquery())
        return connection.execute(query).scalar_one()


def save_tokens(
    store: Store,
    new: Sequence[NewToken],
    now: datetime,
    *,
    needed: int = 1,
    settled: Sequence[int] = (),
) -> int:
    """Keeps tokens in one transaction; returns how many were new.

    A record is stamped from the moment on that it has tokens under `needed` distinct roots.
    `settled` are records that may have them already, since fewer are needed than were.
    A second token of the same authority for the same record is ignored: the first one stays. If
    the process dies before the end, none was kept, and the records are still unstamped: they are
    stamped again, which costs a token and harms nothing.
    """
    wanted = sorted({*settled, *(item.sequence for item in new)})
    if not wanted:
        return 0
    with store.write() as connection:
        found = connection.execute(
            select(
                records.c.sequence,
                records.c.organisation,
                records.c.kind,
                records.c.batch,
                records.c.stamped_at,
            )
            .where(records.c.sequence.in_(wanted))
            .order_by(records.c.sequence)
            .with_for_update()
        ).all()
        owners = {row.sequence: row.organisation for row in found}
        names, roots = _held_sets(connection, wanted)
        rows = []
        for item in new:
            if item.authority not in names[item.sequence]:
                names[item.sequence].add(item.authority)
                roots[item.sequence].add(_independent(item.root, item.authority))
                rows.append(_row(item, owners[item.sequence], now))
        if rows:
            # The records are locked: nobody else can have kept the same meanwhile.
            put(connection, _INSERT, rows)
        fresh = [
            row for row in found if row.stamped_at is None and len(roots[row.sequence]) >= needed
        ]
        if fresh:
            connection.execute(
                update(records)
                .where(records.c.sequence.in_([row.sequence for row in fresh]))
                .values(stamped_at=milliseconds(now))
            )
        changes: Counter[counters.Key] = Counter()
        for row in fresh:
            changes[row.organisation, row.kind, counters.WITH_TOKEN] += 1
            if row.batch is None:
                changes[row.organisation, row.kind, "recorded"] -= 1
                changes[row.organisation, row.kind, "stamped"] += 1
        counters.bump(connection, changes)
    return len(rows)


def partly_stamped(store: Store, organisation: str) -> int:
    """How many of its records have a token, but not all that they need, among the oldest
    MOST_COUNTED that wait."""
    with store.read() as connection:
        waiting = (
            select(records.c.sequence, records.c.organisation)
            .where(records.c.stamped_at.is_(None))
            .order_by(records.c.sequence)
            .limit(MOST_COUNTED)
            .subquery()
        )
        has = exists().where(tokens.c.record == waiting.c.sequence)
        query = select(func.count()).select_from(waiting)
        return connection.execute(
            query.where(waiting.c.organisation == organisation, has)
        ).scalar_one()


_INSERT = insert(tokens)


def _row(item: NewToken, organisation: str, now: datetime) -> dict[str, Any]:
    return {
        "record": item.sequence,
        "organisation": organisation,
        "authority": item.authority,
        "response": item.response,
        "certificates": encode([base64url(der) for der in item.certificates]),
        "gen_time": milliseconds(item.gen_time),
        "tree_index": item.tree.index if item.tree else None,
        "tree_size": item.tree.size if item.tree else None,
        "tree_path": b"".join(item.tree.path) if item.tree else None,
        "checked_at": milliseconds(now),
        "root": item.root,
        "sent_at": milliseconds(item.sent_at) if item.sent_at else None,
        "answered_at": milliseconds(item.answered_at) if item.answered_at else None,
    }

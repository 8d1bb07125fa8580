"""Tokens: what is to be stamped, and keeping what an authority gave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from proofmail.core.canonical import base64url, encode
from proofmail.store import counters
from proofmail.store.bulk import ask, put
from proofmail.store.engine import Store, milliseconds
from proofmail.store.tables import records, tokens

_ALWAYS = 2**63 - 1
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


def unstamped(store: Store, limit: int, *, until: datetime | None = None) -> list[Unstamped]:
    """The oldest records that do not have all the tokens that they need. With `until` set to now,
    without those from after it: the clock was set back since, and a token made now would say that
    their received_at is untrue."""
    upto = _ALWAYS if until is None else milliseconds(until)
    with store.read() as connection:
        rows = connection.execute(
            select(*_STAMPED)
            .where(records.c.stamped_at.is_(None), records.c.received_at <= upto)
            .order_by(records.c.sequence)
            .limit(limit)
        ).all()
        held = _held(connection, [row.sequence for row in rows])
    return [Unstamped(*row, *held.get(row.sequence, ())) for row in rows]


def _held(
    connection: Connection, sequences: Sequence[int]
) -> dict[int, tuple[frozenset[str], frozenset[bytes]]]:
    """The authorities, and the distinct roots, of the tokens of those records that have any."""
    if not sequences:
        return {}
    rows = connection.execute(
        select(tokens.c.record, tokens.c.authority, tokens.c.root).where(
            tokens.c.record.in_(sequences)
        )
    ).all()
    names, roots = defaultdict(set), defaultdict(set)
    for row in rows:
        names[row.record].add(row.authority)
        # Tokens from before roots were kept are told apart by their authorities' names.
        roots[row.record].add(row.root or row.authority.encode("utf-8"))
    return {record: (frozenset(names[record]), frozenset(roots[record])) for record in names}


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


def count_unstamped(store: Store) -> int:
    with store.read() as connection:
        query = select(func.count()).select_from(records).where(records.c.stamped_at.is_(None))
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
        kept = _insert(connection, [_row(item, owners[item.sequence], now) for item in new])
        open_ = [row for row in found if row.stamped_at is None]
        held = _held(connection, [row.sequence for row in open_])
        fresh = [row for row in open_ if len(held.get(row.sequence, ((), ()))[1]) >= needed]
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
    return kept


def partly_stamped(store: Store, organisation: str) -> int:
    """How many of its records have a token, but not all that they need. Costs what waits."""
    with store.read() as connection:
        has = exists().where(tokens.c.record == records.c.sequence)
        query = (
            select(func.count())
            .select_from(records)
            .where(records.c.stamped_at.is_(None), records.c.organisation == organisation, has)
        )
        return connection.execute(query).scalar_one()


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Keeps those whose record has none of their authority; returns how many. The records are
    locked, so nobody adds one meanwhile."""
    marks = ", ".join("?" * len(rows))
    asked = f"SELECT record, authority FROM tokens WHERE record IN ({marks})"  # noqa: S608
    known = set(ask(connection, asked, [row["record"] for row in rows]))
    fresh: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        key = row["record"], row["authority"]
        if key not in known:
            fresh.setdefault(key, row)
    if fresh:
        put(connection, _INSERT, list(fresh.values()))
    return len(fresh)


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

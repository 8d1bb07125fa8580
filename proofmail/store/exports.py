"""Exports: case dossiers and archives that are made in the background, with their bounds.

A row says what was asked for and how far it is; the file lies in the data folder under the row's
id. `waiting` → `running` → `done` or `failed`; `removed` once the file has to go: it was removed,
is old, or holds a record that was erased since. Whoever makes an export tells so at least every
`STALE_SECONDS`; a row that nobody told of for longer is taken again, for its maker died.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from proofmail.core.canonical import Json, decode, encode
from proofmail.errors import Refused
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import exports, organisations

_SUFFIXES = {"case": ".pdf", "archive": ".zip"}
MAX_UNFINISHED = 2
MAX_KEPT = 10
STALE_SECONDS = 300.0
MAX_TRIES = 3
KEPT_HOURS = 48
ROW_DAYS = 30


@dataclass(frozen=True)
class Export:
    """`request` is what was asked for; `done` and `total` count records, `total` 0 before they are
    chosen; `problem` is a sentence for the one who asked."""

    id: str
    organisation: str
    kind: str
    request: Json
    state: str
    done: int
    total: int
    size_bytes: int
    sha256: bytes
    problem: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def unfinished(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def expires_at(self) -> datetime | None:
        """When the file goes by itself."""
        return self.ended_at + timedelta(hours=KEPT_HOURS) if self.ended_at else None


def file_name(export_id: str, kind: str) -> str:
    """Of the file in the folder of exports. Both come from a row, never from outside."""
    return export_id + _SUFFIXES[kind]


def ask(connection: Connection, organisation: str, kind: str, request: Json, now: datetime) -> str:
    """Adds an export to be made, in the caller's write transaction; returns its id. Refused while
    too many of the organisation are unfinished, or kept."""
    # Locks the organisation, so that two at once are counted one after the other.
    connection.execute(
        select(organisations.c.id).where(organisations.c.id == organisation).with_for_update()
    ).one()
    rows = connection.execute(
        select(exports.c.state, func.count().label("n"))
        .where(exports.c.organisation == organisation)
        .group_by(exports.c.state)
    ).all()
    states: dict[str, int] = {row.state: row.n for row in rows}
    if states.get("waiting", 0) + states.get("running", 0) >= MAX_UNFINISHED:
        raise Refused(f"{MAX_UNFINISHED} exports are being made: wait for one of them", code=429)
    if states.get("done", 0) >= MAX_KEPT:
        raise Refused(f"{MAX_KEPT} exports are kept: remove one first", code=429)
    made = secrets.token_hex(16)
    connection.execute(
        insert(exports).values(
            id=made,
            organisation=organisation,
            kind=kind,
            request=encode(request),
            state="waiting",
            done=0,
            total=0,
            size_bytes=0,
            sha256=b"",
            problem="",
            tries=0,
            created_at=milliseconds(now),
            beat_at=milliseconds(now),
        )
    )
    return made


def get_export(store: Store, organisation: str, export_id: str) -> Export | None:
    with store.read() as connection:
        row = connection.execute(
            select(exports).where(exports.c.id == export_id, exports.c.organisation == organisation)
        ).first()
    return None if row is None else _read(row)


def list_exports(store: Store, organisation: str) -> list[Export]:
    """The newest first: those that are not removed, and what became of the others of late."""
    with store.read() as connection:
        rows = connection.execute(
            select(exports)
            .where(exports.c.organisation == organisation)
            .order_by(exports.c.created_at.desc(), exports.c.id)
            .limit(50)
        ).all()
    return [_read(row) for row in rows]


def take_export(store: Store, now: datetime) -> Export | None:
    """The oldest that waits, or whose maker died; it is the caller's until that stops telling.
    One that was tried too often fails instead."""
    stale = milliseconds(now - timedelta(seconds=STALE_SECONDS))
    with store.write() as connection:
        died = (exports.c.state == "running") & (exports.c.beat_at < stale)
        connection.execute(
            update(exports)
            .where(died, exports.c.tries >= MAX_TRIES)
            .values(
                state="failed", ended_at=milliseconds(now),
                problem="making it was broken off several times",
            )
        )  # fmt: skip
        row = connection.execute(
            select(exports)
            .where(or_(exports.c.state == "waiting", died))
            .order_by(exports.c.created_at, exports.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return None
        connection.execute(
            update(exports)
            .where(exports.c.id == row.id)
            .values(state="running", tries=row.tries + 1, beat_at=milliseconds(now), done=0)
        )
    return _read(row)


def beat(
    store: Store, export_id: str, done: int, total: int, now: datetime, *, kept: bool = False
) -> bool:
    """Tells how far it is; False if it is wanted no longer. `kept`: this try has made what the
    next one would not have to make again, so that it does not count as broken off."""
    tried = {"tries": 0} if kept else {}
    return _end(store, export_id, done=done, total=total, beat_at=milliseconds(now), **tried)


def finish(store: Store, export_id: str, size_bytes: int, sha256: bytes, now: datetime) -> bool:
    """The file is there, whole; False if it is wanted no longer, and has to go."""
    return _end(
        store, export_id, state="done", size_bytes=size_bytes, sha256=sha256,
        ended_at=milliseconds(now),
    )  # fmt: skip


def fail(store: Store, export_id: str, problem: str, now: datetime) -> None:
    _end(store, export_id, state="failed", problem=problem[:300], ended_at=milliseconds(now))


def _end(store: Store, export_id: str, **values: object) -> bool:
    with store.write() as connection:
        result = connection.execute(
            update(exports)
            .where(exports.c.id == export_id, exports.c.state == "running")
            .values(**values)
        )
        return bool(result.rowcount == 1)


def remove(connection: Connection, organisation: str, export_id: str, now: datetime) -> bool:
    """The file is handed out no more, and `sweep_exports` takes it away; False for an unknown."""
    result = connection.execute(
        update(exports)
        .where(
            exports.c.id == export_id,
            exports.c.organisation == organisation,
            exports.c.state != "removed",
        )
        .values(**_removed(now))
    )
    return bool(result.rowcount == 1)


def remove_all(connection: Connection, organisation: str, now: datetime) -> None:
    """All of an organisation's: one of its records is erased, and any of them may hold it."""
    connection.execute(
        update(exports)
        .where(exports.c.organisation == organisation, exports.c.state != "removed")
        .values(**_removed(now))
    )


def _removed(now: datetime) -> dict[str, object]:
    """What was asked for goes too: a search names what is in a mail."""
    return {
        "state": "removed", "request": b"{}", "problem": "", "size_bytes": 0, "sha256": b"",
        "ended_at": milliseconds(now),
    }  # fmt: skip


def expire(store: Store, now: datetime) -> frozenset[str]:
    """Removes what is old; returns the ids whose files may stay."""
    old = milliseconds(now - timedelta(hours=KEPT_HOURS))
    ancient = milliseconds(now - timedelta(days=ROW_DAYS))
    with store.write() as connection:
        connection.execute(
            update(exports)
            .where(exports.c.state.in_(("done", "failed")), exports.c.ended_at < old)
            .values(**_removed(now))
        )
        connection.execute(
            delete(exports).where(exports.c.state == "removed", exports.c.created_at < ancient)
        )
        rows: Sequence[str] = (
            connection.execute(select(exports.c.id).where(exports.c.state.in_(("running", "done"))))
            .scalars()
            .all()
        )
    return frozenset(rows)


def _read(row: Row[Any]) -> Export:
    return Export(
        row.id,
        row.organisation,
        row.kind,
        decode(row.request),
        row.state,
        row.done,
        row.total,
        row.size_bytes,
        row.sha256,
        row.problem,
        moment(row.created_at),
        None if row.ended_at is None else moment(row.ended_at),
    )

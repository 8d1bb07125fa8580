"""The audit trail: who did what to what, and when. Identifiers only, no content.

Each organisation's rows are numbered from 1 without gaps, and each carries a digest over the one
before, so that a record of kind `audit` can commit to all of it by number and digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, insert, select

from proofmail.core.canonical import encode, format_time
from proofmail.errors import CheckFailed
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import audit_trail, organisations

LABEL = b"proofmail/audit-trail/0\x00"
START = bytes(32)
_WORD = re.compile(r"[\x21-\x7e]{1,400}\Z", re.ASCII)
_ACTION = re.compile(r"[a-z]+(?:[.-][a-z]+)*\Z", re.ASCII)


@dataclass(frozen=True)
class TrailEntry:
    """`actor` is like member:ID, key:ID or operator; `action` like member.added; `subject` the
    identifier of what it was done to."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    digest: bytes


@dataclass(frozen=True)
class TrailHead:
    """How many entries there are, and the digest that stands for all of them."""

    entries: int
    digest: bytes


def note(
    connection: Connection, organisation: str, actor: str, action: str, subject: str, *,
    now: datetime,
) -> None:  # fmt: skip
    """Adds an entry in the caller's write transaction: with what it tells of, or not at all."""
    if not _WORD.match(actor) or not _ACTION.match(action) or not _WORD.match(subject):
        raise ValueError("an entry of the audit trail consists of identifiers")
    # Locks the organisation, so that numbers and digests follow one another.
    connection.execute(
        select(organisations.c.id)
        .where(organisations.c.id == organisation)
        .with_for_update(key_share=True)
    ).one()
    head = _head(connection, organisation)
    at = moment(milliseconds(now))
    number = head.entries + 1
    connection.execute(
        insert(audit_trail).values(
            organisation=organisation,
            number=number,
            at=milliseconds(now),
            actor=actor,
            action=action,
            subject=subject,
            digest=_digest(head.digest, number, at, (actor, action, subject)),
        )
    )


def trail_head(store: Store, organisation: str) -> TrailHead:
    with store.read() as connection:
        return _head(connection, organisation)


def list_trail(
    store: Store, organisation: str, *, limit: int, before: int | None = None
) -> list[TrailEntry]:
    """The newest entries first; `before` is the number of the last one seen."""
    query = select(audit_trail).where(audit_trail.c.organisation == organisation)
    if before is not None:
        query = query.where(audit_trail.c.number < before)
    with store.read() as connection:
        rows = connection.execute(
            query.order_by(audit_trail.c.number.desc()).limit(max(1, min(limit, 1000)))
        ).all()
    return [
        TrailEntry(row.number, moment(row.at), row.actor, row.action, row.subject, row.digest)
        for row in rows
    ]


def check_trail(store: Store, organisation: str) -> TrailHead:
    """Recomputes every number and digest; CheckFailed at the first that is not as it should be."""
    head = TrailHead(0, START)
    for entry in _ascending(store, organisation):
        number = head.entries + 1
        words = (entry.actor, entry.action, entry.subject)
        if entry.number != number:
            raise CheckFailed(f"the audit trail has no entry {number}")
        if entry.digest != _digest(head.digest, number, entry.at, words):
            raise CheckFailed(f"entry {number} of the audit trail was changed")
        head = TrailHead(number, entry.digest)
    return head


def _ascending(store: Store, organisation: str) -> Iterator[TrailEntry]:
    last = 0
    while True:
        with store.read() as connection:
            rows = connection.execute(
                select(audit_trail)
                .where(audit_trail.c.organisation == organisation, audit_trail.c.number > last)
                .order_by(audit_trail.c.number)
                .limit(1000)
            ).all()
        if not rows:
            return
        for row in rows:
            yield TrailEntry(
                row.number, moment(row.at), row.actor, row.action, row.subject, row.digest
            )
        last = rows[-1].number


def _head(connection: Connection, organisation: str) -> TrailHead:
    row = connection.execute(
        select(audit_trail.c.number, audit_trail.c.digest)
        .where(audit_trail.c.organisation == organisation)
        .order_by(audit_trail.c.number.desc())
        .limit(1)
    ).first()
    return TrailHead(row.number, row.digest) if row else TrailHead(0, START)


def _digest(previous: bytes, number: int, at: datetime, words: tuple[str, str, str]) -> bytes:
    entry = encode([number, format_time(at), *words])
    return sha256(LABEL + previous + entry).digest()

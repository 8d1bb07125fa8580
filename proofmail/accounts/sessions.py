"""Sessions of members. The browser holds a random token, the database its SHA-256 alone: a copy
of the database lets nobody in. (A token has 256 random bits; it needs no salt and no slow hash.)"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from proofmail.accounts.members import Member
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import members, sessions

HOURS = 12


@dataclass(frozen=True)
class Session:
    member: Member
    expires_at: datetime


def open_session(
    connection: Connection, member: Member, now: datetime, hours: float = HOURS
) -> str:
    """Starts a session; returns the token, which is shown this once."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(sessions).values(
            token_digest=_digest(token),
            organisation=member.organisation,
            member=member.id,
            created_at=milliseconds(now),
            expires_at=milliseconds(now + timedelta(hours=hours)),
        )
    )
    return token


def find_session(store: Store, token: str, now: datetime) -> Session | None:
    """The session of this token, with the member as of now; None once it is over."""
    with store.read() as connection:
        row = connection.execute(
            select(members, sessions.c.expires_at)
            .join(sessions, sessions.c.member == members.c.id)
            .where(
                sessions.c.token_digest == _digest(token),
                sessions.c.expires_at > milliseconds(now),
            )
        ).first()
    if row is None:
        return None
    member = Member(row.id, row.organisation, row.email, row.name, row.role, moment(row.created_at))
    return Session(member, moment(row.expires_at))


def close_session(connection: Connection, token: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.token_digest == _digest(token)))


def close_all_sessions(connection: Connection, organisation: str, member_id: str) -> None:
    connection.execute(
        delete(sessions).where(
            sessions.c.member == member_id, sessions.c.organisation == organisation
        )
    )


def remove_expired(connection: Connection, now: datetime) -> int:
    result = connection.execute(delete(sessions).where(sessions.c.expires_at <= milliseconds(now)))
    return int(result.rowcount)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()

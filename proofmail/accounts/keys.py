"""API keys: for programs, which read (auditor) or also change (admin). Kept as SHA-256 alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, insert, select, update

from proofmail.errors import Refused
from proofmail.store.engine import Store, milliseconds, moment, new_id
from proofmail.store.tables import api_keys

PREFIX = "pm_"
ROLES = ("admin", "auditor")


@dataclass(frozen=True)
class ApiKey:
    """An API key without the key itself."""

    id: str
    organisation: str
    name: str
    role: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class NewKey:
    """`key` is what the program sends; it is shown this once."""

    id: str
    key: str


def create_key(
    connection: Connection, organisation: str, name: str, role: str, now: datetime
) -> NewKey:
    if role not in ROLES:
        raise Refused("an API key's role is admin or auditor")
    if not 1 <= len(name.strip()) <= 100 or not name.isprintable():
        raise Refused("an API key's name has 1 to 100 printable characters")
    made = NewKey(new_id(), PREFIX + secrets.token_urlsafe(32))
    connection.execute(
        insert(api_keys).values(
            id=made.id,
            organisation=organisation,
            name=name,
            role=role,
            key_digest=_digest(made.key),
            created_at=milliseconds(now),
        )
    )
    return made


def find_key(store: Store, key: str) -> ApiKey | None:
    """The API key that this is, unless it is unknown or revoked."""
    if not key.startswith(PREFIX):
        return None
    with store.read() as connection:
        row = connection.execute(
            select(api_keys).where(
                api_keys.c.key_digest == _digest(key), api_keys.c.revoked_at.is_(None)
            )
        ).first()
    if row is None:
        return None
    return ApiKey(row.id, row.organisation, row.name, row.role, moment(row.created_at), None)


def revoke_key(connection: Connection, organisation: str, key_id: str, now: datetime) -> None:
    """Refused when the organisation has no such key in use."""
    result = connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            api_keys.c.organisation == organisation,
            api_keys.c.revoked_at.is_(None),
        )
        .values(revoked_at=milliseconds(now))
    )
    if not result.rowcount:
        raise Refused("there is no such API key in use")


def list_keys(store: Store, organisation: str) -> list[ApiKey]:
    with store.read() as connection:
        rows = connection.execute(
            select(api_keys)
            .where(api_keys.c.organisation == organisation)
            .order_by(api_keys.c.created_at, api_keys.c.id)
        ).all()
    return [
        ApiKey(
            row.id,
            row.organisation,
            row.name,
            row.role,
            moment(row.created_at),
            None if row.revoked_at is None else moment(row.revoked_at),
        )
        for row in rows
    ]


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "replace")).digest()

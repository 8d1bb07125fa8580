"""Members: the people of an organisation who sign in, and what they may do.

owner: everything, owners included · admin: everything but owners · auditor: reads and downloads.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from proofmail.accounts.organisations import fold_address
from proofmail.errors import Refused, TryLater
from proofmail.store.engine import Store, milliseconds, moment, new_id
from proofmail.store.tables import members, organisations, sessions

ROLES = ("owner", "admin", "auditor")
MIN_PASSWORD = 12
MAX_PASSWORD = 256
WRONG = "the e-mail address or the password is wrong"
# A hash takes 64 MiB and a fifth of a second: two at a time, the others wait for a while.
_HASHING = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 10


@dataclass(frozen=True)
class Member:
    id: str
    organisation: str
    email: str
    name: str
    role: str
    created_at: datetime


def add_member(
    connection: Connection, organisation: str, email: str, role: str, password_hash: str,
    *, name: str, now: datetime,
) -> str:  # fmt: skip
    """Adds a member with the hash that :func:`hash_password` gave; returns the member's id.
    Refused when the address is taken: it is one person's, in all organisations."""
    folded = fold_address(email)
    if "@" not in folded or len(folded) > 320 or not folded.isprintable():
        raise Refused("this is not an address")
    _check_role(role)
    taken = select(members.c.id).where(members.c.email == folded)
    if connection.execute(taken).first():
        raise Refused("a member has this e-mail address already")
    made = new_id()
    try:
        connection.execute(
            insert(members).values(
                id=made,
                organisation=organisation,
                email=folded,
                name=name[:200],
                role=role,
                password_hash=password_hash,
                created_at=milliseconds(now),
            )
        )
    except IntegrityError as error:
        raise Refused("the address is taken, or there is no such organisation") from error
    return made


def hash_password(password: str) -> str:
    """The argon2id hash to keep. Slow on purpose: never call it inside a transaction.
    Refused for a password that is too short or too long; TryLater when too many wait."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    with _hashing_place():
        return _hasher().hash(_normal(password))


def sign_in(store: Store, email: str, password: str) -> Member:
    """The member whose address and password these are; Refused in one way for all others.

    An unknown address costs a hash too, so that the time taken tells nothing about who is a
    member. Limiting the number of tries is for the caller.
    """
    with store.read() as connection:
        row = connection.execute(
            select(members).where(members.c.email == fold_address(email))
        ).first()
    known = row.password_hash if row else _nobody()
    with _hashing_place():
        try:
            good = _hasher().verify(_normal(password[: MAX_PASSWORD + 1]), known)
        except PwdlibError:
            good = False
    if row is None or not good:
        raise Refused(WRONG)
    return _member(row)


def set_password(
    connection: Connection, organisation: str, member_id: str, password_hash: str
) -> None:
    """Changes the password and ends all sessions of the member."""
    changed = connection.execute(
        update(members)
        .where(members.c.id == member_id, members.c.organisation == organisation)
        .values(password_hash=password_hash)
    )
    if not changed.rowcount:
        raise Refused("there is no such member")
    connection.execute(delete(sessions).where(sessions.c.member == member_id))


def change_role(connection: Connection, organisation: str, member_id: str, role: str) -> None:
    """Refused for the last owner: somebody has to be left who may change this again."""
    _check_role(role)
    found = _get_locked(connection, organisation, member_id)
    if found == "owner" and role != "owner":
        _check_other_owner(connection, organisation)
    connection.execute(update(members).where(members.c.id == member_id).values(role=role))


def remove_member(connection: Connection, organisation: str, member_id: str) -> None:
    """Removes a member and all sessions. Refused for the last owner."""
    if _get_locked(connection, organisation, member_id) == "owner":
        _check_other_owner(connection, organisation)
    connection.execute(delete(sessions).where(sessions.c.member == member_id))
    connection.execute(delete(members).where(members.c.id == member_id))


def list_members(store: Store, organisation: str) -> list[Member]:
    with store.read() as connection:
        rows = connection.execute(
            select(members).where(members.c.organisation == organisation).order_by(members.c.email)
        ).all()
    return [_member(row) for row in rows]


def _member(row: Row[Any]) -> Member:
    return Member(
        id=row.id,
        organisation=row.organisation,
        email=row.email,
        name=row.name,
        role=row.role,
        created_at=moment(row.created_at),
    )


def _get_locked(connection: Connection, organisation: str, member_id: str) -> str:
    # One change of roles at a time, or two owners could each remove the other.
    connection.execute(
        select(organisations.c.id)
        .where(organisations.c.id == organisation)
        .with_for_update(key_share=True)
    ).all()
    role: str | None = connection.execute(
        select(members.c.role).where(
            members.c.id == member_id, members.c.organisation == organisation
        )
    ).scalar()
    if role is None:
        raise Refused("there is no such member")
    return role


def _check_other_owner(connection: Connection, organisation: str) -> None:
    owners = connection.execute(
        select(func.count())
        .select_from(members)
        .where(members.c.organisation == organisation, members.c.role == "owner")
    ).scalar_one()
    if owners < 2:
        raise Refused("an organisation has at least one owner: name another one first")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Refused("a role is owner, admin or auditor")


def _normal(password: str) -> str:
    """The same password from any keyboard: NFKC (RFC 8265 §4.2, without its profile)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _nobody() -> str:
    """A hash of no password that anybody has."""
    return _hasher().hash(new_id(32))


@contextmanager
def _hashing_place() -> Iterator[None]:
    if not _HASHING.acquire(timeout=_WAIT_SECONDS):
        raise TryLater("too many are signing in at this moment")
    try:
        yield
    finally:
        _HASHING.release()

"""What authorities published on the revocation of their certificates, kept beside their tokens.

A row of `signers` stands for one certificate that signed tokens; what is kept for it serves all of
its tokens. Everything was judged before it was kept, and is judged again by whoever verifies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from proofmail.core.canonical import base64url, decode, encode, from_base64url
from proofmail.core.proof import MAX_REVOCATION, RevocationData
from proofmail.store.counters import insert_into
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import revocations, signers, tokens

MAX_ERROR = 200


@dataclass(frozen=True)
class SeenToken:
    """A token that this part has not looked at; certificates from beside it are DER."""

    id: int
    response: bytes
    certificates: tuple[bytes, ...]
    gen_time: datetime


@dataclass(frozen=True)
class SignerSeen:
    """A signer among new tokens. `path` is DER, the signer's certificate first, the anchor last;
    with `asks` False nothing is ever fetched for it."""

    path: tuple[bytes, ...]
    newest_gen_time: datetime
    last_token: int
    asks: bool = True


@dataclass(frozen=True)
class Signer:
    digest: bytes
    path: tuple[bytes, ...]
    newest_gen_time: datetime
    tries: int


@dataclass(frozen=True)
class Kept:
    """One item: what it is on (SHA-256 of a certificate), its bytes, and its times."""

    certificate: bytes
    data: RevocationData
    as_of: datetime
    until: datetime | None
    fetched_at: datetime


@dataclass(frozen=True)
class Outcome:
    """How a fetch ended. `due_at` None: never again; `covered_until` is the earliest end of what
    is known now, None when something ends nowhere or is not known."""

    due_at: datetime | None
    covered_until: datetime | None
    tries: int = 0
    error: str = ""


def new_tokens(store: Store, limit: int) -> list[SeenToken]:
    """At most `limit` tokens behind the last one looked at, its newest among them; when more are
    there, evenly chosen: authorities sign many tokens with one certificate."""
    with store.read() as connection:
        last = connection.execute(select(func.max(signers.c.last_token))).scalar() or 0
        newest = connection.execute(select(func.max(tokens.c.id))).scalar() or 0
        step = max(1, -(-(newest - last) // limit))
        rows = connection.execute(
            select(tokens.c.id, tokens.c.response, tokens.c.certificates, tokens.c.gen_time)
            .where(tokens.c.id > last, (newest - tokens.c.id) % step == 0)
            .order_by(tokens.c.id)
            .limit(limit)
        ).all()
    return [
        SeenToken(row.id, row.response, _list(row.certificates), moment(row.gen_time))
        for row in rows
    ]


def known_signers(store: Store) -> frozenset[bytes]:
    with store.read() as connection:
        return frozenset(connection.execute(select(signers.c.signer)).scalars())


def note_signers(store: Store, seen: Mapping[bytes, SignerSeen], now: datetime) -> None:
    """Keeps who signed. If we die before the end, the same tokens are looked at again. A newer
    token of a known signer brings its next fetch forward to the end of what is known."""
    if not seen:
        return
    with store.write() as connection:
        for digest, item in sorted(seen.items()):
            row = connection.execute(
                select(signers).where(signers.c.signer == digest).with_for_update()
            ).first()
            if row is None:
                connection.execute(
                    insert_into(connection.dialect.name, signers)
                    .values(
                        signer=digest,
                        path=encode([base64url(der) for der in item.path]),
                        newest_gen_time=milliseconds(item.newest_gen_time),
                        last_token=item.last_token,
                        due_at=milliseconds(now) if item.asks else None,
                        tries=0,
                        error="",
                    )
                    .on_conflict_do_nothing()
                )
                continue
            changes = _newer(row, item, milliseconds(now))
            connection.execute(update(signers).where(signers.c.signer == digest).values(**changes))


def _newer(row: Row[Any], item: SignerSeen, now_ms: int) -> dict[str, Any]:
    values: dict[str, Any] = {"last_token": max(row.last_token, item.last_token)}
    gen_time = milliseconds(item.newest_gen_time)
    if gen_time > row.newest_gen_time:
        values["newest_gen_time"] = gen_time
        if row.due_at is not None and not row.tries:
            values["due_at"] = min(row.due_at, row.covered_until or now_ms)
    return values


def due_signer(store: Store, now: datetime) -> Signer | None:
    """The signer whose data is most overdue."""
    with store.read() as connection:
        row = connection.execute(
            select(signers)
            .where(signers.c.due_at <= milliseconds(now))
            .order_by(signers.c.due_at)
            .limit(1)
        ).first()
    if row is None:
        return None
    return Signer(row.signer, _list(row.path), moment(row.newest_gen_time), row.tries)


def newest_of(store: Store, signer: bytes) -> dict[bytes, Kept]:
    """The newest item on each certificate of the signer's path."""
    with store.read() as connection:
        return {item.certificate: item for item in _items(connection, signer)}


def keep(store: Store, signer: bytes, new: Sequence[Kept], outcome: Outcome) -> None:
    """Keeps what was fetched and when to fetch again, in one transaction. If we die before it
    ends, it is fetched again; the same item is kept once."""
    with store.write() as connection:
        for item in new:
            connection.execute(
                insert_into(connection.dialect.name, revocations)
                .values(
                    signer=signer,
                    certificate=item.certificate,
                    kind=item.data.kind,
                    value=item.data.value,
                    as_of=milliseconds(item.as_of),
                    until=_stored(item.until),
                    fetched_at=milliseconds(item.fetched_at),
                )
                .on_conflict_do_nothing()
            )
        connection.execute(
            update(signers)
            .where(signers.c.signer == signer)
            .values(
                due_at=_stored(outcome.due_at),
                covered_until=_stored(outcome.covered_until),
                tries=outcome.tries,
                error=outcome.error[:MAX_ERROR],
            )
        )


def data_for(
    connection: Connection, signer: bytes, gen_time: datetime, room_bytes: int
) -> tuple[RevocationData, ...]:
    """What goes with a token of this signer into a proof: on each certificate the newest item,
    the first one made after genTime, and the one that was in force at genTime; as many as
    `room_bytes` and a proof's limits let in, in this order."""
    by_certificate: dict[bytes, list[Kept]] = {}
    for item in _items(connection, signer):
        by_certificate.setdefault(item.certificate, []).append(item)
    chosen: list[RevocationData] = []
    for rank in range(3):
        for items in by_certificate.values():
            picked = _ranked(items, gen_time)[rank]
            if picked is None or picked.data in chosen or len(chosen) == MAX_REVOCATION:
                continue
            room_bytes -= len(picked.data.value)
            if room_bytes < 0:
                return tuple(chosen)
            chosen.append(picked.data)
    return tuple(chosen)


def _ranked(items: Sequence[Kept], gen_time: datetime) -> tuple[Kept | None, ...]:
    """`items` are in the order of their moments."""
    after = next((item for item in items if item.as_of > gen_time), None)
    covering = [
        item for item in items if item.as_of <= gen_time and item.until and gen_time <= item.until
    ]
    return items[-1], after, covering[-1] if covering else None


def _items(connection: Connection, signer: bytes) -> list[Kept]:
    rows = connection.execute(
        select(revocations)
        .where(revocations.c.signer == signer)
        .order_by(revocations.c.as_of, revocations.c.id)
    ).all()
    return [
        Kept(
            row.certificate,
            RevocationData(row.kind, row.value),
            moment(row.as_of),
            None if row.until is None else moment(row.until),
            moment(row.fetched_at),
        )
        for row in rows
    ]


def _list(stored: bytes) -> tuple[bytes, ...]:
    return tuple(from_base64url(der) for der in decode(stored))


def _stored(when: datetime | None) -> int | None:
    return None if when is None else milliseconds(when)

"""Leases: one holder at a time runs a step. A lease saves work; it is never what keeps the data
right, since a holder may stall past its end: every step is safe to run twice, and at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update

from proofmail.store.counters import upsert
from proofmail.store.engine import Store, milliseconds
from proofmail.store.tables import leases


def take_lease(store: Store, step: str, holder: str, now: datetime, seconds: float) -> bool:
    """Whether `holder` has this step's lease now: it was free, run out, or its own already.

    One that runs for longer than `seconds` from now was taken before the clock was set back: it
    counts as run out, or a step would stand still for as long as the clock had been ahead.
    """
    now_ms, until_ms = milliseconds(now), milliseconds(now + timedelta(seconds=seconds))
    with store.write() as connection:
        statement = upsert(connection, leases).values(step=step, holder=holder, expires_at=until_ms)
        result = connection.execute(
            statement.on_conflict_do_update(
                index_elements=["step"],
                set_={
                    "holder": statement.excluded.holder,
                    "expires_at": statement.excluded.expires_at,
                },
                where=or_(
                    leases.c.holder == holder,
                    leases.c.expires_at <= now_ms,
                    leases.c.expires_at > until_ms,
                ),
            ).returning(leases.c.step)
        )
        return result.first() is not None


def renew_lease(store: Store, step: str, holder: str, now: datetime, seconds: float) -> bool:
    """Prolongs a lease; False when another holder has it, or nobody."""
    expires_at = milliseconds(now + timedelta(seconds=seconds))
    with store.write() as connection:
        result = connection.execute(
            update(leases)
            .where(leases.c.step == step, leases.c.holder == holder)
            .values(expires_at=expires_at)
        )
        return bool(result.rowcount == 1)


def release_lease(store: Store, step: str, holder: str) -> None:
    """Gives a lease back; nothing happens if it is no longer `holder`'s."""
    with store.write() as connection:
        connection.execute(delete(leases).where(leases.c.step == step, leases.c.holder == holder))

"""What is known of each time-stamping authority: when it may be asked again, how it answered of
late, and what its answers say of this host's clock.

A row belongs to a name, not to a process: all that share the database share the rate cap and the
back-off. Nothing here decides trust.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from proofmail.store.counters import insert_into
from proofmail.store.engine import Store, milliseconds, moment
from proofmail.store.tables import authorities

CLOCK_BOUND_SECONDS = 1.0
"""How far this host's clock may be off, for certain, before that is a fault."""
CLOCK_AGE_SECONDS = 3600.0
"""For how long a measurement of the clock counts."""
MAX_WAIT_SECONDS = 3600.0
"""The longest that failures, or an authority's own word, keep it from being asked."""
MAX_ERROR = 200
_DELAYS = 512
"""The newest delays of answers that are kept."""


@dataclass(frozen=True)
class ClockSpan:
    """How far this host's clock is ahead of another, in milliseconds: at least `low`, at most
    `high`; both are negative if it is behind."""

    low: int
    high: int

    @property
    def drift_seconds(self) -> float:
        """How far off the clock is for certain; 0 when it may be right."""
        return max(self.low, -self.high, 0) / 1000

    @property
    def middle_seconds(self) -> float:
        return (self.low + self.high) / 2000


@dataclass(frozen=True)
class ClockOffset:
    """What the authorities' newest answers together say of this host's clock. When they cannot
    all be right, `agreed` is False, and `span` covers all that any of them says."""

    span: ClockSpan
    measured_at: datetime
    authorities: int
    agreed: bool

    @property
    def drift_seconds(self) -> float:
        return self.span.drift_seconds


@dataclass(frozen=True)
class AuthorityState:
    """One authority's row. `next_at` is when the rate cap lets the next request out, `retry_at`
    when the back-off does; `delays_ms` are those of the newest answers, sorted."""

    name: str
    next_at: datetime
    retry_at: datetime
    failures: int = 0
    good_at: datetime | None = None
    error_at: datetime | None = None
    error: str = ""
    answers: int = 0
    errors: int = 0
    waits: int = 0
    delays_ms: Sequence[int] = ()
    clock: ClockSpan | None = None
    clock_at: datetime | None = None

    def delay_ms(self, share: float) -> int | None:
        """The delay that this share of the newest answers kept within."""
        if not self.delays_ms:
            return None
        return self.delays_ms[min(len(self.delays_ms) - 1, int(share * len(self.delays_ms)))]


@dataclass
class Heard:
    """What one authority did since the last time that it was noted."""

    good_at: datetime | None = None
    error_at: datetime | None = None
    error: str = ""
    errors: int = 0
    waits: int = 0
    failures: int = 0
    """Errors since the last good answer."""
    retry_at: datetime | None = None
    delays_ms: list[int] = field(default_factory=list)
    clock: ClockSpan | None = None
    clock_at: datetime | None = None


def span_of(
    sent_at: datetime, answered_at: datetime, gen_time: datetime, accuracy: timedelta | None
) -> ClockSpan:
    """What one token says of the clock that timed its request and answer.

    The authority read its clock between the two, and wrote genTime, cut to whole seconds if it
    has no fraction. One that states no accuracy is taken to be within a second.
    """
    within = timedelta(seconds=1) if accuracy is None else accuracy
    cut = timedelta(milliseconds=1) if gen_time.microsecond else timedelta(seconds=1)
    earliest, latest = sent_at - gen_time - within - cut, answered_at - gen_time + within
    step = timedelta(milliseconds=1)
    return ClockSpan(earliest // step, -(-latest // step))


def authority_states(store: Store) -> dict[str, AuthorityState]:
    """All that were ever asked, by name."""
    with store.read() as connection:
        rows = connection.execute(select(authorities)).all()
    return {row.name: _state(row) for row in rows}


def reserve_request(store: Store, name: str, now: datetime, gap_seconds: float) -> float:
    """Takes the next request's place under a cap of one request every `gap_seconds`.

    Returns 0 when the request may go out now, else the seconds until one may; then nothing was
    taken. If we die after this commit and before the request, one place is lost, and the cap
    holds. A place that lies further ahead than the cap allows is of a clock that was set back,
    and is moved to where the cap has it.
    """
    now_ms, gap_ms = milliseconds(now), max(1, round(gap_seconds * 1000))
    with store.write() as connection:
        _make(connection, [name])
        taken = connection.execute(
            update(authorities)
            .where(authorities.c.name == name, authorities.c.next_at <= now_ms)
            .values(next_at=now_ms + gap_ms)
            .returning(authorities.c.name)
        ).first()
        if taken is not None:
            return 0.0
        latest = connection.execute(
            update(authorities)
            .where(authorities.c.name == name, authorities.c.next_at > now_ms + gap_ms)
            .values(next_at=now_ms + gap_ms)
            .returning(authorities.c.next_at)
        ).scalar()
        if latest is None:
            latest = connection.execute(
                select(authorities.c.next_at).where(authorities.c.name == name)
            ).scalar_one()
    return max(1, int(latest) - now_ms) / 1000


def note_heard(store: Store, heard: Mapping[str, Heard]) -> None:
    """Keeps what the authorities did, in one transaction. If we die before it ends, the counts
    are short by a few, and a failing authority is asked once more; nothing else hangs on it."""
    if not heard:
        return
    with store.write() as connection:
        names = sorted(heard)
        _make(connection, names)
        rows = connection.execute(
            select(authorities)
            .where(authorities.c.name.in_(names))
            .order_by(authorities.c.name)
            .with_for_update()
        ).all()
        for row in rows:
            connection.execute(
                update(authorities)
                .where(authorities.c.name == row.name)
                .values(**_after(row, heard[row.name]))
            )


def clock_offset(
    store: Store, now: datetime, age_seconds: float = CLOCK_AGE_SECONDS
) -> ClockOffset | None:
    """This host's clock against the authorities' that answered within `age_seconds`; None when
    none did. The built-in authority is never among them: it has this host's clock."""
    return joint_offset(authority_states(store).values(), now, age_seconds)


def joint_offset(
    states: Iterable[AuthorityState], now: datetime, age_seconds: float = CLOCK_AGE_SECONDS
) -> ClockOffset | None:
    """As :func:`clock_offset`, of states at hand."""
    age = timedelta(seconds=age_seconds)
    found = [
        (state.clock, state.clock_at)
        for state in states
        if state.clock and state.clock_at and abs(now - state.clock_at) <= age
    ]
    if not found:
        return None
    spans = [span for span, _ in found]
    joint = ClockSpan(max(span.low for span in spans), min(span.high for span in spans))
    agreed = joint.low <= joint.high
    if not agreed:
        joint = ClockSpan(min(span.low for span in spans), max(span.high for span in spans))
    return ClockOffset(joint, max(at for _, at in found), len(found), agreed)


def _make(connection: Connection, names: Sequence[str]) -> None:
    statement = insert_into(connection.dialect.name, authorities).on_conflict_do_nothing()
    empty = {"next_at": 0, "retry_at": 0, "failures": 0, "error": "", "delays": b""}
    counts = {"answers": 0, "errors": 0, "waits": 0}
    connection.execute(statement, [{"name": name, **empty, **counts} for name in names])


def _after(row: Any, heard: Heard) -> dict[str, Any]:
    values: dict[str, Any] = {
        "answers": row.answers + len(heard.delays_ms),
        "errors": row.errors + heard.errors,
        "waits": row.waits + heard.waits,
        "delays": _pack([*_unpack(row.delays), *heard.delays_ms]),
    }
    if heard.good_at is not None:
        values["good_at"] = milliseconds(heard.good_at)
        values["failures"], values["retry_at"] = heard.failures, 0
    elif heard.failures:
        values["failures"] = row.failures + heard.failures
    if heard.retry_at is not None:
        values["retry_at"] = milliseconds(heard.retry_at)
    if heard.error_at is not None:
        values["error_at"] = milliseconds(heard.error_at)
        values["error"] = heard.error[:MAX_ERROR]
    if heard.clock is not None and heard.clock_at is not None:
        values["clock_low"], values["clock_high"] = heard.clock.low, heard.clock.high
        values["clock_at"] = milliseconds(heard.clock_at)
    return values


def _state(row: Any) -> AuthorityState:
    def when(stored: int | None) -> datetime | None:
        return None if stored is None else moment(stored)

    return AuthorityState(
        name=row.name,
        next_at=moment(row.next_at),
        retry_at=moment(row.retry_at),
        failures=row.failures,
        good_at=when(row.good_at),
        error_at=when(row.error_at),
        error=row.error,
        answers=row.answers,
        errors=row.errors,
        waits=row.waits,
        delays_ms=sorted(_unpack(row.delays)),
        clock=None if row.clock_low is None else ClockSpan(row.clock_low, row.clock_high),
        clock_at=when(row.clock_at),
    )


def _pack(delays_ms: Sequence[int]) -> bytes:
    newest = [min(max(0, delay), 2**32 - 1) for delay in delays_ms[-_DELAYS:]]
    return struct.pack(f">{len(newest)}I", *newest)


def _unpack(packed: bytes) -> list[int]:
    return list(struct.unpack(f">{len(packed) // 4}I", packed))

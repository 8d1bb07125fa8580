"""How the time-stamping authorities answer, and how right this host's clock is, for the page of
the witnesses' health and the API. What is shown of an error is our own words, never an
authority's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from proofmail.core.canonical import format_time
from proofmail.store.authorities import (
    CLOCK_BOUND_SECONDS,
    AuthorityState,
    ClockOffset,
    authority_states,
    clock_offset,
    joint_offset,
)
from proofmail.store.stamps import MOST_COUNTED, count_unstamped, partly_stamped
from proofmail.web import shapes
from proofmail.web.services import Services

Standing = Literal["new", "good", "failing", "resting"]


@dataclass(frozen=True)
class AuthorityHealth:
    """`standing` is one of new, good, failing and resting: never asked with success, answering,
    failed last, and left alone until `state.retry_at`."""

    state: AuthorityState
    standing: Standing

    @property
    def median_ms(self) -> int | None:
        return self.state.delay_ms(0.5)

    @property
    def late_ms(self) -> int | None:
        """What 99 of 100 answers kept within."""
        return self.state.delay_ms(0.99)


@dataclass(frozen=True)
class ClockHealth:
    """`offset` is None when no authority has answered within the hour."""

    offset: ClockOffset | None

    @property
    def is_off(self) -> bool:
        return self.offset is not None and self.offset.drift_seconds > CLOCK_BOUND_SECONDS

    @property
    def is_disputed(self) -> bool:
        return self.offset is not None and not self.offset.agreed


@dataclass(frozen=True)
class WitnessHealth:
    """`waiting` is of all organisations, `partly` of the reader's own; both are counted up to
    MOST_COUNTED."""

    authorities: Sequence[AuthorityHealth]
    clock: ClockHealth
    waiting: int
    partly: int


def clock_health(services: Services) -> ClockHealth:
    return ClockHealth(clock_offset(services.store, services.clock.now()))


def witness_health(services: Services, organisation: str) -> WitnessHealth:
    now = services.clock.now()
    states = authority_states(services.store)
    return WitnessHealth(
        [AuthorityHealth(state, _standing(state, now)) for _, state in sorted(states.items())],
        ClockHealth(joint_offset(states.values(), now)),
        min(MOST_COUNTED, count_unstamped(services.store, MOST_COUNTED)),
        partly_stamped(services.store, organisation),
    )


def _standing(state: AuthorityState, now: datetime) -> Standing:
    if state.failures:
        return "resting" if now < state.retry_at else "failing"
    return "good" if state.good_at else "new"


def witness_state(services: Services, organisation: str) -> shapes.WitnessState:
    """As :func:`witness_health`, for programs."""
    health = witness_health(services, organisation)
    return shapes.WitnessState(
        authorities=[_condition(found) for found in health.authorities],
        clock=_clock_state(health.clock),
        unstamped=health.waiting,
        partly_stamped=health.partly,
        most_counted=MOST_COUNTED,
    )


def _condition(found: AuthorityHealth) -> shapes.AuthorityCondition:
    state = found.state
    return shapes.AuthorityCondition(
        name=state.name,
        standing=found.standing,
        good_at=format_time(state.good_at) if state.good_at else None,
        error_at=format_time(state.error_at) if state.error_at else None,
        error=state.error if state.error_at else None,
        retry_at=format_time(state.retry_at) if found.standing == "resting" else None,
        answers=state.answers,
        errors=state.errors,
        waits=state.waits,
        median_milliseconds=found.median_ms,
        late_milliseconds=found.late_ms,
    )


def _clock_state(clock: ClockHealth) -> shapes.ClockState | None:
    if clock.offset is None:
        return None
    return shapes.ClockState(
        ahead_at_least_milliseconds=clock.offset.span.low,
        ahead_at_most_milliseconds=clock.offset.span.high,
        off_milliseconds=round(clock.offset.drift_seconds * 1000),
        is_off=clock.is_off,
        agreed=clock.offset.agreed,
        authorities=clock.offset.authorities,
        measured_at=format_time(clock.offset.measured_at),
    )

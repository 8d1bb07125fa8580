"""How the time-stamping authorities answer, and how right this host's clock is, for the page of
the witnesses' health. What is shown of an error is our own words, never an authority's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from proofmail.store.authorities import (
    CLOCK_BOUND_SECONDS,
    AuthorityState,
    ClockOffset,
    authority_states,
    clock_offset,
    joint_offset,
)
from proofmail.store.stamps import MOST_COUNTED, count_unstamped, partly_stamped
from proofmail.web.services import Services


@dataclass(frozen=True)
class AuthorityHealth:
    """`standing` is one of new, good, failing and resting: never asked with success, answering,
    failed last, and left alone until `state.retry_at`."""

    state: AuthorityState
    standing: str

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


def _standing(state: AuthorityState, now: datetime) -> str:
    if state.failures:
        return "resting" if now < state.retry_at else "failing"
    return "good" if state.good_at else "new"

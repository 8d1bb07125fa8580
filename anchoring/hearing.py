"""What the authorities answer, gathered from all threads, and how long a failing one is left
alone."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from anchoring.desks import Desk, NotNow
from anchoring.tsa_client import StampedToken, WrongTime
from proofmail.errors import ProofmailError, TryLater
from proofmail.store.authorities import (
    MAX_WAIT_SECONDS,
    AuthorityState,
    ClockSpan,
    Heard,
    note_heard,
    span_of,
)
from proofmail.store.engine import Store

log = logging.getLogger("proofmail.stamp")

PASSING_SECONDS, PASSING_MOST_SECONDS = 1.0, 300.0
LASTING_SECONDS, LASTING_MOST_SECONDS = 60.0, 1800.0
KEEP_PAUSE_SECONDS = 5.0
"""Between two commits of what is merely good to know."""


def back_off_seconds(failures: int, error: BaseException, chance: float) -> float:
    """How long an authority is not asked after so many failures in a row (at least 1).

    Doubles from a second while the error may pass, from a minute when the operator has to act or
    an answer was bad. `chance`, from 0 to 1, takes up to half away, so that those who failed
    together do not come back together. What the authority itself named is the least.
    """
    passing = isinstance(error, TryLater)
    first = PASSING_SECONDS if passing else LASTING_SECONDS
    most = PASSING_MOST_SECONDS if passing else LASTING_MOST_SECONDS
    seconds: float = min(most, first * 2 ** min(failures - 1, 20)) * (1 - chance / 2)
    told = error.after_seconds if isinstance(error, TryLater) else 0.0
    return min(MAX_WAIT_SECONDS, max(seconds, told))


class Ear:
    """Hears answers in any thread; `keep` writes them down in one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[str, Heard] = {}
        self._errors: dict[str, BaseException] = {}
        self._kept = 0.0

    def good(self, desk: Desk, stamped: StampedToken) -> None:
        with self._lock:
            heard = self._of(desk)
            heard.good_at, heard.failures = stamped.received_at, 0
            delay = stamped.received_at - stamped.sent_at
            heard.delays_ms.append(delay // timedelta(milliseconds=1))
            self._errors.pop(desk.name, None)
            _measure(desk, heard, stamped)

    def bad(self, desk: Desk, error: BaseException, now: datetime) -> None:
        with self._lock:
            heard = self._of(desk)
            if isinstance(error, NotNow):
                heard.waits += 1
                return
            if isinstance(error, ProofmailError):
                words = str(error)
            else:  # a fault of ours; its words may quote what it was given
                words = f"it could not be asked ({type(error).__name__})"
            heard.errors += 1
            # In a row: those of one turn, which were asked together, count once.
            heard.failures = 1
            heard.error_at, heard.error = now, words
            self._errors[desk.name] = error
            if isinstance(error, WrongTime):
                _measure(desk, heard, error.stamped)

    def keep(self, store: Store, states: Mapping[str, AuthorityState], now: datetime) -> None:
        """Writes down what was heard: at once when something failed, else now and then."""
        with self._lock:
            if not self._heard:
                return
            if not self._errors and time.monotonic() - self._kept < KEEP_PAUSE_SECONDS:
                return
            heard, errors = self._heard, self._errors
            self._heard, self._errors, self._kept = {}, {}, time.monotonic()
        for name, item in heard.items():
            before = states[name].failures if name in states else 0
            if name in errors:
                failures = (0 if item.good_at else before) + 1
                seconds = back_off_seconds(failures, errors[name], random.random())  # noqa: S311
                item.retry_at = now + timedelta(seconds=seconds)
                log.warning(
                    "authority %s: %s; not asked again for %.1f s", name, item.error, seconds
                )
            elif before and item.good_at:
                log.info("authority %s answers again", name)
        # If we die before this commit, a failing authority is asked once more, and counts are
        # short by a few.
        note_heard(store, heard)

    def _of(self, desk: Desk) -> Heard:
        return self._heard.setdefault(desk.name, Heard())


def _measure(desk: Desk, heard: Heard, stamped: StampedToken) -> None:
    """The built-in authority has this host's own clock: it says nothing of it. Several answers of
    one turn narrow the span down, as long as they can all be right."""
    if desk.built_in:
        return
    facts = stamped.facts
    span = span_of(stamped.sent_at, stamped.received_at, facts.gen_time, facts.accuracy)
    if heard.clock is not None:
        both = ClockSpan(max(span.low, heard.clock.low), min(span.high, heard.clock.high))
        span = both if both.low <= both.high else span
    heard.clock, heard.clock_at = span, stamped.received_at

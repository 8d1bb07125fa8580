"""What other authorities' tokens say of this host's clock, for the built-in authority to heed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from proofmail.ports import Clock
from proofmail.store.authorities import clock_offset
from proofmail.store.engine import Store

_FRESH_SECONDS = 1.0


def known_drift(store: Store, clock: Clock) -> Callable[[], timedelta]:
    """By how much, at least, the host's clock is off; zero when no other authority has answered
    within the hour. The store is asked once a second at most; all processes see the same."""
    lock = threading.Lock()
    kept: list[tuple[float, timedelta]] = []

    def drift() -> timedelta:
        with lock:
            if not kept or time.monotonic() - kept[0][0] > _FRESH_SECONDS:
                offset = clock_offset(store, clock.now())
                seconds = offset.drift_seconds if offset else 0.0
                kept[:] = [(time.monotonic(), timedelta(seconds=seconds))]
            return kept[0][1]

    return drift

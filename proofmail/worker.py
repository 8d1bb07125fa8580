"""Runs a list of steps, each in its own thread, with lease, back-off and shutdown.

A step is safe to run twice and keeps its own state in the store, so the worker may be killed at
any line: the next one takes the lease over when it runs out, and the step finds its work again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from proofmail.errors import Misconfigured, TryLater

log = logging.getLogger("proofmail.worker")

MOST_BACK_OFF_SECONDS = 60.0
LEASE_SECONDS = 30.0


@dataclass(frozen=True)
class Step:
    """`run` does one bounded piece of work and says whether there may be more at once."""

    name: str
    run: Callable[[], bool]
    pause_seconds: float


class Leases(Protocol):
    """So that two workers on one store never run the same step at the same time."""

    def take(self, step: str, seconds: float) -> bool:
        """Takes or renews this process's lease; False while another holds it."""
        ...

    def release(self, step: str) -> None: ...


def run_steps(steps: Sequence[Step], leases: Leases, stop: threading.Event) -> None:
    """Runs all steps until `stop` is set, and returns when each has finished its piece."""
    threads = [
        threading.Thread(target=_run, args=(step, leases, stop), name=step.name) for step in steps
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run(step: Step, leases: Leases, stop: threading.Event) -> None:
    back_off = 0.0
    while not stop.is_set():
        more = False
        try:
            if leases.take(step.name, LEASE_SECONDS):
                more = step.run()
            back_off = 0.0
        except TryLater as error:
            back_off = _longer(back_off, step.pause_seconds)
            log.warning("%s: %s; again in %.1f s", step.name, error, back_off)
        except Misconfigured as error:
            back_off = MOST_BACK_OFF_SECONDS
            log.error("%s: %s; again in %.0f s", step.name, error, back_off)
        except Exception as error:
            # Whatever went wrong, nothing of it may reach the log but its kind: exceptions of
            # libraries can quote what they were given.
            back_off = _longer(back_off, step.pause_seconds)
            log.error("%s: %s; again in %.1f s", step.name, type(error).__name__, back_off)
        if not more:
            stop.wait(back_off or step.pause_seconds)
    try:
        leases.release(step.name)
    except Exception as error:
        log.warning("%s: lease kept until it runs out (%s)", step.name, type(error).__name__)


def _longer(back_off: float, pause: float) -> float:
    return min(MOST_BACK_OFF_SECONDS, max(pause, 0.5, back_off * 2))

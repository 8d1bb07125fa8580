"""Two pieces of work against each other, in turns, so that a noisy moment meets both."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ROUNDS = 5


def alternate(
    ours: Callable[[], int], peer: Callable[[], int], rounds: int = ROUNDS
) -> tuple[float, float]:
    """The median rates, in pieces a second. Each function does its work once and returns how many
    pieces that was. The first round warms up and is not counted."""
    rates: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for kept, work in zip(rates, (ours, peer), strict=True):
            rate = timed(work)
            if number:
                kept.append(rate)
    return statistics.median(rates[0]), statistics.median(rates[1])


def timed(work: Callable[[], int]) -> float:
    """Pieces a second of one turn. What lay about before is collected first; the collector stays
    on, since whoever uses either side has it on."""
    gc.collect()
    started = time.perf_counter()
    pieces = work()
    return pieces / (time.perf_counter() - started)


@contextmanager
def one_core() -> Iterator[None]:
    """This process, and the ones it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)

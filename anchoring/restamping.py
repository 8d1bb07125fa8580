"""Giving records that are kept already a token of another authority.

A proof holds a list of tokens, so each one more makes it stronger, at any time. What is still to be
done is what the store says is lacking: the work can be stopped and begun again at any point, and
done twice it changes nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from anchoring.desks import Desk, NotNow, Unit, ask, unit_of
from anchoring.hearing import Ear, back_off_seconds
from anchoring.tsa_client import StampedToken
from proofmail.errors import ProofmailError, TryLater
from proofmail.ports import Clock
from proofmail.store.authorities import authority_states
from proofmail.store.engine import Store
from proofmail.store.stamps import (
    NewToken,
    Unstamped,
    Window,
    count_lacking,
    lacking,
    save_tokens,
)

ALL = Window()
AT_ONCE = 16
"""Records between two commits: what an end at any line may have stamped in vain."""
TREE_AT_ONCE = 1024
TRIES = 6
"""Passing failures in a row before it is given up for now."""


@dataclass(frozen=True)
class Manner:
    """How to go about it: how many tokens make a record stamped, whom to tell how many are done
    and how many are left, and how to wait."""

    needed: int = 1
    tell: Callable[[int, int], None] = lambda done, left: None
    sleep: Callable[[float], None] = time.sleep


def restamp(
    store: Store, desk: Desk, clock: Clock, window: Window = ALL, manner: Manner = Manner()
) -> int:
    """Stamps every record of the window that has no token of this authority; returns how many.

    Waits for the rate cap and out passing failures, up to TRIES in a row. Raises what the
    authority's answer raises; what was kept before stays, and the next run goes on from there.
    """
    now = clock.now()
    # Not what was received after now: the clock was set back since, and a token made now would
    # say that its received_at is untrue.
    window = replace(window, until=min(window.until or now, now))
    left, done, last, ear = count_lacking(store, desk.name, window), 0, 0, Ear()
    limit = TREE_AT_ONCE if desk.tree else AT_ONCE
    while waiting := lacking(store, desk.name, window, last, limit):
        new: list[NewToken] = []
        try:
            for unit in _units(desk, waiting):
                new += unit.tokens(desk.name, _patiently(store, desk, unit, clock, (manner, ear)))
        finally:
            # If we die before this commit, these records are asked for again: tokens are wasted,
            # nothing is lost.
            done += save_tokens(store, new, clock.now(), needed=manner.needed)
            ear.keep(store, authority_states(store), clock.now())
        last = waiting[-1].sequence
        manner.tell(done, max(0, left - done))
    return done


def _units(desk: Desk, waiting: Sequence[Unstamped]) -> list[Unit]:
    return [unit_of(waiting)] if desk.tree else [unit_of([item]) for item in waiting]


def _patiently(
    store: Store, desk: Desk, unit: Unit, clock: Clock, how: tuple[Manner, Ear]
) -> StampedToken:
    manner, ear = how
    failures = 0
    while True:
        try:
            stamped = ask(store, desk, unit.imprint, clock)
        except NotNow as error:
            ear.bad(desk, error, clock.now())
            manner.sleep(error.after_seconds or 1.0)
        except TryLater as error:
            ear.bad(desk, error, clock.now())
            failures += 1
            if failures == TRIES:
                raise
            manner.sleep(back_off_seconds(failures, error, random.random()))  # noqa: S311
        except ProofmailError as error:
            ear.bad(desk, error, clock.now())
            raise
        else:
            ear.good(desk, stamped)
            return stamped

"""The step that stamps: asks the authorities in order, and keeps only what passed every check."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from anchoring.asking import Office, Turn
from anchoring.desks import TREE_MOST, Desk, Unit, unit_of
from proofmail.errors import TryLater
from proofmail.ports import Clock
from proofmail.store.authorities import authority_states
from proofmail.store.engine import Store, moment
from proofmail.store.stamps import (
    NewToken,
    Unstamped,
    newest_unstamped,
    partly_stamped_sequences,
    save_tokens,
    unstamped,
)

AT_ONCE = 64
"""Records of one turn, but for those under one tree: what a crash may have stamped in vain."""
ROWS_AT_ONCE = 500
"""Tokens of one commit: the gateway's waits for it."""
TURN_SECONDS = 5.0
"""After that a turn begins nothing more: its lease is to outlive it."""
SCAN_SECONDS = 30.0
"""For how long records that nobody could help are passed over."""


@dataclass(frozen=True)
class StampPlan:
    """A record is stamped once it has `tokens_per_record` independent tokens. After
    `hedge_seconds` without an answer the next authority is asked too. A tree waits until its
    oldest record is `tree_seconds` old, so that there are others in it."""

    tokens_per_record: int = 1
    hedge_seconds: float = 2.0
    tree_seconds: float = 1.0


def stamp_step(
    store: Store, desks: Sequence[Desk], clock: Clock, plan: StampPlan = StampPlan()
) -> Callable[[], bool]:
    """A step for the worker: stamps what waits, oldest first; says whether more may wait.

    `desks` stand in order of preference. Raises TryLater when authorities failed and none gave a
    token; what was stamped is kept.
    """
    stamper = _Stamper(store, Office(desks, store, clock), plan)
    return stamper.run


class _Stamper:
    def __init__(self, store: Store, office: Office, plan: StampPlan) -> None:
        self._store, self._office, self._plan = store, office, plan
        self._settled = False
        self._passed: tuple[frozenset[str], int, float] = (frozenset(), 0, 0.0)
        """Who was up when, up to this sequence, nobody of them could help; and until when."""

    def run(self) -> bool:
        if not self._settled:
            self._settle()
        states = authority_states(self._store)
        turn = Turn(self._office, states, self._plan.tokens_per_record, self._plan.hedge_seconds)
        waiting, limit = self._waiting(turn)
        tokens: list[NewToken] = []
        try:
            begun = time.monotonic()
            for units in self._units(turn, waiting):
                tokens += turn.run(units, lambda: time.monotonic() - begun < TURN_SECONDS)
        finally:
            self._keep(tokens)
            self._office.ear.keep(self._store, states, self._office.clock.now())
        if turn.failed and not tokens:
            raise TryLater("no authority gave a token that holds")
        return len(waiting) == limit and bool(tokens)

    def _settle(self) -> None:
        """Once: fewer tokens may be asked for than when these records got theirs."""
        found = partly_stamped_sequences(self._store)
        for start in range(0, len(found), ROWS_AT_ONCE):
            save_tokens(
                self._store, [], self._office.clock.now(),
                needed=self._plan.tokens_per_record,
                settled=found[start : start + ROWS_AT_ONCE],
            )  # fmt: skip
        self._settled = True

    def _waiting(self, turn: Turn) -> tuple[list[Unstamped], int]:
        """Those that somebody who is up can help. Behind them, when a second authority is down for
        long, there may be many that nobody can: they are looked through now and then only."""
        limit = TREE_MOST if any(desk.tree for desk in self._office.desks) else AT_ONCE
        if turn.lead(frozenset(), frozenset()) is None:
            return [], limit
        now = self._office.clock.now()
        if self._plan.tokens_per_record == 1:
            return unstamped(self._store, limit, until=now), limit
        who, after, until = self._passed
        if who != turn.up or time.monotonic() > until:
            after, until = 0, time.monotonic() + SCAN_SECONDS
        newest = newest_unstamped(self._store)
        found = unstamped(self._store, limit, until=now, after=after, helpers=turn.up)
        self._passed = (turn.up, found[0].sequence - 1 if found else max(after, newest), until)
        return found, limit

    def _units(self, turn: Turn, waiting: Sequence[Unstamped]) -> list[list[Unit]]:
        """What is to be asked for, by what the records hold already."""

        def held(item: Unstamped) -> tuple[list[str], list[bytes]]:
            return sorted(item.held), sorted(item.roots)

        found = []
        for _, group in groupby(sorted(waiting, key=held), key=held):
            items = sorted(group, key=lambda item: item.sequence)
            lead = turn.lead(items[0].held, items[0].roots)
            if lead is None:
                continue
            if not lead.tree:
                found.append([unit_of([item]) for item in items[:AT_ONCE]])
            elif len(items) >= TREE_MOST or self._is_old(items[0]):
                found.append([unit_of(items)])
        return found

    def _is_old(self, item: Unstamped) -> bool:
        age = timedelta(seconds=self._plan.tree_seconds)
        return self._office.clock.now() - moment(item.received_at) >= age

    def _keep(self, tokens: Sequence[NewToken]) -> None:
        """If we die before one of these commits, its records are still unstamped, and stamped
        again in the next turn: tokens are wasted, nothing is lost."""
        for start in range(0, len(tokens), ROWS_AT_ONCE):
            save_tokens(
                self._store, tokens[start : start + ROWS_AT_ONCE], self._office.clock.now(),
                needed=self._plan.tokens_per_record,
            )  # fmt: skip

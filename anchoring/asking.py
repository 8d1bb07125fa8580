"""Asking several authorities: in order of preference, the next one when one fails or is slow, until
each record has as many independent tokens as are wanted.

One thread decides; the authorities are waited for in threads of their own. A request that is no
longer waited for runs out by its own time limit: its token is dropped, and what it says of the
authority is heard.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from anchoring.desks import Desk, NotNow, Unit, ask
from anchoring.hearing import Ear
from anchoring.tsa_client import StampedToken
from proofmail.ports import Clock
from proofmail.store.authorities import MAX_WAIT_SECONDS, AuthorityState
from proofmail.store.engine import Store
from proofmail.store.stamps import NewToken

AT_A_DESK = 4
"""Requests that one authority is sent at the same time."""
UNITS_AT_ONCE = 8


@dataclass
class _Case:
    """One unit on its way. `seen` are the authorities that it needs not be sent to (again)."""

    unit: Unit
    needed: int
    seen: set[str]
    roots: set[bytes]
    running: dict[Future[StampedToken], Desk] = field(default_factory=dict)
    tokens: list[NewToken] = field(default_factory=list)
    hedge_at: float = 0.0

    @property
    def open(self) -> bool:
        return len(self.roots) < self.needed


class Office:
    """The desks with their threads, made at the first request, and what is under way at each."""

    def __init__(self, desks: Sequence[Desk], store: Store, clock: Clock) -> None:
        names = [desk.name for desk in desks]
        if len(set(names)) != len(names):
            raise ValueError("two authorities have one name")
        self.desks, self.store, self.clock, self.ear = tuple(desks), store, clock, Ear()
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._under_way: dict[str, set[Future[StampedToken]]] = {name: set() for name in names}

    def busy(self, desk: Desk) -> bool:
        under_way = {future for future in self._under_way[desk.name] if not future.done()}
        self._under_way[desk.name] = under_way
        return len(under_way) >= AT_A_DESK

    def put(self, desk: Desk, imprint: bytes) -> Future[StampedToken]:
        """Sends a question; the built-in authority is asked on the spot."""
        question = partial(ask, self.store, desk, imprint, self.clock)
        if desk.built_in:
            future: Future[StampedToken] = Future()
            try:
                future.set_result(question())
            except Exception as error:
                future.set_exception(error)
        else:
            if desk.name not in self._pools:
                self._pools[desk.name] = ThreadPoolExecutor(AT_A_DESK, f"tsa-{desk.name}")
            future = self._pools[desk.name].submit(question)
            self._under_way[desk.name].add(future)
        future.add_done_callback(partial(self._hear, desk))
        return future

    def _hear(self, desk: Desk, future: Future[StampedToken]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self.ear.good(desk, future.result())
        else:
            self.ear.bad(desk, error, self.clock.now())

    def close(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


class Turn:
    """One turn of asking: knows who failed, was slow or is held back by its cap in this turn."""

    def __init__(
        self,
        office: Office,
        states: Mapping[str, AuthorityState],
        needed: int,
        hedge_seconds: float,
    ) -> None:
        self._office, self._states, self._needed = office, states, needed
        self._hedge_seconds = hedge_seconds
        self._down: set[str] = set()
        self._slow: set[str] = set()
        self._capped: set[str] = set()
        self._active: list[_Case] = []
        now = office.clock.now()
        for desk in office.desks:
            state = states.get(desk.name)
            if state is None:
                continue
            # What lies further ahead than any wait was written before the clock was set back.
            if now < state.retry_at <= now + timedelta(seconds=MAX_WAIT_SECONDS):
                self._down.add(desk.name)
            gap = timedelta(seconds=desk.gap_seconds)
            if desk.gap_seconds and now < state.next_at <= now + gap:
                self._capped.add(desk.name)
        self._down_before = frozenset(self._down)

    @property
    def up(self) -> frozenset[str]:
        """Those that have not failed of late, be they busy or held back by their cap."""
        return frozenset(desk.name for desk in self._office.desks) - self._down

    @property
    def failed(self) -> bool:
        """Whether an authority failed in this very turn."""
        return self._down != self._down_before

    def lead(self, held: frozenset[str], roots: frozenset[bytes]) -> Desk | None:
        """Who would be asked first for records that hold these tokens; None: nobody now."""
        return self._choose(held, roots, tree_only=False)

    def run(self, units: Sequence[Unit], go_on: Callable[[], bool]) -> list[NewToken]:
        """Asks for all units, as long as `go_on` says so; those begun are finished. Returns the
        tokens that passed; a unit may have fewer than it needs, or none."""
        waiting = deque(units)
        active = self._active
        found: list[NewToken] = []
        while waiting or active:
            while waiting and len(active) < UNITS_AT_ONCE and go_on():
                first = waiting[0].items[0]
                case = _Case(waiting[0], self._needed, set(first.held), set(first.roots))
                if not self._send(case, case.needed - len(case.roots)):
                    break  # all are busy, perhaps until one of ours has answered
                waiting.popleft()
                active.append(case)
            if not active:
                break
            self._wait(active)
            for case in active:
                self._settle(case)
            for case in [case for case in active if not (case.open and case.running)]:
                found += case.tokens
                active.remove(case)
        return found

    def _wait(self, active: Sequence[_Case]) -> None:
        futures = [future for case in active for future in case.running]
        if futures and not any(future.done() for future in futures):
            soonest = min(case.hedge_at for case in active if case.running)
            wait(futures, max(0.0, soonest - time.monotonic()), FIRST_COMPLETED)

    def _settle(self, case: _Case) -> None:
        """Takes in what has come, and sends on what is still wanted."""
        self._take(case)
        while case.open:
            late = bool(case.running) and time.monotonic() >= case.hedge_at
            if late:
                self._slow.update(desk.name for desk in case.running.values())
                case.hedge_at = time.monotonic() + self._hedge_seconds
            short = case.needed - len(case.roots) - len(case.running)
            if not self._send(case, max(short, 1 if late else 0)):
                return
            self._take(case)  # the built-in authority has answered by now

    def _take(self, case: _Case) -> None:
        for future in [future for future in case.running if future.done()]:
            desk = case.running.pop(future)
            error = future.exception()
            if isinstance(error, NotNow):
                # Not sent: nobody else has to stand in for it, least of all the built-in one.
                self._capped.add(desk.name)
                case.seen.discard(desk.name)
            elif error is not None:
                self._down.add(desk.name)
            elif case.open:
                stamped = future.result()
                case.tokens += case.unit.tokens(desk.name, stamped)
                case.roots.add(stamped.facts.root_sha256)

    def _send(self, case: _Case, many: int) -> int:
        """Puts the unit to so many desks more, if there are; says how many."""
        sent = 0
        while sent < many:
            tree = len(case.unit.items) > 1
            desk = self._choose(case.seen, case.roots, tree_only=tree, alone=not case.running)
            if desk is None:
                break
            case.seen.add(desk.name)
            case.running[self._office.put(desk, case.unit.imprint)] = desk
            case.hedge_at = time.monotonic() + self._hedge_seconds
            sent += 1
        return sent

    def _choose(
        self,
        seen: set[str] | frozenset[str],
        roots: set[bytes] | frozenset[bytes],
        *,
        tree_only: bool,
        alone: bool = True,
    ) -> Desk | None:
        """The next desk for a unit that was sent to `seen` and holds tokens under `roots`.

        The built-in authority is only for when every other one has failed or been used: one that
        is slow, busy or held back by its cap is worth the wait.
        """
        open_ = [
            desk
            for desk in self._office.desks
            if desk.name not in seen | self._down and not desk.roots <= roots
            and (desk.tree or not tree_only)
        ]  # fmt: skip
        outside = [desk for desk in open_ if not desk.built_in]
        for desk in sorted(outside, key=lambda desk: desk.name in self._slow):
            if desk.name in self._capped:
                continue
            if not self._office.busy(desk):
                return desk
            if desk.name not in self._slow and self._asks(desk):
                return None  # it answers one after the other, and is preferred
        if outside or not alone:
            return None
        return next(iter(open_), None)

    def _asks(self, desk: Desk) -> bool:
        """Whether this very turn waits for it, and not only what an earlier one has given up."""
        return any(desk in case.running.values() for case in self._active)

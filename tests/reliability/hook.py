"""The hook that every fake of the outside asks: apply this call, and what is answered?"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

T = TypeVar("T")

LOST, DONE, SLOW, GARBAGE, OTHER, REFUSED = "lost", "done", "slow", "garbage", "other", "refused"
FULL, LOCKED = "full", "locked"
DIED_BEFORE, DIED_AFTER = "died-before", "died-after"
AHEAD, BEHIND, DAY_AHEAD = "ahead", "behind", "day-ahead"
FIRST, SECOND, EACH = "first", "second", "each"


class Died(BaseException):
    """The process ends here: nothing after this line happened."""


@dataclass(frozen=True)
class Fault:
    """What happens at the first, the second, or at each call of this name."""

    call: str
    kind: str
    which: str

    def __str__(self) -> str:
        return f"{self.call}: {self.kind}, {self.which}"


@dataclass
class Hook:
    """Counts every outside call by name, and meets the fault at those that are its own."""

    fault: Fault | None = None
    meanwhile: Callable[[], None] = lambda: None
    """What goes on elsewhere while a call is slow: another worker's whole turn."""
    step: str = "start"
    calls: Counter[str] = field(default_factory=Counter)
    met: int = 0
    full: int = 0
    """How often SQLite itself said that the disk is full."""
    dead: bool = False
    off: bool = False
    """Set while another worker runs, and once the faults are over."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def meet(self, call: str) -> str:
        """The kind of fault for this call; empty for none."""
        with self._lock:
            if self.off:
                return ""
            if self.dead:
                self.die()
            self.calls[call] += 1
            fault, number = self.fault, self.calls[call]
            if fault is None or fault.call != call:
                return ""
            if number != {FIRST: 1, SECOND: 2}.get(fault.which, number):
                return ""
            self.met += 1
            return fault.kind

    def die(self) -> NoReturn:
        self.dead = True
        raise Died

    def wait(self) -> None:
        """The call is so slow that the lease runs out, and another worker does all that waits."""
        self.off = True
        try:
            self.meanwhile()
        finally:
            self.off = False

    def through(
        self,
        call: str,
        apply: Callable[[], T],
        fail: Callable[[str], BaseException],
        spoil: Callable[[str, T], T] | None = None,
    ) -> T:
        """Carries a call out, or not, and answers as the fault has it. `fail` makes the error of a
        call that is lost or refused; `spoil` makes another answer, garbage or to another call."""
        kind = self.meet(call)
        if kind == DIED_BEFORE:
            self.die()
        if kind in (LOST, REFUSED, FULL, LOCKED):
            raise fail(kind)
        if kind == SLOW:
            self.wait()
        answer = apply()
        if kind == DIED_AFTER:
            self.die()
        if kind == DONE:
            raise fail(kind)
        return spoil(kind, answer) if spoil and kind in (GARBAGE, OTHER) else answer

"""Counts tries in memory, so that passwords cannot be guessed at speed. Each web process counts
for itself, and a restart forgets; passwords are long and hashed slowly all the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

MAX_KEYS = 10_000


class Throttle:
    """At most `most` tries a `window` for each key. Any thread may ask."""

    def __init__(self, most: int, window: timedelta) -> None:
        self.window = window
        self._most = most
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, list[datetime]] = OrderedDict()

    def allow(self, key: str, now: datetime) -> bool:
        """Counts a try; False when there were too many, and this one is then not counted."""
        with self._lock:
            recent = [at for at in self._tries.get(key, []) if now - at < self.window]
            allowed = len(recent) < self._most
            if allowed:
                recent.append(now)
            self._tries[key] = recent
            self._tries.move_to_end(key)
            while len(self._tries) > MAX_KEYS:
                self._tries.popitem(last=False)
            return allowed

    def forget(self, key: str) -> None:
        """After a success: the tries before it no longer count."""
        with self._lock:
            self._tries.pop(key, None)

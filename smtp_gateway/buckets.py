"""Token buckets in memory, in a bounded table."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from smtp_gateway.limits import Rate


class Buckets:
    """One bucket for each key. When the table is full the least recently used bucket is dropped:
    its owner then starts with a full one, which is what a long silence would have given it."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._rows: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, rate: Rate, now_seconds: float) -> bool:
        """Takes one token; False if there is none. `now_seconds` is of a monotonic clock."""
        tokens, then = self._rows.get(key, (rate.burst, now_seconds))
        tokens = min(rate.burst, tokens + (now_seconds - then) * rate.per_minute / 60)
        enough = tokens >= 1
        self._rows[key] = (tokens - 1 if enough else tokens, now_seconds)
        self._rows.move_to_end(key)
        if len(self._rows) > self._entries:
            self._rows.popitem(last=False)
        return enough

    def __len__(self) -> int:
        return len(self._rows)

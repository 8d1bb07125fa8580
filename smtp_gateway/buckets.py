"""Token buckets in a bounded table of bytes, which several processes may have in common."""

from __future__ import annotations

import math
from collections.abc import Hashable
from hashlib import blake2b
from struct import Struct

from smtp_gateway.limits import Rate

_ROW = Struct("=16sdd")
"""The key's digest, the tokens that were left, and the moment of the last use."""
_EMPTY = bytes(16)
_ROWS_A_PLACE = 8
_PLACE_BYTES = _ROWS_A_PLACE * _ROW.size


def table_bytes(entries: int) -> int:
    """The size of a table of at least so many rows."""
    return -(-entries // _ROWS_A_PLACE) * _PLACE_BYTES


class Buckets:
    """One bucket for each key. A key's digest says which eight rows it may stand in. When all of
    them are taken the least recently used is dropped: its owner then starts with a full bucket,
    which is what a long silence would have given it. Nobody without `secret` (16 to 64 bytes) can
    choose keys that drop another's. What a process that died left half-written is a full bucket.
    """

    def __init__(self, table: memoryview, secret: bytes) -> None:
        self._table, self._secret = table, secret
        self._places = len(table) // _PLACE_BYTES

    def take(self, key: Hashable, rate: Rate, now_seconds: float) -> bool:
        """Takes one token; False if there is none. `now_seconds` is of the machine's monotonic
        clock. The `repr` of two keys differs if they do."""
        digest = blake2b(repr(key).encode(), digest_size=16, key=self._secret).digest()
        at, tokens, then = self._row(digest)
        if not (0 <= tokens <= rate.burst and then <= now_seconds):
            tokens, then = min(max(0.0, tokens), rate.burst), now_seconds
        tokens = min(rate.burst, tokens + (now_seconds - then) * rate.per_minute / 60)
        enough = tokens >= 1
        _ROW.pack_into(self._table, at, digest, tokens - 1 if enough else tokens, now_seconds)
        return enough

    def _row(self, digest: bytes) -> tuple[int, float, float]:
        """Where the key stands or may stand, its tokens, and when they were counted."""
        start = int.from_bytes(digest[:8], "big") % self._places * _PLACE_BYTES
        oldest, oldest_at = math.inf, start
        for at in range(start, start + _PLACE_BYTES, _ROW.size):
            found, tokens, then = _ROW.unpack_from(self._table, at)
            if found == digest:
                return at, tokens, then
            used = -math.inf if found == _EMPTY else then
            if used < oldest:
                oldest, oldest_at = used, at
        return oldest_at, math.inf, -math.inf

    def __len__(self) -> int:
        """How many rows are taken."""
        return sum(found != _EMPTY for found, _, _ in _ROW.iter_unpack(self._table))

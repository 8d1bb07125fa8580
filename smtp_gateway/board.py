"""What all gateway processes of one service have in common: who is in, and the rates.

The limits are promises about the service, so the processes count in one area of memory that they
share. The area is a file without a name and without a disk: it ends with the last process, and it
holds keyed digests and numbers, no address.

A process is killed at any line: its locks end with it. What it half wrote is at most one session
or one bucket; its sessions are given free when its successor starts, or as soon as a limit is met.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
import weakref
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from mmap import mmap
from struct import Struct

from proofmail.errors import Misconfigured
from smtp_gateway.buckets import Buckets, table_bytes
from smtp_gateway.limits import Limits, Rate

_SECRET_BYTES = 32
_SEAT = Struct("=HH12s")
"""The process's number and one (0: free), whether a front server sits there, the place's digest."""
_LOCK_TRIES, _LOCK_PAUSE_SECONDS = 500, 0.0002


class Board:
    """One process's view. `descriptor` is of a shared memory file that :func:`shared_memory` made,
    inherited, or None for an area of this process alone; `number`, from 0, is this process's among
    `of`. Misconfigured if the area is another service's, or another process has the number."""

    def __init__(
        self, limits: Limits, descriptor: int | None = None, number: int = 0, of: int = 1
    ) -> None:
        self._limits, self._number, self._of = limits, number, of
        self._descriptor = shared_memory() if descriptor is None else descriptor
        self._patient = True
        weakref.finalize(self, os.close, self._descriptor)
        if not self._try_lock(1 + number):
            raise Misconfigured("two gateway processes have the same number")
        seats = _SECRET_BYTES + limits.connections * _SEAT.size
        table = table_bytes(2 * limits.rate_entries)
        with self._locked():
            area = memoryview(self._area(seats + 2 * table))
        secret = bytes(area[:_SECRET_BYTES])
        self._secret = secret
        self._seats = area[_SECRET_BYTES:seats]
        self._peers = Buckets(area[seats : seats + table], secret)
        self._senders = Buckets(area[seats + table :], secret)
        with self._locked():
            self._clear(number)

    def _area(self, size: int) -> mmap:
        found = os.fstat(self._descriptor).st_size
        if not found:
            os.ftruncate(self._descriptor, size)
        elif found != size:
            raise Misconfigured("the gateway processes have not the same limits")
        area = mmap(self._descriptor, size)
        if not any(area[:_SECRET_BYTES]):
            area[:_SECRET_BYTES] = secrets.token_bytes(_SECRET_BYTES)
        return area

    # Sessions.

    def enter(self, place: Hashable, front: bool) -> int | None:
        """A seat for a session, or None when a limit on connections says no. `place` and `front`
        as in :class:`smtp_gateway.hall.Peer`."""
        digest = blake2b(repr(place).encode(), digest_size=12, key=self._secret).digest()
        with self._locked():
            seat = self._free_seat(digest, front)
            if seat is None and self._clear_dead():
                seat = self._free_seat(digest, front)
            if seat is not None:
                _SEAT.pack_into(self._seats, seat * _SEAT.size, self._number + 1, front, digest)
        return seat

    def leave(self, seat: int) -> None:
        _SEAT.pack_into(self._seats, seat * _SEAT.size, 0, 0, b"")

    @property
    def crowded(self) -> bool:
        """This process has more than its share of the sessions."""
        owners = [owner for owner, _, _ in _SEAT.iter_unpack(self._seats) if owner]
        return owners.count(self._number + 1) * self._of > len(owners)

    def _free_seat(self, digest: bytes, front: bool) -> int | None:
        free, strangers, of_place = None, 0, 0
        for at, (owner, fronted, found) in enumerate(_SEAT.iter_unpack(self._seats)):
            if not owner:
                free = at
            elif not fronted:
                strangers += 1
                of_place += found == digest
        limits = self._limits
        if not front and (
            of_place >= limits.peer_connections or strangers >= limits.stranger_connections
        ):
            return None
        return free

    def _clear_dead(self) -> bool:
        """Gives the seats of processes free that have gone; says whether there were any."""
        owners = {owner for owner, _, _ in _SEAT.iter_unpack(self._seats)}
        found = False
        for owner in owners - {0, self._number + 1}:
            # Each process holds the lock of its number as long as it lives.
            if self._try_lock(owner):
                self._clear(owner - 1)
                self._unlock(owner)
                found = True
        return found

    def _clear(self, number: int) -> None:
        for at, (owner, _, _) in enumerate(_SEAT.iter_unpack(self._seats)):
            if owner == number + 1:
                self.leave(at)

    # Rates.

    def take_as_peer(self, place: Hashable, rate: Rate, now_seconds: float) -> bool:
        """Takes one token of a peer's; False if there is none."""
        with self._locked():
            return self._peers.take(place, rate, now_seconds)

    def take_as_sender(self, key: Hashable, rate: Rate, now_seconds: float) -> bool:
        """Takes one token of a sender's; False if there is none."""
        with self._locked():
            return self._senders.take(key, rate, now_seconds)

    # Locks: of byte 0 for the moment of a change, of byte 1 + number for a process's life. They
    # are the process's, and end with it.

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Held for some microseconds. A process that was stopped while it held it must not stop
        the others: after a tenth of a second they go on without, and may miscount by one. That
        they wait once, and not at each mail, until the lock is free again: all sessions of the
        process stand still meanwhile."""
        held = self._try_lock(0)
        for _ in range(_LOCK_TRIES if self._patient else 0):
            if held:
                break
            time.sleep(_LOCK_PAUSE_SECONDS)
            held = self._try_lock(0)
        self._patient = held
        try:
            yield
        finally:
            if held:
                self._unlock(0)

    def _try_lock(self, byte: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _unlock(self, byte: int) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, byte)


def shared_memory() -> int:
    """The descriptor of an empty file in memory, for the boards of several processes."""
    return os.memfd_create("proofmail-board")

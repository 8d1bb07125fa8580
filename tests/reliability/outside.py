"""The outside of one installation, each call of it behind the hook: clock, authorities, what these
publish, the signer, the built-in chain, and the database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from anchoring.authority import BuiltInAuthority
from anchoring.status_fetch import Place
from proofmail.core import der
from proofmail.core.proof import CRL
from proofmail.errors import Misconfigured, TryLater
from proofmail.ports import AnchorSigner, UnsignedAnchor
from proofmail.store.engine import Store
from proofmail.verify import cms
from tests.anchoring.status_server import Chain, Published, chain
from tests.making import NOW, World
from tests.reliability.hook import (
    AHEAD,
    BEHIND,
    DIED_AFTER,
    DIED_BEFORE,
    DONE,
    FULL,
    GARBAGE,
    LOCKED,
    LOST,
    OTHER,
    REFUSED,
    SLOW,
    Hook,
)
from tests.verify.status_maker import answer, crl
from tests.verify.token_maker import DAY, Recipe, response_of

OFF_BY = timedelta(hours=1)


@dataclass
class TrueTime:
    """What every clock but this host's shows."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def seconds(self) -> float:
        return (self.moment - NOW).total_seconds() + 1000.0


@dataclass
class HostClock:
    """This host's clock; a fault sets it ahead or back until the restart."""

    time: TrueTime
    hook: Hook
    off: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        kind = self.hook.meet(f"clock {self.hook.step}")
        if kind in (AHEAD, BEHIND):
            self.off = OFF_BY if kind == AHEAD else -OFF_BY
        return self.time.moment + self.off


@dataclass(frozen=True)
class FaultyAuthority:
    """An authority of this world behind the hook; its clock is right."""

    name: str
    inner: Any
    hook: Hook

    def respond(self, request_der: bytes) -> bytes:
        def spoil(kind: str, good: bytes) -> bytes:
            if kind == GARBAGE:
                return b"<html>502 Bad Gateway</html>"
            # A good answer to another request: a stranger's nonce and imprint.
            body = der.only(request_der)
            body.integer()
            imprint = body.raw(der.SEQUENCE)
            other = imprint[:-32] + bytes(32)
            return bytes(self.inner.respond(request_der.replace(imprint, other)))

        return self.hook.through(
            f"authority {self.name}", lambda: self.inner.respond(request_der), _refusal, spoil
        )


def _refusal(kind: str) -> Exception:
    if kind == REFUSED:
        return Misconfigured("the authority refuses our credentials")
    return TryLater("the authority does not answer")


def built_in(name: str, world: World, clock: Any) -> BuiltInAuthority:
    return BuiltInAuthority(name, world.authority, clock)


@dataclass(frozen=True)
class PublishedAuthority:
    """An authority whose certificates name places where their status is published."""

    chain: Chain
    time: TrueTime

    def respond(self, request_der: bytes) -> bytes:
        body = der.only(request_der)
        body.integer()
        hashed = der.only(body.raw(der.SEQUENCE))
        cms.read_algorithm(hashed)
        return response_of(
            Recipe(
                self.chain.tsa,
                imprint=hashed.octets(),
                nonce=body.integer(),
                gen_time=der.generalized_time(self.time.now().replace(microsecond=0)),
                certificates=(self.chain.tsa.der, self.chain.issuer.der),
            )
        )


def published_chain() -> Chain:
    # Wide: an OCSP answer says when it was produced, which is the real time of this run.
    return chain(Published(9), {"start": NOW - 3000 * DAY, "end": NOW + 9000 * DAY})


@dataclass(frozen=True)
class StatusPlaces:
    """Answers `status_fetch.fetch` for the published authority."""

    chain: Chain
    time: TrueTime
    hook: Hook

    def __call__(
        self, place: Place, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> bytes:
        return self.hook.through(
            f"status {place.kind}", lambda: self._publish(place), _no_status, self._spoil
        )

    def _publish(self, place: Place) -> bytes:
        as_of = self.time.now().replace(microsecond=0) - timedelta(minutes=1)
        around = {"as_of": as_of, "until": as_of + 7 * DAY}
        if place.kind == CRL:
            issuer = self.chain.issuer if place.url.endswith("issuer.crl") else self.chain.root
            return crl(issuer, **around).value  # type: ignore[arg-type]
        return answer(self.chain.tsa, self.chain.issuer, **around).value  # type: ignore[arg-type]

    def _spoil(self, kind: str, good: bytes) -> bytes:
        if kind == OTHER:
            stranger = replace(self.chain.issuer, key=self.chain.root.key)
            return crl(stranger, as_of=NOW, until=NOW + DAY).value
        return b"\x30\x03\x02\x01\x00"


def _no_status(kind: str) -> Exception:
    return TryLater(f"the place of revocation data answers {403 if kind == REFUSED else 'not'}")


@dataclass(frozen=True)
class FaultySigner:
    inner: AnchorSigner
    hook: Hook

    @property
    def address(self) -> bytes:
        return self.inner.address

    def sign(self, wanted: UnsignedAnchor) -> bytes:
        def spoil(kind: str, good: bytes) -> bytes:
            if kind == GARBAGE:
                return b"\x02\xc0"
            return self.inner.sign(replace(wanted, nonce=wanted.nonce + 1))

        return self.hook.through("signer sign", lambda: self.inner.sign(wanted), _unsigned, spoil)


def _unsigned(kind: str) -> Exception:
    if kind == REFUSED:
        return Misconfigured("the signer refuses to sign")
    return TryLater("the signer does not answer")


@dataclass(frozen=True)
class FaultyLedger:
    """A ledger whose calls fail as the port allows."""

    inner: Any
    hook: Hook

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: object) -> Any:
            return self.hook.through(
                f"ledger {name}", lambda: getattr(self.inner, name)(*arguments), _no_ledger
            )

        return call


def _no_ledger(kind: str) -> Exception:
    if kind == REFUSED:
        return Misconfigured("the development chain cannot be used")
    return TryLater("the development chain's file cannot be written")


@dataclass(frozen=True)
class FaultyStore(Store):
    """The real database. A commit can be lost, or done and its answer lost; the disk can be full
    and another program can hold the lock, which SQLite itself then says."""

    hook: Hook = field(default_factory=Hook)

    def _who(self) -> str:
        name = threading.current_thread().name
        if name == "intake":
            return name
        return "cap" if name.startswith("tsa-") else self.hook.step

    @contextmanager
    def read(self) -> Iterator[Connection]:
        kind = self.hook.meet(f"read {self._who()}")
        if kind == DIED_BEFORE:
            self.hook.die()
        if kind == SLOW:
            self.hook.wait()
        if kind == LOST:
            raise TryLater("the database cannot take this now")
        with super().read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        kind = self.hook.meet(f"commit {self._who()}")
        if kind == DIED_BEFORE:
            self.hook.die()
        if kind == SLOW:
            self.hook.wait()
        with self._locked() if kind == LOCKED else nullcontext(), self._write() as connection:
            if kind == FULL:
                raise OperationalError("", {}, sqlite3.OperationalError("disk is full"))
            yield connection
            if kind == LOST:
                raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))
        if kind == DIED_AFTER:
            self.hook.die()
        if kind == DONE:
            raise TryLater("the database cannot take this now")

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        try:
            with super().write() as connection:
                yield connection
        except TryLater as error:
            self.hook.full += "disk is full" in str(error.__cause__)
            raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Another program has the database."""
        holder = sqlite3.connect(str(self.engine.url.database), isolation_level=None)
        try:
            holder.execute("BEGIN IMMEDIATE")
            yield
        finally:
            holder.close()

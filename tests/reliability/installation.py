"""Installations that can be killed and started again over one database, with a fake clock."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotYet
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import event

from anchoring.desks import Desk
from anchoring.devchain import DevChain, open_devchain
from anchoring.evm import EvmLedger
from anchoring.evm_nodes import SeveralNodes
from anchoring.evm_signing import LocalSigner
from anchoring.ledger_steps import Anchoring, Bounds, anchor_step, batch_step
from anchoring.ledger_watch import watch_step
from anchoring.revocation import revocation_step
from anchoring.stamping import StampPlan, stamp_step
from proofmail.accounts import organisations
from proofmail.core.scan import scan
from proofmail.errors import ProofmailError, TryLater
from proofmail.intake import Arrival, Intake, load_signer
from proofmail.store import conditions
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.store.erasing import sweep
from proofmail.store.leases import take_lease
from proofmail.verify.token import TokenAnchor, TokenTrust
from proofmail.verify.trust import Authority, Chain, Service, Trust, key_id, make_trust
from tests.anchoring.status_server import Chain as Credentials
from tests.making import NOW, World
from tests.reliability.hook import Died, Hook
from tests.reliability.node import Line, Node
from tests.reliability.outside import (
    FaultyAuthority,
    FaultyLedger,
    FaultySigner,
    FaultyStore,
    HostClock,
    PublishedAuthority,
    StatusPlaces,
    TrueTime,
    built_in,
    published_chain,
)

NODE, NODES, BUILT_IN = "node", "nodes", "built-in"
LEASE_SECONDS = 30.0
PLAN = StampPlan(tokens_per_record=2, hedge_seconds=0.3, tree_seconds=0.0)
ONE = StampPlan(tokens_per_record=1, hedge_seconds=0.3)


@dataclass(frozen=True)
class Operator:
    """Keys and certificates, which all rows share: they take longer to make than a row."""

    world: World
    second: World
    published: Credentials
    service_pem: bytes
    keyed_secret: bytes = bytes(range(32))


@cache
def operator() -> Operator:
    world = World()
    pem = world.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Operator(world, World(), published_chain(), pem)


@cache
def _empty_database() -> tuple[Path, str]:
    folder = Path(mkdtemp(prefix="proofmail-faults-"))
    path = folder / "empty.db"
    create_or_upgrade(f"sqlite:///{path}")
    store = open_store(f"sqlite:///{path}")
    with store.write() as connection:
        organisation = organisations.create_organisation(
            connection, "Test", NOW, zone="Europe/Paris", language="fr"
        )
    store.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("VACUUM")  # so that there is no room left over in it
    return path, organisation


def remove_empty_database() -> None:
    if _empty_database.cache_info().currsize:
        shutil.rmtree(_empty_database()[0].parent)
        _empty_database.cache_clear()


@dataclass
class Installation:
    """One service of the kind NODE (a node by JSON-RPC, two authorities, two tokens a record),
    NODES (three nodes, of which the first has the faults) or BUILT_IN (nothing configured)."""

    kind: str
    folder: Path
    hook: Hook
    time: TrueTime = field(default_factory=TrueTime)
    starts: int = 0
    strange: list[str] = field(default_factory=list)
    """Errors that no step foresaw, by class."""
    spare_pages: int | None = None
    """By how many pages the database may grow before SQLite says that the disk is full."""

    def __post_init__(self) -> None:
        empty, self.organisation = _empty_database()
        shutil.copy(empty, self.folder / "proofmail.db")
        self.node = Node(operator().world.chain_id, self.time.now)
        self.hook.meanwhile = self._other_worker
        self.start()

    @cached_property
    def plain(self) -> Store:
        """The database as somebody else sees it, without faults."""
        return self._open(Hook())

    def _open(self, hook: Hook) -> FaultyStore:
        opened = open_store(f"sqlite:///{self.folder / 'proofmail.db'}")
        opened.close()  # its connections; the next ones are as told here
        return FaultyStore(opened.engine, opened._reader, opened._writer, hook)

    def start(self) -> None:
        """New objects over the same files, as a new process has them."""
        self.starts += 1
        self.hook.dead = False
        self.clock = HostClock(self.time, self.hook)
        self.store = self._open(self.hook)
        event.listen(self.store.engine, "connect", self._set_up)
        self.chain = self._open_chain() if self.kind == BUILT_IN else None
        self.intake = Intake(
            self.store, operator().world.log, load_signer(operator().service_pem),
            operator().keyed_secret, self.clock,
        )  # fmt: skip
        self.steps = self._steps(self.store, self.clock, self.hook)

    def _set_up(self, connection: Any, _pool_record: object) -> None:
        connection.execute("PRAGMA busy_timeout=20")
        if self.spare_pages is not None:
            with closing(sqlite3.connect(_empty_database()[0])) as empty:
                most = empty.execute("PRAGMA page_count").fetchone()[0] + self.spare_pages
            connection.execute(f"PRAGMA max_page_count={most}")

    def stop(self) -> None:
        self.intake.close()
        if self.chain is not None:
            self.chain.close()
        self.store.close()

    def close(self) -> None:
        self.stop()
        self.plain.close()

    def _open_chain(self) -> DevChain:
        sender = LocalSigner(operator().world.anchor_key).address
        return open_devchain(self.folder / "chain.db", sender, self.clock)

    def _ledger(self, hook: Hook) -> Any:
        if self.chain is not None:
            return FaultyLedger(self.chain, hook)
        first = EvmLedger(Line(self.node, hook), operator().world.chain_id)
        if self.kind == NODE:
            return first
        good = [EvmLedger(Line(self.node, Hook()), operator().world.chain_id) for _ in range(2)]
        return SeveralNodes([first, *good])

    def _desks(self, clock: HostClock, hook: Hook) -> list[Desk]:
        made = operator()
        if self.kind == BUILT_IN:
            authority = FaultyAuthority("built-in", built_in("test", made.world, clock), hook)
            return [Desk(authority, made.world.trust().tokens, built_in=True)]
        one = FaultyAuthority("one", PublishedAuthority(made.published, self.time), hook)
        two = FaultyAuthority("two", built_in("two", made.second, self.time), hook)
        roots = TokenTrust((TokenAnchor(made.published.root.certificate),))
        return [
            Desk(one, roots, gap_seconds=0.5),
            Desk(two, made.second.trust().tokens, tree=True),
        ]

    def _steps(
        self, store: Store, clock: HostClock, hook: Hook
    ) -> list[tuple[str, Callable[[], bool]]]:
        made = operator()
        signer = FaultySigner(LocalSigner(made.world.anchor_key), hook)
        parts = Anchoring(store, self._ledger(hook), signer, clock, Bounds(10**12))
        places = StatusPlaces(made.published, self.time, hook)
        plan = ONE if self.kind == BUILT_IN else PLAN
        steps = [
            ("stamp", stamp_step(store, self._desks(clock, hook), clock, plan)),
            ("batch", batch_step(store, made.world.log, clock, 1000, 1.0)),
            ("anchor", anchor_step(parts)),
            ("watch", watch_step(parts)),
            ("revocation", revocation_step(store, self.trust().tokens, clock, places)),
            ("sweep", lambda: sweep(store, clock.now()) and False),
        ]
        return steps[:4] + steps[5:] if self.kind == BUILT_IN else steps

    def submit(self, mail: bytes, mail_from: str = "claire@atelier.example") -> str | None:
        """As the gateway does it: the id of 250, or None for 451."""
        self.hook.step = "intake"
        arrival = Arrival(
            self.organisation, "127.0.0.1", "client", "", mail_from, ("proof@test.example",),
            bool(mail_from), scan(mail),
        )  # fmt: skip
        try:
            future = self.intake.submit(arrival)
            for _ in range(500):
                try:
                    return future.result(0.02)
                except NotYet:
                    if self.hook.dead:
                        raise Died from None
        except TryLater:
            return None
        raise AssertionError("the intake neither keeps nor refuses a mail")

    def turn(self, seconds: float = 2.0) -> None:
        """Each step once, as the worker runs it, and a block more on the chain."""
        self.time.moment += timedelta(seconds=seconds)
        for name, run in self.steps:
            if self._hold(name):
                self.hook.step = name
                self._foresee(name, run)
        self.node.mine()

    def _hold(self, step: str) -> bool:
        def take() -> bool:
            holder = f"worker {self.starts}"
            return take_lease(self.store, step, holder, self.clock.now(), LEASE_SECONDS)

        self.hook.step = "lease"
        return bool(self._foresee("lease", take))

    def _foresee(self, name: str, run: Callable[[], bool]) -> bool | None:
        try:
            return run()
        except ProofmailError:
            pass
        except Exception as error:
            self.strange.append(f"{name}: {type(error).__name__}")
        return None

    def _other_worker(self) -> None:
        """The lease has run out: another worker does all that waits. The built-in chain belongs to
        one process, so beside that only time goes by."""
        self.time.moment += timedelta(seconds=LEASE_SECONDS + 1)
        self.node.mine()
        if self.kind == BUILT_IN:
            return
        hook = Hook()
        store = self._open(hook)
        for name, run in self._steps(store, HostClock(self.time, hook), hook):
            self._foresee(f"other {name}", run)
        store.close()
        self.node.mine()

    def trust(self, blocks: frozenset[bytes] = frozenset()) -> Trust:
        made = operator()
        sender = LocalSigner(made.world.anchor_key).address
        authorities = made.world.trust().authorities + made.second.trust().authorities
        if self.kind != BUILT_IN:
            authorities += (Authority("one", made.published.root.der),)
        number = self.chain.chain_id() if self.chain is not None else made.world.chain_id
        return make_trust(
            [Service(made.world.log, (made.world.spki,), frozenset({sender}))],
            [*authorities], [Chain(number, "test", blocks)], [],
        )  # fmt: skip

    def keys(self) -> dict[bytes, bytes]:
        spki = operator().world.spki
        return {key_id(spki): spki}

    def quiet(self) -> bool:
        """Whether every record has all its tokens and a final anchor, and nothing stands in the
        way."""
        with sqlite3.connect(self.folder / "proofmail.db") as database:
            waiting = database.execute(
                "SELECT count(*) FROM records r LEFT JOIN batches b ON b.id = r.batch"
                " WHERE r.stamped_at IS NULL OR b.state IS NULL OR b.state <> 'final'"
            ).fetchone()[0]
        database.close()
        return waiting == 0 and not conditions.current(self.plain)

    def on_chain(self) -> list[bytes]:
        """All transactions of the chain, oldest first."""
        if self.chain is None:
            return self.node.mined()
        head = self.chain.head().number
        return [self.chain._block(number).transactions[0] for number in range(1, head + 1)]

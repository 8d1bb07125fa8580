"""An installation in a folder of its own, on a chain in memory that does what the test says."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from anchoring.authority import BuiltInAuthority
from anchoring.desks import Desk
from anchoring.evm_block import sender_and_nonce
from anchoring.evm_signing import LocalSigner, Price, anchor_sender, unsigned_anchor
from anchoring.ledger_steps import Anchoring, Bounds, anchor_step, batch_step
from anchoring.ledger_watch import watch_step
from anchoring.stamping import stamp_step
from proofmail.accounts import organisations
from proofmail.core import rlp
from proofmail.core.evm import ANCHOR_TAG, read_evm_anchor, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.core.proof import Batch
from proofmail.core.scan import scan
from proofmail.errors import ProofmailError, Refused, TryLater
from proofmail.intake import Arrival, Intake, load_signer
from proofmail.ports import Fees, Head, Inclusion, SpentNonce
from proofmail.store import conditions
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.store.fsck import fsck
from proofmail.store.proofs import assemble
from proofmail.verify.checks import verify_proof
from proofmail.verify.trust import Authority, Chain, key_id, make_trust
from tests.making import MAIL, NOW, World


@dataclass
class Moving:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class FakeLedger:
    """A chain in memory, one transaction a block. `fault` names the next call to fail, and
    whether the call takes effect first (`done`) or not (`lost`)."""

    world: World
    clock: Moving
    chain: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Raw transaction and header of each block."""
    fault: tuple[str, str] | None = None
    final_depth: int = 0
    dropped: int = 0
    behind: timedelta = timedelta()
    """How far the chain's clock is behind ours."""
    idle: bool = False
    """Whether the chain shows only its newest block's time, and makes no empty blocks."""
    base_fee_wei: int = 10**9
    balance: int = 10**18

    def _before(self, call: str) -> None:
        if self.fault == (call, "lost"):
            self.fault = None
            raise TryLater("the fake loses this call")

    def _after(self, call: str) -> None:
        if self.fault == (call, "done"):
            self.fault = None
            raise TryLater("the fake loses this answer")

    def chain_id(self) -> int:
        self._before("chain_id")
        return self.world.chain_id

    def next_nonce(self, sender: bytes) -> int:
        self._before("next_nonce")
        return len(self.chain)

    def head(self) -> Head:
        self._before("head")
        now = self.clock.now() - self.behind
        return Head(len(self.chain), NOW if self.idle else now)

    def final_transaction(self, sender: bytes, nonce: int) -> SpentNonce | None:
        self._before("final_transaction")
        if nonce >= len(self.chain) - self.final_depth:
            return None
        raw, _ = self.chain[nonce]
        assert sender_and_nonce(raw) == (sender, nonce)
        place = self.locate(keccak256(raw))
        return SpentNonce(raw, place) if place else None

    def balance_wei(self, sender: bytes) -> int:
        self._before("balance_wei")
        return self.balance

    def fees(self) -> Fees:
        self._before("fees")
        return Fees(self.base_fee_wei, 10**8)

    def broadcast(self, raw_transaction: bytes) -> None:
        self._before("broadcast")
        if any(raw == raw_transaction for raw, _ in self.chain):
            return
        sent = read_transaction(raw_transaction)
        if sent.nonce != len(self.chain):
            raise Refused("the nonce is not the next one")
        if sent.max_fee_wei < self.base_fee_wei:
            raise Refused("the chain asks for a higher fee")
        node = rlp.encode([b"\x20\x80", raw_transaction])
        seconds = int((self.clock.now() - self.behind).timestamp())
        fields: list[rlp.Item] = [
            secrets.token_bytes(32), bytes(32), bytes(20), bytes(32), keccak256(node), bytes(32),
            bytes(256), b"", rlp.encode_int(1 + len(self.chain)), rlp.encode_int(30_000_000),
            rlp.encode_int(21_000), rlp.encode_int(seconds + 1),
            b"", bytes(32), bytes(8), rlp.encode_int(self.base_fee_wei),
        ]  # fmt: skip
        self.chain.append((raw_transaction, rlp.encode(fields)))
        self._after("broadcast")

    def locate(self, transaction_hash: bytes) -> Inclusion | None:
        self._before("locate")
        for number, (raw, header) in enumerate(self.chain, 1):
            if keccak256(raw) == transaction_hash:
                node = rlp.encode([b"\x20\x80", raw])
                return Inclusion(keccak256(header), number, header, 0, (node,))
        return None

    def finalized_number(self) -> int:
        self._before("finalized_number")
        return len(self.chain) - self.final_depth

    def block_hash(self, number: int) -> bytes | None:
        self._before("block_hash")
        return keccak256(self.chain[number - 1][1]) if number <= len(self.chain) else None

    def reorganise(self) -> None:
        """The newest block goes away, and its transaction with it."""
        self.chain.pop()
        self.dropped += 1


@dataclass
class House:
    """One installation in a temporary folder."""

    store: Store
    intake: Intake
    organisation: str
    world: World
    clock: Moving
    ledger: FakeLedger
    bounds: Bounds = field(default_factory=lambda: Bounds(10**12))

    def conditions(self) -> set[str]:
        return {found.name for found in conditions.current(self.store)}

    def foreign(self, root: bytes = bytes(32), tag: bytes = b"else") -> bytes:
        """A transaction of the same key, made by another program, and mined."""
        sender = anchor_sender(self.world.anchor_key)
        wanted = unsigned_anchor(
            sender, self.world.chain_id, len(self.ledger.chain), root, Price(2 * 10**9, 10**8)
        )
        wanted = replace(wanted, data=tag + wanted.data[4:])
        raw = LocalSigner(self.world.anchor_key).sign(wanted)
        self.ledger.broadcast(raw)
        return raw

    def send(self, number: int) -> str:
        return self._submit(number).result(10)

    def send_many(self, count: int) -> list[str]:
        """Ids in the order of the records."""
        futures = [self._submit(number) for number in range(count)]
        return [future.result(60) for future in futures]

    def _submit(self, number: int) -> Future[str]:
        arrival = Arrival(
            self.organisation, "127.0.0.1", "client", "", "claire@atelier.example",
            ("proof@test.example",), True, scan(b"X-Number: %d\r\n" % number + MAIL),
        )  # fmt: skip
        return self.intake.submit(arrival)

    def steps(self) -> list[tuple[str, object]]:
        signer = LocalSigner(self.world.anchor_key)
        parts = Anchoring(self.store, self.ledger, signer, self.clock, self.bounds)
        authority = BuiltInAuthority("test", self.world.authority, self.clock)
        roots = self.world.trust().tokens
        return [
            ("stamp", stamp_step(self.store, [Desk(authority, roots)], self.clock)),
            ("batch", batch_step(self.store, self.world.log, self.clock, 1000, 1.0)),
            ("anchor", anchor_step(parts)),
            ("watch", watch_step(parts)),
        ]

    def turn(self, times: int = 1) -> list[str]:
        """Runs all steps, as the worker would; returns what was raised."""
        raised = []
        for _ in range(times):
            self.clock.moment += timedelta(seconds=2)
            for name, run in self.steps():
                try:
                    run()  # type: ignore[operator]
                except ProofmailError as error:
                    raised.append(f"{name}: {type(error).__name__}")
        return raised

    def check(self, *ids: str) -> None:
        """Every proof verifies, fsck finds nothing, and no batch is on the chain twice."""
        self.world.blocks = {keccak256(header) for _, header in self.ledger.chain}
        trust = self.world.trust()
        for record in ids:
            report = verify_proof(assemble(self.store, self.organisation, record), trust)
            assert report.exit_status == 0, report.rows
            assert [w.status for w in report.witnesses] == ["passed", "passed"]
        faults = list(fsck(self.store, {key_id(self.world.spki): self.world.spki}))
        assert [f for f in faults if f.level == "fault"] == []
        sent = [read_transaction(raw).data for raw, _ in self.ledger.chain]
        roots = [data for data in sent if data.startswith(ANCHOR_TAG)]
        assert len(set(roots)) == len(roots)

    def check_tokens(self, ids: list[str], other: World) -> None:
        """Each record has a token of this world's authority and one of the other's, both good."""
        own = self.world.trust()
        for root in (a.certificate for a in other.trust().authorities):
            own = make_trust(
                own.services, [*own.authorities, Authority("other", root)], own.chains, []
            )
        for record in ids:
            report = verify_proof(assemble(self.store, self.organisation, record), own)
            passed = [w for w in report.witnesses if (w.kind, w.status) == ("rfc3161", "passed")]
            assert {dict(w.details)["authority"] for w in passed} == {"test", "other"}
        faults = fsck(self.store, {key_id(self.world.spki): self.world.spki})
        assert [f for f in faults if f.level == "fault"] == []

    def check_trusting(self, anchors_wanted: int, record: str) -> None:
        """A proof with several anchors verifies, each under the newest block of its chain."""
        proof = assemble(self.store, self.organisation, record)
        (batch,) = proof.batches
        assert isinstance(batch, Batch)
        facts = [
            read_evm_anchor(a.transaction, a.index, a.nodes, a.header)  # type: ignore[union-attr]
            for a in batch.anchors
        ]
        assert len({fact.chain_id for fact in facts}) == anchors_wanted
        chains = tuple(Chain(fact.chain_id, "test", frozenset({fact.block_hash})) for fact in facts)
        report = verify_proof(proof, replace(self.world.trust(), chains=chains, witnesses=3))
        assert report.exit_status == 0, report.rows


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    url = f"sqlite:///{tmp_path / 'proofmail.db'}"
    create_or_upgrade(url)
    store = open_store(url)
    with store.write() as connection:
        organisation = organisations.create_organisation(
            connection, "Test", NOW, zone="Europe/Paris", language="fr"
        )
    world, clock = World(), Moving()
    pem = world.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    intake = Intake(store, world.log, load_signer(pem), secrets.token_bytes(32), clock)
    yield House(store, intake, organisation, world, clock, FakeLedger(world, clock))
    intake.close()
    store.close()

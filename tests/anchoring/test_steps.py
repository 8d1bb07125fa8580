"""The worker's steps against a ledger and an authority that fail on either side of each call."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from anchoring.authority import BuiltInAuthority
from anchoring.evm_block import sender_and_nonce
from anchoring.evm_signing import LocalSigner, Price, anchor_sender, unsigned_anchor
from anchoring.ledger_steps import Anchoring, Bounds, anchor_step, batch_step
from anchoring.ledger_watch import watch_step
from anchoring.stamping import stamp_step
from proofmail.accounts import organisations
from proofmail.core import rlp
from proofmail.core.evm import ANCHOR_TAG, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.core.scan import scan
from proofmail.errors import Misconfigured, ProofmailError, Refused, TryLater
from proofmail.intake import Arrival, Intake, load_signer
from proofmail.ports import Fees, Head, Inclusion, SpentNonce, TimestampAuthority
from proofmail.store import anchors, conditions
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.store.fsck import fsck
from proofmail.store.proofs import assemble
from proofmail.verify.checks import verify_proof
from proofmail.verify.trust import Authority, key_id, make_trust
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
        arrival = Arrival(
            self.organisation, "127.0.0.1", "client", "", "claire@atelier.example",
            ("proof@test.example",), True, scan(b"X-Number: %d\r\n" % number + MAIL),
        )  # fmt: skip
        return self.intake.submit(arrival).result(10)

    def steps(self) -> list[tuple[str, object]]:
        signer = LocalSigner(self.world.anchor_key)
        parts = Anchoring(self.store, self.ledger, signer, self.clock, self.bounds)
        authority = BuiltInAuthority("test", self.world.authority, self.clock)
        return [
            ("stamp", stamp_step(self.store, [authority], self.world.trust().tokens, self.clock)),
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


CALLS = (
    "chain_id", "head", "next_nonce", "fees", "balance_wei", "broadcast", "locate",
    "finalized_number", "block_hash",
)  # fmt: skip
TABLE = [*((call, "lost") for call in CALLS), ("broadcast", "done")]


@pytest.mark.parametrize("fault", TABLE, ids="-".join)
def test_a_fault_at_any_call_delays_and_loses_nothing(house: House, fault: tuple[str, str]) -> None:
    first = house.send(1)
    house.turn(2)
    house.ledger.fault = fault
    second = house.send(2)
    raised = house.turn(4)
    assert any("TryLater" in text for text in raised)
    house.turn(2)
    house.check(first, second)
    assert len(house.ledger.chain) == 2


def test_a_reorganisation_sends_the_same_bytes_again(house: House) -> None:
    house.ledger.final_depth = 5
    record = house.send(1)
    house.turn(2)
    before = house.ledger.chain[0][0]
    house.ledger.reorganise()
    house.turn(1)
    saved = anchors.open_transactions(house.store, house.world.chain_id)
    assert [item.raw for item in saved] == [before]
    assert anchors.open_anchors(house.store, house.world.chain_id) == []
    house.clock.moment += timedelta(minutes=2)
    house.turn(2)
    assert [raw for raw, _ in house.ledger.chain] == [before]
    house.ledger.final_depth = 0
    house.turn(2)
    house.check(record)


def test_a_late_transaction_is_replaced_with_both_fees_an_eighth_higher(house: House) -> None:
    house.send(1)
    refuse = house.ledger.broadcast
    house.ledger.broadcast = lambda raw_transaction: None  # type: ignore[method-assign]
    house.turn(2)
    house.clock.moment += timedelta(minutes=6)
    house.turn(1)
    house.ledger.broadcast = refuse  # type: ignore[method-assign]
    old, new = anchors.open_transactions(house.store, house.world.chain_id)
    first, second = read_transaction(old.raw), read_transaction(new.raw)
    assert (first.nonce, first.data) == (second.nonce, second.data)
    assert second.max_fee_wei >= first.max_fee_wei * 9 // 8
    assert second.max_priority_fee_wei >= first.max_priority_fee_wei * 9 // 8


def test_a_clock_that_was_set_back_makes_no_witness_contradict_a_record(house: House) -> None:
    """SPEC V-checks: a received_at later than the token's or the block's time fails for ever."""
    before = house.clock.moment
    house.clock.moment += timedelta(hours=1)
    early = house.send(1)
    batch_step(house.store, house.world.log, house.clock, 1, 0.0)()
    late = house.send(2)
    house.clock.moment = before
    good = house.send(3)
    house.turn(3)
    house.check(good)
    assert len(house.ledger.chain) == 1
    for record in (early, late):
        proof = assemble(house.store, house.organisation, record)
        assert proof.tokens == ()
        assert not any(batch.anchors for batch in proof.batches)  # type: ignore[union-attr]
    house.clock.moment = before + timedelta(hours=1)
    house.turn(3)
    house.check(early, late, good)


def test_two_workers_at_once_anchor_a_batch_once(house: House) -> None:
    """The first stalls past its lease, just before it signs."""
    record = house.send(1)
    house.clock.moment += timedelta(seconds=2)
    for _, run in house.steps()[:2]:
        run()  # type: ignore[operator]
    next_nonce, second = house.ledger.next_nonce, dict(house.steps())["anchor"]

    def stall(sender: bytes) -> int:
        house.ledger.next_nonce = next_nonce  # type: ignore[method-assign]
        second()  # type: ignore[operator]
        return next_nonce(sender)

    house.ledger.next_nonce = stall  # type: ignore[method-assign]
    assert "anchor: Refused" in house.turn(3)
    assert len(house.ledger.chain) == 1
    house.check(record)


def test_the_sender_is_the_keys_address(house: House) -> None:
    house.send(1)
    house.turn(2)
    sent = read_transaction(house.ledger.chain[0][0])
    assert sent.sender == sent.to == anchor_sender(house.world.anchor_key)


class _Broken:
    """An authority that fails in a way of one's choice."""

    name = "broken"

    def __init__(self, answer: bytes | ProofmailError) -> None:
        self._answer = answer

    def respond(self, request_der: bytes) -> bytes:
        if isinstance(self._answer, ProofmailError):
            raise self._answer
        return self._answer


def test_an_authority_that_fails_is_passed_over_and_nothing_unchecked_is_kept(
    house: House,
) -> None:
    record = house.send(1)
    stranger = BuiltInAuthority("stranger", World().authority, house.clock)
    good = BuiltInAuthority("good", house.world.authority, house.clock)
    bad: list[TimestampAuthority] = [
        _Broken(TryLater("down")), _Broken(Misconfigured("refuses")), _Broken(b"garbage"), stranger,
    ]  # fmt: skip
    trust = house.world.trust().tokens
    with pytest.raises(TryLater):
        stamp_step(house.store, bad, trust, house.clock)()
    assert assemble(house.store, house.organisation, record).tokens == ()
    stamp_step(house.store, [*bad, good], trust, house.clock)()
    (token,) = assemble(house.store, house.organisation, record).tokens
    imprint = sha256(assemble(house.store, house.organisation, record).record.to_bytes()).digest()
    assert imprint in token.response  # type: ignore[union-attr]


def test_each_step_run_twice_changes_nothing(house: House) -> None:
    record = house.send(1)
    house.turn(3)
    proof = assemble(house.store, house.organisation, record).to_bytes()
    house.turn(3)
    assert assemble(house.store, house.organisation, record).to_bytes() == proof

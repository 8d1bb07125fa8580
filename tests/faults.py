"""Ways to spoil a good proof, each wrong in one way and named for it, and the steps that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from proofmail.core.proof import Batch, EvmAnchor, Proof, Rfc3161Token
from proofmail.core.record import Disclosure, hide
from tests.making import World

Change = Callable[[World, Proof], Proof]


@dataclass(frozen=True)
class Fault:
    """`failed` are steps that must fail; `exit_status` is the whole's, under the world's trust."""

    change: Change
    failed: frozenset[str]
    exit_status: int = 1


def _batch(proof: Proof) -> Batch:
    (batch,) = proof.batches
    assert isinstance(batch, Batch)
    return batch


def _anchor(proof: Proof) -> EvmAnchor:
    (anchor,) = _batch(proof).anchors
    assert isinstance(anchor, EvmAnchor)
    return anchor


def _with_anchor(proof: Proof, anchor: EvmAnchor) -> Proof:
    return replace(proof, batches=(replace(_batch(proof), anchors=(anchor,)),))


def _swap_entries(_: World, proof: Proof) -> Proof:
    first, second, *rest = proof.entries
    return replace(proof, entries=(second, first, *rest))


def _set_claim(name: str, value: object) -> Change:
    def change(_: World, proof: Proof) -> Proof:
        entries = tuple(
            replace(e, value=value) if isinstance(e, Disclosure) and e.name == name else e
            for e in proof.entries
        )
        return replace(proof, entries=entries)

    return change


def _hide(name: str) -> Change:
    def change(_: World, proof: Proof) -> Proof:
        entries = tuple(
            hide(e) if isinstance(e, Disclosure) and e.name == name else e for e in proof.entries
        )
        return replace(proof, entries=entries)

    return change


def _header_as_record(_: World, proof: Proof) -> Proof:
    """The record's path shown for the header, and the header's for the record."""
    batch = _batch(proof)
    swapped = replace(batch, header_path=batch.path, path=batch.header_path, index=1)
    return replace(proof, batches=(swapped,))


def _backdated(_: World, proof: Proof) -> Proof:
    record = replace(proof.record, received_at=proof.record.received_at - timedelta(days=1))
    return replace(proof, record=record)


def _received_later(world: World, _: Proof) -> Proof:
    claims = {"authentication": {"checks": [], "sender": "none"}, "defects": []}
    return world.witness(world.record(claims, received_at=world.now + timedelta(hours=1)))


def _other_log(_: World, proof: Proof) -> Proof:
    batch = _batch(proof)
    return replace(proof, batches=(replace(batch, header=replace(batch.header, log="other/1")),))


def _other_chain(world: World, proof: Proof) -> Proof:
    """The same root, sent by the same key on another chain, in a block of the same shape."""
    other = replace(world, chain_id=99, blocks=set())
    return replace(proof, tokens=(), batches=(other.batch(proof.record.to_bytes()),))


def _all_forged(world: World, _: Proof) -> Proof:
    return World(log=world.log, chain_id=world.chain_id, now=world.now).prove()


def _fault(change: Change, *failed: str, exit_status: int = 1) -> Fault:
    return Fault(change, frozenset(failed), exit_status)


FAULTS = {
    "swapped-entries": _fault(_swap_entries, "V2"),
    "changed-subject": _fault(_set_claim("header.subject", ["Offre signée n 43"]), "V2"),
    "hidden-defects": _fault(_hide("defects"), "V3"),
    "hidden-authentication": _fault(_hide("authentication"), "V3"),
    "header-as-record": _fault(_header_as_record, "V8", "V9"),
    "backdated": _fault(_backdated, "V4", "V5.T3", "V8", "V9"),
    "received-after-its-witnesses": _fault(_received_later, "V6", "V12"),
    "batch-of-another-log": _fault(_other_log, "V7", "V8", "V9"),
    "anchor-of-another-root": _fault(
        lambda world, proof: _with_anchor(proof, world.anchor(bytes(32))), "V9"
    ),
    "signature-of-another-record": _fault(
        lambda world, proof: replace(proof, signature=world.sign(world.prove().record)), "V4"
    ),
    "token-of-another-record": _fault(
        lambda world, proof: replace(proof, tokens=world.prove().tokens), "V5.T3"
    ),
    "batch-of-another-record": _fault(
        lambda world, proof: replace(proof, batches=world.prove().batches), "V8", "V9"
    ),
    "token-that-is-none": _fault(
        lambda _, proof: replace(proof, tokens=(Rfc3161Token(b"\x30\x00"),)), "V5.T1"
    ),
    "anchor-at-another-index": _fault(
        lambda _, proof: _with_anchor(proof, replace(_anchor(proof), index=1)), "V9"
    ),
    "receipt-of-another-mail": _fault(
        lambda world, proof: replace(proof, linked=(world.prove_receipt(world.prove()),)), "V14"
    ),
    "replayed-on-another-chain": _fault(_other_chain, exit_status=3),
    "all-of-it-forged": _fault(_all_forged, exit_status=3),
    "no-witness-yet": _fault(lambda _, proof: replace(proof, tokens=(), batches=()), exit_status=3),
}

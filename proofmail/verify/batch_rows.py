"""The rows of a proof's batches and their anchors: the numbered steps V7 to V12 of SPEC §9."""

from __future__ import annotations

from datetime import timedelta

from proofmail.core.evm import AnchoredRoot, read_evm_anchor
from proofmail.core.merkle import leaf_hash, root_from_path
from proofmail.core.proof import Batch, EvmAnchor, Proof, Unknown
from proofmail.core.record import Record
from proofmail.errors import CheckFailed, NotChecked
from proofmail.verify.bench import Bench, Witness, statement
from proofmail.verify.report import Status, WitnessFact
from proofmail.verify.trust import NodeWord, Trust


def judge_batches(bench: Bench, proof: Proof, trust: Trust) -> list[Witness]:
    """The rows of all batches, and what each anchor says that can be read."""
    found: list[Witness] = []
    if not proof.batches:
        bench.note("V7", "batch", Status.ABSENT, "not in a batch yet")
    for index, batch in enumerate(proof.batches, 1):
        subject = f"batch {index}"
        if isinstance(batch, Unknown):
            bench.unknown("V7", "batch", batch.kind, subject)
            continue
        found += _batch(bench, proof.record, batch, trust, subject)
    return found


def _batch(bench: Bench, record: Record, batch: Batch, trust: Trust, subject: str) -> list[Witness]:
    start = len(bench.rows)
    bench.judge("V7", "the header names the record's log", lambda: _header(record, batch), subject)
    root = bench.judge(
        "V8", "header and record are in one tree", lambda: _root(record, batch), subject
    )
    if not batch.anchors:
        bench.note("V9", "anchor", Status.ABSENT, "not anchored yet", subject)
    before = bench.rows[start:]
    found = []
    for index, anchor in enumerate(batch.anchors, 1):
        name = f"{subject}, anchor {index}"
        if isinstance(anchor, Unknown):
            bench.unknown("V9", "anchor", anchor.kind, name)
            continue
        own = Bench(list(before))
        witness = _anchor(own, record, anchor, root, trust, name)
        bench.rows += own.rows[len(before) :]
        if witness:
            found.append(witness)
    return found


def _header(record: Record, batch: Batch) -> str:
    if batch.header.log != record.log:
        raise CheckFailed("the batch belongs to another log than the record")
    return f"batch {batch.header.sequence} of {batch.header.log}, {batch.header.count} records"


def _root(record: Record, batch: Batch) -> bytes:
    size = batch.header.count + 1
    root = root_from_path(leaf_hash(batch.header.to_bytes()), 0, size, batch.header_path)
    if root_from_path(leaf_hash(record.to_bytes()), batch.index, size, batch.path) != root:
        raise CheckFailed("the paths of header and record lead to different roots")
    return root


def _anchor(
    bench: Bench,
    record: Record,
    anchor: EvmAnchor,
    root: bytes | None,
    trust: Trust,
    subject: str,
) -> Witness | None:
    facts = bench.judge(
        "V9", "the transaction carries the root and is in the block",
        lambda: _anchored(anchor, root), subject,
    )  # fmt: skip
    if facts is None:
        return None
    bench.judge(
        "V10", "sent by a trusted sender of this log",
        lambda: _sender(record, facts, trust), subject,
    )  # fmt: skip
    bench.judge("V11", "the block is in the chain", lambda: _block(facts, trust), subject)
    bench.judge(
        "V12", "not received after the block",
        lambda: statement(record, facts.block_time, "block"), subject,
    )  # fmt: skip
    chain = trust.chain(facts.chain_id)
    fact = WitnessFact(
        "evm", bench.passed(0), facts.block_time, timedelta(),
        (
            ("chain_id", str(facts.chain_id)),
            ("chain", chain.name if chain else ""),
            ("block_number", str(facts.block_number)),
            ("block_hash", f"0x{facts.block_hash.hex()}"),
            ("transaction", f"0x{facts.tx_hash.hex()}"),
            ("sender", f"0x{facts.sender.hex()}"),
            ("root", facts.root.hex()),
        ),
        "development chain" if chain and chain.development else "",
    )  # fmt: skip
    return frozenset((f"evm {facts.chain_id}",)), fact


def _anchored(anchor: EvmAnchor, root: bytes | None) -> AnchoredRoot:
    facts = read_evm_anchor(anchor.transaction, anchor.index, anchor.nodes, anchor.header)
    if root is None or facts.root != root:
        raise CheckFailed("the transaction carries another root than the batch's")
    return facts


def _sender(record: Record, facts: AnchoredRoot, trust: Trust) -> str:
    service = trust.service(record.log)
    if service is None:
        raise NotChecked("the service (its log's name) is not in the trust given")
    if facts.sender not in service.senders:
        raise NotChecked("the sender is not among the trusted senders of this service")
    return f"0x{facts.sender.hex()}"


def _block(facts: AnchoredRoot, trust: Trust) -> str:
    where = f"chain {facts.chain_id}, block {facts.block_number}, 0x{facts.block_hash.hex()}"
    chain = trust.chain(facts.chain_id)
    if chain is None:
        raise NotChecked(f"the chain is not in the trust given; look it up: {where}")
    if facts.block_hash in chain.believed:
        return where
    words = [word for word in chain.asked if word.number == facts.block_number]
    if not words:
        raise NotChecked(f"whether this block is in the chain; look it up: {where}")
    return f"{where}; by the word of {_vouched(facts, words)} alone"


def _vouched(facts: AnchoredRoot, words: list[NodeWord]) -> str:
    """The nodes that call this very block final, if all that were asked do."""
    names = ", ".join(sorted({word.node for word in words}))
    if not all(word.final for word in words):
        raise NotChecked(f"the nodes asked do not all call a block at this height final: {names}")
    if all(word.block_hash == facts.block_hash for word in words):
        return names
    if any(word.block_hash == facts.block_hash for word in words):
        raise NotChecked(f"the nodes asked contradict each other: {names}")
    raise CheckFailed(f"the nodes asked have another final block at this height: {names}")

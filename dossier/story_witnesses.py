"""The parts of the story on the witnesses, and on what is linked to the record."""

from __future__ import annotations

from dossier.blocks import Block, Cell, Fact, Facts, Grid, Heading, Paragraph
from dossier.text import shorten
from dossier.words import Words
from proofmail.core.proof import Batch, EvmAnchor, Proof, Rfc3161Token
from proofmail.errors import CheckFailed
from proofmail.verify.report import Report, WitnessFact

_MONO = frozenset({"policy", "serial", "block_hash", "transaction", "sender", "root", "tree_root"})


def short_name(fact: WitnessFact, words: Words) -> str:
    """What the trust calls the witness, else what the witness calls itself."""
    details = dict(fact.details)
    keys = ("authority", "signer") if fact.kind == "rfc3161" else ("chain", "chain_id")
    name = next((details[key] for key in keys if details.get(key)), "?")
    return shorten(name, words("cut"))


def witnesses_blocks(proof: Proof, report: Report, words: Words) -> list[Block]:
    """All details of each token and anchor. CheckFailed if report and proof do not fit together."""
    tokens = [t for t in proof.tokens if isinstance(t, Rfc3161Token)]
    places = [
        (batch, anchor)
        for batch in proof.batches
        if isinstance(batch, Batch)
        for anchor in batch.anchors
        if isinstance(anchor, EvmAnchor)
    ]
    token_facts = [f for f in report.witnesses if f.kind == "rfc3161"]
    anchor_facts = [f for f in report.witnesses if f.kind == "evm"]
    if len(tokens) != len(token_facts) or len(places) != len(anchor_facts):
        raise CheckFailed("the report does not tell of every witness of the proof")
    blocks: list[Block] = [Heading(words("witnesses"))]
    if not report.witnesses:
        blocks.append(Paragraph(words("witnesses.none")))
    for index, (token, fact) in enumerate(zip(tokens, token_facts, strict=True), 1):
        rows = [*_times(fact, words), *_details(fact, words), _tree(token, words)]
        blocks += [Heading(words("witnesses.token", index=index), 2), Facts(tuple(rows))]
    for index, ((batch, _), fact) in enumerate(zip(places, anchor_facts, strict=True), 1):
        rows = [*_times(fact, words), *_details(fact, words), _batch(batch, words)]
        blocks += [Heading(words("witnesses.anchor", index=index), 2), Facts(tuple(rows))]
    return blocks


def _times(fact: WitnessFact, words: Words) -> list[Fact]:
    rows = [
        Fact(words("detail.status"), (words(f"status.{fact.status.value}"),)),
        Fact(words("detail.time"), (words.moment(fact.time), words.local(fact.time))),
    ]
    if fact.accuracy:
        spelt = f"{fact.accuracy.total_seconds():g}"
        value = words("detail.accuracy.value", seconds=spelt)
        rows.append(Fact(words("detail.accuracy"), (value,)))
        rows.append(Fact(words("detail.latest"), (words.moment(fact.latest),)))
    return rows


def _details(fact: WitnessFact, words: Words) -> list[Fact]:
    return [
        Fact(
            words.either(f"detail.{key}", key),
            (_value(key, value, words),),
            mono=key in _MONO,
        )
        for key, value in fact.details
        if value
    ]


def _value(key: str, value: str, words: Words) -> str:
    if key == "not_revoked_as_of":
        return words.either(f"status.{value}", value)
    if key == "qualified":
        return words(f"qualified.{value}")
    return shorten(value, words("cut"))


def _tree(token: Rfc3161Token, words: Words) -> Fact:
    value = words("detail.tree.record")
    if token.tree:
        value = words("detail.tree.value", size=words.number(token.tree.size))
    return Fact(words("detail.tree"), (value,))


def _batch(batch: Batch, words: Words) -> Fact:
    value = words(
        "detail.batch.value",
        sequence=batch.header.sequence,
        log=batch.header.log,
        index=words.number(batch.index),
        count=words.number(batch.header.count),
    )
    return Fact(words("detail.batch"), (value,))


def linked_blocks(
    proof: Proof, report: Report, words: Words, *, redacted: bool = False
) -> list[Block]:
    """Receipts and addenda with their verdict; what they say is stated by whoever sent them."""
    blocks: list[Block] = [Heading(words("linked"))]
    if not proof.linked:
        return [*blocks, Paragraph(words("linked.left-out" if redacted else "linked.none"))]
    states = {row.subject: row.status for row in report.rows if row.number == "V14"}
    rows = []
    for index, linked in enumerate(proof.linked, 1):
        state = states.get(f"linked {index}")
        if state is None:
            raise CheckFailed("the report does not tell of every linked proof")
        rows.append(
            (
                *_linked(linked, words),
                Cell(words.moment(linked.record.received_at)),
                Cell(words(f"linked.state.{state.value}")),
            )
        )
    columns = ("what", "recipient", "received", "state")
    head = tuple(words(f"linked.{column}") for column in columns)
    grid = Grid(head, (0.36, 0.26, 0.22, 0.16), tuple(rows))
    return [*blocks, Paragraph(words("linked.note")), grid]


def _linked(linked: Proof, words: Words) -> tuple[Cell, Cell]:
    """What the linked record is, and for whom; no more than its own claims say."""
    claims = linked.claims
    if linked.record.kind == "addendum":
        name = claims.get("addendum.name", words("not-shown"))
        value = claims.get("addendum.value", words("not-shown"))
        small = f"{name}: {shorten(value, words('cut'))}"
        return Cell(words("linked.addendum"), small=small), Cell()
    report = claims.get("receipt.report")
    if not report:
        return Cell(words("linked.receipt")), Cell(words("not-shown"))
    disposition = shorten(report["disposition"], words("cut"))
    kind = words(f"linked.{report['kind']}")
    known = claims.get("authentication", {}).get("sender") == "relay"
    issuer = words("linked.sender.relay" if known else "linked.sender.none")
    small = f"{words('form.' + report['form'])} · {disposition} · {issuer}"
    return Cell(kind, small=small), Cell(shorten(report["final_recipient"], words("cut")))

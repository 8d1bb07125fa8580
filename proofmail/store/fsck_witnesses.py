"""The part of fsck on what came after the records: tokens, batches, transactions, anchors."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, select

from proofmail.core.batch import FIRST_PREVIOUS, Header, batch_tree, read_header
from proofmail.core.canonical import decode, from_base64url
from proofmail.core.evm import ANCHOR_TAG, read_evm_anchor, read_transaction
from proofmail.core.merkle import leaf_hash, root_from_path
from proofmail.errors import CheckFailed, Unreadable
from proofmail.store.anchors import batch_state
from proofmail.store.engine import Store, milliseconds
from proofmail.store.proofs import split_path
from proofmail.store.tables import (
    anchors,
    batches,
    log_heads,
    memberships,
    records,
    tokens,
    transactions,
)
from proofmail.verify.token_reader import SHA256, read_token

Fault: TypeAlias = tuple[str, str]
"""What it is about, and what is wrong with it."""

_CHUNK = 500


def faults(store: Store) -> Iterator[Fault]:
    yield from _tokens(store)
    yield from _stamped(store)
    yield from _batches(store)
    yield from _memberships(store)
    yield from _transactions(store)
    yield from _anchors(store)


def _tokens(store: Store) -> Iterator[Fault]:
    last = 0
    while True:
        with store.read() as connection:
            rows = connection.execute(
                select(tokens, records.c.id.label("record_id"), records.c.record.label("bytes"))
                .join(records, records.c.sequence == tokens.c.record)
                .where(tokens.c.id > last)
                .order_by(tokens.c.id)
                .limit(_CHUNK)
            ).all()
        if not rows:
            return
        for row in rows:
            try:
                _check_token(row)
            except (CheckFailed, Unreadable) as fault:
                yield f"token of record {row.record_id}", str(fault)
        last = rows[-1].id


def _stamped(store: Store) -> Iterator[Fault]:
    """A record with tokens may still wait for another one; one without is not stamped."""
    with store.read() as connection:
        bare = connection.execute(
            select(records.c.id)
            .join(tokens, tokens.c.record == records.c.sequence, isouter=True)
            .where(records.c.stamped_at.is_not(None), tokens.c.id.is_(None))
        ).scalars()
        for record_id in bare:
            yield f"record {record_id}", "it reads as stamped, and has no token"


def _check_token(row: Row[Any]) -> None:
    info = read_token(row.response).info
    imprint = sha256(row.bytes).digest()
    if row.tree_index is not None:
        path = split_path(row.tree_path)
        imprint = root_from_path(leaf_hash(row.bytes), row.tree_index, row.tree_size, path)
    if (info.imprint_oid, info.imprint) != (SHA256, imprint):
        raise CheckFailed("the token stamps something else than the record")
    if milliseconds(info.gen_time) != row.gen_time:
        raise CheckFailed("the time beside the token is not its genTime")


def _batches(store: Store) -> Iterator[Fault]:
    with store.read() as connection:
        heads = {row.log: row for row in connection.execute(select(log_heads)).all()}
        places = connection.execute(
            select(batches.c.id, batches.c.log).order_by(batches.c.log, batches.c.sequence)
        ).all()
    before: dict[str, tuple[int, bytes]] = {}
    for place in places:
        with store.read() as connection:
            row = connection.execute(select(batches).where(batches.c.id == place.id)).one()
            try:
                _check_batch(connection, row, *before.get(row.log, (0, FIRST_PREVIOUS)))
            except (CheckFailed, Unreadable) as fault:
                yield f"batch {row.sequence} of {row.log}", str(fault)
        before[row.log] = (row.sequence, row.root)
    for log in sorted(heads.keys() | before.keys()):
        head = heads.get(log)
        known = before.get(log, (0, FIRST_PREVIOUS))
        # A batch that was closed while this ran moved the head on; never back.
        if head is None or head.sequence < known[0]:
            yield f"log {log}", "its head is not its last batch"
        elif head.sequence == known[0] and head.root != known[1]:
            yield f"log {log}", "its head has not the root of its last batch"


def _check_batch(
    connection: Connection, row: Row[Any], last_sequence: int, previous: bytes
) -> None:
    header = read_header(decode(row.header))
    found = (header.log, header.sequence, header.count, milliseconds(header.closed_at))
    if found != (row.log, row.sequence, row._mapping["count"], row.closed_at):
        raise CheckFailed("the values beside the header are not the header's")
    if header.sequence != last_sequence + 1:
        raise CheckFailed(f"the log has no batch {last_sequence + 1}")
    if header.previous != previous:
        raise CheckFailed("it does not follow on the root of the batch before")
    _check_tree(connection, row, header)
    states = connection.execute(select(anchors.c.state).where(anchors.c.batch == row.id))
    if row.state != batch_state(list(states.scalars())):
        raise CheckFailed("its state is not that of its anchors")


def _check_tree(connection: Connection, row: Row[Any], header: Header) -> None:
    members = connection.execute(
        select(memberships.c.idx, memberships.c.path, records.c.record, records.c.log)
        .join(records, records.c.sequence == memberships.c.record)
        .where(memberships.c.batch == row.id)
        .order_by(memberships.c.idx)
    ).all()
    if [member.idx for member in members] != list(range(1, header.count + 1)):
        raise CheckFailed("its members are not as many as its header says, or not numbered so")
    if any(member.log != header.log for member in members):
        raise CheckFailed("a member belongs to another log")
    tree = batch_tree(header, [member.record for member in members])
    if tree.root != row.root:
        raise CheckFailed("its root is not that of its header and members")
    paths = chain([(0, row.header_path)], ((member.idx, member.path) for member in members))
    if any(b"".join(tree.path(index)) != path for index, path in paths):
        raise CheckFailed("a path in it does not lead to its root")


def _memberships(store: Store) -> Iterator[Fault]:
    with store.read() as connection:
        odd = connection.execute(
            select(records.c.id)
            .join(memberships, memberships.c.record == records.c.sequence, isouter=True)
            .where(records.c.batch.is_distinct_from(memberships.c.batch))
        ).scalars()
        for record_id in odd:
            yield f"record {record_id}", "the batch that it names has it not, or another one has"


def _transactions(store: Store) -> Iterator[Fault]:
    with store.read() as connection:
        rows = connection.execute(
            select(transactions, batches.c.root)
            .join(batches, batches.c.id == transactions.c.batch)
            .order_by(transactions.c.id)
        )
        for row in rows:
            try:
                sent = read_transaction(row.raw)
            except (CheckFailed, Unreadable) as fault:
                yield f"transaction {row.id}", str(fault)
                continue
            if (sent.chain_id, sent.sender, sent.nonce, sent.hash) != (
                row.chain_id, row.sender, row.nonce, row.hash,
            ):  # fmt: skip
                yield f"transaction {row.id}", "the values beside its bytes are not those in them"
            if sent.data != ANCHOR_TAG + row.root:
                yield f"transaction {row.id}", "it carries another root than its batch's"


def _anchors(store: Store) -> Iterator[Fault]:
    with store.read() as connection:
        rows = connection.execute(
            select(anchors, batches.c.root, transactions.c.raw)
            .join(batches, batches.c.id == anchors.c.batch)
            .join(
                transactions,
                (transactions.c.batch == anchors.c.batch)
                & (transactions.c.chain_id == anchors.c.chain_id)
                & (transactions.c.hash == anchors.c.tx_hash),
                isouter=True,
            )
            .order_by(anchors.c.id)
        )
        for row in rows:
            subject = f"anchor {row.id}"
            if row.raw is None:
                yield subject, "its transaction is not there"
                continue
            try:
                nodes = [from_base64url(node) for node in decode(row.nodes)]
                facts = read_evm_anchor(row.raw, row.idx, nodes, row.header)
            except (CheckFailed, Unreadable) as fault:
                yield subject, str(fault)
                continue
            if facts.root != row.root:
                yield subject, "it carries another root than its batch's"
            if (facts.block_hash, facts.block_number) != (row.block_hash, row.block_number):
                yield subject, "the block beside it is not the block of its header"

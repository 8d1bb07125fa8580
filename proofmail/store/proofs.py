"""Putting a proof together from the tables. A record's own rows are enough for it: its path was
kept when its batch was closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, select

from proofmail.core.batch import read_header
from proofmail.core.canonical import decode, from_base64url
from proofmail.core.proof import (
    MAX_LINKED,
    MAX_PROOF_BYTES,
    MAX_WITNESSES,
    Batch,
    EvmAnchor,
    Proof,
    RevocationData,
    Rfc3161Token,
    Signature,
    TreePlace,
)
from proofmail.core.record import read_entry, read_record
from proofmail.errors import CheckFailed, Refused, Unreadable
from proofmail.store.engine import Store
from proofmail.store.revocations import data_for
from proofmail.store.tables import (
    anchors,
    batches,
    disclosures,
    memberships,
    records,
    tokens,
    transactions,
)
from proofmail.verify.cms import one_signer, signer_certificate
from proofmail.verify.lists import TrustedList
from proofmail.verify.qualified import extracts_of
from proofmail.verify.token_reader import read_token

MAX_REVOCATION_IN_PROOF = 4 << 20
"""Bytes of revocation data in one proof: a dossier goes by mail."""
_NODE_BYTES = 32
# Room for the proof's own fixed members.
_MARGIN_BYTES = 4096


def assemble(
    store: Store, organisation: str, record_id: str, lists: Sequence[TrustedList] = ()
) -> Proof:
    """The whole proof of a record as it stands now, with the proofs of its newest receipts and
    addenda, as many as a proof file may hold, and what the lists say of its tokens.

    Refused when this organisation has no such record, or when it was erased.
    """
    with store.read() as connection:
        row = connection.execute(
            _rows().where(records.c.id == record_id, records.c.organisation == organisation)
        ).first()
        if row is None:
            raise Refused("there is no such record", enhanced="5.1.1")
        if row.entries is None:
            raise Refused("this record was erased: what it said cannot be shown any more")
        proof = _proof(connection, row, lists)
        room = MAX_PROOF_BYTES - len(proof.to_bytes()) - _MARGIN_BYTES
        linked = _linked(connection, organisation, row.sequence, room, lists)
    return replace(proof, linked=tuple(linked))


def split_path(path: bytes) -> tuple[bytes, ...]:
    """The nodes of a path as the tables keep it."""
    return tuple(path[i : i + _NODE_BYTES] for i in range(0, len(path), _NODE_BYTES))


def _rows() -> Any:
    return (
        select(
            records.c.sequence,
            records.c.record,
            records.c.signature,
            records.c.key_id,
            disclosures.c.entries,
            memberships.c.idx,
            memberships.c.path,
            batches.c.id.label("batch_id"),
            batches.c.header,
            batches.c.header_path,
        )
        .join(disclosures, disclosures.c.record == records.c.sequence, isouter=True)
        .join(memberships, memberships.c.record == records.c.sequence, isouter=True)
        .join(batches, batches.c.id == memberships.c.batch, isouter=True)
    )


def _proof(connection: Connection, row: Row[Any], lists: Sequence[TrustedList]) -> Proof:
    return Proof(
        record=read_record(decode(row.record)),
        entries=tuple(read_entry(entry) for entry in decode(row.entries)),
        signature=Signature(row.key_id, row.signature),
        tokens=tuple(
            replace(token, extracts=extracts_of(token, lists))
            for token in _tokens(connection, row.sequence)
        ),
        batches=() if row.batch_id is None else (_batch(connection, row),),
    )


def _tokens(connection: Connection, sequence: int) -> list[Rfc3161Token]:
    rows = connection.execute(
        select(tokens)
        .where(tokens.c.record == sequence)
        .order_by(tokens.c.gen_time, tokens.c.id)
        .limit(MAX_WITNESSES)
    ).all()
    room = MAX_REVOCATION_IN_PROOF
    found = []
    for row in rows:
        data = _revocation(connection, row, room)
        room -= sum(len(item.value) for item in data)
        found.append(_token(row, data))
    return found


def _revocation(
    connection: Connection, row: Row[Any], room_bytes: int
) -> tuple[RevocationData, ...]:
    """What is kept on the token's signer; nothing for a token that cannot be read, which is
    fsck's to tell."""
    try:
        token = read_token(row.response)
        signer = signer_certificate(token.signed, one_signer(token.signed))
    except (CheckFailed, Unreadable):
        return ()
    return data_for(connection, sha256(signer).digest(), token.info.gen_time, room_bytes)


def _token(row: Row[Any], revocation: tuple[RevocationData, ...]) -> Rfc3161Token:
    return Rfc3161Token(
        response=row.response,
        revocation=revocation,
        certificates=tuple(from_base64url(der) for der in decode(row.certificates)),
        tree=None
        if row.tree_index is None
        else TreePlace(row.tree_index, row.tree_size, split_path(row.tree_path)),
    )


def _batch(connection: Connection, row: Row[Any]) -> Batch:
    found = connection.execute(
        select(anchors.c.idx, anchors.c.nodes, anchors.c.header, transactions.c.raw)
        .join(
            transactions,
            (transactions.c.batch == anchors.c.batch)
            & (transactions.c.chain_id == anchors.c.chain_id)
            & (transactions.c.hash == anchors.c.tx_hash),
        )
        .where(anchors.c.batch == row.batch_id)
        .order_by(anchors.c.chain_id)
        .limit(MAX_WITNESSES)
    ).all()
    return Batch(
        header=read_header(decode(row.header)),
        header_path=split_path(row.header_path),
        index=row.idx,
        path=split_path(row.path),
        anchors=tuple(
            EvmAnchor(
                transaction=anchor.raw,
                index=anchor.idx,
                nodes=tuple(from_base64url(node) for node in decode(anchor.nodes)),
                header=anchor.header,
            )
            for anchor in found
        ),
    )


def _linked(
    connection: Connection,
    organisation: str,
    sequence: int,
    room_bytes: int,
    lists: Sequence[TrustedList],
) -> Sequence[Proof]:
    rows = connection.execute(
        _rows()
        .where(records.c.in_reply == sequence, records.c.organisation == organisation)
        .where(disclosures.c.entries.is_not(None))
        .order_by(records.c.sequence.desc())
        .limit(MAX_LINKED)
    ).all()
    found: list[Proof] = []
    for row in rows:
        proof = _proof(connection, row, lists)
        room_bytes -= len(proof.to_bytes()) + 1
        if room_bytes < 0:
            break
        found.append(proof)
    found.reverse()
    return found

"""Stamping, batching, anchoring, proofs and fsck, with real tokens and real transactions."""

from __future__ import annotations

import threading
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from anchoring.evm_signing import Price, anchor_sender, sign_anchor
from proofmail.core import rlp
from proofmail.core.batch import FIRST_PREVIOUS
from proofmail.core.evm import transaction_key
from proofmail.core.mpt import keccak256
from proofmail.core.proof import MAX_LINKED, Batch, read_proof
from proofmail.errors import Refused
from proofmail.store import anchors as a
from proofmail.store import batches as b
from proofmail.store.batches import close_batch
from proofmail.store.engine import Store
from proofmail.store.erasing import erase, erasures_since, replay, sweep
from proofmail.store.leases import release_lease, renew_lease, take_lease
from proofmail.store.pages import Filter, list_records
from proofmail.store.proofs import assemble
from proofmail.store.records import counts, get_record, keep, receipts_of
from proofmail.store.stamps import NewToken, TreeSpot, count_unstamped, save_tokens, unstamped
from proofmail.store.tables import (
    batches,
    disclosures,
    identifiers,
    memberships,
    records,
    tokens,
    transactions,
)
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Status
from tests.dossier.evidence import ANCHOR_KEY, CHAIN_ID, authority, block_header, request_for
from tests.store.house import KEYS, LOG, NOW, faults, fill, new_record, organisation

SENDER = anchor_sender(ANCHOR_KEY)
LATER = NOW + timedelta(hours=1)


def stamp_all(store: Store, authority_name: str = "first") -> int:
    new = []
    for item in unstamped(store, 1000):
        response = authority().respond(request_for(sha256(item.record).digest()))
        new.append(NewToken(item.sequence, authority_name, response, _gen_time(response)))
    return save_tokens(store, new, LATER)


def _gen_time(response: bytes):  # type: ignore[no-untyped-def]
    from proofmail.verify.token_reader import read_token

    return read_token(response).info.gen_time


def send(store: Store, batch: a.BatchToAnchor, nonce: int, fee: int = 2_000_000_000) -> a.Found:
    """Signs and saves a transaction; returns where it will be found, alone in its block."""
    raw = sign_anchor(ANCHOR_KEY, CHAIN_ID, nonce, batch.root, Price(fee, 1_000_000_000))
    new = a.NewTransaction(batch.id, CHAIN_ID, SENDER, nonce, raw, keccak256(raw))
    a.save_transaction(store, new, LATER)
    return found_at(batch.id, raw, 4242)


def found_at(batch: int, raw: bytes, number: int) -> a.Found:
    leaf = rlp.encode([b"\x20" + transaction_key(0), raw])
    header = block_header(keccak256(leaf), number, LATER)
    return a.Found(batch, CHAIN_ID, keccak256(raw), keccak256(header), number, header, 0, (leaf,))


def close(store: Store, **more: int) -> int | None:
    return close_batch(store, LOG, LATER, **more)


def states(store: Store, owner: str) -> dict[str, int]:
    return {state: n for state, n in counts(store, owner).states.items() if n}


def test_whole_life_of_records(store: Store) -> None:
    owner = organisation(store)
    ids = fill(store, owner, 3)
    assert stamp_all(store) == 3
    assert states(store, owner) == {"stamped": 3}
    assert close(store) == 1
    assert states(store, owner) == {"batched": 3}
    (batch,) = a.batches_to_anchor(store, CHAIN_ID)
    found = send(store, batch, 0)
    assert a.batches_to_anchor(store, CHAIN_ID) == []
    assert a.batches_to_anchor(store, 1) == [batch]
    (saved,) = a.open_transactions(store, CHAIN_ID)
    assert (saved.broadcast_at, saved.root) == (None, batch.root)
    a.mark_broadcast(store, saved.id, LATER)
    assert a.open_transactions(store, CHAIN_ID)[0].broadcast_at == LATER
    a.save_anchor(store, found, LATER)
    assert states(store, owner) == {"anchored": 3}
    assert [o.block_number for o in a.open_anchors(store, CHAIN_ID)] == [4242]
    assert a.mark_final(store, batch.id, CHAIN_ID, found.block_hash)
    assert states(store, owner) == {"final": 3}
    assert counts(store, owner).with_token == 3
    assert a.open_transactions(store, CHAIN_ID) == []
    assert a.open_anchors(store, CHAIN_ID) == []
    assert a.blocks(store) == {CHAIN_ID: [found.block_hash]}
    for record_id in ids:
        proof = read_proof(assemble(store, owner, record_id).to_bytes())
        report = verify_proof(proof)
        assert [row for row in report.rows if row.status is Status.FAILED] == []
        assert len(report.witnesses) == 2
        record = get_record(store, owner, record_id)
        assert record is not None
        assert (record.state, record.stamped) == ("final", True)
    for state in ("recorded", "stamped", "batched", "anchored", "final"):
        page = list_records(store, owner, limit=9, only=Filter(state=state))
        assert len(page.items) == (3 if state == "final" else 0)
    assert faults(store) == []


def test_second_token_of_an_authority_is_ignored(store: Store) -> None:
    owner = organisation(store)
    fill(store, owner, 1)
    (item,) = unstamped(store, 5)
    first = NewToken(item.sequence, "one", b"first", NOW)
    assert save_tokens(store, [first], LATER) == 1
    assert save_tokens(store, [replace(first, response=b"second")], LATER) == 0
    spot = TreeSpot(1, 3, (b"n" * 32, b"m" * 32))
    assert save_tokens(store, [replace(first, authority="two", tree=spot)], LATER) == 1
    assert save_tokens(store, [], LATER) == 0
    assert count_unstamped(store) == 0
    with store.read() as connection:
        kept = connection.execute(select(tokens).order_by(tokens.c.id)).all()
    assert [(row.authority, row.response) for row in kept] == [("one", b"first"), ("two", b"first")]
    assert kept[1].tree_path == b"n" * 32 + b"m" * 32
    assert counts(store, owner).with_token == 1
    assert states(store, owner) == {"stamped": 1}


def test_stamping_after_batching_keeps_the_furthest_state(store: Store) -> None:
    owner = organisation(store)
    fill(store, owner, 2)
    close(store)
    stamp_all(store)
    assert states(store, owner) == {"batched": 2}
    assert counts(store, owner).with_token == 2
    assert faults(store) == []


def test_batches_follow_one_another(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    fill(store, owner, 3)
    assert close(store, max_records=2) == 1
    fill(store, other, 2)
    assert close(store, max_records=2) == 2
    assert close(store, max_records=10) == 3
    assert close(store) is None
    with store.read() as connection:
        rows = connection.execute(select(batches).order_by(batches.c.sequence)).all()
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert assemble(store, owner, list_records(store, owner, limit=1).items[0].id).batches
    assert faults(store) == []


def test_a_batch_waits_for_age_or_size(store: Store) -> None:
    owner = organisation(store)
    fill(store, owner, 2)
    soon = NOW + timedelta(seconds=59)
    assert close_batch(store, LOG, soon, max_records=3, max_age_seconds=60) is None
    assert close_batch(store, "other.example", LATER) is None
    due = NOW + timedelta(seconds=60)
    assert close_batch(store, LOG, due, max_records=3, max_age_seconds=60) == 1
    fill(store, owner, 3)
    assert close_batch(store, LOG, NOW, max_records=3, max_age_seconds=600) is None
    filled = NOW + timedelta(seconds=2)  # the third is of then
    assert close_batch(store, LOG, filled, max_records=3, max_age_seconds=600) == 2


def test_two_batchers_close_one_batch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have drafted the same batch before either writes."""
    owner = organisation(store)
    fill(store, owner, 20)
    both = threading.Barrier(2)
    draft = b._draft

    def together(*arguments: object) -> object:
        made = draft(*arguments)  # type: ignore[arg-type]
        both.wait(10)
        return made

    monkeypatch.setattr(b, "_draft", together)
    results: list[int | None] = []
    threads = [threading.Thread(target=lambda: results.append(close(store))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["1", "None"]
    assert states(store, owner) == {"batched": 20}
    assert faults(store) == []


def test_batch_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = organisation(store)
    fill(store, owner, 3)

    def die(*_: object) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr(b, "_count", die)
        with pytest.raises(RuntimeError, match="died"):
            close(store)
    assert states(store, owner) == {"recorded": 3}
    assert faults(store) == []
    assert close(store) == 1
    with store.read() as connection:
        header = connection.execute(select(batches.c.header)).scalar_one()
    assert bytes(32) == FIRST_PREVIOUS
    assert b'"sequence":1' in header


def test_a_large_batch_fits(sqlite_store: Store) -> None:
    """10,000 records; memory grows with their number, so 100,000 take ten times this."""
    store = sqlite_store
    owner = organisation(store)
    fill(store, owner, 1)
    copies = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
        "INSERT INTO records (id, organisation, kind, log, received_at, record, record_sha256,"
        " signature, key_id, units) SELECT 'x' || i, organisation, kind, log, received_at,"
        " record, record_sha256, signature, key_id, units FROM records, n"
    )
    with store.write() as connection:
        connection.execute(copies)
    tracemalloc.start()
    assert close(store) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 << 20
    with store.read() as connection:
        rows = connection.execute(select(memberships.c.path).limit(3)).scalars()
        assert all(len(path) <= 14 * 32 for path in rows)


def test_nonce_belongs_to_one_batch(store: Store) -> None:
    owner = organisation(store)
    fill(store, owner, 2)
    close(store, max_records=1)
    close(store, max_records=1)
    first, second = a.batches_to_anchor(store, CHAIN_ID)
    send(store, first, 7)
    send(store, first, 7, fee=3_000_000_000)
    send(store, first, 7, fee=3_000_000_000)
    assert [t.nonce for t in a.open_transactions(store, CHAIN_ID)] == [7, 7]
    with pytest.raises(Refused, match="another batch"):
        send(store, second, 7)
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(update(transactions).values(batch=second.id))
    assert a.free_nonce(store, CHAIN_ID, SENDER, 7) == 8
    assert a.free_nonce(store, CHAIN_ID, SENDER, 5) == 5
    assert a.free_nonce(store, CHAIN_ID, bytes(20), 7) == 7
    assert a.batches_to_anchor(store, CHAIN_ID) == [second]
    a.give_up_nonce(store, CHAIN_ID, SENDER, 7, LATER)
    assert a.open_transactions(store, CHAIN_ID) == []
    assert a.batches_to_anchor(store, CHAIN_ID) == [first, second]
    with pytest.raises(Refused, match="given up"):
        send(store, first, 7)
    assert a.free_nonce(store, CHAIN_ID, SENDER, 7) == 8
    send(store, first, 8)
    assert faults(store) == []


def test_reorganisation(store: Store) -> None:
    owner = organisation(store)
    record_id = fill(store, owner, 1)[0]
    close(store)
    (batch,) = a.batches_to_anchor(store, CHAIN_ID)
    found = send(store, batch, 0)
    a.save_anchor(store, found, LATER)
    assert not a.drop_anchor(store, batch.id, CHAIN_ID, bytes(32))
    assert a.drop_anchor(store, batch.id, CHAIN_ID, found.block_hash)
    assert states(store, owner) == {"batched": 1}
    (saved,) = a.open_transactions(store, CHAIN_ID)
    assert a.batches_to_anchor(store, CHAIN_ID) == []
    again = found_at(batch.id, saved.raw, 4250)
    a.save_anchor(store, again, LATER)
    moved = found_at(batch.id, saved.raw, 4251)
    a.save_anchor(store, moved, LATER)
    assert not a.mark_final(store, batch.id, CHAIN_ID, again.block_hash)
    assert a.mark_final(store, batch.id, CHAIN_ID, moved.block_hash)
    a.save_anchor(store, found, LATER)
    assert not a.drop_anchor(store, batch.id, CHAIN_ID, moved.block_hash)
    assert a.blocks(store) == {CHAIN_ID: [moved.block_hash]}
    assert states(store, owner) == {"final": 1}
    (anchor,) = _batch(assemble(store, owner, record_id).batches[0]).anchors
    assert anchor.header == moved.header  # type: ignore[union-attr]
    assert faults(store) == []


def _batch(batch: object) -> Batch:
    assert isinstance(batch, Batch)
    return batch


def test_proof_brings_its_receipts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = organisation(store)
    record_id = fill(store, owner, 1)[0]
    record = get_record(store, owner, record_id)
    assert record is not None
    with store.write() as connection:
        receipts = keep(
            connection,
            [
                new_record(owner, n, kind="receipt", in_reply=record.sequence)
                for n in range(MAX_LINKED + 2)
            ],
        )
    assert [r.id for r in receipts_of(store, owner, record_id, 3)] == receipts[-3:]
    assert receipts_of(store, owner, record_id)[0].in_reply_id == record_id
    proof = assemble(store, owner, record_id)
    assert len(proof.linked) == MAX_LINKED
    newest = get_record(store, owner, receipts[-1])
    assert newest is not None
    assert proof.linked[-1].record.to_bytes() == newest.record
    assert len(read_proof(proof.to_bytes()).linked) == MAX_LINKED
    # A proof file has a limit: the newest that fit are taken.
    one = len(proof.linked[0].to_bytes())
    alone = len(replace(proof, linked=()).to_bytes())
    monkeypatch.setattr("proofmail.store.proofs.MAX_PROOF_BYTES", alone + 4096 + 3 * one + 100)
    small = assemble(store, owner, record_id)
    assert [p.record for p in small.linked] == [p.record for p in proof.linked[-3:]]


def test_no_proof_of_what_is_not_there(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    record_id = fill(store, owner, 1)[0]
    with pytest.raises(Refused, match="no such record"):
        assemble(store, other, record_id)
    with pytest.raises(Refused, match="no such record"):
        erase(store, other, record_id, LATER)


def test_erasing(store: Store) -> None:
    owner = organisation(store)
    with store.write() as connection:
        kept, gone = keep(
            connection, [new_record(owner, 1), new_record(owner, 2, arrival=b"a" * 32)]
        )
    close(store)
    stamp_all(store)
    sibling = assemble(store, owner, kept)
    erase(store, owner, gone, LATER)
    erase(store, owner, gone, LATER + timedelta(days=1))
    with pytest.raises(Refused, match="erased"):
        assemble(store, owner, gone)
    record = get_record(store, owner, gone)
    assert record is not None
    assert (record.summary, record.erased_at, record.state) == (None, LATER, "batched")
    # It is there still, in the log and in the tree: every other proof is as it was.
    assert assemble(store, owner, kept).to_bytes() == sibling.to_bytes()
    found = counts(store, owner)
    assert (found.messages, found.attachments) == (2, 2)
    (erased,) = erasures_since(store, NOW)
    assert (erased.record_id, erased.erased_at) == (gone, LATER)
    assert erased.swept_at is not None
    assert faults(store) == []
    # After a restore the same list is replayed; what the copy never had is passed over.
    unknown = replace(erased, record_id="never-there")
    assert replay(store, [erased, unknown], LATER) == 1


def test_erased_bytes_leave_the_files(sqlite_store: Store) -> None:
    from pathlib import Path

    store = sqlite_store
    path = Path(str(store.engine.url.database))
    owner = organisation(store)

    def everything() -> bytes:
        return b"".join(file.read_bytes() for file in path.parent.iterdir())

    with store.write() as connection:
        (gone,) = keep(connection, [new_record(owner, 1, subject="ERASABLECANARY")])
    fill(store, owner, 20)
    assert b"ERASABLECANARY" in everything()
    # A reader holds the log: the erasure stands, the sweep has to come again.
    with store.read() as reader, store.engine.connect() as other:
        reader.execute(select(records.c.id)).all()
        other.exec_driver_sql("PRAGMA busy_timeout=10")
        other.close()
        erase(store, owner, gone, LATER)
        assert erasures_since(store, NOW)[0].swept_at is None
        assert any(fault.subject == "erasures" for fault in faults(store))
    assert sweep(store, LATER)
    assert sweep(store, LATER)
    assert b"erasablecanary" not in everything().lower()
    assert faults(store) == []


def test_leases(store: Store) -> None:
    assert take_lease(store, "stamp", "one", NOW, 30)
    assert take_lease(store, "stamp", "one", NOW, 30)
    assert not take_lease(store, "stamp", "two", NOW, 30)
    assert take_lease(store, "batch", "two", NOW, 30)
    assert renew_lease(store, "stamp", "one", NOW + timedelta(seconds=20), 30)
    assert not take_lease(store, "stamp", "two", NOW + timedelta(seconds=40), 30)
    assert take_lease(store, "stamp", "two", NOW + timedelta(seconds=50), 30)
    assert not renew_lease(store, "stamp", "one", NOW, 30)
    release_lease(store, "stamp", "one")
    assert not take_lease(store, "stamp", "one", NOW + timedelta(seconds=60), 30)
    release_lease(store, "stamp", "two")
    assert take_lease(store, "stamp", "one", NOW, 30)


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(store: Store) -> None:
    ahead = NOW + timedelta(days=1)
    assert take_lease(store, "stamp", "dead", ahead, 30)
    assert take_lease(store, "stamp", "one", NOW, 30)
    assert not take_lease(store, "stamp", "two", NOW, 30)


def _damage(store: Store, what: str) -> None:
    with store.write() as connection:
        if store.is_sqlite and what.startswith("DELETE"):
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.execute(text(what))


DAMAGES = {
    "record's bytes": "UPDATE records SET record = {flip} WHERE sequence = 2",
    "another record's bytes": "UPDATE records SET record = (SELECT r.record FROM records r"
    " WHERE r.sequence = 1) WHERE sequence = 2",
    "digest": "UPDATE records SET record_sha256 = signature WHERE sequence = 2",
    "signature": "UPDATE records SET signature = (SELECT r.signature FROM records r"
    " WHERE r.sequence = 1) WHERE sequence = 2",
    "time": "UPDATE records SET received_at = received_at + 1 WHERE sequence = 2",
    "kind": "UPDATE records SET kind = 'receipt' WHERE sequence = 2",
    "secret": "UPDATE disclosures SET secret = (SELECT d.secret FROM disclosures d"
    " WHERE d.record = 1) WHERE record = 2",
    "entries": "UPDATE disclosures SET entries = (SELECT d.entries FROM disclosures d"
    " WHERE d.record = 1) WHERE record = 2",
    "disclosures gone": "DELETE FROM disclosures WHERE record = 2",
    "erased, disclosures left": "UPDATE records SET erased_at = 1 WHERE sequence = 2",
    "root": "UPDATE batches SET root = header_path WHERE sequence = 1",
    "gap": "UPDATE batches SET sequence = 3 WHERE sequence = 2",
    "count": "UPDATE batches SET count = 5 WHERE sequence = 1",
    "header path": "UPDATE batches SET header_path = root WHERE sequence = 1",
    "path": "UPDATE memberships SET path = (SELECT m.path FROM memberships m WHERE"
    " m.record = 1) WHERE record = 2",
    "order": "UPDATE memberships SET idx = 9 WHERE record = 2",
    "not in its batch": "UPDATE records SET batch = NULL WHERE sequence = 2",
    "head": "UPDATE log_heads SET sequence = 1",
    "head's root": "UPDATE log_heads SET root = (SELECT r.record_sha256 FROM records r"
    " WHERE r.sequence = 1)",
    "state": "UPDATE batches SET state = 'batched' WHERE sequence = 1",
    "token of another": "UPDATE tokens SET response = (SELECT t.response FROM tokens t"
    " WHERE t.record = 1) WHERE record = 2",
    "token's time": "UPDATE tokens SET gen_time = gen_time + 1000 WHERE record = 2",
    "stamped": "UPDATE records SET stamped_at = NULL WHERE sequence = 2",
    "transaction": "UPDATE transactions SET raw = hash",
    "transaction's hash": "UPDATE transactions SET hash = sender",
    "anchor's block": "UPDATE anchors SET block_number = 1",
    "anchor's header": "UPDATE anchors SET header = nodes",
    "counter": "UPDATE counters SET n = n + 1 WHERE name = 'attachments'",
    "counter of states": "UPDATE counters SET n = n - 1 WHERE name = 'final'",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_fsck_finds(sqlite_store: Store, damage: str) -> None:
    store = sqlite_store
    owner = organisation(store)
    fill(store, owner, 3)
    stamp_all(store)
    close(store)
    found = send(store, a.batches_to_anchor(store, CHAIN_ID)[0], 0)
    a.save_anchor(store, found, LATER)
    a.mark_final(store, found.batch, CHAIN_ID, found.block_hash)
    fill(store, owner, 1)
    close(store)
    assert faults(store) == []
    _damage(store, DAMAGES[damage].replace("{flip}", "substr(record, 2)"))
    assert faults(store)


def test_fsck_says_what_it_cannot_judge(sqlite_store: Store) -> None:
    from proofmail.store.fsck import fsck

    owner = organisation(sqlite_store)
    fill(sqlite_store, owner, 1)
    told = list(fsck(sqlite_store, {}))
    assert {finding.level for finding in told} == {"not-checked"}
    assert any("key that was not given" in finding.text for finding in told)
    assert not any("key that was not given" in f.text for f in fsck(sqlite_store, KEYS))


def test_rows_that_belong_to_nothing_are_refused(store: Store) -> None:
    owner = organisation(store)
    fill(store, owner, 1)
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(delete(records))
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(identifiers.insert().values(organisation=owner, digest=b"x", record=999))
    with store.read() as connection:
        assert connection.execute(select(disclosures.c.record)).all()

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError

from proofmail.errors import Unreadable
from proofmail.store import pages
from proofmail.store.batches import _draft
from proofmail.store.counters import bump
from proofmail.store.engine import Store, milliseconds
from proofmail.store.pages import Filter, fold, list_records
from proofmail.store.records import StoredRecord, counts, get_record, keep, linked, receipts_of
from proofmail.store.stamps import count_unstamped, unstamped
from proofmail.store.tables import identifiers, metadata, usage
from tests.store.house import LOG, NOW, faults, fill, new_record, organisation

WEEK = timedelta(days=7)


def test_keeps_a_group_and_counts_it(store: Store) -> None:
    owner = organisation(store)
    ids = fill(store, owner, 5)
    found = counts(store, owner)
    assert (found.messages, found.receipts, found.attachments) == (5, 0, 10)
    assert found.states == {"recorded": 5, "stamped": 0, "batched": 0, "anchored": 0, "final": 0}
    record = get_record(store, owner, ids[0])
    assert record is not None
    assert record.received_at == NOW
    assert (record.state, record.stamped, record.units) == ("recorded", False, 1)
    assert record.summary is not None
    assert record.summary.subject == "Devis"
    with store.read() as connection:
        assert connection.execute(select(usage)).all() == [(owner, "2026-11", 5, 5)]
    assert faults(store) == []


def test_another_organisation_sees_nothing(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    record_id = fill(store, owner, 1)[0]
    assert get_record(store, other, record_id) is None
    assert list_records(store, other, limit=10).items == ()
    assert receipts_of(store, other, record_id) == []
    assert counts(store, other).messages == 0


def test_same_arrival_within_a_week(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")

    def put(n: int, days: float = 0, who: str = owner) -> str:
        with store.write() as connection:
            new = new_record(who, n, received=NOW + timedelta(days=days), arrival=b"a" * 32)
            return keep(connection, [new])[0]

    first = put(1)
    assert put(2, 6.9) == first
    assert put(3, who=other) != first
    later = put(4, 7)
    assert later != first
    assert put(5, 13) == later
    assert counts(store, owner).messages == 2
    assert faults(store) == []


def test_same_arrival_within_a_group(store: Store) -> None:
    owner = organisation(store)
    with store.write() as connection:
        ids = keep(
            connection,
            [
                new_record(owner, 1, arrival=b"a" * 32),
                new_record(owner, 2, arrival=b"a" * 32),
                new_record(owner, 3, arrival=b"b" * 32),
                new_record(owner, 4),
                new_record(owner, 5),
            ],
        )
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert counts(store, owner).messages == 4


def test_a_group_is_kept_whole_or_not_at_all(store: Store) -> None:
    owner = organisation(store)
    with pytest.raises(IntegrityError), store.write() as connection:
        keep(connection, [new_record(owner, 1), new_record("nobody", 2)])
    assert counts(store, owner).messages == 0
    assert list_records(store, owner, limit=5).items == ()
    assert faults(store) == []


def test_pages_go_on_where_the_last_one_ended(store: Store) -> None:
    owner = organisation(store)
    ids = fill(store, owner, 7)
    with store.write() as connection:  # several at one moment
        ids += keep(connection, [new_record(owner, n, received=NOW) for n in range(100, 104)])
    seen: list[str] = []
    cursor = None
    while True:
        page = list_records(store, owner, limit=3, before=cursor)
        seen += [item.id for item in page.items]
        # What arrives meanwhile does not shift the pages.
        fill(store, owner, 0)
        with store.write() as connection:
            keep(connection, [new_record(owner, 500 + len(seen), received=NOW + WEEK)])
        if page.next is None:
            break
        cursor = page.next
    assert sorted(seen) == sorted(ids)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("cursor", ["", "x", "1-", "-1", "1-2-3", "1-x", "-1-2", "9" * 30 + "-1"])
def test_refuses_foreign_cursors(store: Store, cursor: str) -> None:
    owner = organisation(store)
    with pytest.raises(Unreadable):
        list_records(store, owner, limit=3, before=cursor)


def test_filters(store: Store) -> None:
    owner = organisation(store)
    fill(store, owner, 4)
    with store.write() as connection:
        keep(connection, [new_record(owner, 50, kind="receipt", subject="Lu: Été 100%_\\ fini")])

    def found(**only: object) -> int:
        filters = Filter(**only)  # type: ignore[arg-type]
        return len(list_records(store, owner, limit=10, only=filters).items)

    assert found(kind="receipt") == 1
    assert found(state="recorded") == 5
    assert [found(state=s) for s in ("stamped", "batched", "anchored", "final")] == [0, 0, 0, 0]
    assert found(since=NOW + timedelta(seconds=2)) == 2
    assert found(until=NOW + timedelta(seconds=2)) == 3
    assert found(text="ALICE devis") == 4
    assert found(text="alice nothing") == 0
    assert found(text="100%_\\") == 1
    assert found(text="%") == 1
    assert found(text="_evis") == 0


def test_fold_takes_case_and_accents_away() -> None:
    assert fold("ÉTÉ à Straße") == "ete a strasse"
    assert fold("Plain") == "plain"


def test_a_search_says_how_far_it_looked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SCAN_ROWS", 10)
    owner = organisation(store)
    with store.write() as connection:
        keep(connection, [new_record(owner, 0, subject="Needle", received=NOW)])
    fill(store, owner, 25)
    looks, cursor = 0, None
    hits: list[StoredRecord] = []
    while True:
        page = list_records(store, owner, limit=5, before=cursor, only=Filter(text="needle"))
        hits += page.items
        looks += 1
        if page.next is None:
            break
        assert page.searched_back_to is not None
        cursor = page.next
    assert (len(hits), looks) == (1, 3)


def test_newest_of_the_first_identifier_that_names_any(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    with store.write() as connection:
        ids = keep(connection, [new_record(owner, n) for n in range(3)])
    found = [get_record(store, owner, record_id) for record_id in ids]
    with store.write() as connection:
        connection.execute(
            insert(identifiers),
            [
                {"organisation": owner, "digest": digest, "record": record.sequence}
                for digest, record in zip([b"x", b"x", b"y"], found, strict=True)
                if record
            ],
        )
    with store.read() as connection:
        hit = linked(connection, owner, [b"z", b"x", b"y"])
        assert hit is not None
        assert hit.id == ids[1]
        assert linked(connection, other, [b"x"]) is None
        assert linked(connection, owner, []) is None


def test_everything_asked_often_is_read_from_indexes(sqlite_store: Store) -> None:
    """Nothing sorts or walks all records, whatever the filter: the plans are looked at."""
    store = sqlite_store
    owner = organisation(store)
    plans: list[str] = []

    def explain(_c: object, cursor: Any, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            cursor.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            plans.append(" / ".join(row[3] for row in cursor))

    fill(store, owner, 30)
    with store.write() as connection:  # as if there were some in every state
        for state, many in (("stamped", 3), ("final", 9), ("anchored", 5), ("batched", 9999)):
            bump(connection, {(owner, "message", state): many})
    event.listen(store.engine, "before_cursor_execute", explain)
    before = f"{milliseconds(NOW) + 9000}-5"
    for used, only in (
        ("ix_records_page", Filter()),
        ("ix_records_kind_page", Filter(kind="receipt")),
        ("ix_records_open_page", Filter(state="recorded")),
        ("ix_records_open_page", Filter(state="stamped")),
        ("ix_records_page", Filter(since=NOW, until=NOW + WEEK)),
        ("ix_records_page", Filter(text="devis")),
        ("ix_records_page", Filter(state="final")),
        ("ix_records_page", Filter(state="batched")),
    ):
        list_records(store, owner, limit=10, only=only, before=before)
        assert used in plans[-1]
    list_records(store, owner, limit=10, only=Filter(state="anchored"), before=before)
    # From the batches in that state to their members; those few are sorted.
    assert "ix_batches_state" in plans.pop()
    unstamped(store, 5)
    assert "ix_records_unstamped" in plans[-1]
    count_unstamped(store)
    assert "ix_records_unstamped" in plans[-1]
    _draft(store, LOG, NOW, 5, 1)
    assert "ix_records_unbatched" in plans[-2]
    receipts_of(store, owner, "x")
    assert "ix_records_in_reply" in plans.pop()  # those of one record are sorted
    for plan in plans:
        assert "SCAN records USING" in plan or "SCAN records" not in plan
        assert "TEMP B-TREE" not in plan


def test_a_page_of_many_costs_like_a_page_of_few(sqlite_store: Store) -> None:
    """100,000 thin rows beside 300: the ratio is bounded, not the time (bench/ has the million)."""
    store = sqlite_store
    few, many = organisation(store, "Few"), organisation(store, "Many")
    fill(store, few, 300)
    fill(store, many, 1)
    copy = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
        "INSERT INTO records (id, organisation, kind, log, received_at, record, record_sha256,"
        " signature, key_id, units, stamped_at) SELECT 'x' || i, :many, 'message', 'l',"
        " :at + i, x'00', x'00', x'00', x'00', 0, 1 FROM n"
    )
    with store.write() as connection:
        connection.execute(copy, {"many": many, "at": milliseconds(NOW)})
    middle = f"{milliseconds(NOW) + 50_000}-0"

    def best(owner: str, before: str | None) -> float:
        times = []
        for _ in range(15):
            start = time.perf_counter()
            assert len(list_records(store, owner, limit=50, before=before).items) == 50
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(many, middle) < 3 * best(few, None)


def test_every_table_carries_its_organisation() -> None:
    without = {t.name for t in metadata.sorted_tables if "organisation" not in t.c}
    assert without == {
        "organisations", "leases", "log_heads", "batches", "nonces", "transactions", "anchors",
        "spending", "anchor_requests", "conditions", "authorities", "revocations", "signers",
    }  # fmt: skip

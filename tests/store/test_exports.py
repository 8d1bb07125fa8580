"""Exports as rows: bounds, who has one, what happens when its maker dies, what erasing does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from proofmail.errors import Refused, Unreadable
from proofmail.store import exports, tables
from proofmail.store.engine import Store
from proofmail.store.erasing import erase
from proofmail.store.pages import Filter
from proofmail.store.wanted import Wanted, read_wanted
from tests.store.house import NOW, fill, organisation

WANTED = Wanted("case", "fr", "Affaire", Filter(text="dupont", since=NOW), ("abc",))


def ask(store: Store, owner: str, kind: str = "case", at: Any = NOW) -> str:
    with store.write() as connection:
        return exports.ask(connection, owner, kind, WANTED.to_json(), at)


def state(store: Store, owner: str, made: str) -> str:
    found = exports.get_export(store, owner, made)
    assert found is not None
    return found.state


def test_what_is_wanted_is_read_back() -> None:
    assert read_wanted("case", WANTED.to_json()) == WANTED
    for change in (
        {"kind": "x"}, {"state": "x"}, {"language": "de"}, {"more": ""}, {"title": "x" * 201},
        {"ids": "x"}, {"since": "today"},
    ):  # fmt: skip
        with pytest.raises(Unreadable):
            read_wanted("case", {**WANTED.to_json(), **change})
    with pytest.raises(Unreadable):
        read_wanted("other", WANTED.to_json())


def test_from_asking_to_done(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    made = ask(store, owner)
    assert exports.get_export(store, other, made) is None
    taken = exports.take_export(store, NOW)
    assert taken is not None
    assert (taken.id, taken.kind) == (made, "case")
    assert read_wanted(taken.kind, taken.request) == WANTED
    assert exports.take_export(store, NOW) is None
    assert exports.beat(store, made, 3, 10, NOW)
    assert exports.finish(store, made, 7, b"d" * 32, NOW)
    (found,) = exports.list_exports(store, owner)
    assert (found.state, found.done, found.total, found.size_bytes) == ("done", 3, 10, 7)
    assert exports.list_exports(store, other) == []
    assert not exports.finish(store, made, 8, b"", NOW)


def test_the_number_of_an_organisation_is_bounded(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    for _ in range(exports.MAX_UNFINISHED):
        ask(store, owner)
    with pytest.raises(Refused, match="being made"):
        ask(store, owner)
    ask(store, other)
    with store.write() as connection:  # done, without the work
        connection.execute(update(tables.exports).values(state="done"))
    for _ in range(exports.MAX_KEPT - exports.MAX_UNFINISHED):
        ask(store, owner)
        with store.write() as connection:
            connection.execute(update(tables.exports).values(state="done"))
    with pytest.raises(Refused, match="remove one"):
        ask(store, owner)


def test_the_oldest_comes_first(store: Store) -> None:
    owner = organisation(store)
    second = ask(store, owner, at=NOW + timedelta(seconds=5))
    first = ask(store, owner)
    assert [exports.take_export(store, NOW).id for _ in range(2)] == [first, second]  # type: ignore[union-attr]


def test_a_maker_that_died_is_replaced_but_not_for_ever(store: Store) -> None:
    owner = organisation(store)
    made = ask(store, owner)
    at = NOW
    for _ in range(exports.MAX_TRIES):
        assert exports.take_export(store, at) is not None
        at += timedelta(seconds=exports.STALE_SECONDS - 1)
        assert exports.take_export(store, at) is None
        at += timedelta(seconds=2)
    assert exports.take_export(store, at) is None
    assert state(store, owner, made) == "failed"


def test_one_that_tells_is_left_alone(store: Store) -> None:
    owner = organisation(store)
    made = ask(store, owner)
    exports.take_export(store, NOW)
    later = NOW + timedelta(seconds=exports.STALE_SECONDS * 2)
    assert exports.beat(store, made, 1, 2, later)
    assert exports.take_export(store, later + timedelta(seconds=1)) is None


def test_what_is_removed_says_nothing_more(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    made = ask(store, owner)
    exports.take_export(store, NOW)
    with store.write() as connection:
        assert not exports.remove(connection, other, made, NOW)
        assert exports.remove(connection, owner, made, NOW)
        assert not exports.remove(connection, owner, made, NOW)
    assert not exports.beat(store, made, 1, 2, NOW)
    assert not exports.finish(store, made, 1, b"", NOW)
    found = exports.get_export(store, owner, made)
    assert found is not None
    assert (found.state, found.request) == ("removed", {})


def test_erasing_a_record_removes_every_export_of_its_organisation(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    record = fill(store, owner, 1)[0]
    made, kept = ask(store, owner), ask(store, other)
    for _ in range(2):
        taken = exports.take_export(store, NOW)
        assert taken is not None
        exports.finish(store, taken.id, 1, b"", NOW)
    erase(store, owner, record, NOW)
    assert state(store, owner, made) == "removed"
    assert state(store, other, kept) == "done"
    assert exports.expire(store, NOW) == {kept}


def test_files_expire_and_rows_later(store: Store) -> None:
    owner = organisation(store)
    made = ask(store, owner)
    assert exports.expire(store, NOW) == frozenset()
    exports.take_export(store, NOW)
    assert exports.expire(store, NOW) == {made}
    exports.finish(store, made, 1, b"", NOW)
    assert exports.expire(store, NOW + timedelta(hours=exports.KEPT_HOURS - 1)) == {made}
    assert exports.expire(store, NOW + timedelta(hours=exports.KEPT_HOURS + 1)) == frozenset()
    assert state(store, owner, made) == "removed"
    exports.expire(store, NOW + timedelta(days=exports.ROW_DAYS + 1))
    assert exports.get_export(store, owner, made) is None

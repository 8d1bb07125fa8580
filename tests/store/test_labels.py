"""Labels and threads: found again, bounded, gone with the record."""

from __future__ import annotations

import pytest

from proofmail.errors import Refused
from proofmail.store import labels
from proofmail.store.engine import Store
from proofmail.store.erasing import erase
from proofmail.store.pages import Filter, list_records
from proofmail.store.records import keep
from tests.store.fixtures import postgres, sqlite_store, store, url
from tests.store.house import NOW, arrival, intake_on, mail, new_record, organisation

__all__ = ["postgres", "sqlite_store", "store", "url"]


def _kept(store: Store, owner: str, count: int) -> list[str]:
    with store.write() as connection:
        return keep(connection, [new_record(owner, n) for n in range(count)])


def _listed(store: Store, owner: str, **only: str) -> list[str]:
    return [row.id for row in list_records(store, owner, limit=50, only=Filter(**only)).items]


def _give(store: Store, owner: str, record: str, name: str) -> bool:
    with store.write() as connection:
        return labels.add_label(connection, owner, record, name)


def test_records_are_found_by_their_label_alone(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    first, second, _ = _kept(store, owner, 3)
    (foreign,) = _kept(store, other, 1)
    assert _give(store, owner, first, "Lot 7")
    assert not _give(store, owner, first, "Lot 7")
    assert _give(store, owner, second, "Lot 7")
    assert _give(store, owner, second, "urgent")
    assert _give(store, other, foreign, "Lot 7")
    assert _listed(store, owner, label="Lot 7") == [second, first]
    assert _listed(store, owner, label="Lot 7", text="devis") == [second, first]
    assert _listed(store, owner, label="Lot 7", state="recorded") == [second, first]
    assert _listed(store, owner, label="lot 7") == []
    assert _listed(store, other, label="Lot 7") == [foreign]
    assert labels.list_labels(store, owner) == {"Lot 7": 2, "urgent": 1}
    with store.write() as connection:
        assert labels.remove_label(connection, owner, second, "Lot 7")
        assert not labels.remove_label(connection, owner, second, "Lot 7")
        with pytest.raises(Refused):
            labels.remove_label(connection, owner, foreign, "Lot 7")
    assert _listed(store, owner, label="Lot 7") == [first]


def test_a_label_goes_with_the_record_that_is_erased(store: Store) -> None:
    owner = organisation(store)
    (record,) = _kept(store, owner, 1)
    _give(store, owner, record, "Dupont")
    erase(store, owner, record, NOW)
    assert labels.list_labels(store, owner) == {}
    with pytest.raises(Refused):
        _give(store, owner, record, "Dupont")


def test_bounds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = organisation(store)
    one, two = _kept(store, owner, 2)
    for number in range(labels.MAX_ON_A_RECORD):
        _give(store, owner, one, f"label {number}")
    with pytest.raises(Refused, match="20 labels"):
        _give(store, owner, one, "one more")
    monkeypatch.setattr(labels, "MAX_NAMES", labels.MAX_ON_A_RECORD)
    with pytest.raises(Refused, match="at most 20 labels"):
        _give(store, owner, two, "one more")
    assert _give(store, owner, two, "label 3")


@pytest.mark.parametrize(
    ("typed", "meant"), [("  Lot \t 7 ", "Lot 7"), ("e\u0301te\u0301", "été"), ("x" * 60, "x" * 60)]
)
def test_what_is_typed_becomes_a_label(typed: str, meant: str) -> None:
    assert labels.read_label(typed) == meant


@pytest.mark.parametrize("typed", ["", "  ", "x" * 61, "a\u202eb", "a\x00b", "a\u200bb", "\ud800"])
def test_what_is_no_label(typed: str) -> None:
    with pytest.raises(Refused):
        labels.read_label(typed)


def test_a_thread_is_every_mail_that_answers_one_of_it(store: Store) -> None:
    owner = organisation(store)

    def send(name: str, answers: str = "") -> str:
        extra = {"In-Reply-To": f"<{answers}@acme.example>"} if answers else {}
        raw = mail(name, message_id=f"{name}@acme.example", extra=extra)
        return intake.submit(arrival(owner, raw)).result(10)

    with intake_on(store) as intake:
        first = send("first")
        second = send("second", "first")
        third = send("third", "second")
        fourth = send("fourth", "first")
        send("alone")
        send("unknown", "nothing")
    thread = [fourth, third, second, first]
    for record in thread:
        assert _listed(store, owner, thread=record) == thread
    assert _listed(store, owner, thread=third, text="second") == [second]
    assert _listed(store, organisation(store, "Other"), thread=first) == []
    erase(store, owner, first, NOW)
    assert _listed(store, owner, thread=third)[:3] == thread[:3]

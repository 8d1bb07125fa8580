"""The built-in authority heeds what other authorities' tokens say of the host's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anchoring import known_drift as module
from anchoring.authority import TIME_NOT_AVAILABLE, BuiltInAuthority
from anchoring.authority_identity import create_authority
from anchoring.known_drift import known_drift
from anchoring.tsa_client import build_request
from proofmail.store.authorities import ClockSpan, Heard, note_heard
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.verify.token import read_response

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/s.db"
    create_or_upgrade(url)
    opened = open_store(url)
    yield opened
    opened.close()


def test_it_stamps_only_while_others_agree(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FRESH_SECONDS", -1.0)
    clock = Clock()
    authority = BuiltInAuthority(
        "built-in", create_authority("x", NOW), clock, known_drift(store, clock)
    )

    def failures() -> set[int]:
        return set(read_response(authority.respond(build_request(bytes(32), 1))).failures)

    assert failures() == set()  # nobody else was ever asked
    note_heard(store, {"far": Heard(clock=ClockSpan(-400, 1600), clock_at=NOW)})
    assert failures() == set()
    note_heard(store, {"far": Heard(clock=ClockSpan(1100, 2900), clock_at=NOW)})
    assert failures() == {TIME_NOT_AVAILABLE}
    note_heard(store, {"far": Heard(clock=ClockSpan(-2900, -1100), clock_at=NOW)})
    assert failures() == {TIME_NOT_AVAILABLE}
    clock.moment += timedelta(minutes=61)
    assert failures() == set()  # what was heard then says nothing of now


def test_the_store_is_not_asked_for_every_token(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asked = Clock(), []
    monkeypatch.setattr(module, "clock_offset", lambda *_: asked.append(1))
    monkeypatch.setattr(module, "_FRESH_SECONDS", 3600.0)
    drift = known_drift(store, clock)
    assert [drift() for _ in range(50)] == [timedelta()] * 50
    assert len(asked) == 1

"""Old records gain a token of another authority: all of them, once, from wherever it stopped."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from anchoring.authority import BuiltInAuthority
from anchoring.desks import Desk
from anchoring.restamping import AT_ONCE, TRIES, Manner, restamp
from proofmail.errors import TryLater
from proofmail.store.stamps import Window, count_lacking
from tests.anchoring.house import House
from tests.making import World


class Counted:
    """A better authority, that fails from the request numbered `fails_from`."""

    name = "better"

    def __init__(self, house: House, fails_from: int = 10**9) -> None:
        self.world, self.fails_from, self.asked = World(), fails_from, 0
        self._inner = BuiltInAuthority("better", self.world.authority, house.clock)

    def respond(self, request_der: bytes) -> bytes:
        self.asked += 1
        if self.asked >= self.fails_from:
            raise TryLater("down")
        return self._inner.respond(request_der)

    def desk(self, **more: Any) -> Desk:
        return Desk(self, self.world.trust().tokens, **more)


def sent(house: House, count: int) -> list[str]:
    ids = [house.send(number) for number in range(count)]
    house.turn(2)
    return ids


def test_every_record_gains_a_token_and_a_second_run_asks_for_nothing(house: House) -> None:
    ids = sent(house, AT_ONCE + 3)
    better = Counted(house)
    told: list[tuple[int, int]] = []
    manner = Manner(tell=lambda done, left: told.append((done, left)))
    done = restamp(house.store, better.desk(), house.clock, manner=manner)
    assert done == len(ids) == better.asked
    assert told == [(AT_ONCE, 3), (AT_ONCE + 3, 0)]
    assert restamp(house.store, better.desk(), house.clock) == 0
    assert better.asked == len(ids)
    house.check_tokens(ids, better.world)


def test_it_goes_on_where_it_stopped(house: House) -> None:
    ids = sent(house, AT_ONCE + 3)
    better = Counted(house, fails_from=AT_ONCE - 1)
    waits: list[float] = []
    with pytest.raises(TryLater):
        restamp(house.store, better.desk(), house.clock, manner=Manner(sleep=waits.append))
    assert len(waits) == TRIES - 1
    assert all(later > sooner / 2 for sooner, later in pairwise(waits))
    assert count_lacking(house.store, "better", Window()) == len(ids) - (AT_ONCE - 2)
    better.fails_from = 10**9
    assert restamp(house.store, better.desk(), house.clock) == len(ids) - (AT_ONCE - 2)
    house.check_tokens(ids, better.world)


def test_a_window_bounds_what_is_stamped(house: House) -> None:
    early = house.clock.moment
    house.send(1)
    house.clock.moment += timedelta(days=1)
    late = house.send(2)
    house.turn(2)
    better = Counted(house)
    window = Window(since=early + timedelta(hours=1))
    assert restamp(house.store, better.desk(), house.clock, window) == 1
    house.check_tokens([late], better.world)
    before = Window(until=early + timedelta(hours=1))
    assert restamp(house.store, better.desk(), house.clock, before) == 1
    assert count_lacking(house.store, "better", Window()) == 0


def test_a_record_from_after_now_waits(house: House) -> None:
    house.clock.moment += timedelta(hours=1)
    house.send(1)
    house.clock.moment -= timedelta(hours=1)
    better = Counted(house)
    assert restamp(house.store, better.desk(), house.clock) == 0
    assert better.asked == 0


def test_a_tree_covers_many_with_one_request(house: House) -> None:
    ids = sent(house, 7)
    better = Counted(house)
    assert restamp(house.store, better.desk(tree=True), house.clock) == 7
    assert better.asked == 1
    house.check_tokens(ids, better.world)


def test_the_rate_cap_holds(house: House) -> None:
    """Counted against a set clock: the waiting is what moves it."""
    ids = sent(house, 5)
    better = Counted(house)
    asked_at: list[float] = []
    start = house.clock.moment

    def sleep(seconds: float) -> None:
        house.clock.moment += timedelta(seconds=seconds)

    answer = better.respond

    def respond(request_der: bytes) -> bytes:
        asked_at.append((house.clock.moment - start).total_seconds())
        return answer(request_der)

    better.respond = respond  # type: ignore[method-assign]
    desk = better.desk(gap_seconds=15.0)
    assert restamp(house.store, desk, house.clock, manner=Manner(sleep=sleep)) == 5
    assert asked_at == pytest.approx([0, 15, 30, 45, 60])
    house.check_tokens(ids, better.world)

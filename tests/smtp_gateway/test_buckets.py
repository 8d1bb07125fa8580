from __future__ import annotations

from smtp_gateway.buckets import Buckets
from smtp_gateway.limits import Rate

RATE = Rate(per_minute=60, burst=2)


def test_burst_then_rate() -> None:
    buckets = Buckets(10)
    assert [buckets.take("a", RATE, 0) for _ in range(3)] == [True, True, False]
    assert not buckets.take("a", RATE, 0.9)
    assert buckets.take("a", RATE, 1.0)
    assert not buckets.take("a", RATE, 1.0)
    assert buckets.take("b", RATE, 1.0)


def test_it_never_holds_more_than_the_burst() -> None:
    buckets = Buckets(10)
    buckets.take("a", RATE, 0)
    assert [buckets.take("a", RATE, 1e6) for _ in range(3)] == [True, True, False]


def test_the_table_is_bounded_and_drops_the_least_recent() -> None:
    buckets = Buckets(3)
    for _ in range(3):
        buckets.take("worn", RATE, 0)
    for key in range(100):
        buckets.take(key, RATE, 0)
        assert not buckets.take("worn", RATE, 0)  # in use, so it stays
    assert len(buckets) == 3

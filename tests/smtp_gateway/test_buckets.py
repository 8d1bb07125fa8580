from __future__ import annotations

import math
from struct import pack_into

from smtp_gateway.buckets import Buckets, table_bytes
from smtp_gateway.limits import Rate

RATE = Rate(per_minute=60, burst=2)
SECRET = b"0123456789abcdef"


def _buckets(entries: int) -> Buckets:
    return Buckets(memoryview(bytearray(table_bytes(entries))), SECRET)


def test_burst_then_rate() -> None:
    buckets = _buckets(10)
    assert [buckets.take("a", RATE, 0) for _ in range(3)] == [True, True, False]
    assert not buckets.take("a", RATE, 0.9)
    assert buckets.take("a", RATE, 1.0)
    assert not buckets.take("a", RATE, 1.0)
    assert buckets.take("b", RATE, 1.0)


def test_it_never_holds_more_than_the_burst() -> None:
    buckets = _buckets(10)
    buckets.take("a", RATE, 0)
    assert [buckets.take("a", RATE, 1e6) for _ in range(3)] == [True, True, False]


def test_the_table_is_bounded_and_drops_the_least_recent() -> None:
    buckets = _buckets(8)
    for _ in range(3):
        buckets.take("worn", RATE, 0)
    for key in range(100):
        buckets.take(key, RATE, key * 1e-6)
        assert not buckets.take("worn", RATE, key * 1e-6)  # in use, so it stays
    assert len(buckets) == 8


def test_many_keys_have_buckets_of_their_own() -> None:
    buckets = _buckets(2000)
    keys = [("o", True, f"s{number}@a.example") for number in range(200)]
    for _ in range(2):
        assert all(buckets.take(key, RATE, 0) for key in keys)
    assert not any(buckets.take(key, RATE, 0) for key in keys)
    assert len(buckets) == 200


def test_two_tables_over_the_same_bytes_are_one() -> None:
    table = memoryview(bytearray(table_bytes(8)))
    one, two = Buckets(table, SECRET), Buckets(table, SECRET)
    assert one.take("a", RATE, 5.0)
    assert two.take("a", RATE, 4.9)  # another process's clock, read a moment before
    assert not one.take("a", RATE, 5.0)


def test_a_row_half_written_never_shuts_its_owner_out() -> None:
    for tokens, then in ((math.nan, 0.0), (1e300, 0.0), (-1e300, 0.0), (0.0, 1e300)):
        table = memoryview(bytearray(table_bytes(8)))
        buckets = Buckets(table, SECRET)
        buckets.take("a", RATE, 1.0)
        (at,) = [at for at in range(0, len(table), 32) if any(table[at : at + 16])]
        pack_into("=dd", table, at + 16, tokens, then)
        taken = [buckets.take("a", RATE, 2.0 + second) for second in range(4)]
        assert taken[-1]
        assert sum(taken) <= RATE.burst + 4

"""What is kept of authorities: the rate cap, the counts, and what tokens say of the clock."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from proofmail.store.authorities import (
    MAX_ERROR,
    ClockSpan,
    Heard,
    authority_states,
    clock_offset,
    note_heard,
    reserve_request,
    span_of,
)
from proofmail.store.engine import Store
from tests.store.house import NOW, SetClock

SECOND = timedelta(seconds=1)


def test_no_two_requests_within_the_cap_whoever_asks(store: Store) -> None:
    """Counted against a set clock: a try every 100 ms for a minute, under a cap of 15 s."""
    clock = SetClock()
    sent = []
    for _ in range(600):
        wait = reserve_request(store, "free", clock.at, 15)
        if wait == 0:
            sent.append((clock.at - NOW).total_seconds())
        else:
            assert 0 < wait <= 15
        clock.advance(seconds=0.1)
    assert sent == pytest.approx([0, 15, 30, 45])


def test_of_many_that_ask_at_once_one_goes_out(store: Store) -> None:
    start, waits = threading.Barrier(4), []

    def ask() -> None:
        start.wait(10)
        waits.append(reserve_request(store, "free", NOW, 15))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0, 15, 15, 15]


def test_a_clock_that_was_set_back_does_not_silence_an_authority(store: Store) -> None:
    assert reserve_request(store, "free", NOW + timedelta(days=1), 15) == 0
    assert reserve_request(store, "free", NOW, 15) == 15
    assert reserve_request(store, "free", NOW + 15 * SECOND, 15) == 0


def test_authorities_have_caps_of_their_own(store: Store) -> None:
    assert reserve_request(store, "one", NOW, 15) == 0
    assert reserve_request(store, "two", NOW, 15) == 0


def test_what_was_heard_adds_up(store: Store) -> None:
    note_heard(store, {})
    assert authority_states(store) == {}
    late = Heard(errors=2, failures=2, error_at=NOW, error="x" * 999, retry_at=NOW + 9 * SECOND)
    note_heard(store, {"far": late})
    note_heard(store, {"far": Heard(errors=1, failures=1, error_at=NOW + SECOND, error="slow")})
    state = authority_states(store)["far"]
    assert (state.failures, state.errors, state.answers, state.good_at) == (3, 3, 0, None)
    assert (state.error, state.error_at) == ("slow", NOW + SECOND)
    assert state.retry_at == NOW + 9 * SECOND
    assert state.delay_ms(0.5) is None
    good = Heard(good_at=NOW + 2 * SECOND, delays_ms=[30, 10, 20], waits=4)
    note_heard(store, {"far": good, "near": Heard(waits=1)})
    state = authority_states(store)["far"]
    assert (state.failures, state.errors, state.answers, state.waits) == (0, 3, 3, 4)
    assert state.retry_at < NOW
    assert (state.delay_ms(0.5), state.delay_ms(0.99)) == (20, 30)
    assert authority_states(store)["near"].waits == 1


def test_an_error_after_a_good_answer_counts_from_one(store: Store) -> None:
    note_heard(store, {"far": Heard(errors=5, failures=5, error_at=NOW, error="down")})
    mixed = Heard(good_at=NOW, errors=1, failures=1, error_at=NOW, error="down")
    note_heard(store, {"far": mixed})
    assert authority_states(store)["far"].failures == 1


def test_words_are_cut_and_the_oldest_delays_go(store: Store) -> None:
    note_heard(store, {"far": Heard(error_at=NOW, error="x" * 999, delays_ms=[1] * 600)})
    note_heard(store, {"far": Heard(delays_ms=[7] * 300 + [-5, 2**40])})
    state = authority_states(store)["far"]
    assert len(state.error) == MAX_ERROR
    assert (state.answers, len(state.delays_ms)) == (902, 512)
    assert (state.delays_ms[0], state.delays_ms[-1]) == (0, 2**32 - 1)
    assert state.delay_ms(0.5) == 7


SPANS = [
    # sent, answered, genTime, accuracy; the span in seconds
    (0.0, 0.2, 0.0, 1.0, (-2.0, 1.2)),  # whole seconds: up to one was cut off
    (0.5, 0.7, 0.5, 0.1, (-0.101, 0.3)),
    (0.5, 0.7, 0.5, None, (-1.001, 1.2)),
    (10.5, 10.6, 0.5, 0.1, (9.899, 10.2)),
    (0.5, 0.6, 10.5, 0.1, (-10.101, -9.8)),
]


@pytest.mark.parametrize(("sent", "answered", "stamped", "accuracy", "expected"), SPANS)
def test_what_a_token_says_of_the_clock(
    sent: float, answered: float, stamped: float, accuracy: float | None,
    expected: tuple[float, float],
) -> None:  # fmt: skip
    base = NOW.replace(microsecond=0)
    within = None if accuracy is None else timedelta(seconds=accuracy)
    moments = [base + timedelta(seconds=s) for s in (sent, answered, stamped)]
    span = span_of(*moments, within)
    assert (span.low / 1000, span.high / 1000) == pytest.approx(expected)


def test_the_clock_is_off_only_for_certain(store: Store) -> None:
    assert clock_offset(store, NOW) is None
    note_heard(store, {"one": Heard(clock=ClockSpan(-500, 2500), clock_at=NOW)})
    found = clock_offset(store, NOW + SECOND)
    assert found is not None
    assert (found.drift_seconds, found.authorities, found.agreed) == (0.0, 1, True)
    note_heard(store, {"two": Heard(clock=ClockSpan(1400, 3000), clock_at=NOW + SECOND)})
    found = clock_offset(store, NOW + 2 * SECOND)
    assert found is not None
    assert found.span == ClockSpan(1400, 2500)
    assert (found.drift_seconds, found.authorities) == (1.4, 2)
    assert found.measured_at == NOW + SECOND
    assert clock_offset(store, NOW + timedelta(hours=2)) is None


def test_authorities_that_contradict_one_another_prove_nothing(store: Store) -> None:
    note_heard(
        store,
        {
            "liar": Heard(clock=ClockSpan(50_000, 51_000), clock_at=NOW),
            "one": Heard(clock=ClockSpan(-900, 900), clock_at=NOW),
        },
    )
    found = clock_offset(store, NOW)
    assert found is not None
    assert (found.agreed, found.drift_seconds) == (False, 0.0)
    assert found.span == ClockSpan(-900, 51_000)

"""Several authorities that fail in every way and order: what is kept, who is asked, and when."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from itertools import permutations

import pytest

import anchoring.hearing
import anchoring.stamping
from anchoring.authority import BuiltInAuthority
from anchoring.desks import Desk, unit_of
from anchoring.hearing import back_off_seconds
from anchoring.stamping import StampPlan, stamp_step
from proofmail.core.merkle import leaf_hash, root_from_path
from proofmail.core.proof import Rfc3161Token
from proofmail.errors import CheckFailed, Misconfigured, TryLater
from proofmail.store.authorities import authority_states, clock_offset
from proofmail.store.engine import Store
from proofmail.store.fsck import fsck
from proofmail.store.proofs import assemble
from proofmail.store.records import counts, get_record
from proofmail.store.stamps import (
    Unstamped,
    count_unstamped,
    partly_stamped,
    save_tokens,
)
from proofmail.verify.checks import verify_proof
from proofmail.verify.token import verify_token
from proofmail.verify.trust import Authority, key_id, make_trust
from tests.anchoring.authorities import BAD, FarAuthority, far
from tests.anchoring.house import House
from tests.making import World

QUICK = StampPlan(hedge_seconds=0.15)


def built_in(house: House) -> Desk:
    authority = BuiltInAuthority("built-in", house.world.authority, house.clock)
    return Desk(authority, house.world.trust().tokens, built_in=True)


def tokens_of(house: House, record: str) -> list[Rfc3161Token]:
    found = assemble(house.store, house.organisation, record).tokens
    assert all(isinstance(token, Rfc3161Token) for token in found)
    return list(found)  # type: ignore[arg-type]


def from_whom(house: House, record: str, *known: FarAuthority) -> list[str]:
    """The names of those whose tokens the record has; each is checked completely."""
    proof = assemble(house.store, house.organisation, record)
    imprint = sha256(proof.record.to_bytes()).digest()
    trusts = {a.name: a.trust for a in known} | {"built-in": house.world.trust().tokens}
    names = []
    for token in tokens_of(house, record):
        for name, trust in trusts.items():
            try:
                verify_token(token.response, imprint, trust)
            except Exception:
                continue
            names.append(name)
    return sorted(names)


def check(house: House) -> None:
    found = fsck(house.store, {key_id(house.world.spki): house.world.spki})
    assert [f for f in found if f.level == "fault"] == []


def until_stamped(house: House, step: object, seconds: float = 10.0) -> list[str]:
    """Turns until nothing waits, with the set clock moving on; returns what was raised."""
    raised, end = [], time.monotonic() + seconds
    while count_unstamped(house.store):
        assert time.monotonic() < end, "nothing more is stamped"
        try:
            step()  # type: ignore[operator]
        except TryLater as error:
            raised.append(str(error))
        house.clock.moment += timedelta(seconds=1)
    return raised


@pytest.mark.parametrize("manner", [*BAD, "hang", "slow"])
def test_whatever_the_first_does_the_second_stamps(house: House, manner: str) -> None:
    record = house.send(1)
    first, second = FarAuthority("first", house.clock, manner), FarAuthority("second", house.clock)
    with far(first, second):
        stamp_step(house.store, [first.desk(1.0), second.desk()], house.clock, QUICK)()
        assert from_whom(house, record, first, second) == ["second"]
    assert (first.asked, second.asked) == (1, 1)
    check(house)


@pytest.mark.parametrize("order", [*permutations(["503", "hang", "good", "wrong imprint"])])
def test_in_every_order_the_good_one_is_found(house: House, order: tuple[str, ...]) -> None:
    record = house.send(1)
    all_of_them = [FarAuthority(manner, house.clock, manner) for manner in order]
    with far(*all_of_them):
        stamp_step(house.store, [a.desk(1.0) for a in all_of_them], house.clock, QUICK)()
        assert from_whom(house, record, *all_of_them) == ["good"]
    behind = order[order.index("good") + 1 :]
    assert [a.asked for a in all_of_them if a.name in behind] == [0] * len(behind)
    check(house)


def test_while_the_first_answers_in_time_nobody_else_is_asked(house: House) -> None:
    records = [house.send(n) for n in range(10)]
    first, second = FarAuthority("first", house.clock), FarAuthority("second", house.clock)
    with far(first, second):
        until_stamped(
            house,
            stamp_step(
                house.store, [first.desk(), second.desk(), built_in(house)], house.clock,
                StampPlan(hedge_seconds=5.0),
            ),
        )  # fmt: skip
        for record in records:
            assert from_whom(house, record, first, second) == ["first"]
    assert (first.asked, second.asked) == (10, 0)


@pytest.mark.parametrize("manner", BAD)
def test_the_built_in_authority_stands_in_when_all_others_failed(house: House, manner: str) -> None:
    record = house.send(1)
    first, second = (FarAuthority(name, house.clock, manner) for name in ("first", "second"))
    with far(first, second):
        desks = [first.desk(), second.desk(), built_in(house)]
        stamp_step(house.store, desks, house.clock, QUICK)()
        assert from_whom(house, record, first, second) == ["built-in"]


def test_the_built_in_authority_does_not_outrun_a_slow_one(house: House) -> None:
    """Its token convinces nobody else: a better one is worth waiting for."""
    record = house.send(1)
    slow = FarAuthority("slow", house.clock, "slow")
    with far(slow):
        stamp_step(house.store, [slow.desk(), built_in(house)], house.clock, QUICK)()
        assert from_whom(house, record, slow) == ["slow"]


def test_nothing_unchecked_is_kept(house: House) -> None:
    record = house.send(1)
    bad = [FarAuthority(manner, house.clock, manner) for manner in BAD]
    with far(*bad), pytest.raises(TryLater):
        stamp_step(house.store, [a.desk() for a in bad], house.clock, QUICK)()
    assert [a.asked for a in bad] == [1] * len(bad)
    assert tokens_of(house, record) == []
    assert count_unstamped(house.store) == 1
    states = authority_states(house.store)
    assert all(states[name].failures == 1 and states[name].error for name in BAD)
    assert states["throttle"].retry_at - states["throttle"].error_at >= timedelta(seconds=40)


def test_an_authority_is_checked_against_its_own_roots_alone(house: House) -> None:
    """One authority's root lends nothing to another's answers."""
    house.send(1)
    one, two = FarAuthority("one", house.clock), FarAuthority("two", house.clock)
    with far(one, two):
        crossed = Desk(one.desk().authority, two.trust)
        with pytest.raises(TryLater):
            stamp_step(house.store, [crossed], house.clock, QUICK)()
    assert count_unstamped(house.store) == 1


# --- back-off, caps, clocks ----------------------------------------------------------------


def test_a_failing_authority_is_left_alone_for_longer_and_longer() -> None:
    passing = [back_off_seconds(n, TryLater("down"), 0.0) for n in range(1, 12)]
    assert passing == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    lasting = [back_off_seconds(n, Misconfigured("no"), 0.0) for n in range(1, 8)]
    assert lasting == [60, 120, 240, 480, 960, 1800, 1800]
    assert back_off_seconds(1, CheckFailed("bad"), 0.0) == 60
    assert back_off_seconds(3, TryLater("down"), 1.0) == 2
    assert back_off_seconds(1, TryLater("busy", after_seconds=40), 0.5) == 40
    assert back_off_seconds(1, TryLater("busy", after_seconds=10**6), 0.5) == 3600
    assert back_off_seconds(10**6, TryLater("down"), 0.0) == 300


def test_it_is_asked_again_when_its_time_has_come_also_by_another_process(house: House) -> None:
    first = FarAuthority("first", house.clock, "503")
    with far(first):
        house.send(1)
        for _ in range(5):  # each as if the process had been started anew
            with contextlib.suppress(TryLater):
                stamp_step(house.store, [first.desk()], house.clock, QUICK)()
        assert first.asked == 1
        house.clock.moment += timedelta(seconds=1.01)
        with pytest.raises(TryLater):
            stamp_step(house.store, [first.desk()], house.clock, QUICK)()
        assert first.asked == 2
        assert authority_states(house.store)["first"].failures == 2
        house.clock.moment += timedelta(seconds=2.01)
        first.manner = "good"
        stamp_step(house.store, [first.desk()], house.clock, QUICK)()
    state = authority_states(house.store)["first"]
    assert (state.failures, state.errors, state.answers) == (0, 2, 1)
    assert count_unstamped(house.store) == 0


def test_a_clock_that_was_set_back_does_not_silence_a_failed_authority(house: House) -> None:
    first = FarAuthority("first", house.clock, "503")
    house.send(1)
    with far(first):
        house.clock.moment += timedelta(days=2)
        with pytest.raises(TryLater):
            stamp_step(house.store, [first.desk()], house.clock, QUICK)()
        house.clock.moment -= timedelta(days=1)
        first.manner = "good"
        stamp_step(house.store, [first.desk()], house.clock, QUICK)()
    assert count_unstamped(house.store) == 0


class Counting:
    """An authority in this process that notes when, by the set clock, it was asked."""

    def __init__(self, name: str, house: House) -> None:
        self.name, self.house, self.world = name, house, World()
        self.start, self.at = house.clock.moment, list[float]()
        self._inner = BuiltInAuthority(name, self.world.authority, house.clock)
        self._lock = threading.Lock()

    def respond(self, request_der: bytes) -> bytes:
        with self._lock:
            self.at.append((self.house.clock.moment - self.start).total_seconds())
        return self._inner.respond(request_der)

    def desk(self, **more: object) -> Desk:
        return Desk(self, self.world.trust().tokens, **more)  # type: ignore[arg-type]


def test_the_rate_cap_holds_over_two_workers_and_restarts(house: House) -> None:
    """By counting requests against a set clock: 75 s under a cap of one in 15 s."""
    for n in range(40):
        house.send(n)
    free = Counting("free", house)
    desks = [free.desk(gap_seconds=15.0), built_in(house)]
    workers = [stamp_step(house.store, desks, house.clock, QUICK) for _ in range(2)]
    for tick in range(150):
        if tick % 20 == 0:
            workers[tick % 2] = stamp_step(house.store, desks, house.clock, QUICK)
        both = [threading.Thread(target=worker) for worker in workers]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        house.clock.moment += timedelta(seconds=0.5)
    assert free.at == pytest.approx([0, 15, 30, 45, 60])
    assert count_unstamped(house.store) == 35  # and the built-in one did not step in
    assert authority_states(house.store)["free"].waits > 0
    check(house)


def test_a_second_authority_takes_what_the_cap_holds_back(house: House) -> None:
    records = [house.send(n) for n in range(6)]
    free, paid = Counting("free", house), Counting("paid", house)
    stamp_step(house.store, [free.desk(gap_seconds=15.0), paid.desk()], house.clock, QUICK)()
    assert (len(free.at), len(paid.at)) == (1, 5)
    assert all(len(tokens_of(house, record)) == 1 for record in records)


def test_the_hosts_clock_is_measured_and_the_built_in_authority_hears_of_it(house: House) -> None:
    house.send(1)
    behind = FarAuthority("behind", house.clock, "a little behind")
    with far(behind):
        stamp_step(house.store, [behind.desk(), built_in(house)], house.clock, QUICK)()
    assert count_unstamped(house.store) == 0
    offset = clock_offset(house.store, house.clock.now())
    assert offset is not None
    assert 27 <= offset.drift_seconds <= 30.2
    assert "built-in" not in authority_states(house.store)


def test_a_token_of_a_wrong_time_is_not_kept_but_heard(house: House) -> None:
    house.send(1)
    liar = FarAuthority("liar", house.clock, "ahead")
    with far(liar), pytest.raises(TryLater):
        stamp_step(house.store, [liar.desk()], house.clock, QUICK)()
    assert count_unstamped(house.store) == 1
    offset = clock_offset(house.store, house.clock.now())
    assert offset is not None
    assert offset.span.high < -290_000


# --- quorum --------------------------------------------------------------------------------

TWO = StampPlan(tokens_per_record=2, hedge_seconds=0.15)


def test_a_record_is_stamped_once_it_has_two(house: House) -> None:
    record = house.send(1)
    one, two = FarAuthority("one", house.clock), FarAuthority("two", house.clock, "503")
    with far(one, two):
        step = stamp_step(house.store, [one.desk(), two.desk()], house.clock, TWO)
        step()
        assert from_whom(house, record, one, two) == ["one"]
        assert partly_stamped(house.store, house.organisation) == 1
        row = get_record(house.store, house.organisation, record)
        assert row is not None
        assert (row.state, row.stamped) == ("recorded", False)
        check(house)
        step()  # two is left alone, one is not asked again
        assert (one.asked, two.asked) == (1, 1)
        two.manner = "good"
        house.clock.moment += timedelta(seconds=2)
        step()
        assert from_whom(house, record, one, two) == ["one", "two"]
    assert (one.asked, two.asked) == (1, 2)
    assert partly_stamped(house.store, house.organisation) == 0
    assert counts(house.store, house.organisation).with_token == 1
    check(house)


def test_of_three_the_first_two_are_asked(house: House) -> None:
    record = house.send(1)
    three = [FarAuthority(name, house.clock) for name in ("one", "two", "three")]
    with far(*three):
        stamp_step(house.store, [a.desk() for a in three], house.clock, TWO)()
        assert from_whom(house, record, *three) == ["one", "two"]
    assert [a.asked for a in three] == [1, 1, 0]


def test_two_authorities_under_one_root_count_once(house: House) -> None:
    house.send(1)
    one = FarAuthority("one", house.clock)
    twin = FarAuthority("twin", house.clock, world=one.world)
    with far(one, twin):
        stamp_step(house.store, [one.desk(), twin.desk()], house.clock, TWO)()
    assert count_unstamped(house.store) == 1
    assert one.asked + twin.asked <= 2


def test_records_that_nobody_can_help_do_not_block_later_ones(house: House) -> None:
    """More partly stamped records than one turn takes, and then a new one."""
    one, two = Counting("one", house), FarAuthority("two", house.clock, "503")
    with far(two):
        for n in range(anchoring.stamping.AT_ONCE + 6):
            house.send(n)
        step = stamp_step(house.store, [one.desk(), two.desk()], house.clock, TWO)
        step()
        step()
        late = house.send(999)
        step()
    assert len(tokens_of(house, late)) == 1
    assert len(one.at) == anchoring.stamping.AT_ONCE + 7


def test_when_fewer_are_asked_for_what_is_there_is_enough(house: House) -> None:
    house.send(1)
    one, two = FarAuthority("one", house.clock), FarAuthority("two", house.clock, "503")
    with far(one, two):
        stamp_step(house.store, [one.desk(), two.desk()], house.clock, TWO)()
        assert count_unstamped(house.store) == 1
        stamp_step(house.store, [one.desk(), two.desk()], house.clock, QUICK)()
    assert count_unstamped(house.store) == 0
    assert (one.asked, two.asked) == (1, 1)
    check(house)


def test_both_are_one_witness_each_in_the_report(house: House) -> None:
    record = house.send(1)
    pair = [FarAuthority("one", house.clock), FarAuthority("two", house.clock)]
    with far(*pair):
        stamp_step(house.store, [a.desk() for a in pair], house.clock, TWO)()
    roots = [a.world.trust().authorities[0].certificate for a in pair]
    own = house.world.trust()
    trust = make_trust(
        own.services, [Authority(f"tsa {n}", root) for n, root in enumerate(roots)], [], [],
        witnesses=2,
    )  # fmt: skip
    report = verify_proof(assemble(house.store, house.organisation, record), trust)
    assert report.exit_status == 0
    assert [row.reason for row in report.rows if row.number == "V17"] == ["2 of 2 needed"]


# --- trees ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_one_token_over_a_tree_of_records(house: House, count: int) -> None:
    records = house.send_many(count)
    tsa = Counting("tree", house)
    step = stamp_step(house.store, [tsa.desk(tree=True)], house.clock, QUICK)
    step()
    assert tsa.at == []  # others may come within the second
    house.clock.moment += timedelta(seconds=1)
    step()
    assert len(tsa.at) == 1
    assert count_unstamped(house.store) == 0
    own = house.world.trust()
    root = tsa.world.trust().authorities[0].certificate
    trust = make_trust(own.services, [Authority("tree", root)], [], [])
    for n in {0, count // 2, count - 1}:
        proof = assemble(house.store, house.organisation, records[n])
        report = verify_proof(proof, trust)
        assert report.exit_status == 0, report.rows
        (token,) = tokens_of(house, records[n])
        if count == 1:
            assert token.tree is None
        else:
            assert token.tree is not None
            assert (token.tree.index, token.tree.size) == (n, count)
    check(house)


def test_the_unit_of_a_tree_is_the_tree_of_rfc_9162() -> None:
    items = [Unstamped(n, str(n), "o", 0, b'{"n":%d}' % n) for n in range(7)]
    unit = unit_of(items)
    for item, spot in zip(items, unit.spots, strict=True):
        assert spot is not None
        root = root_from_path(leaf_hash(item.record), spot.index, spot.size, spot.path)
        assert root == unit.imprint
    assert unit_of(items[:1]).imprint == sha256(items[0].record).digest()


def test_when_the_authority_of_trees_is_down_another_stamps_each_record(house: House) -> None:
    records = [house.send(n) for n in range(3)]
    house.clock.moment += timedelta(seconds=1)
    trees, each = FarAuthority("trees", house.clock, "503"), FarAuthority("each", house.clock)
    with far(trees, each):
        desks = [trees.desk(tree=True), each.desk()]
        step = stamp_step(house.store, desks, house.clock, QUICK)
        with pytest.raises(TryLater):
            step()
        step()
        for record in records:
            assert from_whom(house, record, trees, each) == ["each"]
    assert (trees.asked, each.asked) == (1, 3)


# --- ends at every line, and two at once ---------------------------------------------------


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_around_the_commit_the_next_process_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    records = [house.send(n) for n in range(3)]
    tsa = FarAuthority("tsa", house.clock)

    def killed(store: Store, new: Sequence[object], now: object, **more: object) -> int:
        if after:
            save_tokens(store, new, now, **more)  # type: ignore[arg-type]
        raise _Killed

    with far(tsa):
        monkeypatch.setattr(anchoring.stamping, "save_tokens", killed)
        with pytest.raises(_Killed):
            stamp_step(house.store, [tsa.desk()], house.clock, QUICK)()
        monkeypatch.undo()
        assert count_unstamped(house.store) == (0 if after else 3)
        stamp_step(house.store, [tsa.desk()], house.clock, QUICK)()
        for record in records:
            assert from_whom(house, record, tsa) == ["tsa"]
    assert tsa.granted == (3 if after else 6)
    check(house)


def test_two_workers_at_once_keep_one_token_a_record(house: House) -> None:
    records = [house.send(n) for n in range(12)]
    tsa = FarAuthority("tsa", house.clock)
    with far(tsa):
        start = threading.Barrier(2)
        errors: list[BaseException] = []

        def work() -> None:
            step = stamp_step(house.store, [tsa.desk()], house.clock, QUICK)
            start.wait(10)
            try:
                step()
            except BaseException as error:
                errors.append(error)

        both = [threading.Thread(target=work) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert errors == []
        for record in records:
            assert from_whom(house, record, tsa) == ["tsa"]
    assert counts(house.store, house.organisation).with_token == 12
    assert 12 <= tsa.asked <= 24
    check(house)


def test_the_late_answer_is_dropped_but_heard(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchoring.hearing, "KEEP_PAUSE_SECONDS", 0.0)
    record = house.send(1)
    late, quick = FarAuthority("late", house.clock, "hang"), FarAuthority("quick", house.clock)
    with far(late, quick):
        step = stamp_step(house.store, [late.desk(), quick.desk()], house.clock, QUICK)
        step()
        late.let_go.set()
        end = time.monotonic() + 10
        while "late" not in authority_states(house.store):
            assert time.monotonic() < end
            step()
            time.sleep(0.02)
        assert from_whom(house, record, late, quick) == ["quick"]
    assert authority_states(house.store)["late"].answers == 1


def test_two_authorities_of_one_name_are_refused(house: House) -> None:
    with pytest.raises(ValueError, match="one name"):
        stamp_step(house.store, [built_in(house), built_in(house)], house.clock)

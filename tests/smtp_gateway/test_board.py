"""What several gateway processes count together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from proofmail.errors import Misconfigured
from smtp_gateway.board import Board, shared_memory
from smtp_gateway.limits import Limits, Rate

LIMITS = Limits(connections=6, peer_connections=3, stranger_connections=4, rate_entries=100)
SCARCE = Rate(per_minute=0.001, burst=5)

OTHER = """
import sys
from tests.smtp_gateway.test_board import LIMITS, SCARCE
from smtp_gateway.board import Board
descriptor, number = int(sys.argv[1]), int(sys.argv[2])
board = Board(LIMITS, descriptor, number, 2)
for line in sys.stdin:
    print(eval(line), flush=True)
"""


# And it never leaves: the context manager is kept, since its end would give the lock back.
HOLD = "globals().update(held=board._locked()) or held.__enter__()"


class Other:
    """Another process with a board of its own on the same area."""

    def __init__(self, descriptor: int, number: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, str(descriptor), str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=(descriptor,),
        )  # fmt: skip

    def ask(self, what: str) -> object:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return eval(self.process.stdout.readline())


@contextmanager
def other(descriptor: int, number: int = 1) -> Iterator[Other]:
    made = Other(descriptor, number)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


@pytest.fixture
def area() -> Iterator[int]:
    descriptor = shared_memory()
    yield descriptor
    os.close(descriptor)


def _board(area: int, number: int = 0) -> Board:
    return Board(LIMITS, os.dup(area), number, 2)


def test_connections_are_limited_over_all_processes(area: int) -> None:
    board = _board(area)
    with other(area) as two:
        assert isinstance(board.enter("192.0.2.1", False), int)
        assert isinstance(two.ask("board.enter('192.0.2.1', False)"), int)
        third = board.enter("192.0.2.1", False)
        assert isinstance(third, int)
        assert two.ask("board.enter('192.0.2.1', False)") is None  # of one peer
        assert isinstance(two.ask("board.enter('192.0.2.2', False)"), int)
        assert board.enter("192.0.2.3", False) is None  # of all strangers
        board.leave(third)
        assert isinstance(two.ask("board.enter('192.0.2.1', False)"), int)
        assert isinstance(two.ask("board.enter('', True)"), int)
        assert isinstance(board.enter("", True), int)
        assert board.enter("", True) is None  # of all
        assert two.ask("board.enter('', True)") is None


def test_rates_are_those_of_all_processes(area: int) -> None:
    board = _board(area)
    with other(area) as two:
        for take in ("take_as_peer", "take_as_sender"):
            mine = [getattr(board, take)("a", SCARCE, 1.0) for _ in range(3)]
            its = [two.ask(f"board.{take}('a', SCARCE, 1.0)") for _ in range(3)]
            assert mine == [True] * 3
            assert its == [True, True, False]
        assert board.take_as_peer("b", SCARCE, 1.0)


def test_the_seats_of_a_process_that_was_killed_are_free_again(area: int) -> None:
    board = _board(area)
    with other(area) as two:
        for _ in range(6):
            assert isinstance(two.ask("board.enter('', True)"), int)
        assert board.enter("", True) is None
    assert [isinstance(board.enter("", True), int) for _ in range(7)] == [True] * 6 + [False]


def test_a_successor_begins_without_its_predecessors_seats(area: int) -> None:
    board = _board(area)
    with other(area) as two:
        two.ask("board.enter('192.0.2.1', False)")
        two.ask("board.enter('192.0.2.1', False)")
    with other(area) as two:
        assert not two.ask("board.crowded")
        assert isinstance(board.enter("192.0.2.1", False), int)
        assert board.crowded
        assert isinstance(two.ask("board.enter('192.0.2.1', False)"), int)
        assert not board.crowded


def test_a_process_that_was_stopped_in_the_middle_does_not_stop_the_others(
    area: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = _board(area)
    with other(area) as two:
        two.ask(HOLD)
        assert isinstance(board.enter("", True), int)
        # Nor make every one of their mails wait as long as the first.
        begun = time.monotonic()
        for _ in range(500):
            board.take_as_sender("a", SCARCE, 1.0)
        assert time.monotonic() - begun < 500 * 0.1 / 4
    pauses: list[float] = []
    monkeypatch.setattr("smtp_gateway.board.time.sleep", pauses.append)
    board.take_as_sender("a", SCARCE, 1.0)  # it is free again
    with other(area) as two:
        two.ask(HOLD)
        board.take_as_sender("a", SCARCE, 1.0)
    assert len(pauses) > 100


def test_two_processes_with_one_number_and_other_limits_are_refused(area: int) -> None:
    with other(area) as two:
        two.ask("1")
        with pytest.raises(Misconfigured):
            _board(area, 1)
        with pytest.raises(Misconfigured):
            Board(Limits(connections=7), os.dup(area), 0, 2)

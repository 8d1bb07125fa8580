"""A few seconds of the killing; `python -m tests.reliability.kill` does it for as long as asked."""

from __future__ import annotations

from pathlib import Path

from tests.reliability.kill import Plan, Run


def test_killed_at_random_moments_it_keeps_its_word(tmp_path: Path) -> None:
    plan = Plan(
        seconds=5.0, gateways=2, senders=2, least_kills=2, least_pause_seconds=0.5,
        most_pause_seconds=2.0,
    )  # fmt: skip
    tally = Run(tmp_path / "data", plan).go()
    assert tally.wrong == []
    assert tally.kills.total() >= plan.least_kills
    assert len(tally.acknowledged) > 10

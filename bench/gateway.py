"""Mails durably recorded and answered 250, against Postfix accepting to its queue.

The same generator sends to both, in turns. Our side is the whole service, whose worker stamps and
anchors on the same cores meanwhile; it starts anew each round, so that no backlog of a round of
ours runs during one of Postfix.
"""

from __future__ import annotations

import statistics
from contextlib import nullcontext
from dataclasses import dataclass, field

from bench.load import Plan, Result, send
from bench.servers import (
    check_kept,
    count_held,
    count_records,
    holding_postfix,
    missing_postfix,
    our_root,
    our_service,
    postfix_root,
    processor_seconds,
)
from bench.sink import sink
from bench.table import Row
from tests.system.service import Service

ROUNDS = 5
SMALL = Plan(sessions=10, size_bytes=10_000, seconds=3.0)
LARGE = Plan(sessions=10, size_bytes=1_000_000, seconds=3.0)
WARM_UP = Plan(sessions=10, size_bytes=10_000, seconds=0.7)
HALF_LOAD_SECONDS = 8.0


@dataclass
class _Side:
    """What one side did: of each plan the rates, and the processor time of a mail in ms."""

    rates: dict[Plan, list[float]] = field(default_factory=lambda: {SMALL: [], LARGE: []})
    costs: dict[Plan, list[float]] = field(default_factory=lambda: {SMALL: [], LARGE: []})


def run() -> list[Row]:
    ours, peer = _Side(), _Side()
    reason = missing_postfix()
    if reason:
        print(f"gateway: {reason}; our figures stand alone")
    accepted = 0
    with nullcontext() if reason else holding_postfix() as postfix:
        for _ in range(ROUNDS):
            with our_service() as service:
                answered = _round(service.host, service.port, our_root(service), ours)
                check_kept("our service", answered, count_records(service))
            if postfix is not None:
                accepted += _round("127.0.0.1", postfix.port, postfix_root(postfix), peer)
        if postfix is not None:
            check_kept("Postfix", accepted, count_held(postfix))
    rows = [
        _row("10 KB mails recorded, 10 sessions", ours, peer, SMALL, (1.0, 0.5)),
        _cost("  processor time of one, of all processes", ours, peer, SMALL),
        _row("1 MB mails recorded, 10 sessions", ours, peer, LARGE, (1.0, 0.4)),
        _cost("  processor time of one, of all processes", ours, peer, LARGE),
    ]
    for what, plan in (("10 KB", SMALL), ("1 MB", LARGE)):
        with sink(plan.sessions) as port:
            rate = send("127.0.0.1", port, plan).per_second
        name = f"  {what} mails to a sink (the generator's limit)"
        rows.append(Row(name, rate, None, None, "mails/s"))
    half = statistics.median(ours.rates[SMALL]) / 2
    with our_service() as service:
        rows += _half_load(service, half)
    return rows


def _round(host: str, port: int, root: int, side: _Side) -> int:
    """Notes the rate and the cost of each plan; returns how many mails were answered 250."""
    answered = send(host, port, WARM_UP).mails
    for plan, rates in side.rates.items():
        before = processor_seconds(root)
        result = send(host, port, plan)
        rates.append(result.per_second)
        side.costs[plan].append(1000 * (processor_seconds(root) - before) / result.mails)
        answered += result.mails
    return answered


def _row(what: str, ours: _Side, peer: _Side, plan: Plan, goal: tuple[float, float]) -> Row:
    rate = statistics.median(ours.rates[plan])
    if not peer.rates[plan]:
        return Row(what, rate, None, None, "mails/s")
    other = statistics.median(peer.rates[plan])
    return Row(what, rate, other, rate / other, "mails/s", *goal)


def _cost(what: str, ours: _Side, peer: _Side, plan: Plan) -> Row:
    cost = statistics.median(ours.costs[plan])
    if not peer.costs[plan]:
        return Row(what, cost, None, None, "ms", less=True)
    other = statistics.median(peer.costs[plan])
    return Row(what, cost, other, other / cost, "ms", less=True)


def _half_load(service: Service, per_second: float) -> list[Row]:
    send(service.host, service.port, WARM_UP)
    sessions = SMALL.sessions
    plan = Plan(sessions, SMALL.size_bytes, HALF_LOAD_SECONDS, every_seconds=sessions / per_second)
    result: Result = send(service.host, service.port, plan)
    print(f"gateway: half load was {result.per_second:.0f} mails/s, {result.mails} mails")
    return [
        Row("final dot to 250 at half load, p99", result.wait_ms(0.99), None, None, "ms",
            50.0, 250.0, less=True),
        Row("  median", result.wait_ms(0.5), None, None, "ms", less=True),
    ]  # fmt: skip

"""Mails durably recorded and answered 250, against Postfix accepting to its queue.

The same generator sends to both, in turns. Our side is the whole service, whose worker stamps and
anchors on the same cores meanwhile; it starts anew each round, so that no backlog of a round of
ours runs during one of Postfix.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from bench.load import Plan, Result, send
from bench.servers import holding_postfix, missing_postfix, our_service, sink
from bench.table import Row
from tests.system.service import Service

ROUNDS = 3
SMALL = Plan(sessions=10, size_bytes=10_000, seconds=4.0)
LARGE = Plan(sessions=10, size_bytes=1_000_000, seconds=4.0)
WARM_UP = Plan(sessions=10, size_bytes=10_000, seconds=0.7)
HALF_LOAD_SECONDS = 8.0


def run() -> list[Row]:
    ours: dict[Plan, list[float]] = {SMALL: [], LARGE: []}
    peer: dict[Plan, list[float]] = {SMALL: [], LARGE: []}
    reason = missing_postfix()
    if reason:
        print(f"gateway: {reason}; our figures stand alone")
    with _postfix_port(present=not reason) as port:
        for _ in range(ROUNDS):
            with our_service() as service:
                _round(service.host, service.port, ours)
            if port is not None:
                _round("127.0.0.1", port, peer)
    rows = [
        _row("10 KB mails recorded, 10 sessions", ours[SMALL], peer[SMALL], (1.0, 0.5)),
        _row("1 MB mails recorded, 10 sessions", ours[LARGE], peer[LARGE], (1.0, 0.4)),
    ]
    with sink() as port:
        if port is not None:
            for what, plan in (("10 KB", SMALL), ("1 MB", LARGE)):
                rate = send("127.0.0.1", port, plan).per_second
                rows.append(Row(f"  {what} mails to a sink", rate, None, None, "mails/s"))
    half = statistics.median(ours[SMALL]) / 2
    with our_service() as service:
        rows += _half_load(service, half)
    return rows


@contextmanager
def _postfix_port(*, present: bool) -> Iterator[int | None]:
    if not present:
        yield None
        return
    with holding_postfix() as postfix:
        yield postfix.port


def _round(host: str, port: int, rates: dict[Plan, list[float]]) -> None:
    send(host, port, WARM_UP)
    for plan, kept in rates.items():
        kept.append(send(host, port, plan).per_second)


def _row(what: str, ours: list[float], peer: list[float], goal: tuple[float, float]) -> Row:
    rate = statistics.median(ours)
    if not peer:
        return Row(what, rate, None, None, "mails/s")
    other = statistics.median(peer)
    return Row(what, rate, other, rate / other, "mails/s", *goal)


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

"""The whole fault table: `python -m tests.reliability.table [--kind KIND] [--match WORD]` prints
each row that is wrong, and the figures."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

from tests.reliability.hook import (
    AHEAD,
    BEHIND,
    DIED_AFTER,
    DIED_BEFORE,
    DONE,
    EACH,
    FIRST,
    FULL,
    GARBAGE,
    LOCKED,
    LOST,
    OTHER,
    REFUSED,
    SECOND,
    SLOW,
    Fault,
)
from tests.reliability.installation import BUILT_IN, NODE, NODES, remove_empty_database
from tests.reliability.rows import Outcome, run_row

_ANSWERED = (LOST, DONE, SLOW, GARBAGE, OTHER, REFUSED, DIED_BEFORE, DIED_AFTER)
FAULTS = {
    "authority": _ANSWERED,
    "rpc": _ANSWERED,
    "signer": _ANSWERED,
    "status": _ANSWERED,
    "ledger": (LOST, DONE, SLOW, REFUSED, DIED_BEFORE, DIED_AFTER),
    "commit": (LOST, DONE, SLOW, FULL, LOCKED, DIED_BEFORE, DIED_AFTER),
    "read": (LOST, SLOW, DIED_BEFORE),
    "clock": (AHEAD, BEHIND),
}
"""What can happen to a call, by the first word of its name."""

_STEPS = ("stamp", "batch", "anchor", "watch")
_SHARED = (
    *(f"commit {who}" for who in ("intake", "lease", *_STEPS)),
    *(f"read {who}" for who in ("intake", "sweep", *_STEPS)),
    *(f"clock {who}" for who in ("intake", "lease", "sweep", *_STEPS)),
    "signer sign",
)
_PORT = (
    "chain_id", "head", "next_nonce", "fees", "balance_wei", "broadcast", "locate",
    "finalized_number", "block_hash",
)  # fmt: skip
_RPC = (
    "eth_chainId", "eth_getBalance", "eth_getBlockByHash", "eth_getBlockByNumber N",
    "eth_getBlockByNumber finalized", "eth_getBlockByNumber latest", "eth_getBlockByNumber pending",
    "eth_getTransactionByHash", "eth_getTransactionCount", "eth_maxPriorityFeePerGas",
    "eth_sendRawTransaction",
)  # fmt: skip
_OUTSIDE = (
    "authority one", "authority two", "status crl", "status ocsp", "commit cap",
    "commit revocation", "read revocation", "clock revocation",
)  # fmt: skip
_WHOLE = tuple(f"rpc {method}" for method in _RPC)
CALLS = {
    NODE: (*_SHARED, *_OUTSIDE, *_WHOLE),
    NODES: _WHOLE,
    BUILT_IN: (*_SHARED, "authority built-in", *(f"ledger {name}" for name in _PORT)),
}
"""Every outside call of each kind of installation; a test finds those that are missing here."""


def rows(kind: str) -> list[Fault]:
    return [
        Fault(call, fault, which)
        for call in CALLS[kind]
        for fault in FAULTS[call.split()[0]]
        for which in (FIRST, SECOND, EACH)
    ]


def sample(kind: str) -> list[Fault]:
    """Of each call and fault one row: the first, the second or each, in turn."""
    everything = rows(kind)
    return [everything[n + n // 3 % 3] for n in range(0, len(everything), 3)]


def _run(row: tuple[str, Fault]) -> Outcome:
    logging.disable(logging.CRITICAL)
    return run_row(*row)


def _measure(wanted: Sequence[tuple[str, Fault]]) -> Iterator[tuple[str, Fault, Outcome]]:
    with ProcessPoolExecutor(2) as pool:
        for (kind, fault), outcome in zip(wanted, pool.map(_run, wanted), strict=True):
            yield kind, fault, outcome


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=list(CALLS), action="append")
    parser.add_argument("--match", default="")
    parser.add_argument("--sample", action="store_true")
    given = parser.parse_args()
    choose = sample if given.sample else rows
    wanted = [
        (kind, row)
        for kind in given.kind or CALLS
        for row in choose(kind)
        if given.match in str(row)
    ]
    sums: Counter[str] = Counter()
    begun, longest = time.monotonic(), timedelta()
    for kind, fault, outcome in _measure(wanted):
        sums["rows"] += 1
        if sums["rows"] % 50 == 0:
            print(f"{sums['rows']} of {len(wanted)} rows", file=sys.stderr, flush=True)
        sums["rows whose fault was met"] += bool(outcome.met)
        sums["faults met"] += outcome.met
        sums["records acknowledged"] += outcome.records
        sums["proofs handed out"] += outcome.handed_out
        sums["restarts"] += outcome.restarts
        sums["rows that are wrong"] += bool(outcome.wrong)
        longest = max(longest, outcome.until_quiet)
        if outcome.wrong:
            print(f"{kind}: {fault}: {'; '.join(outcome.wrong)}", flush=True)
    for name, number in sums.items():
        print(f"{name}: {number}")
    print(f"longest until quiet, by the fake clock: {longest}")
    print(f"seconds: {time.monotonic() - begun:.0f}")
    remove_empty_database()
    return 1 if sums["rows that are wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())

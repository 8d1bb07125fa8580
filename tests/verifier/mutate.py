"""Both verifiers on changed vectors, the second one in Chromium with the network off:

    python -m tests.verifier.mutate --count 5000 [--first 0]

prints how the cases end, by kind, and each on which the two disagree; ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from tests.verifier.alike import difference, ours, theirs
from tests.verifier.browser import Case, chromium, judged, opened
from tests.verifier.mutants import kind_of, mutant

BATCH = 40
BATCH_BYTES = 4 << 20
"""What is handed over at once: at most so many cases, and no more once they have so many bytes."""


@dataclass
class Tally:
    """How many cases of each kind ended with each status, and those judged in two ways."""

    ends: Counter[tuple[str, int]] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.ends.total()


def both(
    page: Page, cases: Iterable[Case]
) -> Iterator[tuple[Case, dict[str, Any], dict[str, Any]]]:
    """Each case with the Python's report and the page's; the two work at the same time."""
    with ThreadPoolExecutor(1) as pool:
        for batch in batches(cases):
            first = pool.map(ours, batch)
            second = judged(page, batch)
            for case, mine, answer in zip(batch, first, second, strict=True):
                yield case, mine, theirs(answer)


def batches(cases: Iterable[Case]) -> Iterator[list[Case]]:
    batch: list[Case] = []
    size = 0
    for case in cases:
        batch.append(case)
        size += len(case.proof) + sum(len(data) for _, data in case.copies)
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def tally(page: Page, cases: Iterable[Case]) -> Tally:
    made = Tally()
    for case, mine, other in both(page, cases):
        made.ends[kind_of(case), mine["exit_status"]] += 1
        if why := difference(mine, other):
            made.disagreements.append(f"{case.name}: {why}")
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.verifier.mutate")
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--first", type=int, default=0, help="the first case's number")
    asked = parser.parse_args()
    begun = time.monotonic()
    with chromium() as browser, opened(browser) as (page, complaints):
        made = tally(page, map(mutant, range(asked.first, asked.first + asked.count)))
    for (kind, status), number in sorted(made.ends.items()):
        sys.stdout.write(f"{kind:8} ends with {status}: {number}\n")
    for line in (*made.disagreements, *complaints):
        sys.stdout.write(f"{line}\n")
    took = time.monotonic() - begun
    sys.stdout.write(f"{made.count} cases, {len(made.disagreements)} disagreements, {took:.0f} s\n")
    return 1 if made.disagreements or complaints else 0


if __name__ == "__main__":
    sys.exit(main())

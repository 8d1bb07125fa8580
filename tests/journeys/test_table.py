"""The committed table is that of the journeys that exist."""

from __future__ import annotations

import re

from tests.journeys.originals import ORIGINALS
from tests.journeys.outcomes import Outcome
from tests.journeys.rewrites import REWRITES
from tests.journeys.table import PAGE, page
from tests.journeys.transports import TRANSPORTS


def test_the_committed_table_has_the_journeys_that_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(tables) == 6
    for number, table in enumerate(tables):
        names = re.findall(r"^\| (\w[\w-]+) \|", table, re.MULTILINE)
        assert names == ["journey", *(TRANSPORTS if number < 3 else REWRITES)]
    assert f"{len(ORIGINALS)} originals" in text


def test_the_committed_figures_of_the_rewrites_are_what_comes_out() -> None:
    """Those of the servers may change with a server; these only with us."""
    outcomes: dict[str, dict[str, Outcome]] = {name: {} for name in TRANSPORTS}
    outcomes |= {name: rewrite.outcomes() for name, rewrite in REWRITES.items()}
    fresh = page(outcomes)
    committed = PAGE.read_text(encoding="utf-8")
    assert committed.partition("## Rewrites")[2] == fresh.partition("## Rewrites")[2]

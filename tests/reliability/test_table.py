"""A sample of the fault table; `python -m tests.reliability.table` runs all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reliability.hook import DIED_AFTER, DONE, EACH, FIRST, Fault
from tests.reliability.installation import BUILT_IN, NODE, NODES, remove_empty_database
from tests.reliability.rows import run_row
from tests.reliability.table import CALLS, FAULTS


@pytest.fixture(scope="module", autouse=True)
def _empty_database() -> Iterator[None]:
    yield
    remove_empty_database()


@pytest.mark.parametrize("kind", [NODE, NODES, BUILT_IN])
def test_the_table_has_every_outside_call(kind: str) -> None:
    outcome = run_row(kind, None)
    assert outcome.wrong == []
    made = {call for call in outcome.calls if not call.endswith(" start")}
    if kind == NODES:
        made = {call for call in made if call.startswith("rpc ")}
    assert made == set(CALLS[kind])
    assert {call.split()[0] for call in made} <= set(FAULTS)


ROWS = [
    (NODE, Fault("commit intake", DONE, FIRST)),
    (NODE, Fault("commit intake", DIED_AFTER, EACH)),
    (NODE, Fault("rpc eth_sendRawTransaction", DONE, EACH)),
    (NODE, Fault("rpc eth_sendRawTransaction", DIED_AFTER, FIRST)),
    (NODE, Fault("rpc eth_sendRawTransaction", "slow", EACH)),
    (NODE, Fault("commit anchor", DIED_AFTER, FIRST)),
    (NODE, Fault("commit batch", DONE, EACH)),
    (NODE, Fault("commit stamp", DIED_AFTER, FIRST)),
    (NODE, Fault("commit watch", "locked", FIRST)),
    (NODE, Fault("authority one", "other", EACH)),
    (NODE, Fault("authority two", "garbage", EACH)),
    (NODE, Fault("clock lease", "ahead", EACH)),
    (NODE, Fault("clock stamp", "ahead", FIRST)),
    (NODE, Fault("signer sign", "other", FIRST)),
    (NODE, Fault("status crl", "garbage", FIRST)),
    (NODES, Fault("rpc eth_getBlockByNumber N", "other", EACH)),
    (BUILT_IN, Fault("ledger broadcast", DIED_AFTER, FIRST)),
    (BUILT_IN, Fault("commit anchor", "full", EACH)),
]


@pytest.mark.parametrize(("kind", "fault"), ROWS, ids=lambda item: str(item).replace(" ", "-"))
def test_a_fault_delays_and_loses_nothing(kind: str, fault: Fault) -> None:
    outcome = run_row(kind, fault)
    assert outcome.met
    assert outcome.wrong == []


@pytest.mark.parametrize("spare_pages", [0, 2, 3, 5])
def test_a_disk_that_is_full_delays_and_loses_nothing(spare_pages: int) -> None:
    outcome = run_row(NODE, None, spare_pages)
    assert outcome.full
    assert outcome.wrong == []

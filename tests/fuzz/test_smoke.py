"""The targets of this room on their seeds and a few changes of them, without atheris."""

from __future__ import annotations

import importlib
from random import Random
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import TARGETS

_OWN_SEEDS_MAX = 60


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"tests.fuzz.{request.param}")


def _seeds(target: ModuleType) -> list[bytes]:
    found = []
    for seed in target.seeds():
        found.append(seed)
        if len(found) == _OWN_SEEDS_MAX:
            break
    return found


def test_every_seed_holds(target: ModuleType) -> None:
    for seed in _seeds(target):
        target.check(seed)


# The same inputs in every run: new ones are looked for by `make fuzz`, not by a build that fails.
@settings(
    max_examples=250, derandomize=True, database=None, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(which=st.integers(0, _OWN_SEEDS_MAX - 1), number=st.integers(0, 1 << 30))
def test_changed_seeds_hold(target: ModuleType, which: int, number: int) -> None:
    seeds = _seeds(target)
    target.check(target.mutated(seeds[which % len(seeds)], Random(number), target.MOST_BYTES))


@settings(max_examples=100, derandomize=True, database=None, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.binary(max_size=300))
def test_bytes_without_form_hold(target: ModuleType, data: bytes) -> None:
    target.check(data)

"""The order of the tests: files that start whole services, browsers and journeys come first.

A file is the work of one process, so one of these at the end would be waited for alone.
"""

from __future__ import annotations

import pytest

SLOW = ("tests/system/", "tests/verifier/", "tests/journeys/", "tests/fuzz/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))

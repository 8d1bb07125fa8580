from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.house import Guest, Site, site_in


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as made:
        yield made


@pytest.fixture
def guest(site: Site) -> Guest:
    return site.guest("atelier")

"""Fixtures for a fresh store; imported by the test modules that use them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from proofmail.store.engine import Store, create_or_upgrade, open_store
from tests.store.house import postgres_server

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as home:
        yield home


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that exists and is empty; once for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    import psycopg

    home = request.getfixturevalue("postgres")
    name = f"test{next(_NUMBERS)}"
    with psycopg.connect(
        host=home, user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://postgres@/{name}?host={home}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The same contract on both kinds of database."""
    create_or_upgrade(url)
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/store.db"
    create_or_upgrade(url)
    opened = open_store(url)
    yield opened
    opened.close()

"""Many rows by one statement, at the driver's own price.

The gateway's senders wait for these statements. SQLAlchemy spells each of them once a database;
after that the rows go to the driver as they are, so they hold only what both drivers take as it
stands: text, bytes, integers and booleans.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

_DIALECTS = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": cast(Any, psycopg).dialect(),
}


def put(connection: Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Carries out an INSERT for each row; all rows have the columns of the first, at least one.

    `statement` is one of a few that live as long as the process: its spelling is kept for ever.
    """
    connection.exec_driver_sql(
        _spelt(connection.dialect.name, statement, tuple(rows[0])), list(rows)
    )


@cache
def _spelt(dialect: str, statement: Any, columns: tuple[str, ...]) -> str:
    return str(statement.compile(dialect=_DIALECTS[dialect], column_keys=columns))

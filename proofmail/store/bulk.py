"""Many rows by one statement, at the driver's own price.

The gateway's senders wait for these statements. SQLAlchemy spells each of them once a database;
after that the rows go to the driver as they are, so they hold only what both drivers take as it
stands: text, bytes, integers and booleans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import DBAPIError

_DIALECTS = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": cast(Any, psycopg).dialect(),
}


def put(connection: Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Carries out an INSERT for each row; all rows have the columns of the first, at least one.

    `statement` is one of a few that live as long as the process: its spelling is kept for ever.
    """
    text = _spelt(connection.dialect.name, statement, tuple(rows[0]))
    with driver(connection) as cursor:
        cursor.executemany(text, rows)


def ask(connection: Connection, text: str, values: Sequence[Any]) -> list[Any]:
    """All rows of a question, as tuples. `text` has a `?` for each value, as SQLite spells it."""
    if connection.dialect.name == "postgresql":
        text = text.replace("?", "%s")
    with driver(connection) as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall())


@contextmanager
def driver(connection: Connection) -> Iterator[Any]:
    """A cursor of the driver's own, within the connection's transaction. Its errors come as those
    that SQLAlchemy would raise, without the values that a statement had."""
    cursor = connection.connection.cursor()
    dbapi = connection.dialect.loaded_dbapi
    try:
        yield cursor
    except dbapi.Error as error:
        raise DBAPIError.instance(
            None, None, error, dbapi.Error, hide_parameters=True,
            connection_invalidated=connection.dialect.is_disconnect(error, None, cursor),
            dialect=connection.dialect,
        ) from error  # fmt: skip
    finally:
        cursor.close()


@cache
def _spelt(dialect: str, statement: Any, columns: tuple[str, ...]) -> str:
    return str(statement.compile(dialect=_DIALECTS[dialect], column_keys=columns))

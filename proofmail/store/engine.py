"""Opening the database, and the two kinds of transaction on it.

SQLite: write-ahead log, synchronous=FULL, so that a COMMIT that returned is on the disk;
secure_delete, so that what was erased is overwritten. A write transaction begins with BEGIN
IMMEDIATE: it waits for the others at its start and cannot fail for them at its end.
PostgreSQL: synchronous_commit is set on whatever the server's default; writers that exclude one
another lock a row (FOR UPDATE) where SQLite has one writer anyway; readers see one snapshot.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, table, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.sql import column

import migrations
from proofmail.errors import Misconfigured, TryLater
from proofmail.store.bulk import driver
from proofmail.store.tables import REVISION

BUSY_TIMEOUT_SECONDS = 5
WRITER_INTERVAL_SECONDS = 0.001
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    # Sorting spills to memory: no content in a temporary file.
    "PRAGMA temp_store=MEMORY",
)
# Any constant of ours: two processes never upgrade one PostgreSQL database at the same time.
_UPGRADE_LOCK = 0x70726F6F


def milliseconds(moment: datetime) -> int:
    """An aware moment as the tables keep it, truncated as SPEC §1.3 truncates."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment(stored_ms: int) -> datetime:
    """The aware moment, in UTC, of a number that the tables keep."""
    return _EPOCH + timedelta(milliseconds=stored_ms)


def new_id(size_bytes: int = 16) -> str:
    """A random identifier in lower-case base32 without padding; 128 bits unless told."""
    return b32encode(secrets.token_bytes(size_bytes)).rstrip(b"=").decode("ascii").lower()


@dataclass(frozen=True)
class Store:
    """The database. Connections are made when they are needed, and kept in a pool.

    Both transactions raise TryLater when the database cannot be reached, is locked for too long or
    is full, and Misconfigured when its file is damaged or is no database. After a TryLater from the
    end of `write` it is not known whether it was kept.
    """

    engine: Engine
    _reader: Engine = field(repr=False)
    _writer: Engine = field(repr=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database from start to end."""
        with _passing_faults(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable once the block has ended without an exception."""
        with _passing_faults(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _passing_faults() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise TryLater("the database cannot take this now") from error
    except DBAPIError as error:
        # The class itself, not one of its children: SQLite's "malformed" and "not a database".
        if type(error) is DatabaseError:
            raise Misconfigured(
                "the database's file is damaged: stop the service, put a backup in its place"
            ) from error
        if not error.connection_invalidated:
            raise
        raise TryLater("the connection to the database was lost") from error


def open_store(url: str) -> Store:
    """The database at this SQLAlchemy URL, `sqlite:////path` or `postgresql://…`.

    Misconfigured unless it exists and has exactly the revision that this code needs.
    """
    parsed = _parse(url)
    path = _sqlite_path(parsed)
    if path is not None and not path.exists():
        raise Misconfigured("there is no database yet: run `proofmail init`")
    store = _store(parsed)
    try:
        found = _revision(store)
    except TryLater as error:
        store.close()
        raise Misconfigured("the database cannot be opened: see its URL and its server") from error
    if found != REVISION:
        store.close()
        raise Misconfigured(
            "the database has not the schema of this version: run `proofmail upgrade DIR`"
            if found
            else "the database is empty: run `proofmail init`"
        )
    return store


def create_or_upgrade(url: str) -> None:
    """Makes the tables, or brings them to this version, in one transaction. Safe to run twice,
    and at the same time: the second waits, then finds nothing to do. If the process dies, the
    database has the old schema or the new one."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    parsed = _parse(url)
    path = _sqlite_path(parsed)
    if path is not None:
        _create_private(path)
    store = _store(parsed)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    try:
        with store.write() as connection:
            if not store.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured("the database was made by a newer version of proofmail") from error
    except TryLater as error:
        raise Misconfigured("the database cannot be opened: see its URL and its server") from error
    finally:
        store.close()


def upgrade(url: str) -> None:
    """Brings the tables of an existing database to this version. Misconfigured without one."""
    path = _sqlite_path(_parse(url))
    if path is not None and not path.exists():
        raise Misconfigured("there is no database here: put a backup in its place")
    create_or_upgrade(url)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Misconfigured("the database's URL is not one") from error
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise Misconfigured("the database's URL starts with sqlite:/// or postgresql://")


def _sqlite_path(url: URL) -> Path | None:
    return Path(url.database) if url.drivername == "sqlite" and url.database else None


def _create_private(path: Path) -> None:
    """An empty file with mode 0600; SQLite gives the files beside it the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise Misconfigured("the database's file cannot be made: see its directory") from error


def _store(url: URL) -> Store:
    # An error's text would carry the values of the statement: addresses, subjects, secrets.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.drivername == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, **options)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return Store(engine, engine, engine.execution_options(begin_immediate=True))
    settings = f"-c synchronous_commit=on -c lock_timeout={BUSY_TIMEOUT_SECONDS * 1000}"
    engine = create_engine(url, connect_args={"options": settings}, pool_pre_ping=True, **options)
    reader = engine.execution_options(isolation_level="REPEATABLE READ")
    return Store(engine, reader, engine)


def _set_up_sqlite(connection: Any, _pool_record: object) -> None:
    # The driver begins no transaction of its own: _begin_sqlite does.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    """At the driver's own price: each transaction passes here, also those of idle steps."""
    immediate = connection.get_execution_options().get("begin_immediate")
    with driver(connection) as cursor:
        if immediate:
            _begin_immediate(cursor)
        else:
            cursor.execute("BEGIN")


def _begin_immediate(cursor: Any) -> None:
    """Waits for the other writers no longer than the connection's timeout says, asking anew at
    short intervals: SQLite's own grow to 100 ms, and another's commit is over in a few."""
    (timeout_ms,) = cursor.execute("PRAGMA busy_timeout").fetchone()
    until = time.monotonic() + timeout_ms / 1000
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() >= until:
                    raise
            time.sleep(WRITER_INTERVAL_SECONDS)
    finally:
        cursor.execute(f"PRAGMA busy_timeout={timeout_ms}")


def _revision(store: Store) -> str | None:
    with store.read() as connection:
        if not store.engine.dialect.has_table(connection, "alembic_version"):
            return None
        version = table("alembic_version", column("version_num"))
        return connection.execute(select(version.c.version_num)).scalar()

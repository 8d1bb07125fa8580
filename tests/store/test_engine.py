from __future__ import annotations

import os
import re
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

import migrations
from proofmail.errors import Misconfigured, TryLater
from proofmail.store.engine import Store, create_or_upgrade, open_store, upgrade
from proofmail.store.tables import REVISION, metadata
from tests.store.house import organisation


def test_migrations_make_what_tables_say(store: Store) -> None:
    with store.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_revision_is_the_head() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_current_head() == REVISION


def test_partial_indexes_have_their_conditions(store: Store) -> None:
    # compare_metadata does not look at conditions; without one the index is over every record.
    with store.read() as connection:
        found = {
            index["name"]: " ".join(map(str, index["dialect_options"].values()))
            for index in inspect(connection).get_indexes("records")
        }
    for name in ("open_page", "unbatched", "unstamped", "in_reply"):
        assert re.search(r"IS (NOT )?NULL", found[f"ix_records_{name}"])


def test_upgrade_twice_and_at_once(url: str) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            create_or_upgrade(url)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    open_store(url).close()


def test_new_file_is_private(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        create_or_upgrade(f"sqlite:///{tmp_path}/store.db")
        opened = open_store(f"sqlite:///{tmp_path}/store.db")
        organisation(opened)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        opened.close()
    finally:
        os.umask(mask)
    assert {"store.db", "store.db-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_sqlite_settings(sqlite_store: Store) -> None:
    with sqlite_store.write() as connection:
        for pragma, expected in (
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("secure_delete", 1),
            ("foreign_keys", 1),
            ("busy_timeout", 5000),
            ("temp_store", 2),
        ):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == expected


def test_write_transactions_exclude_one_another_from_their_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    create_or_upgrade(url)
    store = open_store(url)
    other = sqlite3.connect(tmp_path / "store.db", timeout=0)
    with store.write(), pytest.raises(sqlite3.OperationalError):
        other.execute("BEGIN IMMEDIATE")
    with store.read():
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
    other.close()
    store.close()


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("sqlite:////nonexistent/dir/store.db", "proofmail init"),
        ("sqlite://", "starts with"),
        ("mysql://localhost/x", "starts with"),
        ("not a url", "not one"),
        ("postgresql://postgres@/x?host=/nonexistent", "cannot be opened"),
    ],
)
def test_refuses_what_it_cannot_open(url: str, cure: str) -> None:
    with pytest.raises(Misconfigured, match=cure):
        open_store(url)


def test_says_that_a_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    url = f"sqlite:///{path}"
    with pytest.raises(Misconfigured, match="backup"):
        upgrade(url)
    assert not path.exists()
    path.write_bytes(b"not a database " * 100)
    with pytest.raises(Misconfigured, match="damaged"):
        open_store(url)
    path.unlink()
    create_or_upgrade(url)
    upgrade(url)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + bytes([0xA5]) * (len(whole) - 4096))
    with pytest.raises(Misconfigured, match="damaged"):
        open_store(url)


def test_refuses_another_revision(url: str) -> None:
    if url.startswith("sqlite"):
        sqlite3.connect(url.removeprefix("sqlite:///")).close()
    with pytest.raises(Misconfigured, match="proofmail init"):
        open_store(url)
    create_or_upgrade(url)
    store = open_store(url)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    store.close()
    with pytest.raises(Misconfigured, match="proofmail upgrade"):
        open_store(url)
    with pytest.raises(Misconfigured, match="newer"):
        create_or_upgrade(url)


def test_errors_do_not_carry_values(store: Store) -> None:
    statement = text("INSERT INTO proof_addresses VALUES (:a, :b)")
    with pytest.raises(IntegrityError) as caught, store.write() as connection:
        connection.execute(statement, {"a": "canary@acme.example", "b": "nobody"})
    assert "canary" not in str(caught.value)


def test_a_locked_database_is_try_later(sqlite_store: Store) -> None:
    other = sqlite3.connect(str(sqlite_store.engine.url.database))
    other.execute("BEGIN IMMEDIATE")
    with sqlite_store.engine.connect() as connection:  # this connection goes back to the pool
        connection.exec_driver_sql("PRAGMA busy_timeout=10")
    with pytest.raises(TryLater), sqlite_store.write():
        pytest.fail("two writers at once")
    other.rollback()
    other.close()


def test_a_writer_waits_for_the_other(sqlite_store: Store) -> None:
    path = str(sqlite_store.engine.url.database)
    other = sqlite3.connect(path, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    over: list[bool] = []

    def end() -> None:
        over.append(True)
        other.rollback()

    timer = threading.Timer(0.2, end)
    timer.start()
    with sqlite_store.write() as connection:
        assert over
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    timer.join()
    other.close()


def test_migrations_run_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    create_or_upgrade(f"sqlite:///{tmp_path}/store.db")
    open_store(f"sqlite:///{tmp_path}/store.db").close()

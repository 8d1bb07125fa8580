"""`proofmail strengthen --tokens`, as an operator types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anchoring.authority_identity import create_authority
from proofmail.accounts.organisations import list_organisations
from proofmail.cli import main
from proofmail.folder import SystemClock
from proofmail.setup import InitOptions, initialise
from proofmail.store.engine import open_store
from proofmail.store.leases import release_lease, take_lease
from proofmail.store.proofs import assemble
from proofmail.store.records import keep
from proofmail.strengthen import LEASE
from tests.anchoring.authorities import FarAuthority, far
from tests.making import World
from tests.store.house import new_record


def _far() -> FarAuthority:
    now = datetime.now(UTC)
    return FarAuthority("far", SystemClock(), world=World(authority=create_authority("far", now)))


def test_old_records_gain_a_token_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, now = tmp_path / "data", datetime.now(UTC)
    initialise(folder, InitOptions("p@x.example", (), "X", "o@x.example", "Europe/Paris", "en"))
    store = open_store(f"sqlite:///{folder}/proofmail.db")
    owner = list_organisations(store)[0].id
    with store.write() as connection:
        old = [new_record(owner, n, received=now - timedelta(days=9)) for n in range(3)]
        new = [new_record(owner, n, received=now - timedelta(hours=1)) for n in range(3, 5)]
        ids = keep(connection, [*old, *new])

    def tokens() -> list[int]:
        return [len(assemble(store, owner, record).tokens) for record in ids]

    assert main(["strengthen", str(folder), "--tokens"]) == 1
    assert "no outside authority" in capsys.readouterr().err
    tsa = _far()
    with far(tsa):
        (folder / "far.pem").write_bytes(tsa.world.authority.root_pem)
        settings = folder / "settings.toml"
        table = {"name": tsa.name, "url": tsa.url, "root": "far.pem"}
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        settings.write_text("\n".join([settings.read_text(), "[[authorities]]", *lines, ""]))
        until = (now - timedelta(days=5)).date().isoformat()
        assert main(["strengthen", str(folder), "--tokens", "--until", until]) == 0
        assert tokens() == [1, 1, 1, 0, 0]
        assert take_lease(store, LEASE, "another", datetime.now(UTC), 60)
        assert main(["strengthen", str(folder), "--tokens"]) == 1
        assert "another" in capsys.readouterr().err
        release_lease(store, LEASE, "another")
        assert main(["strengthen", str(folder), "--tokens", "--tree"]) == 0
        assert (tokens(), tsa.asked) == ([1, 1, 1, 1, 1], 4)
        assert main(["strengthen", str(folder), "--tokens"]) == 0
        assert main(["strengthen", str(folder), "--tokens", "--authority", "built-in"]) == 0
        assert (tokens(), tsa.asked) == ([2, 2, 2, 2, 2], 4)
        assert main(["strengthen", str(folder), "--tokens", "--authority", "nobody"]) == 1
        assert main(["strengthen", str(folder), "--tokens", "--since", "soon"]) == 1
    assert main(["strengthen", str(folder)]) == 1
    store.close()

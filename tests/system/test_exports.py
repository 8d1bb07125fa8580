"""A case asked for from a real service, made by its worker, and the same from the command line."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
import zipfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import update

from dossier import portable_kept
from proofmail import exports as making
from proofmail.accounts.organisations import list_organisations
from proofmail.cli import main
from proofmail.config import read_settings
from proofmail.export_step import ExportStep, exports_folder, sweep_exports
from proofmail.folder import SystemClock
from proofmail.store import exports, tables
from proofmail.store.engine import open_store
from proofmail.store.erasing import erase
from proofmail.store.wanted import Wanted
from proofmail.verify.case import CaseEvidence, read_given, verify_case
from proofmail.verify.trust import read_trust
from tests.making import MAIL
from tests.system.service import Service, running, set_up


def post(service: Service, path: str, body: object) -> dict[str, str]:
    request = urllib.request.Request(
        service.url + path, json.dumps(body).encode(),
        {"Authorization": f"Bearer {service.made.api_key}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 202
        made: dict[str, str] = json.loads(answer.read())
    return made


def wait(service: Service, made: str) -> dict[str, object]:
    deadline = time.monotonic() + 90
    while True:
        state: dict[str, object] = json.loads(service.get(f"/api/v1/exports/{made}"))
        if state["state"] not in ("waiting", "running"):
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.3)


def test_a_case_and_an_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    with running(folder) as service:
        records = [service.send(MAIL.replace(b"1 200", b"%d" % n)) for n in range(3)]
        service.wait_final(*records)
        asked = {"kind": "case", "title": "Lot 7", "text": "offre"}
        made = post(service, "/api/v1/exports", asked)["id"]
        assert wait(service, made)["state"] == "done"
        data = service.get(f"/api/v1/exports/{made}/file")
        file = folder / "exports" / f"{made}.pdf"
        assert file.read_bytes() == data
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        case = read_given(data)
        assert isinstance(case, CaseEvidence)
        trust = read_trust((folder / "trust.json").read_bytes())
        assert verify_case(case, trust).exit_status == 0
        # The command line, while the service runs.
        out = tmp_path / "all.zip"
        assert main(["archive", str(folder), "--out", str(out)]) == 0
        assert "3 records" in capsys.readouterr().err
        with zipfile.ZipFile(out) as archive:
            assert len([n for n in archive.namelist() if n.startswith("dossiers/")]) == 3
        case_file = tmp_path / "case.pdf"
        words = ["case", str(folder), "--out", str(case_file), "--id", records[1]]
        assert main(words) == 0
        assert main(["verify", str(case_file), "--trust", str(folder / "trust.json")]) == 0
        assert main(words) == 1  # no file is overwritten
        assert main(["case", str(folder), "--out", str(tmp_path / "x"), "--since", "x"]) == 1
        failed = post(service, "/api/v1/exports", {"kind": "case", "text": "nowhere"})["id"]
        told = wait(service, failed)
        assert told["state"] == "failed"
        assert "no record was found" in str(told["problem"])


def test_the_command_is_broken_off_cleanly(tmp_path: Path) -> None:
    folder, out = tmp_path / "data", tmp_path / "out"
    out.mkdir()
    with running(folder) as service:
        for number in range(12):
            service.send(MAIL.replace(b"1 200", b"%d" % number))
    command = subprocess.Popen(
        [sys.executable, "-m", "proofmail", "archive", str(folder), "--out", str(out / "a.zip")],
        stderr=subprocess.PIPE, text=True,
        # Whoever runs the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert command.stderr
    assert "0 of 12" in command.stderr.readline()
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=60)
    assert command.returncode == 130
    assert os.listdir(out) == []


def test_an_export_whose_maker_died_is_made_by_the_next(tmp_path: Path) -> None:
    """The step in this process, its work in one of its own; without a record it fails, and says
    why. Files of nobody are swept away, and whole ones stay."""
    folder = tmp_path / "data"
    set_up(folder)
    settings, clock = read_settings(folder), SystemClock()
    store = open_store(settings.database_url)
    step = ExportStep(settings, store)
    try:
        owner = list_organisations(store)[0].id
        wanted = Wanted("archive", "fr").to_json()
        with store.write() as connection:
            made = exports.ask(connection, owner, "archive", wanted, clock.now())
        long_ago = clock.now() - timedelta(hours=1)
        assert exports.take_export(store, long_ago) is not None  # and then it died
        deadline = time.monotonic() + 90
        while (found := exports.get_export(store, owner, made)) and found.unfinished:
            assert not step()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert found
        assert (found.state, found.problem) == ("failed", "no record was found: nothing is made")
        with store.write() as connection:
            kept = exports.ask(connection, owner, "case", wanted, clock.now())
        assert exports.take_export(store, clock.now())
        exports.finish(store, kept, 4, b"", clock.now())
        place = exports_folder(settings)
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        for name in (f"{kept}.pdf", f"{made}.zip", f"{made}.zip.part", "stranger.pdf"):
            (place / name).write_bytes(b"file")
        assert not sweep_exports(settings, store, clock.now())
        assert os.listdir(place) == [f"{kept}.pdf"]
        assert not sweep_exports(settings, store, clock.now() + timedelta(days=3))
        assert os.listdir(place) == []
    finally:
        step.close()
        store.close()


def test_killed_or_erased_while_an_archive_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the worker's process runs it. Killed after some records, the next one goes on from
    there, as often as it gets further; erased from on the way, nothing stays."""
    folder = tmp_path / "data"
    with running(folder) as service:
        records = [service.send(MAIL.replace(b"1 200", b"%d" % n)) for n in range(6)]
    settings, now = read_settings(folder), SystemClock().now()
    store = open_store(settings.database_url)
    monkeypatch.setattr(portable_kept, "KEEP_EVERY", 1)
    monkeypatch.setattr(making, "KEEP_EVERY", 0)
    monkeypatch.setattr(making, "TELL_SECONDS", 0)
    owner = list_organisations(store)[0].id
    real, left = making.make_dossier, [1]

    class Killed(BaseException):
        pass

    def dying(*arguments: object) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return real(*arguments)  # type: ignore[arg-type]

    def erasing(*arguments: object) -> bytes:
        erase(store, owner, records[0], now)
        return real(*arguments)  # type: ignore[arg-type]

    try:
        place = exports_folder(settings)

        def asked() -> tuple[str, Path]:
            with store.write() as connection:
                wanted = Wanted("archive", "fr").to_json()
                made = exports.ask(connection, owner, "archive", wanted, now)
            return made, place / f"{made}.zip"

        made, path = asked()
        monkeypatch.setattr(making, "make_dossier", dying)
        for number in range(5):  # more often than an export is tried that gets nowhere
            taken = exports.take_export(store, now + timedelta(hours=number))
            assert taken is not None
            left[0] = 1
            with pytest.raises(Killed):
                making.run_export(folder, taken, path)
            assert not sweep_exports(settings, store, now)
            names = sorted(os.listdir(place))
            assert names == [f"{made}.zip.journal", f"{made}.zip.part"]
            with store.write() as connection:  # its maker has been silent for long
                connection.execute(update(tables.exports).values(beat_at=0))
        taken = exports.take_export(store, now + timedelta(hours=9))
        assert taken is not None
        left[0] = 1
        making.run_export(folder, taken, path)
        found = exports.get_export(store, owner, made)
        assert found is not None
        assert (found.state, found.problem, found.done) == ("done", "", 6)
        assert os.listdir(place) == [path.name]
        assert sha256(path.read_bytes()).digest() == found.sha256
        with zipfile.ZipFile(path) as archive:
            assert len([n for n in archive.namelist() if n.startswith("dossiers/")]) == 6

        made, path = asked()
        taken = exports.take_export(store, now)
        assert taken is not None
        monkeypatch.setattr(making, "make_dossier", erasing)
        making.run_export(folder, taken, path)
        found = exports.get_export(store, owner, made)
        assert found is not None
        assert found.state == "removed"
        sweep_exports(settings, store, now)  # the first archive held the record too
        assert os.listdir(place) == []
    finally:
        store.close()

"""Case dossiers and archives of what a store holds, as command line and worker make them."""

from __future__ import annotations

import errno
import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import update

from dossier import portable_kept
from proofmail import exports as making
from proofmail.accounts.organisations import get_organisation
from proofmail.errors import CheckFailed, Unreadable
from proofmail.exports import House, choose_records, make_export
from proofmail.store.erasing import erase
from proofmail.store.pages import Filter
from proofmail.store.tables import records
from proofmail.store.wanted import Wanted
from proofmail.verify.case import CaseEvidence, read_given, verify_case
from proofmail.verify.dossier import read_evidence, verify
from proofmail.web.verifier_page import read_verifier
from tests.dossier import evidence
from tests.making import MAIL, NOW
from tests.store.house import read_receipt
from tests.web.house import Guest, Site, site_in


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "site").mkdir()
    with site_in(tmp_path / "site") as made:
        yield made


@pytest.fixture
def guest(site: Site) -> Guest:
    return site.guest("atelier")


def house_of(site: Site, guest: Guest) -> House:
    organisation = get_organisation(site.store, guest.id)
    assert organisation is not None
    sealer = evidence.sealer()
    seals = (sealer.certificate.public_bytes(evidence.Encoding.DER),)
    trust = replace(site.world.trust(), seals=seals)
    return House(site.store, organisation, trust, sealer, "", {}, read_verifier())


def mails(site: Site, guest: Guest, count: int) -> list[str]:
    made = []
    for number in range(count):
        mail = MAIL.replace(b"offre-42@", b"offre-%d@" % number).replace(b"1 200", b"%d" % number)
        made.append(site.record(guest, mail))
        site.clock.moment += timedelta(milliseconds=10)
    return made


def test_a_case_of_a_search(site: Site, guest: Guest, tmp_path: Path) -> None:
    ids = mails(site, guest, 3)
    site.record(guest, read_receipt("offre-1@atelier.example"), sender="")
    site.stamp()
    site.anchor()
    house = house_of(site, guest)
    told: list[tuple[int, int]] = []
    out = tmp_path / "case.pdf"
    wanted = Wanted("case", "fr", "Offre", Filter(text="offre"))
    assert make_export(house, wanted, out, lambda *now: told.append(now)) == 3
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["case.pdf", "site"]
    case = read_given(out.read_bytes())
    assert isinstance(case, CaseEvidence)
    report = verify_case(case, house.trust)
    assert report.exit_status == 0, [m.reason for m in report.members]
    assert [len(case.proof(n).linked) for n in (1, 2, 3)] == [0, 1, 0]
    assert choose_records(house, replace(wanted, ids=tuple(ids[::-1]))) == ids


def test_an_archive_of_everything(site: Site, guest: Guest, tmp_path: Path) -> None:
    mails(site, guest, 2)
    site.record(guest, read_receipt("offre-1@atelier.example"), sender="")
    site.stamp()
    site.anchor()
    house = replace(house_of(site, guest), verifier={"proofmail.pyz": b"x"})
    out = tmp_path / "all.zip"
    assert make_export(house, Wanted("archive", "en"), out, lambda done, total: None) == 3
    with zipfile.ZipFile(out) as archive:
        rows = json.loads(archive.read("index.json"))["records"]
        assert [row["kind"] for row in rows] == ["message", "message", "receipt"]
        for row in rows:
            given = read_evidence(archive.read(row["file"]))
            assert verify(given, house.trust).exit_status == 0
        assert "verifier/proofmail.pyz" in archive.namelist()
        assert archive.read("verifier.html") == read_verifier()


def test_nothing_of_another_organisation_or_erased(
    site: Site, guest: Guest, tmp_path: Path
) -> None:
    other = site.guest("voisin")
    foreign = site.record(other, sender="claire@voisin.example")
    first, second = mails(site, guest, 2)
    erase(site.store, guest.id, first, NOW)
    house = house_of(site, guest)
    assert choose_records(house, Wanted("archive", "en")) == [second]
    for wrong in (foreign, first, "nothing"):
        with pytest.raises(Unreadable):
            choose_records(house, Wanted("archive", "en", ids=(second, wrong)))
    with pytest.raises(Unreadable, match="no record"):
        choose_records(house, Wanted("case", "en", only=Filter(text="zzz")))


def test_too_many_are_refused(site: Site, guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    mails(site, guest, 3)
    monkeypatch.setattr(making, "MAX_PROOFS", 2)
    house = house_of(site, guest)
    with pytest.raises(Unreadable, match="more than 2"):
        choose_records(house, Wanted("case", "en"))
    assert len(choose_records(house, Wanted("archive", "en"))) == 3


@pytest.mark.parametrize("kind", ["case", "archive"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_broken_off_it_leaves_nothing(
    site: Site, guest: Guest, tmp_path: Path, kind: str, failure: type[BaseException]
) -> None:
    mails(site, guest, 2)

    def progress(done: int, total: int) -> None:
        if done == 1:
            raise failure

    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(failure):
        make_export(house_of(site, guest), Wanted(kind, "en"), folder / "x", progress)
    assert os.listdir(folder) == []


def test_what_a_dead_one_left_is_made_anew(site: Site, guest: Guest, tmp_path: Path) -> None:
    mails(site, guest, 1)
    (tmp_path / "x.part").write_bytes(b"half")
    make_export(house_of(site, guest), Wanted("case", "en"), tmp_path / "x", lambda d, t: None)
    assert (tmp_path / "x").read_bytes().startswith(b"%PDF")
    assert not (tmp_path / "x.part").exists()


class Killed(BaseException):
    """As if the process had gone: nothing is taken away behind it."""


def killed_at(number: int, what: type[BaseException] = Killed) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == number:
            raise what

    return progress


EVERYTHING = Wanted("archive", "en")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of exports; a record in two is kept."""
    monkeypatch.setattr(portable_kept, "KEEP_EVERY", 2)
    made = tmp_path / "exports"
    made.mkdir(mode=0o700)
    return made


def broken_off(house: House, folder: Path, number: int = 3) -> Path:
    with pytest.raises(Killed):
        make_export(house, EVERYTHING, folder / "x.zip", killed_at(number), resumes=True)
    assert sorted(os.listdir(folder)) == ["x.zip.journal", "x.zip.part"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    return folder / "x.zip"


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def judged(house: House, path: Path) -> list[str]:
    """The ids that the index names, after each dossier was verified."""
    found = members_of(path)
    rows = json.loads(found["index.json"])["records"]
    for row in rows:
        assert sha256(found[row["file"]]).hexdigest() == row["sha256"]
        assert verify(read_evidence(found[row["file"]]), house.trust).exit_status in (0, 3)
    assert len(found["index.csv"].splitlines()) == len(rows) + 1
    assert len([name for name in found if name.startswith("dossiers/")]) == len(rows)
    return [row["record_id"] for row in rows]


def test_an_archive_broken_off_goes_on_where_it_was(
    site: Site, guest: Guest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = mails(site, guest, 6)
    house = house_of(site, guest)
    path = broken_off(house, folder)
    first = (folder / "x.zip.part").read_bytes()
    made: list[str] = []
    real = making.make_dossier
    monkeypatch.setattr(making, "make_dossier", lambda *a: made.append("one") or real(*a))
    told: list[tuple[int, int]] = []
    count = make_export(house, EVERYTHING, path, lambda *now: told.append(now), resumes=True)
    assert (count, told[0], len(made)) == (6, (2, 6), 4)
    assert judged(house, path) == ids
    # What was there is there still, byte for byte, and the form is that of one made at once.
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    end = infos[2].header_offset
    assert path.read_bytes()[:end] == first[:end]
    make_export(house, EVERYTHING, folder / "whole.zip", lambda done, total: None)
    with zipfile.ZipFile(folder / "whole.zip") as archive:
        for mine, theirs in zip(infos, archive.infolist(), strict=True):
            for told_of in ("filename", "date_time", "compress_type", "flag_bits", "create_system",
                            "create_version", "extract_version", "external_attr"):  # fmt: skip
                assert getattr(mine, told_of) == getattr(theirs, told_of)
    assert members_of(folder / "whole.zip")["README.txt"] == members_of(path)["README.txt"]


def test_it_may_be_broken_off_again_and_again(site: Site, guest: Guest, folder: Path) -> None:
    ids = mails(site, guest, 7)
    house = house_of(site, guest)
    for number in (1, 3, 3, 6, 7):
        path = broken_off(house, folder, number)
    assert make_export(house, EVERYTHING, path, lambda done, total: None, resumes=True) == 7
    assert judged(house, path) == ids
    # And behind its last byte, before anybody was told that it is done.
    path.with_name("x.zip.part").unlink(missing_ok=True)
    told: list[tuple[int, int]] = []
    make_export(house, EVERYTHING, path, lambda *now: told.append(now), resumes=True)
    assert told[0] == (7, 7)
    assert judged(house, path) == ids


def test_nothing_of_a_record_erased_meanwhile_is_in_it(
    site: Site, guest: Guest, folder: Path
) -> None:
    ids = mails(site, guest, 6)
    house = house_of(site, guest)
    path = broken_off(house, folder, 5)
    name = json.loads((folder / "x.zip.journal").read_bytes().splitlines()[2])[1]["file"]
    assert name.encode() in (folder / "x.zip.part").read_bytes()
    erase(site.store, guest.id, ids[1], NOW)
    assert make_export(house, EVERYTHING, path, lambda done, total: None, resumes=True) == 5
    assert judged(house, path) == [ids[0], *ids[2:]]
    assert name.encode() not in path.read_bytes()
    assert ids[1].encode() not in (folder / "x.zip.journal").read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-9],
        lambda data: data + b'["x",{}',
        lambda data: data + b"[]\n",
        lambda data: data.replace(b"proofmail 0", b"proofmail 9", 1),
        lambda data: b"",
        lambda data: b"\xff" * 50,
    ],
    ids=["torn", "half a line", "no line", "another version", "empty", "noise"],
)
def test_a_journal_that_is_spoilt_costs_time_alone(
    site: Site, guest: Guest, folder: Path, spoil: Callable[[bytes], bytes]
) -> None:
    ids = mails(site, guest, 5)
    house = house_of(site, guest)
    path = broken_off(house, folder, 4)
    journal = folder / "x.zip.journal"
    journal.write_bytes(spoil(journal.read_bytes()))
    make_export(house, EVERYTHING, path, lambda done, total: None, resumes=True)
    assert judged(house, path) == ids


def test_an_archive_shorter_than_its_journal_is_cut_where_both_agree(
    site: Site, guest: Guest, folder: Path
) -> None:
    ids = mails(site, guest, 5)
    house = house_of(site, guest)
    path = broken_off(house, folder, 5)
    part = folder / "x.zip.part"
    os.truncate(part, json.loads((folder / "x.zip.journal").read_bytes().splitlines()[2])[5] - 1)
    told: list[tuple[int, int]] = []
    make_export(house, EVERYTHING, path, lambda *now: told.append(now), resumes=True)
    assert told[0] == (1, 5)
    assert judged(house, path) == ids


def test_a_dossier_damaged_on_the_disk_is_not_handed_out(
    site: Site, guest: Guest, folder: Path
) -> None:
    mails(site, guest, 3)
    house = house_of(site, guest)
    path = broken_off(house, folder, 2)
    with (folder / "x.zip.part").open("r+b") as stream:
        stream.seek(2_000)
        stream.write(b"?????")
    with pytest.raises(CheckFailed):
        make_export(house, EVERYTHING, path, lambda done, total: None, resumes=True)
    assert os.listdir(folder) == []


def test_a_full_disk_leaves_nothing(
    site: Site, guest: Guest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails(site, guest, 5)
    house = house_of(site, guest)
    path = broken_off(house, folder, 2)

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(portable_kept.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        make_export(house, EVERYTHING, path, lambda done, total: None, resumes=True)
    assert os.listdir(folder) == []
    assert making._problem(OSError(errno.ENOSPC, "x")).startswith("there is no room")
    assert making._problem(OSError(errno.EIO, "/a/path")) == "the service failed to make it"


def test_a_case_is_made_anew(site: Site, guest: Guest, folder: Path) -> None:
    mails(site, guest, 3)
    house, wanted = house_of(site, guest), Wanted("case", "en")
    with pytest.raises(Killed):
        make_export(house, wanted, folder / "c.pdf", killed_at(2), resumes=True)
    told: list[tuple[int, int]] = []
    make_export(house, wanted, folder / "c.pdf", lambda *now: told.append(now), resumes=True)
    assert told[0] == (0, 3)
    assert os.listdir(folder) == ["c.pdf"]


def test_a_bad_record_is_in_no_case(site: Site, guest: Guest, tmp_path: Path) -> None:
    """A changed signature: the archive says so, the case is not made."""
    first, _ = mails(site, guest, 2)
    with site.store.write() as connection:
        connection.execute(
            update(records).where(records.c.id == first).values(signature=b"\x30\x06" + bytes(6))
        )
    house = house_of(site, guest)
    with pytest.raises(CheckFailed):
        make_export(house, Wanted("case", "en"), tmp_path / "c", lambda d, t: None)
    assert make_export(house, Wanted("archive", "en"), tmp_path / "a", lambda d, t: None) == 2
    with zipfile.ZipFile(tmp_path / "a") as archive:
        rows = json.loads(archive.read("index.json"))["records"]
    assert [row["verdict"] for row in rows] == ["failed", "not verified under this trust"]
    assert rows[0]["file"] == ""
    assert rows[1]["file"]

"""Case dossiers and archives of what a store holds, as command line and worker make them."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

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

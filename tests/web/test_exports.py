"""Exports in the API and on their page: whose they are, how many, and what is noted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from proofmail.accounts.trail import list_trail
from proofmail.store import exports
from proofmail.store.wanted import read_wanted
from tests.web.house import Guest, Site
from tests.web.test_api import problem
from tests.web.test_pages import check

ASKED = {"kind": "case", "title": "Affaire <b>", "text": "dupont", "since": "2026-01-01T00:00:00Z"}


@pytest.fixture
def folder(site: Site, tmp_path: Path) -> Path:
    made = tmp_path / "exports"
    made.mkdir()
    site.services = replace(site.services, exports=made)
    return made


def finish(site: Site, folder: Path, content: bytes = b"%PDF-1.7") -> str:
    """Makes the oldest that waits, as the worker would."""
    taken = exports.take_export(site.store, site.clock.now())
    assert taken is not None
    (folder / exports.file_name(taken.id, taken.kind)).write_bytes(content)
    assert exports.finish(site.store, taken.id, len(content), b"d" * 32, site.clock.now())
    return taken.id


def test_from_asking_to_the_file(site: Site, guest: Guest, folder: Path) -> None:
    client = site.api(guest)
    answer = client.post("/api/v1/exports", json=ASKED)
    assert answer.status_code == 202
    made = answer.json()["id"]
    here = answer.headers["location"]
    assert here == f"/api/v1/exports/{made}"
    assert client.get(here).json()["state"] == "waiting"
    assert problem(client.get(f"{here}/file"), 409)
    row = exports.get_export(site.store, guest.id, made)
    assert row is not None
    wanted = read_wanted(row.kind, row.request)
    assert (wanted.title, wanted.only.text, wanted.language) == ("Affaire <b>", "dupont", "fr")
    assert finish(site, folder) == made
    told = client.get(here).json()
    assert (told["state"], told["size_bytes"]) == ("done", 8)
    assert told["expires_at"] == "2026-11-23T10:00:00.123Z"
    file = client.get(f"{here}/file")
    assert file.content == b"%PDF-1.7"
    assert file.headers["content-type"] == "application/pdf"
    assert re.search(r'filename="proofmail-case-[0-9a-f]{32}\.pdf"', str(file.headers))
    assert client.delete(here).status_code == 204
    problem(client.get(f"{here}/file"), 410)
    assert client.get(here).json()["state"] == "removed"
    assert client.get(here).json()["title"] == ""
    actions = [entry.action for entry in list_trail(site.store, guest.id, limit=3)]
    assert actions == ["export.removed", "export.downloaded", "export.asked"]


def test_another_organisations_export_does_not_exist(
    site: Site, guest: Guest, folder: Path
) -> None:
    here = site.api(guest).post("/api/v1/exports", json=ASKED).headers["location"]
    finish(site, folder)
    stranger = site.guest("voisin")
    other, browser = site.api(stranger), site.browser(stranger)
    for answer in (other.get(here), other.get(f"{here}/file"), other.delete(here)):
        problem(answer, 404)
    made = here.rpartition("/")[2]
    assert browser.get(f"/exports/{made}/file").status_code == 404
    assert browser.post(f"/exports/{made}/remove").status_code == 404
    assert other.get("/api/v1/exports").json() == {"exports": []}
    assert site.api(guest).get(f"{here}/file").status_code == 200
    problem(site.app_client().get(here), 401)
    problem(site.app_client().post("/api/v1/exports", json=ASKED), 401)


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "x"}, {"title": "x" * 201}, {"more": 1}, {"ids": ["../x"]}, {"since": "today"},
        {"ids": ["a"] * 1001}, {"language": "de"}, {"text": "x" * 201}, {"state": "x"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked(site: Site, guest: Guest, bad: dict[str, object]) -> None:
    problem(site.api(guest).post("/api/v1/exports", json={**ASKED, **bad}), 422)
    assert exports.list_exports(site.store, guest.id) == []


@pytest.mark.parametrize("name", ["..%2f..%2fsettings", "a" * 500, "%00", "x.pdf"])
def test_names_of_no_export(site: Site, guest: Guest, folder: Path, name: str) -> None:
    (folder / "x.pdf").write_bytes(b"other")
    problem(site.api(guest).get(f"/api/v1/exports/{name}/file"), 404)


def test_too_many_are_refused_for_now(site: Site, guest: Guest) -> None:
    client = site.api(guest)
    for _ in range(exports.MAX_UNFINISHED):
        assert client.post("/api/v1/exports", json=ASKED).status_code == 202
    refused = client.post("/api/v1/exports", json=ASKED)
    problem(refused, 429)
    assert refused.headers["retry-after"]
    page = site.browser(guest).post("/exports", data={"what": "case"})
    assert page.status_code == 429
    check(page.text)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page(site: Site, guest: Guest, folder: Path, language: str) -> None:
    browser = site.browser(guest, language)
    empty = browser.get("/exports").text
    check(empty)
    assert {"fr": "Rien n’a encore été demandé", "en": "Nothing has been asked"}[language] in empty
    form = {"what": "archive", "title": "L<i>ot", "language": "fr", "text": "x", "since": "",
            "until": "2026-11-21", "state": "", "kind": "message"}  # fmt: skip
    assert browser.post("/exports", data=form).headers["location"] == "/exports"
    taken = exports.take_export(site.store, site.clock.now())
    assert taken is not None
    exports.beat(site.store, taken.id, 3, 12, site.clock.now())
    running = browser.get("/exports").text
    check(running)
    assert '<progress max="12" value="3"' in running
    assert "L&lt;i&gt;ot" in running
    exports.fail(site.store, taken.id, "no record was found", site.clock.now())
    assert "no record was found" in browser.get("/exports").text
    browser.post("/exports", data=form | {"what": "case"})
    made = finish(site, folder)
    html = browser.get("/exports").text
    check(html)
    assert f'href="/exports/{made}/file"' in html
    assert browser.get(f"/exports/{made}/file").content == b"%PDF-1.7"
    assert browser.post(f"/exports/{made}/remove").status_code == 303
    assert made not in browser.get("/exports").text
    bad = browser.post("/exports", data=form | {"what": "x"})
    assert bad.status_code == 422
    check(bad.text)


def test_the_page_is_filled_in_from_a_search(site: Site, guest: Guest) -> None:
    site.record(guest)
    browser = site.browser(guest)
    html = browser.get("/records?text=offre&kind=message").text
    (link,) = re.findall(r'href="(/exports\?[^"]+)"', html)
    page = browser.get(link.replace("&amp;", "&")).text
    assert 'value="offre"' in page
    assert '<option value="message" selected>' in page


def test_a_page_of_another_site_cannot_ask(site: Site, guest: Guest) -> None:
    browser = site.browser(guest)
    answer = browser.post(
        "/exports", data={"what": "case"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403

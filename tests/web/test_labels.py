"""Labels and threads by API and pages: who may, what is refused, what is found."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from proofmail.accounts.keys import create_key
from proofmail.accounts.trail import list_trail
from proofmail.web.texts import LANGUAGES
from tests.making import MAIL, NOW
from tests.web.house import Guest, Site
from tests.web.test_api import problem
from tests.web.test_pages import check

LABEL = "Lot 7 & <b>été</b>"


def admin(site: Site, guest: Guest) -> TestClient:
    with site.store.write() as connection:
        key = create_key(connection, guest.id, "admin", "admin", NOW).key
    client = site.api(guest)
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def test_programs_give_find_and_take_labels(site: Site, guest: Guest) -> None:
    record, other = site.record(guest), site.record(guest, MAIL.replace(b"1 200", b"1 300"))
    api = admin(site, guest)
    address = f"/api/v1/records/{record}/labels"
    assert api.put(f"{address}/Lot%207").status_code == 204
    assert api.put(f"{address}/Lot%207").status_code == 204
    assert {"name": "Lot 7", "records": 1} in api.get("/api/v1/labels").json()["labels"]
    assert "Lot 7" in api.get(f"/api/v1/records/{record}").json()["labels"]
    found = api.get("/api/v1/records", params={"label": "Lot 7"}).json()["records"]
    assert [row["id"] for row in found] == [record]
    assert api.delete(f"{address}/Lot%207").status_code == 204
    problem(api.delete(f"{address}/Lot%207"), 404)
    assert api.get("/api/v1/records", params={"label": "Lot 7"}).json()["records"] == []
    problem(api.put(f"{address}/{'x' * 61}"), 422)
    problem(api.put(f"{address}/a%00b"), 422)
    problem(api.put("/api/v1/records/nothing/labels/a"), 404)
    stranger = admin(site, site.guest("voisin"))
    problem(stranger.put(f"/api/v1/records/{other}/labels/a"), 404)
    actions = [entry.action for entry in list_trail(site.store, guest.id, limit=50)]
    assert actions.count("record.labelled") + actions.count("record.unlabelled") == 2


def test_an_auditor_reads_labels_and_gives_none(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    auditor = site.api(guest)
    problem(auditor.put(f"/api/v1/records/{record}/labels/a"), 403)
    assert auditor.get("/api/v1/labels").json() == {"labels": []}


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_on_the_pages(site: Site, guest: Guest, language: str) -> None:
    record = site.record(guest)
    browser = site.browser(guest, language)
    answer = browser.post(f"/records/{record}/labels", data={"label": f"  {LABEL} "})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/records/{record}#labels")
    page = browser.get(f"/records/{record}").text
    check(page)
    assert "Lot 7 &amp; &lt;b&gt;été&lt;/b&gt;" in page
    listed = browser.get("/records", params={"label": LABEL}).text
    check(listed)
    assert f"/records/{record}" in listed
    check(browser.get("/exports", params={"label": LABEL}).text)
    assert browser.post(f"/records/{record}/labels", data={"label": "\u202e"}).status_code == 422
    browser.post(f"/records/{record}/labels", data={"label": LABEL, "act": "remove"})
    assert "&lt;b&gt;été" not in browser.get(f"/records/{record}").text


def test_a_thread_can_be_listed_and_made_a_case(site: Site, guest: Guest) -> None:
    first = site.record(guest)
    answer = MAIL.replace(b"offre-42@", b"re-42@").replace(
        b"MIME-Version", b"In-Reply-To: <offre-42@atelier.example>\r\nMIME-Version"
    )
    second = site.record(guest, answer)
    alone = site.record(guest, MAIL.replace(b"offre-42@", b"alone@"))
    browser = site.browser(guest, "en")
    page = browser.get(f"/records/{second}").text
    assert "2 recorded mails" in page
    assert f"/exports?thread={second}" in page
    assert "recorded mails" not in browser.get(f"/records/{alone}").text
    api = site.api(guest)
    for record in (first, second):
        rows = api.get("/api/v1/records", params={"thread": record}).json()["records"]
        assert [row["id"] for row in rows] == [second, first]
    asked = {"kind": "case", "thread": second, "label": ""}
    assert api.post("/api/v1/exports", json=asked).status_code == 202
    problem(api.post("/api/v1/exports", json={"kind": "case", "thread": "A;B"}), 422)
    check(browser.get(f"/exports?thread={second}").text)

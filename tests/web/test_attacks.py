"""What somebody tries who means harm: each test is an attack that has to come to nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from proofmail.accounts import members
from proofmail.accounts.organisations import fold_address
from proofmail.errors import Refused
from proofmail.web import bench, sign_in
from proofmail.web.shield import HEADERS
from tests.making import MAIL
from tests.web.house import PASSWORD, Guest, Site
from tests.web.test_api import problem
from tests.web.test_bodies import HEADERS as FORM
from tests.web.test_bodies import PROOF, form
from tests.web.test_pages import Page, hostile_mail

MALFORMED_ORIGINS = [
    "http://[",
    "//[",
    "http://[::1",
    "http://]",
    "http://testserver]",
    "",
    "[",
    "*",
]


@pytest.mark.parametrize("origin", MALFORMED_ORIGINS)
def test_an_origin_that_is_no_url(site: Site, guest: Guest, origin: str) -> None:
    """It once ended in an answer without our headers and a traceback on the standard error."""
    for path in ("/language", "/sign-out", "/tsa", "/api/v1/verify"):
        answer = site.browser(guest).post(path, headers={"Origin": origin})
        assert answer.status_code == 403
        assert answer.headers["content-security-policy"]


def test_every_answer_has_the_headers(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    browser, api, nobody = site.browser(guest), site.api(guest), site.app_client()
    page = Page(browser.get("/").text)
    style = next(link["href"] for link in page.named("link") if link["rel"] == "stylesheet")
    assert style
    tries: list[tuple[TestClient, str, str]] = [
        (browser, "GET", "/"), (browser, "GET", style), (browser, "GET", "/static/x.css"),
        (browser, "GET", "/nothing"), (browser, "DELETE", "/"), (browser, "HEAD", "/records"),
        (browser, "OPTIONS", "/"), (browser, "TRACE", "/"), (browser, "POST", "/verify"),
        (browser, "GET", f"/records/{record}/dossier-en.pdf"), (nobody, "GET", "/records"),
        (browser, "GET", "/records?text=" + "x" * 300), (nobody, "POST", "/sign-in"),
        (nobody, "GET", "/api/v1/records"), (api, "GET", "/api/v1/records?limit=0"),
        (api, "GET", f"/api/v1/records/{record}/proof.json"), (nobody, "POST", "/tsa"),
        (nobody, "GET", "/openapi.json"), (nobody, "GET", "/healthz"), (api, "GET", "/api/"),
        (browser, "POST", "/sign-out"),
    ]  # fmt: skip
    for client, method, path in tries:
        answer = client.request(method, path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (method, path)
        kept = answer.headers["cache-control"]
        assert kept == "no-store" or (path == style and "immutable" in kept), (method, path)


@pytest.mark.parametrize("host", ["[", "a/api/", "a?", "a#b", "x:y", "a@b", "evil.example"])
def test_a_host_that_lies(site: Site, guest: Guest, host: str) -> None:
    nobody, headers = site.app_client(), {"Host": host}
    answer = nobody.get("/records?text=a", headers=headers)
    assert answer.headers["location"] == "/sign-in?next=%2Frecords%3Ftext%3Da"
    missing = site.browser(guest).get("/nothing", headers=headers)
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")
    assert "evil" not in missing.text


def spellings(email: str) -> list[str]:
    """Ways to write one address, were it looked up in another form than it is counted in."""
    blanks = ["\x00", " ", "\t", "\u00a0", "\u2003", "\x00 ", " \x00", "\x00 \x00"]
    ways = [blank + email for blank in blanks] + [email + blank for blank in blanks]
    ways += [blank + email + blank for blank in blanks]
    ways += [email[:3] + "\x00" + email[3:], email.upper(), email + " " * 313 + "x"]
    ways += [email + "\u2003" * n + " " * (400 - n) + "x" for n in range(5)]
    return ways


def test_no_spelling_of_an_address_gets_tries_of_its_own(
    site: Site, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = []

    def refuse(_store: object, email: str, _password: str) -> None:
        looked_up.append(fold_address(email))
        raise Refused("wrong")

    monkeypatch.setattr(members, "sign_in", refuse)
    monkeypatch.setattr(sign_in, "MOST_PER_ADDRESS", 10_000)
    client = site.app_client()
    for email in spellings(guest.email):
        answer = client.post("/sign-in", data={"email": email, "password": "x"})
        assert answer.status_code in (403, 429)
    assert set(looked_up) == {guest.email}
    assert len(looked_up) == sign_in.MOST_PER_EMAIL


def test_a_session_is_never_the_one_that_came_with_the_request(site: Site, guest: Guest) -> None:
    client = site.app_client()
    client.cookies.set("proofmail", "planted-by-somebody")
    entered = client.post("/sign-in", data={"email": guest.email, "password": PASSWORD})
    assert entered.status_code == 303
    assert "planted" not in entered.headers["set-cookie"]
    stranger = site.app_client()
    stranger.cookies.set("proofmail", "planted-by-somebody")
    assert stranger.get("/").status_code == 303


def test_a_key_counts_in_its_header_alone(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    nobody = site.app_client()
    ways: list[dict[str, Any]] = [
        {"params": {"key": guest.key, "access_token": guest.key, "authorization": guest.key}},
        {"headers": {"Cookie": f"proofmail={guest.key}; Authorization=Bearer {guest.key}"}},
        {"headers": {"X-API-Key": guest.key}},
        {"headers": {"Authorization": f"Basic {guest.key}"}},
    ]
    for where in ways:
        problem(nobody.get(f"/api/v1/records/{record}", **where), 401)
    browser = site.browser(guest)  # nor does a session open the API
    problem(browser.get("/api/v1/records"), 401)
    pages = site.api(guest)  # nor a key the pages
    assert pages.get("/").status_code == 303


def test_one_organisation_sees_nothing_of_another(site: Site, guest: Guest) -> None:
    other = site.guest("voisin")
    theirs = [
        site.record(other, MAIL.replace(b"1 200", b"%d" % n), "x@voisin.example") for n in range(3)
    ]
    own = site.record(guest)
    site.stamp()
    site.anchor()
    api, browser = site.api(guest), site.browser(guest)
    for record in theirs:
        for path in ("", "/proof.json", "/dossier.pdf"):
            problem(api.get(f"/api/v1/records/{record}{path}"), 404)
        for path in ("", "/proof.json", "/dossier-en.pdf"):
            assert browser.get(f"/records/{record}{path}").status_code == 404
    assert site.dossiers == []
    cursor = site.api(other).get("/api/v1/records?limit=1").json()["next"]
    forged = [cursor, "9" * 18 + "-" + "9" * 18, "0-0"]
    for asked in ({}, {"text": "offre"}, {"state": "final"}, *({"cursor": c} for c in forged)):
        listed = api.get("/api/v1/records", params=asked).json()["records"]
        assert {row["id"] for row in listed} <= {own}, asked
        assert not any(record in browser.get("/records", params=asked).text for record in theirs)
    assert api.get("/api/v1/counts").json()["messages"] == 1


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "99999999999999"]
)
def test_the_ends_of_time(site: Site, guest: Guest, moment: str) -> None:
    for name in ("since", "until"):
        assert site.api(guest).get("/api/v1/records", params={name: moment}).status_code == 200
        page = site.browser(guest).get("/records", params={name: moment[:20]})
        assert page.status_code == 200


def shape(html: str) -> list[tuple[str, list[str]]]:
    """A page's elements and the names of their attributes: what no text from outside may change."""
    return [(tag, sorted(attributes)) for tag, attributes in Page(html).tags]


def test_text_from_outside_adds_no_element(site: Site, guest: Guest) -> None:
    """The same mail twice, once with plain words in the same places."""
    hostile = hostile_mail()
    plain = (
        b'Subject: words\r\nFrom: claire@atelier.example\r\nTo: "words" <w@client.example>\r\n'
        + hostile[hostile.index(b"MIME-Version") :].replace(b"<svg onload=x>", b"words")
    )
    pages = []
    for mail in (hostile, plain):
        record = site.record(guest, mail)
        browser = site.browser(guest)
        page = browser.get(f"/records/{record}").text
        assert "62773913" not in page
        pages.append(shape(page))
    assert pages[0] == pages[1]


async def test_slow_uploads_of_one_organisation_leave_a_place_for_others(
    site: Site, guest: Guest
) -> None:
    import httpx2

    from proofmail.web.app import make_app

    other = site.guest("voisin")
    ends = asyncio.Event()

    async def slow() -> Any:
        yield b"--form"
        await ends.wait()

    transport = httpx2.ASGITransport(app=make_app(site.services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:

        async def upload(by: Guest, content: Any) -> int:
            headers = {**FORM, "Authorization": f"Bearer {by.key}"}
            answer = await client.post("/api/v1/verify", content=content, headers=headers)
            return int(answer.status_code)

        held = [asyncio.create_task(upload(guest, slow())) for _ in range(bench.MOST_OF_ONE)]
        await asyncio.sleep(0.3)
        try:
            assert await upload(guest, form((PROOF, b"{}"))) == 503
            assert await upload(other, form((PROOF, b"{}"))) == 422
        finally:
            ends.set()
        assert await asyncio.gather(*held) == [400] * bench.MOST_OF_ONE
        assert await upload(guest, form((PROOF, b"{}"))) == 422


BREAKERS = {
    "deep array": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "long number": b"1" * 1_000_000,
    "lone surrogate": b'"\\ud800"',
    "huge number": b"1e999999",
    "no text": b"\xff",
    "no dossier": b"%PDF-1.7\n" + b"[" * 100_000,
    "deep dossier": b"%PDF-1.7\n%\xbf\xf7\xa2\xfe\n1 0 obj\n" + b"[" * 100_000,
}


@pytest.mark.parametrize("upload", BREAKERS.values(), ids=BREAKERS.keys())
def test_uploads_made_to_break_a_reader(site: Site, guest: Guest, upload: bytes) -> None:
    api = site.api(guest)
    for field in ("proof", "trust"):
        other = "trust" if field == "proof" else "proof"
        body = form((f'form-data; name="{field}"; filename="x"', upload))
        told = problem(api.post("/api/v1/verify", content=body, headers=FORM), 422)
        assert len(told["detail"]) < 300
        both = form(
            (f'form-data; name="{field}"; filename="x"', upload),
            (f'form-data; name="{other}"; filename="x"', b"{}"),
        )
        problem(api.post("/api/v1/verify", content=both, headers=FORM), 422)

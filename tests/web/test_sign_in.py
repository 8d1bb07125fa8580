"""Signing in: sessions, cookies, limits, and requests forged by other sites."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from proofmail.accounts import members
from proofmail.accounts.members import list_members
from proofmail.accounts.trail import check_trail, list_trail
from proofmail.web import sign_in
from proofmail.web.throttle import MAX_KEYS, Throttle
from tests.making import NOW
from tests.web.house import PASSWORD, Guest, Site


def enter(client: TestClient, guest: Guest, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in", data={"email": guest.email, "password": password, **more})


def test_in_and_out(site: Site, guest: Guest) -> None:
    client = site.app_client()
    answer = enter(client, guest, next="/records?text=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/records?text=x")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("proofmail=")
    for mark in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"):
        assert mark in cookie
    assert "Secure" not in cookie
    token = client.cookies["proofmail"]
    assert client.get("/").status_code == 200
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    assert "proofmail" not in client.cookies
    client.cookies.set("proofmail", token)  # kept by somebody: it is worth nothing any more
    assert client.get("/").status_code == 303
    who = f"member:{list_members(site.store, guest.id)[0].id}"
    entries = list_trail(site.store, guest.id, limit=10)
    assert [(e.actor, e.action, e.subject) for e in entries] == [
        (who, "session.closed", who),
        (who, "session.opened", who),
    ]


def test_the_cookie_under_https(site: Site, guest: Guest) -> None:
    client = site.app_client(public_url="https://mail.example")
    cookie = enter(client, guest).headers["set-cookie"]
    assert cookie.startswith("__Host-proofmail=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert client.get("/").status_code == 200


def test_refusals_look_the_same(site: Site, guest: Guest) -> None:
    client = site.app_client()
    wrong = enter(client, guest, "not the password")
    unknown = client.post(
        "/sign-in", data={"email": "nobody@atelier.example", "password": "not the password"}
    )
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text.replace(guest.email, "X") == unknown.text.replace(
        "nobody@atelier.example", "X"
    )
    assert "set-cookie" not in wrong.headers
    assert "not the password" not in wrong.text
    member = list_members(site.store, guest.id)[0].id
    entries = list_trail(site.store, guest.id, limit=10)
    assert [(e.actor, e.action, e.subject) for e in entries] == [
        ("unknown", "session.refused", f"member:{member}")
    ]
    assert check_trail(site.store, guest.id).entries == 1
    for form in ({"next": "/"}, {"email": guest.email}, {"email": "a\x00b", "password": "\x00"}):
        assert client.post("/sign-in", data=form).status_code == 403


def test_nobody_is_sent_elsewhere(site: Site, guest: Guest) -> None:
    client = site.app_client()
    for wanted in ("//evil.example/", "https://evil.example", "/\\evil.example", "javascript:x"):
        assert enter(client, guest, next=wanted).headers["location"] == "/"
        page = client.get("/sign-in", params={"next": wanted}).text
        assert 'name="next" value="/"' in page


@pytest.fixture
def no_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is slow on purpose; what is counted here comes before it."""
    from proofmail.errors import Refused

    def refuse(*_: object) -> None:
        raise Refused("wrong")

    monkeypatch.setattr(members, "sign_in", refuse)


@pytest.mark.usefixtures("no_hashing")
def test_tries_are_limited_for_an_address_of_e_mail(site: Site, guest: Guest) -> None:
    client = site.app_client()
    statuses = [enter(client, guest).status_code for _ in range(sign_in.MOST_PER_EMAIL + 2)]
    assert statuses == [403] * sign_in.MOST_PER_EMAIL + [429] * 2
    refused = client.post("/sign-in", data={"email": guest.email.upper(), "password": "x"})
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "900"
    assert client.post("/sign-in", data={"email": "b@b.example"}).status_code == 403
    site.clock.moment += timedelta(minutes=15)
    assert enter(client, guest).status_code == 403


@pytest.mark.usefixtures("no_hashing")
def test_tries_are_limited_for_a_network_address(site: Site) -> None:
    client = site.app_client()
    statuses = [
        client.post("/sign-in", data={"email": f"{n}@x.example"}).status_code
        for n in range(sign_in.MOST_PER_ADDRESS + 1)
    ]
    assert statuses == [403] * sign_in.MOST_PER_ADDRESS + [429]


def test_a_success_forgets_the_failures(site: Site, guest: Guest) -> None:
    door = sign_in.Door()
    for _ in range(9):
        door.by_email.allow(guest.email, NOW)
    client = site.app_client()
    client.app.state.door = door  # type: ignore[attr-defined]
    assert enter(client, guest).status_code == 303
    assert enter(client, guest).status_code == 303


def test_the_throttle_is_bounded() -> None:
    throttle = Throttle(1, timedelta(minutes=1))
    assert throttle.allow("first", NOW)
    assert not throttle.allow("first", NOW)
    for n in range(MAX_KEYS):
        throttle.allow(str(n), NOW)
    assert throttle.allow("first", NOW)
    assert len(throttle._tries) == MAX_KEYS


FORGED: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:81"},
]
OWN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Origin": "http://testserver"},
    {},
]


@pytest.mark.parametrize("headers", FORGED)
def test_requests_forged_by_other_sites(site: Site, guest: Guest, headers: dict[str, str]) -> None:
    browser = site.browser(guest)
    for path in ("/sign-out", "/sign-in", "/language", "/verify", "/nothing"):
        answer = browser.post(path, headers=headers)
        assert answer.status_code == 403, path
        assert "another site" in answer.text
        assert answer.headers["content-security-policy"]
    assert browser.get("/", headers=headers).status_code == 200  # reading changes nothing
    api = site.api(guest).post("/api/v1/verify", headers=headers)
    assert (api.status_code, api.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize("headers", OWN)
def test_our_own_forms(site: Site, guest: Guest, headers: dict[str, str]) -> None:
    assert site.browser(guest).post("/sign-out", headers=headers).status_code == 303


def test_our_own_forms_behind_a_proxy(site: Site, guest: Guest) -> None:
    browser = site.browser(guest, public_url="http://mail.example")
    headers = {"Host": "inside:8025", "Origin": "http://mail.example"}
    assert browser.post("/sign-out", headers=headers).status_code == 303
    headers["Origin"] = "http://mail.example.evil.example"
    assert browser.post("/sign-out", headers=headers).status_code == 403


async def test_a_slow_sign_in_holds_nobody_up(
    site: Site, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing blocks its own few threads; pages and the event loop go on."""
    import httpx2

    from proofmail.errors import Refused
    from proofmail.web.app import make_app

    held = threading.Event()

    def slow(*_: object) -> None:
        held.wait(20)
        raise Refused("wrong")

    monkeypatch.setattr(members, "sign_in", slow)
    transport = httpx2.ASGITransport(app=make_app(site.services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        tries = [
            asyncio.create_task(client.post("/sign-in", data={"email": f"{n}@x.example"}))
            for n in range(20)
        ]
        try:
            await asyncio.sleep(0.05)
            started = time.monotonic()
            for _ in range(5):
                assert (await client.get("/healthz")).status_code == 200
            assert time.monotonic() - started < 5
            assert not any(attempt.done() for attempt in tries)
        finally:
            held.set()
        assert {(await attempt).status_code for attempt in tries} == {403}

"""The page of the witnesses' health, in both languages, and the synthesis's word on the clock."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from proofmail.store.authorities import ClockSpan, Heard, note_heard
from proofmail.store.stamps import MOST_COUNTED, NewToken, save_tokens, unstamped
from proofmail.web import texts
from tests.making import NOW
from tests.web.house import Guest, Site

PAGES = {
    "en": ("None has been asked", "left alone", "median 20 ms, 99 of 100 within 30 ms", "NTP"),
    "fr": ("Aucune n’a encore", "en pause", "médiane 20 ms, 99 sur 100 en 30 ms", "NTP"),
}


HEARD = {
    "good": Heard(
        good_at=NOW, delays_ms=[10, 20, 30], waits=7,
        clock=ClockSpan(1500, 2500), clock_at=NOW,
    ),
    "<bad>": Heard(
        errors=3, failures=1, error_at=NOW, error="the authority answers 503",
        retry_at=NOW + timedelta(minutes=1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_page_tells_how_each_authority_answers(
    site: Site, guest: Guest, language: texts.Language
) -> None:
    nobody, resting, delays, cure = PAGES[language]
    browser = site.browser(guest, language)
    page = browser.get("/witnesses").text
    assert nobody in page
    note_heard(site.store, HEARD)
    site.record(guest)
    page = browser.get("/witnesses").text
    for words in (resting, delays, cure, "the authority answers 503", "&lt;bad&gt;", "1.5", "2.5"):
        assert words in page
    assert nobody not in page
    assert "<bad>" not in page
    assert cure in browser.get("/").text


def test_programs_are_told_the_same(site: Site, guest: Guest) -> None:
    client = site.api(guest)
    nobody = {"authorities": [], "unstamped": 0, "partly_stamped": 0, "most_counted": MOST_COUNTED}
    assert client.get("/api/v1/witnesses").json() == nobody
    note_heard(site.store, HEARD)
    site.record(guest)
    other = site.guest("voisin")
    site.record(other, sender="claire@voisin.example")
    found = client.get("/api/v1/witnesses").json()
    assert found == {
        **nobody,
        "unstamped": 2,
        "authorities": [
            {
                "name": "<bad>", "standing": "resting", "answers": 0, "errors": 3, "waits": 0,
                "error_at": "2026-11-21T10:00:00.123Z", "error": "the authority answers 503",
                "retry_at": "2026-11-21T10:01:00.123Z",
            },
            {
                "name": "good", "standing": "good", "answers": 3, "errors": 0, "waits": 7,
                "good_at": "2026-11-21T10:00:00.123Z", "median_milliseconds": 20,
                "late_milliseconds": 30,
            },
        ],
        "clock": {
            "ahead_at_least_milliseconds": 1500, "ahead_at_most_milliseconds": 2500,
            "off_milliseconds": 1500, "is_off": True, "agreed": True, "authorities": 1,
            "measured_at": "2026-11-21T10:00:00.123Z",
        },
    }  # fmt: skip
    site.clock.moment += timedelta(hours=2)
    later = client.get("/api/v1/witnesses").json()
    assert "clock" not in later
    assert later["authorities"][0]["standing"] == "failing"
    assert "retry_at" not in later["authorities"][0]


def test_only_the_readers_own_records_are_counted_as_partly_stamped(
    site: Site, guest: Guest
) -> None:
    site.record(guest)
    (item,) = unstamped(site.store, 5)
    token = site.world.stamp(sha256(item.record).digest())
    save_tokens(site.store, [NewToken(item.sequence, "one", token.response, NOW)], NOW, needed=2)
    assert site.api(guest).get("/api/v1/witnesses").json()["partly_stamped"] == 1
    other = site.guest("voisin")
    assert site.api(other).get("/api/v1/witnesses").json()["partly_stamped"] == 0


def test_a_clock_that_may_be_right_is_no_trouble(site: Site, guest: Guest) -> None:
    note_heard(site.store, {"one": Heard(clock=ClockSpan(-900, 2900), clock_at=NOW)})
    assert "NTP" not in site.browser(guest).get("/").text
    note_heard(site.store, {"two": Heard(clock=ClockSpan(-9000, -8000), clock_at=NOW)})
    home = site.browser(guest).get("/").text
    assert "NTP" not in home
    assert "contradict one another" in home


def test_the_page_is_for_members(site: Site) -> None:
    response = site.app_client().get("/witnesses", follow_redirects=False)
    assert response.status_code == 303


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_record_that_lacks_an_authority_says_so(
    site: Site, guest: Guest, language: texts.Language
) -> None:
    record = site.record(guest)
    (item,) = unstamped(site.store, 5)
    token = site.world.stamp(sha256(item.record).digest())
    save_tokens(site.store, [NewToken(item.sequence, "one", token.response, NOW)], NOW, needed=2)
    words = texts.text(language, "word.stamp_partly")
    browser = site.browser(guest, language)
    assert words in browser.get(f"/records/{record}").text
    assert texts.text(language, "health.partly", n="1") in browser.get("/witnesses").text
    site.stamp()
    assert words not in browser.get(f"/records/{record}").text

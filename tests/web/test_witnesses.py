"""The page of the witnesses' health, in both languages, and the synthesis's word on the clock."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from proofmail.store.authorities import ClockSpan, Heard, note_heard
from proofmail.store.stamps import NewToken, save_tokens, unstamped
from proofmail.web import texts
from tests.making import NOW
from tests.web.house import Guest, Site

PAGES = {
    "en": ("None has been asked", "left alone", "median 20 ms, 99 of 100 within 30 ms", "NTP"),
    "fr": ("Aucune n’a encore", "en pause", "médiane 20 ms, 99 sur 100 en 30 ms", "NTP"),
}


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_page_tells_how_each_authority_answers(
    site: Site, guest: Guest, language: texts.Language
) -> None:
    nobody, resting, delays, cure = PAGES[language]
    browser = site.browser(guest, language)
    page = browser.get("/witnesses").text
    assert nobody in page
    now = site.clock.now()
    heard = {
        "good": Heard(
            good_at=now, delays_ms=[10, 20, 30], waits=7,
            clock=ClockSpan(1500, 2500), clock_at=now,
        ),
        "<bad>": Heard(
            errors=3, failures=1, error_at=now, error="the authority answers 503",
            retry_at=now + timedelta(minutes=1),
        ),
    }  # fmt: skip
    note_heard(site.store, heard)
    site.record(guest)
    page = browser.get("/witnesses").text
    for words in (resting, delays, cure, "the authority answers 503", "&lt;bad&gt;", "1.5", "2.5"):
        assert words in page
    assert nobody not in page
    assert "<bad>" not in page
    assert cure in browser.get("/").text


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

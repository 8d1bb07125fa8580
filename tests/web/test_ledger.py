"""What anchors cost and what delays them: on the synthesis page and in the API."""

from __future__ import annotations

import pytest

from anchoring import ledger_steps, ledger_watch
from proofmail.store import conditions
from proofmail.web import texts
from proofmail.web.ledger import coins
from tests.making import NOW
from tests.web.house import Guest, Site

NOTES = {
    ledger_steps.CLOCK_AHEAD: {"seconds": "90"},
    ledger_steps.CLOCK_LATE: {"seconds": "90"},
    ledger_steps.CEILING: {"base_fee_wei": "9", "ceiling_wei": "8"},
    ledger_steps.BUDGET: {"budget_wei": "9"},
    ledger_steps.UNFUNDED: {"address": "0x11", "needed_wei": "9"},
    ledger_watch.NONCE_TAKEN: {},
    ledger_watch.BLOCK_TOO_OLD: {},
    "ledger.node": {"why": "lags"},
    "ledger.nodes-disagree": {"why": "block 7"},
}


def test_every_condition_has_its_sentence_and_no_sentence_lacks_its_condition() -> None:
    named = {key.removeprefix("condition.") for key in texts.TEXTS if key.startswith("condition.")}
    assert named == set(NOTES)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_page_shows_what_delays_and_what_was_paid(
    site: Site, guest: Guest, language: texts.Language
) -> None:
    real = {"development_chain": False, "daily_budget_wei": 5 * 10**15}
    site.record(guest)
    site.stamp()
    site.anchor()
    for name, details in NOTES.items():
        conditions.note(site.store, name, "3", details, NOW)
    # From another version of the service: passed over, never a page that breaks.
    conditions.note(site.store, "ledger.unknown", "", {}, NOW)
    page = site.browser(guest, language, **real).get("/").text
    for name, details in NOTES.items():
        for word in details.values():
            assert word in page, name
    assert "0.005000000" in page
    (account,) = site.api(guest, **real).get("/api/v1/ledger").json()["accounts"]
    assert coins(int(account["paid_wei"])) in page


def test_the_api_gives_amounts_as_digits(site: Site, guest: Guest) -> None:
    site.record(guest)
    site.anchor()
    conditions.note(site.store, "ledger.budget", "", {"budget_wei": "9"}, NOW)
    conditions.note(site.store, "ledger.node", "2", {}, NOW)  # no words for its sentence
    found = site.api(guest, development_chain=False).get("/api/v1/ledger").json()
    (account,), (condition,) = found["accounts"], found["conditions"]
    assert (account["anchors"], account["records"]) == (1, 1)
    assert account["paid_per_record_wei"] == account["paid_wei"] != "0"
    assert condition["text"].startswith("The day’s budget (9 wei)")
    assert "daily_budget_wei" not in found


def test_the_development_chain_has_no_costs(site: Site, guest: Guest) -> None:
    site.record(guest)
    site.anchor()
    state = site.api(guest, development_chain=True).get("/api/v1/ledger").json()
    assert state == {"accounts": [], "conditions": []}


def test_amounts_are_rounded_up() -> None:
    assert coins(0) == "0.000000000"
    assert coins(1) == "0.000000001"
    assert coins(10**18) == "1.000000000"
    assert coins(1_234_567_890_123_456_789) == "1.234567891"

"""The page that checks proofs in the browser, as it is handed out. What it says is in
tests/verifier."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256

import pytest

from proofmail.web.texts import LANGUAGES
from proofmail.web.verifier_page import read_verifier
from tests.verify.test_case import sealed
from tests.web.house import Guest, Site


def test_everybody_is_handed_the_page_with_this_services_trust(site: Site, guest: Guest) -> None:
    site.record(guest)
    site.stamp()
    site.anchor()
    nobody = site.app_client()
    page = nobody.get("/verify")
    assert page.status_code == 200
    given = re.search(r'<script type="[a-z/]+" id="given-trust">([^<]*)</script>', page.text)
    assert given
    assert json.loads(given[1]) == nobody.get("/api/v1/trust.json").json()
    whole = read_verifier().decode("utf-8")
    assert page.text == whole.replace('id="given-trust"></', f'id="given-trust">{given[1]}</')


def test_the_policy_of_the_answer_lets_run_what_the_file_holds_and_nothing_else(site: Site) -> None:
    answer = site.app_client().get("/verify")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "connect-src" not in policy
    assert policy.endswith("frame-ancestors 'none'")
    text = answer.text
    program = text[text.index("<script>") + 8 : text.rindex("</script>")]
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    for element, body in (("script", program), ("style", style)):
        digest = base64.b64encode(sha256(body.encode("utf-8")).digest()).decode("ascii")
        assert f"{element}-src 'sha256-{digest}'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", answer.text)


def test_the_file_for_keeping_trusts_nobody(site: Site) -> None:
    """It is saved and opened without us: whoever got a dossier may need it."""
    answer = site.app_client().get("/verifier.html")
    assert answer.content == read_verifier()
    assert answer.headers["content-disposition"] == 'attachment; filename="verifier.html"'


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_offered_to_members_and_to_whoever_comes_to_the_door(
    site: Site, guest: Guest, language: str
) -> None:
    browser = site.browser(guest, language)
    for path in ("/sign-in", f"/records/{site.record(guest)}"):
        assert 'href="/verifier.html"' in browser.get(path).text


def test_nothing_can_be_sent_to_the_page(site: Site, guest: Guest) -> None:
    for client in (site.app_client(), site.browser(guest)):
        assert client.post("/verify", files={"proof": ("p.json", b"{}")}).status_code == 405


def test_a_case_is_judged_for_programs(site: Site, guest: Guest) -> None:
    files = {"proof": ("case.pdf", sealed())}
    told = site.api(guest).post("/api/v1/verify", files=files).json()
    assert told["format"] == "proofmail/case-report/0"
    assert told["exit_status"] == 3

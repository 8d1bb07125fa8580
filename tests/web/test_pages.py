"""The pages: what they say, in which language, and what no page may do."""

from __future__ import annotations

import re
import string
from datetime import timedelta
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from starlette.testclient import TestClient

from proofmail.accounts.trail import list_trail
from proofmail.core.proof import read_proof
from proofmail.store.erasing import erase
from proofmail.web import texts
from proofmail.web.present import LANGUAGE_COOKIE
from tests.making import MAIL, NOW
from tests.store.house import fill, read_receipt
from tests.web.house import Guest, Site

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202etxt.exe\x1b[31m"
VOID = {"meta", "link", "input", "img", "br", "wbr"}


class Page(HTMLParser):
    """What a browser would make of a page: its tags, in order, and whether they are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def check(html: str) -> Page:
    """A page is well formed, needs no script and no style of its own, and can be read aloud."""
    page = Page(html)
    assert page.open == []
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "style", "iframe", "object", "embed", "base"}
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#")), (tag, attributes)
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    labelled = {label["for"] for label in page.named("label")}
    for field in [*page.named("input"), *page.named("select"), *page.named("textarea")]:
        assert field.get("type") == "hidden" or field["id"] in labelled
    assert all("alt" in image for image in page.named("img"))
    assert all("scope" in heading for heading in page.named("th"))
    assert len(page.named("h1")) == 1
    assert len(page.named("main")) == 1
    return page


def hostile_mail() -> bytes:
    """A mail whose subject, names, addresses and file names all try to act."""
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["From"] = "claire@atelier.example"
    mail["To"] = '"<b onclick=x>" <"><script>"@client.example>'
    mail.set_content("x")
    mail.add_attachment(b"x", maintype="text", subtype="html", filename="<svg onload=x>.html")
    data = mail.as_bytes().replace(b"\n", b"\r\n")
    import base64

    subject = base64.b64encode(HOSTILE.encode()).decode()
    return f"Subject: =?utf-8?b?{subject}?=\r\n".encode() + data


def every_page(site: Site, guest: Guest) -> list[str]:
    record = site.record(guest)
    site.record(guest, read_receipt("offre-42@atelier.example"), sender="")
    hostile = site.record(guest, hostile_mail())
    erased = site.record(guest, MAIL.replace(b"1 200", b"1 300"))
    erase(site.store, guest.id, erased, NOW)
    site.stamp()
    site.anchor()
    site.record(guest, MAIL.replace(b"1 200", b"1 400"))
    return [
        "/", "/records", "/records?text=zzz&since=2026-01-01", "/records?cursor=x&state=x",
        f"/records/{record}", f"/records/{record}/redact", f"/records/{hostile}/redact?show=people",
        f"/records/{hostile}", f"/records/{erased}", "/nothing",
        "/records/nothing", "/sign-in", "/witnesses",
        "/exports", "/exports?text=offre&kind=message&since=2026-01-01",
    ]  # fmt: skip


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_page(site: Site, guest: Guest, language: str) -> None:
    paths = every_page(site, guest)
    browser = site.browser(guest, language)
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code == (404 if "nothing" in path else 200), path
        assert f'<html lang="{language}">' in answer.text
        check(answer.text)
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        # the cautions of an installation that proves nothing to others stand on every page
        for key in ("caution.authority", "caution.chain"):
            assert texts.text(language, key).replace("'", "&#39;") in answer.text  # type: ignore[arg-type]


def test_no_caution_without_a_reason(site: Site, guest: Guest) -> None:
    browser = site.browser(guest, built_in_authority=False, development_chain=False)
    assert "Caution" not in browser.get("/").text


@pytest.mark.parametrize("path", ["/", "/records", "/records/x", "/records/x/proof.json"])
def test_pages_need_a_session(site: Site, guest: Guest, path: str) -> None:
    client = site.app_client()
    answer = client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    client.cookies.set("proofmail", "wrong")
    assert client.get(path).status_code == 303
    browser = site.browser(guest)
    site.clock.moment += timedelta(hours=13)
    assert browser.get(path).status_code == 303


def test_another_organisations_pages(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    other = site.browser(site.guest("voisin"))
    for path in ("", "/proof.json", "/dossier-fr.pdf", "/redact", "/redacted.json",
                 "/redacted-fr.pdf"):  # fmt: skip
        answer = other.get(f"/records/{record}{path}")
        assert answer.status_code == 404
        assert "Offre" not in answer.text
    assert "Offre" not in other.get("/records").text
    assert "proof@voisin.example" in other.get("/").text
    assert "proof@atelier.example" not in other.get("/").text


def test_text_from_outside_is_shown_and_not_obeyed(site: Site, guest: Guest) -> None:
    record = site.record(guest, hostile_mail())
    browser = site.browser(guest)
    for path in ("/", "/records", f"/records/{record}"):
        html = browser.get(path).text
        check(html)
        assert "<script" not in html
        assert "<img src=x" not in html
        assert "<svg onload" not in html
        assert "&lt;script&gt;alert(1)" in html
        assert "\u202e" not in html
        assert "‹U+202E›" in html
        assert "\x1b" not in html
    # what a reader typed comes back, and is no more than text either
    typed = browser.get("/records", params={"text": HOSTILE, "state": '"><script>'}).text
    check(typed)
    assert "<script" not in typed
    signing = site.app_client().post(
        "/sign-in", data={"email": HOSTILE, "password": "x", "next": '"><script>'}
    )
    check(signing.text)
    assert "<script" not in signing.text


def test_the_list_of_an_empty_organisation_says_what_to_do(site: Site, guest: Guest) -> None:
    html = site.browser(guest, "fr").get("/").text
    assert "<code>proof@atelier.example</code>" in html
    assert "en copie d’un mail" in html


def test_the_synthesis_counts(site: Site, guest: Guest) -> None:
    site.record(guest)
    site.stamp()
    site.anchor()
    site.record(guest, MAIL.replace(b"1 200", b"1 300"))
    html = re.sub(r"\s+", " ", site.browser(guest).get("/").text)
    assert "<strong>2</strong> mails" in html
    for stage, share, n in (("Recorded", 100, 2), ("Time-stamped", 50, 1), ("Final", 50, 1)):
        assert re.search(
            rf'{stage}</th>.*?aria-label="{share} %".*?<td class="right">{n}</td>', html
        )


def test_the_list_pages_and_filters(site: Site, guest: Guest) -> None:
    made = fill(site.store, guest.id, 60)
    browser = site.browser(guest)
    first = browser.get("/records")
    links = re.findall(r'href="/records/([a-z0-9]{26})"', first.text)
    assert links == made[:9:-1]
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older
    second = browser.get(older[1].replace("&amp;", "&"))
    assert re.findall(r'href="/records/([a-z0-9]{26})"', second.text) == made[9::-1]
    assert 'rel="next"' not in second.text
    assert "No record fits" in browser.get("/records", params={"text": "zzz"}).text
    # the day is the organisation's: until the 20th excludes all that came on the 21st
    assert "No record fits" in browser.get("/records", params={"until": "2026-11-20"}).text
    assert "No record fits" not in browser.get("/records", params={"until": "2026-11-21"}).text
    for asked in (
        {"since": "2026-02-30"},
        {"since": "9999-12-31"},
        {"state": "x"},
        {"cursor": "x"},
    ):
        assert "was ignored" in browser.get("/records", params=asked).text
    assert browser.get("/records", params={"text": "x" * 201}).status_code == 422


def test_a_record_says_what_it_proves_and_what_not(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    early = site.browser(guest).get(f"/records/{record}").text
    assert "nothing is proven to others yet" in early
    assert "The dossier is provisional" in early
    site.stamp()
    site.anchor()
    english = site.browser(guest, "en").get(f"/records/{record}").text
    assert "The dossier is provisional" not in english
    assert "existed no later than 2026-11-21 11:00:02 Europe/Paris" in english
    assert "delivery is not proven" in english
    assert "stated by the mail" in english
    assert "observed by the service" in english
    assert "This proof does not verify" not in english
    french = site.browser(guest, "fr").get(f"/records/{record}").text
    assert "la remise n’est pas prouvée" in french
    assert "Définitif" in french


def test_a_record_that_does_not_verify_says_so(site: Site, guest: Guest) -> None:
    from sqlalchemy import update

    from proofmail.store.tables import records

    record = site.record(guest)
    with site.store.write() as connection:
        connection.execute(update(records).values(signature=b"x"))
    assert "This proof does not verify" in site.browser(guest).get(f"/records/{record}").text


def test_downloads(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    browser = site.browser(guest)
    assert browser.get(f"/records/{record}/proof.json").json()["format"] == "proofmail/proof/0"
    assert browser.get(f"/records/{record}/dossier-en.pdf").content.startswith(b"%PDF")
    assert browser.get(f"/records/{record}/dossier-de.pdf").status_code == 404
    assert [request.language for request in site.dossiers] == ["en"]


def test_choosing_what_a_dossier_shows(site: Site, guest: Guest) -> None:
    record = site.record(guest)
    browser = site.browser(guest)
    here = f"/records/{record}"
    html = browser.get(f"{here}/redact").text
    assert "Only “offre.pdf”" in html
    assert "2 people together" in html
    chosen = browser.get(f"{here}/redact?show=part.2").text
    assert 'value="part.2" id="show-' in chosen
    assert f'href="{here}/redacted-fr.pdf?show=part.2"' in chosen
    assert "3 of 32 entries are shown; the other 29" in chosen
    proof = read_proof(browser.get(f"{here}/redacted.json?show=part.2").content)
    assert set(proof.claims) == {"authentication", "defects", "part.2"}
    assert set(read_proof(browser.get(f"{here}/redacted.json").content).claims) == {
        "authentication",
        "defects",
    }
    answer = browser.get(f"{here}/redacted-fr.pdf?show=part.2")
    assert answer.headers["content-disposition"].endswith('-redacted-fr.pdf"')
    assert site.dossiers[-1].redacted
    assert browser.get(f"{here}/redacted-de.pdf").status_code == 404
    assert browser.get(f"{here}/redact?show=part.9").status_code == 422
    actions = [entry.action for entry in list_trail(site.store, guest.id, limit=3)]
    assert actions == ["dossier.redacted", "proof.redacted", "proof.redacted"]


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        (None, "fr-FR,fr;q=0.9,en;q=0.5", "fr"),
        (None, "de, en;q=0.3, fr;q=0.2", "en"),
        (None, "de", "en"),
        (None, "", "en"),
        (None, "fr;q=0", "en"),
        (None, "fr;q=x,,;;", "en"),
        ("fr", "en", "fr"),
        ("de", "fr", "fr"),
    ],
)
def test_the_language(site: Site, cookie: str | None, accepted: str, expected: str) -> None:
    client = site.app_client()
    client.headers["Accept-Language"] = accepted
    if cookie:
        client.cookies.set(LANGUAGE_COOKIE, cookie)
    assert f'<html lang="{expected}">' in client.get("/sign-in").text


def test_the_language_switch(site: Site) -> None:
    client = site.app_client()
    answer = client.post("/language", data={"language": "fr", "back": "/verify"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/verify")
    assert '<html lang="fr">' in client.get("/sign-in").text
    client.post("/language", data={"language": "tlh", "back": "/"})
    assert '<html lang="fr">' in client.get("/sign-in").text
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "/\r\nX: y", ""):
        answer = client.post("/language", data={"language": "en", "back": elsewhere})
        assert answer.headers["location"] == "/"


def test_static_files_keep_their_names(site: Site) -> None:
    client = site.app_client()
    page = client.get("/sign-in").text
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    answer = client.get(style)
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "http" not in answer.text
    assert "@import" not in answer.text
    for bad in ("/static/style.css", "/static/../app.py", "/static/%2e%2e/app.py"):
        assert client.get(bad).status_code == 404


# --- the catalogue -------------------------------------------------------------------------


def test_both_languages_say_the_same_things() -> None:
    for key, both in texts.TEXTS.items():
        found = [{name for _, name, _, _ in string.Formatter().parse(t) if name} for t in both]
        assert found[0] == found[1], key
        assert all(text.strip() for text in both), key
        assert not any("<" in text or "&" in text for text in both), key


def _sources() -> list[str]:
    place = files("proofmail.web")
    templates = [item.read_text("utf-8") for item in (place / "templates").iterdir()]
    modules = [
        item.read_text("utf-8")
        for item in place.iterdir()
        if item.name.endswith(".py") and item.name != "texts.py"
    ]
    return templates + modules


def test_every_text_that_is_asked_for_exists_and_none_is_idle() -> None:
    sources = _sources()
    whole, prefixes = set(), set()
    for source in sources:
        whole |= set(re.findall(r"""(?<![\w.])t\(["']([a-z_.]+[a-z_])["']""", source))
        whole |= set(re.findall(r"""["']((?:nav|caution|person)\.[a-z_]+)["']""", source))
        prefixes |= set(re.findall(r"""["']([a-z_.]+\.)["'] ~""", source))
    assert whole <= set(texts.TEXTS)
    prefixes |= {"error.", "person."}
    for prefix in prefixes:
        assert any(key.startswith(prefix) for key in texts.TEXTS), prefix
    idle = {key for key in texts.TEXTS if key not in whole and not key.startswith(tuple(prefixes))}
    assert idle == set()


def test_a_page_in_print_is_whole(site: Site, guest: Guest) -> None:
    """Templates never end in an undefined value: StrictUndefined would have raised above. Here:
    a record of a kind that has no mail."""
    from proofmail.intake import Statement

    claims = {"digest.1": {"sha256": "A" * 43, "size": 3, "name": "plan.pdf"}}
    record = site.intake.submit(Statement(guest.id, "digests", claims)).result(10)
    html = site.browser(guest).get(f"/records/{record}").text
    check(html)
    assert "plan.pdf" in html
    assert "00" * 32 in html


def _client_without_store(site: Site) -> TestClient:
    return site.app_client(store=None)


def test_sign_in_page_asks_the_database_nothing(site: Site) -> None:
    assert _client_without_store(site).get("/sign-in").status_code == 200

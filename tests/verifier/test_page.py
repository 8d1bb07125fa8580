"""verifier.html in a real Chromium, from the disk, with the network off, as an auditor uses it."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from proofmail.core.canonical import encode
from tests.making import ATTACHMENT, MAIL, NOW, World
from tests.parts import PROJECT, give_up
from tests.verifier.browser import VERIFIER, chromium, opened
from tests.verifier.kit import apart, kit, make_kit, redacted
from tests.verify.test_case import sealed as sealed_case
from tests.verify.test_case import trust as case_trust
from tests.verify.test_msg import _made as outlook_file

AXE = PROJECT / "verifier" / "node_modules" / "axe-core" / "axe.min.js"
STATES = {
    "en": ("Verified", "Differs", "Failed", "Unreadable", "Not verified under this trust"),
    "fr": ("Vérifié", "Diffère", "Échec", "Illisible", "Non vérifié avec cette confiance"),
}
File = tuple[str, bytes]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def give(page: Page, proof: File, trust: bytes | None = None, *copies: File) -> None:
    """Puts files into the three places, and waits for the verdict."""

    def chosen(place: str, *files: File) -> None:
        page.set_input_files(
            f"#file-{place}",
            [{"name": n, "mimeType": "application/octet-stream", "buffer": b} for n, b in files],
        )

    if trust is not None:
        chosen("trust", ("trust.json", trust))
    if copies:
        chosen("copies", *copies)
    chosen("proof", proof)
    expect(page.locator("#result .verdict, #result .fault")).to_be_visible(timeout=30_000)


def state(page: Page) -> str:
    return page.locator("#result .verdict h2").inner_text()


def dossier() -> File:
    return ("dossier.pdf", kit().dossier)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_state_in_a_word(browser: Browser, language: str) -> None:
    good, differs, failed, unreadable, untrusted = STATES[language]
    changed = MAIL.replace(b"1 200", b"1 300")
    foreign = make_kit()
    backdated = World()
    late = backdated.witness(
        backdated.record(dict(kit().proof.claims), received_at=NOW + timedelta(days=1))
    )
    cases: list[tuple[str, File, bytes | None, list[File]]] = [
        (good, dossier(), kit().trust, [("sent.eml", MAIL), ("offre.pdf", ATTACHMENT)]),
        (good, dossier(), kit().trust, [("sent.msg", outlook_file().to_bytes())]),
        (good, ("redacted.pdf", redacted().dossier), redacted().trust, [("o.pdf", ATTACHMENT)]),
        (differs, dossier(), kit().trust, [("sent.eml", changed)]),
        (failed, ("late.json", late.to_bytes()), encode(backdated.trust().to_json()), []),
        (unreadable, ("dossier.pdf", kit().dossier[:-700]), kit().trust, []),
        (untrusted, ("dossier.pdf", foreign.dossier), kit().trust, [("sent.eml", MAIL)]),
        (untrusted, dossier(), None, []),
    ]
    for expected, proof, trust, copies in cases:
        with opened(browser, language) as (page, complaints):
            give(page, proof, trust, *copies)
            assert state(page) == expected, proof[0]
            assert page.locator("html").get_attribute("lang") == language
            assert complaints == []


def test_a_byte_changed_under_the_seal_is_seen(browser: Browser) -> None:
    data = bytearray(kit().dossier)
    data[data.index(b"/MediaBox") + 12] ^= 1
    with opened(browser) as (page, _):
        give(page, ("dossier.pdf", bytes(data)), kit().trust)
        assert state(page) in ("Failed", "Unreadable")


def test_what_differs_is_named_and_what_was_not_checked_is_said(browser: Browser) -> None:
    changed = MAIL.replace(b"1 200", b"1 300")
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust, ("sent.eml", changed))
        copy = page.locator(".copy")
        assert "DIFFERS" in copy.inner_text()
        assert "part 1" in copy.locator(".differs").first.inner_text()
        assert "pages of the PDF were not read" in page.inner_text("#result")
        rows = page.locator(".checks tbody th").all_inner_texts()
    assert [rows[0], rows[1], rows[-1]] == ["V1", "V2", "V17"]
    assert {"V5.T1", "V5.T13", "V11", "V15", "V16"} <= set(rows)


def test_the_language_changes_with_the_report_in_sight(browser: Browser) -> None:
    with opened(browser, "en") as (page, _):
        give(page, dossier(), kit().trust)
        page.get_by_role("button", name="Français").click()
        assert state(page) == "Vérifié"
        assert "le fichier est une preuve intacte" in page.inner_text(".checks")
        assert page.title().startswith("Vérifier une preuve")


def test_hostile_text_is_shown_and_never_obeyed(browser: Browser) -> None:
    name = "\u202efdp.<img src=x onerror=alert(1)>.eml"
    subject = b"Subject: <script>alert(1)</script> \xe2\x80\xaegnp.exe\r\n"
    mail = re.sub(rb"(?m)^Subject:.*\r\n(?:[ \t].*\r\n)*", lambda _: subject, MAIL)
    one = make_kit(mail)
    with opened(browser) as (page, complaints):
        give(page, ("dossier.pdf", one.dossier), one.trust, (name, mail))
        told = page.inner_text("#result")
        assert "<script>alert(1)</script>" in told
        assert "‹U+202E›" in told
        assert "\u202e" not in told
        assert "<img src=x onerror=alert(1)>.eml" in told
        assert page.locator("#result img, #result script").count() == 0
        assert complaints == []


def test_a_case_is_a_list_and_each_of_its_proofs_can_be_looked_at(browser: Browser) -> None:
    with opened(browser) as (page, _):
        give(page, ("case.pdf", apart(sealed_case)), encode(case_trust().to_json()))
        assert state(page) == "Verified"
        page.get_by_role("button", name="Proof 2: show all").click()
        expect(page.locator(".checks")).to_contain_text("V17")
        page.get_by_role("button", name="Back to the list").click()
        expect(page.locator("#result")).to_contain_text("Lot 7")


def test_everything_can_be_kept_together(browser: Browser) -> None:
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust, ("dossier.pdf", MAIL), ("../a/b.eml", MAIL))
        with page.expect_download() as kept:
            page.get_by_role("button", name="Keep all together").click()
        path = kept.value.path()
        with zipfile.ZipFile(io.BytesIO(Path(path).read_bytes())) as archive:
            assert archive.testzip() is None
            held = {name: archive.read(name) for name in archive.namelist()}
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save the report").click()
        report = json.loads(Path(saved.value.path()).read_bytes())
    assert held["dossier.pdf"] == kit().dossier
    assert held["dossier (2).pdf"] == MAIL
    assert not any("/" in name or "\\" in name for name in held)
    assert held["trust.json"] == kit().trust
    assert json.loads(held["report.json"]) == report
    assert report["format"] == "proofmail/report/0"


def test_the_files_judged_are_listed_with_their_digests(browser: Browser) -> None:
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust, ("sent.eml", MAIL))
        told = page.inner_text("#result")
    assert sha256(MAIL).hexdigest() in told
    assert sha256(kit().dossier).hexdigest() in told


def test_files_dropped_together_find_their_places(browser: Browser) -> None:
    with opened(browser) as (page, _):
        page.evaluate(
            """([pdf, trust, mail]) => {
              const files = new DataTransfer();
              const add = (name, text) => files.items.add(
                new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
              add("sent.eml", mail); add("trust.json", trust); add("dossier.pdf", pdf);
              const event = { dataTransfer: files, bubbles: true, cancelable: true };
              document.body.dispatchEvent(new DragEvent("drop", event));
            }""",
            [_spelt(kit().dossier), _spelt(kit().trust), _spelt(MAIL)],
        )
        expect(page.locator("#result .verdict h2")).to_have_text("Verified", timeout=30_000)
        expect(page.locator(".copy")).to_have_count(1)


def _spelt(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode("ascii")


@pytest.mark.parametrize("megabytes", [10, 25])
def test_a_large_mail_is_judged_while_the_page_stays_responsive(
    browser: Browser, tmp_path: Path, megabytes: int
) -> None:
    line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAx\r\n"
    head = b"--cut\r\nContent-Type: application/zip; name=plans.zip\r\n"
    coded = b"Content-Transfer-Encoding: base64\r\n\r\n" + line * (megabytes * 14_000)
    large = MAIL.replace(b"--cut--", head + coded + b"--cut--")
    assert len(large) > megabytes * 1_000_000
    one = make_kit(large)
    (tmp_path / "large.eml").write_bytes(large)
    with opened(browser) as (page, complaints):
        page.set_input_files("#file-copies", tmp_path / "large.eml")
        page.evaluate(
            """() => {
              window.longest = 0; let last = performance.now();
              setInterval(() => {
                const now = performance.now();
                window.longest = Math.max(window.longest, now - last); last = now;
              }, 20);
            }"""
        )
        begun = time.monotonic()
        give(page, ("dossier.pdf", one.dossier), one.trust)
        took = time.monotonic() - begun
        pause = page.evaluate("longest")
        print(f"{megabytes} MB judged in {took:.1f} s; longest pause {pause:.0f} ms")
        assert state(page) == "Verified"
        assert page.evaluate("longest") < 2_000  # a page that waited would pause for all of it
        assert complaints == []


def test_a_check_can_be_stopped(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "large.eml").write_bytes(MAIL + b"x" * (200 << 20))
    with opened(browser) as (page, _):
        page.set_input_files("#file-copies", tmp_path / "large.eml")
        page.set_input_files(
            "#file-proof",
            [{"name": "p.pdf", "mimeType": "application/pdf", "buffer": kit().dossier}],
        )
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#result")).to_contain_text("nothing was judged")


def test_nothing_is_kept_and_nothing_can_be_asked_of_the_network(browser: Browser) -> None:
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust, ("sent.eml", MAIL))
        kept = page.evaluate(
            """async () => [localStorage.length, sessionStorage.length, document.cookie,
                 (await indexedDB.databases()).length]"""
        )
        assert kept == [0, 0, "", 0]
    text = VERIFIER.read_text("utf-8")
    assert len(text.encode("utf-8")) < 1_000_000
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; ")
    assert not {"connect-src", "unsafe", "http:", "https:"} & set(re.split(r"[ ;]+", policy[1]))


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, language: str, scheme: Any) -> None:
    if not AXE.is_file():
        give_up("needs axe-core: npm ci in verifier/")
    changed = MAIL.replace(b"1 200", b"1 300")
    with opened(browser, language) as (page, _):
        page.emulate_media(color_scheme=scheme)
        for given in (None, [("a.eml", MAIL), ("b.eml", changed)]):
            if given:
                give(page, dossier(), kit().trust, *given)
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("axe.run().then(({ violations }) => violations)")
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []

"""The page against whoever made the files, against haste, and against its own silence."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from proofmail.core.canonical import encode
from tests.making import MAIL
from tests.verifier.browser import VERIFIER, chromium, opened
from tests.verifier.kit import apart, kit
from tests.verifier.test_page import dossier, give, state
from tests.verify.test_case import sealed as sealed_case
from tests.verify.test_case import trust as case_trust

GIVEN_TRUST = '<script type="application/json" id="given-trust"></script>'
DROP = """([files, lost]) => {
  const transfer = new DataTransfer();
  const data = files.map(([name, text]) =>
    new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
  const gone = lost.map((name) => {
    const file = new File(["x"], name);
    const fail = () => Promise.reject(new DOMException("gone", "NotFoundError"));
    Object.defineProperty(file, "slice", { value: () => ({ arrayBuffer: fail }) });
    return file;
  });
  const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  Object.defineProperty(event, "dataTransfer", { value: { files: [...data, ...gone] } });
  document.body.dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def drop(page: Page, *files: tuple[str, bytes], lost: tuple[str, ...] = ()) -> None:
    """Files dropped anywhere; those of `lost` cannot be read, as a folder cannot."""
    spelt = [[name, b64encode(data).decode("ascii")] for name, data in files]
    page.evaluate(DROP, [spelt, list(lost)])


def test_no_verdict_stands_beside_files_that_it_is_not_of(browser: Browser) -> None:
    changed = MAIL.replace(b"1 200", b"1 900")
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust)
        assert state(page) == "Verified"
        drop(page, ("changed.eml", changed), lost=("folder",))
        page.get_by_role("button", name="Français").click()
        expect(page.locator(".zones")).to_contain_text("changed.eml")
        expect(page.locator("#result .verdict h2")).to_have_text("Diffère", timeout=30_000)


def test_a_digest_that_is_being_typed_has_no_verdict_beside_it(browser: Browser) -> None:
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust)
        page.locator("details summary").click()
        page.locator("#digests").press_sequentially("00")
        assert page.locator("#result .verdict").count() == 0
        page.locator("h1").click()
        expect(page.locator("#result .verdict h2")).to_have_text("Differs", timeout=30_000)
        page.locator("#digests").fill("")
        page.locator("h1").click()
        expect(page.locator("#result .verdict h2")).to_have_text("Verified", timeout=30_000)


def test_the_trust_is_named_beside_the_verdict(browser: Browser) -> None:
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust)
        told = page.locator(".verdict").inner_text()
        assert "trust.json" in told
        assert sha256(kit().trust).hexdigest() in told
    with opened(browser) as (page, _):
        give(page, dossier())
        assert "No trust was given" in page.locator(".verdict").inner_text()


def test_the_services_own_trust_is_said_to_be_its_word(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "verifier.html"
    held = GIVEN_TRUST.replace("></", f">{kit().trust.decode('utf-8')}</")
    file.write_text(VERIFIER.read_text("utf-8").replace(GIVEN_TRUST, held, 1), "utf-8")
    with opened(browser, file=file) as (page, _):
        give(page, dossier())
        assert state(page) == "Verified"
        told = page.locator(".verdict").inner_text()
        assert "the word of the service" in told
        assert sha256(kit().trust).hexdigest() in told
        with page.expect_download() as kept:
            page.get_by_role("button", name="Keep all together").click()
        with zipfile.ZipFile(io.BytesIO(Path(kept.value.path()).read_bytes())) as archive:
            assert archive.read("trust.json") == kit().trust


def test_that_the_pages_were_not_read_is_said_whatever_the_files_name(browser: Browser) -> None:
    with opened(browser) as (page, _):
        give(page, ("proof.json", kit().dossier), kit().trust)
        assert "pages of the PDF were not read" in page.inner_text("#result")


def test_copies_beside_a_case_are_said_to_be_compared_with_nothing(browser: Browser) -> None:
    with opened(browser) as (page, _):
        trust = encode(case_trust().to_json())
        give(page, ("case.pdf", apart(sealed_case)), trust, ("sent.eml", MAIL))
        assert state(page) == "Verified"
        assert "compared with nothing" in page.locator(".verdict").inner_text()
        assert sha256(MAIL).hexdigest() not in page.inner_text("#result")
        page.get_by_role("button", name="Proof 2: show all").click()
        expect(page.locator(".checks")).to_contain_text("V17")
        expect(page.locator(".copy")).to_have_count(1)
        drop(page, ("second.eml", MAIL))
        expect(page.locator(".copy")).to_have_count(2)


def test_a_file_that_cannot_be_read_is_named(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "sent.eml").write_bytes(MAIL)
    with opened(browser) as (page, _):
        page.set_input_files("#file-copies", tmp_path / "sent.eml")
        (tmp_path / "sent.eml").unlink()
        give(page, dossier(), kit().trust)
        assert "sent.eml cannot be read" in page.locator(".fault").inner_text()


def test_a_trust_that_is_too_large_is_not_called_the_proof(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "large.json").write_bytes(kit().trust + b" " * (64 << 20))
    with opened(browser) as (page, _):
        page.set_input_files("#file-trust", tmp_path / "large.json")
        give(page, dossier())
        assert "large.json is larger" in page.locator(".fault").inner_text()


def test_marks_do_not_reach_over_the_verdict(browser: Browser) -> None:
    name = "a" + "\u0338" * 100 + "b\u20dd.eml"
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust, (name, MAIL))
        told = page.inner_text("#result")
    assert "\u0338" * 4 in told
    assert "\u0338" * 5 not in told
    assert "‹U+20DD›" in told


def test_names_in_the_archive_can_be_written_everywhere(browser: Browser) -> None:
    names = ("CON.eml", "nul", "a.eml. ", "A.EML", "..", "x" * 300, "caf\u0065\u0301.eml")
    with opened(browser) as (page, _):
        give(page, dossier(), kit().trust, *((name, MAIL) for name in names))
        with page.expect_download() as kept:
            page.get_by_role("button", name="Keep all together").click()
        with zipfile.ZipFile(io.BytesIO(Path(kept.value.path()).read_bytes())) as archive:
            held = archive.namelist()
    assert len(held) == len(names) + 3
    assert len({name.lower() for name in held}) == len(held)
    assert not {name.split(".")[0].lower() for name in held} & {"con", "nul", ""}
    assert all(name == name.rstrip(". ") and len(name) < 100 for name in held)


ESCAPES = """async () => {
  const got = [];
  const asked = async (name, act) => { try { if (await act()) got.push(name); } catch {} };
  const loads = (tag, set) => new Promise((done) => {
    const element = document.createElement(tag);
    element.onload = () => done(true);
    element.onerror = () => done(false);
    setTimeout(() => done(false), 400);
    set(element);
    document.body.append(element);
  });
  const DATA = "data:text/javascript,self.ran=1";
  await asked("inline script", async () => {
    await loads("script", (it) => { it.textContent = "window.ran = 1"; });
    return window.ran === 1;
  });
  await asked("script", () => loads("script", (it) => { it.src = DATA; }));
  await asked("module", () => loads("script", (it) => { it.type = "module"; it.src = DATA; }));
  await asked("handler", async () => {
    const box = document.createElement("div");
    document.body.append(box);
    box.innerHTML = "<p onclick='window.handled=1'>x</p>";
    box.firstChild.click();
    return window.handled === 1;
  });
  await asked("image", () => loads("img", (it) => {
    it.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
  }));
  await asked("style", async () => {
    await loads("style", (it) => { it.textContent = "body { color: rgb(1, 2, 3) }"; });
    return getComputedStyle(document.body).color === "rgb(1, 2, 3)";
  });
  await asked("object", () => loads("object", (it) => { it.data = "data:text/html,x"; }));
  await asked("fetch", () => fetch("data:,x"));
  await asked("socket", () => new Promise((done) => {
    document.addEventListener("securitypolicyviolation", () => done(false), { once: true });
    setTimeout(() => done(true), 400);
    new WebSocket("ws://127.0.0.1:9/");
  }));
  await asked("worker", () => new Promise((done) => {
    const worker = new Worker("data:text/javascript,postMessage(1)");
    worker.onmessage = () => done(true);
    worker.onerror = () => done(false);
    setTimeout(() => done(false), 400);
  }));
  const inside = (code) => new Promise((done) => {
    const text = `(async () => { try { ${code}; postMessage(true); }
      catch { postMessage(false); } })()`;
    const worker = new Worker(URL.createObjectURL(new Blob([text])));
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = () => done(false);
  });
  await asked("a worker as the page makes it", () => inside("self.x = 1"));
  await asked("fetch in a worker", () => inside("await fetch('data:,x')"));
  await asked("eval in a worker", () => inside("eval('1')"));
  await asked("import in a worker", () => inside("importScripts('data:,1')"));
  return got;
}"""


def test_nothing_but_the_page_and_its_worker_runs_or_loads(browser: Browser) -> None:
    with opened(browser) as (page, _):
        assert page.evaluate(ESCAPES) == ["a worker as the page makes it"]

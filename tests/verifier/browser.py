"""The second verifier in a real Chromium, opened from the disk with the network off."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.parts import PROJECT, need

VERIFIER = PROJECT / "proofmail" / "web" / "static" / "verifier.html"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What a verification is given. `copies` are names and bytes; `number` is of a case dossier."""

    name: str
    proof: bytes
    trust: bytes | None = None
    copies: tuple[tuple[str, bytes], ...] = ()
    digests: tuple[str, ...] = ()
    number: int | None = None


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(need("chromium")), args=list(ARGUMENTS)
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, language: str = "en", file: Path = VERIFIER
) -> Iterator[tuple[Page, list[str]]]:
    """The page from the disk, offline; and what went wrong or wanted out, which stays empty."""
    context: BrowserContext = browser.new_context(
        offline=True, locale=language, accept_downloads=True
    )
    complaints: list[str] = []
    try:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                complaints.append(f"request: {request.url}")
                if not request.url.startswith(("file:", "blob:", "data:"))
                else None
            ),
        )
        page.goto(file.as_uri())
        yield page, complaints
    finally:
        context.close()


_JUDGE = """async ([program, cases]) => {
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  const worker = new Worker(url);
  const blob = (text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
  const answers = [];
  for (const { proof, trust, copies, digests, number } of cases) {
    const task = {
      proof: blob(proof), trust: trust === null ? null : blob(trust),
      copies: copies.map(([name, data]) => ({ name, file: blob(data) })), digests, number,
    };
    answers.push(await new Promise((resolve) => {
      worker.onmessage = ({ data }) => { if (data.kind !== "progress") resolve(data); };
      worker.onerror = (event) => resolve({ kind: "broken", why: event.message });
      worker.postMessage(task);
    }));
  }
  worker.terminate();
  return answers.map(({ kind, json, why, what }) => ({ kind, json, why, what }));
}"""
"""One worker, made as the page makes its own, judges one case after the other."""


def _program(page: Page) -> str:
    """The one script of the file that is open; the page takes it out of itself when it starts."""
    text = Path(unquote(urlparse(page.url).path)).read_text("utf-8")
    return text.rpartition("<script>")[2].partition("</script>")[0]


def judged(page: Page, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """What the page's program says of each case: `kind`, and the report as JSON text."""

    def spelt(data: bytes) -> str:
        return b64encode(data).decode("ascii")

    answers: list[dict[str, Any]] = page.evaluate(
        _JUDGE,
        [
            _program(page),
            [
                {
                    "proof": spelt(case.proof),
                    "trust": None if case.trust is None else spelt(case.trust),
                    "copies": [[name, spelt(data)] for name, data in case.copies],
                    "digests": list(case.digests),
                    "number": case.number,
                }
                for case in cases
            ],
        ],
    )
    return answers

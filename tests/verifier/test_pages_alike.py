"""Both verifiers see the same in HTML, or refuse it for the same reason (SPEC §3.12, §3.13)."""

from __future__ import annotations

from random import Random

from proofmail.core.scan import scan
from tests.core.html_pages import LAYOUTS, Content
from tests.verifier.bent_pages import NAMES, page, style
from tests.verifier.test_scan_alike import _node, disagreements

__all__ = ["_node"]

PAGES = 6_000
STYLES = 4_000
CHANGES = 1_500
HEAD = b"From: a@b\r\nDate: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
CONTENT = Content(
    ("Dear Mrs Müller,", "the price is 1 200 € & no more."),
    (("Item", "Price"), ("Work", "1 200,00")),
    "https://a.example/x?y=1&z=2",
    "cid:logo@a",
)


def mail(html: str) -> bytes:
    return HEAD + html.encode()


def test_of_bent_pages() -> None:
    random = Random(5)
    mails = [mail(page(random)) for _ in range(PAGES)]
    notes = [note for one in mails for note in scan(one).parts[0].notes]
    assert len(notes) < PAGES * 0.9, "too wild: hardly a page is read"
    for note in ("malformed", "unsupported", "style", "hidden-text"):
        assert notes.count(f"html.{note}") >= PAGES // 100, note
    assert not disagreements(mails)


def test_of_styles() -> None:
    random = Random(6)
    around = ("<p {}>x", "<span {}>x", "<ul><li {}>x", "<table><td {}>x", "<img {}>", "<hr {}>")
    assert not disagreements(
        [mail(random.choice(around).format(f'style="{style(random)}"')) for _ in range(STYLES)]
    )


def test_of_changed_pages() -> None:
    random = Random(7)
    pages = [layout(CONTENT) for layout in LAYOUTS]
    mails = []
    for _ in range(CHANGES):
        html = random.choice(pages)
        for _ in range(random.choice((1, 1, 2, 4))):
            at = random.randrange(len(html))
            piece = random.choice((*NAMES, "<", ">", '"', ";", "{", "}", "<td>", "</p>", "&"))
            html = html[:at] + piece + html[at + random.choice((0, 0, 1, 7)) :]
        mails.append(mail(html))
    assert not disagreements(mails)

"""Copies that servers have rewritten: the weaker rungs, and what they never let through."""

from __future__ import annotations

import pytest

from proofmail.verify.containers import judge
from proofmail.verify.copies import Copy, judge_copy
from proofmail.verify.report import CopyReport, Status
from tests.making import claims_of

HEAD = (
    b"From: Claire <claire@atelier.example>\r\nTo: jean@client.example\r\nSubject: Offre\r\n"
    b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\nMIME-Version: 1.0\r\n"
)
HTML = HEAD + (
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b"<html><body><p class=MsoNormal>Notre offre : <b>1&nbsp;200&nbsp;EUR</b>.<o:p></o:p></p>\r\n"
    b"<p><a href='https://a.example/1'>voir</a></p></body></html>\r\n"
)
PLAIN = HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\nNotre offre : 1 200 EUR net.\r\n"


def _judge(copy: bytes, mail: bytes) -> CopyReport:
    return judge_copy(Copy("copy.eml", lambda: [copy]), claims_of(mail))


def test_html_rewritten_by_a_gateway_is_the_same_to_its_reader() -> None:
    copy = HTML.replace(b" class=MsoNormal", b"").replace(b"<o:p></o:p>", b"")
    copy = copy.replace(b"&nbsp;", b" ").replace(b"<html>", b"<HTML><head></head>")
    report = _judge(copy, HTML)
    assert report.status is Status.PASSED
    assert [match.rung for match in report.matches] == ["html-text/1"]
    assert report.finding.key == "same.content"


@pytest.mark.parametrize(
    ("mail", "old", "new"),
    [
        (PLAIN, b"offre : 1 200", b"offre\r\n:  1 200"),
        (HTML, b"<b>1", b"<br><b>1"),
    ],
)
def test_the_same_words_are_said_to_be_no_more(mail: bytes, old: bytes, new: bytes) -> None:
    report = _judge(mail.replace(old, new), mail)
    assert report.status is Status.PASSED
    assert [match.rung for match in report.matches] == ["words/1"]
    assert report.finding.text() == "same words; appearance not proven"


@pytest.mark.parametrize("mail", [PLAIN, HTML])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"200", b"300"), (b"EUR", b"USD"), (b"Notre", b"notre"), (b"offre :", b"offre"),
        (b"offre", b"of\xe2\x80\x8bfre"), (b"EUR", b"E UR"), (b"offre : ", b"offre : -"),
        (b"Notre offre", b"offre Notre"),
    ],
)  # fmt: skip
def test_no_changed_word_passes(mail: bytes, old: bytes, new: bytes) -> None:
    report = _judge(mail.replace(old, new), mail)
    assert report.status is Status.FAILED
    assert "the content of part 1 changed: body" in report.differences[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a.example/1", b"b.example/1"),
        (b"<b>", b"<b style='display:none'>"),
        (b"<b>", b"<s>"),
        (b"</p></body>", b"</p><p style='color:#fff'>x</p></body>"),
        (b"text/html", b"text/plain"),
    ],
)
def test_no_changed_link_or_hidden_text_passes(old: bytes, new: bytes) -> None:
    assert _judge(HTML.replace(old, new), HTML).status is Status.FAILED


def test_plain_text_never_stands_for_html() -> None:
    plain = HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\nNotre offre\r\n"
    html = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\nNotre offre\r\n"
    assert _judge(plain, html).status is Status.FAILED
    assert _judge(html, plain).status is Status.FAILED


def _mixed(part: bytes) -> bytes:
    return (
        b"From: a@x.example\r\nTo: b@y.example\r\nSubject: s\r\n"
        b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\nContent-Type: multipart/mixed; boundary=cut\r\n"
        b"\r\n--cut\r\n\r\nhello\r\n--cut\r\n" + part + b"\r\n--cut--\r\n"
    )


@pytest.mark.parametrize(
    ("part", "old", "new", "status"),
    [
        (b"Content-Type: text/plain\r\n\r\nif x:\r\n  a\r\nb", b"\r\nb", b" b", Status.PASSED),
        (b"Content-Type: text/plain; name=a.py\r\n\r\nif x:\r\n  a\r\nb", b"\nb", b"\n  b",
         Status.FAILED),
        (b"Content-Type: text/html; name=a.html\r\n\r\n<p>a<p>b", b"<p>b", b" b", Status.FAILED),
        (b"Content-Type: text/plain\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nx\r\ny", b"\r\ny", b" y",
         Status.FAILED),
        (b"Content-Type: text/calendar; method=x-one\r\n\r\nx", b"x-one", b"x-two",
         Status.NOT_CHECKED),
    ],
)  # fmt: skip
def test_other_white_space_in_a_file_or_in_armour_is_a_change(
    part: bytes, old: bytes, new: bytes, status: Status
) -> None:
    original, copy = _mixed(part), _mixed(part.replace(old, new))
    assert original != copy
    claims = claims_of(original)
    assert judge_copy(Copy("copy.eml", lambda: [copy]), claims).status is status
    if status is Status.FAILED and b"name=a.py" in part:
        saved = Copy("a.txt", lambda: [b"if x:\n  a\n  b"])
        assert judge(saved, claims).status is Status.FAILED

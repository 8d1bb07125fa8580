"""Links to files in clouds: counted by service, from a closed list, and never kept."""

from __future__ import annotations

import json

import pytest

from proofmail.core.claims import check_claim
from proofmail.core.links import LINKS_MAX, SERVICES, Links, counted
from proofmail.core.scan import scan
from proofmail.errors import Unreadable
from proofmail.verify.copies import judge_copy
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.natures import natures
from proofmail.verify.report import Status
from tests.making import claims_of

HEAD = b"From: a@x.example\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
LINK = b"https://firm-my.sharepoint.com/:b:/g/personal/Secret?e=aB1"


def found(text: bytes, size: int = 1 << 20) -> tuple[tuple[str, int], ...]:
    links = Links()
    for start in range(0, len(text), size):
        links.feed(text[start : start + size])
    return counted(links.finish())


@pytest.mark.parametrize("host", sorted(SERVICES))
def test_each_service_is_found_and_no_look_alike(host: bytes) -> None:
    path = SERVICES[host][0] + b"x"
    name = ((host.decode(), 1),)
    assert found(b"see https://" + host + path + b" now") == name
    assert found(b"HTTP://www." + host.upper() + path) == name
    assert found(b"https://not" + host + path) == ()
    assert found(b"https://" + host + b".example" + path) == ()
    assert found(b"https://" + host) == ()
    assert found(b"ftp://" + host + path) == ()


def test_what_is_no_file_is_not_counted() -> None:
    assert found(b"https://www.dropbox.com/help https://docs.google.com/forms/d/1") == ()
    assert found(b"https://a.example/?u=https%3A%2F%2Fwe.tl%2Ft-1") == ()


def test_one_link_counts_once_however_it_is_written() -> None:
    page = b'<a href="https://we.tl/t-1?a=1&amp;b=2">https://we.tl/t-1?a=1&b=2</a>'
    assert found(page + b" (https://WE.tl/t-1?a=1&b=2). https://we.tl/t-2") == (("we.tl", 2),)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 3000])
def test_any_pieces_give_the_same(size: int) -> None:
    long = b"https://we.tl/" + b"x" * 5_000
    text = b"".join((LINK, b"\r\n", long, b"1 ", long, b"2 https://we.tl/a ", b"y" * 4_000, LINK))
    assert found(text, size) == found(text) == (("sharepoint.com", 1), ("we.tl", 2))


def test_the_number_is_bounded() -> None:
    text = b" ".join(b"https://we.tl/%d" % n for n in range(LINKS_MAX + 50))
    assert found(text) == (("we.tl", LINKS_MAX),)


def test_bodies_alone_are_read_and_no_link_is_kept() -> None:
    body = b"Content-Type: text/plain\r\n\r\n" + LINK
    file = b'Content-Type: text/plain; name="a.txt"\r\n\r\nhttps://we.tl/t-1'
    mail = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(
        b"--b\r\n%s\r\n" % part for part in (body, file)
    ) + b"--b--\r\n"  # fmt: skip
    assert scan(mail).links == (("sharepoint.com", 1),)
    claims = claims_of(mail)
    assert claims["message.links"] == [{"count": 1, "host": "sharepoint.com"}]
    assert "Secret" not in json.dumps(claims)
    assert "firm-my" not in json.dumps(claims)
    said = natures(claims)[-1]
    assert "not fingerprinted" in said.text("en")
    assert "sharepoint.com" in said.text("fr")
    forged = {**claims, "message.links": [{"count": 2, "host": "sharepoint.com"}]}
    assert judge_copy(Copy("c.eml", lambda: [mail]), claims).status is Status.PASSED
    assert judge_copy(Copy("c.eml", lambda: [mail]), forged).status is Status.FAILED


def test_a_mail_without_any_has_no_claim() -> None:
    assert "message.links" not in claims_of(HEAD + b"\r\nhello https://a.example/x\r\n")


@pytest.mark.parametrize("value", [{}, [{"host": "a"}], [{"host": "a", "count": 0}], ["a"]])
def test_the_registry_refuses_other_shapes(value: object) -> None:
    with pytest.raises(Unreadable):
        check_claim("message", "message.links", value)

"""Pictures in a page: a copy that shows another one at a place never matches, whatever was
swapped or renamed for it; one that only gives them other names does."""

from __future__ import annotations

import hashlib
import json

import pytest

from proofmail.core.canonical import Json, base64url
from proofmail.core.claims import check_claim
from proofmail.core.scan import Scanner, scan
from proofmail.errors import Unreadable
from proofmail.verify.copies import judge_copy
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.report import CopyReport, Status
from tests.making import claims_of

PAGE = (
    b'<p>Before: <img src="cid:one@pc7" alt="x">, after: <img src="cid:two%40pc7" alt="y">'
    b'<img src="https://a.example/l.png"></p>'
)


def picture(name: bytes, data: bytes, extra: bytes = b"") -> bytes:
    identity = b"Content-ID: <%s>\r\n" % name if name else b""
    return (
        b"Content-Type: image/png\r\nContent-Disposition: inline\r\n" + identity + extra
        + b"\r\n" + data
    )  # fmt: skip


def mail(*parts: bytes, page: bytes = PAGE, kind: bytes = b"text/html; charset=us-ascii") -> bytes:
    entities = [b"Content-Type: " + kind + b"\r\n\r\n" + page, *parts]
    return (
        b"From: a@x.example\r\nTo: b@y.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
        b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\n"
        b'Content-Type: multipart/related; boundary="cut"\r\n\r\n'
        + b"".join(b"--cut\r\n%s\r\n" % entity for entity in entities) + b"--cut--\r\n"
    )  # fmt: skip


ONE, TWO = picture(b"one@pc7", b"ONE"), picture(b"two@pc7", b"TWO")
MAIL = mail(ONE, TWO)


def judge(original: bytes, copy: bytes, claims: dict[str, Json] | None = None) -> CopyReport:
    hopped = b"X-Hop: 1\r\n" + copy
    return judge_copy(Copy("copy.eml", lambda: [hopped]), claims or claims_of(original))


def keys(report: CopyReport) -> set[str]:
    return {change.key for change in report.changes}


def test_names_are_digests_and_images_are_numbers_of_parts() -> None:
    page, one, two = scan(MAIL).parts
    assert (page.content_id, page.images) == (None, (2, 3, 0))
    assert one.content_id == hashlib.sha256(b"one@pc7").digest()
    assert two.content_id == hashlib.sha256(b"two@pc7").digest()
    claims = claims_of(MAIL)
    assert claims["part.2"]["content_id"] == base64url(hashlib.sha256(b"one@pc7").digest())
    assert claims["part.1"]["images"] == [2, 3, 0]
    assert "pc7" not in json.dumps(claims)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_any_chunks_give_the_same(size: int) -> None:
    scanner = Scanner()
    for start in range(0, len(MAIL), size):
        scanner.feed(MAIL[start : start + size])
    assert scanner.finish() == scan(MAIL)


def test_an_image_of_no_part_or_of_several_is_unresolved() -> None:
    assert scan(mail(ONE)).parts[0].images == (2, -1, 0)
    assert scan(mail(ONE, TWO, TWO)).parts[0].images == (2, -1, 0)
    enclosed = b"Content-Type: message/rfc822\r\n\r\n" + MAIL.replace(b'"cut"', b'"in"').replace(
        b"--cut", b"--in"
    )
    parts = scan(mail(ONE, enclosed)).parts
    assert parts[0].images == (2, -1, 0)  # what is enclosed has its own names
    assert parts[3].images == (5, 6, 0)


def test_a_page_of_too_many_images_is_unresolved_and_one_without_names_is_not_listed() -> None:
    many = b'<img src="cid:one@pc7">' * 201
    assert scan(mail(ONE, page=many)).parts[0].images == (-1,)
    assert scan(mail(ONE, page=many[: -len(b'<img src="cid:one@pc7">')])).parts[0].images[-1] == 2
    assert scan(mail(ONE, page=b'<img src="a.png">' * 300)).parts[0].images == ()


def test_swapped_names_show_other_pictures() -> None:
    report = judge(MAIL, mail(picture(b"two@pc7", b"ONE"), picture(b"one@pc7", b"TWO")))
    assert report.status is Status.FAILED
    assert {"part.content-id", "part.images"} <= keys(report)


def test_swapped_names_are_seen_where_the_page_is_not_eligible() -> None:
    page = PAGE.replace(b"<p>", b"<p onclick=x>")
    swapped = mail(picture(b"two@pc7", b"ONE"), picture(b"one@pc7", b"TWO"), page=page)
    assert keys(judge(mail(ONE, TWO, page=page), swapped)) == {"part.content-id"}


def test_names_of_another_kind_of_page_are_seen() -> None:
    kind = b"application/xhtml+xml"
    swapped = mail(picture(b"two@pc7", b"ONE"), picture(b"one@pc7", b"TWO"), kind=kind)
    assert "part.content-id" in keys(judge(mail(ONE, TWO, kind=kind), swapped))


def test_swapped_locations_show_other_pictures() -> None:
    page = b'<img src="1.png"><img src="2.png">'
    first, second = b"Content-Location: 1.png\r\n", b"Content-Location: 2.png\r\n"
    original = mail(picture(b"", b"ONE", first), picture(b"", b"TWO", second), page=page)
    swapped = mail(picture(b"", b"ONE", second), picture(b"", b"TWO", first), page=page)
    assert keys(judge(original, swapped)) == {"part.content-location"}
    stripped = mail(picture(b"", b"ONE"), picture(b"", b"TWO"), page=page)
    assert judge(original, stripped).status is Status.NOT_CHECKED


RENAMED = PAGE.replace(b"one@pc7", b"0001@new").replace(b"two%40pc7", b"0002@new")
NEW_ONE, NEW_TWO = picture(b"0001@new", b"ONE"), picture(b"0002@new", b"TWO")


def test_other_names_throughout_show_the_same_pictures() -> None:
    report = judge(MAIL, mail(NEW_ONE, NEW_TWO, page=RENAMED))
    assert report.finding.key == "same.words"
    assert report.status is Status.PASSED


@pytest.mark.parametrize(
    "copy",
    [
        mail(picture(b"0002@new", b"ONE"), picture(b"0001@new", b"TWO"), page=RENAMED),
        mail(NEW_ONE, NEW_TWO, page=RENAMED.replace(b"0002", b"0001")),
        mail(NEW_ONE, NEW_TWO, page=RENAMED.replace(b"cid:0002@new", b"https://b.example/")),
        mail(NEW_ONE, NEW_TWO, page=RENAMED.replace(b"cid:0002@new", b"cid:0003@new")),
        mail(NEW_ONE, NEW_TWO, page=RENAMED.replace(b"https://a.example/l.png", b"cid:0001@new")),
        mail(NEW_ONE, NEW_TWO, page=RENAMED.replace(b"<p>", b"<p onclick=x>")),
        mail(NEW_ONE, picture(b"0001@new", b"TWO"), page=RENAMED),
    ],
)
def test_other_names_that_show_other_pictures_differ(copy: bytes) -> None:
    assert judge(MAIL, copy).status is Status.FAILED


def test_names_that_nothing_refers_to_may_change() -> None:
    file = b'Content-Type: application/pdf; name="a.pdf"\r\nContent-ID: <%s>\r\n\r\n%%PDF'
    original, copy = mail(ONE, TWO, file % b"f_1"), mail(ONE, TWO, file % b"f_2")
    assert judge(original, copy).finding.key == "same.content"
    page = PAGE.replace(b"<p>", b"<p onclick=x>")
    original, copy = (mail(ONE, TWO, file % name, page=page) for name in (b"f_1", b"f_2"))
    assert keys(judge(original, copy)) == {"part.content-id"}


def test_an_unresolved_image_in_other_words_is_not_checked() -> None:
    original = mail(ONE)
    assert judge(original, original).finding.key == "same.content"
    assert judge(original, mail(ONE, page=PAGE.replace(b"two", b"six"))).status is (
        Status.NOT_CHECKED
    )


def test_the_very_bytes_under_other_names_are_a_lie() -> None:
    claims = claims_of(MAIL)
    for name, value in (("content_id", base64url(bytes(32))), ("images", [3, 2, 0])):
        part = "part.2" if name == "content_id" else "part.1"
        forged = {**claims, part: {**claims[part], name: value}}
        report = judge_copy(Copy("copy.eml", lambda: [MAIL]), forged)
        assert report.status is Status.FAILED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content_id", "one@pc7"), ("content_location", ""), ("images", [501]), ("images", [-2]),
        ("images", [0] * 201), ("images", "2"), ("images", [True]),
    ],
)  # fmt: skip
def test_the_registry_refuses_other_shapes(name: str, value: Json) -> None:
    part = {**claims_of(MAIL)["part.1"], name: value}
    with pytest.raises(Unreadable):
        check_claim("message", "part.1", part)


@pytest.mark.parametrize("field", [b"Content-ID", b"Content-Location"])
def test_a_name_given_twice_is_at_best_not_checked(field: bytes) -> None:
    """Some programs take the first, some the last: each may show another picture."""
    one, two = (b"%s: <%s>\r\n" % (field, name) for name in (b"one@pc7", b"two@pc7"))
    original = mail(picture(b"", b"ONE", one), picture(b"", b"TWO", two))
    assert judge(original, original).status is Status.PASSED
    copy = mail(picture(b"", b"ONE", one + two), picture(b"", b"TWO", two + one))
    assert judge(original, copy).status is Status.NOT_CHECKED


def test_a_multipart_of_an_unknown_kind_is_at_best_not_checked() -> None:
    """Of x-mixed-replace, or appledouble, programs show one part alone."""
    for original in (MAIL.replace(b"multipart/related", b"multipart/%s" % kind)
                     for kind in (b"parallel", b"x-mixed-replace")):  # fmt: skip
        copy = MAIL.replace(b"multipart/related", b"multipart/x-mixed-replace")
        assert judge(original, copy).status is Status.NOT_CHECKED

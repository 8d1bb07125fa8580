"""Copies: what a match is, and that no changed word, amount, name or part passes as one."""

from __future__ import annotations

from hashlib import sha3_256, sha256

import pytest

from proofmail.verify.copies import Copy, judge_copy, judge_digest
from proofmail.verify.copy_bytes import with_crlf
from proofmail.verify.report import CopyReport, Status
from tests.making import ATTACHMENT, MAIL, claims_of

CLAIMS = claims_of(MAIL)


def _judge(data: bytes, name: str = "copy.eml", claims: dict[str, object] = CLAIMS) -> CopyReport:
    return judge_copy(Copy(name, lambda: [data]), claims)


def _changed(old: bytes, new: bytes, mail: bytes = MAIL) -> bytes:
    assert mail.count(old) == 1
    return mail.replace(old, new)


def test_the_very_bytes_match_on_raw() -> None:
    report = _judge(MAIL)
    assert (report.what, report.status) == ("mail", Status.PASSED)
    assert {match.rung for match in report.matches} == {"raw/1"}


def test_a_copy_saved_with_other_line_ends_is_the_very_mail() -> None:
    report = _judge(MAIL.replace(b"\r\n", b"\n"))
    assert report.status is Status.PASSED
    assert report.notes == ("line ends were turned into CRLF",)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_line_ends_are_turned_the_same_for_any_chunking(size: int) -> None:
    data = b"a\r\nb\nc\rd\r\r\ne\n\r\n\n"
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    expected = b"a\r\nb\r\nc\rd\r\r\ne\r\n\r\n\r\n"
    assert b"".join(with_crlf(chunks)) == expected


def test_trace_headers_and_another_encoding_leave_the_content_the_same() -> None:
    copy = b"Received: from a by b; Sat, 21 Nov 2026 11:00:05 +0100\r\n" + MAIL
    copy = _changed(b"JVBERi0xLjQKJcOkCg==", b"JVBERi0x\r\nLjQKJcOkCg==", copy)
    copy = _changed(
        b"quoted-printable\r\n\r\nVoici notre offre : 1 200 =E2=82=AC.",
        "8bit\r\n\r\nVoici notre offre : 1 200 €.  ".encode(), copy,
    )  # fmt: skip
    report = _judge(copy)
    assert report.status is Status.PASSED
    assert [match.rung for match in report.matches] == ["text/1", "decoded/1"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"1 200", b"1 300", "the content of part 1 changed"),
        (b"Voici", b"voici", "the content of part 1 changed"),
        (b"=E2=82=AC", b"=24", "the content of part 1 changed"),
        (b"JVBERi0xLjQ", b"JVBERi0xLjU", "the content of part 2 changed"),
        (b'"offre.pdf"', b'"contrat.pdf"', "part 2 (offre.pdf) has another name: contrat.pdf"),
        (b"attachment;", b"inline;", "part 2 (offre.pdf) is now inline, was attachment"),
        (b"=?us-ascii?q?=20?=42", b"=?us-ascii?q?=20?=43", "Subject differs"),
        (b"Offre_sign=C3=A9e", b"Offre_signee", "Subject differs"),
        (b"notaire@etude", b"notaire@etudes", "To differs"),
        (b"Jean Petit", b"Jean Grand", "To differs"),
        (b"Claire Dubois", b"Claire Dupont", "From differs"),
        (b"Cc: luc@", b"Cc: eve@", "Cc differs"),
        (b"Cc: luc@atelier.example\r\n", b"", "Cc differs"),
        (b"11:00:00 +0100", b"11:00:01 +0100", "Date differs"),
        (b"charset=utf-8", b"charset=iso-8859-1", "the content of part 1 changed"),
        (b"text/plain", b"text/html", "the content of part 1 changed"),
    ],
)  # fmt: skip
def test_a_change_differs_and_is_named(old: bytes, new: bytes, words: str) -> None:
    report = _judge(_changed(old, new))
    assert report.status is Status.FAILED
    assert any(words in difference for difference in report.differences), report.differences


def test_an_added_or_missing_part_differs() -> None:
    added = _changed(
        b"--cut--", b"--cut\r\nContent-Type: text/plain\r\n\r\nP.S. 900 only\r\n--cut--"
    )
    report = _judge(added)
    assert report.status is Status.FAILED
    assert report.differences == ("a part was added: body (plain text)",)
    start, end = MAIL.index(b"--cut\r\nContent-Type: application"), MAIL.index(b"--cut--")
    report = _judge(MAIL[:start] + MAIL[end:])
    assert report.status is Status.FAILED
    assert report.differences == ("part 2 is missing: attachment offre.pdf",)


def test_two_parts_that_changed_places_differ() -> None:
    two = _changed(b"--cut--", MAIL[MAIL.index(b"--cut\r\nContent-Type: app") :][:-9] + b"--cut--")
    two = two.replace(b"offre.pdf", b"a.pdf", 1)
    swapped = two.replace(b"a.pdf", b"x.pdf").replace(b"offre.pdf", b"a.pdf")
    swapped = swapped.replace(b"x.pdf", b"offre.pdf")
    claims = claims_of(two)
    assert judge_copy(Copy("two.eml", lambda: [two]), claims).status is Status.PASSED
    report = judge_copy(Copy("swapped.eml", lambda: [swapped]), claims)
    assert report.status is Status.FAILED


def test_a_saved_attachment_is_this_file_and_never_this_mail() -> None:
    report = _judge(ATTACHMENT, "saved.pdf")
    assert (report.what, report.status) == ("file", Status.PASSED)
    assert "this file has the very bytes of part 2 (offre.pdf)" in report.verdict
    assert _judge(ATTACHMENT + b" ", "saved.pdf").status is Status.FAILED


@pytest.mark.parametrize(
    "digest", [sha256(ATTACHMENT).hexdigest(), sha3_256(ATTACHMENT).hexdigest()]
)
def test_a_digest_is_found_by_either_algorithm(digest: str) -> None:
    assert judge_digest(digest, CLAIMS).status is Status.PASSED
    assert judge_digest(digest.upper(), CLAIMS).status is Status.PASSED
    assert judge_digest(digest[:-2], CLAIMS).status is Status.FAILED
    assert judge_digest("", CLAIMS).status is Status.FAILED
    assert judge_digest("not hexadecimal", CLAIMS).status is Status.FAILED


@pytest.mark.parametrize("hidden", ["header.subject", "part.2", "message.parts", "header.cc"])
def test_what_is_hidden_is_never_taken_for_a_match(hidden: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != hidden}
    copy = b"X-Hop: 1\r\n" + MAIL
    assert _judge(copy, claims=claims).status is Status.NOT_CHECKED
    differing = _changed(b"1 200", b"1 300", copy)
    assert _judge(differing, claims=claims).status is Status.FAILED


def test_unreadable_header_bytes_never_match_as_content() -> None:
    first = MAIL.replace(b"Jean Petit", b"Ren\xe9")
    other = b"X-Hop: 1\r\n" + MAIL.replace(b"Jean Petit", b"Ren\xe8")
    report = judge_copy(Copy("copy.eml", lambda: [other]), claims_of(first))
    assert report.status is not Status.PASSED
    assert judge_copy(Copy("copy.eml", lambda: [first]), claims_of(first)).status is Status.PASSED


def test_a_mail_without_its_name_is_still_taken_for_one() -> None:
    assert _judge(_changed(b"1 200", b"1 300"), "download").what == "mail"


@pytest.mark.parametrize(
    "value",
    [b"Jean (x) Petit <jean@client.example>", b"Jean Petit <jean@client.example> (for Eve)",
     b"Jean Petit <jean@client.example (not)>", b"Jean Petit <@eve.example:jean@client.example>"],
)  # fmt: skip
def test_what_an_address_leaves_out_is_never_a_match(value: bytes) -> None:
    """Comments beside a name and routes: some programs show them."""
    report = _judge(_changed(b"Jean Petit <jean@client.example>", value))
    assert report.status is Status.NOT_CHECKED
    group = _changed(b"To: Jean", b"To: us: Jean").replace(
        b"notaire@etude.example", b"n@x.example;"
    )
    claims = claims_of(group)
    assert _judge(b"X-Hop: 1\r\n" + group, claims=claims).status is Status.PASSED
    noted = b"X-Hop: 1\r\n" + group.replace(b"us:", b"us (and Eve):")
    assert _judge(noted, claims=claims).status is Status.NOT_CHECKED


def test_of_several_that_are_equal_the_first_is_named_in_whatever_order_they_are_shown() -> None:
    """Entries of a proof stand in the order of their digests."""
    claims = dict.fromkeys(("part.10", "part.9", "part.2"), CLAIMS["part.2"])
    assert _judge(ATTACHMENT, claims=claims).matches[0].part == "part.2"
    digest = sha256(ATTACHMENT).hexdigest()
    assert judge_digest(digest, claims).matches[0].part == "part.2"

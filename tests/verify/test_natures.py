"""What is said of encrypted, signed and wrapped parts; files of a winmail.dat, found again."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest

from proofmail.core.canonical import Json
from proofmail.core.claims import check_claim
from proofmail.errors import Unreadable
from proofmail.verify.copies import judge_copy, judge_digest
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.natures import natures
from proofmail.verify.report import CopyReport, Status
from tests.core.tnef_maker import file, tnef
from tests.making import claims_of

PDF = b"%PDF-1.4\n\xe9"
HEAD = (
    b"From: a@x.example\r\nTo: b@y.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
    b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\n"
    b'Content-Type: multipart/mixed; boundary="cut"\r\n\r\n--cut\r\n\r\nHello\r\n'
)


def mail(*parts: tuple[str, bytes]) -> bytes:
    entities = [
        f"--cut\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode()
        + b64encode(data) + b"\r\n"
        for kind, data in parts
    ]  # fmt: skip
    return HEAD + b"".join(entities) + b"--cut--\r\n"


PLAIN = mail(('application/pdf; name="a.pdf"', PDF))
WRAPPER = tnef([file("a.pdf", PDF), file("b.txt", b"b")])
WRAPPED = mail(('application/ms-tnef; name="winmail.dat"', WRAPPER))
CLAIMS = claims_of(WRAPPED)


def judge(original: bytes, copy: bytes, name: str = "copy.eml") -> CopyReport:
    return judge_copy(Copy(name, lambda: [copy]), claims_of(original))


def test_a_file_saved_from_a_winmail_is_this_file() -> None:
    report = judge(WRAPPED, PDF, "a.pdf")
    assert report.status is Status.PASSED
    assert "part 2 (winmail.dat › a.pdf)" in report.verdict
    assert judge(WRAPPED, PDF + b" ", "a.pdf").status is Status.FAILED
    assert judge_digest(sha256(PDF).hexdigest(), CLAIMS).status is Status.PASSED


def test_a_file_that_was_wrapped_is_found_and_the_copy_differs() -> None:
    report = judge(PLAIN, WRAPPED)
    assert report.status is Status.FAILED
    assert [match.rung for match in report.matches] == ["decoded/1", "decoded/1"]
    assert {change.key for change in report.changes} == {"part.wrapped", "part.added"}
    other = mail(('application/ms-tnef; name="winmail.dat"', tnef([file("a.pdf", PDF + b" ")])))
    report = judge(PLAIN, other)
    assert {change.key for change in report.changes} == {"part.missing", "part.added"}
    assert report.matches[1].rung == ""


def test_a_file_that_was_taken_out_is_found_and_the_copy_differs() -> None:
    report = judge(WRAPPED, PLAIN)
    assert report.status is Status.FAILED
    assert {change.key for change in report.changes} == {
        "part.unwrapped", "part.missing", "part.added",
    }  # fmt: skip
    other = judge(WRAPPED, PLAIN.replace(b64encode(PDF), b64encode(PDF + b" ")))
    assert "part.unwrapped" not in {change.key for change in other.changes}


def test_the_very_bytes_under_other_files_are_a_lie() -> None:
    part = CLAIMS["part.2"]
    forged = {**CLAIMS, "part.2": {**part, "files": part["files"][1:]}}
    assert judge_copy(Copy("c.eml", lambda: [WRAPPED]), forged).status is Status.FAILED


@pytest.mark.parametrize(
    ("language", "encrypted", "wrapped"),
    [
        (
            "en",
            "what it says is not proven, only these bytes",
            "has in it the file a.pdf",
        ),
        ("fr", "ce qu’il dit n’est pas prouvé, seulement ces octets", "contient le fichier a.pdf"),
    ],
)
def test_it_is_said_in_both_languages(language: str, encrypted: str, wrapped: str) -> None:
    claims = claims_of(
        mail(
            ("application/pkcs7-mime; smime-type=enveloped-data", b"x"),
            ('application/ms-tnef; name="winmail.dat"', WRAPPER),
            ("application/ms-tnef", WRAPPER[:-1]),
            ("application/pgp-signature", b"x"),
        )
    )
    said = [nature.text(language) for nature in natures(claims)]
    assert encrypted in said[0]
    assert any(wrapped in text for text in said)
    assert [nature.key for nature in natures(claims)] == [
        "nature.encrypted", "nature.tnef.text", "nature.file", "nature.file",
        "nature.tnef.malformed", "nature.signature",
    ]  # fmt: skip


def test_a_plain_mail_has_nothing_said_of_it() -> None:
    assert natures(claims_of(PLAIN)) == []


@pytest.mark.parametrize(
    "files", [[{"size": 1}], [{"sha256": "x", "size": 1}], "a", [{}] * 101, [{"path": "a"}]]
)
def test_the_registry_refuses_other_shapes(files: Json) -> None:
    with pytest.raises(Unreadable):
        check_claim("message", "part.2", {**CLAIMS["part.2"], "files": files})

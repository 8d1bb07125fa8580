"""An enclosed message whose bytes changed on the way: it matches by all of its parts, or not."""

from __future__ import annotations

import pytest

from proofmail.core.canonical import Json
from proofmail.verify.copies import judge_copy
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.report import CopyReport, Status
from tests.core.test_enclosed import in_base64
from tests.making import claims_of

MAIL = (
    "From: Claire <claire@atelier.example>\nTo: jean@client.example\nSubject: Fwd\n"
    "Date: Sat, 21 Nov 2026 11:00:00 +0100\nMIME-Version: 1.0\n"
    'Content-Type: multipart/mixed; boundary="cut"\n\n--cut\n\nSee below.\n--cut\n'
    "Content-Type: message/rfc822\nContent-Disposition: attachment\n\n"
    "From: Paul <paul@atelier.example>\nTo: claire@atelier.example\nCc: eve@atelier.example\n"
    "Subject: Older\nDate: Fri, 20 Nov 2026 11:00:00 +0100\n"
    'Content-Type: multipart/mixed; boundary="in"\n\n--in\n'
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n1 200 €\n--in\n"
    'Content-Type: application/pdf; name="a.pdf"\n\n%PDF\n--in--\n--cut--\n'
).replace("\n", "\r\n").encode()  # fmt: skip
NOW_IN_7_BIT = [
    (b"Encoding: 8bit", b"Encoding: quoted-printable"),
    ("1 200 €".encode(), b"1 200 =E2=82=AC"),
]
CLAIMS = claims_of(MAIL)


def _judge(*changes: tuple[bytes, bytes], claims: dict[str, Json] = CLAIMS) -> CopyReport:
    copy = b"X-Hop: 1\r\n" + MAIL
    for old, new in [*NOW_IN_7_BIT, *changes]:
        assert copy.count(old) == 1, old
        copy = copy.replace(old, new)
    return judge_copy(Copy("copy.eml", lambda: [copy]), claims)


def _rungs(report: CopyReport) -> list[str]:
    return [match.rung for match in report.matches]


def test_an_enclosed_message_encoded_anew_matches_by_its_parts() -> None:
    report = _judge()
    assert report.finding.key == "same.content"
    assert _rungs(report) == ["decoded/1", "header-values/1", "decoded/1", "decoded/1"]


def test_weaker_words_inside_make_the_whole_no_stronger() -> None:
    report = _judge((b"1 200 =E2", b"1  200 =E2"))
    assert report.finding.key == "same.words"
    assert _rungs(report)[1:3] == ["header-values/1", "words/1"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"1 200 =E2", b"1 300 =E2"),
        (b"%PDF", b"%PDG"),
        (b'name="a.pdf"', b'name="b.pdf"'),
        (b'pdf; name="a.pdf"', b'zip; name="a.pdf"'),
        (b"Subject: Older", b"Subject: Newer"),
        (b"Paul <", b"Pauline <"),
        (b"To: claire@", b"To: luc@"),
        (b"Cc: eve@", b"To: eve@"),
        (b"Date: Fri, 20 Nov", b"Date: Thu, 19 Nov"),
        (b"--in--", b"--in\r\n\r\nP.S.\r\n--in--"),
        (b'--in\r\nContent-Type: application/pdf; name="a.pdf"\r\n\r\n%PDF\r\n', b""),
        (b"Type: message/rfc822", b"Type: message/global"),
        (b"Subject: Older\r\n", b"Subject: Older\r\nSubject: Older\r\n"),
        *(
            (b"Subject: Older\r\n", b"Subject: Older\r\n%s: eve@y.example\r\n" % name)
            for name in (b"Reply-To", b"Sender", b"Bcc")
        ),
    ],
)
def test_nothing_inside_may_change(old: bytes, new: bytes) -> None:
    report = _judge((old, new))
    assert report.status is Status.FAILED
    assert "header-values/1" not in _rungs(report)
    named = {"part.changed", "part.missing"}
    assert any(
        change.key in named and dict(change.values)["number"] == 2 for change in report.changes
    ), report.differences


def test_a_part_that_moves_out_of_the_message_breaks_it() -> None:
    file = b'--in\r\nContent-Type: application/pdf; name="a.pdf"\r\n\r\n%PDF\r\n'
    report = _judge((file, b""), (b"--cut--", file.replace(b"--in", b"--cut") + b"--cut--"))
    assert report.status is Status.FAILED
    assert "header-values/1" not in _rungs(report)


def test_an_encoded_message_is_at_best_not_checked() -> None:
    start = MAIL.index(b"From: Paul")
    end = MAIL.index(b"\r\n--cut--")
    copy = MAIL[:start] + in_base64(MAIL[start:end]) + MAIL[end:]
    copy = copy.replace(b"rfc822\r\n", b"rfc822\r\nContent-Transfer-Encoding: base64\r\n")
    report = judge_copy(Copy("copy.eml", lambda: [copy]), CLAIMS)
    assert report.status is Status.NOT_CHECKED
    assert _rungs(report)[1] == "decoded/1"
    assert any("transfer.on-message" in note for note in report.notes)


def test_hidden_parts_inside_leave_it_open() -> None:
    shown = {name: value for name, value in CLAIMS.items() if name != "part.4"}
    assert _judge(claims=shown).status is Status.NOT_CHECKED
    assert _judge((b"1 200 =E2", b"1 300 =E2"), claims=shown).status is Status.FAILED


def test_a_record_without_bytes_of_the_message_gains_nothing() -> None:
    part = dict(CLAIMS["part.2"])
    part["fingerprints"] = [f for f in part["fingerprints"] if f["rule"] == "header-values/1"]
    report = _judge((b"1 200 =E2", b"1 300 =E2"), claims={**CLAIMS, "part.2": part})
    assert report.status is Status.FAILED
    assert "header-values/1" not in _rungs(report)


def test_two_messages_of_one_header_do_not_stand_for_each_other() -> None:
    start, end = MAIL.index(b"--cut\r\nContent-Type: message"), MAIL.index(b"--cut--")
    first = MAIL[start:end]
    second = first.replace(b"1 200", b"900")
    claims = claims_of(MAIL[:start] + first + second + MAIL[end:])

    def downgraded(message: bytes) -> bytes:
        for old, new in ((b"8bit", b"quoted-printable"), ("€".encode(), b"=E2=82=AC")):
            message = message.replace(old, new)
        return message

    def judge(*messages: bytes) -> CopyReport:
        copy = MAIL[:start] + b"".join(map(downgraded, messages)) + MAIL[end:]
        return judge_copy(Copy("copy.eml", lambda: [copy]), claims)

    assert judge(first, second).finding.key == "same.content"
    assert judge(second, first).status is Status.FAILED

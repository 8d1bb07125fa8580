"""What a report says of a copy that differs: which part, which value, by which rule, no more."""

from __future__ import annotations

import random
from io import StringIO

import pytest

from proofmail.core.canonical import Json
from proofmail.verify.comparison import Comparison
from proofmail.verify.containers import Folder, judge
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.parts import content_rung, grouping, pair
from proofmail.verify.report import CopyReport, Report, Status
from proofmail.verify.show import write_report
from tests.journeys.originals import ORIGINALS
from tests.making import ATTACHMENT, MAIL, claims_of

CLAIMS = claims_of(MAIL)
HOP = b"X-Hop: 1\r\n"
ADDRESSES = b"From: Jean Petit <jean@client.example>\r\nTo: avocat@cabinet.example\r\n"
ANSWER = (
    ADDRESSES + b"Subject: Re: Offre\r\nDate: Sat, 21 Nov 2026 15:00:00 +0100\r\n"
    b"Message-ID: <r1@client.example>\r\nIn-Reply-To: <offre-42@atelier.example>\r\n"
    b"Content-Type: text/plain\r\n\r\nOui.\r\n> Voici notre offre : 1 200 EUR.\r\n"
)  # fmt: skip
FORWARD = (
    ADDRESSES + b"Subject: Tr: Offre\r\nDate: Sat, 21 Nov 2026 15:00:00 +0100\r\n"
    b"Message-ID: <r2@client.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=fw\r\n\r\n--fw\r\nContent-Type: text/plain\r\n\r\n"
    b"ci-joint\r\n--fw\r\nContent-Type: message/rfc822\r\n\r\n" + MAIL + b"\r\n--fw--\r\n"
)


def _judge(data: bytes, name: str = "copy.eml", claims: Json = CLAIMS) -> CopyReport:
    return judge(Copy(name, lambda: [data]), claims)


def _changed(old: bytes, new: bytes) -> CopyReport:
    assert MAIL.count(old) == 1
    return _judge(HOP + MAIL.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"1 200", b"1 300", "body (plain text); its words differ, not only white space (as many"),
        (b"1 200", b"12 000", "(30 bytes of words recorded, 31 here)"),
        (b"JVBERi0xLjQKJcOkCg==", b"JVBERi0xLjQKJcOkCgo=",
         "attachment offre.pdf; its bytes differ (13 bytes recorded, 14 here)"),
        (b"JVBERi0xLjQ", b"JVBERi0xLjU", "its bytes differ (as many of them: 13)"),
        (b'"offre.pdf"', b'"contrat.pdf"', "another name: contrat.pdf, recorded offre.pdf"),
        (b"Jean Petit", b"Jean Petil",
         "To differs: recorded “Jean Petit <jean@client.example>”, here “Jean Petil <jean@"),
        (b"Jean Petit", "Jean P\u0435tit".encode(),
         "(the first character that differs: recorded U+0065, here U+0435)"),
        (b"Jean Petit", "Jean\u200b Petit".encode(), "recorded U+0020, here U+200B"),
        (b"notaire@etude.example", b"notaire@etude.example, eve@x.example",
         "To differs: here and not recorded “eve@x.example”"),
        (b"Cc: luc@atelier.example\r\n", b"", "Cc differs: recorded and not here “luc@"),
        (b"11:00:00 +0100", b"11:00:01 +0100",
         "recorded “2026-11-21T10:00:00Z”, here “2026-11-21T10:00:01Z”"),
        (b"text/plain; charset=utf-8", b"text/plain; charset=x",
         "its bytes are the same, but this mail has them read in another way"),
        (b"1 200 =E2=82=AC", b"1 200 =E2=82=FF",
         "its bytes differ (as many of them: 30); the texts cannot be compared"),
        (b"text/plain", b"text/html", "is declared as text/html, was text/plain"),
    ],
)  # fmt: skip
def test_a_difference_is_said_with_what_is_known(old: bytes, new: bytes, said: str) -> None:
    report = _changed(old, new)
    assert report.status is Status.FAILED
    assert any(said in difference for difference in report.differences), report.differences


def test_people_in_another_order_are_said_to_be_the_same() -> None:
    people = b"Jean Petit <jean@client.example>, notaire@etude.example"
    report = _changed(people, b"notaire@etude.example, Jean Petit <jean@client.example>")
    assert report.differences == ("To differs: the same entries in another order",)


def test_a_long_value_is_cut_where_it_differs() -> None:
    subject = b"x" * 300
    claims = claims_of(MAIL.replace(b"Message-ID", b"Comments: a\r\nMessage-ID"))
    claims["header.subject"] = [(subject + b" 900").decode()]
    lines = MAIL.split(b"\r\n")
    lines[3] = b"Subject: " + subject + b" 800"
    report = _judge(b"\r\n".join(lines), claims=claims)
    (said,) = (text for text in report.differences if text.startswith("Subject"))
    assert "x 900”, here “…" in said
    assert said.endswith("x 800”")
    assert len(said) < 300


def test_the_same_body_under_another_header_is_said_and_is_no_match() -> None:
    report = _changed(b"Jean Petit", b"Jean Grand")
    assert report.status is Status.FAILED
    assert any("body-relaxed/1" in note for note in report.notes)
    assert not any("body-relaxed/1" in note for note in _changed(b"1 200", b"1 300").notes)
    blank = _judge(HOP + MAIL.replace(b"1 200", b"1  200"))
    assert any("body-relaxed/1" in note for note in blank.notes)
    assert blank.finding.key == "same.words"
    # Below the header all is the same, and is read in another way: no match.
    bent = _judge(MAIL.replace(b'boundary="cut"', b'boundary="cat"'))
    assert any("body-relaxed/1" in note for note in bent.notes)
    assert bent.status is Status.NOT_CHECKED


def test_an_empty_body_says_nothing() -> None:
    mail = MAIL[: MAIL.index(b"Content-Type")] + b"\r\n"
    report = _judge(mail.replace(b"Jean", b"Luc"), claims=claims_of(mail))
    assert not any("body-relaxed/1" in note for note in report.notes)


def test_an_answer_a_forward_and_another_mail_are_told_apart() -> None:
    answer, forward, other = map(_judge, (ANSWER, FORWARD, ORIGINALS["ascii"]))
    assert {answer.status, forward.status, other.status} == {Status.FAILED}
    assert any("one that it answers or continues" in note for note in answer.notes)
    assert any("it looks like another mail" in note for note in answer.notes)
    assert [match.rung for match in forward.matches] == ["decoded/1", "decoded/1"]
    assert any("the message enclosed as part 2: save that" in note for note in forward.notes)
    assert any("its Message-ID is another: it looks like" in note for note in other.notes)
    own = _changed(b"1 200", b"1 300")
    assert any("it bears the Message-ID of the recorded mail" in note for note in own.notes)


def test_a_changed_text_is_not_paired_with_an_equal_one_in_an_enclosed_mail() -> None:
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\nPrice: 900\r\n"
    mail = (
        HOP + MAIL[: MAIL.index(b"--cut")] + b"--cut\r\n" + inner + b"--cut\r\n"
        b"Content-Type: message/rfc822\r\n\r\nSubject: old\r\n" + inner + b"--cut--\r\n"
    )
    copy = mail.replace(b"Price: 900", b"Price: 800", 1)
    report = _judge(copy, claims=claims_of(mail))
    assert report.differences == (
        "the content of part 1 changed: body (plain text); its words differ, not only white space "
        "(as many bytes of words: 10)",
    )
    assert [match.rung for match in report.matches] == ["", "decoded/1", "decoded/1"]


def test_of_several_in_a_box_it_is_said_which_match() -> None:
    def source(*mails: bytes) -> Folder:
        copies = [Copy(f"{at}.eml", lambda mail=mail: [mail]) for at, mail in enumerate(mails)]  # type: ignore[misc]
        return Folder("mails", lambda: iter(copies), passed_over=2)

    report = judge(source(ANSWER, MAIL, FORWARD, MAIL), CLAIMS)
    assert report.finding.key == "same.bytes"
    assert report.notes == (
        "this is about file 1.eml of this folder",
        "2 messages match equally well; this is the first of them",
        "another that matches: file 3.eml of this folder",
        "4 messages were looked at",
        "2 other files of the folder were passed over",
    )
    report = judge(source(HOP + MAIL, ANSWER, HOP + HOP + MAIL), CLAIMS)
    assert "another that matches: file 2.eml of this folder" in report.notes
    assert "one message was looked at" in judge(source(MAIL), CLAIMS).notes


def test_a_saved_file_that_was_changed_is_known_by_its_name() -> None:
    report = _judge(ATTACHMENT + b" ", "offre.pdf")
    assert (report.status, report.what) == (Status.FAILED, "file")
    assert report.notes == (
        "a recorded file has this name, part 2, and other content (13 bytes recorded, 14 here)",
    )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_report_can_be_written_in_both_languages(language: str) -> None:
    copies = [
        _judge(HOP + mail.replace(*change), claims=claims_of(mail))
        for mail in ORIGINALS.values()
        for change in ((b"1", b"2"), (b"offer", b"other"), (b"text/", b"test/"), (b"a", b"\xff"))
    ]
    out = StringIO()
    write_report(Report((), copies=tuple(copies)), out, trusting=True, language=language)
    assert "{" not in out.getvalue().replace("{}", "")


# -- pairing --------------------------------------------------------------------------------------


def _part(path: str, words: str, name: str, kind: str = "text/plain") -> Json:
    digests = {"sha256": words, "sha3-256": words, "size": len(words)}
    rules = ("decoded/1", "text/1", "words/1") if kind == "text/plain" else ("decoded/1",)
    part = {"fingerprints": [{"rule": rule, **digests} for rule in rules], "path": path,
            "role": "body", "type": kind, "notes": ["in.mixed"]}  # fmt: skip
    return {**part, "name": name} if name else part


def _random_parts(dice: random.Random) -> list[Json]:
    return [
        _part(f"{at // 2 + 1}.{at % 2 + 1}", dice.choice("abc"), dice.choice(("", "", "n")))
        for at in range(dice.randrange(1, 5))
    ]


def test_pairing_never_changes_the_verdict() -> None:
    """A copy passes if and only if the parts in the same places are equal."""
    dice = random.Random(5)
    passed = 0
    for _ in range(20_000):
        mine = _random_parts(dice)
        found = [dict(part) for part in mine] if dice.random() < 0.5 else _random_parts(dice)
        if dice.random() < 0.3:
            found.insert(dice.randrange(len(found) + 1), dict(dice.choice(found)))
        if dice.random() < 0.3:
            dice.shuffle(found)
        for at, part in enumerate(found):
            part["path"] = f"{at // 2 + 1}.{at % 2 + 1}"
        same = len(mine) == len(found) and all(
            content_rung(a, b) and a.get("name") == b.get("name")
            for a, b in zip(mine, found, strict=True)
        )
        comparison = Comparison()
        added = pair(comparison, list(enumerate(mine, 1)), found, complete=True)
        assert (not comparison.differences and not added) == same, (mine, found)
        assert len(comparison.matches) == len(mine)
        passed += same
    assert 1_000 < passed < 19_000


def test_one_part_that_moved_is_said_to_have_moved_and_no_other() -> None:
    mine = [_part(str(at), f"words {at}", "") for at in range(1, 7)]
    order = [1, 2, 3, 4, 0, 5]
    found = [{**mine[at], "path": str(place)} for place, at in enumerate(order, 1)]
    comparison = Comparison()
    assert pair(comparison, list(enumerate(mine, 1)), found, complete=True) == []
    assert [said.text() for said in comparison.differences] == ["part 1 stands at another place"]
    assert grouping(["1.1.2", "1.1.3"]) == [["2"], ["3"]]


def test_of_equal_texts_each_is_paired_with_its_own() -> None:
    """Two files with the same bytes: one is gone, and it is that one that is named."""
    mine = [_part("1", "x", "a.txt"), _part("2", "x", "b.txt")]
    found = [_part("1", "x", "b.txt")]
    comparison = Comparison()
    assert pair(comparison, list(enumerate(mine, 1)), found, complete=True) == []
    assert [said.text() for said in comparison.differences] == ["part 1 is missing: body a.txt"]
    comparison = Comparison()
    moved = [_part("2", "y", "c.txt"), _part("3", "x", "b.txt")]
    pair(comparison, list(enumerate(mine, 1)), moved, complete=False)
    assert [match.rung for match in comparison.matches] == ["", "decoded/1"]


def test_claims_that_no_scan_makes_are_compared_all_the_same() -> None:
    """A proof may come from anybody: paths twice, and rules that do not belong to a type."""
    mine = [_part("1", "x", ""), _part("1", "x", ""), {**_part("1", "z", ""), "type": "text/csv"}]
    found = [_part("1", "x", ""), {**_part("2", "z", ""), "type": "text/csv"}]
    for part in (mine[2], found[1]):
        part["fingerprints"] = [dict(item) for item in part["fingerprints"]]
    found[1]["fingerprints"][1]["sha256"] = found[1]["fingerprints"][0]["sha256"] = "other"
    comparison = Comparison()
    pair(comparison, list(enumerate(mine, 1)), found, complete=True)
    assert [match.rung for match in comparison.matches] == ["decoded/1", "", "words/1"]
    assert all(said.text("fr") for said in (*comparison.differences, *comparison.remarks))

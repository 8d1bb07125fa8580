"""Mailboxes, folders and saved texts: the right message is found, and no doctored one passes."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from proofmail.verify.command import main
from proofmail.verify.containers import Folder, judge
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.mbox import messages, unescaped
from proofmail.verify.paths import source
from proofmail.verify.report import CopyReport, Status
from tests.making import ATTACHMENT, MAIL, World, claims_of

CLAIMS = claims_of(MAIL)
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
SEPARATOR = b"From claire@atelier.example Sat Nov 21 10:00:00 2026\n"


def _mbox(*mails: bytes) -> bytes:
    """As mboxrd: LF, a `>` before each line that begins with `From `, an empty line behind."""
    out = b""
    for mail in mails:
        lines = mail.replace(b"\r\n", b"\n").split(b"\n")
        marked = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines]
        stored = b"\n".join(marked)
        out += SEPARATOR + stored + (b"" if stored.endswith(b"\n") else b"\n") + b"\n"
    return out


def _other(number: int) -> bytes:
    return (
        b"From: Eve <eve@atelier.example>\r\nTo: luc@atelier.example\r\nSubject: no %d\r\n"
        b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\nMessage-ID: <%d@atelier.example>\r\n\r\n"
        b"Offer %d.\r\n\r\nFrom the start it was so: 900.\r\n" % (number, number, number)
    )


def _judge(data: bytes, name: str = "box", claims: dict[str, object] = CLAIMS) -> CopyReport:
    return judge(Copy(name, lambda: [data]), claims)


@pytest.mark.parametrize("size", [1, 7, 1_000, 1 << 20])
def test_an_mbox_is_cut_the_same_for_any_chunking(size: int) -> None:
    mails = [_other(1), MAIL, b"A: b\r\nC: d\r\n\r\n", _other(2)]
    data = _mbox(*mails)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found = [b"".join(unescaped(pieces)) for pieces in messages(chunks)]
    assert found[:2] == [_other(1), MAIL]
    assert found[2] in (b"A: b\r\nC: d\r\n", b"A: b\r\nC: d\r\n\r\n")
    assert found[3] == _other(2)
    assert len(list(messages(chunks))) == 4  # without reading any of them


def test_the_mail_is_found_by_its_bytes_among_3000() -> None:
    mails = [_other(number) for number in range(3_000)]
    mails[1_234] = MAIL
    report = _judge(_mbox(*mails))
    assert report.status is Status.PASSED
    assert report.what == "mail"
    assert {match.rung for match in report.matches} == {"raw/1"}
    assert report.notes[0] == "this is about message 1235 of this file"
    assert "3000 messages were looked at" in report.notes


def test_a_mail_with_marked_lines_is_found_as_stored_or_unescaped() -> None:
    for line in (b"From the first", b">From the first", b">>From the first"):
        mail = _other(1).replace(b"From the start", line)
        claims = claims_of(mail)
        stored = b"".join((_mbox(_other(2), mail), _mbox(MAIL)))
        assert _judge(stored, claims=claims).status is Status.PASSED
        # mboxo leaves lines that begin with `>` as they are.
        if line.startswith(b">"):
            assert _judge(stored.replace(b">" + line, line), claims=claims).status is Status.PASSED


def test_a_mail_that_ends_in_empty_lines_or_without_line_end_is_found() -> None:
    for end in (b"", b"\r\n", b"\r\n\r\n"):
        mail = _other(1).rstrip(b"\r\n") + end
        data = SEPARATOR + mail.replace(b"\r\n", b"\n") + b"\n" + _mbox(_other(3))
        if end:
            assert _judge(data, claims=claims_of(mail)).finding.key == "same.bytes"
        data = _mbox(_other(3)) + SEPARATOR + mail
        assert _judge(data, claims=claims_of(mail)).finding.key == "same.bytes"


def test_a_line_of_a_text_that_begins_so_does_not_cut_a_message() -> None:
    unmarked = _mbox(_other(1), MAIL).replace(b">From the", b"From the")
    assert _judge(unmarked, claims=claims_of(_other(1))).finding.key == "same.bytes"


def test_several_that_match_are_said_to_be() -> None:
    report = _judge(_mbox(MAIL, _other(1), MAIL))
    assert report.status is Status.PASSED
    assert "2 messages match equally well; this is the first of them" in report.notes


def test_a_copy_that_hops_changed_is_found_by_its_identifier() -> None:
    hop = b"Received: by x\r\n" + MAIL.replace(b"JVBERi0x", b"JVBE\r\nRi0x")
    report = _judge(_mbox(_other(1), hop, _other(2)))
    assert report.status is Status.PASSED
    assert report.notes[0] == "this is about message 2 of this file"
    assert [match.rung for match in report.matches] == ["decoded/1", "decoded/1"]


DOCTORED = [
    (b"Voici", b"Voila", "the content of part 1 changed"),
    (b"1 200", b"1 300", "the content of part 1 changed"),
    (b"Claire Dubois", b"Claire Dupont", "From differs"),
    (b"JVBERi0xLjQ", b"JVBERi0xLjU", "the content of part 2 changed"),
]


@pytest.mark.parametrize(("old", "new", "words"), DOCTORED)
def test_a_doctored_message_is_the_closest_and_differs(old: bytes, new: bytes, words: str) -> None:
    for mail in (MAIL, MAIL.replace(b"Message-ID: <offre-42@atelier.example>\r\n", b"")):
        report = _judge(_mbox(_other(1), mail.replace(old, new), _other(2)))
        assert report.status is Status.FAILED
        assert any(words in difference for difference in report.differences), report.differences
        assert report.notes[0] == "this is about message 2 of this file"
        assert "this is the closest of them, not a match" in report.notes


def test_the_true_copy_wins_over_a_doctored_one_with_the_same_identifier() -> None:
    report = _judge(_mbox(MAIL.replace(b"1 200", b"1 300"), b"X-Hop: 1\r\n" + MAIL))
    assert report.status is Status.PASSED
    assert report.notes[0] == "this is about message 2 of this file"


def test_a_box_without_the_mail_differs_and_one_that_cannot_be_told_is_not_checked() -> None:
    data = _mbox(_other(1), _other(2))
    report = _judge(data)
    assert report.status is Status.FAILED
    assert report.verdict == "none of the 2 messages looked at is the recorded mail"
    shown = {"authentication", "defects", "envelope.from"}
    claims = {name: value for name, value in CLAIMS.items() if name in shown}
    assert _judge(data, claims=claims).status is Status.NOT_CHECKED


@pytest.mark.parametrize("hidden", ["header.subject", "part.2", "message.parts"])
def test_what_is_hidden_is_never_a_match_in_a_box(hidden: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != hidden}
    data = _mbox(_other(1), b"X-Hop: 1\r\n" + MAIL)
    assert _judge(data, claims=claims).status is Status.NOT_CHECKED


def test_memory_does_not_grow_with_the_mbox() -> None:
    block = _mbox(*(_other(number) for number in range(1_000)))

    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield block
        yield _mbox(MAIL)

    tracemalloc.start()
    report = judge(Copy("box", chunks), CLAIMS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.notes[0] == "this is about message 40001 of this file"
    assert peak < 20 * len(block)


@pytest.mark.parametrize(
    "line", [b"From now on", b"From - ", b"From 1 Sat Nov 2026", b"From x Sat"]
)
def test_a_text_behind_the_mail_is_no_second_message(line: bytes) -> None:
    """Programs that ask for a date in such a line show it as part of the mail."""
    mail = MAIL.partition(b"MIME-Version")[0] + b"\r\nPrice: 1200\r\n"
    claims = claims_of(mail)
    for separator in (SEPARATOR, b"From -\n"):
        box = separator + mail + b"\r\n" + line + b"\r\nPrice: 1300, not 1200\r\n"
        report = judge(Copy("box", lambda box=box: [box]), claims)
        assert (report.status, report.finding.key) == (Status.FAILED, "differs")
        assert "one message was looked at" in report.notes
    # Where the file itself begins so, whoever reads it as an mbox reads two messages.
    box = line + b"\n" + mail + b"\r\n" + line + b"\r\nPrice: 1300\r\n"
    assert judge(Copy("box", lambda: [box.replace(b"\r\n", b"\n")]), claims).status is Status.PASSED


@pytest.mark.parametrize("name", ["copy.eml", "COPY.EML", "copy.mail"])
def test_a_file_named_as_one_mail_is_one(name: str) -> None:
    mail = MAIL.partition(b"MIME-Version")[0] + b"\r\nPrice: 1200\r\n"
    box = SEPARATOR + mail + b"\r\n" + SEPARATOR + b"Price: 1300, not 1200\r\n"
    claims = claims_of(mail)
    assert judge(Copy("box", lambda: [box]), claims).status is Status.PASSED
    assert judge(Copy(name, lambda: [box]), claims).status is Status.FAILED
    single = SEPARATOR + mail + b"\r\n"
    assert judge(Copy(name, lambda: [single]), claims).status is Status.PASSED


@pytest.mark.parametrize(
    "data",
    [
        b"From \n", b"From x\nA: b", b"From x\nA: b\n\n" * 5_000, b"From x\n>From y\n",
        b"From x\nA: b\n\n" + b">" * 3_000_000, b"From x\nA: b\n\n" + b"\n" * 1_000_000,
        b"From x\nA: b\n" + b"Message-ID: <" * 100_000, b"From x\nA: b\n\n" + b"\r" * 1_000_000,
    ],
)  # fmt: skip
def test_hostile_boxes_end_in_a_report(data: bytes) -> None:
    assert _judge(data).status in (Status.FAILED, Status.NOT_CHECKED)


def _maildir(path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    for number in range(40):
        (path / "cur" / f"{number}.host:2,S").write_bytes(_other(number))
    (path / "new" / "77.host").write_bytes(MAIL.replace(b"\r\n", b"\n"))
    (path / "new" / "78.host").symlink_to("/dev/zero")
    return path


def test_a_maildir_names_the_file(tmp_path: Path) -> None:
    report = judge(source(_maildir(tmp_path / "box")), CLAIMS)
    assert report.status is Status.PASSED
    assert report.copy == "box"
    assert report.notes[0] == f"this is about file {os.path.join('new', '77.host')} of this folder"
    assert "41 messages were looked at" in report.notes
    assert "1 other files of the folder were passed over" in report.notes


def test_a_folder_of_mails_with_a_doctored_one_differs(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.eml").write_bytes(_other(number))
    (tmp_path / "offre.EML").write_bytes(MAIL.replace(b"1 200", b"1 300"))
    (tmp_path / "notes.txt").write_text("nothing")
    report = judge(source(tmp_path), CLAIMS)
    assert report.status is Status.FAILED
    assert report.notes[0] == "this is about file offre.EML of this folder"
    (tmp_path / "true.eml").write_bytes(MAIL)
    assert judge(source(tmp_path), CLAIMS).status is Status.PASSED


def test_a_file_that_cannot_be_read_leaves_the_folder_undecided() -> None:
    def broken() -> Iterator[bytes]:
        yield b"From: x"
        raise PermissionError(13, "no")

    files = [Copy("a.eml", lambda: [_other(1)]), Copy("b.eml", broken)]
    report = judge(Folder("box", lambda: iter(files)), CLAIMS)
    assert report.status is Status.NOT_CHECKED
    assert "1 files of the folder could not be read" in report.notes


TEXT = "Voici notre offre : 1 200 €."


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + TEXT.encode(), TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT.encode("cp1252"),
        (TEXT + "  \r\n\r\n").encode(),
    ],
)  # fmt: skip
def test_a_saved_text_is_this_file_and_never_this_mail(data: bytes) -> None:
    report = _judge(data, "offre.txt")
    assert (report.what, report.status) == ("file", Status.PASSED)
    assert "this file has the text of part 1" in report.verdict
    assert "it is not the mail" in report.verdict


@pytest.mark.parametrize("text", [TEXT.replace("2", "3"), TEXT.lower(), TEXT + " P.S.", ""])
def test_another_text_differs(text: str) -> None:
    assert _judge(text.encode(), "offre.txt").status is Status.FAILED
    assert _judge(TEXT.encode("cp1252"), "offre.html").status is Status.FAILED


@pytest.mark.parametrize(
    ("head", "encoding", "checked"),
    [
        ("<meta charset=utf-8>", "utf-8", True),
        ("<meta charset=windows-1251>", "utf-8", False),
        ("<meta http-equiv=content-type content='text/html; charset=iso-8859-5'>", "utf-8", False),
        ("<meta charset=iso-8859-1>", "cp1252", True),
        ("<meta charset=utf-8>", "cp1252", False),
        ("<meta charset=windows-1251>", "utf-8-sig", True),
    ],
)
def test_a_page_that_names_another_charset_is_not_checked(
    head: str, encoding: str, checked: bool
) -> None:
    """Whoever follows it reads other characters."""
    page = f"{head}<p>1\u00a0200\u00a0€</p>"
    mail = MAIL.replace(b"text/plain; charset=utf-8", b"text/html; charset=utf-8").replace(
        b"Voici notre offre : 1 200 =E2=82=AC.", b"<p>1=C2=A0200=C2=A0=E2=82=AC</p>"
    )
    report = _judge(page.encode(encoding), "offre.html", claims_of(mail))
    assert report.matches, report
    assert report.status is (Status.PASSED if checked else Status.NOT_CHECKED)


def test_a_text_under_other_lines_is_not_checked() -> None:
    head = "From:\tEve\r\nSent:\ttoday\r\nSubject:\tOffre\r\n\r\n"
    report = _judge((head + TEXT).encode(), "offre.txt")
    assert report.status is Status.NOT_CHECKED
    assert "the lines above it were not compared" in report.verdict
    changed = _judge((head + TEXT.replace("2", "3")).encode(), "offre.txt")
    assert changed.status is Status.FAILED


def test_the_recorded_bytes_in_a_box_are_judged_in_no_other_reading() -> None:
    """A record that states something else of them must not pass for the words they share."""
    part = json.loads(json.dumps(CLAIMS["part.1"]))
    for item in part["fingerprints"]:
        if item["rule"] != "words/1":
            item["sha256"] = "A" * 43
    claims = {**CLAIMS, "part.1": part}
    report = _judge(SEPARATOR + MAIL.removesuffix(b"\r\n") + b"\n\n", "box", claims)
    assert (report.finding.key, report.status) == ("record.lies", Status.FAILED)
    stored = MAIL.replace(b"\r\n\r\n--cut", b"\r\n\r\nFrom us\r\n--cut", 1)
    lies = {**claims_of(stored), "part.1": part}
    report = _judge(_mbox(stored), "box", lies)
    assert (report.finding.key, report.status) == ("record.lies", Status.FAILED)


def test_what_is_neither_a_container_nor_a_text_is_judged_as_before() -> None:
    assert _judge(ATTACHMENT, "saved.pdf").status is Status.PASSED
    assert _judge(MAIL, "offre.txt").finding.key == "same.bytes"
    assert _judge(SEPARATOR + MAIL, "offre.eml").finding.key == "same.bytes"
    whole = SEPARATOR.replace(b"\n", b"\r\n") + MAIL
    assert _judge(whole, "offre.eml", claims_of(whole)).finding.key == "same.bytes"


def test_the_command_takes_boxes_and_folders_in_two_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    (tmp_path / "proof.json").write_bytes(world.prove().to_bytes())
    (tmp_path / "trust.json").write_text(json.dumps(world.trust().to_json()))
    (tmp_path / "box").write_bytes(_mbox(_other(1), MAIL))
    folder = _maildir(tmp_path / "folder")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    words = [str(tmp_path / "proof.json"), "--trust", str(tmp_path / "trust.json")]
    assert main([*words, str(tmp_path / "box"), str(folder)]) == 0
    said = capsys.readouterr().out
    assert "message 2 de ce fichier" in said
    assert "c’est le mail même que le service a reçu" in said
    assert "41 messages ont été examinés" in said
    (tmp_path / "box").write_bytes(_mbox(_other(1), MAIL.replace(b"1 200", b"1 300")))
    assert main([*words, str(tmp_path / "box"), "--language", "en"]) == 1
    said = capsys.readouterr().out
    assert "DIFFERS" in said
    assert "differs: the content of part 1 changed" in said
    assert main([*words, str(tmp_path / "box"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["copies"][0]["verdict"].startswith("this copy")
    os.mkfifo(tmp_path / "pipe")
    assert main([*words, str(tmp_path / "pipe")]) == 2
    assert main([*words, str(tmp_path / "nowhere")]) == 2


@pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real mails is not beside the project"
)
def test_real_mails_are_each_found_in_one_mbox() -> None:
    paths = [path for path in sorted(CORPUS.rglob("*.eml")) if path.stat().st_size < 50_000]
    mails = []
    for path in paths[:: max(len(paths) // 100, 1)][:100]:
        mail = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not re.match(rb"[!-9;-~]+:", mail):
            continue  # not a field: no mail in an mbox begins so
        mails.append(mail.replace(b"\n", b"\r\n"))
    data = _mbox(*mails)
    found = [_judge(data, claims=claims_of(mail)) for mail in mails]
    assert len(mails) > 80
    for number, (mail, report) in enumerate(zip(mails, found, strict=True), 1):
        assert report.finding.key == "same.bytes", report
        assert report.notes[0] == f"this is about message {mails.index(mail) + 1} of this file", (
            number
        )

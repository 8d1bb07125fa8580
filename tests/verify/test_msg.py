"""Outlook files: what matches, that a doctored one differs, and that none ends in a crash."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
from datetime import UTC, datetime

import pytest

from proofmail.errors import Unreadable
from proofmail.verify.cfb import CompoundFile
from proofmail.verify.containers import judge
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.msg import read_msg
from proofmail.verify.report import CopyReport, Status
from tests.making import ATTACHMENT, MAIL, claims_of
from tests.verify.msg_maker import Outlook, make_compound
from tests.verify.rtf_maker import packed, rtf_of_html, rtf_of_text

CLAIMS = claims_of(MAIL)
HEADERS = MAIL[: MAIL.index(b"\r\n\r\n") + 2].decode("ascii")
CLASS, SUBJECT, SUBMITTED, TRANSPORT, BODY, RTF, HTML = (
    0x001A, 0x0037, 0x0039, 0x007D, 0x1000, 0x1009, 0x1013
)  # fmt: skip
FROM_NAME, FROM_KIND, FROM_ADDRESS, FROM_SMTP = 0x0042, 0x0064, 0x0065, 0x5D02
SHOWN_TO, NORMALIZED, PREFIX = 0x0E04, 0x0E1D, 0x003D
NAME, KIND, ADDRESS, SMTP, ROLE = 0x3001, 0x3002, 0x3003, 0x39FE, 0x0C15
DATA, METHOD, LONG_NAME, HIDDEN = 0x3701, 0x3705, 0x3707, 0x7FFE


def _made() -> Outlook:
    """What Outlook makes of `MAIL`."""
    return Outlook(
        {
            CLASS: "IPM.Note", SUBJECT: CLAIMS["header.subject"][0],
            SUBMITTED: datetime(2026, 11, 21, 10, 0, 0, 500_000, tzinfo=UTC), TRANSPORT: HEADERS,
            BODY: "Voici notre offre : 1 200 €.\r\n", FROM_NAME: "Claire Dubois", FROM_KIND: "SMTP",
            FROM_ADDRESS: "claire@Atelier.example", 0x3FDE: 65001, 0x3FFD: 1252,
        },
        [
            {NAME: "Jean Petit", KIND: "EX", ADDRESS: "/o=x", SMTP: "jean@client.example", ROLE: 1},
            {NAME: "'notaire@etude.example'", KIND: "SMTP", ADDRESS: "notaire@etude.example",
             ROLE: 1},
            {NAME: "luc@atelier.example", KIND: "SMTP", ADDRESS: "luc@atelier.example", ROLE: 2},
        ],
        [{METHOD: 1, LONG_NAME: "offre.pdf", NAME: "offre.pdf", DATA: ATTACHMENT}],
    )  # fmt: skip


def _judge(outlook: Outlook, claims: dict[str, object] = CLAIMS) -> CopyReport:
    data = outlook.to_bytes()
    return judge(Copy("offre.msg", lambda: [data[:700], data[700:]]), claims)


def test_an_outlook_file_of_the_mail_has_the_same_content_and_never_the_bytes() -> None:
    report = _judge(_made())
    assert (report.what, report.status) == ("mail", Status.PASSED), report
    assert [match.rung for match in report.matches] == ["text/1", "decoded/1"]
    assert "same content; the bytes differ" in report.verdict


def test_text_in_a_code_page_is_read_by_it() -> None:
    outlook = _made()
    outlook.wide = False
    assert _judge(outlook).status is Status.PASSED
    outlook.message[0x3FFD] = 932
    assert _judge(outlook).status is Status.NOT_CHECKED


def test_the_address_of_the_sender_counts_only_for_the_same_person() -> None:
    outlook = _made()
    outlook.message |= {FROM_KIND: "EX", FROM_ADDRESS: "/o=x/cn=1"}
    assert _judge(outlook).status is Status.NOT_CHECKED
    sender = {0x0C1A: "Claire Dubois", 0x0C1E: "EX", 0x0C1F: "/o=x/cn=1"}
    outlook.message |= {**sender, 0x5D01: "claire@atelier.example"}
    assert _judge(outlook).status is Status.PASSED
    outlook.message[0x0C1F] = "/o=x/cn=2"
    assert _judge(outlook).status is Status.NOT_CHECKED
    outlook.message |= {0x0C1F: "/o=x/cn=1", 0x5D01: "eve@atelier.example"}
    assert _judge(outlook).status is Status.FAILED


def test_without_the_header_as_it_came_what_outlook_shows_is_compared() -> None:
    outlook = _made()
    del outlook.message[TRANSPORT]
    assert _judge(outlook).status is Status.PASSED


def _set(number: int, value: object, where: str = "message", index: int = 0) -> object:
    def change(outlook: Outlook) -> None:
        places = {"message": [outlook.message], "to": outlook.recipients,
                  "file": outlook.attachments}  # fmt: skip
        places[where][index][number] = value  # type: ignore[assignment]

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set(BODY, "Voici notre offre : 1 300 €."), "the content of part 1 changed"),
        (_set(BODY, "Voici votre offre : 1 200 €."), "the content of part 1 changed"),
        (_set(BODY, "Voici notre offre : 1 200 $."), "the content of part 1 changed"),
        (_set(SUBJECT, CLAIMS["header.subject"][0] + " bis"), "Subject differs"),
        (_set(SUBMITTED, datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC)), "Date differs"),
        (_set(FROM_NAME, "Claire Dupont"), "From differs"),
        (_set(FROM_ADDRESS, "eve@atelier.example"), "From differs"),
        (_set(TRANSPORT, HEADERS.replace("Claire Dubois", "Claire Dupont")), "From differs"),
        (_set(TRANSPORT, HEADERS.replace("notaire@", "notaires@")), "To differs"),
        (_set(NAME, "Jean Grand", "to"), "To differs"),
        (_set(SMTP, "jeanne@client.example", "to"), "To differs"),
        (_set(ROLE, 1, "to", 2), "Cc differs"),
        (_set(ROLE, 3, "to", 2), "Cc differs"),
        (_set(DATA, ATTACHMENT + b" ", "file"), "the content of part 2 changed"),
        (_set(LONG_NAME, "contrat.pdf", "file"), "has another name: contrat.pdf"),
        (_set(NAME, "contrat.pdf", "file"), "has another name: contrat.pdf"),
        (_set(HIDDEN, True, "file"), "is now inline, was attachment"),
        (lambda o: o.attachments.clear(), "part 2 is missing"),
        (lambda o: o.attachments.append({METHOD: 1, LONG_NAME: "x.txt", DATA: b"x"}),
         "a part was added: attachment x.txt"),
        (lambda o: o.attachments.append({METHOD: 5, NAME: "Re: offre", LONG_NAME: "Re"}),
         "a part was added: message Re"),
        (lambda o: o.attachments.append(dict(o.attachments[0])), "a part was added"),
        (lambda o: o.message.pop(BODY), "part 1 is missing"),
        (lambda o: o.recipients.pop(), "Cc differs"),
    ],
)  # fmt: skip
def test_a_doctored_file_differs_and_says_where(change: object, words: str) -> None:
    outlook = _made()
    change(outlook)  # type: ignore[operator]
    report = _judge(outlook)
    assert report.status is Status.FAILED
    assert any(words in difference for difference in report.differences), report.differences
    assert any("Outlook rewrites" in note for note in report.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set(RTF, b"\x10\0\0\0"), "rich text (RTF) in this file could not be read"),
        (_set(HTML, b"<p>900</p>"), "also has a text as text/html"),
        (_set(NORMALIZED, "autre"), "Subject cannot be compared"),
        (_set(SHOWN_TO, "Jean Grand; notaire@etude.example"), "To cannot be compared"),
        (_set(0x0C1A, "Eve"), ""),
        (lambda o: o.message.update({0x0C1E: "SMTP", 0x0C1F: "eve@x.example", 0x0C1A: "Eve"}),
         "From cannot be compared"),
        (lambda o: o.message.pop(SUBMITTED), "Date cannot be compared"),
        (lambda o: o.recipients[0].pop(SMTP), "To cannot be compared"),
        (lambda o: o.recipients.reverse(), "To cannot be compared"),
        (lambda o: o.recipients.append({NAME: "Eve", KIND: "SMTP", ADDRESS: "eve@x.example",
                                        ROLE: 0x10000001}), "To cannot be compared"),
        (_set(METHOD, 2, "file"), "offre.pdf is a link or an object"),
        (_set(CLASS, "IPM.Note.SMIME"), "not a plain mail for Outlook"),
    ],
)  # fmt: skip
def test_what_the_file_does_not_say_is_an_open_question(change: object, words: str) -> None:
    outlook = _made()
    change(outlook)  # type: ignore[operator]
    report = _judge(outlook)
    if not words:  # the sender's name alone is not shown: the represented one is
        assert report.status is Status.PASSED
        return
    assert report.status is Status.NOT_CHECKED, report
    assert words in " ".join((report.verdict, *report.notes)), report


@pytest.mark.parametrize("hidden", ["header.subject", "part.1", "part.2", "message.parts"])
def test_what_is_hidden_is_never_a_match(hidden: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != hidden}
    assert _judge(_made(), claims).status is Status.NOT_CHECKED


def test_an_enclosed_message_is_named_and_not_compared() -> None:
    enclosed = (
        b"--cut\r\nContent-Type: message/rfc822\r\n\r\nSubject: before\r\n\r\nold text\r\n--cut--"
    )
    claims = claims_of(MAIL.replace(b"--cut--", enclosed))
    outlook = _made()
    outlook.attachments.append({METHOD: 5, NAME: "before", LONG_NAME: "before"})
    report = _judge(outlook, claims)
    assert report.status is Status.NOT_CHECKED
    assert any("enclosed message" in note for note in report.notes)
    del outlook.attachments[-1]
    assert _judge(outlook, claims).status is Status.FAILED


def test_html_is_compared_in_its_charset() -> None:
    html = "<p>Voici notre offre : 1 200 €.</p>".encode()
    mail = MAIL.replace(b"text/plain", b"text/html").replace(
        b"Voici notre offre : 1 200 =E2=82=AC.", b"<p>Voici notre offre : 1 200 =E2=82=AC.</p>"
    )
    outlook = _made()
    del outlook.message[BODY]
    outlook.message[TRANSPORT] = HEADERS
    outlook.message[HTML] = html
    assert _judge(outlook, claims_of(mail)).status is Status.PASSED
    outlook.message[HTML] = html.replace(b"200", b"300")
    assert _judge(outlook, claims_of(mail)).status is Status.FAILED
    outlook.message[HTML] = html
    outlook.message[BODY] = "Voici notre offre : 1 300 €."
    assert _judge(outlook, claims_of(mail)).status is Status.NOT_CHECKED


def test_a_second_reader_finds_the_same_streams() -> None:
    olefile = pytest.importorskip("olefile")
    outlook = _made()
    outlook.attachments[0][DATA] = bytes(range(256)) * 40  # beyond the cutoff of small streams
    data = outlook.to_bytes()
    other = olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_INCORRECT)
    ours: dict[str, bytes] = {}
    file = CompoundFile(data)

    def walk(entry: object, prefix: str) -> None:
        for name, child in file.entries(entry).items():  # type: ignore[arg-type]
            if child.is_stream:
                ours[prefix + name] = file.read(child)
            else:
                walk(child, f"{prefix}{name}/")

    walk(file.root, "")
    theirs = {"/".join(path).upper(): other.openstream(path).read() for path in other.listdir()}
    assert ours == theirs
    assert len(ours) > 20


def test_a_property_stated_twice_or_in_one_place_alone_is_unreadable() -> None:
    for name, data in (("__substg1.0_1000001E", b"other"), ("__substg1.0_0E1D001F", b"o\0")):
        tree = _made().tree()
        tree[name] = data
        with pytest.raises(Unreadable, match="table of properties"):
            read_msg(make_compound(tree))
    tree = _made().tree()
    del tree["__substg1.0_1000001F"]
    with pytest.raises(Unreadable, match="table of properties"):
        read_msg(make_compound(tree))
    tree = _made().tree()
    table = tree["__properties_version1.0"]
    assert isinstance(table, bytes)
    tree["__properties_version1.0"] = table + table[32:48]
    with pytest.raises(Unreadable, match="twice"):
        read_msg(make_compound(tree))


def test_no_bent_file_crashes_or_matches_with_other_content() -> None:
    data = _made().to_bytes()
    dice = random.Random(7)
    original = read_msg(data)
    for _ in range(1500):
        bent = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 8))):
            at = dice.randrange(len(bent))
            bent[at] = dice.choice((0, 0xFF, 0xFE, dice.randrange(256)))
        if dice.random() < 0.1:
            del bent[dice.randrange(len(bent)) :]
        frozen = bytes(bent)
        report = judge(Copy("x.msg", lambda frozen=frozen: [frozen]), CLAIMS)  # type: ignore[misc]
        if report.status is Status.PASSED:
            found = read_msg(frozen)
            assert found.body == original.body
            assert found.subject == original.subject
            assert found.attachments[0].data == original.attachments[0].data


def test_a_directory_in_a_circle_or_streams_that_share_sectors_are_refused() -> None:
    data = make_compound({"a": bytes(5000), "b": bytes(5000)})
    file = CompoundFile(data)
    names = file.entries(file.root)
    assert file.read(names["A"]) == bytes(5000)
    directory = data.index("Root Entry".encode("utf-16-le"))
    shared = bytearray(data)
    first = data.index("a\0".encode("ascii") + bytes(62), directory)
    second = data.index("b\0".encode("ascii") + bytes(62), directory)
    shared[second + 116 : second + 120] = shared[first + 116 : first + 120]
    file = CompoundFile(bytes(shared))
    names = file.entries(file.root)
    file.read(names["A"])
    with pytest.raises(Unreadable, match="twice"):
        file.read(names["B"])
    circle = bytearray(data)
    circle[second + 68 : second + 72] = circle[directory + 76 : directory + 80]
    file = CompoundFile(bytes(circle))
    with pytest.raises(Unreadable, match=r"circle|order"):
        file.entries(file.root)


def test_a_name_that_is_not_ascii_is_refused() -> None:
    file = CompoundFile(make_compound({"a": b"x", "\u0131": b"y"}))
    with pytest.raises(Unreadable, match="not ASCII"):
        file.entries(file.root)


def test_a_table_of_sectors_that_names_more_than_there_are_does_not_fill_the_memory() -> None:
    count = 4_000
    header = bytearray(make_compound({"a": b"x"})[:512])
    struct.pack_into("<II", header, 68, 0, count)
    blocks = b"".join(struct.pack("<128I", *[7] * 127, at + 1) for at in range(count))
    tracemalloc.start()
    with pytest.raises(Unreadable, match="twice"):
        CompoundFile(bytes(header) + blocks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(blocks)


# -- rich text ------------------------------------------------------------------------------------

PAGE = (
    "<html><body>\r\n<p>Voici notre offre&nbsp;: <b>1 200 &euro;</b>.</p>\r\n"
    '<p>Voir <a href="https://a.example/42">ici</a>.</p></body></html>\r\n'
)
PLAIN_OF_PAGE = "Voici notre offre : 1 200 €.\r\n\r\nVoir ici<https://a.example/42>.\r\n"
HTML_MAIL = MAIL.replace(b"text/plain", b"text/html").replace(
    b"quoted-printable\r\n\r\nVoici notre offre : 1 200 =E2=82=AC.\r\n",
    b"8bit\r\n\r\n" + PAGE.encode(),
)
HTML_CLAIMS = claims_of(HTML_MAIL)
TEXT = "Voici notre offre : 1 200 €.\r\n"


def _rich(rtf: str, body: str | None = None) -> Outlook:
    outlook = _made()
    outlook.message |= {TRANSPORT: HEADERS, RTF: packed(rtf.encode("ascii"))}
    del outlook.message[BODY]
    if body is not None:
        outlook.message[BODY] = body
    return outlook


@pytest.mark.parametrize(
    "body", [None, PLAIN_OF_PAGE, PLAIN_OF_PAGE.replace("<https://a.example/42>", "")]
)
def test_a_mail_in_html_is_found_in_the_rich_text(body: str | None) -> None:
    report = _judge(_rich(rtf_of_html(PAGE), body), HTML_CLAIMS)
    assert report.status is Status.PASSED, report
    assert report.matches[0].rung in ("html-text/1", "text/1", "decoded/1")
    assert any("in several forms, with the same words" in n for n in report.notes) == bool(body)


def test_a_mail_in_plain_text_is_found_in_the_rich_text() -> None:
    for body in (None, TEXT):
        report = _judge(_rich(rtf_of_text(TEXT), body))
        assert report.status is Status.PASSED, report
    page = f"<html><body><p>{TEXT.strip()}</p></body></html>".replace("€", "&euro;")
    assert _judge(_rich(rtf_of_html(page), TEXT)).status is Status.PASSED


RTF_PAGE = rtf_of_html(PAGE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"1 200 ", r"1 300 "),
        (r"\'80", r"\'24"),  # what the RTF alone shows
        (r"{\*\htmltag84 &euro;}", r"{\*\htmltag84 $}"),
        ("Voici", r"Voici {\*\htmltag84 pas} "),
        ("Voici", r"Voici \htmlrtf pas \htmlrtf0 "),
        (r"a.example/42", r"b.example/42"),
        (r'HYPERLINK "https://a.example/42"', r'HYPERLINK "https://b.example/42"'),
        (r'<a href="https://a.example/42">', r'<a href="https://b.example/42">'),
        (r"<p>", r"<p style='display:none'>"),
        (r"{\*\htmltag84 <b>}\htmlrtf {\b ", r"{\*\htmltag84 <s>}\htmlrtf {\b "),
        ("Voici", r"{\v Voici}"),
        (r"\fromhtml1", ""),
    ],
)
def test_no_doctored_rich_text_matches(old: str, new: str) -> None:
    assert old in RTF_PAGE
    rtf = RTF_PAGE.replace(old, new)
    for body in (None, PLAIN_OF_PAGE):
        assert _judge(_rich(rtf, body), HTML_CLAIMS).status is not Status.PASSED
    outlook = _rich(rtf)
    outlook.message[HTML] = PAGE.encode()  # true HTML beside a doctored RTF
    assert _judge(outlook, HTML_CLAIMS).status is Status.NOT_CHECKED


def test_true_html_beside_true_rich_text_matches() -> None:
    outlook = _rich(RTF_PAGE, PLAIN_OF_PAGE)
    outlook.message[HTML] = PAGE.encode()
    assert _judge(outlook, HTML_CLAIMS).status is Status.PASSED
    damaged = bytearray(packed(RTF_PAGE.encode("ascii")))
    damaged[40] ^= 1
    outlook.message[RTF] = bytes(damaged)
    report = _judge(outlook, HTML_CLAIMS)
    assert report.status is Status.NOT_CHECKED
    assert any("the rich text is damaged" in note for note in report.notes)


@pytest.mark.parametrize(
    ("old", "new"),
    [("1 200", "1 300"), ("Voici", "Ne voici"), ("ici<https://a", "ici<https://b"), (" €", " $")],
)
def test_another_plain_text_beside_the_rich_text_is_an_open_question(old: str, new: str) -> None:
    report = _judge(_rich(RTF_PAGE, PLAIN_OF_PAGE.replace(old, new)), HTML_CLAIMS)
    assert report.status is Status.NOT_CHECKED


@pytest.mark.parametrize(
    "page",
    [
        "<p>{}<b>pas</b></p>", "<p>{}<img src=https://a.example/x.png></p>", "<s>{}</s>",
        "<p><a href='https://a.example/'>{}</a></p>", "<ol><li>{}</li></ol>",
        "<p>{}</p><p style='display:none'>x</p>", "<!--[if mso]>900<![endif]--><p>{}</p>",
        "<p>{}</p><script>x</script>", "<table><tr><td>{}</td></tr></table>", "<p>{}",
    ],
)  # fmt: skip
def test_html_that_says_more_than_the_recorded_plain_text_is_an_open_question(page: str) -> None:
    text = TEXT.strip().replace("€", "&euro;")
    found = _judge(_rich(rtf_of_html(f"<html><body>{page.format(text)}</body></html>"), TEXT))
    assert (found.status is Status.PASSED) == (page == "<p>{}"), found


def test_plain_text_that_exchange_made_of_the_html_differs_in_nothing() -> None:
    parts = (
        b"--in\r\nContent-Type: text/plain\r\n\r\nOffer (see the page).\r\n"
        b"--in\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + PAGE.encode() + b"\r\n--in--"
    )
    mail = HTML_MAIL.replace(
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + PAGE.encode(),
        b"Content-Type: multipart/alternative; boundary=in\r\n\r\n" + parts + b"\r\n",
    )
    report = _judge(_rich(RTF_PAGE, PLAIN_OF_PAGE), claims_of(mail))
    assert report.status is Status.NOT_CHECKED, report
    assert [match.rung != "" for match in report.matches] == [False, True, True]
    other = _judge(_rich(RTF_PAGE, PLAIN_OF_PAGE.replace("200", "300")), claims_of(mail))
    assert other.status is Status.FAILED


def test_an_attachment_under_another_content_id_is_an_open_question() -> None:
    start = MAIL.index(b"Content-Disposition: attachment")
    claims = claims_of(MAIL[:start] + b"Content-ID: <one@pc7>\r\n" + MAIL[start:])
    outlook = _made()
    assert _judge(outlook, claims).status is Status.NOT_CHECKED
    outlook.attachments[0][0x3712] = "two@pc7"
    assert _judge(outlook, claims).status is Status.NOT_CHECKED
    assert _judge(outlook).status is Status.NOT_CHECKED
    outlook.attachments[0][0x3712] = "one@pc7"
    assert _judge(outlook, claims).status is Status.PASSED


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("Payez 10 50 fois.", "Payez 1 050 fois."),
        ("10 500 euros", "10500 euros"),
        ("a note, 3 500", "an ote, 3500"),
        ("1 200 euros", "12<b>00</b> euros"),
        ("1200", "1<br>200"),
    ],
)
def test_a_space_in_another_place_is_another_text(text: str, page: str) -> None:
    """Between a recorded plain text and the HTML that Outlook shows, words and numbers must end
    in the same places."""
    mail = MAIL.replace(b"Voici notre offre : 1 200 =E2=82=AC.", text.encode())
    outlook = _made()
    outlook.message |= {TRANSPORT: HEADERS, BODY: text}
    outlook.message |= {HTML: f"<p>{page}</p>".encode(), 0x3FDE: 65001}
    assert _judge(outlook, claims_of(mail)).status is Status.NOT_CHECKED
    for same in (text, text.replace(" ", "&nbsp;"), text.replace(" ", "<br>")):
        outlook.message[HTML] = f"<p>{same}</p>".encode()
        assert _judge(outlook, claims_of(mail)).status is Status.PASSED


def test_rich_text_whose_own_words_end_elsewhere_or_whose_links_are_swapped_is_not_checked() -> (
    None
):
    page = (
        '<html><body><p>10 50 fois <a href="https://a.example/">un</a> ou '
        '<a href="https://b.example/">deux</a></p></body></html>'
    )
    mail = MAIL.replace(b"text/plain", b"text/html").replace(
        b"quoted-printable\r\n\r\nVoici notre offre : 1 200 =E2=82=AC.\r\n",
        b"8bit\r\n\r\n" + page.encode() + b"\r\n",
    )
    claims, rtf = claims_of(mail), rtf_of_html(page)
    assert _judge(_rich(rtf), claims).status is Status.PASSED
    assert rtf.count("10 50") == 1
    spaced = rtf.replace("10 50", r"10\htmlrtf {}\htmlrtf0{\*\htmltag64  }50")
    assert _judge(_rich(spaced), claims).status is Status.NOT_CHECKED
    swapped = (
        rtf.replace('HYPERLINK "https://a', "HYPERLINK !a").replace('HYPERLINK "https://b',
        'HYPERLINK "https://a').replace("HYPERLINK !a", 'HYPERLINK "https://b')
    )  # fmt: skip
    assert _judge(_rich(swapped), claims).status is Status.NOT_CHECKED


def test_swapped_pictures_in_the_same_words_are_not_a_match() -> None:
    page = '<p>un <img src="cid:one"> ou <img src="cid:two"> deux</p>'
    mail = MAIL.replace(b"text/plain", b"text/html").replace(
        b"quoted-printable\r\n\r\nVoici notre offre : 1 200 =E2=82=AC.\r\n",
        b"8bit\r\n\r\n" + page.encode() + b"\r\n",
    )
    outlook = _made()
    outlook.message |= {TRANSPORT: HEADERS, HTML: page.encode(), 0x3FDE: 65001}
    del outlook.message[BODY]
    assert _judge(outlook, claims_of(mail)).status is Status.PASSED
    swapped = page.replace("one", "x").replace("two", "one").replace("x", "two")
    outlook.message[HTML] = swapped.encode()
    assert _judge(outlook, claims_of(mail)).status is not Status.PASSED

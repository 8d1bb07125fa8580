"""Header values: text, mailboxes, dates, identifiers, parameters (SPEC §3.6, §3.7)."""

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofmail.core import addresses
from proofmail.core.addresses import MAILBOXES_MAX, mailboxes
from proofmail.core.dates import date_value
from proofmail.core.headers import TEXT_MAX, clean_text, digest_mark
from proofmail.core.model import Mailbox
from proofmail.core.parameters import NAME_MAX, part_header
from proofmail.core.scan import Scan, scan


def text(value: bytes) -> tuple[str, set[str]]:
    defects: set[str] = set()
    return clean_text(value.decode("utf-8", "surrogateescape"), defects), defects


def boxes(*values: str) -> list[tuple[str, str]]:
    return [(box.address, box.name) for box in mailboxes(values, set())]


def head(*lines: bytes) -> Scan:
    return scan(b"\r\n".join([*lines, b"", b"body"]))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b" Hello  \t world ", "Hello world"),
        (b"=?utf-8?Q?caf=C3=A9?=", "café"),
        (b"=?UTF-8?b?Y2Fmw6k=?= x", "café x"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?= \t =?utf-8?q?b?= c", "ab c"),
        (b"=?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=", "éé"),
        (b"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),  # one character over two words
        (b"=?utf-8*fr?Q?a_b?=", "a b"),
        (b"=?windows-1252?Q?=80?=", "€"),
        (b"=?iso-8859-15?Q?=A4?=", "€"),
        (b"=?utf-8?Q?two words?=", "two words"),
        (b"x=?utf-8?Q?y?=z", "xyz"),
        (b"=?utf-8?Q?a=0D=0Ab?=", "a b"),
        ("na\u00efve".encode(), "naïve"),
        (b"=?utf-8?Q?e=CC=81?=", "é"),
        (b"=? nothing ?=", "=? nothing ?="),
        (b"", ""),
    ],
)
def test_text_values(value: bytes, shown: str) -> None:
    assert text(value) == (shown, set())


@pytest.mark.parametrize(
    ("value", "shown", "defect"),
    [
        (b"caf\xe9", "caf\ufffd", "header.undecodable"),
        (b"=?utf-8?Q?=E9?=", "\ufffd", "header.undecodable"),
        (b"=?windows-1252?Q?=81?=", "\ufffd", "header.undecodable"),
        (b"=?us-ascii?Q?=E9?=", "\ufffd", "header.undecodable"),
        (b"\xe2\x82x\xff", "\ufffdx\ufffd", "header.undecodable"),
        (b"=?koi8-x?Q?=C1?=", "=?koi8-x?Q?=C1?=", "header.charset-unknown"),
        (b"a =?x?Q?b?= =?x?Q?c?= d", "a =?x?Q?b?= =?x?Q?c?= d", "header.charset-unknown"),
        (b"=?utf-8?Q?a=4?=", "a=4", "header.encoded-word"),
        (b"=?utf-8?B?YQ?=", "a", "header.encoded-word"),
        ("\u0378\u0301".encode(), "\u0378\u0301", "header.not-normalised"),
    ],
)
def test_text_values_with_defects(value: bytes, shown: str, defect: str) -> None:
    assert text(value) == (shown, {defect})


def test_long_text_ends_with_a_digest_and_equals_no_short_text() -> None:
    short, defects = text(b"x" * TEXT_MAX)
    assert (len(short), defects) == (TEXT_MAX, set())
    one, defects = text(b"x" * TEXT_MAX + b"a")
    other, _ = text(b"x" * TEXT_MAX + b"b")
    assert one != other
    assert one == "x" * TEXT_MAX + digest_mark("x" * TEXT_MAX + "a")
    assert defects == {"header.too-long"}
    assert text(one.encode())[0] != one


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("joe@Example.ORG", [("joe@example.org", "")]),
        ("Joe.Q@EXAMPLE.org, <a@b.c>", [("Joe.Q@example.org", ""), ("a@b.c", "")]),
        ("Joe Doe <joe@x.org>", [("joe@x.org", "Joe Doe")]),
        ('"Doe, Joe" <joe@x.org>', [("joe@x.org", "Doe, Joe")]),
        ('"a \\"b\\" c" <joe@x.org>', [("joe@x.org", 'a "b" c')]),
        ("=?utf-8?Q?Andr=C3=A9?= =?utf-8?Q?_B?= <a@x>", [("a@x", "André B")]),
        ('"=?utf-8?Q?Andr=C3=A9?=" <a@x>', [("a@x", "André")]),
        ("=?utf-8?Q?Doe, Joe?= <a@x>", [("a@x", "Doe, Joe")]),
        ("joe@x.org (Joe (the) Doe)", [("joe@x.org", "Joe (the) Doe")]),
        ("(hi) joe (a) @ (b) X.org (c)", [("joe@x.org", "hi a b c")]),
        ('"joe doe"@X.org', [('"joe doe"@x.org', "")]),
        ('"joe"x@X.org', [('"joe"x@x.org', "")]),
        ("joe@[192.0.2.1]", [("joe@[192.0.2.1]", "")]),
        ("<@a,@b:joe@x.org>", [("joe@x.org", "")]),
        ("J. Doe <joe@x.org>", [("joe@x.org", "J. Doe")]),
        ("joe@x.org <joe@x.org>", [("joe@x.org", "joe@x.org")]),
        ("Friends: a@x, B <b@x>; c@x", [("", "Friends"), ("a@x", ""), ("b@x", "B"), ("c@x", "")]),
        ("undisclosed-recipients:;", [("", "undisclosed-recipients")]),
        ("用户@例え.jp", [("用户@例え.jp", "")]),
        ("a@x,, b@x,", [("a@x", ""), ("b@x", "")]),
        ("joe..x.@docomo.example", [("joe..x.@docomo.example", "")]),
        ("a=?b@x.org", [("a=?b@x.org", "")]),
        ("", []),
    ],
)
def test_mailboxes(value: str, expected: list[tuple[str, str]]) -> None:
    defects: set[str] = set()
    assert [(box.address, box.name) for box in mailboxes([value], defects)] == expected
    assert defects == ({"header.address"} if value.startswith("<@") else set())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("root", [("", "root")]),
        ("joe doe@x.org", [("", "joe doe@x.org")]),
        ("a@b@c, d@x", [("", "a@b@c"), ("d@x", "")]),
        ("Joe <>", [("", "Joe <>")]),
        ("Joe <joe@x.org> Doe", [("", "Joe <joe@x.org> Doe")]),
        ("Joe <joe@x.org, b@x", [("", "Joe <joe@x.org, b@x")]),
        ('ok@x, "never closed <a@x>', [("ok@x", ""), ("", '"never closed <a@x>')]),
        ("ok@x, (never closed a@x", [("ok@x", ""), ("", "(never closed a@x")]),
        ("joe@x.org @y", [("", "joe@x.org @y")]),
        ("joe@.x.org", [("", "joe@.x.org")]),
    ],
)
def test_unreadable_addresses_stay_as_text(value: str, expected: list[tuple[str, str]]) -> None:
    defects: set[str] = set()
    assert [(box.address, box.name) for box in mailboxes([value], defects)] == expected
    assert defects == {"header.address"}


PIECES = 'joe @ x.org . < > , " Doe =?utf-8?q?a?= =?utf-8?q?a a@b <c@d> ?= ? = : ; ( ) \\ [ ] é'
address_like = st.lists(st.sampled_from([" ", "\t", *PIECES.split()]), max_size=12).map("".join)


@given(address_like)
def test_the_common_shapes_read_as_the_tokens_do(value: str) -> None:
    fast, slow = set[str](), set[str]()
    quick = mailboxes([value], fast)
    simple, addresses._SIMPLE = addresses._SIMPLE, re.compile(r"(?!)")
    try:
        assert mailboxes([value], slow) == quick
    finally:
        addresses._SIMPLE = simple
    assert slow == fast


def test_too_many_mailboxes_end_with_a_digest_of_the_rest() -> None:
    many = ", ".join(f"u{i}@x" for i in range(MAILBOXES_MAX))
    assert len(mailboxes([many], set())) == MAILBOXES_MAX
    defects: set[str] = set()
    one = mailboxes([many + ", a@x"], defects)
    assert len(one) == MAILBOXES_MAX + 1
    assert one[-1].address == ""
    assert defects == {"header.too-many-mailboxes"}
    assert one[-1] != mailboxes([many + ", b@x"], set())[-1]
    assert mailboxes([many, "a@x", "b@x"], set())[-1] == Mailbox("", digest_mark("a@x,b@x"))


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Sat, 21 Nov 2026 11:00:00 +0100", "2026-11-21T10:00:00Z"),
        ("21 Nov 2026 10:00 GMT", "2026-11-21T10:00:00Z"),
        ("Sat, 21 Nov 2026 05:00:00 EST (Eastern (US))", "2026-11-21T10:00:00Z"),
        ("Sat,21 nov 26 10 : 00 : 00 z", "2026-11-21T10:00:00Z"),
        ("Fri, 21 Nov 97 09:55:06 -0600", "1997-11-21T15:55:06Z"),
        ("1 Jan 049 00:00:00 +0000", "1949-01-01T00:00:00Z"),
        ("29 Feb 2024 23:59:59 -0001", "2024-03-01T00:00:59Z"),
    ],
)
def test_dates(value: str, moment: str) -> None:
    defects: set[str] = set()
    assert date_value(value, defects) == moment
    assert defects == set()


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "21 Nov 2026 10:00:00",
        "21 Nov 2026 10:00:00 CEST",
        "21 Nov 2026 10:00:00 K",
        "30 Feb 2026 10:00:00 +0000",
        "21 Nov 2026 24:00:00 +0000",
        "21 Nov 2026 23:59:60 +0000",
        "21 Nov 2026 10:00:00 +0160",
        "21 Nov 1026 10:00:00 +0000",
        "31 Dec 9999 23:59:59 -2300",
        "2026-11-21T10:00:00Z",
        "２１ Nov 2026 10:00:00 +0000",
        "",
    ],
)
def test_unreadable_dates_stay_as_text(value: str) -> None:
    defects: set[str] = set()
    assert date_value(value, defects) == "?" + value
    assert defects == {"header.date"}


def test_fields_of_a_message() -> None:
    found = head(
        b"From: Joe <joe@x.org>",
        b"TO: a@x,",
        b"\tb@x",
        b"Subject: one",
        b"  two",
        b"Date: Sat, 21 Nov 2026 10:00:00 +0000",
        b"Message-ID: (x) <id 1@x>",
        b"In-Reply-To: <p@x>",
        b"References: <r@x> <p@x>",
        b"Disposition-Notification-To: joe@x.org",
    )
    assert found.from_ == (Mailbox("joe@x.org", "Joe"),)
    assert [box.address for box in found.to] == ["a@x", "b@x"]
    assert found.cc == ()
    assert found.subject == ("one two",)
    assert found.date == ("2026-11-21T10:00:00Z",)
    assert found.message_id == "id1@x"
    assert found.references == ("p@x", "r@x")
    assert found.receipt_requested
    assert found.defects == ()


def test_duplicates_are_all_taken_and_noted() -> None:
    found = head(b"From: a@x", b"From: b@x", b"Subject: 1", b"Subject: 2", b"Date: x", b"Date: y")
    assert [box.address for box in found.from_] == ["a@x", "b@x"]
    assert found.subject == ("1", "2")
    assert found.date == ("?x", "?y")
    assert found.defects == ("header.date", "header.duplicate")


def test_hundreds_of_subjects_share_one_digest() -> None:
    found = head(b"From: a@x", b"Date: x", *[b"Subject: %d" % i for i in range(103)])
    assert len(found.subject) == 101
    assert found.subject[99] == "99"
    assert found.subject[100] == digest_mark("100\n101\n102")


def test_missing_fields() -> None:
    assert head(b"To: a@x").defects == ("header.missing-date", "header.missing-from")


def name_of(*lines: str) -> tuple[str | None, set[str]]:
    defects: set[str] = set()
    fields: dict[str, list[str]] = {}
    for line in lines:
        field, _, value = line.partition(":")
        fields.setdefault(field, []).append(value)
    return part_header(fields, "text/plain", defects).name, defects


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('content-disposition: attachment; filename="a b.pdf"', "a b.pdf"),
        ("content-disposition: attachment; filename=a (1).pdf; size=3", "a (1).pdf"),
        ('content-type: application/pdf; name="x.pdf"', "x.pdf"),
        ("content-disposition: x; filename*=utf-8''caf%C3%A9", "café"),
        ("content-disposition: x; filename*=iso-8859-1'fr'caf%E9; filename=no", "café"),
        ('content-disposition: x; filename*0=a; filename*1="b c"', "ab c"),
        ("content-disposition: x; filename*1*=%AC; filename*0*=utf-8''%E2%82", "€"),
        ("content-disposition: x; filename*0*=utf-8''%C3; filename*1=a", "\ufffda"),
        ('content-disposition: x; filename="=?utf-8?Q?caf=C3=A9?="', "café"),
        (
            'content-disposition: x; filename="..\\\\..\\a/b\u202egpj.exe"',
            "..\\..\\a/b\u202egpj.exe",
        ),
        ('content-disposition: x; filename="a;b=\\"c\\""', 'a;b="c"'),
        ('content-disposition: x; filename="open', "open"),
        ('content-disposition: x; filename=""', None),
        ("content-disposition: x", None),
    ],
)
def test_names(line: str, name: str | None) -> None:
    found, defects = name_of(line)
    assert found == name
    assert defects <= {"header.undecodable", "header.parameter"}


def test_names_with_defects() -> None:
    assert name_of("content-disposition: x; filename=a; filename=b") == ("a", {"header.parameter"})
    gap = name_of("content-disposition: x; filename*0=a; filename*2=b")
    assert gap == ("a", {"header.parameter"})
    unknown = name_of("content-disposition: x; filename*=koi8-x''%C1")
    assert unknown == ("koi8-x''%C1", {"header.charset-unknown", "header.parameter"})
    long, defects = name_of("content-disposition: x; filename=" + "n" * (NAME_MAX + 1))
    assert long == "n" * NAME_MAX + digest_mark("n" * (NAME_MAX + 1))
    assert defects == {"header.too-long"}


def test_disposition_name_goes_before_type_name() -> None:
    type_line = "content-type: application/pdf; name=t"
    assert name_of(type_line, "content-disposition: x; filename=d")[0] == "d"
    assert name_of(type_line, "content-disposition: x")[0] == "t"


@pytest.mark.parametrize(
    ("value", "kind", "charset", "defective"),
    [
        ("TEXT/HTML; Charset=UTF-8", "text/html", "utf-8", False),
        ('text/plain; charset="iso-8859-1"', "text/plain", "iso-8859-1", False),
        ("text/plain; charset=us-ascii (ok)", "text/plain", "us-ascii", False),
        ("text/plain; charset = utf-8 ;x", "text/plain", "utf-8", False),
        ('text/plain; charset="a b"', "text/plain", "?", False),
        ("text/html (note); charset=utf-8", "text/html", "utf-8", True),
        ("text/html charset=utf-8", "text/html", None, True),
        ("text", "text/plain", None, True),
        ("text/", "text/plain", None, True),
        ("a/b/c", "text/plain", None, True),
        ("", "text/plain", None, True),
        ("image/png; charset=x", "image/png", None, False),
    ],
)
def test_types(value: str, kind: str, charset: str | None, defective: bool) -> None:
    defects: set[str] = set()
    header = part_header({"content-type": [" " + value]}, "message/rfc822", defects)
    assert (header.type, header.charset) == (kind, charset)
    assert ("header.content-type" in defects) == defective
    assert defects <= {"header.content-type", "header.parameter"}


def test_boundaries_have_a_limit_and_are_bytes() -> None:
    def boundary(value: str) -> bytes | None:
        fields = {"content-type": [f'multipart/mixed; boundary="{value}"']}
        return part_header(fields, "text/plain", set()).boundary

    assert boundary("a b ") == b"a b"
    assert boundary("caf\udce9") == b"caf\xe9"
    assert boundary("x" * 256) == b"x" * 256
    assert boundary("x" * 257) is None
    assert boundary(" ") is None


def hostile_addresses(count: int) -> None:
    for unit in ("(", '"', '\\"', "<", ",", "[", "a ", "a@", ":", "=?a?q?", '"\\', ";", "a,"):
        mailboxes([unit * count], set())


def hostile_texts(count: int) -> None:
    for unit in ("=?", "=?a?q?", "=?utf-8?q?=?=", "=?x?q?a?= ", " ", "\u0301", "é ", "=?a?b?"):
        clean_text(unit * count, set())


def hostile_parameters(count: int) -> None:
    for unit in (";", ';a="', "; a=b", '\\"', ";a*0=b", " ", ';"', "a/"):
        name_of("content-type: a/b; name=x" + unit * count)


@pytest.mark.parametrize("hostile", [hostile_addresses, hostile_texts, hostile_parameters])
def test_time_is_linear(hostile: Callable[[int], None]) -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        hostile(count)
        return time.process_time() - start

    once = min(seconds(4_000) for _ in range(2))
    twice = min(seconds(8_000) for _ in range(2))
    assert twice < 5 * once + 0.02

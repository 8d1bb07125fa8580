"""What mail programs read each in its own way leaves a defect or a note, whatever the chunks; and
what ordinary mail has leaves none (SPEC §3.2, §3.7, §3.9)."""

import time

import pytest

from proofmail.core import charsets
from proofmail.core import scan as scan_module
from proofmail.core.parameters import part_header
from proofmail.core.scan import Scan, Scanner, scan

HEAD = "From: a@x\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"


def mail(*lines: str) -> Scan:
    return scan((HEAD + "\r\n".join(lines)).encode())


def mixed(*lines: str) -> Scan:
    return mail("Content-Type: multipart/mixed; boundary=cut", "", *lines)


def field(name: str, value: str) -> set[str]:
    defects: set[str] = set()
    part_header({name: [" " + value]}, "text/plain", defects)
    return defects


# -- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "text/plain", "text/plain;", "text/plain; charset=utf-8", "text/plain;charset=UTF-8 ; ;",
        'text/plain; charset="utf-8"; format=flowed; delsp=yes', "text/html;\tcharset=utf-8",
        "multipart/mixed; boundary=----=_Part_1.2", 'multipart/mixed; boundary="a b:c/d"',
        'multipart/related; start="<a@x>"; type=text/html', 'application/pdf; name="a; (b).pdf"',
        'application/pdf; name=\t"a.pdf"', "application/pdf; name==?utf-8?q?a?=",
        "application/pdf; name*=utf-8''caf%C3%A9; x=y", "application/pdf; name*0=a; name*1=b",
        "application/pdf; name*0*=utf-8''%C3; name*1*=%A9",
        "application/pdf; name*=utf-8''caf%C3%A9; name=\"=?utf-8?q?caf=C3=A9?=\"",
    ],
)  # fmt: skip
def test_ordinary_parameters(value: str) -> None:
    assert field("content-type", value) == set()


@pytest.mark.parametrize(
    "value",
    [
        "text/plain; charset*0=utf-7", "text/plain; charset*=us-ascii''utf-7",
        "text/plain; charset*0*=utf-7", "text/plain; charset=utf-7; charset=utf-8",
        "text/plain; format*=flowed", "text/plain; delsp*0=yes", "multipart/mixed; boundary=a b",
        "multipart/mixed; boundary*=us-ascii''b; boundary=a",
        "multipart/mixed; boundary*0=b; boundary=a", 'multipart/mixed; boundary="a"b',
        "multipart/mixed; (; boundary=a; x=) boundary=b", "multipart/mixed; boundary=a(b)",
        'multipart/mixed; boundary="a "', 'multipart/mixed; boundary="a\\b"',
        "multipart/mixed; boundary = a", "multipart/mixed; boundary", "multipart/mixed; =a",
        'text/plain; x="y; charset=utf-7', 'text/plain; x="y\\"; charset=utf-7', "text/plain; x=",
        "text/plain; ; charset=utf-7", 'text/plain; x="a\x00b"', "a/b; name=a; name*=utf-8''b",
        "a/b; name*=a", "a/b; name*=utf-8''%4", "a/b; name*=x-odd''a", "a/b; name*1=a",
        "a/b; name*0=a; name*2=b", "a/b; name*0=a; name*1*=b", "a/b; name*00=a",
        "a/b; name=a b", "a/b; title*=utf-8''a",
    ],
)  # fmt: skip
def test_parameters_that_programs_read_otherwise(value: str) -> None:
    assert "header.parameter" in field("content-type", value)


@pytest.mark.parametrize(
    "value", ["", '"attachment"', "attachment (x)", "attachment x; filename=a", "; filename=a"]
)
def test_dispositions_that_programs_read_otherwise(value: str) -> None:
    assert field("content-disposition", value) == {"header.parameter"}
    assert field("content-disposition", "attachment ; filename=a") == set()


@pytest.mark.parametrize(
    ("type_name", "disposition_name", "differ"),
    [
        ("name=evil.exe", "filename=a.pdf", True),
        ('name="=?utf-8?q?caf=C3=A9?="', "filename*=iso-8859-1''caf%E9", False),
        ("name=a.pdf", 'filename=""', False),
        ("x=y", "filename=evil.exe; filename*=utf-8''a.pdf", True),
        ("x=y", "filename*0=evil; filename*1=.exe; filename*=utf-8''a.pdf", True),
        ("name=a.pdf", "filename*0=a; filename*1=.pdf", False),
    ],
)
def test_two_names(type_name: str, disposition_name: str, differ: bool) -> None:
    defects: set[str] = set()
    fields = {
        "content-type": [f" a/b; {type_name}"],
        "content-disposition": [f" attachment; {disposition_name}"],
    }
    assert part_header(fields, "text/plain", defects).name is not None
    assert defects == ({"header.parameter"} if differ else set())


def test_what_stands_behind_an_encoding() -> None:
    for value in ("base64;x", "base64 x", "7bit (a)", "base64; "):
        assert field("content-transfer-encoding", value) == {"transfer.parameter"}
    assert field("content-transfer-encoding", "\tBase64 ") == set()
    assert part_header({"content-transfer-encoding": ["base64;x"]}, "", set()).encoding == "base64"


@pytest.mark.parametrize("unit", ["; a=b", '; a="b"', ";", " ", "; name*0=a", "=", '"', "\\", "("])
def test_parameters_take_linear_time(unit: str) -> None:
    def seconds(count: int) -> float:
        begin = time.process_time()
        field("content-type", "a/b; name=x" + unit * count + "(")
        return time.process_time() - begin

    once = min(seconds(20_000) for _ in range(2))
    twice = min(seconds(40_000) for _ in range(2))
    assert twice < 5 * once + 0.02


# -- header lines --------------------------------------------------------------------------------


def test_a_header_line_of_blanks() -> None:
    for line in (" ", "\t ", "  \t"):
        found = mail("Subject: a", line, "To: b@x", "", "body")
        assert found.defects == ("header.blank-line",)
        assert found.to[0].address == "b@x"
        assert mixed("--cut", "X-A: b", line, "", "body", "--cut--").defects == found.defects
    assert mail("Subject: a", "  b", "", " ", "body").defects == ()


def test_a_blank_before_the_colon() -> None:
    for line in ("Subject : a", "X-Any\t: a"):
        assert mail(line, "", "body").defects == ("header.blank-before-colon",)
        assert mail("X: y", line).defects == ("header.blank-before-colon",)
    assert mail("Subject : a", "", "body").subject == ("a",)
    assert mail("Subject: a : b", " c : d", "", "body").defects == ()


# -- boundaries ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["--cutX", "--cut" + " " * 1_001, "--cut--X", "--cut X", "--cut-", "--cut" + "X" * 9_999],
)
@pytest.mark.parametrize("place", ["text", "preamble", "header", "end"])
def test_a_line_that_begins_like_a_delimiter(line: str, place: str) -> None:
    whole = {
        "text": ["--cut", "", "a", line, "b", "--cut--"],
        "preamble": [line, "--cut", "", "a", "--cut--"],
        "header": ["--cut", "X-A: b", line + ": c", "", "a", "--cut--"],
        "end": ["--cut", "", "a", line],
    }[place]
    found = mixed(*whole)
    assert "structure.near-boundary" in found.defects
    if line != "--cut X" and place == "header":
        assert len(found.parts) == 1


@pytest.mark.parametrize("size", [1, 5, 999, 1_000, 1_004])
@pytest.mark.parametrize("end", ["", "\r\n", "\r\nb\r\n--cut--"])
def test_it_is_seen_for_any_chunks(monkeypatch: pytest.MonkeyPatch, size: int, end: str) -> None:
    monkeypatch.setattr(scan_module, "_GATHER_BYTES", 1)
    for line in ("--cut" + " " * 1_001, "--cut" + "x" * 3_000, "--cutX"):
        text = HEAD + "Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\na\r\n"
        data = (text + line + end).encode()
        scanner = Scanner()
        for start in range(0, len(data), size):
            scanner.feed(data[start : start + size])
        found = scanner.finish()
        assert "structure.near-boundary" in found.defects
        assert found == scan(data)


def test_boundaries_that_begin_alike_are_no_defect() -> None:
    for outer, inner in (("cut", "cut-1"), ("cut-1", "cut")):
        found = mail(
            f"Content-Type: multipart/mixed; boundary={outer}",
            *("", f"--{outer}", f"Content-Type: multipart/mixed; boundary={inner}", ""),
            *(f"--{inner}", "", "a", f"--{inner}--", f"--{outer} ", "", "b", f"--{outer}--"),
        )
        assert found.defects == ()
        assert [part.path for part in found.parts] == ["1.1", "2"]
    assert mixed("--cut", "", "-- ", "--cu", "--", " --cutX", "x--cutX", "--cut--").defects == ()


# -- charsets ------------------------------------------------------------------------------------


def test_no_single_octet_is_a_control_above_7f() -> None:
    names = [f"iso-8859-{number}" for number in range(1, 17) if number != 12]
    for name in [*names, "windows-1252", "windows-1251", "koi8-r"]:
        if charsets.canonical(name) is None:
            continue
        for octet in range(0x80, 0xA0):
            text, clean = charsets.decode_replacing(bytes((octet,)), name)
            assert not "\x80" <= text < "\xa0"
            assert clean == (text != "\ufffd")
    assert charsets.decode_replacing(b"\x96", "iso-8859-1") == ("\ufffd", False)
    assert charsets.decode(b"\xa0\xff", "iso-8859-1") == "\xa0\xff"


@pytest.mark.parametrize("charset", ["iso-8859-1", "iso-8859-15"])
def test_octets_that_programs_take_for_signs(charset: str) -> None:
    found = scan(
        f"{HEAD}Subject: =?{charset}?q?=96100?=\r\nContent-Type: text/plain; charset={charset}"
        "\r\n\r\n".encode()
        + b"\x96100 \x80"
    )
    assert found.subject == ("\ufffd100",)
    assert found.defects == ("header.undecodable",)
    assert found.parts[0].notes == ("text.undecodable",)


# -- notes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "notes"),
    [
        ("text/plain; charset=x-odd; format=flowed", ("text.charset-unknown", "text.flowed")),
        ("text/plain; format=Flowed; delsp=YES", ("text.delsp", "text.flowed")),
        ("text/plain; delsp=yes", ()), ("text/html; format=flowed", ()),
        ("text/calendar; method=REQUEST", ("method.request",)),
        ("text/calendar; method=odd", ("method.other",)), ("text/calendar", ()),
        ("application/pdf; method=request", ()),
    ],
)  # fmt: skip
def test_notes_of_a_parts_own_header(kind: str, notes: tuple[str, ...]) -> None:
    assert mail(f"Content-Type: {kind}", "", "a").parts[0].notes == notes


def test_notes_of_the_multiparts_around() -> None:
    found = mixed(
        *("--cut", "Content-Type: multipart/alternative; boundary=b", "", "--b", "", "text"),
        *("--b", "Content-Type: multipart/related; boundary=c", "", "--c", "", "root"),
        *("--c", "Content-Type: message/rfc822", "", "S: x", "", "enclosed", "--c--", "--b--"),
        *("--cut", "Content-Type: multipart/x-odd; boundary=b", "", "--b", "", "odd", "--b--"),
        *("--cut", "", "last", "--cut--", ""),
    )
    assert [(part.path, part.notes) for part in found.parts] == [
        ("1.1", ("in.alternative",)),
        ("1.2.1", ("in.2.alternative", "in.related")),
        ("1.2.2", ("in.2.alternative", "in.related")),
        ("1.2.2.1", ()),
        ("2.1", ("in.other",)),
        ("3", ("in.mixed",)),
    ]
    assert found.defects == ()


@pytest.mark.parametrize(
    ("start", "identifiers", "defects"),
    [
        ("", ["<a@x>", "<b@x>"], ()), ('; start="<a@x>"', ["<a@x>", "<b@x>"], ()),
        ("; start=<b@x>", ["<a@x>", "<b@x>"], ("structure.start",)),
        ("; start=<none@x>", ["<a@x>", "<b@x>"], ("structure.start",)),
    ],
)  # fmt: skip
def test_a_root_that_is_not_the_first_part(
    start: str, identifiers: list[str], defects: tuple[str, ...]
) -> None:
    parts = [line for name in identifiers for line in ("--c", f"Content-ID: {name}", "", "a")]
    kind = f"Content-Type: multipart/related; boundary=c{start}"
    assert mail(kind, "", *parts, "--c--").defects == defects

"""The structure of messages: paths, roles, delimiters, caps (SPEC §3.2)."""

import base64
import hashlib
import time

import pytest

from proofmail.core.mime import ENCLOSED_MAX, PARTS_MAX, Findings, Structure
from proofmail.core.scan import Scan, Scanner, scan

HEAD = b"From: a@x\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"


def mail(*lines: str) -> bytes:
    return HEAD + "\r\n".join(lines).encode()


def mixed(*lines: str) -> Scan:
    return scan(mail('Content-Type: multipart/mixed; boundary="X"', "", *lines))


def contents(found: Scan) -> list[tuple[str, bytes]]:
    return [(part.path, part.fingerprints[0].sha256) for part in found.parts]


def expect(*pairs: tuple[str, bytes]) -> list[tuple[str, bytes]]:
    return [(path, hashlib.sha256(content).digest()) for path, content in pairs]


def test_single_part_keeps_every_byte() -> None:
    found = scan(mail("", "hello\r\n.\r\n"))
    assert contents(found) == expect(("1", b"hello\r\n.\r\n"))
    part = found.parts[0]
    assert (part.role, part.type, part.charset, part.name) == ("body", "text/plain", None, None)
    whole = mail("", "hello\r\n.\r\n")
    assert found.fingerprints[0].rule == "raw/1"
    assert found.fingerprints[0].sha256 == hashlib.sha256(whole).digest()
    assert found.fingerprints[0].size_bytes == len(whole)
    assert found.fingerprints[0].sha3_256 is None
    sha3 = hashlib.sha3_256(b"hello\r\n.\r\n").digest()
    assert (part.fingerprints[0].rule, part.fingerprints[0].sha3_256) == ("decoded/1", sha3)
    assert part.fingerprints[0].size_bytes == 10
    assert found.defects == ()


def test_line_end_before_a_delimiter_belongs_to_it() -> None:
    found = mixed("--X", "", "one", "", "--X", "", "two", "--X--", "")
    assert contents(found) == expect(("1", b"one\r\n"), ("2", b"two"))
    assert found.defects == ()


def test_delimiters_are_whole_lines() -> None:
    body = "--XY\r\n--\r\n --X\r\n--X--Y\r\nt--X\r\n--x\r\n--X-"
    found = mixed("--X \t", "", body, "--X-- ", "")
    assert contents(found) == expect(("1", body.encode()))
    assert found.defects == ("structure.near-boundary",)


def test_lone_line_feeds_end_lines_and_lone_carriage_returns_do_not() -> None:
    raw = b"From: a@x\nDate: x\nContent-Type: multipart/mixed; boundary=X\n\n--X\n\na\r--X\n--X--\n"
    found = scan(raw)
    assert contents(found) == expect(("1", b"a\r--X"))


def test_nested_paths_and_enclosed_messages() -> None:
    found = mixed(
        *("--X", 'Content-Type: multipart/alternative; boundary="Y"', ""),
        *("--Y", "", "plain", "--Y", "Content-Type: text/html", "", "<p>", "--Y--"),
        *("--X", "Content-Type: message/rfc822", ""),
        *('Content-Type: multipart/mixed; boundary="Z"', "", "--Z", "", "in", "--Z"),
        *("Content-Type: message/rfc822", "", "Subject: deep", "", "deepest", "--Z--"),
        *("--X", "Content-Type: message/rfc822", "", "Subject: s", "", "single", "--X--", ""),
    )
    assert [(part.path, part.role) for part in found.parts] == [
        ("1.1", "body"),
        ("1.2", "body"),
        ("2", "message"),
        ("2.1", "body"),
        ("2.2", "message"),
        ("2.2.1", "body"),
        ("3", "message"),
        ("3.1", "body"),
    ]
    assert (
        found.parts[6].fingerprints[0].sha256
        == hashlib.sha256(b"Subject: s\r\n\r\nsingle").digest()
    )
    assert found.defects == ()


def test_encoded_enclosed_message_is_decoded_and_taken_apart() -> None:
    inner = b"Subject: x\r\n\r\n" + b"inner body\r\n" * 50
    encoded = base64.encodebytes(inner).decode().replace("\n", "\r\n")
    found = mixed(
        "--X",
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: base64",
        "",
        encoded + "--X--",
    )
    assert contents(found) == expect(("1", inner), ("1.1", b"inner body\r\n" * 50))


def test_a_whole_message_that_is_a_message() -> None:
    found = scan(mail("Content-Type: message/rfc822", "", "Subject: x", "", "body"))
    assert [(part.path, part.role) for part in found.parts] == [("1", "message"), ("1.1", "body")]


def test_digest_parts_are_messages() -> None:
    found = scan(
        mail("Content-Type: multipart/digest; boundary=X", "", "--X", "", "S: x", "", "b", "--X--")
    )
    assert [(part.path, part.type) for part in found.parts] == [
        ("1", "message/rfc822"),
        ("1.1", "text/plain"),
    ]


def test_outer_delimiter_ends_what_is_open_inside() -> None:
    found = mixed(
        *("--X", "Content-Type: multipart/mixed; boundary=Y", "", "--Y", "", "a"),
        *("--X", "", "b", "--X--", ""),
    )
    assert contents(found) == expect(("1.1", b"a"), ("2", b"b"))
    assert found.defects == ("structure.unclosed",)


def test_same_boundary_inside_means_the_inner_one() -> None:
    found = mixed(
        *("--X", "Content-Type: multipart/mixed; boundary=X", "", "--X", "", "a", "--X--"),
        *("--X", "", "b", "--X--", ""),
    )
    assert contents(found) == expect(("1.1", b"a"), ("2", b"b"))
    assert found.defects == ()


@pytest.mark.parametrize(
    ("lines", "defect"),
    [
        (["before", "--X", "", "a", "--X--", ""], "structure.preamble"),
        (["--X", "", "a", "--X--", "after"], "structure.epilogue"),
        (["--X", "", "a", "--X--", "--X", "", "late"], "structure.epilogue"),
        (["--X", "", "a"], "structure.unclosed"),
        (["--X", "", "a", "--X"], "structure.unclosed"),
        (["--X", "A: b", "--X--", ""], "header.no-separator"),
        (["--X", "no field", "--X--", ""], "header.no-separator"),
    ],
)
def test_structure_defects(lines: list[str], defect: str) -> None:
    assert defect in mixed(*lines).defects


def test_multiparts_without_parts_or_boundary() -> None:
    assert mixed("nothing").parts == ()
    assert mixed("nothing").defects == (
        "structure.no-parts",
        "structure.preamble",
        "structure.unclosed",
    )
    found = scan(mail("Content-Type: multipart/mixed", "", "text"))
    assert [(part.path, part.type, part.role) for part in found.parts] == [
        ("1", "multipart/mixed", "attachment")
    ]
    assert found.defects == ("structure.no-boundary",)


def test_header_lines_that_are_no_fields() -> None:
    found = scan(HEAD + b"no field here\r\n\r\nrest")
    assert contents(found) == expect(("1", b"no field here\r\n\r\nrest"))
    assert found.defects == ("header.no-separator",)
    found = scan(b"From joe Sat Nov 21\r\n" + HEAD + b"\r\nrest")
    assert contents(found) == expect(("1", b"rest"))
    assert found.defects == ("header.mbox-line",)
    assert contents(scan(b" leading\r\n\r\nx")) == expect(("1", b" leading\r\n\r\nx"))
    assert contents(scan(HEAD)) == expect(("1", b""))
    assert contents(scan(b"")) == expect(("1", b""))


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\nx", b"--"])
def test_a_first_body_line_without_separator_may_be_a_delimiter(end: bytes) -> None:
    message = HEAD + b"Content-Type: multipart/mixed; boundary=X\r\n--X" + end
    parts = 0 if end == b"--" else 1
    structure = Structure(findings := Findings())
    for place in range(len(message)):
        structure.feed(message[place : place + 1])
    structure.finish()
    assert len(scan(message).parts) == len(findings.parts) == parts
    assert scan(message).parts == tuple(findings.parts)
    assert "header.no-separator" in findings.defects


@pytest.mark.parametrize(
    ("lines", "role"),
    [
        (["Content-Type: text/plain"], "body"),
        (["Content-Type: text/html", "Content-ID: <x>"], "body"),
        (["Content-Type: text/html", "Content-Disposition: inline"], "body"),
        (["Content-Type: text/plain; name=x"], "attachment"),
        (["Content-Type: text/plain", "Content-Disposition: attachment"], "attachment"),
        (["Content-Type: text/plain", "Content-Disposition: unheard-of"], "attachment"),
        (["Content-Type: text/calendar", "Content-Disposition: inline"], "attachment"),
        (["Content-Type: image/png"], "attachment"),
        (["Content-Type: image/png", "Content-ID: <x>"], "inline"),
        (["Content-Type: image/png", "Content-Disposition: INLINE; filename=x"], "inline"),
        (["Content-ID: <x>", "Content-Type: a/b", "Content-Disposition: x"], "attachment"),
        (["Content-Type: message/rfc822", "Content-Disposition: attachment"], "message"),
        (["Content-Type: message/delivery-status"], "report"),
        (["Content-Type: message/disposition-notification"], "report"),
        (["Content-Type: message/partial"], "attachment"),
        (["nonsense"], "body"),
    ],
)
def test_roles(lines: list[str], role: str) -> None:
    assert mixed("--X", *lines, "", "c", "--X--").parts[0].role == role


def test_notes_name_transfer_leniencies_and_missing_text() -> None:
    found = mixed(
        *("--X", "Content-Type: text/plain; charset=koi8-x", "", "c"),
        *("--X", "Content-Type: image/png", "Content-Transfer-Encoding: base64", "", "QQ", "--X--"),
    )
    assert [part.notes for part in found.parts] == [
        ("in.mixed", "text.charset-unknown"),
        ("in.mixed", "transfer.base64-padding"),
    ]
    assert found.defects == ("transfer.base64-padding",)
    assert [f.rule for f in found.parts[0].fingerprints] == ["decoded/1"]


def test_encoded_multipart_is_read_as_it_stands() -> None:
    found = scan(
        mail(
            "Content-Type: multipart/mixed; boundary=X",
            "Content-Transfer-Encoding: base64",
            *("", "--X", "", "a", "--X--", ""),
        )
    )
    assert contents(found) == expect(("1", b"a"))
    assert found.defects == ("transfer.on-multipart",)


def nested(levels: int) -> bytes:
    lines = [f"Content-Type: multipart/mixed; boundary=b{0}", ""]
    for i in range(1, levels):
        lines += [f"--b{i - 1}", f"Content-Type: multipart/mixed; boundary=b{i}", ""]
    return mail(*lines, f"--b{levels - 1}", "", "leaf")


def enclosed(levels: int) -> bytes:
    return mail(*["Content-Type: message/rfc822", ""] * levels, "", "leaf")


@pytest.mark.parametrize(
    ("inside", "beyond", "defect"),
    [
        (nested(49), nested(50), "structure.too-deep"),
        (enclosed(ENCLOSED_MAX), enclosed(ENCLOSED_MAX + 1), "structure.too-deep"),
        (
            mail("Content-Type: multipart/mixed; boundary=X", "", *["--X", "", "p"] * PARTS_MAX),
            mail("Content-Type: multipart/mixed; boundary=X", "", *["--X", "", ""] * 501),
            "structure.too-many-parts",
        ),
        (
            HEAD + b"X: " + b"x" * (1_048_576 - len(HEAD) - 7) + b"\r\n\r\nbody",
            HEAD + b"X: " + b"x" * (1_048_576 - len(HEAD) - 6) + b"\r\n\r\nbody",
            "header.too-large",
        ),
        (
            mail(
                "Content-Type: multipart/mixed; boundary=X",
                "",
                "--X",
                "a: " + "x" * 262_137,
                "",
                "",
            ),
            mail(
                "Content-Type: multipart/mixed; boundary=X",
                "",
                "--X",
                "a: " + "x" * 262_138,
                "",
                "",
            ),
            "header.too-large",
        ),
    ],
    ids=["depth", "enclosed", "parts", "message-header", "part-header"],
)
def test_caps(inside: bytes, beyond: bytes, defect: str) -> None:
    good = scan(inside)
    assert good.parts
    assert defect not in good.defects
    for size in (1 << 20, 65_536, 4_099):
        scanner = Scanner()
        for start in range(0, len(beyond), size):
            scanner.feed(beyond[start : start + size])
        found = scanner.finish()
        assert found.parts == ()
        assert found.defects == (defect,)
        assert found.fingerprints[0].sha256 == hashlib.sha256(beyond).digest()


def test_a_cap_keeps_the_header_and_what_its_values_say() -> None:
    found = scan(nested(60).replace(b"From: a@x", b"From: root"))
    assert found.from_[0].name == "root"
    assert found.defects == ("header.address", "structure.too-deep")
    later = scan(nested(60).replace(b"--b0", b"preamble\r\n--b0", 1))
    assert later.defects == ("structure.too-deep",)
    no_header = scan(b"x" * 1_100_000)
    assert (no_header.from_, no_header.defects) == ((), ("header.too-large",))


@pytest.mark.parametrize(
    "unit",
    [
        b"--\r\n",
        b"--XY\r\n",
        b"--X\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"x",
        b"--X--\r\n",
        b"--X",
        b"a:b\r\n",
    ],
)
def test_time_is_linear_in_what_is_repeated(unit: bytes) -> None:
    start = mail("Content-Type: multipart/mixed; boundary=X", "", "--X", "", "")

    def seconds(count: int) -> float:
        begin = time.process_time()
        scan(start + unit * count)
        return time.process_time() - begin

    once = min(seconds(40_000) for _ in range(3))
    twice = min(seconds(80_000) for _ in range(3))
    assert twice < 5 * once + 0.02


def test_a_line_costs_the_same_however_deep_it_stands() -> None:
    filler = b"\r\n" + b"--b\r\n" * 40_000

    def seconds(message: bytes) -> float:
        begin = time.process_time()
        assert scan(message).parts
        return time.process_time() - begin

    deep = min(seconds(nested(49) + filler) for _ in range(3))
    shallow = min(seconds(nested(4) + filler) for _ in range(3))
    assert deep < 4 * shallow


def test_the_example_of_the_specification() -> None:
    # SPEC §3, the example; the last digest by `printf Hello | sha256sum`.
    message = (
        b"From: Joe <joe@Example.org>\r\nDate: Sat, 21 Nov 2026 11:00:00 +0100\r\n"
        b"Subject: =?utf-8?Q?caf=C3=A9?=\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"\r\nHello  \r\n"
    )
    found = scan(message)
    part = found.parts[0]
    assert (part.path, part.role, part.type, part.charset) == ("1", "body", "text/plain", "utf-8")
    decoded, text, words = part.fingerprints
    assert (decoded.rule, decoded.size_bytes) == ("decoded/1", 9)
    assert decoded.sha256 == hashlib.sha256(b"Hello  \r\n").digest()
    assert (text.rule, text.size_bytes) == ("text/1", 5)
    assert (words.rule, words.size_bytes, words.sha256) == ("words/1", 5, text.sha256)
    assert text.sha256.hex() == "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969"
    assert (found.from_[0].address, found.from_[0].name) == ("joe@example.org", "Joe")
    assert (found.subject, found.date) == (("café",), ("2026-11-21T10:00:00Z",))
    assert (found.defects, part.notes) == ((), ())

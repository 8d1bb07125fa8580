"""Hostile families of input cost time in proportion to their size.

Measured in processor time on a size that takes over 100 ms, so that a busy machine does not
decide; a family of which a megabyte takes less than that is let through.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from proofmail.core.canonical import decode, decode_lenient
from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from proofmail.errors import Unreadable
from proofmail.verify.containers import judge
from proofmail.verify.copies import Copy
from proofmail.verify.dossier import read_evidence
from tests.making import MAIL, claims_of
from tests.verify import pdf_maker
from tests.verify.msg_maker import Outlook, make_compound

ENOUGH_SECONDS = 0.1
FIRST_BYTES, MOST_BYTES = 16_384, 1_048_576
TRIES = 8

HEAD = b"From: a@x\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
CLAIMS = claims_of(MAIL)


@pytest.fixture(autouse=True, scope="module")
def _collections() -> Iterator[None]:
    """A collection walks over what all tests before these left: that is not the input's cost."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def _seconds(work: Callable[[bytes], object], data: bytes) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work(data)
        return time.process_time() - start
    finally:
        gc.enable()


def _assert_linear(work: Callable[[bytes], object], made: Callable[[int], bytes]) -> None:
    size = FIRST_BYTES
    while _seconds(work, made(size)) < ENOUGH_SECONDS:
        size *= 2
        if size > MOST_BYTES:
            return
    once = twice = float("inf")
    for _ in range(TRIES):  # the least of each: what disturbs only adds
        once = min(once, _seconds(work, made(size)))
        twice = min(twice, _seconds(work, made(2 * size)))
        if twice < 3.5 * once:
            return
    pytest.fail(f"{size} bytes take {once:.2f} s, twice as many {twice:.2f} s")


def _filled(before: bytes, unit: bytes, after: bytes = b"") -> Callable[[int], bytes]:
    return lambda size: before + unit * (size // len(unit) + 1) + after


def _field(name: bytes) -> bytes:
    return HEAD + name + b": "


def _part(kind: bytes) -> bytes:
    return HEAD + b"Content-Type: " + kind + b"\r\n\r\n"


HTML = _part(b"text/html; charset=utf-8")
UTF8 = _part(b"text/plain; charset=utf-8")
FLOWED = _part(b"text/plain; charset=utf-8; format=flowed")
QUOTED = _part(b"text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable")
BASE64 = _part(b"text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64")
MIXED = _part(b"multipart/mixed; boundary=X")
DEEP = HEAD + b"".join(
    b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n" % (b"B" * n, b"B" * n)
    for n in range(200, 245)
)
ENCLOSED = HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 10
NAMES = b"".join(b"; filename*%d=a" % n for n in range(999))
PARAMETERS = b"".join(b"; a%d*=utf-8''%%41" % n for n in range(60_000))
STYLE = b'<p style="' + b"color:#000;" * 5_000 + b'">'
MARKS = "e\u0301\u0327".encode()

MAILS: dict[str, tuple[bytes, bytes]] = {
    "less-thans": (HTML, b"<"),
    "open-tags": (HTML, b"<a "),
    "open-quotes": (HTML, b"<a b='"),
    "open-comments": (HTML, b"<!-- "),
    "open-sections": (HTML, b"<![CDATA["),
    "processing": (HTML, b"<?"),
    "ends": (HTML, b"</"),
    "entities": (HTML, b"&#65;&amp;"),
    "ampersands": (HTML, b"&a"),
    "paragraphs": (HTML, b"<p>"),
    "attributes": (HTML, b"<p " + b"a=b " * 9_000 + b">"),
    "declarations": (HTML, STYLE),
    "open-sheets": (HTML, b"<style>" + b"p{" * 9_000 + b"</style>"),
    "sheet-comments": (HTML, b"<style>" + b"/*" * 9_000 + b"</style>"),
    "islands": (HTML, b"<!--[if mso]><style>p{color:red}</style><![endif]-->"),
    "addresses": (_field(b"To"), b'"a" <"a" '),
    "open-strings": (_field(b"To"), b'"'),
    "open-comment-marks": (_field(b"To"), b"("),
    "comments": (_field(b"To"), b"(a)"),
    "separators": (_field(b"To"), b";"),
    "ats": (_field(b"To"), b"@"),
    "routes": (_field(b"To"), b"<@a:"),
    "words": (_field(b"Subject"), b"=?utf-8?q?a?= "),
    "open-words": (_field(b"Subject"), b"=?utf-8?q?"),
    "date-comments": (_field(b"Date"), b"("),
    "identifiers": (_field(b"References"), b"<a"),
    "parameters": (_field(b"Content-Type") + b"a/b", PARAMETERS),
    "sections": (_field(b"Content-Disposition") + b"a", NAMES),
    "same-sections": (_field(b"Content-Disposition") + b"a", b"; filename*0*=a''b"),
    "parameter-strings": (_field(b"Content-Type") + b"a/b", b';a="\\'),
    "folds": (_field(b"To"), b"\r\n b"),
    "fields": (HEAD, b"X: a\r\n"),
    "blank-folds": (HEAD, b"To: a\r\n \r\n"),
    "look-alikes": (MIXED + b"--X\r\n\r\n", b"--XY\r\n"),
    "dashes": (MIXED + b"--X\r\n\r\n", b"\r\n--"),
    "parts": (MIXED, b"--X\r\n\r\n"),
    "reopened": (MIXED, _part(b"multipart/mixed; boundary=Y")[len(HEAD) :] + b"--Y\r\n\r\n--X\r\n"),
    "deep-look-alikes": (DEEP + b"\r\n", b"--" + b"B" * 150 + b"\r\n"),
    "enclosed": (ENCLOSED + b"\r\n", b"--abc\r\n"),
    "depth": (FLOWED, b">"),
    "soft-lines": (FLOWED, b"> a \r\n"),
    "soft-breaks": (QUOTED, b"=\r\n"),
    "blank-ends": (QUOTED, b" \n"),
    "malformed-pairs": (QUOTED, b"=Z"),
    "junk": (BASE64, b"!"),
    "short-quanta": (BASE64, b"A\r\n"),
    "marks": (UTF8, MARKS),
    "combining": (UTF8, "\u0301".encode()),
    "wide": (UTF8, "\U0001d15e".encode()),
    "returns": (UTF8, b"\r"),
    "reports": (
        _part(b"multipart/report; boundary=X")
        + b"--X\r\nContent-Type: message/delivery-status\r\n\r\n",
        b"a:\n ",
    ),
    "quoted-receipts": (UTF8, b"Original-Message-ID:\n"),
}


@pytest.mark.parametrize("family", MAILS)
def test_a_mail_costs_in_proportion(family: str) -> None:
    before, unit = MAILS[family]
    _assert_linear(lambda data: mail_claims(scan(data)), _filled(before, unit, b"\r\n\r\nx"))


def _read(reader: Callable[[bytes], object]) -> Callable[[bytes], object]:
    def work(data: bytes) -> None:
        with suppress(Unreadable):
            reader(data)

    return work


OBJECT = pdf_maker.HEADER + b"1 0 obj\n"
FILES: dict[str, tuple[Callable[[bytes], object], bytes, bytes, bytes]] = {
    "nesting": (decode, b"", b"[", b""),
    "pairs": (decode_lenient, b"[", b"[],", b"[]]"),
    "open-objects": (decode, b"", b'{"a":', b""),
    "strings": (decode_lenient, b'["', b'\\"', b'"]'),
    "brackets-in-strings": (decode_lenient, b"[", b'"[",', b"1]"),
    "pdf-strings": (read_evidence, OBJECT, b"(", b""),
    "pdf-names": (read_evidence, OBJECT + b"[", b"/a", b"]\nendobj\n"),
    "pdf-numbers": (read_evidence, OBJECT + b"[", b"1 0 ", b"]\nendobj\n"),
    "pdf-arrays": (read_evidence, OBJECT, b"[", b""),
    "pdf-sections": (read_evidence, pdf_maker.HEADER + b"xref\n", b"0 1\n", b""),
    "pdf-references": (read_evidence, OBJECT + b"[", b"1 0 R ", b"]\nendobj\n"),
}


@pytest.mark.parametrize("family", FILES)
def test_a_proof_or_dossier_costs_in_proportion(family: str) -> None:
    reader, before, unit, after = FILES[family]
    _assert_linear(_read(reader), _filled(before, unit, after))


MANY = _part(b"multipart/mixed; boundary=X") + b"".join(
    b"--X\r\n\r\npart %d\r\n" % n for n in range(500)
)
COPIES: dict[str, tuple[str, bytes]] = {
    "from-lines": ("a.mbox", b"From a@b x\nFrom: x@y\n\nhi\n\n"),
    "marks": ("a.mbox", b">From \n"),
    "long-marks": ("a.mbox", b">" * 900 + b"From \n"),
    "bare-separators": ("a.mbox", b"\n\nFrom a\n"),
    "identifiers": ("a.mbox", b"Message-ID: \n"),
    "heads": ("a.txt", b"a:\n"),
    "soft-texts": ("a.txt", b"> a \n"),
    "fields": ("a", b"a: b\n c\n"),
    "pages": ("a.html", b"<"),
}


@pytest.mark.parametrize("family", COPIES)
def test_a_copy_costs_in_proportion(family: str) -> None:
    name, unit = COPIES[family]
    before = b"From a@b x\nFrom: x@y\n" if name.endswith(".mbox") else b""
    _assert_linear(lambda data: judge(Copy(name, lambda: [data]), CLAIMS), _filled(before, unit))


def test_a_box_costs_little_more_against_a_mail_of_many_parts() -> None:
    """Found here: each part of each message was compared with each of the proof's 500."""
    box = b"From a@b x\nFrom: x@y\n\nhi\n\n" * 1_000
    copy = Copy("a.mbox", lambda: [box])
    many = claims_of(MANY)
    assert many["message.parts"] == 500
    for _ in range(TRIES):
        few_seconds = _seconds(lambda _: judge(copy, CLAIMS), b"")
        many_seconds = _seconds(lambda _: judge(copy, many), b"")
        if many_seconds < 4 * few_seconds:
            return
    pytest.fail(f"{few_seconds:.2f} s against one part, {many_seconds:.2f} s against 500")


def _compound(size: int) -> bytes:
    empty = {f"__substg1.0_{number:08X}": b"" for number in range(size // 128)}
    return make_compound({"__properties_version1.0": bytes(32), **empty})


def _outlook(size: int) -> bytes:
    files = [{0x3705: 1, 0x3707: f"a{n}", 0x3701: b"x"} for n in range(size // 700)]
    return Outlook({0x001A: "IPM.Note"}, [], files).to_bytes()  # type: ignore[arg-type]


@pytest.mark.parametrize("made", [_compound, _outlook])
def test_an_outlook_file_costs_in_proportion(made: Callable[[int], bytes]) -> None:
    _assert_linear(lambda data: judge(Copy("a.msg", lambda: [data]), CLAIMS), made)

"""The compiled scanner says what its sources say, and nothing that it is given can crash it."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofmail import COMPILED
from proofmail.compiled import CORE, RECORD_NAME, is_compiled, record
from proofmail.core.addresses import mailboxes
from proofmail.core.claims import check_claim
from proofmail.core.leaf import Leaf
from proofmail.core.mime import DEPTH_MAX, ENCLOSED_MAX, Structure
from proofmail.core.parameters import part_header
from proofmail.core.scan import Scan, Scanner, scan
from proofmail.core.shape import digest, members
from proofmail.core.transfer import Base64, QuotedPrintable
from proofmail.core.unicode14 import nfc
from proofmail.errors import Unreadable
from tests.core.from_sources import reading, receive, send
from tests.core.html_pages import LAYOUTS, Content
from tests.core.test_scan_chunks import HEAD, messages
from tests.core.test_scan_corpus import CORPUS
from tests.core.test_scan_corpus import messages as real_messages
from tests.core.test_scan_structure import nested
from tests.parts import give_up

CURE = "needs the compiled scanner: gcc and python3-dev, then make"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def from_sources() -> Iterator[Callable[[bytes, int], bytes]]:
    """Reads a message in a process that loads no compiled module."""
    if not COMPILED:
        give_up(CURE)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.core.from_sources"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        to, back = process.stdin, process.stdout
        assert to is not None
        assert back is not None

        def ask(message: bytes, size: int) -> bytes:
            send(to, size.to_bytes(4, "big"), message)
            answer = receive(back)
            assert answer is not None
            return answer

        yield ask
        to.close()


HEADERS = (
    "From: =?utf-8?q?J=C3=A9?= <a@x>, grp: b@y (c), \"q\\\"\" <c@z>;, no address",
    "To: <@r:a@b>", "Cc: \udcff@x", "Subject: =?iso-8859-1?b?6Q==?= =?utf-8?q?=E2=82?=\t e\u0301",
    "Date: (c) Sat, 21 Nov 26 10:00 EST", "Date: 31 Feb 2026 10:00:00 +9999", "Message-ID: <a@b>",
    "References: <a@b> <c> <", "Content-Type: text/plain; charset=iso-8859-15; format=flowed",
    "Content-Type: text/html; charset=utf-8", "Content-Type: TEXT/HTML; charset=nonsense",
    "Content-Type: multipart/mixed; boundary=\"X\"; boundary=Y", "Content-Type: message/rfc822",
    "Content-Type: a/b; name*0*=utf-8''%c3; name*1*=%a9; name*2=x; name=\"\u00e9\"",
    "Content-Disposition: attachment; filename*=utf-9''a", "Content-Transfer-Encoding: base64",
    "Content-Transfer-Encoding: quoted-printable", "Content-Type: message/delivery-status",
    "Final-Recipient: rfc822; a@b", "Disposition: manual-action; displayed/x",
    "Original-Message-ID: <o@x>", " folded", "\t", "", "", "", "no field",
)  # fmt: skip
CONTENTS = (
    "--X", "--X", "--X--", "--X ", "--", "UVVJ", "UVU=", "=", "=C3=A9=", "=3D ", "a  b \t", "> q ",
    "e\u0301\u0327", "\u2019\u20ac", "\ufeff", "\U0001f600", "\u0378", "\x1c", "\x00", "-- ",
    "<p style='margin:0cm'>a&nbsp;b", "<td>", "</td></table>", "<table><tr>", "<li>", "<!--", "-->",
    "<script>", "<a href='x'>", "&lt", "&#x110000;", "<br", "<pre> a\r b</pre>", "</small>",
    "<style>p{display:none}</style>", "\udcc3", "\udce9",
)  # fmt: skip
crafted = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(HEADERS), st.sampled_from(CONTENTS), st.text(max_size=12)),
        st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r", "", " "]),
    ),
    max_size=40,
).map(lambda pairs: "".join(line + end for line, end in pairs).encode("utf-8", "surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(st.one_of(crafted, messages, st.binary(max_size=200)), st.booleans(), st.integers(1, 80))
def test_made_messages(
    from_sources: Callable[[bytes, int], bytes], message: bytes, headed: bool, size: int
) -> None:
    whole = HEAD + b"--X\r\n" + message if headed else message
    assert reading(whole, size) == from_sources(whole, size)
    assert reading(whole, 1 << 20) == from_sources(whole, 1 << 20)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of real messages is absent")
def test_real_messages(from_sources: Callable[[bytes, int], bytes]) -> None:
    seen = 0
    for number, message in enumerate(real_messages()):
        if number % 4 and len(message) > 20_000:
            continue
        for size in (4_096, 97) if len(message) < 20_000 else (65_536,):
            assert reading(message, size) == from_sources(message, size)
        seen += 1
    assert seen > 500


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pages_of_mail_programs(
    from_sources: Callable[[bytes, int], bytes], layout: Callable[[Content], str]
) -> None:
    page = layout(
        Content(("Bonjour\u202f!", "l\u2019\u00e9t\u00e9"), (("a", "b"),), "x:y", "cid:z")
    )
    message = HEAD + b"--X\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()
    for size in (1, 7, 1_000, 1 << 20):
        assert reading(message, size) == from_sources(message, size)


@pytest.mark.parametrize("wrong", [None, 1, "text", bytearray(b"a"), memoryview(b"a"), [1], object])
def test_arguments_of_other_types_are_refused_or_read(wrong: object) -> None:
    """Compiled code trusts its types, so it has to look at what comes from outside."""
    calls: list[Callable[..., object]] = [
        Scanner().feed,
        scan,
        Base64().feed,
        QuotedPrintable().feed,
        nfc,
        lambda value: mailboxes([value], set()),
        lambda value: mailboxes(value, set()),
        lambda value: part_header({"content-type": [value]}, "text/plain", set()),
        lambda value: part_header({"content-type": value}, "text/plain", set()),
        lambda value: Leaf(value, "1").feed(b"x"),
        lambda value: check_claim("message", "part.1", value),
        lambda value: check_claim(value, "defects", []),
        lambda value: check_claim("message", value, []),
        lambda value: members(value, "x", ("a",), ("b",)),
        lambda value: digest(value, "x"),
        lambda value: Structure(value).feed(b"From: a\r\n\r\nb"),
    ]
    for call in calls:
        with contextlib.suppress(TypeError, AttributeError, KeyError, ValueError, Unreadable):
            call(wrong)


@pytest.mark.parametrize(
    "message",
    [
        nested(DEPTH_MAX + 5),
        b"Content-Type: message/rfc822\r\n\r\n" * (ENCLOSED_MAX + 2) + b"\r\nx",
        b"Content-Type: text/html\r\n\r\n" + b"<table><tr><td>" * 20_000,
        b"Content-Type: text/html\r\n\r\n" + b"<small>" * 50_000,
        b"Content-Type: text/html\r\n\r\n" + b"<ul><li>" * 49 + b"x" + b"</ul>" * 60,
        b"Content-Type: text/html\r\n\r\n<a href='" + b"&" * 100_000,
        b"From: " + b"(" * 100_000 + b"\r\n\r\n",
        b"To: " + b"a:" * 50_000 + b"\r\n\r\n",
        b"Date: " + b"(" * 500 + b")" * 500 + b"\r\n\r\n",
        b"Content-Type: a/b" + b";name*0=x" * 5_000 + b"\r\n\r\n",
        b"Subject: " + b"=?utf-8?q?=C3?= " * 5_000 + b"\r\n\r\n",
    ],
    ids=lambda message: repr(message[:40]),
)
def test_the_deepest_nesting_needs_little_of_the_stack(message: bytes) -> None:
    """Compiled calls stand on the C stack, which ends without an exception."""
    found: list[Scan] = []
    before = threading.stack_size(128 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(scan(message)))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert found == [scan(message)]


def test_all_that_each_mail_passes_is_compiled() -> None:
    """A module that is forgotten in setup.py costs speed and nothing else, so nobody would see."""
    if not COMPILED:
        give_up(CURE)
    program = "import sys; from proofmail.core import claims, mapping; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name for name in done.stdout.split() if name.startswith("proofmail.core.")}
    written = (CORE / RECORD_NAME).read_text().splitlines()
    compiled = {"proofmail.core." + line.split(" ")[1].removesuffix(".py") for line in written}
    names = ("canonical", "charset_tables", "html_names", "tnef", "tnef_names")
    # Tables, and what few mails have; an attribute named `_attribute` is no C besides.
    left_out = {f"proofmail.core.{name}" for name in names}
    assert loaded == compiled | left_out


def test_a_build_of_other_sources_is_refused(tmp_path: Path) -> None:
    source, built = tmp_path / "scan.py", tmp_path / f"scan{EXTENSION_SUFFIXES[0]}"
    source.write_text("A = 1")
    assert not is_compiled(tmp_path)
    built.write_bytes(b"")
    refuses(tmp_path)  # the record is written last: a build that was cut short has none
    (tmp_path / RECORD_NAME).write_text(record(tmp_path, ["scan.py"]))
    assert is_compiled(tmp_path)
    source.write_text("A = 2")
    refuses(tmp_path)
    (tmp_path / RECORD_NAME).write_text(record(tmp_path, ["scan.py"]))
    assert is_compiled(tmp_path)
    (tmp_path / f"mime{EXTENSION_SUFFIXES[0]}").write_bytes(b"")
    refuses(tmp_path)
    source.unlink()
    refuses(tmp_path)


def refuses(folder: Path) -> None:
    with pytest.raises(ImportError, match="compiled from other sources"):
        is_compiled(folder)

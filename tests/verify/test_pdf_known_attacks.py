"""Known attacks on signed PDFs, on a real sealed dossier.

Each is refused with its reason, or leaves the report as it was. Names as in the literature:
universal signature forgery (USF), incremental saving (ISA), signature wrapping (SWA), shadow
attacks (hide, replace, hide and replace); and files saved anew, encrypted, or made to act.
"""

from __future__ import annotations

import io
import re
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from dossier.make import make_dossier, make_unsealed
from proofmail.errors import Unreadable
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.report import Status
from tests.dossier import evidence
from tests.parts import PROJECT
from tests.verify.pdf_maker import file_object, objects_for, revision, specification
from tests.verify.test_pdf_additions import appended

Make = Callable[[], bytes]


@cache
def sealed() -> bytes:
    full = evidence.full()
    return make_dossier(full.proof, full.report, evidence.options("en"), evidence.sealer())


@cache
def unsealed() -> bytes:
    full = evidence.full()
    return make_unsealed(full.proof, full.report, evidence.options("en"))


def outcome(data: bytes) -> str:
    """`same` for the report of the good dossier, else the reason why not."""
    trust = evidence.trust_for(evidence.full().proof)
    try:
        report = verify(read_evidence(data), trust)
    except Unreadable as error:
        return f"unreadable: {error}"
    failed = [row for row in report.rows if row.status is not Status.PASSED]
    good = verify(read_evidence(sealed()), trust)
    if report.to_json() == good.to_json():
        return "same"
    return "; ".join(f"{row.number} {row.status.value}: {row.reason}" for row in failed)


def test_the_good_one() -> None:
    assert outcome(sealed()) == "same"


def swapped(old: bytes, new: bytes, data: bytes | None = None) -> bytes:
    changed, count = re.subn(old, new.replace(b"\\", b"\\\\"), data or sealed())
    assert count == 1
    return changed


def number(pattern: bytes) -> int:
    """The object that holds this."""
    found = re.findall(rb"\n(\d+) 0 obj\n(?:(?!endobj).)*?" + pattern, sealed(), re.S)
    return int(found[-1])


def body(of: int) -> bytes:
    return bytes(re.findall(rb"\n%d 0 obj\n(.*?)\nendobj" % of, sealed(), re.S)[-1])


def later(*changes: tuple[int, bytes]) -> bytes:
    return appended(sealed(), dict(changes))


def page() -> int:
    return number(rb"/Type /Page\n")


def contents() -> int:
    found = re.search(rb"/Contents (\d+) 0 R", body(page()))
    assert found
    return int(found[1])


def font() -> int:
    return number(rb"/ToUnicode")


def signature() -> int:
    return number(rb"/ByteRange")


def gap() -> tuple[int, int]:
    seal = read_evidence(sealed()).dossier
    assert seal is not None
    assert seal.seal is not None
    return seal.seal.byte_range[1:3]


SHOWN = b"(PAID) Tj"
PAID = b"<</Length %d>>\nstream\n%s\nendstream" % (len(SHOWN), SHOWN)
SPAN = rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]( *)"


def spanning(text: bytes) -> bytes:
    """The byte range spelt so, in the room of the old one."""
    found = re.search(SPAN, sealed())
    assert found
    return sealed()[: found.start()] + text.ljust(len(found[0])) + sealed()[found.end() :]


def wrapped() -> bytes:
    """SWA: the second signed part moved to the end, other objects where it was."""
    start, end = gap()
    tail = sealed()[end:]
    other = b"\n900 0 obj\n%s\nendobj\n" % PAID
    moved = sealed()[:end] + other + tail
    at = len(moved) - len(tail)
    span = b"/ByteRange [0 %d %d %d]" % (start, at, len(tail))
    found = re.search(SPAN, moved)
    assert found
    return moved[: found.start()] + span.ljust(len(found[0])) + moved[found.end() :]


def qpdf(change: Callable[[pikepdf.Pdf], None] | None = None, **how: Any) -> bytes:
    """The sealed dossier as another program saves it."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(sealed())) as pdf:
        if change:
            change(pdf)
        pdf.save(out, **how)
    return out.getvalue()


def added(name: str, content: bytes) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, content)

    return change


def scripted(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


MODES = pikepdf.ObjectStreamMode
ATTACKS: dict[str, tuple[Make, str]] = {
    # Universal signature forgery: what a validator looks for is missing or empty.
    "USF: no byte range": (lambda: spanning(b""), "not exactly one signature"),
    "USF: an empty byte range": (lambda: spanning(b"/ByteRange []"), "every byte"),
    "USF: a byte range that is null": (lambda: spanning(b"/ByteRange null"), "every byte"),
    "USF: a negative byte range": (lambda: spanning(b"/ByteRange [0 -1 2 3]"), "every byte"),
    "USF: a byte range elsewhere": (lambda: spanning(b"/ByteRange 2 0 R"), "every byte"),
    "USF: a byte range of two": (lambda: spanning(b"/ByteRange [0 99]"), "every byte"),
    "USF: a byte range of six": (lambda: spanning(b"/ByteRange [0 9 10 1 20 3]"), "every byte"),
    "USF: contents that are zeros": (
        lambda: (
            sealed()[: gap()[0] + 1] + b"0" * (gap()[1] - gap()[0] - 2) + sealed()[gap()[1] - 1 :]
        ),
        "DER",
    ),
    "USF: empty contents": (
        lambda: sealed()[: gap()[0]] + b"<>" + sealed()[gap()[1] :],
        "cross-reference|startxref",
    ),
    "USF: contents that are null": (
        lambda: sealed()[: gap()[0]] + b"null".ljust(gap()[1] - gap()[0]) + sealed()[gap()[1] :],
        "not hexadecimal",
    ),
    "USF: contents in parentheses": (
        lambda: (
            sealed()[: gap()[0]]
            + b"("
            + b"0" * (gap()[1] - gap()[0] - 2)
            + b")"
            + sealed()[gap()[1] :]
        ),
        "not hexadecimal",
    ),
    "contents with white space": (
        lambda: sealed()[: gap()[1] - 3] + b"\n0" + sealed()[gap()[1] - 1 :],
        "more than the seal",
    ),
    "contents twice": (
        lambda: sealed()[: gap()[1] - 18] + b">/Contents <000000" + sealed()[gap()[1] - 1 :],
        "key twice|every byte",
    ),
    "syntax in the gap": (
        lambda: sealed()[: gap()[1] - 18] + b">/Reason (PAID) <0" + sealed()[gap()[1] - 1 :],
        "PDF|every byte",
    ),
    # Incremental saving: something is appended, with or without what a revision needs.
    "ISA: a page's content": (lambda: later((contents(), PAID)), "added to after"),
    "ISA: a page": (lambda: later((page(), body(page()))), "added to after"),
    "ISA: an object without a table": (
        lambda: sealed() + b"\n%d 0 obj\n%s\nendobj\n" % (contents(), PAID),
        "xref",
    ),
    "ISA: an object and a trailer": (
        lambda: (
            sealed() + b"\n%d 0 obj\n%s\nendobj\ntrailer\n<</Root 1 0 R>>\n" % (contents(), PAID)
        ),
        "xref",
    ),
    "ISA: no startxref": (
        lambda: later((contents(), PAID))[: later((contents(), PAID)).rindex(b"startxref")],
        "startxref",
    ),
    "ISA: the signature once more": (
        lambda: later((contents(), PAID), (signature(), body(signature()))),
        "not exactly one signature",
    ),
    "ISA: the signature once more, elsewhere": (
        lambda: later((900, body(signature()))),
        "not exactly one signature",
    ),
    "ISA: a field more": (
        lambda: later((900, b"<</FT/Sig/T(X)/V %d 0 R>>" % signature())),
        "added to after",
    ),
    "ISA: words behind the end": (lambda: sealed() + b"% PAID\n", "xref"),
    "ISA: another root": (
        lambda: swapped(rb"/Root 1 0 R/Size 901", b"/Root 900 0 R/Size 901", later((900, body(1)))),
        "no root in common",
    ),
    # Wrapping: the signed bytes are kept somewhere else.
    "SWA: the second part moved": (wrapped, "PDF|every byte"),
    "SWA: the range starts later": (lambda: spanning(b"/ByteRange [1 9 10 11]"), "every byte"),
    "SWA: the range ends early": (
        lambda: spanning(b"/ByteRange [0 %d %d 600]" % gap()),
        "every byte",
    ),
    # Shadow attacks: what is seen changes behind the seal.
    "shadow, hide: the page without what covered it": (
        lambda: later((page(), body(page()).replace(b"/Contents", b"/Was"))),
        "added to after",
    ),
    "shadow, hide: an object declared free": (
        lambda: swapped(
            rb"xref\n0 1\n0000000000 65535 f \n(?=trailer)",
            b"xref\n0 1\n0000000000 65535 f \n%d 1\n0000000000 00001 f \n" % contents(),
            later(),
        ),
        "declared free",
    ),
    "shadow, replace: a font": (lambda: later((font(), body(font()))), "added to after"),
    "shadow, replace: an appearance": (
        lambda: later((number(rb"/T \(Seal\)"), body(number(rb"/T \(Seal\)"))[:-2] + b"/AP<<>>>>")),
        "added to after|not exactly",
    ),
    "shadow, hide and replace: other pages": (
        lambda: later(
            (1, re.sub(rb"/Pages \d+", b"/Pages 900", body(1))),
            (900, b"<</Type/Pages/Kids[]/Count 0>>"),
        ),
        "added to after",
    ),
    "shadow: an annotation over the page": (
        lambda: later(
            (900, b"<</Type/Annot/Subtype/FreeText/Rect[0 0 600 800]/Contents(PAID)>>"),
            (page(), re.sub(rb"/Annots \[", b"/Annots [900 0 R ", body(page()))),
        ),
        "added to after",
    ),
    "shadow: an annotation that nothing leads to": (
        lambda: later((900, b"<</Type/Annot/Subtype/Stamp/Rect[0 0 9 9]>>")),
        "added to after",
    ),
    "a certified file's permissions": (
        lambda: later((signature(), body(signature()).replace(b"/P 1", b"/P 3"))),
        "not exactly one signature",
    ),
    # Files inside.
    "a second proof.json behind": (
        lambda: later((900, file_object(b"{}")), (901, specification(b"proof.json", 900))),
        "hidden",
    ),
    "the proof's stream replaced": (
        lambda: later((number(rb"/Subtype /application#2fjson"), file_object(b"{}"))),
        "hidden",
    ),
    "the tree of files replaced": (
        lambda: later(
            (
                1,
                re.sub(
                    rb"/Names <<.*?>>\n>>",
                    b"/Names<</EmbeddedFiles<</Names[]>>>>",
                    body(1),
                    flags=re.S,
                ),
            )
        ),
        "no file|hidden",
    ),
    # Saved anew by another program.
    "saved anew": (qpdf, "header|seal|PDF"),
    "object streams": (lambda: qpdf(object_stream_mode=MODES.generate), "PDF"),
    "linearised": (lambda: qpdf(linearize=True), "PDF"),
    "encrypted": (
        lambda: qpdf(encryption=pikepdf.Encryption(owner="o", user="")),
        "PDF|header",
    ),
    "a script": (lambda: qpdf(scripted), "PDF|header"),
    "a file more": (lambda: qpdf(added("more.exe", b"MZ")), "every byte|PDF"),
}


@pytest.mark.parametrize(("make", "why"), ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_is_refused_with_its_reason(make: Make, why: str) -> None:
    said = outcome(make())
    assert said != "same"
    assert re.search(why, said), said


# -- by the trusted sealer itself ----------------------------------------------------------------


def resealed(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    """What an operator's own sealer would seal, had its pages been doctored before."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(unsealed())) as pdf:
        change(pdf)
        pdf.save(
            out,
            force_version="1.7",
            object_stream_mode=MODES.disable,
            linearize=False,
            deterministic_id=True,
        )
    return evidence.sealer().seal(out.getvalue(), "test")


def dictionary(**entries: object) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(**entries)


def on_root(name: str, value: Callable[[], object]) -> Callable[[pikepdf.Pdf], None]:
    return lambda pdf: setattr(pdf.Root, name, value())


def on_page(name: str, value: Callable[[], object]) -> Callable[[pikepdf.Pdf], None]:
    return lambda pdf: setattr(pdf.pages[0].obj, name, value())


def with_field(kind: str) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        field = pdf.make_indirect(dictionary(FT=pikepdf.Name(f"/{kind}"), T="x"))
        pdf.Root.AcroForm = dictionary(Fields=pikepdf.Array([field]))

    return change


def bomb(pdf: pikepdf.Pdf) -> None:
    """A page's content that unpacks to 256 MiB: nobody here unpacks it."""
    stream = pikepdf.Stream(pdf, b"")
    stream.write(zlib.compress(bytes(256 << 20), 9), filter=pikepdf.Name.FlateDecode)
    pdf.pages[0].Contents = pdf.make_indirect(stream)


def bomb_inside(pdf: pikepdf.Pdf) -> None:
    packed = zlib.compress(bytes(256 << 20), 9)
    for held in pdf.objects:
        if isinstance(held, pikepdf.Stream) and held.get("/Type") == pikepdf.Name.EmbeddedFile:
            held.write(packed, filter=pikepdf.Name.FlateDecode)
            return


def twice(pdf: pikepdf.Pdf) -> None:
    names = pdf.Root.Names.EmbeddedFiles.Names
    for entry in list(names)[:2]:
        names.append(entry)


def differing(pdf: pikepdf.Pdf) -> None:
    spec = pdf.Root.Names.EmbeddedFiles.Names[-1]
    other = pdf.make_indirect(pikepdf.Stream(pdf, b"{}"))
    other.Type = pikepdf.Name.EmbeddedFile
    spec.EF.UF = other


SEALED: dict[str, tuple[Callable[[pikepdf.Pdf], None], str]] = {
    "an action on opening": (
        on_root("OpenAction", lambda: pikepdf.Array([1])),
        "OpenAction",
    ),
    "further actions": (on_page("AA", dictionary), "AA"),
    "a script by name": (
        lambda pdf: setattr(pdf.Root.Names, "JavaScript", dictionary(Names=pikepdf.Array([]))),
        "JavaScript",
    ),
    "XFA": (on_root("AcroForm", lambda: dictionary(XFA="x", Fields=pikepdf.Array([]))), "XFA"),
    "a collection": (on_root("Collection", dictionary), "Collection"),
    "layers": (on_root("OCProperties", dictionary), "OCProperties"),
    "a second field": (with_field("Tx"), "other fields"),
    "an empty field for a signature": (with_field("Sig"), "not exactly one signature"),
    "a file named twice": (twice, "two files have the same name"),
    "a name for two files": (differing, "two files|hidden"),
    "a bomb among the files": (bomb_inside, "unpacks to over"),
    "a huge page": (
        on_page("MediaBox", lambda: pikepdf.Array([0, 0, 99999999, 99999999])),
        "same",
    ),
    "a bomb on a page": (bomb, "same"),
}


@pytest.mark.parametrize(("change", "why"), SEALED.values(), ids=SEALED.keys())
def test_even_under_a_good_seal(change: Callable[[pikepdf.Pdf], None], why: str) -> None:
    """Refused, or the same report: pages are not read, nor believed."""
    started = time.process_time()
    data = resealed(change)
    prepared = time.process_time()
    assert re.search(why, outcome(data)), outcome(data)
    assert time.process_time() - prepared < 10 + (prepared - started)


# -- the command, with little memory -------------------------------------------------------------

MIB = 1 << 20
HUGE: dict[str, Make] = {
    "64 MiB of zeros": lambda: b"%PDF-" + bytes(64 * MIB - 5),
    "more than 64 MiB": lambda: b"%PDF-1.7\n" + bytes(65 * MIB),
    "objects without end": lambda: (
        b"%PDF-1.7\n%\xff\xff\xff\xff\n" + b"1 0 obj\nnull\nendobj\n" * 2**20
    ),
    "a table without end": lambda: (
        b"%PDF-1.7\n%\xff\xff\xff\xff\nxref\n1 20000\n" + b"0000000000 00000 n \n" * 20_000
    ),
    "nested without end": lambda: revision(
        b"", objects_for([(b"proof.json", b"{}")]) | {50: b"<</A" * 2**20}
    ),
    "an array without end": lambda: revision(
        b"", objects_for([(b"proof.json", b"{}")]) | {50: b"[" + b"0 " * (16 * MIB)}
    ),
    "a bomb": lambda: revision(
        b"",
        objects_for([(b"proof.json", b"{}")])
        | {11: file_object(b"", packed=zlib.compress(bytes(512 * MIB), 9))},
    ),
    "cut in the middle": lambda: sealed()[: len(sealed()) // 2],
    "the end alone": lambda: b"%PDF-1.7\n" + sealed()[-4096:],
}


@pytest.mark.parametrize("make", HUGE.values(), ids=HUGE.keys())
def test_the_command_says_one_line_within_little_memory(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "hostile.pdf"
    file.write_bytes(make())

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (640 * MIB, 640 * MIB))
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))

    done = subprocess.run(
        [sys.executable, "-m", "proofmail", "verify", file],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=PROJECT,
        preexec_fn=little,
    )
    assert done.returncode == 2, done.stderr[-500:]
    assert "Traceback" not in done.stderr
    assert len((done.stdout + done.stderr).strip().splitlines()) == 1

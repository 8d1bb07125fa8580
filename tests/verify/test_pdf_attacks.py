"""Dossiers in which other readers would see another proof than we do.

Each file of the first list was once read here as holding one proof, while poppler (pdfdetach) or
qpdf (pikepdf), or both, showed another: by a key that we passed over, or by a trailer that made
them give up the cross-reference table and scan the file, streams included. They are built by hand
(pdf_maker), with one thing wrong in each.
"""

from __future__ import annotations

import io
import random
import re
import resource
import shutil
import subprocess
import time
import zlib
from pathlib import Path

import pikepdf
import pytest

from proofmail.errors import ProofmailError, Unreadable
from proofmail.verify.pdf import read_dossier
from tests.verify.pdf_maker import FILES, file_object, objects_for, revision
from tests.verify.test_pdf_seal import judge, sealed

GOOD, EVIL = b"GOOD", b"EVIL"
_OTHER = file_object(EVIL)
_HIDDEN = b"\n11 0 obj\n" + _OTHER + b"\nendobj\n"
HIDING = b"<</Length %d>>\nstream\n%s\nendstream" % (len(_HIDDEN), _HIDDEN)
UNMARKED = _OTHER.replace(b"/Type/EmbeddedFile", b"")


def made(**bodies: bytes) -> dict[int, bytes]:
    """A dossier of one empty page; o7=b"..." is object 7."""
    objects = objects_for([(b"proof.json", GOOD), (b"record.json", b"RECORD")])
    objects[2] = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    objects[3] = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<<>>>>"
    return objects | {int(key[1:]): body for key, body in bodies.items()}


def embedded(entries: bytes, data: bytes) -> bytes:
    return b"<</Type/EmbeddedFile%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(data), data)


def catalog(names: bytes) -> bytes:
    return b"<</Type/Catalog/Pages 2 0 R/Names<<%s>>>>" % names


PLAIN = revision(b"", made())
LATER = revision(PLAIN, {50: b"null"})
TREE = b"/EmbeddedFiles<</Names[(proof.json)10 0 R(record.json)12 0 R]>>"
PREDICTED = zlib.compress(b"\0GOOD\2\1\2\3\4")
OTHERS = {
    "F taken for Filter": made(o11=embedded(b"/F/ASCIIHexDecode", b"4556494c")),
    "DP taken for DecodeParms": made(
        o11=embedded(b"/Filter/FlateDecode/DP<</Predictor 12/Columns 4>>", PREDICTED)
    ),
    "data in another file": made(o11=embedded(b"/F(/etc/hostname)", GOOD)),
    "data in another file, filtered": made(o11=embedded(b"/FFilter/FlateDecode", GOOD)),
    "a page's data in another file": made(o50=b"<</F(x)/Length 1>>\nstream\n \nendstream"),
    "a filter that is null": made(o11=embedded(b"/Filter[null]", GOOD)),
    "no filter in the list": made(o11=embedded(b"/Filter[]", GOOD)),
    "a name ended by a zero": made(
        o1=catalog(b"/EmbeddedFiles#00<</Names[(proof.json)60 0 R]>>" + TREE),
        o60=b"<</F(proof.json)/UF(proof.json)/EF#00<</F 61 0 R>>>>", o61=UNMARKED,
    ),
    "a name with a stray #": made(o1=catalog(b"/EmbeddedFiles#<</Names[]>>" + TREE)),
    "a name that is not ASCII": made(o50=b"<</Java#a0Script 1>>"),
    "a name that is too long": made(o50=b"/" + b"a" * 128),
    "related files": made(
        o10=b"<</F(proof.json)/UF(proof.json)/EF<</F 11 0 R>>/RF<</F[(x)61 0 R]>>>>", o61=UNMARKED
    ),
    "layers": made(o1=catalog(TREE)[:-2] + b"/OCProperties<</OCGs[]>>>>"),
    "another picture in print": made(o50=b"<</Alternates[]>>"),
    "a page of another file": made(o50=b"<</Ref<<>>>>"),
    "an object number beyond bounds": made(o99999999=b"null"),
    "an object in a stream": made(o90=HIDING),
    "an object in a string": made(o90=b"(\n11\t0\robj)"),
    "a trailer in a string": made(o90=b"(\ntrailer\n<</Root 90 0 R>>)"),
}  # fmt: skip


@pytest.mark.parametrize("objects", OTHERS.values(), ids=OTHERS.keys())
def test_what_other_readers_see_otherwise(objects: dict[int, bytes]) -> None:
    with pytest.raises(Unreadable):
        read_dossier(revision(b"", objects))


@pytest.mark.parametrize(
    ("data", "old", "new"),
    [
        (PLAIN, rb"/Size (\d+)", b""),
        (PLAIN, rb"/Size (\d+)", b"/Size 0"),
        (PLAIN, rb"/Size (\d+)", b"/Size -1"),
        (PLAIN, rb"/Size (\d+)", b"/Size 12"),
        (PLAIN, rb"/Size (\d+)", rb"/Size \g<1>.0"),
        (PLAIN, rb"/Size (\d+)", b"/Size 999999999"),
        (PLAIN, rb"/Size (\d+)", b"/Size true"),
        (LATER, rb"/Prev (\d+)", rb"/Prev \1.0"),
        (LATER, rb"/Size 51", b"/Size 14"),
    ],
)
def test_trailers_that_make_readers_scan(data: bytes, old: bytes, new: bytes) -> None:
    mutated, count = re.subn(old, new, data)
    assert count == 1
    with pytest.raises(Unreadable, match="trailer"):
        read_dossier(mutated)


def test_the_byte_range_is_of_integers() -> None:
    """Python holds 0.0 equal to 0; other readers don't."""
    mutated, count = re.subn(rb"/ByteRange \[0 ([0-9 ]+)\]  ", rb"/ByteRange [0.0 \1]", sealed())
    assert count == 1
    assert len(mutated) == len(sealed())
    with pytest.raises(Unreadable, match="does not cover"):
        read_dossier(mutated)


def seen_by_qpdf(data: bytes) -> dict[str, bytes]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return {name: item.get_file().read_bytes() for name, item in pdf.attachments.items()}


def seen_by_poppler(data: bytes, folder: Path) -> dict[str, bytes]:
    program = shutil.which("pdfdetach")
    if program is None:
        pytest.skip("pdfdetach is not installed (apt-get install poppler-utils)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "in.pdf").write_bytes(data)
    command = [program, "-saveall", "-o", str(folder / "out"), str(folder / "in.pdf")]
    (folder / "out").mkdir()
    subprocess.run(command, capture_output=True, timeout=20, check=False)
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


def words_by_poppler(data: bytes, folder: Path) -> bytes:
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not installed (apt-get install poppler-utils)")
    (folder / "in.pdf").write_bytes(data)
    command = [program, "-layout", str(folder / "in.pdf"), "-"]
    return subprocess.run(command, capture_output=True, timeout=20, check=True).stdout


PIECES = [
    b"/F", b"/UF", b"/EF", b"/Names", b"/EmbeddedFiles", b"/Filter", b"/DecodeParms", b"/DP",
    b"/Kids", b"/Limits", b"/Type", b"null", b" 61 0 R", b" 11 0 R", b" 13 0 R", b" 60 0 R",
    b"(proof.json)", b"<70726f6f662e6a736f6e>", b"[", b"]", b"<<", b">>", b" ", b"\n", b"\r",
    b"\0", b"\f", b"0", b"1", b"-1", b"4", b"/FlateDecode", b"/Fl", b"()", b"#20", b"%", b"+",
    b"/DL 4", b"/Desc(x)", b"/DOS(proof.json)", b"/FS/URL", b"/Params<</Size 4>>", b".", b"0000",
]  # fmt: skip
_PIECE = re.compile(rb"stream\n.*endstream|/[\w#]+|\([^)]*\)|\d+ 0 R|\d+|<<|>>|\s|.", re.S)


def mutated(drawn: random.Random, body: bytes) -> bytes:
    pieces = _PIECE.findall(body)
    place = drawn.randrange(len(pieces))
    what = drawn.random()
    if what < 0.6:
        pieces.insert(place, drawn.choice(PIECES))
    elif what < 0.8:
        pieces[place] = drawn.choice(PIECES)
    else:
        other = drawn.randrange(len(pieces))
        pieces[place], pieces[other] = pieces[other], pieces[place]
    return b"".join(pieces)


def test_other_readers_agree_on_whatever_is_accepted(tmp_path: Path) -> None:
    """3,000 mutations of the objects that lead to the files, and of a later revision, by a fixed
    seed. Where we read a file, poppler and qpdf show the same files or none."""
    drawn = random.Random(11)
    accepted = 0
    evil = b"<</Type/Filespec/F(proof.json)/UF(proof.json)/XX<</F 61 0 R/UF 61 0 R>>>>"
    for _ in range(3000):
        objects = made(o60=evil, o61=UNMARKED)
        for _ in range(drawn.choice((1, 1, 2))):
            number = drawn.choice((1, 1, 10, 10, 11, 60, 61))
            objects[number] = mutated(drawn, objects[number])
        data = revision(b"", objects)
        if drawn.random() < 0.2:
            data = revision(data, {1: mutated(drawn, objects[1])})
        try:
            found = read_dossier(data)
        except Unreadable:
            continue
        accepted += 1
        files = {"proof.json": found.proofs[0], **found.loose}
        assert seen_by_poppler(data, tmp_path / "p") in (files, {}), data
        try:
            assert seen_by_qpdf(data) == files, data
        except pikepdf.PdfError:
            continue
    assert accepted > 50


def test_what_passes_in_the_seals_gap_shows_the_same_dossier(tmp_path: Path) -> None:
    """All bytes outside of the gap are signed. Whatever may be changed inside it changes neither
    the pages nor the files that another reader shows."""
    data = sealed()
    found = read_dossier(data)
    assert found.seal is not None
    gap = range(found.seal.byte_range[1] + 1, found.seal.byte_range[2] - 1)
    files = {"proof.json": found.proofs[0], **found.loose}
    assert seen_by_poppler(data, tmp_path / "p") == seen_by_qpdf(data) == files
    words = words_by_poppler(data, tmp_path)
    drawn, passed = random.Random(5), 0
    variants = [data[: gap.start] + data[gap.start : gap.stop].upper() + data[gap.stop :]]
    for _ in range(400):
        place = drawn.choice(gap)
        changed = bytearray(data)
        changed[place] = drawn.choice(b"0123456789abcdefABCDEF<>()/% \n")
        variants.append(bytes(changed))
    for variant in variants:
        if variant == data:
            continue
        try:
            judge(variant)
        except ProofmailError:
            continue
        passed += 1
        if passed % 8 == 1:
            assert seen_by_poppler(variant, tmp_path / "p") == files
            assert words_by_poppler(variant, tmp_path) == words
        assert seen_by_qpdf(variant) == files
    assert passed


COSTLY = {
    # Undone digit by digit, the first once took 5 GB.
    "a hexadecimal string of blanks": made(o50=b"<" + b"4 " * 8_000_000 + b">"),
    "names of escapes": made(o50=b"[" + (b"/" + b"#41" * 120) * 40_000 + b"]"),
    "a name of escapes": made(o50=b"/" + b"#41" * 5_000_000),
    "what is nearly an object": made(
        o50=b"<</Length 16000000>>\nstream\n%s\nendstream" % (b"1 " * 8_000_000)
    ),
    "deep and long": made(o50=b"[" * 30 + b"0 " * 100_000 + b"]" * 30),
}


@pytest.mark.parametrize("objects", COSTLY.values(), ids=COSTLY.keys())
def test_hostile_files_cost_little(objects: dict[int, bytes]) -> None:
    data = revision(b"", objects)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    try:
        assert read_dossier(data).proofs == (GOOD,)
    except Unreadable as error:
        assert "name" in str(error) or "values" in str(error)  # noqa: PT017
    assert time.process_time() - started < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10


def test_plain_files_are_still_read() -> None:
    for data in (PLAIN, LATER, revision(b"", objects_for(FILES))):
        assert read_dossier(data).seal is None
    assert seen_by_qpdf(PLAIN) == {"proof.json": GOOD, "record.json": b"RECORD"}

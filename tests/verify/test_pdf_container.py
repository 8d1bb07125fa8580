"""What a dossier's container may be: one thing wrong at a time, on a file written by hand."""

import re
import zlib

import pytest

from proofmail.errors import Unreadable
from proofmail.verify import pdf_objects
from proofmail.verify.pdf import read_dossier
from tests.verify.pdf_maker import (
    FILES,
    HEADER,
    PLAIN,
    file_object,
    objects_for,
    revision,
    specification,
)


def refused(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_dossier(data)


def changed(**bodies: bytes) -> bytes:
    """PLAIN with objects added or replaced: o7=b"..." is object 7."""
    objects = objects_for(FILES) | {int(key[1:]): body for key, body in bodies.items()}
    return revision(b"", objects)


def test_plain():
    found = read_dossier(PLAIN)
    assert found.proofs == (b"{}",)
    assert found.loose == {"record.json": b"[]"}
    assert found.seal is None


@pytest.mark.parametrize(
    "body",
    [
        b"<</S/JavaScript/JS(app.alert(1))>>",
        b"<</S/Java#53cript>>",
        b"[[[<</AA<<>>>>]]]",
        b"<</OpenAction 3 0 R>>",
        b"<</S/Launch/F(cmd.exe)>>",
        b"<</XFA[]>>",
        b"<</Subtype/RichMedia>>",
        b"<</Type/ObjStm>>",
        b"<</S/URI/URI(https:)>>",
        b"<</Subtype/FileAttachment>>",
        b"/JavaScript",
    ],
)
def test_what_acts_is_refused_anywhere(body):
    """Also in an object that nothing refers to, and in one that a later revision replaced."""
    refused(changed(o50=body), "which no dossier does")
    refused(revision(revision(b"", objects_for(FILES) | {50: body}), {50: b"null"}), "no dossier")


def test_encryption_is_refused():
    refused(revision(b"", objects_for(FILES), trailer=b"/Encrypt 50 0 R"), "trailer")
    refused(changed(o50=b"<</Encrypt 1>>"), "Encrypt")


def test_hybrid_files_are_refused():
    refused(revision(b"", objects_for(FILES), trailer=b"/XRefStm 17"), "trailer")
    refused(changed(o50=b"<</Type/XRef/Length 0>>\nstream\n\nendstream"), "XRef")


def test_exactly_one_proof():
    refused(revision(b"", objects_for([(b"record.json", b"")])), "no file named proof.json")
    twice = (*FILES, (b"proof.json", b"{1}"))
    refused(revision(b"", objects_for(twice)), "two files have the same name")


def test_hidden_files_are_found():
    refused(changed(o50=file_object(b"{}")), "hidden")
    refused(changed(o50=specification(b"x", 11)), "hidden")
    refused(changed(o50=b"<</Type/Annot/FS<</EF<</F 11 0 R>>>>>>"), "hidden")
    # replaced by a later revision: readers that go back would still find it
    refused(revision(PLAIN, {11: file_object(b"{2}")}), "hidden")
    refused(revision(PLAIN, {10: specification(b"proof.json", 11)}), "hidden")


def test_a_name_stands_for_one_file():
    spec = b"<</Type/Filespec/F(proof.json)/UF(proof.json)/EF<</F 11 0 R/UF 13 0 R>>>>"
    refused(changed(o10=spec), "two files")
    refused(changed(o10=b"<</F(proof.json)/UF(other.json)/EF<</F 11 0 R>>>>"), "names differ")
    refused(changed(o10=b"<</F(proof.json)/EF<</F 11 0 R>>>>"), "names differ")
    refused(changed(o10=specification(b"../proof.json", 11)), "names differ")
    refused(changed(o10=specification(b"proof.json", 2)), "no file")


def test_the_name_tree_is_flat():
    tree = b"<</Type/Catalog/Names<</EmbeddedFiles<</Kids[50 0 R]>>>>>>"
    refused(changed(o1=tree), "flat")
    refused(changed(o1=b"<</Type/Catalog>>"), "Names is not")


def test_bombs_and_damage(monkeypatch):
    monkeypatch.setattr(pdf_objects, "MAX_STREAM_BYTES", 1 << 20)
    refused(changed(o11=file_object(bytes((1 << 20) + 1))), "unpacks to over")
    assert read_dossier(changed(o11=file_object(bytes(1 << 20)))).proofs == (bytes(1 << 20),)
    packed = zlib.compress(b"{}")
    refused(changed(o11=file_object(b"", packed=packed[:-1])), "damaged")
    refused(changed(o11=file_object(b"", packed=packed + b"x")), "damaged")
    refused(changed(o11=file_object(b"", packed=b"not deflate")), "damaged")
    refused(changed(o11=file_object(b"", more=b"/DecodeParms<<>>")), "parameters")
    other = file_object(b"{}").replace(b"/FlateDecode", b"/ASCIIHexDecode")
    refused(changed(o11=other), "another filter")
    two = file_object(b"{}").replace(b"/FlateDecode", b"[/FlateDecode/FlateDecode]")
    refused(changed(o11=two), "another filter")


def test_a_bomb_costs_no_more_memory_than_its_bound():
    bomb = zlib.compress(bytes(256 << 20), 9)
    refused(changed(o11=file_object(b"", packed=bomb)), "unpacks to over")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"startxref\n\d+", b"startxref\n17"),
        (rb"\n00000000\d\d 00000 n ", b"\n0000000009 00000 n "),
        (rb" 00000 n ", b" 00001 n "),
        (rb" 00000 n ", b" 00000 f "),
        (rb"2 0 obj", b"3 0 obj"),
        (rb"2 0 obj", b"2 1 obj"),
        (rb"endobj\n", b"endobj\n% 7 0 obj\n"),
        (rb"endobj\n", b"endobj\n7 0 obj\nnull\nendobj\n"),
        (rb"xref\n0 1", b"garbage\nxref\n0 1"),
        (rb"%%EOF\n", b"%%EOF"),
        (rb"%%EOF\n", b""),
        (rb"%PDF-1.7", b"\n%PDF-1.7"),
        (rb"%PDF-1.7", b"%PDF-2.0"),
        (rb"/Size 14", b"/Size 14/Prev 15"),
        (rb"/Size 14", b"/Size 14/Size 14"),
        (rb"/Length \d+", b"/Length 99"),
        (rb"/Length \d+", b"/Length 3 0 R"),
        (rb"/Length \d+", b"/Length -1"),
        (rb"/Root 1 0 R", b"/Root 2 0 R"),
        (rb"/Root 1 0 R", b"/Root[1 0 R]"),
        (rb"/Root 1 0 R", b"/Root<<>>"),
        (rb"/Type/Catalog", b"/Type/Catalog/Type/Catalog"),
        (rb"/Count 0", b"/Count 0 % x\n"),
    ],
)
def test_syntax(old, new):
    data, count = re.subn(old, new.replace(b"\\", b"\\\\"), PLAIN, count=1)
    assert count == 1
    if new == b"%%EOF":
        assert read_dossier(data).proofs == (b"{}",)
    else:
        with pytest.raises(Unreadable):
            read_dossier(data)


def test_no_byte_stands_outside_the_grammar():
    """Anything put in between lines is noticed, unless it is white space between objects."""
    for found in re.finditer(rb"\n", PLAIN):
        at = found.end()
        with pytest.raises(Unreadable):
            read_dossier(PLAIN[:at] + b"stray" + PLAIN[at:])


def test_truncation():
    for length in range(0, len(PLAIN) - 1, 7):
        with pytest.raises(Unreadable):
            read_dossier(PLAIN[:length])


def test_limits(monkeypatch):
    refused(changed(o50=b"[" * 40 + b"]" * 40), "too deep")
    refused(changed(o50=b"[" * 100_000), "too deep")
    monkeypatch.setattr(pdf_objects, "MAX_OBJECTS", 20)
    many = objects_for(FILES) | dict.fromkeys(range(100, 130), b"null")
    refused(revision(b"", many), "too many")
    monkeypatch.setattr(pdf_objects, "MAX_FILE_BYTES", 100)
    refused(PLAIN, "at most")


@pytest.mark.parametrize("body", [b"[" + b"0 " * 600_000 + b"]", b"(" + b"()" * 600_000 + b")"])
def test_values_are_counted(body):
    """Else 64 MiB of short tokens would cost gigabytes and minutes."""
    refused(changed(o50=body), "values")


def test_too_many_files():
    files = [(b"proof.json", b"{}"), *((b"f%d" % n, b"") for n in range(64))]
    refused(revision(b"", objects_for(files)), "over 64 files")


def test_too_many_revisions():
    data = PLAIN
    for _ in range(17):
        data = revision(data, {60: b"null"})
    refused(data, "too many")


def test_the_revisions_form_one_chain():
    after = revision(PLAIN, {60: b"null"})
    assert read_dossier(after).proofs == (b"{}",)
    refused(re.sub(rb"/Prev \d+", b"/Prev 15", after), "revision before")
    refused(re.sub(rb"/Prev \d+", b"", after), "revision before")
    other = objects_for(FILES)[1]
    refused(revision(PLAIN, {61: other}, root=61), "no root in common")


def test_signature_fields_without_a_signature_are_refused():
    refused(changed(o50=b"<</FT/Sig>>"), "exactly one signature")
    catalog = revision(b"", objects_for(FILES, catalog=b"/AcroForm<</Fields[]>>"))
    refused(catalog, "exactly one signature")


def signed(**more: bytes) -> bytes:
    """PLAIN with a signature of which the syntax is good."""
    objects = objects_for(FILES, catalog=b"/AcroForm<</Fields[50 0 R]>>")
    objects[50] = b"<</FT/Sig/T(S)/V 51 0 R>>"
    objects[51] = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/Contents<3000>/ByteRange[%s]>>"
    objects |= {int(key[1:]): body for key, body in more.items()}
    data = revision(b"", objects)
    at, room = data.index(b"<3000>"), 24
    end = len(data) + room - len(b"%s")
    span = b"0 %d %d %d" % (at, at + 6, end - at - 6)
    objects[51] = objects[51].replace(b"%s", span.ljust(room))
    return revision(b"", objects)


def test_a_time_stamp_beside_the_seal_is_refused():
    seal = read_dossier(signed()).seal
    assert seal is not None
    assert seal.cms == b"\x30\0"
    refused(signed(o52=b"<</Type/DocTimeStamp/ByteRange[]>>"), "exactly one signature")
    refused(signed(o49=b"<</Type/DocTimeStamp/ByteRange[]>>"), "exactly one signature")


def test_strings_and_escapes():
    catalog = objects_for(FILES)
    catalog[50] = rb"[(a\)\(\\) (nested (x) y) (\101\n\
) <41 4> <> -1.5 .5 true null]"
    assert read_dossier(revision(b"", catalog)).proofs == (b"{}",)
    for body in (b"(open", b"<4x>", b"<41", b"[1", b"<</A", b"<</A 1", b"<<1 2>>", b"}", b"1e5"):
        refused(changed(o50=body), "PDF")


def test_not_even_a_pdf():
    for data in (b"", HEADER, b"%PDF-", b"{}", bytes(1000)):
        refused(data, "PDF")

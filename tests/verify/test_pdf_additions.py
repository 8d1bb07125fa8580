"""What may follow a seal, and what a forger would append to a sealed dossier.

The good files are made by our own sealer (B-LTA). Each bad one is that file, or the sealed one,
with a later revision written by hand in which one thing is wrong.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509

from dossier.make import make_dossier
from dossier.seal import Archiving, Sealer, Stamping
from proofmail.core.proof import RevocationData
from proofmail.errors import CheckFailed, Misconfigured, ProofmailError, Unreadable
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.pdf import DossierFile, read_dossier
from proofmail.verify.pdf_additions import same
from proofmail.verify.report import Report, Row, Status
from proofmail.verify.trust import Trust, make_trust
from tests.dossier import evidence
from tests.verify.pdf_maker import file_object, specification


@cache
def archived() -> bytes:
    full = evidence.full()
    return make_dossier(full.proof, full.report, evidence.options(), evidence.archiver())


def read(data: bytes) -> DossierFile:
    found = read_dossier(data)
    assert found.seal is not None
    return found


def ends() -> list[int]:
    """Where each revision of the archived file ends: unsealed, sealed, store, time-stamp."""
    return [found.end() for found in re.finditer(rb"%%EOF\n", archived())]


def sealed() -> bytes:
    return archived()[: ends()[1]]


def stored() -> bytes:
    return archived()[: ends()[2]]


def judged(data: bytes, trust: Trust | None = None) -> Report:
    return verify(read_evidence(data), trust or evidence.trust_for(evidence.full().proof))


def rows(report: Report, number: str) -> list[Row]:
    return [row for row in report.rows if row.number == number]


def objection(data: bytes) -> str:
    found = read(data).seal
    assert found is not None
    return found.objection


def refused(data: bytes, why: str) -> None:
    """V16 fails for this reason, whatever else there is."""
    assert re.search(why, objection(data)), objection(data)
    row = rows(judged(data), "V16")[0]
    assert row.status is Status.FAILED
    assert "added to after it was sealed" in row.reason
    assert judged(data).exit_status == 1


# -- what we write -------------------------------------------------------------------------------


def test_each_level_passes_and_says_what_it_holds() -> None:
    assert len(ends()) == 4
    for data, stamps in ((sealed(), 0), (stored(), 0), (archived(), 1)):
        report = judged(data)
        assert report.exit_status == 0
        assert len(rows(report, "V16.D")) == stamps
        assert read(data).proofs == (evidence.full().proof.to_bytes(),)
    assert "behind" not in rows(judged(sealed()), "V16")[0].reason
    held = rows(judged(archived()), "V16")[0].reason
    assert "1 document time-stamps, 3 certificates, revocation data: none" in held
    row = rows(judged(archived()), "V16.D")[0]
    assert row.status is Status.PASSED
    assert "the file up to there at 2026-11-21T10:18:12" in row.reason
    assert "proves nothing to others" in row.reason
    assert "not checked: revocation" in row.reason
    assert [row.number for row in judged(archived()).rows[-3:]] == ["V16", "V16.D", "V17"]


def test_the_authority_has_to_be_in_the_trust() -> None:
    trust = evidence.trust_for(evidence.full().proof)
    without = make_trust(trust.services, [], trust.chains, trust.seals)
    row = rows(judged(archived(), without), "V16.D")[0]
    assert row.status is Status.NOT_CHECKED
    assert judged(archived(), without).exit_status == 0  # the chain and the seal are trusted


def test_an_authority_of_which_revocation_is_asked() -> None:
    trust = evidence.trust_for(evidence.full().proof)
    asking = [replace(authority, revocation_required=True) for authority in trust.authorities]
    strict = make_trust(trust.services, asking, trust.chains, trust.seals)
    row = rows(judged(archived(), strict), "V16.D")[0]
    assert row.status is Status.NOT_CHECKED
    assert "revocation" in row.reason


def test_archives_need_an_authority() -> None:
    with pytest.raises(Misconfigured, match="authority"):
        Sealer(*evidence.seal_identity(), None, Archiving((), lambda signer, moment: ()))


def test_an_authority_with_other_roots_is_not_sealed_in() -> None:
    root = x509.load_pem_x509_certificate(evidence.seal_identity()[1])
    from proofmail.verify.token import TokenAnchor, TokenTrust

    other = Stamping(evidence.authority(), TokenTrust((TokenAnchor(root),)))
    fresh = evidence.fresh()
    with pytest.raises(CheckFailed, match="not of the authority asked"):
        make_dossier(
            fresh.proof,
            fresh.report,
            evidence.options(),
            Sealer(*evidence.seal_identity(), other),
        )


def test_a_time_stamp_on_a_changed_file_fails() -> None:
    """The case of a digit in the seal's own gap: V16 does not mind, the time-stamp does."""
    found = read(sealed()).seal
    assert found is not None
    gap = slice(found.byte_range[1], found.byte_range[2])
    data = archived()[: gap.start] + archived()[gap].swapcase() + archived()[gap.stop :]
    assert rows(judged(data), "V16")[0].status is Status.PASSED
    row = rows(judged(data), "V16.D")[0]
    assert (row.status, row.reason) == (Status.FAILED, "the imprint is of something else")
    assert judged(data).exit_status == 1


def test_a_flipped_byte_is_refused_or_fails_or_says_no_more() -> None:
    """Behind the seal: every 97th byte. What is left passes by the digits' case and by what no
    signature covers in the token; it never says more than before."""
    data, good = archived(), judged(archived()).to_json()
    drawn = random.Random(3)
    for place in [*range(ends()[1], len(data), 97), *drawn.sample(range(ends()[2], len(data)), 80)]:
        mutated = bytearray(data)
        mutated[place] ^= drawn.choice((1, 0x20))
        try:
            report = judged(bytes(mutated))
        except Unreadable:
            continue
        if report.failed:
            continue
        stamp = rows(report, "V16.D")[0]
        assert stamp.status is Status.NOT_CHECKED or report.to_json() == good


# -- what a forger appends -----------------------------------------------------------------------


def appended(before: bytes, objects: Mapping[int, bytes], trailer: bytes | None = None) -> bytes:
    """One revision more, with the trailer entries of the last one unless others are given."""
    last = before.rindex(b"trailer")
    entries = dict(re.findall(rb"/(Info|Root|ID|Size) ?(\[.*?\]|[0-9]+(?: 0 R)?)", before[last:]))
    previous = int(re.findall(rb"startxref\n(\d+)", before)[-1])
    data, places = bytearray(before), {}
    for number, body in objects.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(data)
    data += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        data += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max([int(entries[b"Size"]), *(number + 1 for number in objects)])
    kept = b"/Info %s/ID %s" % (entries[b"Info"], entries[b"ID"]) if trailer is None else trailer
    data += b"trailer\n<</Root %s/Size %d/Prev %d%s>>\n" % (
        entries[b"Root"], size, previous, kept,
    )  # fmt: skip
    return bytes(data + b"startxref\n%d\n%%%%EOF\n" % table)


def body(number: int, data: bytes | None = None) -> bytes:
    """The newest body of an object."""
    found = re.findall(rb"\n%d 0 obj\n(.*?)\nendobj" % number, data or archived(), re.S)
    return bytes(found[-1])


def number_of(pattern: bytes) -> int:
    found = re.findall(rb"\n(\d+) 0 obj\n(?:(?!endobj).)*?" + pattern, archived(), re.S)
    return int(found[-1])


ROOT = 1
NEW = 900


def test_the_hand_made_revision_is_one_that_passes() -> None:
    """Else the tests below would refuse for another reason than the one that they name."""
    store = {NEW: b"<</Length 3>>\nstream\nabc\nendstream", NEW + 1: b"<</Certs[900 0 R]>>"}
    data = appended(sealed(), {ROOT: with_store(NEW + 1), **store})
    assert objection(data) == ""
    assert judged(data).exit_status == 0
    renewed = {dss(): body(dss()).replace(b"]", b" 900 0 R ]", 1), NEW: store[NEW]}
    assert objection(appended(archived(), renewed)) == ""
    assert len(rows(judged(appended(archived(), renewed)), "V16.D")) == 1


def with_store(number: int, more: bytes = b"") -> bytes:
    catalog = body(ROOT, sealed())
    assert catalog.endswith(b">>")
    return catalog[:-2] + b"/DSS %d 0 R%s>>" % (number, more)


def dss() -> int:
    return number_of(rb"/Certs \[")


def form() -> int:
    return number_of(rb"/SigFlags")


def page() -> int:
    return number_of(rb"/Type /Page\n")


STREAM = b"<</Length 3>>\nstream\nabc\nendstream"
GOOD = {NEW: STREAM, NEW + 1: b"<</Certs[900 0 R]>>"}


def store(**more: bytes) -> bytes:
    """The sealed file with a store in which one thing is wrong; r=... is the catalog."""
    objects = {ROOT: with_store(NEW + 1), **GOOD}
    objects |= {ROOT if key == "r" else int(key[1:]): value for key, value in more.items()}
    return appended(sealed(), objects)


STORES: dict[str, tuple[Callable[[], bytes], str]] = {
    "an object that nobody asked for": (lambda: store(o950=b"null"), "more than validation data"),
    "a page changed beside it": (
        lambda: store(
            **{f"o{page()}": body(page(), sealed()).replace(b"/Rotate 0", b"/Rotate 180")}
        ),
        "more than validation data",
    ),
    "the page's content replaced": (
        lambda: store(**{f"o{content()}": STREAM}),
        "more than validation data",
    ),
    "the page's content as a certificate": (
        lambda: store(**{f"o{content()}": STREAM, "o901": b"<</Certs[%d 0 R]>>" % content()}),
        "replaces an object by validation data",
    ),
    "the page's content listed": (
        lambda: store(o901=b"<</Certs[900 0 R %d 0 R]>>" % content()),
        "no plain stream",
    ),
    "other pages": (
        lambda: store(r=re.sub(rb"/Pages \d+ 0 R", b"/Pages 900 0 R", with_store(NEW + 1))),
        "more of the catalog",
    ),
    "other associated files": (
        lambda: store(r=with_store(NEW + 1).replace(b"/AF [ 3 0 R", b"/AF [ 4 0 R")),
        "more of the catalog",
    ),
    "another language": (
        lambda: store(r=with_store(NEW + 1).replace(b"/Lang (fr)", b"/Lang (en)")),
        "more of the catalog",
    ),
    "another outline": (
        lambda: store(r=with_store(NEW + 1, b"/PageLabels<<>>")),
        "more of the catalog",
    ),
    "another form": (
        lambda: store(
            r=with_store(NEW + 1).replace(b"/AcroForm %d" % form(), b"/AcroForm 950"),
            o950=body(form(), sealed()),
        ),
        "more of the catalog",
    ),
    "no store at all": (lambda: appended(sealed(), {ROOT: body(ROOT, sealed())}), "no store"),
    "the store in the catalog": (
        lambda: store(r=with_store(NEW + 1).replace(b"/DSS 901 0 R", b"/DSS<</Certs[900 0 R]>>")),
        "no store",
    ),
    "the store in place of the form": (
        lambda: store(r=with_store(form()), **{f"o{form()}": b"<</Certs[900 0 R]>>"}),
        "replaces an object",
    ),
    "the catalog as its store": (lambda: store(r=with_store(ROOT)), "replaces an object"),
    "a stream with a type": (
        lambda: store(o900=b"<</Type/XObject/Length 3>>\nstream\nabc\nendstream"),
        "no plain stream",
    ),
    "a packed stream": (
        lambda: store(o900=b"<</Filter/FlateDecode/Length 3>>\nstream\nabc\nendstream"),
        "no plain stream",
    ),
    "a dictionary for a stream": (lambda: store(o900=b"<<>>"), "no plain stream"),
    "VRI": (lambda: store(o901=b"<</Certs[900 0 R]/VRI<<>>>>"), "what dossiers have not"),
    "a member of its own": (
        lambda: store(o901=b"<</Certs[900 0 R]/X 1>>"),
        "what dossiers have not",
    ),
    "another type": (lambda: store(o901=b"<</Type/Page/Certs[900 0 R]>>"), "no store"),
    "the same twice": (lambda: store(o901=b"<</Certs[900 0 R]/CRLs[900 0 R]>>"), "twice"),
    "a string in the list": (lambda: store(o901=b"<</Certs[900 0 R(x)]>>"), "twice"),
    "no list": (lambda: store(o901=b"<</Certs 900 0 R>>"), "no list"),
    "another description": (
        lambda: appended(
            sealed(), {ROOT: with_store(901), **GOOD}, b"/Info 900 0 R/ID %s" % ident()
        ),
        "another description",
    ),
    "no description": (
        lambda: appended(sealed(), {ROOT: with_store(901), **GOOD}, b"/ID %s" % ident()),
        "another description",
    ),
    "another identifier": (
        lambda: appended(sealed(), {ROOT: with_store(901), **GOOD}, b"/Info 2 0 R/ID[<00><00>]"),
        "identifiers",
    ),
    "nothing": (lambda: appended(sealed(), {}), "neither"),
    "the description itself": (lambda: appended(sealed(), {2: b"<</Title(x)>>"}), "neither"),
    "a page alone": (lambda: appended(sealed(), {page(): body(page(), sealed())}), "neither"),
}


def content() -> int:
    return int(re.findall(rb"/Contents (\d+) 0 R", body(page(), sealed()))[0])


def ident() -> bytes:
    return bytes(re.findall(rb"/ID (\[.*?\])", archived())[-1])


@pytest.mark.parametrize(("make", "why"), STORES.values(), ids=STORES.keys())
def test_a_store_holds_nothing_else(make: Callable[[], bytes], why: str) -> None:
    refused(make(), why)


FIELD, SIGNATURE = NEW, NEW + 1


def stamp(**more: bytes) -> bytes:
    """The stored file with the last revision written by hand, one thing wrong in it. Its token is
    over something else, which is not what is judged here."""
    objects = {
        form(): body(form(), stored()).replace(b" ]", b" 900 0 R ]", 1),
        FIELD: body(number_of(rb"/T \(Stamp1\)")).replace(b"%d 0 R" % last_signature(), b"901 0 R"),
        SIGNATURE: body(last_signature()),
    }
    for key, value in more.items():
        number = {"form": form(), "field": FIELD, "signature": SIGNATURE}.get(key)
        objects[number or int(key[1:])] = value
    data = appended(stored(), objects)
    # The byte range as it stands has the width that a signer would have written over.
    at = data.rindex(b"<3")
    close = data.index(b">", at) + 1
    found = re.compile(rb"/ByteRange \[[^\]]*\] *").search(data, ends()[2])
    if found is None:
        return data
    span = b"/ByteRange [0 %d %d %d]" % (at, close, len(data) - close)
    return data[: found.start()] + span.ljust(found.end() - found.start()) + data[found.end() :]


def last_signature() -> int:
    return number_of(rb"/Type /DocTimeStamp")


def edited(pattern: bytes, old: bytes, new: bytes) -> bytes:
    """The field or the signature of the good file with one thing changed."""
    found = body(number_of(pattern)).replace(b"%d 0 R" % last_signature(), b"901 0 R")
    changed, count = re.subn(old, new, found)
    assert count == 1
    return changed


def field(old: bytes, new: bytes) -> bytes:
    return edited(rb"/T \(Stamp1\)", old, new)


def signature(old: bytes, new: bytes) -> bytes:
    return edited(rb"/Type /DocTimeStamp", old, new)


def grown(more: bytes = b"", fields: bytes = b" 900 0 R ]") -> bytes:
    return body(form(), stored()).replace(b" ]", fields + more, 1)


def test_the_hand_made_stamp_is_one_that_is_admitted() -> None:
    data = stamp()
    assert objection(data) == ""
    row = rows(judged(data), "V16.D")[0]
    assert (row.status, row.reason) == (Status.FAILED, "the imprint is of something else")


STAMPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "an object that nobody asked for": (lambda: stamp(o950=b"null"), "more than a document"),
    "the page listing the field": (
        lambda: stamp(
            **{f"o{page()}": body(page(), sealed()).replace(b"/Annots [", b"/Annots [900 0 R ")}
        ),
        "more than a document",
    ),
    "the seal's field changed": (
        lambda: stamp(**{f"o{seal_field()}": body(seal_field()).replace(b"(Seal)", b"(X)")}),
        "more than a document",
    ),
    "the seal's field replaced": (
        lambda: stamp(form=grown(fields=b" ]").replace(b"%d 0 R" % seal_field(), b"900 0 R")),
        "does not add exactly one",
    ),
    "the seal's field dropped": (
        lambda: stamp(form=b"<</Fields[900 0 R]/SigFlags 3>>"),
        "does not add exactly one",
    ),
    "two fields": (
        lambda: stamp(form=grown(fields=b" 900 0 R 950 0 R ]")),
        "does not add exactly one",
    ),
    "the field in front": (
        lambda: stamp(form=b"<</Fields[900 0 R %d 0 R]/SigFlags 3>>" % seal_field()),
        "does not add exactly one",
    ),
    "a form that draws": (
        lambda: stamp(form=grown(b"/NeedAppearances true")),
        "more of the form",
    ),
    "a form with resources": (lambda: stamp(form=grown(b"/DR<<>>")), "more of the form"),
    "other flags": (
        lambda: stamp(form=grown().replace(b"/SigFlags 3", b"/SigFlags 1")),
        "more of the form",
    ),
    "flags that are no integer": (
        lambda: stamp(form=grown().replace(b"/SigFlags 3", b"/SigFlags 3.0")),
        "more of the form",
    ),
    "a field with an appearance": (
        lambda: stamp(field=field(rb"/F 132", b"/F 132/AP<</N 901 0 R>>")),
        "dossiers have not",
    ),
    "a field with children": (
        lambda: stamp(field=field(rb"/F 132", b"/F 132/Kids[901 0 R]")),
        "dossiers have not",
    ),
    "a field that is seen": (
        lambda: stamp(field=field(rb"\[ 0 0 0 0 \]", b"[0 0 600 800]")),
        "could be seen",
    ),
    "a rectangle that is not of integers": (
        lambda: stamp(field=field(rb"\[ 0 0 0 0 \]", b"[0 0 0 0.0]")),
        "could be seen",
    ),
    "other flags of a field": (lambda: stamp(field=field(rb"/F 132", b"/F 4")), "could be seen"),
    "a field with a tip": (lambda: stamp(field=field(rb"/TU \(\)", b"/TU(PAID)")), "words"),
    "a text field": (lambda: stamp(field=field(rb"/FT /Sig", b"/FT/Tx")), "none for a signature"),
    "another annotation": (
        lambda: stamp(field=field(rb"/Widget", b"/FreeText")),
        "none for a signature",
    ),
    "the seal's name": (lambda: stamp(field=field(rb"Stamp1", b"Seal")), "name of its own"),
    "no name": (lambda: stamp(field=field(rb"/T \(Stamp1\)", b"")), "name of its own"),
    "on no page": (lambda: stamp(field=field(rb"/P \d+ 0 R", b"/P 2 0 R")), "on no page"),
    "a field that leads to the seal": (
        lambda: stamp(field=field(rb"/V 901 0 R", b"/V %d 0 R" % seal_signature())),
        "without a time",
    ),
    "a signature in the field": (
        lambda: stamp(field=field(rb"/V 901 0 R", b"/V<<>>")),
        "without a time-stamp",
    ),
    "a signature of another kind": (
        lambda: stamp(signature=signature(rb"/ETSI.RFC3161", b"/adbe.pkcs7.detached")),
        "no document time-stamp",
    ),
    "a signature with a reference": (
        lambda: stamp(signature=signature(rb"/Filter", b"/Reference[]/Filter")),
        "no document time-stamp",
    ),
}


def seal_field() -> int:
    return number_of(rb"/T \(Seal\)")


def seal_signature() -> int:
    return number_of(rb"/SubFilter /ETSI.CAdES.detached")


@pytest.mark.parametrize(("make", "why"), STAMPS.values(), ids=STAMPS.keys())
def test_a_document_time_stamp_is_nothing_else(make: Callable[[], bytes], why: str) -> None:
    refused(make(), why)


UNREADABLE: dict[str, Callable[[], bytes]] = {
    "a second seal": lambda: stamp(signature=signature(rb"/DocTimeStamp", b"/Sig")),
    "a proof": lambda: store(o950=file_object(b"{}"), o951=specification(b"proof.json", 950)),
    "a script": lambda: store(o950=b"<</S/JavaScript/JS(x)>>"),
    "an action on opening": lambda: store(r=with_store(901, b"/OpenAction 900 0 R")),
    "a file as validation data": lambda: store(o900=file_object(b"{}")),
    "a range that leaves a hole": lambda: re.sub(
        rb"/ByteRange \[0 (\d+)", b"/ByteRange [1 \\1", stamp()
    ),
    "contents that are no hexadecimal string": lambda: stamp(
        signature=signature(rb"<3[^>]*>", b"(30)")
    ),
    "no time-stamp in the gap": lambda: stamp(signature=signature(rb"<3[^>]*>", b"<3000>0>")),
}


@pytest.mark.parametrize("make", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_dossier_with_it(make: Callable[[], bytes]) -> None:
    with pytest.raises(Unreadable):
        read_dossier(make())


def test_a_time_stamp_alone_is_no_seal() -> None:
    """A file that was time-stamped by anybody, and sealed by nobody."""
    unsealed = archived()[: ends()[0]]
    objects = {
        ROOT: body(ROOT, unsealed)[:-2] + b"/AcroForm 902 0 R>>",
        902: b"<</Fields[900 0 R]/SigFlags 3>>",
        FIELD: field(rb"/F 132", b"/F 132"),
        SIGNATURE: body(last_signature()),
    }
    with pytest.raises(ProofmailError, match="not lead"):
        read_dossier(appended(unsealed, objects))


def test_what_was_taken_away_again_is_not_missed() -> None:
    """Nothing says that a time-stamp has to be there: the seal alone is what a dossier needs."""
    assert judged(sealed()).exit_status == judged(stored()).exit_status == 0


def test_revocation_data_in_the_store_are_found() -> None:
    seal = read(store(o901=b"<</CRLs[900 0 R]>>")).seal
    assert seal is not None
    assert seal.additions.revocation == (RevocationData("crl", b"abc"),)
    assert seal.additions.certificates == ()


def test_same_is_strict() -> None:
    for one, other in ((1, 1.0), (True, 1), ([1], [1, 1]), ({"a": 1}, {"b": 1}), (0.0, 0)):
        assert not same(one, other)
        assert same(one, one)

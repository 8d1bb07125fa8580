"""Makes the vectors of this folder anew: python -m tests.vectors.dossiers.make

The three that a reader would be handed are made by our own maker. All others are small files put
together by hand (tests/verify/pdf_maker.py) and sealed by the same sealer, each bad one with one
thing wrong. The keys are thrown away.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import pikepdf
from cryptography.hazmat.primitives.serialization import Encoding

from dossier.case import CaseOptions, Judged, make_case
from dossier.make import make_dossier
from dossier.seal import Sealer, create_seal_identity
from proofmail.core.canonical import decode, encode
from proofmail.core.case import CaseList, Listed
from proofmail.core.loose import loose_files
from proofmail.core.proof import Proof
from proofmail.core.redaction import choose, redact
from proofmail.verify.checks import verify_proof
from proofmail.verify.pdf import read_dossier
from proofmail.verify.trust import Authority, Trust, make_trust
from tests.dossier import evidence
from tests.making import ATTACHMENT, MAIL, World
from tests.vectors.expected import Expected, write
from tests.verify.pdf_maker import file_object, objects_for, revision, specification
from tests.verify.test_pdf_additions import appended

HERE = Path(__file__).parent
PAGE_NUMBER, SHOWN_NUMBER = 3, 4
NEW = 900
STREAM = b"<</Length 3>>\nstream\nabc\nendstream"
Files = list[tuple[bytes, bytes]]
Objects = dict[int, bytes]


@cache
def world() -> World:
    return World()


@cache
def proof() -> Proof:
    return world().prove()


@cache
def other() -> Proof:
    return world().prove(MAIL.replace(b"1 200", b"1 300"))


def trust() -> Trust:
    """The service, the two authorities (the other one stamps dossiers) and the sealer."""
    seal = evidence.sealer().certificate.public_bytes(Encoding.DER)
    own = world().trust(seals=(seal,))
    stamping = evidence.trust_for(evidence.fresh().proof).authorities[0]
    known = (*own.authorities, Authority("stamps dossiers", stamping.certificate, built_in=True))
    return make_trust(own.services, list(known), own.chains, own.seals)


# -- put together by hand ------------------------------------------------------------------------


def files(of: Proof | None = None) -> Files:
    one = proof() if of is None else of
    loose = [(name.encode(), data) for name, data in loose_files(one).items()]
    return [(b"proof.json", one.to_bytes()), *loose]


def objects(held: Files) -> Objects:
    """With one page, which says what the mail's text says."""
    made = objects_for(held)
    shown = b"BT /F1 12 Tf 20 60 Td (1 200 EUR) Tj ET"
    made[2] = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    made[PAGE_NUMBER] = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 99]/Contents 4 0 R/Resources<</Font<</F1"
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
    )
    made[SHOWN_NUMBER] = b"<</Length %d>>\nstream\n%s\nendstream" % (len(shown), shown)
    made[5] = b"<</Title(A dossier by hand)>>"
    return made


TRAILER = b"/Info 5 0 R/ID[<00112233445566778899AABBCCDDEEFF><00112233445566778899AABBCCDDEEFF>]"


def bare(made: Objects | None = None, trailer: bytes = TRAILER) -> bytes:
    return revision(b"", objects(files()) if made is None else made, trailer=trailer)


def sealed(made: Objects | None = None, sealer: Sealer | None = None) -> bytes:
    return (sealer or evidence.sealer()).seal(bare(made), "vector")


@cache
def good() -> bytes:
    return sealed()


@cache
def stamped() -> bytes:
    """Sealed, and a document time-stamp behind the seal."""
    return evidence.archiver().seal(bare(), "vector")


def with_files(*more: tuple[bytes, bytes], without: bytes = b"") -> bytes:
    """Sealed by the trusted sealer, with other files inside."""
    kept = [item for item in files() if item[0] not in {without, *(name for name, _ in more)}]
    return sealed(objects([*kept, *more]))


def with_object(body: bytes) -> bytes:
    return sealed(objects(files()) | {50: body})


def swapped(old: bytes, new: bytes, data: bytes | None = None) -> bytes:
    given = good() if data is None else data
    if given.count(old) != 1:
        raise ValueError(f"{old!r} stands {given.count(old)} times")
    return given.replace(old, new)


def gap(data: bytes) -> slice:
    seal = read_dossier(data).seal
    if seal is None:
        raise ValueError("no seal")
    return slice(*seal.byte_range[1:3])


def with_seal_of(donor: bytes) -> bytes:
    """The seal's bytes of another dossier, in the place of this one's."""
    data, room = good(), gap(good())
    contents = donor[gap(donor)]
    if len(contents) != room.stop - room.start:
        raise ValueError("the places differ in size")
    return data[: room.start] + contents + data[room.stop :]


def byte_range_cut() -> bytes:
    """The last byte of the file is left out of what the seal covers."""
    found = re.search(rb"/ByteRange \[0 \d+ \d+ (\d+)\]", good())
    if found is None:
        raise ValueError("no byte range")
    shorter = b"%d" % (int(found[1]) - 1)
    return good()[: found.start(1)] + shorter.ljust(len(found[1])) + good()[found.end(1) :]


def saved_anew() -> bytes:
    """As another program saves it: objects in streams, and a cross-reference stream."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(good())) as pdf:
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return out.getvalue()


def store(*more: tuple[int, bytes]) -> bytes:
    """Validation data behind the seal, and perhaps more than that."""
    root = re.findall(rb"\n1 0 obj\n(.*?)\nendobj", good(), re.S)[-1]
    catalog = root[: root.rindex(b">>")] + b"/DSS 901 0 R>>"
    added = {1: catalog, NEW: STREAM, NEW + 1: b"<</Certs[900 0 R]>>", **dict(more)}
    return appended(good(), added)


def stamp_of_another_file() -> bytes:
    """The case of the digits in the seal's own place: the seal does not mind, the stamp does."""
    place = gap(stamped())
    return stamped()[: place.start] + stamped()[place].swapcase() + stamped()[place.stop :]


# -- cases ---------------------------------------------------------------------------------------


def case_list(*of: Proof) -> bytes:
    items = [
        Listed(sha256(p.record.to_bytes()).digest(), sha256(p.to_bytes()).digest()) for p in of
    ]
    return CaseList("Two offers", tuple(items)).to_bytes()


def case_files(*held: Proof, listing: bytes | None = None) -> bytes:
    names = [b"proof-%04d.json" % number for number in range(1, len(held) + 1)]
    inside = list(zip(names, (one.to_bytes() for one in held), strict=True))
    listed = case_list(proof(), other()) if listing is None else listing
    return sealed(objects([(b"case.json", listed), *inside]))


def listing_with(**changes: object) -> bytes:
    return encode({**decode(case_list(proof(), other())), **changes})


# -- all of them ---------------------------------------------------------------------------------


def made_by_us() -> dict[str, bytes]:
    how = evidence.options("en")
    shown = redact(proof(), choose(proof(), ["part.2"]))
    case = CaseOptions(how.language, how.zone, how.organisation_name, "Two offers")
    members = [Judged(one, verify_proof(one, trust()), final=True) for one in (proof(), other())]
    sealer = evidence.sealer()
    return {
        "good.pdf": make_dossier(proof(), verify_proof(proof(), trust()), how, sealer),
        "good-redacted.pdf": make_dossier(
            shown, verify_proof(shown, trust()), replace(how, redacted=True), sealer
        ),
        "good-case.pdf": make_case(members, case, sealer),
    }


BY_HAND: dict[str, tuple[str, int, list[str], Callable[[], bytes]]] = {
    "good-by-hand": ("nothing", 0, [], good),
    "good-with-time-stamp": ("nothing; with a document time-stamp", 0, [], stamped),
    "good-with-validation-data": ("nothing; with a store behind the seal", 0, [], store),
    "good-case-by-hand": ("nothing; a case", 0, [], lambda: case_files(proof(), other())),
    "page-changed": (
        "a figure on the page", 1, ["V16"], lambda: swapped(b"(1 200 EUR)", b"(1 900 EUR)")),
    "loose-file-changed": (
        "record.json is another record's", 1, ["V15"],
        lambda: with_files((b"record.json", other().record.to_bytes()))),
    "loose-file-missing": (
        "token.tsr is left out", 1, ["V15"], lambda: with_files(without=b"token.tsr")),
    "loose-file-unknown": (
        "a file of a name that no dossier has", 1, ["V15"], lambda: with_files((b"more.txt", b""))),
    "check-script-unknown": (
        "check.py has no SHA-256 of SPEC.md's table", 1, ["V15"],
        lambda: with_files((b"check.py", b"print('verified')\n"))),
    "no-proof": ("proof.json is left out", 2, [], lambda: with_files(without=b"proof.json")),
    "proof-and-list": (
        "proof.json and case.json in one file", 2, [],
        lambda: with_files((b"case.json", case_list(proof(), other())))),
    "second-proof-hidden": (
        "an embedded file that no name leads to", 2, [],
        lambda: sealed(objects(files()) | {50: file_object(other().to_bytes())})),
    "second-proof-of-the-name": (
        "two files named proof.json", 2, [],
        lambda: sealed(objects([*files(), (b"proof.json", other().to_bytes())]))),
    "second-proof-behind-the-seal": (
        "a later revision brings a proof.json", 2, [],
        lambda: appended(good(), {
            NEW: file_object(other().to_bytes()), NEW + 1: specification(b"proof.json", NEW)})),
    "no-seal": ("not sealed", 1, ["V16"], bare),
    "seal-by-another": (
        "sealed by one whom the trust does not name", 3, [],
        lambda: sealed(None, Sealer(*create_seal_identity("Stranger", evidence.RECEIVED)))),
    "seal-of-another-dossier": (
        "the trusted sealer's seal on another dossier", 1, ["V16"],
        lambda: with_seal_of(sealed(objects(files(other()))))),
    "seal-short-of-the-end": (
        "the byte range leaves out the last byte", 2, [], byte_range_cut),
    "javascript": (
        "a script that nothing leads to", 2, [],
        lambda: with_object(b"<</S/JavaScript/JS(app.alert\\(1\\))>>")),
    "action-on-opening": ("OpenAction", 2, [], lambda: with_object(b"<</OpenAction[3 0 R/Fit]>>")),
    "object-stream": (
        "an object stream", 2, [],
        lambda: with_object(b"<</Type/ObjStm/N 0/First 0/Length 0>>\nstream\n\nendstream")),
    "saved-anew": ("objects in streams, as another program saves it", 2, [], saved_anew),
    "update-behind-the-seal": (
        "a revision that is neither validation data nor a time-stamp", 1, ["V16"],
        lambda: appended(good(), {NEW: b"null"})),
    "page-replaced-behind-the-seal": (
        "a revision that replaces the page's content", 1, ["V16"],
        lambda: appended(good(), {SHOWN_NUMBER: STREAM})),
    "validation-data-and-more": (
        "validation data with an object that it does not need", 1, ["V16"],
        lambda: store((NEW + 2, b"null"))),
    "time-stamp-on-another-file": (
        "the document time-stamp is over other bytes", 1, ["V16.D"], stamp_of_another_file),
    "truncated": ("the last 700 bytes are missing", 2, [], lambda: good()[:-700]),
    "bytes-behind-the-end": ("a comment behind the end", 2, [], lambda: good() + b"% more\n"),
    "encryption-named": (
        "the name Encrypt in an object", 2, [], lambda: with_object(b"<</Encrypt 5 0 R>>")),
    "key-twice": (
        "a dictionary has a key twice", 2, [], lambda: with_object(b"<</A 1/#41 2>>")),
    "case-proofs-swapped": (
        "each proof stands under the other's name", 1, ["V15", "V18"],
        lambda: case_files(other(), proof())),
    "case-proof-missing": (
        "the list names a proof that is not there", 1, ["V15", "V18"], lambda: case_files(proof())),
    "case-proof-unlisted": (
        "a proof that the list does not name", 1, ["V15"],
        lambda: case_files(proof(), other(), listing=case_list(proof()))),
    "case-list-with-a-member-more": (
        "the list has an unknown member", 2, [],
        lambda: case_files(proof(), other(), listing=listing_with(more=1))),
}  # fmt: skip


def main() -> None:
    for old in HERE.glob("*.pdf"):
        old.unlink()
    cases: dict[str, Expected] = {
        "good.pdf": {"wrong": "nothing", "copies": ["mail.eml", "offre.pdf"], "exit_status": 0},
        "good-redacted.pdf": {
            "wrong": "nothing; one part is shown", "copies": ["offre.pdf"], "exit_status": 0,
        },
        "good-case.pdf": {"wrong": "nothing; a case of two", "exit_status": 0},
        "good-case.pdf, its second proof": {
            "file": "good-case.pdf", "number": 2, "copies": ["offre.pdf"], "exit_status": 0,
        },
        "good.pdf without trust": {"file": "good.pdf", "trust": "", "exit_status": 3},
    }  # fmt: skip
    (HERE / "mail.eml").write_bytes(MAIL)
    (HERE / "offre.pdf").write_bytes(ATTACHMENT)
    for name, data in made_by_us().items():
        (HERE / name).write_bytes(data)
    for name, (wrong, status, failed, make) in BY_HAND.items():
        (HERE / f"{name}.pdf").write_bytes(make())
        cases[f"{name}.pdf"] = {"wrong": wrong, "exit_status": status, "failed": failed}
    text = json.dumps(trust().to_json(), indent=1, sort_keys=True)
    (HERE / "trust.json").write_text(text + "\n")
    write("dossiers", cases)


if __name__ == "__main__":
    main()

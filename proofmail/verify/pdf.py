"""Dossiers as files: what lies inside, and the seal around it (SPEC, dossiers).

The pages are never looked at: facts come from the proof. What could make a page do more than be
read, hide a file, or let the seal cover less than a reader sees, is refused outright.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.core.case import CASE_NAME, MAX_PROOFS
from proofmail.core.loose import PROOF_NAME, loose_files
from proofmail.core.proof import Proof
from proofmail.errors import CheckFailed, NotChecked, Unreadable
from proofmail.verify import cms
from proofmail.verify.pdf_additions import NOTHING, Additions, read_additions, signed_gap
from proofmail.verify.pdf_objects import (
    File,
    Name,
    Reference,
    Stream,
    Text,
    Value,
    inflate,
    read_file,
    walk,
)

SUBFILTER = "ETSI.CAdES.detached"
MAX_EMBEDDED_BYTES = 64 << 20
MAX_FILES = 64

CONSTANT_FILES: Mapping[str, frozenset[str]] = {
    "check.py": frozenset({"d8c84b982d558af3f4e11029bb18d7750137da5cba2f9f7cd04bc16948d12418"}),
    "instructions.txt": frozenset(
        {"ba08f8a8b7509374d147c153ad61240d90c1ddfca31eb209e3070d8a92064d0e"}
    ),
}
"""Files that are the same in every dossier, by the SHA-256 of each version (SPEC §11.1). They are
for people, and neither read nor run here."""

MAX_CASE_FILES = MAX_PROOFS + 1 + len(CONSTANT_FILES)
"""In a case dossier: its proofs, the list of them, and the constant files."""

FORBIDDEN = frozenset(
    {
        "3D", "AA", "Action", "Alternates", "Collection", "Encrypt", "FileAttachment", "GoToE",
        "GoToR", "Hide", "ImportData", "JS", "JavaScript", "Launch", "Movie", "OCProperties",
        "OPI", "ObjStm", "OpenAction", "RF", "Ref", "RichMedia", "Rendition", "Screen",
        "SetOCGState", "Sound", "SubmitForm", "Thread", "Trans", "URI", "XFA", "XRef",
    }
)  # fmt: skip
"""Names that stand nowhere in a dossier: scripts, actions, other media, other syntax, and what
shows one page on the screen and another in print."""

_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}\Z", re.ASCII)
_DATE = re.compile(r"D:(\d{14})(?:Z(?:00'00'?)?|([+-])(\d\d)'(\d\d)'?)\Z", re.ASCII)


@dataclass(frozen=True)
class Seal:
    """The one signature in the file, not yet judged.

    `byte_range` are the four numbers as they stand, already known to span the sealed revisions but
    for the signature's own bytes. `stated_time` is the signer's word. `additions` are what was
    appended after sealing; `objection` says why that is not admitted, "" if it is.
    """

    byte_range: tuple[int, int, int, int]
    cms: bytes
    subfilter: str
    stated_time: datetime | None
    later_revisions: int
    additions: Additions = NOTHING
    objection: str = ""


@dataclass(frozen=True)
class DossierFile:
    """What a dossier holds: its proof file, the other files by name, and the seal if there is one.
    A case dossier has no proof of its own but a list, `case`; its proofs are among the others."""

    proofs: tuple[bytes, ...]
    loose: Mapping[str, bytes]
    seal: Seal | None
    case: bytes | None = None


@dataclass(frozen=True)
class SealFacts:
    """Who sealed; `stated_time` is the signer's own word and proves no time."""

    signer: str
    certificate: x509.Certificate
    algorithm: str
    stated_time: datetime | None


def read_dossier(data: bytes) -> DossierFile:
    """Reads a dossier's container. Raises Unreadable for whatever is not exactly one.

    The seal is located but not checked (:func:`check_seal`), the proof not read, and the loose
    files not compared with it (:func:`check_loose`).
    """
    file = read_file(data)
    _check_names(file)
    objects = file.objects()
    root = _root(file, objects)
    files = _embedded_files(file, objects, root)
    proof, case = files.pop(PROOF_NAME, None), files.pop(CASE_NAME, None)
    if (proof is None) == (case is None):
        what = "no file" if proof is None else f"a {CASE_NAME} and a file"
        raise Unreadable(f"dossier: {what} named {PROOF_NAME} in it")
    if case is None and len(files) >= MAX_FILES:
        raise Unreadable(f"dossier: over {MAX_FILES} files in it")
    proofs = () if proof is None else (proof,)
    return DossierFile(proofs, files, _seal(data, file), case)


def check_loose(dossier: DossierFile, proof: Proof) -> None:
    """The loose files are those that this proof makes, byte for byte, and the constant ones of a
    version that is known; else CheckFailed."""
    expected, found = loose_files(proof), own_files(dossier)
    if set(found) != set(expected):
        raise CheckFailed("the files in the dossier are not those that belong to its proof")
    for name, content in expected.items():
        if found[name] != content:
            raise CheckFailed(f"the file {name} in the dossier differs from its proof")


def own_files(dossier: DossierFile) -> dict[str, bytes]:
    """The files of this very dossier, without the constant ones; CheckFailed if one of those is
    of no version that is known: whoever checks by hand would run it."""
    for name, versions in CONSTANT_FILES.items():
        content = dossier.loose.get(name)
        if content is not None and hashlib.sha256(content).hexdigest() not in versions:
            raise CheckFailed(f"the file {name} in the dossier is no known version of it")
    return {n: content for n, content in dossier.loose.items() if n not in CONSTANT_FILES}


def check_seal(data: bytes, seal: Seal, trusted: Sequence[x509.Certificate]) -> SealFacts:
    """Checks the seal over `data`, the bytes that it was read from.

    CheckFailed: the file was changed after sealing, or the signature is not good. NotChecked: it
    is good, but the certificate is not one of those trusted; each is trusted as it stands, without
    a chain and whatever its dates. A time-stamp inside the signature is not judged: the seal says
    who made the dossier, and the proof alone says when the record existed.
    """
    if seal.objection:
        raise CheckFailed(seal.objection)
    signed = cms.read_signed_data(seal.cms)
    signer = cms.one_signer(signed)
    if signed.content is not None:
        raise CheckFailed("the seal carries a content of its own")
    cms.check_content_type(signed, signer, cms.DATA)
    _, before, after, length = seal.byte_range

    def digest(name: str) -> bytes:
        hasher = hashlib.new(name, memoryview(data)[:before])
        hasher.update(memoryview(data)[after : after + length])
        return hasher.digest()

    cms.check_message_digest(signer, digest)
    certificate_der = cms.signer_certificate(signed, signer)
    if "v2" not in cms.signing_certificate_versions(signer):  # ETSI EN 319 122-1 §5.2.2.3
        raise CheckFailed("the seal does not name its certificate by signing-certificate-v2")
    cms.check_signing_certificate(signer, certificate_der)
    certificate = cms.load_certificate(certificate_der)
    algorithm = cms.check_signature(signer, certificate)
    if certificate_der not in {known.public_bytes(Encoding.DER) for known in trusted}:
        raise NotChecked("the seal's signer is not in the trust given")
    return SealFacts(certificate.subject.rfc4514_string(), certificate, algorithm, seal.stated_time)


def _check_names(file: File) -> None:
    for value in _all_values(file):
        names = set(value) if isinstance(value, dict) else set()
        if isinstance(value, Name):
            names = {str(value)}
        if found := names & FORBIDDEN:
            raise Unreadable(f"dossier: the PDF uses {min(found)}, which no dossier does")


def _all_values(file: File) -> Iterator[Value]:
    for top in file.everything():
        yield from walk(top)


def _resolve(objects: Mapping[int, Value], value: Value) -> Value:
    if isinstance(value, Reference):
        value = objects.get(value.number)
        if isinstance(value, Reference):
            raise Unreadable("PDF: a reference leads to a reference")
    return value


def _dictionary(objects: Mapping[int, Value], value: Value, what: str) -> dict[str, Value]:
    found = _resolve(objects, value)
    if not isinstance(found, dict):
        raise Unreadable(f"PDF: {what} is not a dictionary")
    return found


def _root(file: File, objects: Mapping[int, Value]) -> dict[str, Value]:
    root, *others = (revision.trailer.get("Root") for revision in file.revisions)
    if not isinstance(root, Reference) or any(other != root for other in others):
        raise Unreadable("PDF: the revisions have no root in common")
    catalog = _dictionary(objects, root, "the root")
    if catalog.get("Type") != "Catalog":
        raise Unreadable("PDF: the root is not a catalog")
    return catalog


def _embedded_files(
    file: File, objects: Mapping[int, Value], root: dict[str, Value]
) -> dict[str, bytes]:
    """The files of the one flat name tree; no other file may lie anywhere in any revision."""
    names = _dictionary(objects, root.get("Names"), "Names")
    tree = _dictionary(objects, names.get("EmbeddedFiles"), "EmbeddedFiles")
    pairs = _resolve(objects, tree.get("Names"))
    if set(tree) != {"Names"} or not isinstance(pairs, list) or len(pairs) % 2:
        raise Unreadable("dossier: the tree of its files is not one flat list")
    if len(pairs) > 2 * MAX_CASE_FILES:
        raise Unreadable(f"dossier: over {MAX_CASE_FILES} files in it")
    files: dict[str, bytes] = {}
    known: set[int] = set()
    left_bytes = MAX_EMBEDDED_BYTES
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        specification = _dictionary(objects, value, "a file specification")
        name, stream = _file(objects, key, specification)
        if name in files:
            raise Unreadable("dossier: two files have the same name")
        files[name] = inflate(stream)
        left_bytes -= len(files[name])
        if left_bytes < 0:
            raise Unreadable(f"dossier: its files have over {MAX_EMBEDDED_BYTES} bytes")
        known |= {id(specification), id(stream)}
    for found in _all_values(file):
        entries = found.entries if isinstance(found, Stream) else found
        if not isinstance(entries, dict):
            continue
        holds = entries.get("Type") == "EmbeddedFile" if entries is not found else "EF" in entries
        if holds and id(found) not in known:
            raise Unreadable("dossier: a file is hidden in it beside those that it lists")
    return files


def _file(
    objects: Mapping[int, Value], key: Value, specification: dict[str, Value]
) -> tuple[str, Stream]:
    names = {_plain(value) for value in (key, specification.get("F"), specification.get("UF"))}
    if len(names) != 1 or not _FILE_NAME.match(name := names.pop()):
        raise Unreadable("dossier: a file's names differ, or are not plain")
    targets = _dictionary(objects, specification.get("EF"), "EF")
    if not {"F"} <= set(targets) <= {"F", "UF"} or targets.get("UF", targets["F"]) != targets["F"]:
        raise Unreadable("dossier: a file name stands for two files")
    stream = _resolve(objects, targets["F"])
    if not isinstance(stream, Stream) or stream.entries.get("Type") != "EmbeddedFile":
        raise Unreadable("dossier: a file name stands for no file")
    return name, stream


def _plain(value: Value) -> str:
    return value.value.decode("ascii", "replace") if isinstance(value, Text) else ""


def _seal(data: bytes, file: File) -> Seal | None:
    """Locates the one signature and asks that its byte range is all but its own hex string."""
    found = [
        (number, value)
        for number, revision in enumerate(file.revisions, 1)
        for top in revision.objects.values()
        for value in walk(top)
        if isinstance(value, dict) and ("ByteRange" in value or value.get("FT") == "Sig")
    ]
    sealed = next((number for number, value in found if "ByteRange" in value), len(file.revisions))
    objects = file.objects(sealed)
    root = _root(file, objects)
    if not found and "AcroForm" not in root:
        return None
    signatures = [
        value
        for number, value in found
        if "ByteRange" in value and (number <= sealed or value.get("Type") != "DocTimeStamp")
    ]
    fields = [v for number, v in found if v.get("FT") == "Sig" and number <= sealed]
    if len(signatures) != 1 or len(fields) != 1:
        raise Unreadable("dossier: not exactly one signature in it")
    signature, field = signatures[0], fields[0]
    form = _dictionary(objects, root.get("AcroForm"), "AcroForm")
    listed = _resolve(objects, form.get("Fields"))
    if not isinstance(listed, list) or len(listed) != 1:
        raise Unreadable("dossier: its form has other fields than the seal's")
    target = field.get("V")
    if _resolve(objects, listed[0]) is not field or not isinstance(target, Reference):
        raise Unreadable("dossier: the form does not lead to the seal")
    if _resolve(objects, target) is not signature or signature.get("Type") != "Sig":
        raise Unreadable("dossier: the seal's field does not lead to a signature")
    if signature.get("SubFilter") != SUBFILTER:
        raise Unreadable(f"dossier: the seal is not of the kind {SUBFILTER}")
    span, content_info = signed_gap(data, signature, file.revisions[sealed - 1].end)
    additions, objection = NOTHING, ""
    try:
        additions = read_additions(data, file, sealed)
    except CheckFailed as error:
        objection = str(error)
    return Seal(
        byte_range=span,
        cms=content_info,
        subfilter=SUBFILTER,
        stated_time=_stated_time(signature.get("M")),
        later_revisions=len(file.revisions) - sealed,
        additions=additions,
        objection=objection,
    )


def _stated_time(value: Value) -> datetime | None:
    """A PDF date with its zone (ISO 32000-1 §7.9.4), or None for any other form."""
    found = _DATE.match(_plain(value))
    if not found:
        return None
    try:
        naive = datetime.strptime(found[1], "%Y%m%d%H%M%S")
        offset = timedelta(hours=int(found[3] or 0), minutes=int(found[4] or 0))
        zone = timezone(-offset if found[2] == "-" else offset)
        return naive.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

"""What may follow the seal of a dossier: validation data and document time-stamps (SPEC §11.4).

Each later revision is compared with the file before it, object by object, in what our own strict
reader found. The list of what may be new or differ is closed, and every object of the revision has
to be on it: no page, file, name, description or structure can change behind a seal. Whether the
time-stamps are good is judged elsewhere (document_stamp).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from proofmail.core import der
from proofmail.core.proof import CRL, OCSP, RevocationData
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.pdf_objects import File, Reference, Revision, Stream, Text, Value

MAX_CMS_BYTES = 128 << 10
MAX_STORED = 256
"""Certificates, CRLs and OCSP responses in one store, together."""
MAX_STORED_BYTES = 1 << 20

_LISTS = ("Certs", "CRLs", "OCSPs")
_FIELD = frozenset({"F", "FT", "P", "Rect", "Subtype", "T", "TU", "Type", "V"})
_STAMP = {"Filter": "Adobe.PPKLite", "SubFilter": "ETSI.RFC3161", "Type": "DocTimeStamp"}
_INVISIBLE = 132
"""Print and Locked (ISO 32000-1 §12.5.3); its rectangle is empty."""
_GAP = re.compile(rb"<(?:[0-9A-Fa-f]{2})+>")


@dataclass(frozen=True)
class Stamp:
    """A document time-stamp, not yet judged: its token (DER), over all bytes of the file up to the
    end of its revision but the string that holds it."""

    byte_range: tuple[int, int, int, int]
    token: bytes


@dataclass(frozen=True)
class Additions:
    """`certificates` (DER) and `revocation` are those of the store in force: nobody vouches for
    them unless a later time-stamp covers them, and nothing in them is trusted."""

    stamps: tuple[Stamp, ...] = ()
    certificates: tuple[bytes, ...] = ()
    revocation: tuple[RevocationData, ...] = ()


NOTHING = Additions()


def signed_gap(
    data: bytes, signature: Mapping[str, Value], end: int
) -> tuple[tuple[int, int, int, int], bytes]:
    """The byte range of a signature in a revision that ends at `end`, and the DER in its gap.

    Raises Unreadable unless the range is every byte but the one hexadecimal string (SPEC §11.4).
    """
    contents = signature.get("Contents")
    if not isinstance(contents, Text) or not contents.hexadecimal:
        raise Unreadable("dossier: the seal's contents are not hexadecimal")
    span = (0, contents.start, contents.end, end - contents.end)
    stated = signature.get("ByteRange")
    if not isinstance(stated, list) or any(type(number) is not int for number in stated):
        raise Unreadable("dossier: the seal does not cover every byte before and behind it")
    if stated != list(span):
        raise Unreadable("dossier: the seal does not cover every byte before and behind it")
    if not _GAP.fullmatch(data, contents.start, contents.end):
        raise Unreadable("dossier: the gap that the seal leaves holds more than the seal")
    if len(contents.value) > MAX_CMS_BYTES:
        raise Unreadable(f"dossier: the seal is longer than {MAX_CMS_BYTES} bytes")
    content_info = der.Reader(contents.value).raw(der.SEQUENCE)
    if contents.value[len(content_info) :].strip(b"\0"):
        raise Unreadable("dossier: the gap that the seal leaves holds more than the seal")
    return span, content_info


def read_additions(data: bytes, file: File, sealed: int) -> Additions:
    """What the revisions behind the first `sealed` ones hold. CheckFailed if one holds anything
    that is not on the list, Unreadable if a time-stamp's own bytes are not as they have to be."""
    before = file.objects(sealed)
    last = file.revisions[sealed - 1]
    stamps: list[Stamp] = []
    stored: dict[int, Stream] = {}
    for revision in file.revisions[sealed:]:
        _check_trailer(last.trailer, revision.trailer)
        root = last.trailer.get("Root")
        catalog = before.get(root.number) if isinstance(root, Reference) else None
        if not isinstance(root, Reference) or not isinstance(catalog, dict):
            raise _refused("has no catalog")
        store = catalog.get("DSS")
        numbers = {root.number} | ({store.number} if isinstance(store, Reference) else set())
        if numbers.isdisjoint(revision.objects):
            stamps.append(_stamp(data, revision, before, catalog))
        else:
            _store(revision, before, root, stored)
        before |= revision.objects
        last = revision
    root = last.trailer.get("Root")
    return _collected(tuple(stamps), before, root, stored)


def _refused(what: str) -> CheckFailed:
    return CheckFailed(f"the file was added to after it was sealed: a later revision {what}")


def _check_trailer(before: Mapping[str, Value], now: Mapping[str, Value]) -> None:
    """The description stays that of the sealed file; of the two identifiers the second is free."""
    old, new = before.get("ID", []), now.get("ID", [])
    if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
        raise _refused("has other identifiers")
    if not same(old[:1], new[:1]) or not all(isinstance(part, Text) for part in new):
        raise _refused("has other identifiers")
    if not same(before.get("Info"), now.get("Info")):
        raise _refused("has another description")


def _store(
    revision: Revision, before: Mapping[int, Value], root: Reference, stored: dict[int, Stream]
) -> None:
    """A document security store (ETSI EN 319 142-1 §5.4.2): a dictionary of lists of streams."""
    old = before[root.number]
    new = revision.objects.get(root.number, old)
    if not isinstance(old, dict) or not isinstance(new, dict):
        raise _refused("has no catalog")
    if not same(_without(old, "DSS"), _without(new, "DSS")):
        raise _refused("changes more of the catalog than its store of validation data")
    leads_to = new.get("DSS")
    if not isinstance(leads_to, Reference) or leads_to.number not in revision.objects:
        raise _refused("has no store of validation data of its own")
    if leads_to.number in before and old.get("DSS") != leads_to:
        raise _refused("replaces an object by its store of validation data")
    streams = dict(_streams(revision.objects[leads_to.number]))
    fresh = {number for number in streams if number in revision.objects}
    for number, kind in streams.items():
        stream = revision.objects.get(number, stored.get(number))
        if number in fresh and number in before:
            raise _refused("replaces an object by validation data")
        if not isinstance(stream, Stream) or set(stream.entries) != {"Length"}:
            raise _refused(f"lists in {kind} what is no plain stream of validation data")
        if len(stream.data) > MAX_STORED_BYTES:
            raise _refused("holds validation data that are too long")
    if set(revision.objects) - {root.number, leads_to.number} != fresh:
        raise _refused("holds more than validation data")
    stored |= {n: s for n in fresh if isinstance(s := revision.objects[n], Stream)}


def _streams(store: Value) -> Iterator[tuple[int, str]]:
    """Number and list of each stream that a store refers to; none stands in two lists."""
    if not isinstance(store, dict) or not set(store) <= {"Type", *_LISTS}:
        raise _refused("has in its store of validation data what dossiers have not")
    if "Type" in store and store["Type"] != "DSS":
        raise _refused("has no store of validation data")
    seen: set[int] = set()
    for kind in _LISTS:
        listed = store.get(kind, [])
        if not isinstance(listed, list):
            raise _refused(f"has no list in {kind}")
        for item in listed:
            if not isinstance(item, Reference) or item.number in seen or len(seen) == MAX_STORED:
                raise _refused(f"lists something twice in {kind}, or too much")
            seen.add(item.number)
            yield item.number, kind


def _stamp(
    data: bytes, revision: Revision, before: Mapping[int, Value], catalog: Mapping[str, Value]
) -> Stamp:
    """A document time-stamp (ETSI EN 319 142-1 §5.4.3): the form with one field more, that field,
    invisible, and the signature that it leads to."""
    form = catalog.get("AcroForm")
    if not isinstance(form, Reference) or form.number not in revision.objects:
        raise _refused("is neither validation data nor a document time-stamp")
    old, new = before.get(form.number), revision.objects[form.number]
    if not isinstance(old, dict) or not isinstance(new, dict):
        raise _refused("has no form")
    if not same(_without(old, "Fields"), _without(new, "Fields")):
        raise _refused("changes more of the form than its list of fields")
    earlier, fields = old.get("Fields"), new.get("Fields")
    if not isinstance(earlier, list) or not isinstance(fields, list):
        raise _refused("has no list of fields")
    if len(fields) != len(earlier) + 1 or not same(earlier, fields[:-1]):
        raise _refused("does not add exactly one field to the form")
    added = fields[-1]
    field = revision.objects.get(added.number) if isinstance(added, Reference) else None
    held = [before.get(f.number) if isinstance(f, Reference) else f for f in earlier]
    names = [_field_name(value) for value in held]
    target = _check_field(field, names, before)
    signature = revision.objects.get(target.number)
    if not isinstance(added, Reference) or not isinstance(signature, dict):
        raise _refused("has a field without a time-stamp")
    if {key: value for key, value in signature.items() if key in _STAMP} != _STAMP or set(
        signature
    ) != {"ByteRange", "Contents", *_STAMP}:
        raise _refused("has a signature that is no document time-stamp")
    if set(revision.objects) != {form.number, added.number, target.number}:
        raise _refused("holds more than a document time-stamp")
    if {added.number, target.number} & set(before):
        raise _refused("replaces an object by a document time-stamp")
    return Stamp(*signed_gap(data, signature, revision.end))


def _check_field(field: Value, taken: list[bytes], before: Mapping[int, Value]) -> Reference:
    """An invisible field of its own name, on a page that is there; what it leads to."""
    if not isinstance(field, dict) or not set(field) <= _FIELD:
        raise _refused("has a field that dossiers have not")
    kinds = {"FT": "Sig", "Type": "Annot", "Subtype": "Widget"}
    if any(field.get(key) != kind for key, kind in kinds.items()):
        raise _refused("has a field that is none for a signature")
    shape = {"F": field.get("F"), "Rect": field.get("Rect")}
    if not same(shape, {"F": _INVISIBLE, "Rect": [0, 0, 0, 0]}):
        raise _refused("has a field that could be seen")
    tip = field.get("TU")
    if tip is not None and (not isinstance(tip, Text) or tip.value):
        raise _refused("has a field with words of its own")
    name = _field_name(field)
    if not re.fullmatch(rb"[A-Za-z0-9-]{1,64}", name) or name in taken:
        raise _refused("has a field without a plain name of its own")
    page = field.get("P")
    held = before.get(page.number) if isinstance(page, Reference) else None
    if page is not None and not (isinstance(held, dict) and held.get("Type") == "Page"):
        raise _refused("has a field on no page")
    target = field.get("V")
    if not isinstance(target, Reference):
        raise _refused("has a field without a time-stamp")
    return target


def _field_name(field: Value) -> bytes:
    name = field.get("T") if isinstance(field, dict) else None
    return name.value if isinstance(name, Text) else b""


def _collected(
    stamps: tuple[Stamp, ...],
    objects: Mapping[int, Value],
    root: Value,
    stored: Mapping[int, Stream],
) -> Additions:
    """With the contents of the last store; one inside the sealed revisions counts for nothing."""
    catalog = objects.get(root.number) if isinstance(root, Reference) else None
    leads_to = catalog.get("DSS") if isinstance(catalog, dict) else None
    if not stored or not isinstance(leads_to, Reference):
        return Additions(stamps)
    found = [(kind, stored[number].data) for number, kind in _streams(objects[leads_to.number])]
    kinds = {"CRLs": CRL, "OCSPs": OCSP}
    return Additions(
        stamps,
        tuple(raw for kind, raw in found if kind == "Certs"),
        tuple(RevocationData(kinds[kind], raw) for kind, raw in found if kind in kinds),
    )


def _without(entries: Mapping[str, Value], key: str) -> dict[str, Value]:
    return {name: value for name, value in entries.items() if name != key}


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same but for where they stand; 1, 1.0 and true all differ."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Text) and isinstance(other, Text):
        return one.value == other.value
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    return one == other

"""Proof files, dossiers, tokens and trust files, bent: nothing but Unreadable is raised, and no
change of the good ones passes for more, or for anything else, than they prove themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits

from dossier.make import make_dossier
from proofmail.core.canonical import Json, base64url, encode
from proofmail.core.proof import Proof, Rfc3161Token, read_proof
from proofmail.errors import Unreadable
from proofmail.verify.dossier import Evidence, read_evidence, verify
from proofmail.verify.pdf import read_dossier
from proofmail.verify.report import Report, Row, Status
from proofmail.verify.token_reader import read_bare_token, read_response
from proofmail.verify.trust import Trust, read_trust
from tests.dossier import evidence as made
from tests.fuzz import sealed

_VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "proof"
_EDIT_BYTES = 5
_BYTES, _DOSSIER, _MEMBERS, _TOKEN, _TRUST, _TABLES, _ARCHIVED, _BEHIND, _CASE = range(9)
_FORMS = 9
_SEALED = (_DOSSIER, _TABLES, _ARCHIVED, _BEHIND, _CASE)
MOST_BYTES = 8_448


def check(data: bytes) -> None:
    """The first byte says what the rest is; in most forms, edits of a good file (`_edited`)."""
    form, rest = (data[0] if data else 0) % _FORMS, data[1:]
    if form == _BYTES:
        _check_file(rest, _good())
    elif form == _MEMBERS:
        _check_file(_members_edited(rest), _good())
    elif form == _DOSSIER:
        _check_file(_edited(_dossier(), rest), _sealed())
    elif form == _TABLES:
        _check_file(_tables_edited(rest), _sealed())
    elif form == _TOKEN:
        _check_token(rest)
    elif form == _TRUST:
        _check_trust(rest)
    elif form == _ARCHIVED:
        sealed.check_archived(_edited(sealed.archived(), rest))
    elif form == _BEHIND:
        sealed.check_archived(_behind_edited(rest))
    else:
        sealed.check_case(_edited(sealed.case(), rest))


@dataclass(frozen=True)
class _Base:
    """What is bent: a proof, the trust under which it passes, and what it then proves."""

    proof: Proof
    trust: Trust
    report: Report


def _check_file(data: bytes, base: _Base) -> None:
    try:
        evidence = read_evidence(data)
    except Unreadable:
        return
    _check_report(evidence, base)


def _check_report(evidence: Evidence, base: _Base) -> None:
    good, known, report = base.proof, base.report, verify(evidence, base.trust)
    passed = {row.number for row in report.rows if row.status is Status.PASSED}
    if "V4" in passed:
        assert evidence.proof.record == good.record, "a record passes that was never signed"
        if report.facts:
            shown, all_shown = report.facts["claims"], known.facts["claims"]
            assert all(all_shown[name] == value for name, value in shown.items()), "other claims"
    for witness in report.witnesses:
        if witness.status is Status.PASSED:
            assert witness in known.witnesses, "a witness passes that never was"
            assert evidence.proof.record == good.record, "a witness passes for another record"
    if evidence.dossier is not None and "V16" in passed:
        row = next(row for row in report.rows if row.number == "V16")
        assert _same_dossier(evidence, row), "a changed dossier passes as sealed"
    if report.exit_status == 0:
        assert {"V2", "V3", "V4"} <= passed
        assert evidence.dossier is None or {"V15", "V16"} <= passed
        for linked in evidence.proof.linked:
            assert linked.record in [other.record for other in good.linked], "another receipt"
    report.to_json()


def _same_dossier(evidence: Evidence, row: Row) -> bool:
    """In the seal's gap may be other bytes that say the same (`sealed`)."""
    good = read_dossier(_dossier()).seal
    found = evidence.dossier.seal if evidence.dossier else None
    if good is None or found is None or found.byte_range != good.byte_range:
        return False
    _, before, after, _ = good.byte_range
    same_start = evidence.data[:before] == _dossier()[:before]
    return same_start and evidence.data[after:] == _dossier()[after:] and row == _seal_row()


@cache
def _seal_row() -> Row:
    report = verify(read_evidence(_dossier()), _sealed().trust)
    return next(row for row in report.rows if row.number == "V16")


def _check_token(data: bytes) -> None:
    """Edits of the good proof's own response, in its place; and the readers on whatever it is."""
    good = _good()
    token = good.proof.tokens[0]
    assert isinstance(token, Rfc3161Token)
    response = _edited(token.response, data)
    for read in (read_response, read_bare_token):
        with suppress(Unreadable):
            read(response)
    changed = replace(good.proof, tokens=(replace(token, response=response),))
    _check_report(Evidence(changed), good)


def _check_trust(data: bytes) -> None:
    try:
        trust = read_trust(_edited((_VECTORS / "trust.json").read_bytes(), data))
    except Unreadable:
        return
    verify(Evidence(_good().proof), trust)


@cache
def _good() -> _Base:
    proof = read_proof((_VECTORS / "good.json").read_bytes())
    trust = read_trust((_VECTORS / "trust.json").read_bytes())
    return _Base(proof, trust, verify(Evidence(proof), trust))


@cache
def _sealed() -> _Base:
    proof = made.full().proof
    trust = made.trust_for(proof)
    return _Base(proof, trust, verify(Evidence(proof), trust))


@cache
def _dossier() -> bytes:
    full = made.full()
    return make_dossier(full.proof, full.report, made.options("en"), made.sealer())


# -- edits ---------------------------------------------------------------------------------------


def _edits(script: bytes) -> Iterator[tuple[int, int, int]]:
    """Five bytes an edit: what to do, where (of 2^24 places), a value."""
    for at in range(0, min(len(script), 20 * _EDIT_BYTES) - _EDIT_BYTES + 1, _EDIT_BYTES):
        place = int.from_bytes(script[at + 1 : at + 4], "big")
        yield script[at], place, script[at + 4]


def _edited(base: bytes, script: bytes) -> bytes:
    out = bytearray(base)
    for what, place, value in _edits(script):
        at = place % (len(out) + 1)
        if what % 6 == 0:
            out[at : at + 1] = bytes((value,))
        elif what % 6 == 1:
            out[at:at] = bytes((value,))
        elif what % 6 == 2:
            del out[at : at + value]
        elif what % 6 == 3:
            out[at:at] = out[at : at + value]
        elif what % 6 == 4:
            out[at : at + 1] = bytes((out[at] ^ 1 << value % 8,)) if at < len(out) else b"\0"
        else:
            out[at:at] = _PDF_PIECES[value % len(_PDF_PIECES)]
    return bytes(out)


def _tables_edited(script: bytes) -> bytes:
    """Edits of the dossier from its first cross-reference table on, or of its last 2,000 bytes."""
    data = _dossier()
    start = data.index(b"\nxref") if script[:1] < b"\x80" else len(data) - 2_000
    return data[:start] + _edited(data[start:], script[1:])


def _behind_edited(script: bytes) -> bytes:
    """Edits of what stands behind the seal: validation data and the document time-stamp."""
    data = sealed.archived()
    seal = read_dossier(data).seal
    assert seal is not None
    end = sum(seal.byte_range[2:])
    return data[:end] + _edited(data[end:], script)


def _members_edited(script: bytes) -> bytes:
    """The good proof with some of its JSON replaced, canonical and with its own digest again."""
    body = json.loads((_VECTORS / "good.json").read_bytes())
    del body["sha256"]
    for what, place, value in _edits(script):
        if not body:
            break
        holder, key = _place(body, place)
        if what >= 0x40 and isinstance(holder[key], str):
            holder[key] = _respelt(holder[key], place >> 8, value)
        elif what % 4 == 0:
            holder[key] = _VALUES[value % len(_VALUES)]
        elif what % 4 == 1:
            other, other_key = _place(body, value * 7)
            holder[key] = json.loads(json.dumps(other[other_key]))
        elif what % 4 == 2:
            del holder[key]
        elif isinstance(holder, list):
            holder.insert(key, holder[value % len(holder)])
        else:
            holder[str(value)] = holder[key]
    try:
        return encode({**body, "sha256": base64url(sha256(encode(body)).digest())})
    except (RecursionError, ValueError):
        return b""


def _respelt(text: str, place: int, value: int) -> str:
    """One character as another of its kind, so that the text keeps its form."""
    if not text:
        return text
    at = place % len(text)
    kind = next((kind for kind in _KINDS if text[at] in kind), text[at])
    return text[:at] + kind[value % len(kind)] + text[at + 1 :]


def _place(value: Json, number: int) -> tuple[Json, Json]:
    """A member, by a walk in which each level counts alike: most leaves are digests."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = keys[number % len(keys)]
        number //= len(keys)
        if not isinstance(value[key], (dict, list)) or not value[key] or number % 8 == 0:
            return value, key
        value = value[key]


_KINDS = (digits, ascii_lowercase, ascii_uppercase)
_VALUES: tuple[Json, ...] = (
    "", 0, -1, 1, 2**53 - 1, 2**53, True, None, [], {}, "A" * 43, "A" * 90_000, [[]], {"kind": "x"},
    "evm", "rfc3161", "rfc9162", 1.5, "é", "9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z",
    32,
)  # fmt: skip
_PDF_PIECES = (
    b"/JS", b"<<", b">>", b"[", b"]", b"(", b")", b"1 0 R", b" obj\n", b"endobj\n", b"stream\n",
    b"endstream", b"xref\n", b"trailer", b"startxref\n", b"%%EOF\n", b"%", b"/Prev 20", b"/EF",
    b"0 1\n",
    b"/ObjStm", b"\\", b"#00", b"/Length 9", b"\x30\x80", b"\x02\x01", b"\x06",
    b"\x30\x84\xff\xff\xff\xff",
)  # fmt: skip


@cache
def _make_good_files() -> None:
    """Before anything is timed: what they take is no input's time."""
    for form in range(1, _FORMS):
        check(bytes((form,)))


def seeds() -> Iterator[bytes]:
    _make_good_files()
    yield bytes((_BYTES,)) + (_VECTORS / "good.json").read_bytes()
    yield bytes((_BYTES,)) + (_VECTORS / "good-redacted.json").read_bytes()
    for form in range(1, _FORMS):
        yield bytes((form,))
        for number in range(2 if form in _SEALED else 8):
            yield bytes((form,)) + Random(number).randbytes(_EDIT_BYTES + 1)


def mutated(data: bytes, random: Random, most_bytes: int) -> bytes:
    first, rest = data[:1] or b"\0", bytearray(data[1:])
    if random.randrange(8) == 0:
        forms = (_BYTES, _TOKEN, _TRUST, *_SEALED, *[_MEMBERS] * 5)
        first = bytes((random.choice(forms),))
    if first == b"\0" and rest[:1] == b"{":
        rest[random.randrange(len(rest))] = random.randrange(256)
    elif random.randrange(3) or len(rest) < _EDIT_BYTES:
        rest += random.randbytes(_EDIT_BYTES)
        rest = rest[-_EDIT_BYTES * random.choice((1, 1, 2, 4)) :]
    else:
        rest[random.randrange(len(rest))] = random.randrange(256)
    return (first + rest)[:most_bytes]

"""Attacks on a verifier who holds a genuine trust file: by a stranger without any key, by the
service's own operator, and by whoever made the copies. Each was tried; none may end with 0."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from proofmail.core import rlp
from proofmail.core.batch import Header, batch_tree
from proofmail.core.canonical import Json, base64url, decode, encode, parse_time
from proofmail.core.merkle import Tree, leaf_hash
from proofmail.core.mpt import keccak256
from proofmail.core.proof import (
    Batch,
    EvmAnchor,
    Proof,
    Rfc3161Token,
    TreePlace,
    Unknown,
    read_proof,
)
from proofmail.core.record import Disclosure, Entry, Hidden, Record, commit, digests, hide
from proofmail.errors import Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.command import main
from proofmail.verify.copies import Copy, judge_copy
from proofmail.verify.report import CopyReport, Report, Row, Status
from proofmail.verify.trust import Chain, Service, Trust, make_trust
from tests.making import MAIL, NOW, World, claims_of

WORLD, STRANGER = World(), World()
PROOF = WORLD.prove()
TRUST = WORLD.trust()


def _judge(proof: Proof, trust: Trust = TRUST) -> Report:
    return verify_proof(read_proof(proof.to_bytes()), trust)


def _rows(report: Report, number: str) -> list[Row]:
    return [row for row in report.rows if row.number == number]


def _failed(report: Report) -> set[str]:
    return {row.number for row in report.rows if row.status is Status.FAILED}


def _batch(proof: Proof) -> Batch:
    (batch,) = proof.batches
    assert isinstance(batch, Batch)
    return batch


def _anchored(proof: Proof, anchor: EvmAnchor) -> Proof:
    return replace(proof, tokens=(), batches=(replace(_batch(proof), anchors=(anchor,)),))


# -- a stranger, without the service's keys ------------------------------------------------------


def test_a_strangers_proof_under_the_log_of_the_service_is_not_verified() -> None:
    assert STRANGER.log == WORLD.log
    report = _judge(STRANGER.prove())
    assert report.exit_status == 3
    assert _rows(report, "V4")[0].status is Status.NOT_CHECKED
    assert report.existed_by is None


def test_a_key_identifier_borrowed_from_the_service_fails() -> None:
    forged = STRANGER.prove()
    forged = replace(forged, signature=replace(forged.signature, key=PROOF.signature.key))
    assert "V4" in _failed(_judge(forged))


def test_genuine_witnesses_of_another_record_are_no_witnesses() -> None:
    other = WORLD.prove()
    trust = WORLD.trust()
    for name in ("tokens", "batches"):
        mixed = replace(PROOF, **{"tokens": (), "batches": (), name: getattr(other, name)})
        report = _judge(mixed, trust)
        assert report.exit_status == 1
        assert report.existed_by is None


def test_an_anchor_of_a_strangers_key_for_the_genuine_root_does_not_pass() -> None:
    batch = _batch(PROOF)
    (genuine,) = batch.anchors
    assert isinstance(genuine, EvmAnchor)
    root = rlp.decode_list(genuine.transaction[1:])[7]
    assert isinstance(root, bytes)
    early = STRANGER.anchor(root[4:], when=NOW - timedelta(days=3650))
    report = _judge(_anchored(PROOF, early))
    assert report.exit_status == 1  # received_at is later than that block
    assert report.existed_by is None
    later = STRANGER.anchor(root[4:])
    report = _judge(_anchored(PROOF, later))
    assert report.exit_status == 3
    assert [_rows(report, n)[0].status for n in ("V10", "V11")] == [Status.NOT_CHECKED] * 2


def test_a_block_at_the_end_of_time_is_judged_and_breaks_nothing() -> None:
    """253402300799 is the last second that a header may name; 60 s more is no date."""
    (genuine,) = _batch(PROOF).anchors
    assert isinstance(genuine, EvmAnchor)
    fields = rlp.decode_list(genuine.header)
    fields[11] = rlp.encode_int(253_402_300_799)
    report = _judge(_anchored(PROOF, replace(genuine, header=rlp.encode(fields))))
    assert report.exit_status == 3
    assert _rows(report, "V11")[0].status is Status.NOT_CHECKED


def test_the_same_transaction_in_a_strangers_block_is_not_believed() -> None:
    """The stranger's header holds the very transaction, and an earlier time."""
    (genuine,) = _batch(PROOF).anchors
    assert isinstance(genuine, EvmAnchor)
    fields = rlp.decode_list(genuine.header)
    fields[11] = rlp.encode_int(int(NOW.timestamp()))
    report = _judge(_anchored(PROOF, replace(genuine, header=rlp.encode(fields))))
    assert report.exit_status == 3
    assert report.existed_by is None


def test_a_token_over_a_record_is_none_over_a_tree_and_the_reverse() -> None:
    (token,) = PROOF.tokens
    assert isinstance(token, Rfc3161Token)
    for place in (
        TreePlace(0, 1, ()),
        TreePlace(0, 2, (bytes(32),)),
        TreePlace(1, 2, (bytes(32),)),
    ):
        report = _judge(replace(PROOF, tokens=(replace(token, tree=place),), batches=()))
        assert _failed(report) == {"V5.T3"}
    tree = Tree([leaf_hash(PROOF.record.to_bytes()), leaf_hash(b"other")])
    bare = replace(PROOF, tokens=(WORLD.stamp(tree.root),), batches=())
    assert _failed(_judge(bare)) == {"V5.T3"}


def test_a_node_of_a_tree_is_no_leaf_and_a_header_no_record() -> None:
    """Paths of another length, the header at the record's place, and sizes that share a root."""
    batch = _batch(PROOF)
    shorter = replace(batch, path=batch.path[1:], index=1)
    swapped = replace(batch, path=batch.header_path, index=1)
    smaller = replace(batch, header=replace(batch.header, count=batch.header.count - 1))
    for changed in (shorter, swapped, smaller, replace(batch, index=batch.index - 1)):
        assert "V8" in _failed(_judge(replace(PROOF, batches=(changed,))))
    for index in (0, batch.header.count + 1):
        with pytest.raises(Unreadable):
            read_proof(replace(PROOF, batches=(replace(batch, index=index),)).to_bytes())


def test_an_unknown_kind_hides_a_witness_but_makes_none() -> None:
    unknown = Unknown("evm ", {"kind": "evm ", "status": "passed", "time": "2000"})
    report = _judge(replace(PROOF, tokens=(unknown,), batches=(unknown,), renewals=(unknown,)))
    assert report.exit_status == 3
    assert report.existed_by is None


def test_hidden_entries_do_not_stand_in_for_shown_ones() -> None:
    entries = list(PROOF.entries)
    at = next(i for i, e in enumerate(entries) if isinstance(e, Disclosure) and e.name == "part.2")
    shown = entries[at]
    assert isinstance(shown, Disclosure)
    first, second = digests(shown)
    for changed in (
        Hidden(first, bytes(32)), Hidden(bytes(32), second), replace(shown, salt=bytes(32)),
        replace(shown, name="part.3"),
    ):  # fmt: skip
        report = _judge(replace(PROOF, entries=(*entries[:at], changed, *entries[at + 1 :])))
        assert "V2" in _failed(report)
        assert report.facts == {}


def test_receipts_that_nobody_trusted_signed_are_not_said_to_be_recorded() -> None:
    forged = STRANGER.prove_receipt(PROOF)
    for linked in (forged, replace(forged, tokens=(), batches=())):
        (row,) = _rows(_judge(replace(PROOF, linked=(linked,))), "V14")
        assert row.status is Status.NOT_CHECKED
        assert row.reason.startswith("V4")


def test_a_receipt_linked_twice_is_refused() -> None:
    receipt = WORLD.prove_receipt(PROOF)
    trust = WORLD.trust()
    again = replace(receipt, batches=())
    assert _judge(replace(PROOF, linked=(receipt,)), trust).exit_status == 0
    assert _failed(_judge(replace(PROOF, linked=(receipt, again)), trust)) == {"V14"}


def test_a_mail_or_the_proof_itself_is_no_receipt() -> None:
    for linked in (PROOF, WORLD.prove()):
        assert _failed(_judge(replace(PROOF, linked=(linked,)), WORLD.trust())) == {"V14"}
    receipt = WORLD.prove_receipt(PROOF)
    with pytest.raises(Unreadable):
        read_proof(replace(PROOF, linked=(replace(receipt, linked=(receipt,)),)).to_bytes())


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'["\\"",', b"[[],"])
def test_depth_is_bounded_before_the_parser_recurses(opening: bytes) -> None:
    """A library may have raised the recursion limit, as those for Ethereum do."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1 << 20)
    try:
        with pytest.raises(Unreadable):
            decode(opening * 200_000)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    "spelt", ["0999-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "9999-01-01T00:00:00.000Z"]
)
def test_times_that_could_be_spelt_or_added_to_otherwise_are_refused(spelt: str) -> None:
    with pytest.raises(Unreadable):
        parse_time(spelt)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("count", True), ("count", 32.0), ("count", "32"), ("count", 33), ("count", 1056),
        ("sha256", ""), ("sha256", "A" * 43 + "="), ("sha256", "A" * 42 + "B"),
    ],
)  # fmt: skip
def test_a_record_of_another_shape_is_unreadable(member: str, value: Json) -> None:
    decoded = json.loads(PROOF.to_bytes())
    decoded["record"]["claims"][member] = value
    body = {name: part for name, part in decoded.items() if name != "sha256"}
    data = encode({**body, "sha256": base64url(sha256(encode(body)).digest())})
    with pytest.raises(Unreadable):
        read_proof(data)


# -- the operator, with the service's own keys ---------------------------------------------------


def _forge(claims: dict[str, Json]) -> Proof:
    return WORLD.witness(WORLD.record(claims))


def test_parts_beyond_the_number_of_parts_are_refused() -> None:
    """A part for a saved file that a copy of the mail need not have."""
    claims = claims_of(MAIL)
    report = _judge(_forge({**claims, "message.parts": 1}), WORLD.trust())
    assert _failed(report) == {"V3"}
    assert report.facts == {}
    assert _failed(_judge(_forge({**claims, "message.parts": 0}), WORLD.trust())) == {"V3"}


OTHER = MAIL.replace(b"Offre_sign=C3=A9e", b"Refus").replace(b"1 200", b"9 999")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("header.subject", ["Refus n 42"]), ("header.from", []), ("message.parts", 3),
        ("header.date", ["2020-01-01T00:00:00Z"]), ("part.1", claims_of(OTHER)["part.1"]),
        ("part.2", {**claims_of(MAIL)["part.2"], "name": "contrat.pdf"}),
        ("part.2", {**claims_of(MAIL)["part.2"], "role": "inline"}),
        ("part.3", claims_of(MAIL)["part.2"]), ("link.message_id", base64url(bytes(32))),
    ],
)  # fmt: skip
def test_the_bytes_of_one_mail_under_the_claims_of_another_differ(name: str, value: Json) -> None:
    claims = {**claims_of(MAIL), name: value}
    report = judge_copy(Copy("mail.eml", lambda: [MAIL]), claims)
    assert report.status is Status.FAILED
    assert any(name in difference for difference in report.differences)


def test_defects_left_out_of_the_record_are_found_by_the_very_mail() -> None:
    mail = MAIL.replace(b"Cc: luc", b"Cc: eve@atelier.example\r\nCc: luc")
    claims = claims_of(mail)
    assert "header.duplicate" in claims["defects"]
    copy = Copy("mail.eml", lambda: [mail])
    assert judge_copy(copy, claims).status is Status.PASSED
    assert judge_copy(copy, {**claims, "defects": []}).status is Status.FAILED
    more = [*claims["defects"], "intake.claim-left-out"]
    assert judge_copy(copy, {**claims, "defects": more}).status is Status.PASSED


def test_a_block_of_the_operators_own_chain_does_not_set_the_time() -> None:
    """Backdated by an hour, on a chain marked as development; the authority has no caution."""
    early = NOW - timedelta(hours=1)
    record = WORLD.record(claims_of(MAIL), received_at=early)
    data = record.record.to_bytes()
    header = Header(WORLD.log, 1, bytes(32), 1, early)
    tree = batch_tree(header, [data])
    anchor = WORLD.anchor(tree.root, when=early)
    batch = Batch(header, tuple(tree.path(0)), 1, tuple(tree.path(1)), (anchor,))
    token = WORLD.stamp(sha256(data).digest())
    trust = WORLD.trust()
    serious = tuple(replace(a, built_in=False) for a in trust.authorities)
    proof = replace(record, tokens=(token,), batches=(batch,))
    report = _judge(proof, replace(trust, authorities=serious))
    assert report.exit_status == 0
    assert report.existed_by is not None
    assert report.existed_by > NOW


def test_two_claims_of_one_name_are_never_both_shown() -> None:
    """SPEC §4.4: that no second one is hidden is the service's word; showing both fails V3."""
    first, second = (
        Disclosure(bytes([n]) * 32, "header.subject", [text]) for n, text in ((1, "A"), (2, "B"))
    )
    rest = [shown for shown in PROOF.disclosures if shown.name != "header.subject"]
    decoys = [Hidden(sha256(bytes([n])).digest(), bytes(32)) for n in range(30 - len(rest))]
    entries: list[Entry] = sorted(
        [*rest, first, second, *decoys], key=lambda entry: digests(entry)[0]
    )
    both = commit([digests(entry) for entry in entries])
    record = Record("message", WORLD.log, NOW, len(entries), *both)
    proof = WORLD.witness(Proof(record, tuple(entries), WORLD.sign(record)))
    assert _failed(_judge(proof, WORLD.trust())) == {"V3"}
    one = replace(proof, entries=tuple(hide(e) if e == second else e for e in entries))
    assert not _failed(_judge(one, WORLD.trust()))


# -- trust ---------------------------------------------------------------------------------------


def test_senders_and_keys_count_for_their_own_log_alone() -> None:
    """Two services in one trust: neither's key nor sender speaks for the other's log."""
    other = replace(STRANGER, log="other/1")
    proof = replace(other, key=WORLD.key).prove()
    (own,) = TRUST.services
    theirs = Service("other/1", (other.spki,), frozenset())
    trust = make_trust(
        [own, theirs], TRUST.authorities,
        [Chain(31337, "both", frozenset(WORLD.blocks | other.blocks))], [],
    )  # fmt: skip
    report = _judge(proof, trust)
    assert report.exit_status == 3
    assert _rows(report, "V4")[0].status is Status.NOT_CHECKED
    assert _rows(report, "V10")[0].status is Status.NOT_CHECKED


def test_a_block_counts_on_its_own_chain_alone() -> None:
    (header,) = (keccak256(a.header) for a in _batch(PROOF).anchors if isinstance(a, EvmAnchor))
    chains = (Chain(1, "another", frozenset({header})), Chain(31337, "ours"))
    report = _judge(replace(PROOF, tokens=()), replace(TRUST, chains=chains))
    assert report.exit_status == 3


# -- copies --------------------------------------------------------------------------------------

HEADER = (
    b"From: Ann <ann@a.example>\r\nTo: bob@b.example\r\nSubject: Offer\r\n"
    b"Date: Sat, 21 Nov 2026 11:00:00 +0100\r\nMIME-Version: 1.0\r\n"
)


def _mail(kind: bytes, body: bytes) -> bytes:
    return HEADER + b"Content-Type: " + kind + b"\r\n\r\n" + body


def _parts(*parts: bytes) -> bytes:
    return b"".join(b"--c\r\n" + part + b"\r\n" for part in parts) + b"--c--\r\n"


def _compare(original: bytes, copy: bytes) -> CopyReport:
    return judge_copy(Copy("copy.eml", lambda: [copy]), claims_of(original))


TEXT = _mail(b"text/plain; charset=utf-8", b"Pay 100 \r\n000 EUR\r\n")
FILE = _mail(b"application/pdf\r\nContent-Transfer-Encoding: base64", b"JVBERi0xLjQK")
MIXED = _mail(b"multipart/mixed; boundary=c", _parts(b"\r\nPay 100", b"\r\nNow"))

ASCII = _mail(b"text/plain", b"Pay +ADk-00\r\n")
NAMED = _mail(b"application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''a.pdf", b"x")
NESTED = _mail(b"multipart/mixed; boundary=c", _parts(*(
    b"Content-Type: multipart/mixed; boundary=d\r\n\r\n--d\r\n\r\n%d\r\n--d\r\n\r\n%d\r\n--d--\r\n"
    % pair for pair in ((0, 1), (2, 3)))))  # fmt: skip
RELATED = _mail(b"multipart/related; boundary=c", _parts(
    *(b"Content-ID: <%d@x>\r\n\r\nroot %d" % (n, n) for n in (1, 2))))  # fmt: skip

SHOWN_OTHERWISE: dict[str, tuple[bytes, bytes]] = {
    # The same octets, but the lines and words are joined when they are shown.
    "flowed": (TEXT, TEXT.replace(b"utf-8", b"utf-8; format=flowed; delsp=yes")),
    # Which of two is shown, depends on the program.
    "two-types": (TEXT, TEXT.replace(b"Content-Type", b"Content-Type: text/plain; charset=utf-8\r\n"
                                     b"Content-Type: text/html\r\nContent-Type", 1)),
    "two-encodings": (FILE, FILE.replace(b"base64", b"base64\r\nContent-Transfer-Encoding: 7bit")),
    "two-boundaries": (MIXED, MIXED.replace(b"boundary=c", b"boundary=c; boundary=d")),
    "two-subjects": (TEXT, TEXT.replace(b"Subject: Offer", b"Subject: Evil\r\nSubject: Offer")),
    # What stands behind the padding is decoded by some.
    "behind-padding": (
        _mail(b"application/pdf\r\nContent-Transfer-Encoding: base64", b"eHk="),
        _mail(b"application/pdf\r\nContent-Transfer-Encoding: base64", b"eHk=\r\nZXZpbA=="),
    ),
    "uuencoded": (TEXT, TEXT.replace(b"Content-Type",
                                     b"Content-Transfer-Encoding: x-uuencode\r\nContent-Type")),
    # A CR that is a line end for some: the header goes on, or has ended.
    "cr-in-header": (MIXED, MIXED.replace(b"MIME-Version",
                                          b"X-A: b\rSubject: Evil\r\nMIME-Version")),
    "cr-ends-header": (MIXED, MIXED.replace(b"boundary=c\r\n\r\n",
                                            b"boundary=c\r\n\rSubject: Evil\r\n\r\n")),
    "cr-in-text": (TEXT, TEXT.replace(b"100 \r\n", b"100 \r")),
    # One value, two spellings.
    "unreadable-name": tuple(
        _mail(b"application/pdf; name=Ren" + byte + b".pdf", b"x") for byte in (b"\xe8", b"\xe9")
    ),  # type: ignore[dict-item]
    "odd-charset": tuple(
        _mail(b"text/plain; charset=" + label, b"+ADk-00") for label in (b'"utf-7!("', b'"x y"')
    ),  # type: ignore[dict-item]
    "word-unknown": (
        TEXT.replace(b"Offer", b"=?utf-8?q?=3D=3Fx-odd=3Fq=3F=3DF0=3F=3D?="),
        TEXT.replace(b"Offer", b"=?x-odd?q?=F0?="),
    ),
    "control-as-sign": (
        TEXT.replace(b"Offer", b"=?utf-8?q?=C2=96100?="),
        TEXT.replace(b"Offer", b"=?iso-8859-1?q?=96100?="),
    ),
    "unclosed-angle": (
        TEXT.replace(b"Ann <ann@a.example>", b"Ann <ann@a.example> <bob@b.example>"),
        TEXT.replace(b"Ann <ann@a.example>",
                     b"=?utf-8?q?Ann_=3Cann=40a=2Eexample=3E_=3Cbob=40b=2Eexample=3E?="),
    ),
    "external": tuple(
        _mail(b'message/external-body; access-type=URL; URL="https://' + host + b'"',
              b"Content-Type: application/pdf\r\n\r\n")
        for host in (b"a.example", b"evil.example")
    ),  # type: ignore[dict-item]
    # Parts that were never there.
    "added-hidden": (MIXED, MIXED.replace(b"--c--", b"--c\r\nContent-Type: application/x-hidden\r\n"
                                          b"\r\nx\r\n--c--")),
    "swapped": (MIXED, _mail(b"multipart/mixed; boundary=c", _parts(b"\r\nNow", b"\r\nPay 100"))),
    "html-for-text": (TEXT, TEXT.replace(b"text/plain", b"text/html")),
    "bidi": (TEXT, TEXT.replace(b"Pay 100", "Pay \u202e001\u202c".encode())),
    "invisible": (TEXT, TEXT.replace(b"Pay 100", "Pay 1\u200b00".encode())),
    "look-alike": (TEXT, TEXT.replace(b"EUR", "\u0415UR".encode())),
    "charset": (
        _mail(b"text/plain; charset=utf-8", "1 €".encode()),
        _mail(b"text/plain; charset=windows-1252", "1 €".encode()),
    ),
    "too-many-parts": (MIXED, _mail(b"multipart/mixed; boundary=c", _parts(*[b"\r\nx"] * 501))),
    # Parameters that some read, and some do not.
    "charset-in-sections": (ASCII, ASCII.replace(b"plain", b"plain; charset*0=utf-7")),
    "charset-extended": (ASCII, ASCII.replace(b"plain", b"plain; charset*=us-ascii''utf-7")),
    "charset-unclosed": (ASCII, ASCII.replace(b"plain", b'plain; x="y; charset=utf-7')),
    **{
        f"boundary-{name}": (
            MIXED,
            _mail(b"multipart/mixed; " + kind,
                  _parts(b"\r\nEvil").replace(b"--c", b"--" + other)
                  + _parts(b"\r\nPay 100", b"\r\nNow")),
        )
        for name, kind, other in (
            ("extended", b"boundary*=us-ascii''b; boundary=c", b"b"),
            ("in-sections", b"boundary*0=b; boundary=c", b"b"),
            ("blank", b"boundary=c b", b"c b"),
            ("behind-quotes", b'boundary="c"b', b"cb"),
            ("comment", b"(; boundary=c; x=) boundary=b", b"b"),
            ("escape", b'boundary="c"; x="\\"; boundary=b; y="', b"b"),
        )
    },
    # Lines that some take for delimiters.
    **{
        f"near-boundary-{number}": tuple(
            _mail(b"multipart/mixed; boundary=" + name,
                  _parts(b"\r\nPay 100\r\n--cut" + behind + b"\r\nnot").replace(b"--c\r", b"--"
                         + name + b"\r").replace(b"--c--", b"--" + name + b"--"))
            for name in (b"zz", b"cut")
        )  # type: ignore[misc]
        for number, behind in enumerate((b"X", b" " * 1001, b" -- "))
    },
    # Octets that iso-8859-1 has as controls, and programs show as signs of windows-1252.
    "controls": (
        _mail(b"text/plain; charset=utf-8", "\u0096100 \u0080".encode()),
        _mail(b"text/plain; charset=iso-8859-1", b"\x96100 \x80"),
    ),
    # Two names, of which each program takes its own.
    "two-names": (NAMED, NAMED.replace(b"filename*", b"filename=evil.exe; filename*")),
    "name-and-filename": (NAMED, NAMED.replace(b"pdf\r", b"pdf; name=evil.exe\r")),
    "flowed-unknown": tuple(
        _mail(b"text/plain; charset=x-odd" + flow, b"Pay 100 \r\n000")
        for flow in (b"", b"; format=flowed; delsp=yes")
    ),  # type: ignore[dict-item]
    "delsp-unknown": tuple(
        _mail(b"text/plain; charset=x-odd; format=flowed" + flow, b"Pay 100 \r\n000")
        for flow in (b"", b"; delsp=yes")
    ),  # type: ignore[dict-item]
    # Header lines that some take for the header's end, or pass over.
    "blank-line": (TEXT, TEXT.replace(b"MIME-V", b" \r\nX-Evil: 900\r\nMIME-V")),
    "blank-before-colon": (TEXT, TEXT.replace(b"Subject:", b"Subject :")),
    "behind-encoding": (FILE, FILE.replace(b"base64", b"base64;x")),
    "method": tuple(
        _mail(b"text/calendar; method=" + method, b"x") for method in (b"REQUEST", b"CANCEL")
    ),  # type: ignore[dict-item]
    # The same parts, of which fewer are shown.
    "alternative": (MIXED, MIXED.replace(b"/mixed", b"/alternative")),
    "related": (MIXED, MIXED.replace(b"/mixed", b"/related")),
    "alternative-further-out": (NESTED, NESTED.replace(b"/mixed", b"/alternative", 1)),
    "two-made-one": (
        NESTED.replace(b"mixed; boundary=d", b"alternative; boundary=d"),
        _mail(b"multipart/alternative; boundary=c", _parts(*[b"\r\n%d" % n for n in range(4)])),
    ),
    "grouped-otherwise": (
        NESTED,
        NESTED.replace(b"--d\r\n\r\n1\r\n--d--\r\n\r\n", b"--d--\r\n\r\n").replace(
            b"--d\r\n\r\n2", b"--d\r\n\r\n1\r\n--d\r\n\r\n2"),
    ),
    "another-root": (RELATED, RELATED.replace(b"related;", b'related; start="<2@x>";')),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN_OTHERWISE)
def test_a_copy_that_may_be_shown_otherwise_never_matches(name: str) -> None:
    original, copy = SHOWN_OTHERWISE[name]
    assert original != copy
    assert _compare(original, copy).status is not Status.PASSED
    assert _compare(original, b"X-Hop: 1\r\n" + copy).status is not Status.PASSED
    assert _compare(original, original).status is Status.PASSED


def test_a_wrapper_with_a_footer_changes_none_of_the_parts_inside() -> None:
    inner = MIXED[len(HEADER) :].replace(b"/mixed", b"/alternative")
    copy = _mail(b"multipart/mixed; boundary=w", b"--w\r\n" + inner + b"--w\r\n\r\nlist\r\n--w--")
    report = _compare(HEADER + inner, copy)
    assert report.differences == ("a part was added: body (plain text)",)
    bare = _mail(b"multipart/mixed; boundary=w", b"--w\r\n" + inner + b"--w--")
    assert _compare(HEADER + inner, bare).status is Status.PASSED
    assert _compare(bare, HEADER + inner).status is Status.PASSED
    wrapped = _mail(b"multipart/mixed; boundary=c", _parts(TEXT[len(HEADER) :]))
    assert _compare(TEXT, wrapped).status is Status.NOT_CHECKED


def test_line_ends_that_only_look_like_the_mails_are_not_made_so() -> None:
    """`CR CR LF` was once read as two line ends: a header that ends here goes on elsewhere."""
    mail = MIXED.replace(b"\r\n\r\n", b"\r\n\r\nSubject: Evil\r\n\r\n", 1)
    copy = mail.replace(b"\r\n\r\n", b"\r\r\n", 1)
    assert _compare(mail, mail.replace(b"\r\n", b"\n")).status is Status.PASSED
    assert _compare(mail, copy).status is not Status.PASSED


def test_a_preamble_that_was_not_recorded_is_named() -> None:
    copy = MIXED.replace(b"\r\n\r\n--c", b"\r\n\r\nSent to all\r\n--c", 1)
    report = _compare(MIXED, copy)
    assert any("structure.preamble" in note for note in report.notes)


def test_an_attached_mail_is_not_taken_for_the_mail_that_holds_it() -> None:
    holder = _mail(b"multipart/mixed; boundary=c",
                   _parts(b"\r\nsee", b"Content-Type: message/rfc822\r\n\r\n" + TEXT))  # fmt: skip
    report = _compare(holder, TEXT)
    assert (report.what, report.status) == ("file", Status.PASSED)


def test_telling_a_mail_from_a_file_takes_no_time() -> None:
    data = b"A: b\r\n" + b" c\r\n" * 10_000 + b"\x00"
    began = time.perf_counter()
    judge_copy(Copy("file", lambda: [data]), claims_of(MAIL))
    assert time.perf_counter() - began < 2


# -- the command ---------------------------------------------------------------------------------

EVIL = "Offre\nVERIFIED\x1b[2J\u009b31m\u202e\u2028"


@pytest.fixture
def files(tmp_path: Path) -> Callable[[Proof, str], list[str]]:
    def write(proof: Proof, copy: str) -> list[str]:
        (tmp_path / "proof.json").write_bytes(proof.to_bytes())
        (tmp_path / "trust.json").write_bytes(encode(WORLD.trust().to_json()))
        (tmp_path / copy).write_bytes(MAIL)
        return [*map(str, (tmp_path / "proof.json", tmp_path / copy)), "--trust",
                str(tmp_path / "trust.json")]  # fmt: skip

    return write


@pytest.mark.parametrize("json_wanted", [False, True])
def test_nothing_from_outside_acts_on_the_terminal(
    files: Callable[[Proof, str], list[str]],
    capsys: pytest.CaptureFixture[str],
    json_wanted: bool,
) -> None:
    claims = {**claims_of(MAIL), "header.subject": [EVIL]}
    words = files(_forge(claims), "a\n\x1b[31m\u009b\udce9.eml")
    assert main([*words, *(["--json"] if json_wanted else [])]) == 1
    shown = capsys.readouterr().out
    assert not {"\x1b", "\u009b", "\u202e", "\u2028", "\udce9"} & set(shown)
    assert "\nVERIFIED" not in shown
    if json_wanted:
        assert json.loads(shown)["facts"]["claims"]["header.subject"] == [EVIL]


def test_the_report_says_who_was_authenticated_and_what_was_malformed(
    files: Callable[[Proof, str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither claim can be hidden from a proof, so neither is from a reader."""
    claims = {**claims_of(MAIL), "defects": ["header.duplicate"]}
    claims["authentication"] = {"checks": [], "sender": "none"}
    main(files(_forge(claims), "mail.eml"))
    shown = capsys.readouterr().out
    assert "none" in shown
    assert "header.duplicate" in shown


def test_without_a_copy_compared_a_failed_proof_never_ends_well(
    files: Callable[[Proof, str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    entries = tuple(hide(e) for e in PROOF.entries)
    words = files(replace(PROOF, entries=entries), "mail.eml")
    assert main([*words, "--digest", "", "--digest", "00" * 32]) == 1
    assert "no facts" in capsys.readouterr().out

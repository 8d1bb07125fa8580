"""Verification of a proof: the numbered steps V1 to V14 and V17 of SPEC §9, in that order.

Primitives raise; only this module collects. Every step that can be judged is judged, whatever
failed before it, so that the report names all that is wrong; but no claim becomes a fact unless
the commitment (V2) and the registry (V3) passed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from proofmail.core.canonical import Json, base64url, format_time
from proofmail.core.claims import MAX_PARTS, check_claim, never_hidden
from proofmail.core.evm import AnchoredRoot, read_evm_anchor
from proofmail.core.merkle import leaf_hash, root_from_path
from proofmail.core.proof import (
    Batch,
    EvmAnchor,
    Proof,
    RevocationData,
    Rfc3161Token,
    Signature,
    Unknown,
)
from proofmail.core.record import SIGNATURE_LABEL, Disclosure, Record, check_commitment
from proofmail.errors import CheckFailed, NotChecked, Unreadable
from proofmail.verify import qualified
from proofmail.verify.lists import Qualification, TrustedList
from proofmail.verify.qualified import (
    STATUS_OF,
    judge_qualification,
    qualification_details,
)
from proofmail.verify.report import Report, Row, Status, WitnessFact
from proofmail.verify.revocation import Standing, standing
from proofmail.verify.token import TOKEN_CHECKS, TokenContext, TokenFacts, token_facts
from proofmail.verify.trust import Authority, NodeWord, Trust, key_id

T = TypeVar("T")

STATEMENT_TOLERANCE = timedelta(seconds=60)
"""How much later than its witness a record may say it was received (SPEC §9, V6 and V12)."""

NO_TRUST = Trust()
REVOCATION = "V5.S"
NOT_CHECKED = "not checked"
"""The detail `not_revoked_as_of` of a token of whose path nothing is known."""


@dataclass
class _Bench:
    """The rows of one verification as they come."""

    rows: list[Row]

    def judge(self, number: str, title: str, check: Callable[[], T], subject: str = "") -> T | None:
        """Runs one check and writes its row; returns the check's result, or None."""
        try:
            result = check()
        except (CheckFailed, Unreadable) as error:
            self.rows.append(Row(number, title, Status.FAILED, str(error), subject))
        except NotChecked as error:
            self.rows.append(Row(number, title, Status.NOT_CHECKED, str(error), subject))
        else:
            reason = result if isinstance(result, str) else ""
            self.rows.append(Row(number, title, Status.PASSED, reason, subject))
            return result
        return None

    def note(self, number: str, title: str, status: Status, reason: str, subject: str = "") -> None:
        self.rows.append(Row(number, title, status, reason, subject))

    def passed(self, start: int, but: frozenset[str] = frozenset()) -> Status:
        """The status of all rows since `start` as one; those numbered in `but` count only where
        they failed."""
        found = {
            row.status
            for row in self.rows[start:]
            if row.number not in but or row.status is Status.FAILED
        }
        if Status.FAILED in found:
            return Status.FAILED
        return Status.PASSED if found <= {Status.PASSED} else Status.NOT_CHECKED


def verify_proof(proof: Proof, trust: Trust = NO_TRUST) -> Report:
    """Judges a decoded proof under `trust`; nothing that the proof brings along is believed."""
    bench = _Bench([])
    bench.note("V1", "the file is an undamaged proof", Status.PASSED, "format 0, canonical")
    committed = bench.judge("V2", "the entries are those committed to", lambda: _commitment(proof))
    registered = bench.judge("V3", "every claim is known and typed", lambda: _registry(proof))
    bench.judge("V4", "signed by a trusted service key", lambda: _signature(proof, trust))
    witnesses = [*_tokens(bench, proof, trust), *_batches(bench, proof, trust)]
    for index, renewal in enumerate(proof.renewals, 1):
        reason = f"a kind this verifier does not know: {_clip(renewal.kind)}"
        bench.note("V13", "renewal", Status.NOT_CHECKED, reason, f"renewal {index}")
    known: set[bytes] = set()
    for index, linked in enumerate(proof.linked, 1):
        _linked(bench, proof, linked, trust, f"linked {index}", known)
    _enough(bench, witnesses, trust.witnesses)
    facts = _facts(proof) if committed is not None and registered is not None else {}
    return Report(tuple(bench.rows), tuple(f for _, f in witnesses), trust.witnesses, (), facts)


def _commitment(proof: Proof) -> str:
    check_commitment(proof.record, proof.entries)
    return f"SHA-256 of the record {sha256(proof.record.to_bytes()).hexdigest()}"


def _registry(proof: Proof) -> str:
    names = [entry.name for entry in proof.disclosures]
    if len(set(names)) != len(names):
        raise CheckFailed("a claim is disclosed twice")
    for entry in proof.disclosures:
        check_claim(proof.record.kind, entry.name, entry.value)
    missing = never_hidden(proof.record.kind) - set(names)
    if missing:
        raise CheckFailed(f"the claim {min(missing)} may not be hidden, but is not disclosed")
    _check_parts(proof.claims)
    hidden = len(proof.entries) - len(names)
    return f"{len(names)} claims shown; {hidden} entries not shown (hidden claims or decoys)"


def _check_parts(claims: dict[str, Json]) -> None:
    """The parts are numbered from 1 to `message.parts` (SPEC §4.2): one beyond it would be a part
    for a saved file and none for a mail."""
    count = claims.get("message.parts", MAX_PARTS)
    numbers = [int(name.removeprefix("part.")) for name in claims if name.startswith("part.")]
    if max(numbers, default=0) > count:
        raise CheckFailed("a part is disclosed whose number is above the number of parts")


def _signature(proof: Proof, trust: Trust) -> str:
    service = trust.service(proof.record.log)
    if service is None:
        raise NotChecked("the service (its log's name) is not in the trust given")
    spki = next((key for key in service.keys if key_id(key) == proof.signature.key), None)
    if spki is None:
        raise NotChecked("the signing key is not among the trusted keys of this service")
    check_signature(spki, proof.record, proof.signature)
    return f"log {proof.record.log}, key {proof.signature.key.hex()[:16]}…"


def check_signature(spki: bytes, record: Record, signature: Signature) -> None:
    """ECDSA on P-256 with SHA-256 over the label and the record's bytes (SPEC §2.5)."""
    key = load_der_public_key(spki)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CheckFailed("the service key is not an elliptic-curve key")
    try:
        data = SIGNATURE_LABEL + record.to_bytes()
        key.verify(signature.value, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise CheckFailed("the signature does not fit the record and the key") from error


_Witness = tuple[frozenset[str], WitnessFact]
"""Whose word it is, by all that tells authorities or chains apart, and what the witness says. Two
with anything in common are of the same one."""


def _tokens(bench: _Bench, proof: Proof, trust: Trust) -> list[_Witness]:
    found = []
    if not proof.tokens:
        bench.note("V5", "time-stamp token", Status.ABSENT, "no time-stamp yet")
    for index, token in enumerate(proof.tokens, 1):
        subject = f"token {index}"
        if isinstance(token, Unknown):
            reason = f"a kind this verifier does not know: {_clip(token.kind)}"
            bench.note("V5", "time-stamp token", Status.NOT_CHECKED, reason, subject)
        elif witness := _token(bench, proof.record, token, trust, subject):
            found.append(witness)
    return found


def _token(
    bench: _Bench, record: Record, token: Rfc3161Token, trust: Trust, subject: str
) -> _Witness | None:
    start = len(bench.rows)
    covered = bench.judge(
        "V5.T0", "what the token must cover", lambda: _covered(record, token), subject
    )
    if covered is None:
        return None
    imprint = _imprint(record, token)
    context = TokenContext(token.response, imprint, trust.tokens, token.certificates)
    for check in TOKEN_CHECKS:
        bench.judge(f"V5.{check.number}", check.title, partial(check.run, context), subject)
    try:
        facts = token_facts(context)
    except (CheckFailed, NotChecked, Unreadable):
        return None  # a row above says why
    authority = trust.authority(facts.root_sha256)
    revocation = _revocation(bench, token, context, subject)
    qualification = _qualification(bench, token, context, trust.lists, authority)
    latest = facts.gen_time + (facts.accuracy or timedelta())
    bench.judge(
        "V6", "not received after the time-stamp",
        lambda: _statement(record, latest, "token"), subject,
    )  # fmt: skip
    status = bench.passed(start, but=frozenset({REVOCATION, qualified.NUMBER}))
    if status is Status.PASSED and _lacks(authority, revocation, qualification):
        status = Status.NOT_CHECKED
    fact = WitnessFact(
        "rfc3161", status, facts.gen_time, facts.accuracy or timedelta(),
        (
            *_token_details(facts, authority.name if authority else "", revocation),
            *_tree_details(token, imprint),
            *qualification_details(token, qualification),
        ),
        "built-in authority" if authority and authority.built_in else "",
    )  # fmt: skip
    return _whose(context, authority) if status is Status.PASSED else frozenset(), fact


def _whose(context: TokenContext, authority: Authority | None) -> frozenset[str]:
    """By the end of the path, its key, the signer's key, and what the trust calls the authority:
    a renewed root, or a second signer, makes no second witness. For a token that passed."""
    root = context.path[-1]
    known = [root.public_bytes(Encoding.DER)] + [
        one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for one in (root, context.certificate)
    ]
    names = [f"name {authority.name}"] if authority and authority.name else []
    return frozenset((*names, *(sha256(data).hexdigest() for data in known)))


def _revocation(
    bench: _Bench, token: Rfc3161Token, context: TokenContext, subject: str
) -> Standing | None:
    """V5.S, judged whenever the path holds (SPEC §5.7)."""
    known = [item for item in token.revocation if isinstance(item, RevocationData)]
    start = len(bench.rows)
    found: list[Standing] = []

    def judge() -> str:
        try:
            path = context.path
        except CheckFailed as error:
            raise NotChecked(str(error)) from error
        found.append(standing(path, known, context.token.info.gen_time))
        return found[0].text

    bench.judge(REVOCATION, "no certificate of the path was revoked", judge, subject)
    others = [item.kind for item in token.revocation if isinstance(item, Unknown)]
    if others and bench.rows[start].status is not Status.FAILED:
        reason = f"a kind this verifier does not know: {_clip(others[0])}"
        bench.note(REVOCATION, "revocation data", Status.NOT_CHECKED, reason, subject)
    return found[0] if found else None


def _qualification(
    bench: _Bench,
    token: Rfc3161Token,
    context: TokenContext,
    lists: Sequence[TrustedList],
    authority: Authority | None,
) -> Qualification:
    """V5.Q, after the other rows of the token (SPEC §5.8). It never fails."""
    subject = bench.rows[-1].subject
    failed = any(r.subject == subject and r.status is Status.FAILED for r in bench.rows)
    found = judge_qualification(context, lists, authority, failed=failed)
    bench.note(qualified.NUMBER, qualified.TITLE, STATUS_OF[found.answer], found.reason, subject)
    others = [item.kind for item in token.extracts if isinstance(item, Unknown)]
    if others:
        reason = f"a kind this verifier does not know: {_clip(others[0])}"
        bench.note(qualified.NUMBER, "extract", Status.NOT_CHECKED, reason, subject)
    return found


def _lacks(authority: Authority | None, revocation: Standing | None, found: Qualification) -> bool:
    """Whether the trust asks of this authority what its token has not got."""
    if authority is None:
        return False
    return (authority.revocation_required and revocation is None) or (
        authority.qualified_required and not found.holds
    )


def _covered(record: Record, token: Rfc3161Token) -> str:
    """What the imprint is of, and how stock tools are told so (SPEC §5.1)."""
    imprint = _imprint(record, token).hex()
    if token.tree is None:
        return "the record alone: openssl ts -verify -data record.json"
    place = token.tree
    return (
        f"the root of a tree of {place.size} records, this one at index {place.index}: "
        f"openssl ts -verify -digest {imprint}"
    )


def _imprint(record: Record, token: Rfc3161Token) -> bytes:
    data = record.to_bytes()
    if token.tree is None:
        return sha256(data).digest()
    place = token.tree
    return root_from_path(leaf_hash(data), place.index, place.size, place.path)


def _token_details(
    facts: TokenFacts, authority: str, revocation: Standing | None
) -> tuple[tuple[str, str], ...]:
    return (
        ("authority", authority),
        ("signer", facts.signer),
        ("policy", facts.policy),
        ("serial", str(facts.serial)),
        ("certificate_bound_by", facts.ess_version),
        ("not_revoked_as_of", format_time(revocation.as_of) if revocation else NOT_CHECKED),
    )


def _tree_details(token: Rfc3161Token, imprint: bytes) -> tuple[tuple[str, str], ...]:
    if token.tree is None:
        return ()
    place = f"{token.tree.index} / {token.tree.size}"
    return (("tree_place", place), ("tree_root", imprint.hex()))


def _statement(record: Record, latest: datetime, witness: str) -> str:
    if record.received_at - latest > STATEMENT_TOLERANCE:  # so that no sum can overflow
        raise CheckFailed(f"received_at is later than the {witness}'s time")
    delay = (latest - record.received_at).total_seconds()
    return f"the service states {format_time(record.received_at)}, {delay:.0f} s before"


def _batches(bench: _Bench, proof: Proof, trust: Trust) -> list[_Witness]:
    found: list[_Witness] = []
    if not proof.batches:
        bench.note("V7", "batch", Status.ABSENT, "not in a batch yet")
    for index, batch in enumerate(proof.batches, 1):
        subject = f"batch {index}"
        if isinstance(batch, Unknown):
            reason = f"a kind this verifier does not know: {_clip(batch.kind)}"
            bench.note("V7", "batch", Status.NOT_CHECKED, reason, subject)
            continue
        found += _batch(bench, proof.record, batch, trust, subject)
    return found


def _batch(
    bench: _Bench, record: Record, batch: Batch, trust: Trust, subject: str
) -> list[_Witness]:
    start = len(bench.rows)
    bench.judge("V7", "the header names the record's log", lambda: _header(record, batch), subject)
    root = bench.judge(
        "V8", "header and record are in one tree", lambda: _root(record, batch), subject
    )
    if not batch.anchors:
        bench.note("V9", "anchor", Status.ABSENT, "not anchored yet", subject)
    before = bench.rows[start:]
    found = []
    for index, anchor in enumerate(batch.anchors, 1):
        name = f"{subject}, anchor {index}"
        if isinstance(anchor, Unknown):
            reason = f"a kind this verifier does not know: {_clip(anchor.kind)}"
            bench.note("V9", "anchor", Status.NOT_CHECKED, reason, name)
            continue
        own = _Bench(list(before))
        witness = _anchor(own, record, anchor, root, trust, name)
        bench.rows += own.rows[len(before) :]
        if witness:
            found.append(witness)
    return found


def _header(record: Record, batch: Batch) -> str:
    if batch.header.log != record.log:
        raise CheckFailed("the batch belongs to another log than the record")
    return f"batch {batch.header.sequence} of {batch.header.log}, {batch.header.count} records"


def _root(record: Record, batch: Batch) -> bytes:
    size = batch.header.count + 1
    root = root_from_path(leaf_hash(batch.header.to_bytes()), 0, size, batch.header_path)
    if root_from_path(leaf_hash(record.to_bytes()), batch.index, size, batch.path) != root:
        raise CheckFailed("the paths of header and record lead to different roots")
    return root


def _anchor(
    bench: _Bench,
    record: Record,
    anchor: EvmAnchor,
    root: bytes | None,
    trust: Trust,
    subject: str,
) -> _Witness | None:
    facts = bench.judge(
        "V9", "the transaction carries the root and is in the block",
        lambda: _anchored(anchor, root), subject,
    )  # fmt: skip
    if facts is None:
        return None
    bench.judge(
        "V10", "sent by a trusted sender of this log",
        lambda: _sender(record, facts, trust), subject,
    )  # fmt: skip
    bench.judge("V11", "the block is in the chain", lambda: _block(facts, trust), subject)
    bench.judge(
        "V12", "not received after the block",
        lambda: _statement(record, facts.block_time, "block"), subject,
    )  # fmt: skip
    chain = trust.chain(facts.chain_id)
    fact = WitnessFact(
        "evm", bench.passed(0), facts.block_time, timedelta(),
        (
            ("chain_id", str(facts.chain_id)),
            ("chain", chain.name if chain else ""),
            ("block_number", str(facts.block_number)),
            ("block_hash", f"0x{facts.block_hash.hex()}"),
            ("transaction", f"0x{facts.tx_hash.hex()}"),
            ("sender", f"0x{facts.sender.hex()}"),
            ("root", facts.root.hex()),
        ),
        "development chain" if chain and chain.development else "",
    )  # fmt: skip
    return frozenset((f"evm {facts.chain_id}",)), fact


def _anchored(anchor: EvmAnchor, root: bytes | None) -> AnchoredRoot:
    facts = read_evm_anchor(anchor.transaction, anchor.index, anchor.nodes, anchor.header)
    if root is None or facts.root != root:
        raise CheckFailed("the transaction carries another root than the batch's")
    return facts


def _sender(record: Record, facts: AnchoredRoot, trust: Trust) -> str:
    service = trust.service(record.log)
    if service is None:
        raise NotChecked("the service (its log's name) is not in the trust given")
    if facts.sender not in service.senders:
        raise NotChecked("the sender is not among the trusted senders of this service")
    return f"0x{facts.sender.hex()}"


def _block(facts: AnchoredRoot, trust: Trust) -> str:
    where = f"chain {facts.chain_id}, block {facts.block_number}, 0x{facts.block_hash.hex()}"
    chain = trust.chain(facts.chain_id)
    if chain is None:
        raise NotChecked(f"the chain is not in the trust given; look it up: {where}")
    if facts.block_hash in chain.believed:
        return where
    words = [word for word in chain.asked if word.number == facts.block_number]
    if not words:
        raise NotChecked(f"whether this block is in the chain; look it up: {where}")
    return f"{where}; by the word of {_vouched(facts, words)} alone"


def _vouched(facts: AnchoredRoot, words: list[NodeWord]) -> str:
    """The nodes that call this very block final, if all that were asked do."""
    names = ", ".join(sorted({word.node for word in words}))
    if not all(word.final for word in words):
        raise NotChecked(f"the nodes asked do not all call a block at this height final: {names}")
    if all(word.block_hash == facts.block_hash for word in words):
        return names
    if any(word.block_hash == facts.block_hash for word in words):
        raise NotChecked(f"the nodes asked contradict each other: {names}")
    raise CheckFailed(f"the nodes asked have another final block at this height: {names}")


def _linked(
    bench: _Bench, proof: Proof, linked: Proof, trust: Trust, subject: str, known: set[bytes]
) -> None:
    """V14: a linked proof names this record and passes on its own. `known` gathers the records
    linked so far: one shown twice would read as two receipts."""
    title = f"linked {linked.record.kind}"
    data = linked.record.to_bytes()
    twice = data in known
    known.add(data)
    report = verify_proof(linked, trust)
    name = "addendum.of" if linked.record.kind == "addendum" else "receipt.of"
    of = report.facts.get("claims", {}).get(name)
    failed = next((row for row in report.rows if row.status is Status.FAILED), None)
    if failed:
        reason = f"{failed.number} {failed.title}: {failed.reason}"
        bench.note("V14", title, Status.FAILED, reason, subject)
    elif of != base64url(sha256(proof.record.to_bytes()).digest()):
        bench.note("V14", title, Status.FAILED, "it does not name this record", subject)
    elif twice:
        bench.note("V14", title, Status.FAILED, "its record is linked a second time", subject)
    elif report.exit_status == 0:
        bench.note("V14", title, Status.PASSED, f"log {linked.record.log}", subject)
    elif not any(row.status is Status.NOT_CHECKED for row in report.rows):
        bench.note("V14", title, Status.ABSENT, "recorded, not yet witnessed", subject)
    else:
        row = next(r for r in report.rows if r.status is Status.NOT_CHECKED)
        reason = f"{row.number} {row.title}: {row.reason}"
        bench.note("V14", title, Status.NOT_CHECKED, reason, subject)


def _enough(bench: _Bench, witnesses: list[_Witness], needed: int) -> None:
    """V17: as many distinct witnesses passed as the trust asks for."""
    distinct: list[frozenset[str]] = []
    for whose, fact in witnesses:
        if fact.status is Status.PASSED:
            same = [other for other in distinct if other & whose]
            distinct = [other for other in distinct if not other & whose]
            distinct.append(whose.union(*same))
    reason = f"{len(distinct)} of {needed} needed"
    status = Status.PASSED if len(distinct) >= needed else Status.NOT_CHECKED
    if not witnesses and status is not Status.PASSED:
        status = Status.ABSENT
    bench.note("V17", "enough independent witnesses", status, reason)


def _facts(proof: Proof) -> Json:
    shown = {e.name: e.value for e in proof.entries if isinstance(e, Disclosure)}
    return {
        "claims": shown,
        "hidden_or_decoys": len(proof.entries) - len(shown),
        "kind": proof.record.kind,
        "log": proof.record.log,
        "received_at": format_time(proof.record.received_at),
    }


def _clip(text: str) -> str:
    """Text of the proof's own, shortened and made plain for a report's line."""
    return ascii(text[:40])

"""Verification of a proof: the numbered steps V1 to V14 and V17 of SPEC §9, in that order.

The rows of witnesses are made in modules of their own. Every step that can be judged is judged,
whatever failed before it, so that the report names all that is wrong; but no claim becomes a fact
unless the commitment (V2) and the registry (V3) passed.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from proofmail.core.canonical import Json, base64url, format_time
from proofmail.core.claims import MAX_PARTS, check_claim, never_hidden
from proofmail.core.proof import Proof, Signature
from proofmail.core.record import SIGNATURE_LABEL, Disclosure, Record, check_commitment
from proofmail.errors import CheckFailed, NotChecked
from proofmail.verify.batch_rows import judge_batches
from proofmail.verify.bench import Bench, Witness
from proofmail.verify.report import Report, Status
from proofmail.verify.token_rows import judge_tokens
from proofmail.verify.trust import Trust, key_id

NO_TRUST = Trust()


def verify_proof(proof: Proof, trust: Trust = NO_TRUST) -> Report:
    """Judges a decoded proof under `trust`; nothing that the proof brings along is believed."""
    bench = Bench([])
    bench.note("V1", "the file is an undamaged proof", Status.PASSED, "format 0, canonical")
    committed = bench.judge("V2", "the entries are those committed to", lambda: _commitment(proof))
    registered = bench.judge("V3", "every claim is known and typed", lambda: _registry(proof))
    bench.judge("V4", "signed by a trusted service key", lambda: _signature(proof, trust))
    witnesses = [*judge_tokens(bench, proof, trust), *judge_batches(bench, proof, trust)]
    for index, renewal in enumerate(proof.renewals, 1):
        bench.unknown("V13", "renewal", renewal.kind, f"renewal {index}")
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


def _linked(
    bench: Bench, proof: Proof, linked: Proof, trust: Trust, subject: str, known: set[bytes]
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


def _enough(bench: Bench, witnesses: list[Witness], needed: int) -> None:
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

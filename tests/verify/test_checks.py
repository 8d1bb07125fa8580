"""The numbered steps: a good proof passes them all, and each fault fails its own."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from proofmail.core.canonical import encode
from proofmail.core.merkle import Tree, leaf_hash
from proofmail.core.proof import (
    TreePlace,
    Unknown,
    read_proof,
)
from proofmail.core.record import Disclosure
from proofmail.errors import Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Report, Status
from tests.faults import FAULTS
from tests.making import NOW, World
from tests.recompute import recompute

WORLD = World()
PROOF = WORLD.prove()
TRUST = WORLD.trust()


def _failed(report: Report) -> set[str]:
    return {row.number for row in report.rows if row.status is Status.FAILED}


def test_a_good_proof_is_verified() -> None:
    report = verify_proof(read_proof(PROOF.to_bytes()), TRUST)
    assert report.exit_status == 0
    odd = {row.number: row.status for row in report.rows if row.status is not Status.PASSED}
    # The built-in authority gives out no revocation data, and is not a qualified one.
    assert odd == {"V5.S": Status.NOT_CHECKED, "V5.Q": Status.ABSENT}
    assert report.existed_by == NOW.replace(microsecond=0) + timedelta(seconds=2)
    assert {witness.caution for witness in report.witnesses} == {
        "built-in authority", "development chain",
    }  # fmt: skip
    assert report.facts["claims"]["header.subject"] == ["Offre signée n 42"]


def test_a_script_written_from_the_specification_alone_agrees() -> None:
    digest, blocks = recompute(json.loads(PROOF.to_bytes()))
    assert digest == sha256(PROOF.record.to_bytes()).hexdigest()
    assert blocks == [block.hex() for block in WORLD.blocks]


def test_without_trust_nothing_is_verified() -> None:
    report = verify_proof(PROOF)
    assert report.exit_status == 3
    assert not _failed(report)
    assert report.existed_by is None


def test_a_forger_with_all_of_his_own_is_never_verified() -> None:
    forged = World(log=WORLD.log, chain_id=WORLD.chain_id).prove()
    assert verify_proof(forged, TRUST).exit_status == 3


def test_a_proof_of_another_service_is_not_verified_under_this_trust() -> None:
    other = World(log="other/1").prove()
    assert verify_proof(other, TRUST).exit_status == 3


def test_a_provisional_proof_says_what_is_absent() -> None:
    bare = replace(PROOF, tokens=(), batches=())
    report = verify_proof(bare, TRUST)
    assert report.exit_status == 3
    assert [r.number for r in report.rows if r.status is Status.ABSENT] == ["V5", "V7", "V17"]
    stamped = verify_proof(replace(PROOF, batches=()), TRUST)
    assert stamped.exit_status == 0


def test_trust_may_ask_for_two_witnesses_and_two_of_a_kind_are_one() -> None:
    strict = WORLD.trust(witnesses=2)
    assert verify_proof(PROOF, strict).exit_status == 0
    twice = replace(PROOF, tokens=PROOF.tokens * 2, batches=())
    assert verify_proof(twice, strict).exit_status == 3


def test_a_block_that_is_not_in_trust_is_not_checked_and_named() -> None:
    chains = (replace(TRUST.chains[0], blocks=frozenset()),)
    report = verify_proof(replace(PROOF, tokens=()), replace(TRUST, chains=chains))
    (row,) = (row for row in report.rows if row.number == "V11")
    assert row.status is Status.NOT_CHECKED
    assert next(iter(WORLD.blocks)).hex() in row.reason
    assert report.exit_status == 3


def test_an_unknown_kind_is_not_checked_and_weakens_nothing() -> None:
    later = Unknown("opentimestamps", {"kind": "opentimestamps", "x": 1})
    proof = replace(PROOF, tokens=(*PROOF.tokens, later), renewals=(later,))
    report = verify_proof(read_proof(proof.to_bytes()), TRUST)
    assert report.exit_status == 0
    unchecked = [row.number for row in report.rows if row.status is Status.NOT_CHECKED]
    assert unchecked == ["V5.S", "V5", "V13"]
    (renewal,) = (row for row in report.rows if row.number == "V13")
    assert renewal.subject == "renewal 1"
    assert "opentimestamps" in renewal.reason


def test_a_token_over_a_tree_of_records() -> None:
    record = PROOF.record.to_bytes()
    tree = Tree([leaf_hash(b"a"), leaf_hash(record), leaf_hash(b"c")])
    token = replace(WORLD.stamp(tree.root), tree=TreePlace(1, 3, tuple(tree.path(1))))
    proof = replace(PROOF, tokens=(token,), batches=())
    assert verify_proof(read_proof(proof.to_bytes()), TRUST).exit_status == 0
    moved = replace(token, tree=TreePlace(0, 3, tuple(tree.path(1))))
    assert "V5.T3" in _failed(verify_proof(replace(proof, tokens=(moved,)), TRUST))


def test_a_redacted_proof_verifies_and_counts_what_it_hides() -> None:
    shown = frozenset({"authentication", "defects", "part.2"})
    redacted = read_proof(PROOF.redact(shown).to_bytes())
    report = verify_proof(redacted, TRUST)
    assert report.exit_status == 0
    assert set(report.facts["claims"]) == shown
    assert report.facts["hidden_or_decoys"] == 29
    assert b"Offre" not in redacted.to_bytes()


def test_a_receipt_is_linked_and_judged() -> None:
    receipt = WORLD.prove_receipt(PROOF)
    trust = WORLD.trust()
    report = verify_proof(read_proof(replace(PROOF, linked=(receipt,)).to_bytes()), trust)
    assert report.exit_status == 0
    assert [r.status for r in report.rows if r.number == "V14"] == [Status.PASSED]
    foreign = WORLD.prove_receipt(WORLD.prove())
    assert _failed(verify_proof(replace(PROOF, linked=(foreign,)), trust)) == {"V14"}
    bare = replace(receipt, tokens=(), batches=())
    report = verify_proof(replace(PROOF, linked=(bare,)), trust)
    assert report.exit_status == 0
    assert [r.status for r in report.rows if r.number == "V14"] == [Status.ABSENT]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_fails_its_own_steps(name: str) -> None:
    fault = FAULTS[name]
    report = verify_proof(read_proof(fault.change(WORLD, PROOF).to_bytes()), WORLD.trust())
    assert fault.failed <= _failed(report)
    unrelated = {"V1", "V2", "V3", "V4", "V6", "V7", "V8", "V14"} - fault.failed
    assert not unrelated & _failed(report)
    assert report.exit_status == fault.exit_status


def test_claims_are_no_facts_when_the_commitment_fails() -> None:
    assert verify_proof(FAULTS["changed-subject"].change(WORLD, PROOF), TRUST).facts == {}


def test_a_claim_shown_twice_is_refused() -> None:
    entry = PROOF.disclosures[0]
    entries = list(PROOF.entries)
    entries[next(i for i, e in enumerate(entries) if not isinstance(e, Disclosure))] = entry
    assert {"V2", "V3"} <= _failed(verify_proof(replace(PROOF, entries=tuple(entries)), TRUST))


def _mutations(number: int) -> Iterator[bytes]:
    data, dice = PROOF.to_bytes(), random.Random(7)
    for _ in range(number):
        changed = bytearray(data)
        changed[dice.randrange(len(data))] ^= 1 << dice.randrange(7)
        yield bytes(changed)


def test_every_mutated_file_is_unreadable() -> None:
    for changed in _mutations(2000):
        with pytest.raises(Unreadable):
            read_proof(changed)


def test_a_mutation_with_its_digest_made_right_says_nothing_new() -> None:
    """At most a witness is lost (its kind made unknown, say); what is still verified is the
    same."""
    good = verify_proof(PROOF, TRUST).to_json()
    passed = [witness for witness in good["witnesses"] if witness["status"] == "passed"]
    judged = 0
    for changed in _mutations(600):
        try:
            report = verify_proof(read_proof(_with_right_digest(changed)), TRUST).to_json()
        except Unreadable:
            continue
        judged += 1
        if report["exit_status"] == 0:
            assert report["facts"] == good["facts"]
            for witness in report["witnesses"]:
                assert witness["status"] != "passed" or witness in passed
    assert judged > 200


def _with_right_digest(data: bytes) -> bytes:
    try:
        value = json.loads(data)
        body = {name: member for name, member in value.items() if name != "sha256"}
    except (ValueError, AttributeError):
        return b""
    from proofmail.core.canonical import base64url

    try:
        return encode({**body, "sha256": base64url(sha256(encode(body)).digest())})
    except UnicodeEncodeError:
        return b""

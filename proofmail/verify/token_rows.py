"""The rows of a proof's time-stamp tokens: the numbered steps V5 and V6 of SPEC §9."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from proofmail.core.canonical import format_time
from proofmail.core.merkle import leaf_hash, root_from_path
from proofmail.core.proof import Proof, RevocationData, Rfc3161Token, Unknown
from proofmail.core.record import Record
from proofmail.errors import CheckFailed, NotChecked, Unreadable
from proofmail.verify import qualified
from proofmail.verify.bench import Bench, Witness, statement
from proofmail.verify.lists import Qualification, TrustedList
from proofmail.verify.qualified import STATUS_OF, judge_qualification, qualification_details
from proofmail.verify.report import Status, WitnessFact
from proofmail.verify.revocation import Standing, standing
from proofmail.verify.token import TOKEN_CHECKS, TokenContext, TokenFacts, token_facts
from proofmail.verify.trust import Authority, Trust

REVOCATION = "V5.S"
NOT_CHECKED = "not checked"
"""The detail `not_revoked_as_of` of a token of whose path nothing is known."""


def judge_tokens(bench: Bench, proof: Proof, trust: Trust) -> list[Witness]:
    """The rows of all tokens, and what each says that can be read."""
    found = []
    if not proof.tokens:
        bench.note("V5", "time-stamp token", Status.ABSENT, "no time-stamp yet")
    for index, token in enumerate(proof.tokens, 1):
        subject = f"token {index}"
        if isinstance(token, Unknown):
            bench.unknown("V5", "time-stamp token", token.kind, subject)
        elif witness := _token(bench, proof.record, token, trust, subject):
            found.append(witness)
    return found


def _token(
    bench: Bench, record: Record, token: Rfc3161Token, trust: Trust, subject: str
) -> Witness | None:
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
        lambda: statement(record, latest, "token"), subject,
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
    bench: Bench, token: Rfc3161Token, context: TokenContext, subject: str
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
        bench.unknown(REVOCATION, "revocation data", others[0], subject)
    return found[0] if found else None


def _qualification(
    bench: Bench,
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
        bench.unknown(qualified.NUMBER, "extract", others[0], subject)
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

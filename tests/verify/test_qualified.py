"""Whether a token's authority was a qualified one at genTime, by the lists of the trust."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.core import der
from proofmail.core.canonical import encode
from proofmail.core.extracts import MAX_EXTRACTS, ListExtract
from proofmail.core.proof import Proof, Rfc3161Token, Unknown, read_proof
from proofmail.errors import Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.lists import (
    EIDAS,
    NOT_QUALIFIED,
    QUALIFIED,
    UNKNOWN,
    ListedService,
    Period,
    Qualification,
    TrustedList,
    qualification,
)
from proofmail.verify.report import Report, Row, Status
from proofmail.verify.trust import Authority, Trust, make_trust, read_trust
from tests.making import World
from tests.verify.token_maker import DAY, STAMPING, Recipe, certify, response_of

WORLD = World()
BARE = WORLD.prove()
THEN = WORLD.now + timedelta(seconds=1)
AROUND = {"start": THEN - 8000 * DAY, "end": THEN + 900 * DAY}
ROOT = certify("outside root", None, ca=True, **AROUND)
ISSUER = certify("outside issuer", ROOT, ca=True, **AROUND)
TSA = certify("outside TSA", ISSUER, usages=(STAMPING,), **AROUND)
STRANGER = certify("outside issuer", None, ca=True, **AROUND)  # the issuer's name, another key
SINCE = THEN - 900 * DAY


def service(*certificates: bytes, periods: tuple[Period, ...] = ()) -> ListedService:
    return ListedService(
        "Horloge SA", "Horodatage", certificates, periods or (Period(SINCE, "granted", "QTST"),)
    )


def listing(*services: ListedService, territory: str = "FR", **changes: object) -> TrustedList:
    made = TrustedList(
        territory, 123, THEN + DAY, THEN + 90 * DAY, bytes(32), bytes(32), tuple(services)
    )
    return replace(made, **changes)


def asked(*lists: TrustedList, moment: datetime = THEN) -> Qualification:
    return qualification(TSA.certificate, (ISSUER.der, b"odd"), moment, lists)


@pytest.mark.parametrize("listed", [TSA, ISSUER, ROOT])
def test_a_token_is_matched_by_its_own_certificate_or_an_issuer_above_it(listed) -> None:
    found = asked(listing(service(listed.der)))
    assert found.answer == QUALIFIED
    assert "list FR no. 123 of" in found.reason
    assert found.extract == ListExtract(
        "FR", 123, THEN + DAY, bytes(32), "Horloge SA", "Horodatage", "QTST", "granted", SINCE
    )


def test_another_certificate_of_the_same_name_and_key_is_the_same_service() -> None:
    again = certify("outside TSA", None, key=TSA.key, usages=(STAMPING,), **AROUND)
    assert asked(listing(service(again.der))).answer == QUALIFIED


@pytest.mark.parametrize(
    "listed",
    [
        STRANGER,
        certify("outside TSA", ISSUER, usages=(STAMPING,), **AROUND),  # its name, another key
        certify("somebody else", ISSUER, key=TSA.key, usages=(STAMPING,), **AROUND),
        certify("sibling TSA", ISSUER, usages=(STAMPING,), **AROUND),
    ],
)
def test_a_name_or_a_key_or_an_issuer_in_common_is_no_match(listed) -> None:
    found = asked(listing(service(listed.der)), listing(territory="DE"))
    assert found == Qualification(UNKNOWN, "the authority is in none of the lists given (DE, FR)")


def periods(*told: tuple[int, str]) -> tuple[Period, ...]:
    return tuple(Period(THEN + days * DAY, status, "QTST") for days, status in told)


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ([(-900, "granted")], QUALIFIED),
        ([(0, "granted")], QUALIFIED),  # from that very moment
        ([(-900, "granted"), (0, "withdrawn")], NOT_QUALIFIED),
        (
            [(-900, "granted"), (1, "withdrawn")],
            QUALIFIED,
        ),  # withdrawn since: nothing to this token
        ([(-900, "withdrawn"), (-800, "granted")], QUALIFIED),
        ([(-900, "granted"), (-800, "withdrawn"), (-1, "granted")], QUALIFIED),
        ([(-900, "granted"), (-800, "withdrawn"), (1, "granted")], NOT_QUALIFIED),
        ([(1, "granted")], NOT_QUALIFIED),  # not listed yet
        ([(-900, "granted"), (-900, "withdrawn")], NOT_QUALIFIED),
        ([(-900, "recognisedatnationallevel")], NOT_QUALIFIED),
        ([(-900, "accredited")], NOT_QUALIFIED),  # a status of before eIDAS, and nothing since
        ([(-900, "other")], NOT_QUALIFIED),
    ],
)
def test_the_status_is_that_of_gen_time(told: list[tuple[int, str]], answer: str) -> None:
    assert asked(listing(service(TSA.der, periods=periods(*told)))).answer == answer


def test_a_service_for_other_time_stamps_makes_none_qualified() -> None:
    other = service(TSA.der, periods=(Period(SINCE, "granted", "TSA"),))
    assert asked(listing(other)).answer == NOT_QUALIFIED
    assert asked(listing(other, service(ISSUER.der))).answer == QUALIFIED


def test_nobody_was_qualified_before_the_regulation_applied() -> None:
    long_ago = periods((-8000, "granted"))
    one = listing(service(TSA.der, periods=long_ago))
    assert asked(one, moment=EIDAS).answer == QUALIFIED
    found = asked(one, moment=EIDAS - timedelta(seconds=1))
    assert found.answer == NOT_QUALIFIED
    assert "before 1 July 2016" in found.reason


@pytest.mark.parametrize(
    ("issued", "following", "answer"),
    [
        (1, None, QUALIFIED),
        (-1, 1, QUALIFIED),
        (-1, 0, QUALIFIED),
        (-9, -1, UNKNOWN),
        (-1, None, UNKNOWN),
    ],
)
def test_a_list_that_was_out_of_force_at_gen_time_tells_nothing(
    issued: int, following: int | None, answer: str
) -> None:
    until = None if following is None else THEN + following * DAY
    one = listing(service(TSA.der), issued=THEN + issued * DAY, next_update=until)
    found = asked(one)
    assert found.answer == answer
    assert ("too old" in found.reason) == (answer == UNKNOWN)


def test_a_list_too_old_to_tell_outweighs_another_list_s_no() -> None:
    old = listing(service(TSA.der), territory="DE", issued=THEN - 9 * DAY, next_update=None)
    withdrawn = listing(service(TSA.der, periods=periods((-9, "withdrawn"))))
    assert asked(withdrawn, old).answer == UNKNOWN
    assert asked(withdrawn, old, listing(service(ROOT.der), territory="BE")).answer == QUALIFIED


def test_without_a_list_nothing_is_said() -> None:
    assert asked().answer == UNKNOWN


def test_an_unsigned_list_is_named_as_one_and_yields_to_a_signed_one() -> None:
    unsigned = listing(service(TSA.der), signer=None)
    found = asked(unsigned)
    assert found.answer == "qualified by an unsigned list"
    assert found.holds
    assert "signature not checked" in found.reason
    assert asked(unsigned, listing(service(TSA.der), territory="DE")).answer == QUALIFIED


# --- in a report -------------------------------------------------------------------------------


def proof_with(*extracts: ListExtract | Unknown, **changes: object) -> Proof:
    imprint = sha256(BARE.record.to_bytes()).digest()
    recipe = Recipe(TSA, imprint=imprint, gen_time=der.generalized_time(THEN), nonce=None)
    response = response_of(replace(recipe, **changes))
    token = Rfc3161Token(response, (ISSUER.der,), extracts=extracts)
    return replace(BARE, tokens=(token,), batches=())


def trust_with(*lists: TrustedList, **changes: object) -> Trust:
    authority = replace(Authority("outside", ROOT.der), **changes)
    own = WORLD.trust()
    return make_trust(own.services, [authority], [], [], lists=lists)


def row_of(report: Report) -> Row:
    (row,) = [row for row in report.rows if row.number == "V5.Q"]
    return row


GOOD = listing(service(ISSUER.der))
WITHDRAWN = listing(service(ISSUER.der, periods=periods((-900, "granted"), (-1, "withdrawn"))))


@pytest.mark.parametrize(
    ("lists", "status", "answer"),
    [
        ((GOOD,), Status.PASSED, QUALIFIED),
        ((WITHDRAWN,), Status.ABSENT, NOT_QUALIFIED),
        ((), Status.NOT_CHECKED, UNKNOWN),
    ],
)
def test_a_report_says_it_and_the_exit_status_is_the_same(
    lists: tuple[TrustedList, ...], status: Status, answer: str
) -> None:
    report = verify_proof(proof_with(), trust_with(*lists))
    assert row_of(report).status is status
    assert dict(report.witnesses[0].details)["qualified"] == answer
    assert report.witnesses[0].status is Status.PASSED
    assert report.exit_status == 0


@pytest.mark.parametrize(("lists", "exit_status"), [((GOOD,), 0), ((WITHDRAWN,), 3), ((), 3)])
def test_a_trust_may_require_it(lists: tuple[TrustedList, ...], exit_status: int) -> None:
    trust = trust_with(*lists, qualified_required=True)
    assert verify_proof(proof_with(), trust).exit_status == exit_status
    assert read_trust(encode(trust.to_json())) == trust


def test_a_token_that_failed_is_nobody_s() -> None:
    report = verify_proof(proof_with(message_digest=bytes(32)), trust_with(GOOD))
    assert row_of(report).status is Status.NOT_CHECKED
    assert report.exit_status == 1


def test_a_list_makes_no_authority_trusted() -> None:
    report = verify_proof(
        proof_with(), replace(trust_with(GOOD), authorities=(), tokens=Trust().tokens)
    )
    assert report.exit_status == 3
    assert report.witnesses[0].status is Status.NOT_CHECKED


def test_the_built_in_authority_is_never_a_qualified_one() -> None:
    own = x509.load_pem_x509_certificate(WORLD.authority.root_pem)
    listed = service(own.public_bytes(Encoding.DER))
    report = verify_proof(BARE, replace(WORLD.trust(), lists=(listing(listed),)))
    assert row_of(report).status is Status.ABSENT
    assert report.exit_status == 0


# --- what the service saw ----------------------------------------------------------------------

EXTRACT = ListExtract(
    "FR", 122, THEN - DAY, bytes(32), "Horloge SA", "Horodatage", "QTST", "granted", SINCE
)


@pytest.mark.parametrize("lists", [(), (WITHDRAWN,), (GOOD,)])
def test_what_the_service_saw_is_told_and_changes_nothing(lists: tuple[TrustedList, ...]) -> None:
    trust = trust_with(*lists, qualified_required=True)
    bare, told = (verify_proof(p, trust) for p in (proof_with(), proof_with(EXTRACT)))
    assert row_of(bare) == row_of(told)
    assert bare.exit_status == told.exit_status
    saw = dict(told.witnesses[0].details)["service_saw"]
    assert saw.startswith("list FR no. 122 of ")
    assert "granted since" in saw


def test_an_extract_of_another_kind_is_kept_and_named() -> None:
    later = Unknown("dns-list", {"kind": "dns-list", "value": 1})
    proof = proof_with(EXTRACT, later)
    assert read_proof(proof.to_bytes()) == proof
    rows = [row for row in verify_proof(proof, trust_with(GOOD)).rows if row.number == "V5.Q"]
    assert [row.status for row in rows] == [Status.PASSED, Status.NOT_CHECKED]


@pytest.mark.parametrize(
    "change",
    [
        {"territory": "fr"},
        {"territory": "FRA"},
        {"type": "CA"},
        {"status": "fine"},
        {"sequence": -1},
        {"provider": "x" * 201},
        {"list_sha256": "AAAA"},
        {"since": "2018-05-01"},
        {"more": 1},
    ],
)
def test_a_crooked_extract_is_unreadable(change: dict[str, object]) -> None:
    crooked = Unknown("trusted-list", {**EXTRACT.to_json(), **change})
    with pytest.raises(Unreadable):
        read_proof(proof_with(crooked).to_bytes())


def test_too_many_extracts_and_an_empty_list_are_unreadable() -> None:
    with pytest.raises(Unreadable):
        read_proof(proof_with(*[EXTRACT] * (MAX_EXTRACTS + 1)).to_bytes())
    proof = proof_with(EXTRACT)
    token = proof.tokens[0]
    assert isinstance(token, Rfc3161Token)
    value = proof.to_json()["tokens"][0] | {"extracts": []}
    with pytest.raises(Unreadable, match="left out"):
        read_proof(replace(proof, tokens=(Unknown("rfc3161", value),)).to_bytes())

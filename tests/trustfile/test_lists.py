"""Trusted lists: what is taken from one, and everything that is refused."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography import x509
from lxml import etree

from proofmail.errors import CheckFailed, Unreadable
from proofmail.trustfile import trusted_list as reader
from proofmail.trustfile import xml_tree
from proofmail.trustfile.build import Signers, join, signers_of, take_list
from proofmail.trustfile.trusted_list import read_moment, read_services
from proofmail.trustfile.xml_tree import read_xml
from proofmail.verify.lists import Period
from proofmail.verify.trust import Trust, read_trust
from tests.trustfile.list_maker import (
    CA_QC,
    LISTS,
    START,
    STATUS,
    TSA,
    Listed,
    ListRecipe,
    sign,
    signed,
    xml_of,
)
from tests.verify.token_maker import DAY, NOW, certify, leaf, root

SIGNER = certify("list signer", None, end=NOW + 900 * DAY)
OTHER = certify("list signer", None, end=NOW + 900 * DAY)  # the same name, another key
SIGNERS = Signers((SIGNER.certificate,))
RECIPE = ListRecipe((Listed((leaf().der,)),))
GOOD = signed(RECIPE, SIGNER)
DS = "{http://www.w3.org/2000/09/xmldsig#}"
KNOWN = '<Extension Critical="true"><AdditionalServiceInformation/></Extension>'


def taken(recipe: ListRecipe) -> reader.Services:
    return read_services(read_xml(xml_of(recipe)))


def test_a_signed_list_is_taken_with_all_that_counts() -> None:
    found = take_list(GOOD, Signers((OTHER.certificate, SIGNER.certificate)))
    (service,) = found.trusted_list.services
    assert found.passed_over == 0
    assert found.trusted_list.territory == "FR"
    assert found.trusted_list.sequence == 123
    assert found.trusted_list.issued == RECIPE.issued
    assert found.trusted_list.next_update == RECIPE.next_update
    assert found.trusted_list.sha256 == sha256(GOOD).digest()
    assert found.trusted_list.signer == sha256(SIGNER.der).digest()
    assert service.provider == "Horloge SA"
    assert service.name == "Horodatage qualifié"
    assert service.certificates == (leaf().der,)
    assert service.periods == (Period(START, "granted", "QTST"),)


def test_a_list_signed_by_its_own_id_is_taken_too() -> None:
    assert take_list(sign(xml_of(RECIPE), SIGNER, uri="#list"), SIGNERS).trusted_list.signer


def test_an_unsigned_list_is_taken_only_when_that_is_said_and_remembers_it() -> None:
    bare = xml_of(RECIPE)
    with pytest.raises(CheckFailed, match="no signature"):
        take_list(bare, SIGNERS)
    found = take_list(bare, None).trusted_list
    assert found.signer is None
    assert found.title == "list FR no. 123 of 2026-04-03, its signature not checked"


@pytest.mark.parametrize("signers", [Signers(), Signers((OTHER.certificate,))])
def test_another_signer_is_refused(signers: Signers) -> None:
    with pytest.raises(CheckFailed, match="not signed by any"):
        take_list(GOOD, signers)


def test_a_signer_who_had_expired_when_the_list_was_issued_is_refused() -> None:
    old = certify("old signer", None, end=RECIPE.issued - DAY)
    with pytest.raises(CheckFailed, match="not signed by any"):
        take_list(signed(RECIPE, old), Signers((old.certificate,)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"granted", b"withdrawn"),
        (b"Horloge SA", b"Horloge AG"),
        (b"<TSLSequenceNumber>123", b"<TSLSequenceNumber>124"),
        (b"2018-05-01", b"2017-05-01"),
        (b"TSA/QTST", b"TSA"),
        (b"#enveloped-signature", b"#base64"),
    ],
)
def test_a_changed_list_is_refused(old: bytes, new: bytes) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises((CheckFailed, Unreadable)):
        take_list(GOOD.replace(old, new), SIGNERS)


def forged() -> etree._Element:
    """A list of the attacker's own, as like the good one as can be."""
    other = replace(RECIPE, services=(Listed((root().der,)),))
    return etree.fromstring(xml_of(other))


def wrapped_beside() -> bytes:
    """The good list, whole, inside an element of the forged one; the signature at its top."""
    genuine, outer = etree.fromstring(sign(xml_of(RECIPE), SIGNER, uri="#list")), forged()
    del outer.attrib["Id"]
    signature = genuine.find(f"{DS}Signature")
    genuine.remove(signature)
    outer.append(signature)
    etree.SubElement(outer, "Object").append(genuine)
    return etree.tostring(outer)


def wrapped_in_signature() -> bytes:
    """The good list inside the signature's own Object."""
    genuine, outer = etree.fromstring(sign(xml_of(RECIPE), SIGNER, uri="#list")), forged()
    del outer.attrib["Id"]
    signature = genuine.find(f"{DS}Signature")
    genuine.remove(signature)
    outer.append(signature)
    etree.SubElement(signature, f"{DS}Object").append(genuine)
    return etree.tostring(outer)


def duplicated_id() -> bytes:
    """Two elements with the id that is signed."""
    genuine, outer = etree.fromstring(sign(xml_of(RECIPE), SIGNER, uri="#list")), forged()
    signature = genuine.find(f"{DS}Signature")
    genuine.remove(signature)
    outer.append(signature)
    etree.SubElement(outer, "Object").append(genuine)
    return etree.tostring(outer)


def moved_signature() -> bytes:
    """The signature of the good list, on the forged one."""
    outer = forged()
    outer.append(etree.fromstring(GOOD).find(f"{DS}Signature"))
    return etree.tostring(outer)


def second_signature() -> bytes:
    """The attacker's own signature first, the good one behind it."""
    outer = etree.fromstring(sign(etree.tostring(forged()), OTHER))
    outer.append(etree.fromstring(GOOD).find(f"{DS}Signature"))
    return etree.tostring(outer)


def good_list_as_a_child() -> bytes:
    """The good list with its signature, whole, as a child of the forged one."""
    outer = forged()
    outer.append(etree.fromstring(GOOD))
    return etree.tostring(outer)


@pytest.mark.parametrize(
    "attack",
    [
        wrapped_beside,
        wrapped_in_signature,
        duplicated_id,
        moved_signature,
        second_signature,
        good_list_as_a_child,
    ],
)
def test_a_signature_wrapped_around_another_list_gives_nothing_of_that_list(attack) -> None:
    """Refused, or else what was signed is taken and nothing of the forged list."""
    try:
        found = take_list(attack(), SIGNERS)
    except (CheckFailed, Unreadable):
        return
    assert [service.certificates for service in found.trusted_list.services] == [(leaf().der,)]


def test_a_wrapped_list_of_another_number_is_refused() -> None:
    genuine = etree.fromstring(sign(xml_of(RECIPE), SIGNER, uri="#list"))
    outer = etree.fromstring(xml_of(replace(RECIPE, sequence=999, attributes="")))
    signature = genuine.find(f"{DS}Signature")
    genuine.remove(signature)
    outer.append(signature)
    etree.SubElement(outer, "Object").append(genuine)
    with pytest.raises(CheckFailed, match="of another list"):
        take_list(etree.tostring(outer), SIGNERS)


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (LAUGHS, "document type"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "document type"),
        ('<!DOCTYPE a SYSTEM "https://lists.example/a.dtd">', "document type"),
        ("<!DOCTYPE a>", "document type"),
    ],
)
def test_no_document_type_no_entity(before: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        take_list(xml_of(replace(RECIPE, before=before)), None)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "well-formed"),
        (b"<a", "well-formed"),
        (b"<a/><b/>", "well-formed"),
        (b"<a>&nope;</a>", "well-formed"),
        (b"<a>\xff</a>", "UTF-8"),
        (b"<a/>", "not a trusted list"),
        (xml_of(RECIPE).decode().encode("utf-16"), "UTF-8"),
        (xml_of(RECIPE).replace(b"UTF-8", b"ISO-8859-1"), "UTF-8"),
        (b"<a>" * 70 + b"</a>" * 70, "deep"),
        (b"<a " + b" ".join(b'x%d="1"' % n for n in range(40)) + b"/>", "attributes"),
    ],
)
def test_what_is_no_list_is_refused_in_one_line(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        take_list(data, None)


def test_size_and_number_of_elements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_tree, "MAX_ELEMENTS", 5)
    with pytest.raises(Unreadable, match="more than 5 elements"):
        read_xml(b"<a>" + b"<b/>" * 5 + b"</a>")
    monkeypatch.setattr(xml_tree, "MAX_XML_BYTES", 100)
    with pytest.raises(Unreadable, match="at most"):
        read_xml(b" " * 101)


def test_comments_and_instructions_cut_no_value_short() -> None:
    text = xml_of(RECIPE).replace(b"Svcstatus/granted", b"Svcstatus/gran<!-- x --><?y z?>ted")
    (service,) = read_services(read_xml(text)).taken
    assert service.periods[0].status == "granted"
    text = xml_of(RECIPE).replace(b"Svcstatus/granted", b"Svcstatus/granted<!-- x -->ish")
    (service,) = read_services(read_xml(text)).taken
    assert service.periods[0].status == "other"


def test_a_comment_put_into_a_signed_list_changes_nothing() -> None:
    data = GOOD.replace(b"Svcstatus/granted", b"Svcstatus/gran<!-- x -->ted")
    (service,) = take_list(data, SIGNERS).trusted_list.services
    assert service.periods[0].status == "granted"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": LISTS}, "not a national"),
        ({"version": "4"}, "version"),
        ({"sequence": 0}, "sequence"),
        ({"territory": "FRA"}, "territory"),
        ({"territory": "F1"}, "territory"),
    ],
)
def test_a_list_of_another_kind_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        take_list(xml_of(replace(RECIPE, **change)), None)


def test_an_element_told_twice_is_refused() -> None:
    text = xml_of(RECIPE)
    twice = text.replace(b"<TSLType>", b"<TSLSequenceNumber>1</TSLSequenceNumber><TSLType>")
    with pytest.raises(Unreadable, match="several TSLSequenceNumber"):
        take_list(twice, None)


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2016-06-30T22:00:00Z", datetime(2016, 6, 30, 22, tzinfo=UTC)),
        ("2016-07-01T00:00:00+02:00", datetime(2016, 6, 30, 22, tzinfo=UTC)),
        ("2016-07-01T00:00:00.1239Z", datetime(2016, 7, 1, 0, 0, 0, 123000, tzinfo=UTC)),
        ("2016-07-01T00:00:00.5-01:00", datetime(2016, 7, 1, 1, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_times(said: str, moment: datetime) -> None:
    assert read_moment(said) == moment


@pytest.mark.parametrize(
    "said",
    [
        "",
        "2016-07-01",
        "2016-07-01T00:00:00",
        "2016-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1960-01-01T00:00:00Z",
        "2016-07-01T00:00:00Z x",
    ],
)
def test_times_that_are_none(said: str) -> None:
    with pytest.raises(Unreadable):
        read_moment(said)


def test_history_is_told_in_the_order_of_time() -> None:
    old, older = datetime(2016, 6, 30, 22, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC)
    listed = Listed((leaf().der,), "withdrawn", history=((old, "granted"), (older, "accredited")))
    (service,) = taken(replace(RECIPE, services=(listed,))).taken
    assert service.periods == (
        Period(older, "accredited", "QTST"),
        Period(old, "granted", "QTST"),
        Period(START, "withdrawn", "QTST"),
    )


def test_of_two_entries_of_one_moment_the_later_told_first_counts() -> None:
    listed = Listed((leaf().der,), "withdrawn", history=((START, "granted"),))
    (service,) = taken(replace(RECIPE, services=(listed,))).taken
    found = service.period_at(START)
    assert found is not None
    assert found.status == "withdrawn"


@pytest.mark.parametrize(
    "bad",
    [
        Listed((leaf().der,), history=((START + DAY, "withdrawn"),)),  # the past after the present
        Listed(
            (leaf().der,),
            "withdrawn",
            history=((START - 9 * DAY, "granted"), (START - DAY, "granted")),
        ),
        Listed(()),
        Listed((b"no certificate",)),
    ],
)
def test_a_service_that_cannot_be_taken_is_counted_and_keeps_no_other_away(bad: Listed) -> None:
    found = taken(replace(RECIPE, services=(bad, *RECIPE.services)))
    assert len(found.taken) == 1
    assert found.passed_over == 1


@pytest.mark.parametrize(
    ("listed", "status", "kind"),
    [
        (Listed((leaf().der,), type=TSA), "granted", "TSA"),
        (
            Listed((leaf().der,), status="http://elsewhere.example/Svcstatus/granted"),
            "other",
            "QTST",
        ),
        (Listed((leaf().der,), status=STATUS + "Granted"), "other", "QTST"),
        (
            Listed((leaf().der,), extension='<Extension Critical="true"><Odd/></Extension>'),
            "other",
            "QTST",
        ),
        (
            Listed((leaf().der,), extension='<Extension Critical="false"><Odd/></Extension>'),
            "granted",
            "QTST",
        ),
        (Listed((leaf().der,), extension=KNOWN), "granted", "QTST"),
    ],
)
def test_statuses_and_types(listed: Listed, status: str, kind: str) -> None:
    (service,) = taken(replace(RECIPE, services=(listed,))).taken
    assert service.periods == (Period(START, status, kind),)


def test_services_that_are_not_for_time_stamps_are_not_taken() -> None:
    listed = Listed((leaf().der,), type=CA_QC)
    assert taken(replace(RECIPE, services=(listed,))) == reader.Services((), 0)


# --- the list of lists -----------------------------------------------------------------------

LOTL_SIGNER = certify("Commission", None, end=NOW + 900 * DAY)


def lotl(**changes: object) -> ListRecipe:
    pointers = (("FR", (SIGNER.der,)), ("DE", (OTHER.der,)))
    return replace(ListRecipe(territory="EU", type=LISTS, pointers=pointers), **changes)


def test_a_list_of_lists_names_who_may_sign_for_each_country() -> None:
    signers = signers_of(signed(lotl(), LOTL_SIGNER), [LOTL_SIGNER.certificate])
    assert take_list(GOOD, signers).trusted_list.signer == sha256(SIGNER.der).digest()
    with pytest.raises(CheckFailed, match="not signed by any"):  # Germany's signer, for France
        take_list(signed(RECIPE, OTHER), signers)
    with pytest.raises(CheckFailed, match="not signed by any"):
        take_list(signed(replace(RECIPE, territory="BE"), SIGNER), signers)


def test_a_list_of_lists_is_believed_by_its_own_signers_alone() -> None:
    data = signed(lotl(), OTHER)
    with pytest.raises(CheckFailed, match="not signed by any"):
        signers_of(data, [LOTL_SIGNER.certificate])
    with pytest.raises(Unreadable, match="list of lists"):
        signers_of(GOOD, [SIGNER.certificate])


# --- in the trust file -----------------------------------------------------------------------


def trust_with(*recipes: ListRecipe) -> Trust:
    return replace(
        Trust(), lists=tuple(take_list(signed(r, SIGNER), SIGNERS).trusted_list for r in recipes)
    )


def test_a_newer_list_replaces_an_older_one_and_never_the_other_way() -> None:
    newer = replace(RECIPE, sequence=124, issued=RECIPE.issued + DAY)
    german = replace(RECIPE, territory="DE")
    joined = join(trust_with(RECIPE, german), trust_with(newer))
    assert [(found.territory, found.sequence) for found in joined.lists] == [
        ("DE", 123),
        ("FR", 124),
    ]
    with pytest.raises(Unreadable, match="a newer list of FR"):
        join(joined, trust_with(RECIPE))


def test_the_trust_file_holds_a_list_and_refuses_a_crooked_one() -> None:
    from proofmail.core.canonical import encode

    trust = trust_with(RECIPE)
    assert read_trust(encode(trust.to_json())).lists == trust.lists

    def refused(why: str, **changes: object) -> None:
        value = trust.to_json()
        value["lists"] = [{**value["lists"][0], **changes}]
        with pytest.raises(Unreadable, match=why):
            read_trust(encode(value))

    service = trust.to_json()["lists"][0]["services"][0]
    period = service["periods"][0]
    earlier = {**period, "start": "2017-01-01T00:00:00.000Z"}
    refused("unknown member", more=1)
    refused("capital letters", territory="fr")
    refused("order of time", services=[{**service, "periods": [period, earlier]}])
    refused("order of time", services=[{**service, "periods": []}])
    refused("none of those known", services=[{**service, "periods": [{**period, "status": "ok"}]}])
    refused("no certificate", services=[{**service, "certificates": []}])
    refused("certificate|DER", services=[{**service, "certificates": ["AAAA"]}])
    value = trust.to_json()
    value["lists"] *= 2
    with pytest.raises(Unreadable, match="listed twice"):
        read_trust(encode(value))


def test_signers_may_be_read_from_a_certificate_that_x509_reads() -> None:
    named = Signers(by_territory=(("FR", (SIGNER.der,)),))
    assert named.of("FR") == [x509.load_der_x509_certificate(SIGNER.der)]
    assert named.of("DE") == []


def edited(data: bytes, dice: random.Random) -> bytes:
    """One edit: a byte changed, a stretch removed, doubled, or moved elsewhere."""
    at, size, to = (dice.randrange(len(data)) for _ in range(3))
    size = 1 + size % 60
    piece = data[at : at + size]
    return dice.choice(
        (
            data[:at] + bytes((dice.randrange(256),)) + data[at + 1 :],
            data[:at] + data[at + size :],
            data[:at] + piece + data[at:],
            data[:to] + piece + data[to:],
        )
    )


def test_an_edited_list_is_refused_or_says_the_same() -> None:
    dice = random.Random(20261122)
    good = take_list(GOOD, SIGNERS)
    refused = 0
    for _ in range(400):
        data = edited(GOOD, dice)
        try:
            found = take_list(data, SIGNERS)
        except (CheckFailed, Unreadable):
            refused += 1
            continue
        same = replace(found.trusted_list, sha256=good.trusted_list.sha256)
        assert replace(found, trusted_list=same) == good, data
    assert refused > 300

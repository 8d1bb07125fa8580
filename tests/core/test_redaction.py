"""Showing less: what is left of a hidden claim, and what may be asked for."""

from dataclasses import replace

import pytest

from proofmail.core.canonical import base64url, encode, from_base64url
from proofmail.core.claims import never_hidden
from proofmail.core.proof import read_proof
from proofmail.core.record import Disclosure
from proofmail.core.redaction import choose, redact
from proofmail.errors import Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Status
from tests.dossier import evidence

ALWAYS = {"authentication", "defects"}


def hidden_texts(before, after):
    """Every string, salt and digest of the claims that `after` does not show; digests in half of
    their hexadecimal too, as pages write them. `receipt.of` is the record's own digest, and what
    is never hidden holds words of the registry."""
    shown = {encode(entry.to_json()) for entry in after.disclosures}
    shown |= {encode(e.to_json()) for item in after.linked for e in item.disclosures}
    everything = [*before.disclosures, *(e for item in before.linked for e in item.disclosures)]
    told = b"".join(shown)
    for entry in everything:
        if encode(entry.to_json()) in shown or entry.name in {"receipt.of", *ALWAYS}:
            continue
        for text in (base64url(entry.salt), *strings(entry.value)):
            if len(text) > 3 and text.encode() not in told:
                yield text
                if len(text) == 43:
                    yield from_base64url(text).hex()[:32]


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("words", [[], ["part.3"], ["people"], ["header.subject", "parts"]])
def test_nothing_of_what_is_hidden_is_in_the_bytes(words, linked):
    full = evidence.full()
    made = redact(full.proof, choose(full.proof, words), linked=linked)
    data = made.to_bytes()
    hidden = list(hidden_texts(full.proof, made))
    assert len(hidden) > 20
    assert [text for text in hidden if encode(text)[1:-1] in data] == []
    report = verify_proof(read_proof(data), evidence.trust_for(full.proof))
    assert report.exit_status == 0
    assert made.record == full.proof.record
    assert len(made.linked) == linked


def test_the_search_for_hidden_values_would_find_one():
    full = evidence.full().proof
    data = redact(full, choose(full, ["header.subject"])).to_bytes()
    known = list(hidden_texts(full, redact(full, [])))
    assert any(encode(text)[1:-1] in data for text in known)


def test_what_is_never_hidden_stays_unasked():
    full = evidence.full().proof
    made = redact(full, [], linked=True)
    assert set(made.claims) == ALWAYS == never_hidden("message")
    assert set(made.linked[0].claims) == ALWAYS | {"receipt.of"}
    assert redact(full, []).linked == ()


def test_a_receipts_report_is_shown_when_asked_for():
    full = evidence.full().proof
    made = redact(full, choose(full, ["receipt.report"]), linked=True)
    assert "receipt.report" in made.linked[0].claims
    assert set(made.claims) == ALWAYS


def test_words_for_several_claims():
    proof = evidence.full().proof
    assert choose(proof, ["people"]) == {"header.from", "header.to", "header.cc"}
    parts = choose(proof, ["parts"])
    assert parts == {n for n in proof.claims if n.startswith("part.")} | {"message.parts"}


@pytest.mark.parametrize(
    "word", ["", "part.99", "header.*", "authentification", "secret", "recipient:eve@example.org"]
)
def test_what_the_proof_does_not_show_cannot_be_asked_for(word):
    proof = evidence.full().proof
    with pytest.raises(Unreadable):
        choose(proof, [word])
    with pytest.raises(Unreadable):
        choose(redact(proof, ["part.1"]), ["part.2"])


def test_a_recipient_is_shown_alone_or_not_at_all():
    claims = evidence.mail_claims("x", [])
    alone = evidence.signed("message", claims)
    assert choose(alone, ["recipient:bob@example.net"]) == {"header.to"}
    claims["header.to"].append({"address": "eve@example.org", "name": ""})
    with pytest.raises(Unreadable, match=r"header\.to names 1 more"):
        choose(evidence.signed("message", claims), ["recipient:bob@example.net"])


def test_a_claim_put_back_is_refused():
    """What was hidden cannot be shown as something else afterwards."""
    full = evidence.full()
    made = redact(full.proof, [])
    place = next(
        i for i, e in enumerate(full.proof.entries)
        if isinstance(e, Disclosure) and e.name == "header.subject"
    )  # fmt: skip
    entry = full.proof.entries[place]
    for value, good in ((entry.value, True), (["Another subject"], False)):
        entries = list(made.entries)
        entries[place] = replace(entry, value=value)
        report = verify_proof(replace(made, entries=tuple(entries)))
        v2 = next(row for row in report.rows if row.number == "V2")
        assert (v2.status is Status.PASSED) is good

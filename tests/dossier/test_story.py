import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest

from dossier.blocks import Check, Facts, Listing, Timeline
from dossier.story import Telling, tell
from dossier.words import TEXTS, Words
from proofmail.core.merkle import Tree, leaf_hash
from proofmail.core.proof import Proof, TreePlace
from proofmail.verify.report import Report, Status
from tests.dossier import evidence

LANGUAGES = ("fr", "en")


def story(case: evidence.Case, language="en", *, final=True, report: Report | None = None):
    words = Words(language, ZoneInfo("Europe/Paris"))
    files = {"proof.json": case.proof.to_bytes()}
    telling = Telling("Example SA", final)
    return tell(case.proof, report or case.report, files, telling, words)


def all_text(case: evidence.Case, language="en") -> str:
    return "\n".join(story(case, language).texts())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_says_what_when_and_how_strong(language):
    told = story(evidence.full(), language)
    assert told.verdict.headline == TEXTS["verdict.weak"][LANGUAGES.index(language)]
    assert not told.verdict.good
    assert "10:18:13 UTC" in told.verdict.lines[0]
    assert "11:18:13 (UTC+01:00" in told.verdict.lines[1]
    assert len(told.verdict.strength) == 2
    first = next(block for block in told.blocks if isinstance(block, Facts))
    lines = [line for row in first.rows for line in row.lines]
    assert evidence.HOSTILE_SUBJECT in lines
    assert "Alice Martin <alice@example.org>" in lines


def test_only_a_witness_without_caution_makes_it_green():
    report = evidence.full().report
    token, anchor = report.witnesses
    trusted = replace(anchor, caution="")
    told = story(evidence.full(), report=replace(report, witnesses=(token, trusted)))
    assert told.verdict.good
    # and then the time is that witness's, although the other one's is earlier
    assert anchor.time > token.latest
    assert f"{anchor.time:%H:%M:%S} UTC" in told.verdict.lines[0]
    unchecked = replace(trusted, status=Status.NOT_CHECKED)
    told = story(evidence.full(), report=replace(report, witnesses=(token, unchecked)))
    assert not told.verdict.good


def test_without_a_witness_nothing_is_dated():
    told = story(evidence.fresh(), final=False)
    assert told.verdict.headline == TEXTS["verdict.undecided"][1]
    assert told.verdict.lines == (TEXTS["verdict.unknown"][1],)
    assert told.mark == TEXTS["provisional"][1]
    assert told.banners == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_cautions_are_banners(language):
    at = LANGUAGES.index(language)
    assert story(evidence.full(), language).banners == (
        TEXTS["caution.built-in authority"][at],
        TEXTS["caution.development chain"][at],
    )


def test_stated_is_kept_from_observed_and_delivery_is_disclaimed():
    text = all_text(evidence.full())
    named = "The mail names alice@example.org as sender and bob@example.net, "
    assert named in text
    assert "delivery to these addressees is not proven" in text
    assert text.index(TEXTS["persons.stated"][1]) < text.index(TEXTS["persons.observed"][1])
    assert "192.0.2.7, announcing itself as mail.example.org" in text
    assert "DKIM: pass (example.org)" in text


def test_all_digests_of_the_table_are_those_of_the_claims():
    text = all_text(evidence.full())
    assert sha256(b"Hello\n").hexdigest() in text
    assert sha256(evidence.HOSTILE_NAME.encode() * 999).hexdigest() in text
    assert sha256(evidence.full().proof.record.to_bytes()).hexdigest() in text


def test_witness_details():
    text = all_text(evidence.full())
    anchor = dict(evidence.full().report.witnesses[1].details)
    for key in ("transaction", "block_hash", "sender", "root", "chain_id", "block_number"):
        assert anchor[key] in text
    token = dict(evidence.full().report.witnesses[0].details)
    assert token["policy"] in text
    assert token["serial"] in text
    assert "no. 1 of the log proofs.example.org, record 1 of 1" in text


def test_receipts_with_their_state():
    text = all_text(evidence.full())
    assert "read receipt" in text
    assert "direct · displayed" in text
    assert "rfc822; bob@example.net" in text
    assert TEXTS["linked.state.absent"][1] in text


def test_what_is_hidden_is_counted_and_not_shown():
    full = evidence.full().proof
    keep = frozenset({"authentication", "defects", "header.subject", "part.3"})
    redacted = evidence.case(full.redact(keep))
    text = all_text(redacted)
    assert "The record has 32 entries; 4 are shown here. The other 28 are hidden" in text
    assert "alice" not in text.lower()
    assert TEXTS["not-shown"][1] in text
    assert "devis-été.pdf" in text


def test_many_persons_are_listed_up_to_a_bound():
    claims = evidence.mail_claims("x", [])
    claims["header.to"] = [{"address": f"p{n}@example.net", "name": ""} for n in range(60)]
    text = all_text(evidence.case(evidence.signed("message", claims)))
    assert "<p49@example.net>" in text
    assert "<p50@example.net>" not in text
    assert "(10 more, see proof.json)" in text
    assert TEXTS["persons.stated.note"][1] in text


def test_a_long_name_does_not_hide_the_address():
    claims = evidence.mail_claims("x", [])
    claims["header.from"] = [{"address": "eve@example.com", "name": "Alice " * 200}]
    told = story(evidence.case(evidence.signed("message", claims)))
    first = next(block for block in told.blocks if isinstance(block, Facts))
    for row in first.rows:
        if row.label == TEXTS["header.from"][1]:
            assert row.lines[0].endswith("(1120 more characters) <eve@example.com>")
            return
    pytest.fail("no sender on the first page")


def test_a_token_over_a_tree_is_told_as_one():
    """OpenSSL cannot compute the root from the record, so it has to be given the digest."""
    alone = evidence.signed("message", evidence.mail_claims("x", []))
    tree = Tree([leaf_hash(alone.record.to_bytes()), leaf_hash(b"another")])
    place = TreePlace(0, 2, tuple(tree.path(0)))
    case = evidence.case(evidence.stamped(alone, place, tree.root))
    text = all_text(case)
    assert f"openssl ts -verify -digest {tree.root.hex()} -in token.tsr" in text
    assert "the root of a tree of 2 records" in text
    assert "-data record.json" in all_text(evidence.full())


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_kinds_of_record(language):
    of = evidence.base64url(bytes(32))
    never = {"authentication": {"checks": [], "sender": "api-key"}, "defects": []}
    kinds = {
        "addendum": {"addendum.name": "note", "addendum.of": of, "addendum.value": "<b>late</b>"},
        "digests": {"digest.1": {"name": "a.iso", "sha256": of, "size": 7}},
        "audit": {"audit.entries": 3, "audit.head": of},
    }
    shown = {"addendum": "<b>late</b>", "digests": "a.iso", "audit": "audit.entries"}
    for kind, claims in kinds.items():
        text = all_text(evidence.case(evidence.signed(kind, {**never, **claims})), language)
        assert shown[kind] in text
    receipt = evidence.receipt_for(evidence.full().proof)
    assert "disposition displayed" in all_text(evidence.case(receipt), language)


def test_no_text_leaves_a_brace_unfilled():
    for language in LANGUAGES:
        told = story(evidence.full(), language)
        program = {line for b in told.blocks if isinstance(b, Listing) for line in b.lines}
        for text in told.texts():
            assert text in program or not re.search(r"\{\w+\}", text)


def test_a_report_of_another_proof_is_refused():
    from proofmail.errors import CheckFailed

    with pytest.raises(CheckFailed, match="every witness"):
        story(evidence.Case(evidence.full().proof, evidence.fresh().report))
    without = replace(evidence.full().report, rows=evidence.fresh().report.rows)
    with pytest.raises(CheckFailed, match="every linked proof"):
        story(evidence.full(), report=without)


def test_received_later_than_its_witness_is_no_dossier():
    late = evidence.signed(
        "message", evidence.mail_claims("x", []), evidence.RECEIVED + timedelta(hours=1)
    )
    assert evidence.case(evidence.stamped(late)).report.failed
    assert isinstance(late, Proof)


def the_timeline(told) -> Timeline:
    return next(block for block in told.blocks if isinstance(block, Timeline))


def test_the_timeline_goes_from_reception_to_finality():
    events = the_timeline(story(evidence.full(), "fr")).events
    assert [event.title for event in events] == [
        "Reçu par le service",
        "Horodaté par Built-in authority",
        "Bloc 4242, chaîne development",
        "Définitif",
    ]
    assert [event.proven for event in events] == [False, True, True, True]
    assert {event.tone for event in events[1:3]} == {"care"}
    assert events[1].delay == "+0,9 s"
    assert events[1].lines[1:] == ("10:18:12.000 UTC", "11:18:12 (+01:00)", "± 1 s")


def test_the_timeline_of_a_recent_record_says_what_is_awaited():
    told = the_timeline(story(evidence.fresh(), "en", final=False))
    assert [event.title for event in told.events] == [
        "Received by the service",
        "Time-stamp awaited",
        "Anchor awaited",
        "Not final yet",
    ]
    assert not any(event.proven for event in told.events)
    assert "Anchor awaited" in told.told


@pytest.mark.parametrize(
    ("time", "spelt"),
    [
        (timedelta(milliseconds=-300), "−0.3 s"),
        (timedelta(seconds=59.9), "+59.9 s"),
        (timedelta(seconds=60), "+1 min"),
        (timedelta(hours=2, seconds=1), "+2 h"),
        (timedelta(days=400, hours=5), "+400 d 5 h"),
        (timedelta(0), "+0 s"),
    ],
)
def test_delays(time, spelt):
    assert Words("en", ZoneInfo("UTC")).delay(time) == spelt


def test_the_first_page_says_where_to_check_and_that_it_may_be_kept():
    words = Words("en", ZoneInfo("UTC"))
    case = evidence.full()
    telling = Telling("Example SA", True, "https://proofs.example.org/verify")
    told = tell(case.proof, case.report, {}, telling, words)
    check = next(block for block in told.blocks if isinstance(block, Check))
    assert check.address == "https://proofs.example.org/verify"
    assert "unknown" in "".join(check.lines)
    assert "hand it on without limit" in "".join(check.lines)
    without = tell(case.proof, case.report, {}, Telling("Example SA", True), words)
    assert not any("example.org/verify" in text for text in without.texts())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("answer", "said", "presumption"),
    [
        ("qualified", ("autorité qualifiée", "a qualified authority"), True),
        ("qualified by an unsigned list", ("liste non vérifiée", "was not verified"), False),
        ("not qualified", ("autorité non qualifiée", "not a qualified authority"), False),
        ("not checked", ("qualification non contrôlée", "qualification not checked"), False),
    ],
)
def test_the_first_page_says_whether_the_authority_was_qualified(
    language, answer, said, presumption
):
    case = evidence.full()
    token, *others = case.report.witnesses
    told_by = (("qualified", answer), ("qualified_by", "list FR no. 7 of 2026-08-01"))
    details = (*(d for d in token.details if d[0] != "qualified"), *told_by)
    report = replace(case.report, witnesses=(replace(token, details=details), *others))
    told = story(case, language, report=report)
    assert told.verdict.strength[0].endswith(said[LANGUAGES.index(language)])
    texts = "\n".join(told.texts())
    assert ("910/2014" in texts) == presumption
    assert "list FR no. 7 of 2026-08-01" in texts


def test_the_built_in_authority_is_not_called_qualified():
    assert story(evidence.full()).verdict.strength[0].endswith("not a qualified authority")


def test_a_name_that_runs_right_to_left_is_also_given_in_the_order_of_writing():
    assert "U+05D3 U+05D5 U+05D7 _2026.pdf" in all_text(evidence.full())

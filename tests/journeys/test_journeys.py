"""What comes of mails on their journeys: what must still match, and what must never."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from email.message import EmailMessage

import pytest

from proofmail.verify.report import Status
from tests.journeys.originals import ORIGINALS
from tests.journeys.outcomes import Outcome, counted, judged
from tests.journeys.rewrites import REWRITES
from tests.journeys.transports import TRANSPORTS, transported
from tests.journeys.tree import read

_NEW_WORDS = {"mailman-footer-appended": 15, "external-banner": 20, "smart-quotes": 15} | {
    "postfix-folding": 2
}
"""How many plain texts have other words, at least: the other reader must see them."""

_FILES = ("lf-line-ends", "mbox")
"""What makes a file of a mail, and so comes last."""


@pytest.mark.parametrize("original", ORIGINALS)
def test_every_original_is_its_own_copy(original: str) -> None:
    assert judged(original, ORIGINALS[original]).verdict == "same.bytes"


@pytest.mark.parametrize("journey", TRANSPORTS)
def test_real_servers_leave_what_they_are_known_to_leave(journey: str) -> None:
    outcomes = transported(journey)
    assert outcomes.keys() == ORIGINALS.keys()
    found = {name: outcome.verdict for name, outcome in outcomes.items()}
    assert found == {name: TRANSPORTS[journey].expected(name) for name in ORIGINALS}


@pytest.mark.parametrize("journey", TRANSPORTS)
def test_every_attachment_matches_after_real_servers(journey: str) -> None:
    """All but a file that its sender encoded in no way, with a line that is longer than mail
    allows: there Postfix puts line ends into the file."""
    files = [
        (name, rung)
        for name, outcome in transported(journey).items()
        for _, role, rung in outcome.rungs
        if role in ("attachment", "inline")
    ]
    assert len(files) >= 10
    changed = [name for name, rung in files if rung != "decoded/1"]
    assert changed == (["csv-long-line"] if journey == "postfix-folding" else [])


def test_nearly_every_body_matches_after_real_servers() -> None:
    """DESIGN's target, over all servers together."""
    total: Counter[str] = Counter()
    for journey in TRANSPORTS:
        total += counted(transported(journey).values(), bodies=True)
    assert total.total() > 200
    assert total[""] / total.total() <= 0.05


def test_addresses_that_a_server_changes_are_named() -> None:
    for name, outcome in transported("postfix-new-addresses").items():
        fields = {"From differs", "To differs"}
        if b"\r\nCc:" in ORIGINALS[name]:
            fields.add("Cc differs")
        found = {difference.partition(":")[0] for difference in outcome.report.differences}
        assert found == fields


def test_servers_did_what_their_journeys_are_named_for() -> None:
    """A journey on which nothing happens would prove nothing."""
    relayed, down = transported("postfix"), transported("postfix-to-7bit")
    assert b"\r\nMessage-Id: " in relayed["bare-header"].data
    assert not relayed["utf8-8bit"].data.isascii()
    eight_bit = {name for name, outcome in down.items() if not outcome.data.isascii()}
    assert eight_bit == {"name-raw-utf8", "subject-raw-utf8"}  # headers are left as they are
    folded = transported("postfix-folding")["long-lines-ascii"].data
    assert max(map(len, folded.split(b"\r\n"))) <= 998
    assert b"by exim.example" in transported("exim")["ascii"].data
    kept = transported("dovecot-maildir-file")["ascii"].data
    assert b"Delivered-To: ascii@copies.example\n" in kept
    assert b"\r" not in kept
    in_folder = transported("dovecot-maildir-folder")["ascii"].report
    assert f"{len(ORIGINALS)} messages were looked at" in in_folder.notes


@pytest.mark.parametrize("journey", REWRITES)
def test_a_rewrite_has_the_outcome_that_is_stated(journey: str) -> None:
    rewrite = REWRITES[journey]
    outcomes = rewrite.outcomes()
    assert outcomes
    for name, outcome in outcomes.items():
        assert outcome.verdict == rewrite.verdict, name
        assert set(outcome.of(bodies=True)) <= rewrite.bodies, name
        kinds = {change.key for change in outcome.report.changes}
        assert bool(kinds) == (rewrite.verdict == "differs"), name
        assert not rewrite.named or kinds & rewrite.named, name


@pytest.mark.parametrize("first", [name for name in REWRITES if name not in _FILES])
def test_of_two_rewrites_in_turn_one_that_changes_words_decides(first: str) -> None:
    seen: Counter[str] = Counter()
    for original, mail in ORIGINALS.items():
        copy = REWRITES[first].run(read(mail))
        for second in REWRITES:
            again = REWRITES[second].run(read(copy)) if copy is not None else None
            if again is None:
                continue
            verdict = judged(original, again).verdict
            differs = "differs" in (REWRITES[first].verdict, REWRITES[second].verdict)
            assert (verdict == "differs") == differs, (original, second)
            seen[second] += 1
    assert len(seen) > 5


def test_what_is_added_or_renamed_is_named() -> None:
    def of(journey: str, original: str) -> tuple[str, ...]:
        return REWRITES[journey].outcomes()[original].report.differences

    assert of("mailman-footer-part", "attachment") == ("a part was added: body (plain text)",)
    assert of("mailman-footer-appended", "ascii") == (
        "the content of part 1 changed: body (plain text); its words differ, not only white "
        "space (155 bytes of words recorded, 222 here)",
    )
    assert of("renamed-attachment", "attachment") == (
        "part 2 (offer.pdf) has another name: ATT00000.bin, recorded offer.pdf",
    )
    assert of("external-banner", "ascii")[0] == (
        "Subject differs: recorded “Offer 42”, here “[EXTERNAL] Offer 42”"
    )


@pytest.mark.parametrize("journey", [*REWRITES, *TRANSPORTS])
def test_where_another_reader_sees_other_words_no_copy_matches(journey: str) -> None:
    """Python's email package, which shares nothing with ours, reads original and copy."""
    outcomes = REWRITES[journey].outcomes() if journey in REWRITES else transported(journey)
    changed = [one for one in outcomes.values() if _is_mail(one) and _words_changed(one)]
    assert [one.original for one in changed if one.report.status is not Status.FAILED] == []
    if journey in _NEW_WORDS:
        assert len(changed) >= _NEW_WORDS[journey]


def _is_mail(outcome: Outcome) -> bool:
    return bool(outcome.data) and not outcome.data.startswith(b"From ")


def _words_changed(outcome: Outcome) -> bool:
    return _words(outcome.data) != _words(ORIGINALS[outcome.original])


def _words(mail: bytes) -> list[list[str]]:
    read = email.message_from_bytes(mail, _class=EmailMessage, policy=email.policy.default)
    return [
        str(part.get_content()).split()
        for part in read.walk()
        if part.get_content_type() == "text/plain"
    ]

"""Each target finds a fault that is put in."""

from __future__ import annotations

from random import Random
from types import ModuleType

import pytest

from proofmail.core.scan import Scan, scan
from proofmail.verify import checks, parts
from proofmail.verify.pdf import check_seal, read_dossier
from smtp_gateway import session as gateway
from smtp_gateway.replies import Reply
from tests.dossier import evidence as made
from tests.fuzz import copies, evidence, headers, scanner, sealed, session

_INPUTS = 400


def _finds(target: ModuleType) -> bool:
    seeds, random = list(target.seeds())[:60], Random(1)
    for number in range(_INPUTS):
        data = seeds[number % len(seeds)]
        try:
            target.check(target.mutated(data, random, target.MOST_BYTES) if number > 60 else data)
        except (AssertionError, UnicodeEncodeError):
            return True
    return False


def test_claims_that_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(message: bytes) -> Scan:
        found = scan(message)
        return found._replace(defects=()) if b"--XY" in message else found

    monkeypatch.setattr(scanner, "scan", other)
    assert _finds(scanner)


def test_text_that_stays_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "clean_text", lambda value, defects: value)
    assert _finds(headers)


def test_a_fault_whose_text_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = lambda error: Reply(451, "4.3.0", str(error))  # noqa: E731
    monkeypatch.setattr(gateway, "reply_to", told)
    monkeypatch.setattr("smtp_gateway.delivery.reply_to", told)
    assert _finds(session)


def test_a_250_without_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Reply(250, "2.6.0", "Recorded r1")
    monkeypatch.setattr("smtp_gateway.delivery.reply_to", lambda error: done)
    assert _finds(session)


def test_a_changed_text_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "content_rung", lambda part, other: "text/1")
    assert _finds(copies)


def test_a_signature_that_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "check_signature", lambda spki, record, signature: None)
    assert _finds(evidence)


@pytest.mark.parametrize("form", [evidence._ARCHIVED, evidence._CASE])
def test_a_seal_that_is_not_looked_at(form: int, monkeypatch: pytest.MonkeyPatch) -> None:
    good = sealed.archived()
    seal = read_dossier(good).seal
    assert seal is not None
    facts = check_seal(good, seal, [made.sealer().certificate])
    monkeypatch.setattr("proofmail.verify.dossier.check_seal", lambda *arguments: facts)
    scripts = [bytes((form, 4)) + Random(number).randbytes(4) for number in range(40)]
    found = 0
    for script in scripts:  # one bit changed, somewhere
        try:
            evidence.check(script)
        except AssertionError:
            found += 1
    assert found > 5

"""What the runs found and what no room of its own has a test for, with the recipe of each."""

from __future__ import annotations

import re
import time

import pytest

from proofmail.core.parameters import part_header
from proofmail.errors import Unreadable
from proofmail.verify.dossier import read_evidence, seal_rows, verify
from proofmail.verify.pdf import read_dossier
from proofmail.verify.report import Status
from tests.dossier import evidence as made
from tests.fuzz import evidence, sealed


def test_a_seal_spelt_in_small_digits_is_reported_just_the_same() -> None:
    """Target `evidence`: one hexadecimal digit of the seal's contents in the other case. The
    bytes differ, no value does; the report must be that of the file as it was made."""
    data = evidence._dossier()
    seal = read_dossier(data).seal
    assert seal is not None
    _, before, after, _ = seal.byte_range
    letter = re.compile(rb"[A-Fa-f]").search(data, before, after)
    assert letter is not None
    at = letter.start()
    other = data[:at] + data[at : at + 1].swapcase() + data[at + 1 :]
    trust = made.trust_for(made.full().proof)
    assert verify(read_evidence(other), trust) == verify(read_evidence(data), trust)


def test_what_no_signature_covers_in_a_seal_changes_nothing_that_it_says() -> None:
    """Target `evidence`: a bit of the certificate's copy, or of the time-stamp, in the seal's
    contents. The signature is over neither; the row on the seal is the same, or fails. A document
    time-stamp behind it covers them, and fails."""
    data, trust = sealed.archived(), made.trust_for(made.full().proof)
    dossier = read_dossier(data)
    assert dossier.seal is not None
    (good, stamp) = seal_rows(dossier, data, trust)
    assert stamp.status is Status.PASSED
    passed = 0
    for at in range(0, 2 * len(dossier.seal.cms), 150):
        place = dossier.seal.byte_range[1] + 1 + at
        digit = b"%x" % (int(data[place : place + 1], 16) ^ 1)
        other = data[:place] + digit + data[place + 1 :]
        try:
            row, stamp = seal_rows(read_dossier(other), other, trust)
        except Unreadable:
            continue
        assert stamp.status is Status.FAILED
        assert row == good or row.status is Status.FAILED
        passed += row == good
    assert passed > 5


@pytest.mark.parametrize("name", ["name", "filename", "NAME"])
def test_a_row_of_names_costs_no_more_than_it_is_long(name: str) -> None:
    """Target `headers`: each `name=` of a field that is not of the common form could be read in
    two ways, and twenty-six of them took half a minute."""
    field = "a/b" + f"; {name}=a" * 26 + "("
    started = time.process_time()
    for kind in ("content-type", "content-disposition"):
        defects = set[str]()
        part_header({kind: [field]}, "text/plain", defects)
        assert "header.parameter" in defects
    assert time.process_time() - started < 2

"""What the runs found and what no room of its own has a test for, with the recipe of each."""

from __future__ import annotations

import re
import time

import pytest

from proofmail.core.parameters import part_header
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.pdf import read_dossier
from tests.dossier import evidence as made
from tests.fuzz import evidence


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

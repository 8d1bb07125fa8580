"""The table of Unicode 14.0 against a Python that carries that version, and what NFC refuses."""

import hashlib
import unicodedata

import pytest

from proofmail.core.unicode14 import _FLIPS, has_long_mark_run, has_unassigned, is_assigned, nfc


def test_table_is_the_generated_one() -> None:
    # Recipe: the docstring of proofmail/core/unicode14.py, run under Python 3.11.
    digest = hashlib.sha256(" ".join(_FLIPS.split()).encode()).hexdigest()
    assert digest == "c8ca8c458809478a1a920ab5dc5f5b10c30b690efbccd76dab5004f8dec4c4de"


@pytest.mark.skipif(unicodedata.unidata_version != "14.0.0", reason="needs Unicode 14.0 tables")
def test_table_equals_the_machines_unicode_14() -> None:
    wrong = [
        hex(cp)
        for cp in range(0x110000)
        if is_assigned(cp) != (unicodedata.category(chr(cp)) != "Cn")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code_point", "assigned"),
    [
        (0x41, True),
        (0x378, False),
        (0x1E9E, True),
        (0x105D2, False),  # Unicode 16.0
        (0x1FAE8, False),  # Unicode 15.0, an emoji
        (0x1FAE7, True),  # Unicode 14.0, an emoji
        (0xE000, True),  # private use
        (0xFFFF, False),  # a noncharacter
        (0x10FFFD, True),
        (0x10FFFF, False),
    ],
)
def test_single_code_points(code_point: int, assigned: bool) -> None:
    assert is_assigned(code_point) is assigned
    assert has_unassigned("a" + chr(code_point)) is not assigned


def test_nfc_composes_and_refuses() -> None:
    assert nfc("e\u0301") == "é"
    assert nfc("\u212b") == "Å"
    assert nfc("\U000105d2\u0307") is None
    assert nfc("a" + "\u0301" * 31) is None
    assert nfc("a" + "\u0301" * 30) is not None


def test_mark_runs_are_counted_anywhere() -> None:
    assert has_long_mark_run("\u0301" * 31)
    assert has_long_mark_run("x" * 50 + "é" + "\u0323\u0301" * 16 + "x")
    assert not has_long_mark_run(("\u0301" * 30 + "a") * 3)
    assert not has_long_mark_run("漢" * 100)

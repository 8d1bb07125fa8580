"""The kept tokens, each with one thing wrong: our two lists, and what other judges say of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judges import tokens
from tests.judges.tokens import EXPECTED, HERE, JUDGES, PAGE, REASONS
from tests.vectors.rfc3161.make import VECTORS


def test_every_kept_token_is_listed_and_has_its_recipe() -> None:
    kept = {path.stem for path in HERE.glob("*.tsr")} - {"digicert-2024"}
    assert kept == set(EXPECTED) == set(VECTORS)
    for name, vector in VECTORS.items():
        listed = (EXPECTED[name]["reception"], EXPECTED[name]["verification"])
        assert listed == (vector.reception, vector.verification)


def test_the_good_ones_say_so_and_no_other() -> None:
    good = {name for name, expected in EXPECTED.items() if not expected["reception"]}
    assert good == {name for name in EXPECTED if name.startswith("good-")}
    assert all(expected["reception"] for name, expected in EXPECTED.items()
               if expected["verification"])  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_each_list_stops_at_the_check_that_is_there_for_the_fault(name: str) -> None:
    expected = EXPECTED[name]
    found = tokens.ours(name)
    assert found == (expected["reception"], expected["verification"], expected["outcome"])


def test_what_other_judges_say_is_what_is_written_down(tmp_path: Path) -> None:
    found = tokens.verdicts(tmp_path)
    odd = {
        (name, judge)
        for name, said in found.items()
        for judge in JUDGES
        if said[judge] != (not EXPECTED[name]["reception"])
    }
    assert odd == set(REASONS)
    assert PAGE.read_text(encoding="utf-8") == tokens.page(found)
    # No judge but ours refuses all that is refused here, and each refuses the forgery.
    assert not any(found["forged-self-rooted"].values())

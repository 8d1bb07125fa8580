"""The catalogue: every sentence in both languages, with the same values, and none that lacks."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from proofmail.verify import words
from proofmail.verify.report import Row, Status
from proofmail.verify.words import LANGUAGES, row_title, rung_words, said, word

ROOM = Path(words.__file__).parent
KEYS = sorted(words.CATALOGUE)


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_say_the_same_values(key: str) -> None:
    english, french = (word(key, language) for language in LANGUAGES)
    assert english
    assert french
    assert _values(english) == _values(french)


def test_every_key_that_the_code_names_is_there() -> None:
    source = "".join(path.read_text("utf-8") for path in sorted(ROOM.glob("*.py")))
    named = set(re.findall(r"""(?:said|word|line)\(\s*"([^"]+)\"""", source))
    assert len(named) > 50
    assert named <= set(KEYS)
    for status in Status:
        assert {f"status.{status.value}", f"copy.{status.value}"} <= set(KEYS)
    roles = {f"role.{role}" for role in ("body", "attachment", "inline", "message", "report")}
    assert roles <= set(KEYS)


def test_values_from_outside_are_never_read_as_places() -> None:
    sentence = said("part.name", part=said("part.named", number=1, name="{part}"), name="{0.x}",
                    before="x")  # fmt: skip
    assert sentence.text() == "part 1 ({part}) has another name: {0.x}, recorded x"
    assert sentence.text("fr") == "partie 1 ({part}) porte un autre nom : {0.x}, enregistré x"


def test_titles_and_rungs_fall_back_to_what_they_are() -> None:
    row = Row("V5.T9", "the signature is good", Status.PASSED)
    assert row_title(row, "fr") == "la signature est bonne"
    assert row_title(row) == "the signature is good"
    assert row_title(Row("X1", "new", Status.PASSED), "fr") == "new"
    assert row_title(Row("V9", "anchor", Status.ABSENT), "fr") == "ancrage"
    assert rung_words("text/1", "fr") == "même texte (text/1)"
    assert rung_words("other/3") == "other/3"
    assert rung_words("") == "no match"

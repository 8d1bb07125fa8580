"""The second verifier says what the first one says: its words are made from the same catalogue."""

from __future__ import annotations

import sys

from tests.parts import PROJECT

sys.path.insert(0, str(PROJECT / "verifier"))

import catalogue


def test_the_file_of_words_is_the_catalogue() -> None:
    text = catalogue.FILE.read_text(encoding="utf-8")
    assert text == catalogue.text(), "run python verifier/catalogue.py"

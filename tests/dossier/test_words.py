import re
import string
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import dossier
from dossier.words import LANGUAGES, TEXTS, Words
from tests.dossier import evidence

PARIS = ZoneInfo("Europe/Paris")


def fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_key_has_both_languages_and_the_same_things_to_fill_in():
    for key, texts in TEXTS.items():
        assert len(texts) == len(LANGUAGES), key
        assert all(text.strip() for text in texts), key
        assert fields(texts[0]) == fields(texts[1]), key


def test_check_titles_are_the_verifiers_own_in_english():
    """The key is the title: a check that is renamed loses its French, but never gets another's."""
    for key, (_, english) in TEXTS.items():
        if key.startswith("check:"):
            assert key == f"check:{english}"


def test_every_check_of_a_full_report_has_its_title_in_french():
    missing = {r.title for r in evidence.full().report.rows if f"check:{r.title}" not in TEXTS}
    assert not missing


def test_no_module_but_the_catalogue_holds_a_sentence():
    """A text with two words in French or English letters outside docstrings and errors."""
    sentence = re.compile(r'Paragraph\(\s*f?"|Heading\(\s*f?"|Fact\(\s*f?"')
    allowed = {"proofmail verify", "sha256sum attach"}
    for path in Path(dossier.__file__).parent.glob("story*.py"):
        for match in sentence.finditer(path.read_text()):
            rest = path.read_text()[match.end() : match.end() + 16]
            assert rest in allowed, (path.name, rest)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("fr", "1er juillet 2026 à 00:00:00 UTC"), ("en", "1 July 2026, 00:00:00 UTC")],
)
def test_no_later_than_is_rounded_up(language, expected):
    """Cut off instead, the page would claim more than the witness."""
    moment = datetime(2026, 6, 30, 23, 59, 59, 1, UTC)
    assert Words(language, PARIS).date(moment) == expected


def test_the_zone_is_named_with_its_offset_of_that_day():
    words = Words("fr", PARIS)
    assert words.local(datetime(2026, 7, 1, 12, 0, 0, 0, UTC)).endswith("(UTC+02:00, Europe/Paris)")
    assert words.local(datetime(2026, 1, 1, 12, 0, 0, 0, UTC)).startswith(
        "2026-01-01 13:00:00 (UTC+01"
    )


def test_numbers():
    assert Words("fr", PARIS).number(1234567) == "1\u202f234\u202f567"
    assert Words("en", PARIS).number(1234567) == "1,234,567"

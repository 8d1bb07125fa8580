"""Writes the Python's catalogue of English and French words to `src/words/catalogue.json`, for the
second verifier: one source of words for both. A test keeps the two equal.

    python verifier/catalogue.py
"""

from __future__ import annotations

import json
from pathlib import Path

from proofmail.verify import words

FILE = Path(__file__).parent / "src" / "words" / "catalogue.json"


def text() -> str:
    """The file's content: words by key, in the order of the languages, and the rows' titles."""
    catalogue = {
        "languages": words.LANGUAGES,
        "rows_fr": words.ROWS_FR,
        "words": words.CATALOGUE,
    }
    return json.dumps(catalogue, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

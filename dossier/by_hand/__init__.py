"""What lies in every dossier for whoever checks it by hand, the same bytes in each (SPEC §11.1).

A changed file is a new version: its SHA-256 goes beside the others, in SPEC and in
:data:`proofmail.verify.pdf.CONSTANT_FILES`, so that old dossiers stay good.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

SCRIPT = "check.py"
INSTRUCTIONS = "instructions.txt"
_FOLDER = Path(__file__).parent


@cache
def constant_files() -> Mapping[str, bytes]:
    """The files by name; `check.py` is a script of its own and never imported."""
    return MappingProxyType(
        {name: (_FOLDER / name).read_bytes() for name in (SCRIPT, INSTRUCTIONS)}
    )

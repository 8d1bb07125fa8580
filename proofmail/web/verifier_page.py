"""The second verifier as one HTML file (verifier/): saved once, it checks dossiers in a browser
without a network. An installation that was built without it offers none."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

NAME = "verifier.html"


@cache
def read_verifier() -> bytes:
    """The file's bytes, b"" where there is none."""
    file = files("proofmail.web") / "static" / NAME
    return file.read_bytes() if file.is_file() else b""

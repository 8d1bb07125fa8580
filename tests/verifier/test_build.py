"""The second verifier as it is kept: checked by its own tools, and built to the very file that we
hand out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.parts import PROJECT, give_up, need
from tests.verifier.browser import VERIFIER

FOLDER = PROJECT / "verifier"


def _run(*command: str) -> str:
    """A program of verifier/node_modules, with what it says where it fails."""
    need("node")
    program = FOLDER / "node_modules" / ".bin" / command[0]
    if not program.exists():
        give_up("needs the second verifier's tools: npm ci in verifier/")
    ran = subprocess.run(
        [str(program), *command[1:]], cwd=FOLDER, capture_output=True, text=True, timeout=400,
        env={**os.environ, "CI": "true", "NO_COLOR": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]
    return ran.stdout


def test_the_file_handed_out_is_what_the_sources_make(tmp_path: Path) -> None:
    _run("vite", "build", "--outDir", str(tmp_path), "--logLevel", "warn")
    built = (tmp_path / "verifier.html").read_bytes()
    assert built == VERIFIER.read_bytes(), "npm run build in verifier/, and commit the file"


def test_its_types_and_its_spelling() -> None:
    _run("tsc", "--noEmit")
    _run("prettier", "--check", "--log-level", "warn", ".")


@pytest.mark.timeout(420)
def test_its_own_tests() -> None:
    _run("vitest", "run", "--reporter", "dot")

"""What holds for the house as a whole."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from proofmail.core.claims import REGISTRY
from tests.making import World

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("proofmail", "smtp_gateway", "anchoring", "dossier", "migrations")
SERVER_ONLY = frozenset(
    [
        "aiosmtpd",
        "alembic",
        "asyncio",
        "eth",
        "eth_account",
        "fastapi",
        "jinja2",
        "pikepdf",
        "pyhanko",
        "pydantic",
        "reportlab",
        "rfc3161ng",
        "lxml",
        "rlp",
        "signxml",
        "sqlalchemy",
        "starlette",
        "trie",
        "uvicorn",
        "web3",
        "http",
        "urllib.request",
    ]
)


def _sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def test_verifying_loads_no_server_database_or_network(tmp_path: Path) -> None:
    world = World()
    proof, trust = tmp_path / "proof.json", tmp_path / "trust.json"
    proof.write_bytes(world.prove().to_bytes())
    trust.write_text(json.dumps(world.trust().to_json()))
    program = (
        "import sys; from proofmail.cli import main; "
        f"status = main(['verify', {str(proof)!r}, '--trust', {str(trust)!r}, '--json']); "
        "print(status, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    status, *loaded = done.stderr.split()
    assert status == "0"
    assert json.loads(done.stdout)["verdict"] == "verified"
    assert not SERVER_ONLY & set(loaded)


def test_every_cited_section_of_the_specification_exists() -> None:
    specification = (ROOT / "SPEC.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^(?:#+ )?(\d+(?:\.\d+)*)\.? ", specification, re.MULTILINE))
    assert len(headings) > 20
    for path in _sources():
        text = path.read_text(encoding="utf-8")
        for cited in re.findall(r"SPEC(?:\.md)? §(\d+(?:\.\d+)*)", text):
            assert cited in headings, f"{path.relative_to(ROOT)} cites SPEC §{cited}"


def test_the_specification_and_the_registry_list_the_same_claims() -> None:
    specification = (ROOT / "SPEC.md").read_text(encoding="utf-8")
    section = specification.split("### 4.2 ")[1].split("### 4.3 ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    listed = {name.replace(".N", ".*") for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert listed == set(REGISTRY)


def test_no_file_of_the_house_asserts_in_place_of_checking() -> None:
    for path in _sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        assert not found, f"{path.relative_to(ROOT)}: {found}"


def test_the_frozen_room_has_no_clock_dice_files_or_sockets() -> None:
    banned = {"os", "io", "time", "random", "secrets", "socket", "logging", "pathlib", "tempfile"}
    for path in sorted((ROOT / "proofmail" / "core").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not banned & {name.split(".")[0] for name in names}, path.name
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("now", "utcnow", "today"), path.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "print"), path.name


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["init"], ["user"], ["sender"], ["verify"], ["user", "add"]]
)
def test_no_or_a_bad_argument_gives_help_and_never_a_traceback(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proofmail", *arguments], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode in (0, 2)
    assert "usage:" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["serve", "nowhere"], 1), (["fsck", "nowhere"], 1), (["user", "add", "nowhere", "a@b"], 1),
        (["verify", "nowhere.pdf"], 2), (["verify", "pyproject.toml"], 2),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(arguments: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "proofmail", *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr

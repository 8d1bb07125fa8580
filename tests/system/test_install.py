"""Installed from a wheel, outside the checkout: the verifier alone, and the whole service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.making import World
from tests.parts import need

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), compiled=False)


def build(folder: Path, *, compiled: bool) -> Path:
    """Built from a copy, so that the build leaves nothing in the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("needs a git checkout to build the wheel from")
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            target = folder / "source" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder),
         str(folder / "source")],
        env={**os.environ, "PROOFMAIL_COMPILE": "must" if compiled else "never"},
        capture_output=True, check=True,
    )  # fmt: skip
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_carries_what_running_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in ("migrations/env.py", "proofmail/py.typed", "proofmail/web/app.py"):
        assert wanted in names
    for ending in (".ttf", ".css", ".html", ".icc"):
        assert any(name.endswith(ending) for name in names), ending
    assert not any(name.startswith(("tests/", "bench/")) for name in names)


@pytest.mark.timeout(600)
def test_a_compiled_wheel_runs_compiled_and_verifies(tmp_path: Path) -> None:
    need("cc")
    made = build(tmp_path, compiled=True)
    python = _base_venv(tmp_path / "base", made)
    world = World()
    (tmp_path / "proof.json").write_bytes(world.prove().to_bytes())
    (tmp_path / "trust.json").write_text(json.dumps(world.trust().to_json()))
    for words, said in (
        (["--version"], "scanner compiled"),
        (["verify", "proof.json", "--trust", "trust.json"], "verified"),
    ):
        done = subprocess.run(
            [str(python), "-I", "-m", "proofmail", *words],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert said in done.stdout.lower()
    (site,) = (tmp_path / "base").glob("lib/*/site-packages")
    scan = site / "proofmail" / "core" / "scan.py"
    scan.write_text(scan.read_text() + "# another version\n")
    done = subprocess.run(
        [str(python), "-I", "-m", "proofmail", "--version"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode != 0
    assert "compiled from other sources" in done.stderr


def test_without_a_compiler_the_wheel_is_made_all_the_same(wheel: Path, tmp_path: Path) -> None:
    python = _base_venv(tmp_path / "base", wheel)
    done = subprocess.run(
        [str(python), "-I", "-m", "proofmail", "--version"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert "scanner interpreted" in done.stdout


def _base_venv(folder: Path, wheel: Path) -> Path:
    """A venv that sees the verifier's dependencies and nothing else of this one."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    for base in ("cryptography", "Crypto", "coincurve", "cffi", "_cffi_backend"):
        for path in sys.path:
            for found in Path(path or ".").glob(f"{base}*"):
                if (
                    found.name.split(".")[0].split("-")[0] == base
                    and not (site / found.name).exists()
                ):
                    (site / found.name).symlink_to(found)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return python


def test_the_base_install_verifies_and_says_what_serving_needs(wheel: Path, tmp_path: Path) -> None:
    python = _base_venv(tmp_path / "base", wheel)
    world = World()
    (tmp_path / "proof.json").write_bytes(world.prove().to_bytes())
    (tmp_path / "trust.json").write_text(json.dumps(world.trust().to_json()))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), "-I", "-m", "proofmail", *words],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip

    done = run("verify", "proof.json", "--trust", "trust.json")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run("serve", "data")
    assert done.returncode == 1
    assert "pip install 'proofmail[server]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_init_works_from_the_wheel_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = (
        "import sys; "
        f"sys.path[:] = [{str(site)!r}] + [p for p in sys.path if p not in ('', {str(ROOT)!r})]; "
        "sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]; "
        "import proofmail; "
        f"assert proofmail.__file__.startswith({str(site)!r}); "
        "from proofmail.cli import main; "
        "sys.exit(main(['init', 'data', '--sender-domain', 'a.example']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "API key   pm_" in done.stdout
    for path in (tmp_path / "data" / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "data" / "trust.json").exists()

"""docs/verify-by-hand.md: every command of the page, as it stands there and in its order, on what
the demo leaves behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import PROJECT, need

PAGE = (PROJECT / "docs" / "verify-by-hand.md").read_text("utf-8")
MARK = "=== command"


def steps() -> list[tuple[str, str]]:
    """Commands, each with the output that the page promises."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                command, promised = found[-1]
                found[-1] = command, f"{promised}{line}\n"
    return found


def matcher(promised: str) -> re.Pattern[str]:
    """`…` alone on its line stands for any lines, and within one for any characters of it."""
    whole = re.sub(r"(?m)^…\n", r"(?:.*\n)*", re.escape(promised).replace("\\\n", "\n"))
    return re.compile(whole.replace("…", ".+") + r"\Z")


def test_the_page_promises_something_of_each_tool() -> None:
    commands = [command for command, _ in steps()]
    for tool in ("pdfdetach", "sha256sum", "python3 check.py", "openssl ts -verify"):
        assert any(command.startswith(tool) for command in commands), tool
    assert matcher("a … c\n…\nOK\n").match("a b c\nx\ny\nOK\n")
    assert not matcher("a … c\n…\nOK\n").match("a b c\nx\nFAILED\n")
    assert not matcher("Verification: OK\n").match("Verification: FAILED\n")


@pytest.mark.timeout(400)
def test_every_command_of_the_page(tmp_path: Path) -> None:
    need("openssl")
    need("pdfsig")  # the package of pdfdetach
    demo = [sys.executable, "-m", "proofmail", "demo", "demo"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "LC_ALL": "C.UTF-8"}
    made = subprocess.run(demo, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    shutil.copyfile(PROJECT / "SPEC.md", tmp_path / "SPEC.md")
    program = "\n".join(f"{command}\necho '{MARK}'" for command, _ in steps())
    # Unbuffered as on a terminal, where a refusal comes after what was printed before it.
    environment["PYTHONUNBUFFERED"] = "1"
    run = subprocess.run(
        ["bash", "-c", program], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    outputs = run.stdout.split(f"{MARK}\n")
    assert len(outputs) == len(steps()) + 1
    for (command, promised), output in zip(steps(), outputs, strict=False):
        assert matcher(promised).match(output), f"{command}\n{output}"

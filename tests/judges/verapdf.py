"""veraPDF as a judge of PDF/A and PDF/UA: one Java process for a whole set of files."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.parts import PROJECT, give_up, need

JARS = PROJECT / ".tools" / "verapdf" / "lib"
FLAVOURS = ("3a", "ua1")


def failures(files: Sequence[Path], flavour: str) -> dict[str, list[str]]:
    """The numbers of the rules that each file breaks, by name; `flavour` is 3a or ua1. Skips the
    test without Java or without the JARs."""
    java = need("java")
    if not any(JARS.glob("greenfield-apps-*.jar")):
        give_up("needs veraPDF: .ci/run has the command that brings its JARs to .tools/verapdf/lib")
    done = subprocess.run(
        [java, "-cp", f"{JARS}/*", "org.verapdf.apps.GreenfieldCliWrapper",
         "-f", flavour, "--format", "text", "-v", *files],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    broken: list[str] = []
    for line in done.stdout.splitlines():
        verdict, _, rest = line.strip().partition(" ")
        if line.startswith(("PASS ", "FAIL ")):
            broken = found.setdefault(Path(rest.rpartition(" ")[0]).name, [])
            broken += [] if verdict == "PASS" else ["?"]
        elif verdict == "FAIL":
            broken[:] = [rule for rule in broken if rule != "?"] + [rest]
    assert set(found) == {file.name for file in files}, done.stdout + done.stderr[-2000:]
    return found

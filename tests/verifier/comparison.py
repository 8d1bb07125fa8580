"""The second verifier's command line, run by Node over many proofs at once."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.verifier.alike import UNREADABLE

ENVIRONMENT = {**os.environ, "CI": "true"}
"""Without it, vite ends its process once the input ends, before a pipe has taken all output."""
VERIFIER = Path(__file__).resolve().parents[2] / "verifier"


def second(inputs: Iterable[tuple[Path, Path | None]]) -> list[dict[str, Any]]:
    """The report on each proof under its trust, or UNREADABLE; one process for all."""
    lines = "".join(
        json.dumps({"id": number, "proof": str(proof), "trust": trust and str(trust),
                    "copies": [], "digests": [], "number": None}) + "\n"
        for number, (proof, trust) in enumerate(inputs)
    )  # fmt: skip
    run = subprocess.run(
        [VERIFIER / "node_modules/.bin/vite-node", "node/cli.ts", "--batch"],
        cwd=VERIFIER, input=lines, capture_output=True, text=True, check=True, timeout=3600,
        env=ENVIRONMENT,
    )  # fmt: skip
    return [_report(json.loads(line)) for line in run.stdout.split("\n") if line]


def _report(answer: dict[str, Any]) -> dict[str, Any]:
    if answer["exit"] == 2:
        return UNREADABLE
    report: dict[str, Any] = answer["report"]
    return report

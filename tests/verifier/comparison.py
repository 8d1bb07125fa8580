"""What two verifiers must agree on, and the second one run over many proofs at once."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from proofmail.core.proof import read_proof
from proofmail.errors import Unreadable
from proofmail.verify.checks import NO_TRUST, verify_proof
from proofmail.verify.trust import read_trust

Json: TypeAlias = Any
ENVIRONMENT = {**os.environ, "CI": "true"}
"""Without it, vite ends its process once the input ends, before a pipe has taken all output."""
VERIFIER = Path(__file__).resolve().parents[2] / "verifier"


def first(proof: Path, trust: Path | None) -> Json:
    """The report of `proofmail verify`, or what stands for an unreadable input."""
    try:
        believed = NO_TRUST if trust is None else read_trust(trust.read_bytes())
        return verify_proof(read_proof(proof.read_bytes()), believed).to_json()
    except Unreadable as error:
        return {"unreadable": str(error)}


def second(inputs: Iterable[tuple[Path, Path | None]]) -> list[Json]:
    """The same by the verifier in verifier/, one process for all."""
    lines = "".join(
        json.dumps([str(proof), "" if trust is None else str(trust)]) + "\n"
        for proof, trust in inputs
    )
    run = subprocess.run(
        [VERIFIER / "node_modules/.bin/vite-node", "node/proofs.ts"],
        cwd=VERIFIER, input=lines, capture_output=True, text=True, check=True, timeout=3600,
        env=ENVIRONMENT,
    )  # fmt: skip
    return [json.loads(line) for line in run.stdout.split("\n") if line]


def essence(report: Json) -> Json:
    """All of a report that is not wording (SPEC §9.5)."""
    if "unreadable" in report:
        return "unreadable"
    rows = [[row["number"], row["subject"], row["title"], row["status"]] for row in report["rows"]]
    witnesses = [{k: v for k, v in w.items() if k != "details"} for w in report["witnesses"]]
    rest = {k: v for k, v in report.items() if k not in ("rows", "witnesses", "copies")}
    return {**rest, "rows": rows, "witnesses": witnesses}


def disagreement(one: Json, other: Json) -> str:
    """Where two reports differ first, or nothing."""
    a, b = essence(one), essence(other)
    if a == b:
        return ""
    if isinstance(a, str) or isinstance(b, str):
        return f"{_short(one)} / {_short(other)}"
    for key in sorted({*a, *b}):
        if a.get(key) != b.get(key):
            if key in ("rows", "witnesses"):
                pairs = zip([*a[key], None], [*b[key], None], strict=False)
                at, pair = next((i, p) for i, p in enumerate(pairs) if p[0] != p[1])
                reasons = [r[key][at] if at < len(r[key]) else None for r in (one, other)]
                return f"{key} {at}: {pair[0]} / {pair[1]} ({reasons})"
            return f"{key}: {a.get(key)} / {b.get(key)}"
    return "?"


def _short(report: Json) -> str:
    return f"unreadable ({report['unreadable']})" if "unreadable" in report else "readable"

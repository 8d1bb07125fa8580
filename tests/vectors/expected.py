"""The `expected.json` of folders whose cases are verified: read, made, and written down.

A case says what is given and what must be found; its shape is in README.md beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.report import CopyReport, Report
from tests.verifier.alike import judge
from tests.verifier.browser import Case

HERE = Path(__file__).parent
FOLDERS = ("proof", "tree", "lists", "dossiers", "copies")
"""Those whose cases are verified."""
Expected = dict[str, Any]


def expected(folder: str) -> dict[str, Expected]:
    found: dict[str, Expected] = json.loads((HERE / folder / "expected.json").read_bytes())
    return found


def case_of(folder: str, name: str, value: Mapping[str, Any]) -> Case:
    """What is given in this case."""
    trust = value.get("trust", "trust.json")
    return Case(
        f"{folder}/{name}",
        _bytes_of(folder, value.get("file", name)),
        _bytes_of(folder, trust) if trust else None,
        tuple((copy, _bytes_of(folder, copy)) for copy in value.get("copies", ())),
        tuple(value.get("digests", ())),
        value.get("number"),
    )


@cache
def _bytes_of(folder: str, name: str) -> bytes:
    return (HERE / folder / name).read_bytes()


def finding(case: Case) -> Expected:
    """What the Python finds in a case: the members of `expected.json` that say what must be."""
    try:
        report = judge(case)
    except (Unreadable, CheckFailed):
        return {"exit_status": 2}
    told = report.to_json()
    rows = [f"{row['number']} {row['status']}" for row in told["rows"]]
    found: Expected = {
        "exit_status": told["exit_status"], "existed_by": told["existed_by"], "rows": rows,
    }  # fmt: skip
    if isinstance(report, Report) and report.copies:
        found["found"] = [copy_found(copy) for copy in report.copies]
    return found


def copy_found(copy: CopyReport) -> Expected:
    """A copy by the names of SPEC §10.5, without words."""
    return {
        "status": copy.status.value,
        "what": copy.what,
        "finding": copy.finding.key,
        "matches": [[match.part, match.rung] for match in copy.matches],
        "differences": [change.key for change in copy.changes],
        "notes": [remark.key for remark in copy.remarks],
    }


def write(folder: str, cases: Mapping[str, Expected]) -> None:
    """`expected.json`: each case as declared, with what the Python finds. A case that does not end
    as it is declared to, or in which a step declared to fail does not, is refused."""
    whole: dict[str, Expected] = {}
    for name, declared in sorted(cases.items()):
        found = finding(case_of(folder, name, declared))
        failed = {row.partition(" ")[0] for row in found.get("rows", ()) if row.endswith(" failed")}
        if declared.get("exit_status", found["exit_status"]) != found["exit_status"]:
            raise ValueError(f"{name} ends with {found['exit_status']}: {failed}")
        if not set(declared.get("failed", ())) <= failed:
            raise ValueError(f"{name} fails in {sorted(failed)} alone")
        if "finding" in declared and declared["finding"] != found["found"][0]["finding"]:
            raise ValueError(f"{name}: {found['found'][0]}")
        whole[name] = {k: v for k, v in declared.items() if k != "finding"} | found
    lines = [
        f" {json.dumps(name)}: {{\n"
        + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
        + "\n }"
        for name, value in whole.items()
    ]
    (HERE / folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")

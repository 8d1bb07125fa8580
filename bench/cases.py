"""One case dossier of many mails: time, memory, and how long nothing is told of its progress.

The proofs are made before, into files; a process of its own reads, verifies and takes them one by
one, as the worker's does from the database. `python -m bench.cases FOLDER` is that process.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bench.mails import mail
from bench.table import Row
from dossier.case import CaseOptions, Judged, make_case
from dossier.seal import Sealer, create_seal_identity
from proofmail.core.canonical import encode
from proofmail.core.proof import read_proof
from proofmail.verify.checks import verify_proof
from proofmail.verify.trust import read_trust
from tests.making import NOW, World

MAILS = 1_000


def run() -> list[Row]:
    with TemporaryDirectory() as name:
        folder, world = Path(name), World()
        for number in range(MAILS):
            (folder / f"{number:04d}.json").write_bytes(
                world.prove(mail(10_000, number)).to_bytes()
            )
        (folder / "trust").write_bytes(encode(world.trust().to_json()))
        command = [sys.executable, "-m", "bench.cases", str(folder)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(
        f"cases: a file of {found['bytes'] / 1e6:.1f} MB; told {found['told']} times; "
        f"{found['idle_mb']:.0f} MB before the first proof"
    )
    return [
        Row(f"a case dossier of {MAILS:,} mails", found["seconds"], None, None, "s"),
        Row("  longest without a word of progress", found["silence"], None, None, "s"),
        Row("  most memory of its process", found["most_mb"], None, None, "MB"),
    ]


def _make(folder: Path) -> dict[str, float]:
    trust = read_trust((folder / "trust").read_bytes())
    files = sorted(folder.glob("*.json"))
    sealer = Sealer(*create_seal_identity("Atelier", NOW))
    options = CaseOptions("fr", ZoneInfo("Europe/Paris"), "Atelier Dubois", "Lot 7")
    idle_mb, started = _memory_mb("VmRSS"), time.perf_counter()
    told = [started]

    def records() -> Iterator[Judged]:
        for path in files:
            proof = read_proof(path.read_bytes())
            yield Judged(proof, verify_proof(proof, trust), final=True)

    made = make_case(records(), options, sealer, lambda done: told.append(time.perf_counter()))
    ended = time.perf_counter()
    return {
        "bytes": len(made),
        "idle_mb": idle_mb,
        "most_mb": _memory_mb("VmHWM"),
        "seconds": ended - started,
        "silence": max(b - a for a, b in zip(told, [*told[1:], ended], strict=True)),
        "told": len(told) - 1,
    }


def _memory_mb(which: str) -> float:
    found = re.search(rf"^{which}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.M)
    if found is None:
        raise RuntimeError("this system does not tell a process's memory")
    return int(found[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(_make(Path(sys.argv[1]))))

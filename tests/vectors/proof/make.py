"""Makes the vectors of this folder anew: python -m tests.vectors.proof.make"""

from __future__ import annotations

import json
from pathlib import Path

from tests.faults import FAULTS
from tests.making import ATTACHMENT, MAIL, World
from tests.vectors.expected import Expected, write

HERE = Path(__file__).parent


def main() -> None:
    world = World()
    proof = world.prove()
    expected: dict[str, Expected] = {"good.json": {"exit_status": 0, "failed": []}}
    (HERE / "good.json").write_bytes(proof.to_bytes())
    redacted = proof.redact(frozenset({"authentication", "defects", "part.2"}))
    (HERE / "good-redacted.json").write_bytes(redacted.to_bytes())
    expected["good-redacted.json"] = {"exit_status": 0, "failed": []}
    for name, fault in FAULTS.items():
        (HERE / f"{name}.json").write_bytes(fault.change(world, proof).to_bytes())
        expected[f"{name}.json"] = {
            "exit_status": fault.exit_status, "failed": sorted(fault.failed),
        }  # fmt: skip
    trust = json.dumps(world.trust().to_json(), indent=1, sort_keys=True)
    (HERE / "trust.json").write_text(trust + "\n")
    (HERE / "tsa-root.pem").write_bytes(world.authority.root_pem)
    (HERE / "mail.eml").write_bytes(MAIL)
    (HERE / "offre.pdf").write_bytes(ATTACHMENT)
    write("proof", expected)


if __name__ == "__main__":
    main()

"""Whole proofs verified offline, against `openssl ts -verify` on their tokens alone."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from bench.mails import mail
from bench.table import Row, versus
from bench.timing import alternate, one_core
from proofmail.core.proof import Proof, Rfc3161Token, read_proof
from proofmail.verify.checks import verify_proof
from tests.making import World
from tests.parts import PARTS, find

PROOFS = 60


def run() -> list[Row]:
    openssl = find("openssl")
    if openssl is None:
        print(f"verifying: no openssl here: {PARTS['openssl'].cure}")
        return []
    world = World()
    proofs = [world.prove(mail(10_000, number)) for number in range(PROOFS)]
    files = [proof.to_bytes() for proof in proofs]
    trust = world.trust()

    def ours() -> int:
        for data in files:
            if verify_proof(read_proof(data), trust).exit_status != 0:
                raise RuntimeError("a good proof did not pass")
        return len(files)

    with tempfile.TemporaryDirectory(prefix="proofmail-bench-") as made:
        folder = Path(made)
        (folder / "root.pem").write_bytes(world.authority.root_pem)
        commands = [_command(openssl, folder, n, proof) for n, proof in enumerate(proofs)]

        def peer() -> int:
            for command in commands:
                subprocess.run(command, check=True, capture_output=True)
            return len(commands)

        with one_core():
            rates = alternate(ours, peer)
    return [versus("proofs verified offline, one core", *rates, "proofs/s", (5.0, 2.0))]


def _command(openssl: Path, folder: Path, number: int, proof: Proof) -> list[str]:
    token = proof.tokens[0]
    if not isinstance(token, Rfc3161Token):
        raise TypeError("not an RFC 3161 token")
    record, answer = folder / f"{number}.json", folder / f"{number}.tsr"
    record.write_bytes(proof.record.to_bytes())
    answer.write_bytes(token.response)
    return [
        str(openssl), "ts", "-verify", "-data", str(record), "-in", str(answer),
        "-CAfile", str(folder / "root.pem"), "-attime", str(int(_moment(proof))),
    ]  # fmt: skip


def _moment(proof: Proof) -> float:
    """The chain is judged at the token's time, as we do; both here are of one moment."""
    return proof.record.received_at.timestamp() + 1

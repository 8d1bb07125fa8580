"""Dossiers made and sealed from proof files, as the dossier process makes them, on one core."""

from __future__ import annotations

import gc
import statistics
from datetime import timedelta
from zoneinfo import ZoneInfo

from anchoring.authority import BuiltInAuthority
from bench.mails import mail
from bench.table import Row
from bench.timing import ROUNDS, one_core, timed
from dossier.make import DossierOptions, make_dossier
from dossier.seal import Sealer, Stamping, create_seal_identity
from proofmail.core.proof import read_proof
from proofmail.verify.checks import verify_proof
from tests.making import Fixed, World

DOSSIERS = 8


def run() -> list[Row]:
    world = World()
    files = [world.prove(mail(10_000, number)).to_bytes() for number in range(DOSSIERS)]
    trust = world.trust()
    clock = Fixed(world.now + timedelta(seconds=30))
    sealer = Sealer(
        *create_seal_identity("Atelier", world.now),
        Stamping(BuiltInAuthority("test", world.authority, clock)),
    )
    options = DossierOptions("fr", ZoneInfo("Europe/Paris"), "Atelier Dubois", True)

    def ours() -> int:
        for data in files:
            proof = read_proof(data)
            make_dossier(proof, verify_proof(proof, trust), options, sealer)
        return len(files)

    with one_core():
        ours()  # fonts and profiles are read once
        gc.collect()
        rate = statistics.median(timed(ours) for _ in range(ROUNDS))
    return [Row("dossiers made and sealed, one core", rate, None, None, "dossiers/s", 10.0, 4.0)]

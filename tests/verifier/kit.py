"""Dossiers of a real mail, with the trust that they verify under, for both verifiers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding

from dossier.make import make_dossier
from proofmail.core.canonical import encode
from proofmail.core.proof import Proof
from proofmail.core.redaction import choose, redact
from proofmail.verify.checks import verify_proof
from tests.dossier.evidence import options, sealer
from tests.making import MAIL, World


@dataclass(frozen=True)
class Kit:
    """One mail, its proof, its sealed dossier, and the trust of the service that made them."""

    mail: bytes
    proof: Proof
    dossier: bytes
    trust: bytes


def apart(make: Callable[[], bytes]) -> bytes:
    """In a thread of its own: sealing starts an event loop, and Playwright runs one in ours."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(make).result()


def make_kit(mail: bytes = MAIL, *, show: tuple[str, ...] = ()) -> Kit:
    """With `show`, a redacted one, of these words of :func:`core.redaction.choose` alone."""
    world = World()
    proof = world.prove(mail)
    if show:
        proof = redact(proof, choose(proof, list(show)))
    seal = sealer().certificate.public_bytes(Encoding.DER)
    trust = world.trust(seals=(seal,))
    how = replace(options("en"), redacted=bool(show))
    dossier = apart(lambda: make_dossier(proof, verify_proof(proof, trust), how, sealer()))
    return Kit(mail, proof, dossier, encode(trust.to_json()))


@cache
def kit() -> Kit:
    return make_kit()


@cache
def redacted() -> Kit:
    return make_kit(show=("part.2",))

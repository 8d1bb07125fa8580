"""A proof made a sealed dossier, and checked as a stranger would before it is handed out."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dossier.by_hand import constant_files
from dossier.finish import Metadata, finish
from dossier.render import render
from dossier.seal import Sealer
from dossier.story import Telling, tell
from dossier.story_checking import FILE_ORDER
from dossier.words import Language, Words
from proofmail.core.loose import PROOF_NAME, loose_files
from proofmail.core.proof import Proof
from proofmail.errors import CheckFailed
from proofmail.verify.pdf import check_loose, check_seal, read_dossier
from proofmail.verify.report import Report


@dataclass(frozen=True)
class DossierOptions:
    """`zone` is shown beside UTC. `final` says that all expected evidence is in the proof; while
    it is not, every page says that the dossier is provisional. `check_address` is that of the
    public page where dossiers are checked, or ""."""

    language: Language
    zone: ZoneInfo
    organisation_name: str
    final: bool
    check_address: str = ""
    redacted: bool = False


def make_dossier(proof: Proof, report: Report, options: DossierOptions, sealer: Sealer) -> bytes:
    """The sealed dossier of `proof`, of which `report` is the service's own verification.

    Raises CheckFailed if something in the report failed, or if the finished file would not pass;
    then nothing may be handed out. What the sealer's authority raises passes through.
    """
    unsealed = make_unsealed(proof, report, options)
    words = Words(options.language, options.zone)
    sealed = sealer.seal(unsealed, words("seal.reason"))
    _check(sealed, proof, sealer)
    return sealed


def make_unsealed(proof: Proof, report: Report, options: DossierOptions) -> bytes:
    """The same bytes for the same proof, report and options: the sealed file begins with them."""
    if report.failed:
        raise CheckFailed("a check on the proof failed: no dossier is made of it")
    words = Words(options.language, options.zone)
    all_files = {PROOF_NAME: proof.to_bytes(), **loose_files(proof), **constant_files()}
    files = {name: all_files[name] for name in FILE_ORDER if name in all_files}
    telling = Telling(
        options.organisation_name, options.final, options.check_address, options.redacted
    )
    story = tell(proof, report, files, telling, words)
    described = {name: (data, words(f"file.{name}")) for name, data in files.items()}
    metadata = Metadata(
        f"{story.title} · {story.footer}",
        options.organisation_name,
        options.language,
        proof.record.received_at,
    )
    return finish(render(story), described, metadata)


def _check(sealed: bytes, proof: Proof, sealer: Sealer) -> None:
    """DESIGN §4's rules on a dossier, by the code that strangers use. Raises CheckFailed or
    Unreadable."""
    dossier = read_dossier(sealed)
    if dossier.proofs != (proof.to_bytes(),):
        raise CheckFailed("the dossier does not hold exactly its proof")
    check_loose(dossier, proof)
    if dossier.seal is None:
        raise CheckFailed("the dossier is not sealed")
    check_seal(sealed, dossier.seal, [sealer.certificate])

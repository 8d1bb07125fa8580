"""Many proofs made one sealed case dossier, and checked as a stranger would (SPEC §11.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from zoneinfo import ZoneInfo

from dossier.by_hand import constant_files
from dossier.finish import Metadata, finish
from dossier.render import render
from dossier.seal import Sealer
from dossier.story_case import CaseTelling, Line, line_of, tell_case
from dossier.words import Language, Words
from proofmail.core.case import CASE_NAME, MAX_PROOFS, Listed, make_case_list, proof_name
from proofmail.core.proof import Proof
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.pdf import check_seal, own_files, read_dossier
from proofmail.verify.report import Report

MAX_PROOFS_BYTES = 56 << 20
"""Of all proofs of a case together: a dossier has at most 64 MiB, pages and seal with it."""


@dataclass(frozen=True)
class CaseOptions:
    """As of :class:`dossier.make.DossierOptions`; `title` is what the case is called, at most 200
    characters, or ""."""

    language: Language
    zone: ZoneInfo
    organisation_name: str
    title: str
    check_address: str = ""


@dataclass(frozen=True)
class Judged:
    """A proof, its verification by the service, and whether all expected evidence is in it."""

    proof: Proof
    report: Report
    final: bool


def make_case(
    records: Iterable[Judged],
    options: CaseOptions,
    sealer: Sealer,
    progress: Callable[[int], None] = lambda done: None,
) -> bytes:
    """The sealed case dossier of these records, in their order; each is let go before the next is
    taken. `progress` is told how many were taken.

    Unreadable for none of them, too many, or too much for one file. CheckFailed if one of them
    failed a check, or if the finished file would not pass; then nothing may be handed out.
    """
    unsealed, files = make_unsealed_case(records, options, progress)
    words = Words(options.language, options.zone)
    sealed = sealer.seal(unsealed, words("seal.reason"))
    _check(sealed, files, sealer)
    return sealed


def make_unsealed_case(
    records: Iterable[Judged],
    options: CaseOptions,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[bytes, dict[str, bytes]]:
    """The dossier without its seal, and the files in it. The same bytes for the same arguments."""
    words = Words(options.language, options.zone)
    lines: list[Line] = []
    listed: list[Listed] = []
    files: dict[str, bytes] = {}
    left_bytes = MAX_PROOFS_BYTES
    for number, record in enumerate(records, 1):
        if number > MAX_PROOFS:
            raise Unreadable(f"a case dossier has at most {MAX_PROOFS} records: choose fewer")
        if record.report.failed:
            raise CheckFailed(f"a check on proof {number} failed: no dossier is made of it")
        data = record.proof.to_bytes()
        left_bytes -= len(data)
        if left_bytes < 0:
            raise Unreadable("these proofs are too large for one case dossier: choose fewer")
        record_sha256 = sha256(record.proof.record.to_bytes()).digest()
        listed.append(Listed(record_sha256, sha256(data).digest()))
        files[proof_name(number)] = data
        lines.append(line_of(record.proof, record.report, words, final=record.final))
        progress(number)
    listing = make_case_list(options.title, listed).to_bytes()
    files |= {CASE_NAME: listing, **constant_files()}
    telling = CaseTelling(
        options.organisation_name,
        options.title,
        sha256(listing).hexdigest(),
        options.check_address,
    )
    story = tell_case(lines, telling, words)
    described = {
        name: (data, words.either(f"file.{name}", words("file.proof.json")))
        for name, data in files.items()
    }
    newest = max(line.received_at for line in lines)
    title = f"{story.title} · {story.subtitle}"
    metadata = Metadata(title, options.organisation_name, options.language, newest)
    return finish(render(story), described, metadata), files


def _check(sealed: bytes, files: dict[str, bytes], sealer: Sealer) -> None:
    """The file holds exactly the list and its proofs, under a good seal, by the code that
    strangers use. Raises CheckFailed or Unreadable."""
    dossier = read_dossier(sealed)
    if {CASE_NAME: dossier.case, **dossier.loose} != files:
        raise CheckFailed("the case dossier does not hold exactly its list and its proofs")
    own_files(dossier)
    if dossier.seal is None:
        raise CheckFailed("the case dossier is not sealed")
    check_seal(sealed, dossier.seal, [sealer.certificate])

"""What `proofmail verify` judges: a proof file or a dossier, with copies (SPEC §9, §10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cryptography import x509

from proofmail.core.proof import Proof, read_proof
from proofmail.errors import CheckFailed, NotChecked, Unreadable
from proofmail.verify.checks import NO_TRUST, verify_proof
from proofmail.verify.containers import Folder, judge
from proofmail.verify.copies import Copy, judge_digest
from proofmail.verify.document_stamp import check_stamp
from proofmail.verify.pdf import DossierFile, Seal, check_loose, check_seal, read_dossier
from proofmail.verify.pdf_additions import NOTHING
from proofmail.verify.report import CopyReport, Report, Row, Status
from proofmail.verify.trust import Trust
from proofmail.verify.words import said

MAX_INPUT_BYTES = 64 << 20
PDF_START = b"%PDF-"
STAMP_TITLE = "a document time-stamp over the sealed file, by a trusted authority"


@dataclass(frozen=True)
class Evidence:
    """What a proof file or a dossier holds. `dossier` is None for a bare proof file."""

    proof: Proof
    dossier: DossierFile | None = None
    data: bytes = b""


def read_evidence(data: bytes) -> Evidence:
    """A dossier (it begins with `%PDF-`) or a proof file; Unreadable for anything else."""
    check_size(data)
    if not data.startswith(PDF_START):
        return Evidence(read_proof(data))
    return evidence_of(read_dossier(data), data)


def check_size(data: bytes) -> None:
    if len(data) > MAX_INPUT_BYTES:
        raise Unreadable(f"larger than {MAX_INPUT_BYTES >> 20} MiB: neither a proof nor a dossier")


def evidence_of(dossier: DossierFile, data: bytes) -> Evidence:
    """The one proof of a dossier; Unreadable for a case dossier."""
    if len(dossier.proofs) != 1:
        raise Unreadable("a case dossier, not the proof or dossier of one record")
    return Evidence(read_proof(dossier.proofs[0]), dossier, data)


def verify(
    evidence: Evidence,
    trust: Trust = NO_TRUST,
    copies: Sequence[Copy | Folder] = (),
    digests: Sequence[str] = (),
) -> Report:
    """The whole report: the proof's steps, the dossier's, and each copy against the claims."""
    report = verify_proof(evidence.proof, trust)
    rows = list(report.rows)
    if evidence.dossier is not None:
        last = rows.pop()  # V17 sums up, so it stays last
        rows += [_loose_row(evidence.dossier, evidence.proof)]
        rows += [*seal_rows(evidence.dossier, evidence.data, trust), last]
    return replace(report, rows=tuple(rows), copies=tuple(_judge_copies(report, copies, digests)))


def _judge_copies(
    report: Report, copies: Sequence[Copy | Folder], digests: Sequence[str]
) -> list[CopyReport]:
    if not report.facts:  # V2 or V3 failed: no claim is a fact
        reason = said("proof.failed")
        return [
            CopyReport(name, what, Status.NOT_CHECKED, reason)
            for name, what in (
                *((copy.name, "file") for copy in copies),
                *((digest, "digest") for digest in digests),
            )
        ]
    claims = report.facts["claims"]
    return [
        *(judge(copy, claims) for copy in copies),
        *(judge_digest(digest, claims) for digest in digests),
    ]


def _loose_row(dossier: DossierFile, proof: Proof) -> Row:
    title = "one proof, and loose files equal to it"
    try:
        check_loose(dossier, proof)
    except (CheckFailed, Unreadable) as error:
        return Row("V15", title, Status.FAILED, str(error))
    reason = f"{len(dossier.loose)} loose files; the pages are not read, nor believed"
    return Row("V15", title, Status.PASSED, reason)


def seal_rows(dossier: DossierFile, data: bytes, trust: Trust) -> Iterator[Row]:
    """V16 on a dossier and the bytes that it was read from, and V16.D on each document time-stamp
    behind the seal. None of those is a witness of a record."""
    yield _seal_row(dossier.seal, data, trust)
    additions = dossier.seal.additions if dossier.seal else NOTHING
    for number, stamp in enumerate(additions.stamps, 1):
        status = Status.PASSED
        try:
            reason = check_stamp(data, stamp, additions, trust)
        except (CheckFailed, Unreadable) as error:
            status, reason = Status.FAILED, str(error)
        except NotChecked as error:
            status, reason = Status.NOT_CHECKED, str(error)
        yield Row("V16.D", STAMP_TITLE, status, reason, f"document time-stamp {number}")


def _seal_row(seal: Seal | None, data: bytes, trust: Trust) -> Row:
    title = "one seal over the file, by a trusted signer"
    if seal is None:
        return Row("V16", title, Status.FAILED, "the dossier is not sealed")
    trusted = [x509.load_der_x509_certificate(der) for der in trust.seals]
    try:
        facts = check_seal(data, seal, trusted)
    except (CheckFailed, Unreadable) as error:
        return Row("V16", title, Status.FAILED, str(error))
    except NotChecked as error:
        return Row("V16", title, Status.NOT_CHECKED, str(error))
    return Row("V16", title, Status.PASSED, f"signer {facts.signer}{_behind(seal)}")


def _behind(seal: Seal) -> str:
    """What stands behind the seal, so that a level is not believed to hold more than it does."""
    if not seal.later_revisions:
        return ""
    found = seal.additions
    revocation = f"{len(found.revocation)} items" if found.revocation else "none"
    return (
        f"; behind the seal: {len(found.stamps)} document time-stamps, "
        f"{len(found.certificates)} certificates, revocation data: {revocation}"
    )

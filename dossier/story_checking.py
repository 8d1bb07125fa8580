"""How whoever holds a dossier checks it, in words: the box of the first page, the commands, the
files inside, and the script of which every dossier carries a copy (SPEC §11.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

from dossier.blocks import Block, Cell, Check, Grid, Heading, Listing, Paragraph
from dossier.by_hand import INSTRUCTIONS, SCRIPT, constant_files
from dossier.words import Words
from proofmail.core.loose import (
    CERTIFICATES_NAME,
    DISCLOSURES_NAME,
    PROOF_NAME,
    RECORD_NAME,
    RESPONSE_NAME,
)
from proofmail.core.merkle import leaf_hash, root_from_path
from proofmail.core.proof import Proof, Rfc3161Token
from proofmail.verify.report import Report

FILE_ORDER = (
    PROOF_NAME, RECORD_NAME, DISCLOSURES_NAME, RESPONSE_NAME, CERTIFICATES_NAME, SCRIPT,
    INSTRUCTIONS,
)  # fmt: skip


def how_to_check(address: str, words: Words) -> Check:
    """The box of the first page; `address` of the public page where dossiers are checked, or ""."""
    lines = [words("check.page", address=address)] if address else []
    lines += [words(f"check.{key}") for key in ("command", "signer", "keep")]
    return Check(words("check"), tuple(lines), address)


def how_to_verify(
    proof: Proof, report: Report, files: Mapping[str, bytes], words: Words
) -> list[Block]:
    """With proofmail, by hand, and what is in the file."""
    command = "proofmail verify dossier.pdf --trust trust.json"
    blocks: list[Block] = [Heading(words("verify")), *_told(words("verify.own"), command)]
    if proof.record.kind in ("message", "receipt"):
        blocks += _told(words("verify.copy"), f"{command} message.eml")
    blocks.append(Heading(words("verify.hand"), 2))
    for number, (text, line) in enumerate(_steps(proof, report, words), 1):
        blocks += _told(f"{number}. {text}", line)
    return [*blocks, *_files(files, words)]


def listing(words: Words) -> Listing:
    """The script, for the last page."""
    data = constant_files()[SCRIPT]
    note = words("listing.note", digest=sha256(data).hexdigest())
    lines = tuple(data.decode("ascii").splitlines())
    return Listing(words("listing", name=SCRIPT), note, lines)


def _told(text: str, command: str) -> list[Block]:
    return [Paragraph(text), *([Paragraph(command, "command")] if command else [])]


def _steps(proof: Proof, report: Report, words: Words) -> Iterator[tuple[str, str]]:
    """What to do and the command for it, "" where there is none."""
    copies = proof.record.kind in ("message", "receipt")
    yield words("verify.extract"), "pdfdetach -saveall dossier.pdf"
    compared = [words("verify.digests"), words("verify.record")]
    compared += [words("verify.files")] if copies else []
    given = " attachment.pdf" if copies else ""
    yield " ".join(compared), f"sha256sum {SCRIPT} {RECORD_NAME}{given}"
    given = " message.eml attachment.pdf" if copies else ""
    script = f"python3 {SCRIPT} {PROOF_NAME} {RECORD_NAME} {DISCLOSURES_NAME}{given}"
    yield words("verify.script.copy" if copies else "verify.script"), script
    token = next((t for t in proof.tokens if isinstance(t, Rfc3161Token)), None)
    if token:
        yield words("verify.openssl"), _openssl(proof, token, report)
    if proof.batches:
        yield words("verify.ledger"), ""


def _openssl(proof: Proof, token: Rfc3161Token, report: Report) -> str:
    """The stock tool's command, judged at the token's time, so that it holds when the authority's
    certificate has expired. In tree mode it is given the root, which it cannot compute."""
    what = f"-data {RECORD_NAME}"
    if token.tree:
        leaf = leaf_hash(proof.record.to_bytes())
        root = root_from_path(leaf, token.tree.index, token.tree.size, token.tree.path)
        what = f"-digest {root.hex()}"
    moment = next((int(f.time.timestamp()) for f in report.witnesses if f.kind == "rfc3161"), 0)
    return (
        f"openssl ts -verify {what} -in {RESPONSE_NAME} -CAfile root.pem "
        f"-untrusted {CERTIFICATES_NAME} -attime {moment}"
    )


def _files(files: Mapping[str, bytes], words: Words) -> list[Block]:
    rows = tuple(
        (
            Cell(name, small=words(f"file.{name}")),
            Cell(words.number(len(data))),
            Cell(mono=sha256(data).hexdigest()),
        )
        for name, data in files.items()
    )
    head = (words("files.name"), words("parts.size"), "SHA-256")
    return [Heading(words("files"), 2), Grid(head, (0.42, 0.13, 0.45), rows)]

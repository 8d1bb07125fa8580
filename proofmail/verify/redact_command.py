"""`proofmail redact`: a proof that shows less, made offline of one that shows more (SPEC §2.4)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from proofmail.core.claims import never_hidden
from proofmail.core.proof import Proof, read_proof
from proofmail.core.redaction import choose, redact
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.command import read_bounded
from proofmail.verify.dossier import MAX_INPUT_BYTES, read_evidence
from proofmail.verify.plain import plain

EPILOG = """\
CLAIM is a claim's name (part.2, header.subject, …: --list tells those of this proof), or
  people               the claims header.from, header.to and header.cc
  parts                the number of parts, and every part
  recipient:ADDRESS    the field that names this address, if it names no other: a claim is shown
                       whole or not at all, so one address among several cannot be shown alone

What a proof never hides stays: when it was received, its defects, how the sender was
authenticated. The new proof is of the same record, with the same witnesses. It is a proof file; a
sealed dossier that shows less is made by the service, which has the key of the seal.

exit status: 0 written; 1 the proof given fails a check; 2 unreadable, or nothing of that name.
"""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="proofmail redact",
        description="Makes a proof that shows chosen claims alone, offline.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("proof", metavar="PROOF", type=Path, help="proof.json or dossier.pdf")
    made.add_argument("--show", metavar="CLAIM", action="append", default=[],
                      help="what to show; may be given again")  # fmt: skip
    made.add_argument("--linked", action="store_true",
                      help="keep the receipts and addenda that are linked, showing no more of them "
                      "than that they are, and what --show names")  # fmt: skip
    made.add_argument("--list", action="store_true", help="tell the claims that can be shown")
    made.add_argument("--out", metavar="FILE", type=Path, help="a new file for the proof")
    return made


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns its exit status."""
    options = parser().parse_args(arguments)
    if options.list == (options.out is not None):
        parser().error("either --list or --out FILE is needed")
    try:
        proof = read_evidence(read_bounded(options.proof, MAX_INPUT_BYTES)).proof
        _check(proof)
        if options.list:
            return _list(proof)
        made = redact(proof, choose(proof, options.show), linked=options.linked)
        data = made.to_bytes()
        _check(read_proof(data))
        with options.out.open("xb") as stream:
            stream.write(data)
    except Unreadable as error:
        print(f"proofmail redact: {plain(str(error))}", file=sys.stderr)
        return 2
    except CheckFailed as error:
        print(f"proofmail redact: {plain(str(error))}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"proofmail redact: {plain(str(error.filename or ''))}: {error.strerror}",
              file=sys.stderr)  # fmt: skip
        return 2
    shown = len(made.disclosures)
    print(f"shown: {', '.join(sorted(made.claims))}", file=sys.stderr)
    print(
        f"not shown: {len(made.entries) - shown} entries (hidden claims or padding); "
        f"{len(proof.linked) - len(made.linked)} linked proofs left out",
        file=sys.stderr,
    )
    return 0


def _check(proof: Proof) -> None:
    """Whatever the trust: a proof that fails a check is not worth showing less of."""
    failed = [row for row in verify_proof(proof).rows if row.status.value == "failed"]
    if failed:
        raise CheckFailed(f"the proof fails {failed[0].number}: {failed[0].title}")


def _list(proof: Proof) -> int:
    always = never_hidden(proof.record.kind)
    for name in sorted(proof.claims):
        print(f"{name}{'  (always shown)' if name in always else ''}")
    return 0

"""`proofmail verify`: an auditor's command. Needs no service, no network, no server package."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.case import CaseEvidence, CaseReport, read_given, verify_case, verify_one
from proofmail.verify.checks import NO_TRUST
from proofmail.verify.dossier import MAX_INPUT_BYTES, Evidence, verify
from proofmail.verify.paths import source
from proofmail.verify.plain import plain
from proofmail.verify.report import Report
from proofmail.verify.show import write_report
from proofmail.verify.show_case import write_case_report
from proofmail.verify.trust import MAX_TRUST_BYTES, Trust, read_trust
from proofmail.verify.words import LANGUAGES

EPILOG = """\
PROOF is a proof file (proof.json) or a dossier (PDF). COPY is any number of copies to compare
with it: a mail (.eml), a mailbox (mbox) or a folder of mails (Maildir, or .eml files) in which
the mail is looked for, an Outlook file (.msg), a saved attachment, a saved text (.txt, .html).
An Outlook file is compared part by part, and is often "not checked": give the .eml if there is one.
A case dossier holds many proofs: all are checked; copies are compared with the one that --number
names, of which the whole report is told.

Without --trust nothing can be verified, only examined: get the trust file from somebody whom you
believe, not from who gave you the proof.

exit status: 0 verified under the trust given; 1 something failed or differs; 2 unreadable;
3 nothing failed, but the service or a witness is not trusted or could not be checked.
"""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="proofmail verify",
        description="Checks a proof or a dossier, and copies of the mail, offline.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("proof", metavar="PROOF", type=Path, help="proof.json or dossier.pdf")
    made.add_argument("copies", metavar="COPY", type=Path, nargs="*", help="file or folder")
    made.add_argument("--digest", metavar="HEX", action="append", default=[],
                      help="a SHA-256 or SHA3-256 to look for")  # fmt: skip
    made.add_argument("--trust", metavar="FILE", type=Path, help="what you decide to believe")
    made.add_argument("--node", metavar="URL", action="append", default=[],
                      help="a node (JSON-RPC) to ask whether a block is in its chain: the one use "
                      "of the network; may be given again, and then all have to agree")  # fmt: skip
    made.add_argument("--number", metavar="N", type=int,
                      help="of a case dossier, this proof alone, from 1")  # fmt: skip
    made.add_argument("--language", choices=LANGUAGES, help="of the report (default: from LANG)")
    made.add_argument("--json", action="store_true", help="the report as JSON, in English")
    return made


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns its exit status. Writes to the standard streams alone."""
    options = parser().parse_intermixed_args(arguments)
    try:
        report = _judge(options)
    except CheckFailed as error:  # of a case: the proof asked for is not the one that it lists
        print(f"proofmail verify: {plain(str(error))}", file=sys.stderr)
        return 1
    except Unreadable as error:
        print(f"proofmail verify: {plain(str(error))}", file=sys.stderr)
        return 2
    except OSError as error:
        name = plain(str(error.filename or ""))
        print(f"proofmail verify: {name}: {error.strerror}", file=sys.stderr)
        return 2
    written = StringIO()
    if options.json:
        # Escaped down to ASCII: what a mail says must not act on the terminal that shows it.
        json.dump(report.to_json(), written, sort_keys=True)
        written.write("\n")
    else:
        language = options.language or _language(os.environ)
        trusting = options.trust is not None
        if isinstance(report, CaseReport):
            write_case_report(report, written, trusting=trusting, language=language)
        else:
            write_report(report, written, trusting=trusting, language=language)
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(written.getvalue().encode(encoding, "backslashreplace").decode(encoding))
    return report.exit_status


def _judge(options: argparse.Namespace) -> Report | CaseReport:
    given = read_given(read_bounded(options.proof, MAX_INPUT_BYTES))
    trust = _trust(options.trust)
    if isinstance(given, Evidence) and options.number is not None:
        raise Unreadable("--number is for case dossiers: this one holds one proof")
    asks = options.copies or options.digest or options.node
    if isinstance(given, CaseEvidence) and options.number is None:
        if asks:
            raise Unreadable("a case dossier: say with --number which of its proofs is meant")
        return verify_case(given, trust)
    if options.node:
        from proofmail.verify.node import ask_nodes  # the network, only when asked for

        one = given.proof(options.number) if isinstance(given, CaseEvidence) else given.proof
        trust = ask_nodes(options.node, [one], trust)
    copies = [source(path) for path in options.copies]
    if isinstance(given, CaseEvidence):
        return verify_one(given, options.number, trust, copies, options.digest)
    return verify(given, trust, copies, options.digest)


def _language(environment: Mapping[str, str]) -> str:
    """The first of these variables that is set decides (POSIX.1 §8.2)."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    return locale[:2] if locale[:2] in LANGUAGES else LANGUAGES[0]


def _trust(path: Path | None) -> Trust:
    return NO_TRUST if path is None else read_trust(read_bounded(path, MAX_TRUST_BYTES))


def read_bounded(path: Path, most: int) -> bytes:
    """The file's bytes; Unreadable if there are more than `most`."""
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise Unreadable(f"{path.name}: larger than {most >> 20} MiB")
    return data

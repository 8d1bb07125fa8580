"""`proofmail verify`: an auditor's command. Needs no service, no network, no server package."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from proofmail.errors import Unreadable
from proofmail.verify.checks import NO_TRUST
from proofmail.verify.dossier import MAX_INPUT_BYTES, read_evidence, verify
from proofmail.verify.paths import source
from proofmail.verify.plain import plain
from proofmail.verify.show import write_report
from proofmail.verify.trust import MAX_TRUST_BYTES, Trust, read_trust
from proofmail.verify.words import LANGUAGES

EPILOG = """\
PROOF is a proof file (proof.json) or a dossier (PDF). COPY is any number of copies to compare
with it: a mail (.eml), a mailbox (mbox) or a folder of mails (Maildir, or .eml files) in which
the mail is looked for, an Outlook file (.msg), a saved attachment, a saved text (.txt, .html).
An Outlook file is compared part by part, and is often "not checked": give the .eml if there is one.

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
    made.add_argument("--language", choices=LANGUAGES, help="of the report (default: from LANG)")
    made.add_argument("--json", action="store_true", help="the report as JSON, in English")
    return made


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns its exit status. Writes to the standard streams alone."""
    options = parser().parse_intermixed_args(arguments)
    try:
        evidence = read_evidence(read_bounded(options.proof, MAX_INPUT_BYTES))
        trust = _trust(options.trust)
        if options.node:
            from proofmail.verify.node import ask_nodes  # the network, only when asked for

            trust = ask_nodes(options.node, [evidence.proof], trust)
        copies = [source(path) for path in options.copies]
        report = verify(evidence, trust, copies, options.digest)
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
        write_report(report, written, trusting=options.trust is not None, language=language)
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(written.getvalue().encode(encoding, "backslashreplace").decode(encoding))
    return report.exit_status


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

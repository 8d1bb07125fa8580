"""`proofmail verify`: an auditor's command. Needs no service, no network, no server package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from proofmail.core.canonical import encode
from proofmail.errors import Unreadable
from proofmail.verify.checks import NO_TRUST
from proofmail.verify.copies import Copy
from proofmail.verify.dossier import MAX_INPUT_BYTES, read_evidence, verify
from proofmail.verify.plain import plain
from proofmail.verify.report import CopyReport, Report, Status, WitnessFact
from proofmail.verify.trust import MAX_TRUST_BYTES, Trust, read_trust

EPILOG = """\
PROOF is a proof file (proof.json) or a dossier (PDF). COPY is any number of mails (.eml) and
saved attachments to compare with it. Without --trust nothing can be verified, only examined:
get the trust file from somebody whom you believe, not from who gave you the proof.

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
    made.add_argument("copies", metavar="COPY", type=Path, nargs="*", help="mail or saved file")
    made.add_argument("--digest", metavar="HEX", action="append", default=[],
                      help="a SHA-256 or SHA3-256 to look for")  # fmt: skip
    made.add_argument("--trust", metavar="FILE", type=Path, help="what you decide to believe")
    made.add_argument("--json", action="store_true", help="the report as JSON")
    return made


def main(arguments: Sequence[str]) -> int:
    """Runs the command; returns its exit status. Writes to the standard streams alone."""
    options = parser().parse_args(arguments)
    try:
        evidence = read_evidence(_read(options.proof, MAX_INPUT_BYTES))
        trust = _trust(options.trust)
        copies = [Copy(path.name, partial(_chunks, path)) for path in options.copies]
        for path in options.copies:
            _exists(path)
        report = verify(evidence, trust, copies, options.digest)
    except Unreadable as error:
        print(f"proofmail verify: {plain(str(error))}", file=sys.stderr)
        return 2
    except OSError as error:
        name = plain(str(error.filename or ""))
        print(f"proofmail verify: {name}: {error.strerror}", file=sys.stderr)
        return 2
    if options.json:
        sys.stdout.write(encode(report.to_json()).decode("utf-8") + "\n")
    else:
        write_report(report, sys.stdout, trusting=options.trust is not None)
    return report.exit_status


def _trust(path: Path | None) -> Trust:
    return NO_TRUST if path is None else read_trust(_read(path, MAX_TRUST_BYTES))


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise Unreadable(f"{path.name}: larger than {most >> 20} MiB")
    return data


def _exists(path: Path) -> None:
    with path.open("rb") as stream:
        stream.read(1)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 18):
            yield chunk


def write_report(report: Report, out: TextIO, *, trusting: bool) -> None:
    """The report for a person, in the order of SPEC §9."""
    print(f"{report.verdict.upper()}\n", file=out)
    if report.existed_by:
        print(f"The record existed by {report.existed_by:%Y-%m-%d %H:%M:%S} UTC.", file=out)
    _write_facts(report, out)
    print("\nChecks", file=out)
    for row in report.rows:
        subject = f" [{row.subject}]" if row.subject else ""
        print(f"  {row.number:<7}{row.status.value:<12} {row.title}{subject}", file=out)
        if row.reason:
            print(f"{'':21} {plain(row.reason)}", file=out)
    if report.witnesses:
        print("\nWitnesses", file=out)
        for witness in report.witnesses:
            _write_witness(witness, out)
    for copy in report.copies:
        _write_copy(copy, out)
    print(
        "\nNot proven: delivery, authorship, and that the record did not exist earlier.", file=out
    )
    if not trusting:
        print("No trust file was given (--trust), so nothing can be verified.", file=out)


def _write_facts(report: Report, out: TextIO) -> None:
    if not report.facts:
        print("The claims are no facts: V2 or V3 failed.", file=out)
        return
    facts, claims = report.facts, report.facts["claims"]
    print(f"Kind {facts['kind']}, received {facts['received_at']} as the service states.", file=out)
    for subject in claims.get("header.subject", []):
        print(f"Subject, as the mail states: {plain(subject)}", file=out)
    for name, title in (("header.from", "From"), ("header.to", "To"), ("header.cc", "Cc")):
        for mailbox in claims.get(name, []):
            print(f"{title}, as the mail states: {plain(_mailbox(mailbox))}", file=out)


def _mailbox(mailbox: dict[str, str]) -> str:
    name, address = mailbox["name"], mailbox["address"]
    return f"{name} <{address}>" if name and address else name or address


def _write_witness(witness: WitnessFact, out: TextIO) -> None:
    caution = f" — {witness.caution}: proves nothing to others" if witness.caution else ""
    when = f"{witness.time:%Y-%m-%d %H:%M:%S} UTC"
    print(f"  {witness.kind:<8} {witness.status.value:<12} {when}{caution}", file=out)
    for name, value in witness.details:
        print(f"{'':21} {name}: {plain(value)}", file=out)


def _write_copy(copy: CopyReport, out: TextIO) -> None:
    word = {Status.PASSED: "matches", Status.FAILED: "DIFFERS"}.get(copy.status, "not checked")
    print(f"\nCopy {plain(copy.copy)}: {word} ({copy.what})", file=out)
    print(f"  {plain(copy.verdict)}", file=out)
    for match in copy.matches:
        label = f" {plain(match.name)}" if match.name else ""
        rung = match.rung or "no match"
        print(f"  {match.part:<10} {rung:<12}{label}", file=out)
    for difference in copy.differences:
        print(f"  differs: {plain(difference)}", file=out)
    for note in copy.notes:
        print(f"  note: {plain(note)}", file=out)

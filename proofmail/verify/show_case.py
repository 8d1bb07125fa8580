"""The report on a case dossier for a person: the list, the seal, and a line on each proof."""

from __future__ import annotations

from datetime import timedelta
from typing import TextIO

from proofmail.verify.case import CaseReport, Member
from proofmail.verify.plain import plain
from proofmail.verify.report import Status
from proofmail.verify.words import row_title, said, word


def write_case_report(
    report: CaseReport, out: TextIO, *, trusting: bool, language: str = "en"
) -> None:
    """Writes the whole report; `trusting` says whether a trust file was given."""
    print(f"{word(f'verdict.{report.exit_status}', language).upper()}\n", file=out)
    passed, count = report.count(Status.PASSED), len(report.members)
    print(said("case.count", passed=passed, count=count).text(language), file=out)
    if by := report.existed_by:
        by += timedelta(microseconds=-by.microsecond % 1_000_000)  # a bound is never cut off
        key = "case.existed.weak" if report.weak else "case.existed"
        print(said(key, when=f"{by:%Y-%m-%d %H:%M:%S}").text(language), file=out)
    if report.title:
        print(said("case.title", title=plain(report.title)).text(language), file=out)
    print(f"\n{word('checks', language)}", file=out)
    for row in report.rows:
        status = word(f"status.{row.status.value}", language)
        print(f"  {row.number:<7}{status:<12} {row_title(row, language)}", file=out)
        print(f"{'':21} {plain(row.reason)}", file=out)
    print(f"\n{word('case.proofs', language)}", file=out)
    for member in report.members:
        _write_member(member, out, language)
    print(f"\n{word('not-proven', language)}", file=out)
    print(word("case.not-proven", language), file=out)
    if not trusting:
        print(word("no-trust", language), file=out)


def _write_member(member: Member, out: TextIO, language: str) -> None:
    """What the mail states stands behind what the service does, and is made plain."""
    status = word(f"status.{member.status.value}", language)
    told = " · ".join(
        plain(text) for text in (member.received_at, member.sender, member.subject) if text
    )
    print(f"  {member.number:>5}  {status:<12} {told}", file=out)
    if member.reason:
        print(f"{'':21} {plain(member.reason)}", file=out)

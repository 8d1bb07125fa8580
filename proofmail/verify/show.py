"""The report for a person, as plain text in English or French, in the order of SPEC §9.

What comes from outside is made plain first: controls and direction marks are shown, not obeyed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TextIO

from proofmail.verify.natures import natures
from proofmail.verify.parts_words import called
from proofmail.verify.plain import plain
from proofmail.verify.report import CopyReport, Report, Status, WitnessFact
from proofmail.verify.words import row_title, rung_words, said, word


def write_report(report: Report, out: TextIO, *, trusting: bool, language: str = "en") -> None:
    """Writes the whole report; `trusting` says whether a trust file was given."""
    print(f"{word(f'verdict.{report.exit_status}', language).upper()}\n", file=out)
    if by := report.existed_by:
        by += timedelta(microseconds=-by.microsecond % 1_000_000)  # a bound is never cut off
        weak = all(w.caution for w in report.witnesses if w.status is Status.PASSED)
        key = "existed.weak" if weak else "existed"
        print(said(key, when=f"{by:%Y-%m-%d %H:%M:%S}").text(language), file=out)
    _write_facts(report, out, language)
    print(f"\n{word('checks', language)}", file=out)
    for row in report.rows:
        subject = f" [{row.subject}]" if row.subject else ""
        status = word(f"status.{row.status.value}", language)
        print(f"  {row.number:<7}{status:<12} {row_title(row, language)}{subject}", file=out)
        if row.reason:
            print(f"{'':21} {plain(row.reason)}", file=out)
    if report.witnesses:
        print(f"\n{word('witnesses', language)}", file=out)
        for witness in report.witnesses:
            _write_witness(witness, out, language)
    for copy in report.copies:
        _write_copy(copy, out, language)
    print(f"\n{word('not-proven', language)}", file=out)
    if not trusting:
        print(word("no-trust", language), file=out)


def _write_facts(report: Report, out: TextIO, language: str) -> None:
    if not report.facts:
        print(word("no-facts", language), file=out)
        return

    def line(key: str, **values: str) -> None:
        print(said(key, **{name: plain(text) for name, text in values.items()}).text(language),
              file=out)  # fmt: skip

    facts, claims = report.facts, report.facts["claims"]
    line("kind", kind=facts["kind"], when=facts["received_at"])
    line("sender", sender=claims["authentication"]["sender"])
    for check in claims["authentication"]["checks"]:
        line("sender.check", text=f"{check['method']} {check['result']} {check['domain']}")
    if claims["defects"]:
        line("defects", text=", ".join(claims["defects"]))
    for nature in natures(claims):
        print(plain(nature.text(language)), file=out)
    for subject in claims.get("header.subject", []):
        line("stated", field=word("header.subject", language), text=subject)
    for name in ("header.from", "header.to", "header.cc"):
        for mailbox in claims.get(name, []):
            line("stated", field=word(name, language), text=_mailbox(mailbox))


def _mailbox(mailbox: dict[str, str]) -> str:
    name, address = mailbox["name"], mailbox["address"]
    return f"{name} <{address}>" if name and address else name or address


def _write_witness(witness: WitnessFact, out: TextIO, language: str) -> None:
    caution = f" — {word(f'caution.{witness.caution}', language)}" if witness.caution else ""
    when = f"{witness.time:%Y-%m-%d %H:%M:%S} UTC"
    status = word(f"status.{witness.status.value}", language)
    print(f"  {witness.kind:<8} {status:<12} {when}{caution}", file=out)
    for name, value in witness.details:
        print(f"{'':21} {name}: {plain(value)}", file=out)


def _write_copy(copy: CopyReport, out: TextIO, language: str) -> None:
    text = copy.text(language)
    unfound = copy.status is Status.FAILED and copy.what != "mail"
    status = word("copy.none" if unfound else f"copy.{copy.status.value}", language)
    what = word(f"what.{copy.what}", language)
    title = said("copy", name=plain(copy.copy), status=status, what=what)
    print(f"\n{title.text(language)}", file=out)
    print(f"  {plain(text.verdict)}", file=out)
    for match in copy.matches:
        label = plain(called(match.part, match.name).text(language))
        print(f"  {label:<24} {rung_words(match.rung, language)}", file=out)
    for difference in text.differences:
        print(f"  {said('differs.line', text=plain(difference)).text(language)}", file=out)
    for note in text.notes:
        print(f"  {said('note.line', text=plain(note)).text(language)}", file=out)

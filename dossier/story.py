"""A proof and its report, told in words: what, when, how strong, and how to check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from dossier.blocks import (
    Block,
    Cell,
    Fact,
    Facts,
    Grid,
    Heading,
    Paragraph,
    Story,
    Verdict,
)
from dossier.story_checking import how_to_check, how_to_verify, listing
from dossier.story_mail import claims_facts, digests_blocks, parts_blocks, persons_blocks
from dossier.story_time import timeline
from dossier.story_witnesses import linked_blocks, short_name, witnesses_blocks
from dossier.text import shorten
from dossier.words import Words
from proofmail.core.canonical import Json
from proofmail.core.proof import Proof
from proofmail.verify.lists import QUALIFIED
from proofmail.verify.report import Report, Row, Status


@dataclass(frozen=True)
class Telling:
    """Whose dossier it is, and whether all expected evidence is there (`final`)."""

    organisation: str
    final: bool
    check_address: str = ""
    """Of the public page where anyone may check a dossier."""
    redacted: bool = False
    """Whether claims or linked proofs were taken out for this dossier."""


def tell(
    proof: Proof, report: Report, files: Mapping[str, bytes], telling: Telling, words: Words
) -> Story:
    """The dossier of a proof whose report has nothing failed. `files` are those to be attached."""
    digest = sha256(proof.record.to_bytes()).hexdigest()
    cautions = dict.fromkeys(w.caution for w in report.witnesses if w.caution)
    blocks: list[Block] = [
        timeline(proof, report, words, final=telling.final),
        Paragraph(words("time.legend"), "note"),
        *_summary(proof, telling, digest, words),
        how_to_check(telling.check_address, words),
        *(_redacted(proof, words) if telling.redacted else ()),
    ]
    blocks += _content(proof, words)
    blocks += witnesses_blocks(proof, report, words)
    if proof.record.kind == "message":
        blocks += linked_blocks(proof, report, words, redacted=telling.redacted)
    blocks += _checks(report, words)
    blocks += _meaning(report, words)
    blocks += how_to_verify(proof, report, files, words)
    blocks += _glossary(words)
    blocks.append(listing(words))
    return Story(
        title=words("title"),
        subtitle=_subtitle(proof, telling, words),
        language=words.language,
        verdict=_verdict(report, words),
        banners=tuple(
            words.either(f"caution.{c}", words("caution.other", caution=c)) for c in cautions
        ),
        mark=_mark(telling, words),
        footer=words("footer", digest=f"{digest[:16]}…"),
        page=words("page"),
        blocks=tuple(blocks),
    )


def _verdict(report: Report, words: Words) -> Verdict:
    """Green only if a witness without a caution passed: the service's own prove nothing alone."""
    passed = [fact for fact in report.witnesses if fact.status is Status.PASSED]
    strong = [fact.latest for fact in passed if not fact.caution]
    key = "undecided"
    if report.exit_status == 0:
        key = "verified" if strong else "weak"
    lines = [words("verdict.unknown")]
    if by := min(strong, default=report.existed_by):
        existed = "verdict.existed" if strong else "verdict.existed.weak"
        lines = [words(existed, time=words.date(by)), words.local(by)]
    strength = []
    for fact in report.witnesses:
        details = dict(fact.details)
        qualified = words(f"qualified.{details.get('qualified', 'not checked')}")
        filled = {"name": short_name(fact, words), "status": words(f"status.{fact.status.value}")}
        filled |= {"block": details.get("block_number", "?"), "qualified": qualified}
        strength.append(words(f"strength.{fact.kind}", **filled))
    kinds = {fact.kind for fact in report.witnesses}
    strength += [words("strength.no-token")] if "rfc3161" not in kinds else []
    strength += [words("strength.no-anchor")] if "evm" not in kinds else []
    headline, note = words(f"verdict.{key}"), words("verdict.judged")
    return Verdict(key == "verified", headline, tuple(lines), tuple(strength), note)


def _summary(proof: Proof, telling: Telling, digest: str, words: Words) -> list[Block]:
    claims = proof.claims
    rows = [Fact(words("summary.organisation"), (telling.organisation,))]
    if proof.record.kind in ("message", "receipt"):
        names = ("header.subject", "header.from", "header.to")
        rows += claims_facts(claims, names, words, brief=True)
    received = proof.record.received_at
    rows.append(Fact(words("received"), (words.moment(received), words.local(received))))
    if "message.parts" in claims:
        count = words.number(claims["message.parts"])
        rows.append(Fact(words("summary.parts"), (words("summary.parts.value", count=count),)))
    rows.append(Fact(words("summary.record"), (digest,), mono=True))
    return [Heading(words("summary")), Facts(tuple(rows))]


def _subtitle(proof: Proof, telling: Telling, words: Words) -> str:
    kind = words(f"kind.{proof.record.kind}")
    return words("redacted.subtitle", kind=kind) if telling.redacted else kind


def _mark(telling: Telling, words: Words) -> str:
    marks = [words("redacted.mark")] if telling.redacted else []
    marks += [] if telling.final else [words("provisional")]
    return " · ".join(marks)


def _redacted(proof: Proof, words: Words) -> list[Block]:
    """Counts, and never what. How many claims are hidden stays untold: padding hides it."""
    count, shown = len(proof.entries), len(proof.disclosures)
    lines = [words("redacted.count", count=count, shown=shown, hidden=count - shown)]
    if proof.linked:
        lines.append(words("redacted.linked", count=len(proof.linked)))
    lines.append(words("redacted.same"))
    if proof.record.kind in ("message", "receipt"):
        lines.append(words("redacted.copy"))
    return [Heading(words("redacted")), *(Paragraph(line, "item") for line in lines)]


def _glossary(words: Words) -> list[Block]:
    keys = ("fingerprint", "record", "token", "batch", "anchor", "trust")
    rows = (Fact(words(f"glossary.{key}"), (words(f"glossary.{key}.is"),)) for key in keys)
    return [Heading(words("glossary")), Facts(tuple(rows), whole=True)]


def _content(proof: Proof, words: Words) -> list[Block]:
    blocks: list[Block] = []
    if proof.record.kind in ("message", "receipt"):
        blocks += persons_blocks(proof.claims, words)
        blocks += parts_blocks(proof.claims, words)
    elif proof.record.kind == "digests":
        blocks += digests_blocks(proof.claims, words)
    others = _other_claims(proof.claims, words)
    if others:
        blocks += [Heading(words("claims")), Facts(others)]
    shown, count = len(proof.disclosures), len(proof.entries)
    blocks.append(
        Paragraph(words("hidden", count=count, shown=shown, hidden=count - shown), "note")
    )
    return blocks


def _other_claims(claims: Mapping[str, Json], words: Words) -> tuple[Fact, ...]:
    """Claims of the kinds addendum, receipt and audit, as they stand."""
    rows = []
    for name in sorted(claims):
        if name.startswith(("addendum.", "audit.", "receipt.")):
            value = claims[name]
            spelt = (
                ", ".join(f"{key} {value[key]}" for key in sorted(value))
                if isinstance(value, dict)
                else str(value)
            )
            rows.append(Fact(name, (shorten(spelt, words("cut")),)))
    return tuple(rows)


def _checks(report: Report, words: Words) -> list[Block]:
    rows = []
    for row in _gathered(report.rows, words):
        title = words.either(f"check:{row.title}", row.title)
        small = "; ".join(text for text in (row.subject, row.reason) if text)
        status = words(f"status.{row.status.value}")
        rows.append((Cell(row.number), Cell(title, small=small), Cell(status)))
    head = (words("checks.number"), words("checks.title"), words("checks.status"))
    return [
        Heading(words("checks")),
        Paragraph(words("checks.note"), "note"),
        Grid(head, (0.1, 0.72, 0.18), tuple(rows)),
    ]


def _gathered(rows: tuple[Row, ...], words: Words) -> list[Row]:
    """The rows, with the numbered checks of a token as one row where all of them passed."""
    gathered: list[Row] = []
    for row in rows:
        if row.number.startswith("V5.T"):
            same = [r for r in rows if r.number.startswith("V5.T") and r.subject == row.subject]
            if all(r.status is Status.PASSED for r in same):
                if row is same[0]:
                    title = words("checks.token", count=len(same))
                    gathered.append(Row("V5", title, Status.PASSED, "", row.subject))
                continue
        gathered.append(row)
    return gathered


def _meaning(report: Report, words: Words) -> list[Block]:
    passed = [dict(fact.details) for fact in report.witnesses if fact.status is Status.PASSED]
    keys = ["proves.record"]
    if any(details.get("qualified") == QUALIFIED for details in passed):
        keys.append("proves.qualified")
    keys += ["proves.copy", "not.delivery", "not.author", "not.before", "not.pages"]
    items = [Paragraph(words(f"meaning.{key}"), "item") for key in keys]
    return [Heading(words("meaning")), *items]

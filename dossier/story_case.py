"""A case in words: the summary table of its records, then a short section on each.

What is kept of a record while a case is made is a :class:`Line`: the proof and its report are let
go, so that a thousand records take little memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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
from dossier.by_hand import SCRIPT
from dossier.story_checking import how_to_check, listing
from dossier.story_mail import claims_facts
from dossier.story_witnesses import short_name
from dossier.text import shorten
from dossier.words import Words
from proofmail.core.case import CASE_NAME, proof_name
from proofmail.core.proof import Proof
from proofmail.verify.report import Report, Status

MAX_NAMES = 4
"""Attachments that a record's section names; its own dossier has them all."""
MAX_SUBJECT = 140
MAX_SMALL = 80


@dataclass(frozen=True)
class Line:
    """What the pages of a case tell of one record. `state` is verified, weak or undecided."""

    received_at: datetime
    subject: str
    sender: str
    people: tuple[Fact, ...]
    parts: str
    names: tuple[str, ...]
    tokens: int
    anchors: int
    witnesses: tuple[str, ...]
    cautions: tuple[str, ...]
    existed_by: datetime | None
    state: str
    final: bool
    linked: int
    record: str
    hidden_parts: bool


@dataclass(frozen=True)
class CaseTelling:
    """`title` is what whoever makes the case calls it; `list_sha256` that of its list, in
    hexadecimal; `check_address` of the public page where dossiers are checked, or ""."""

    organisation: str
    title: str
    list_sha256: str
    check_address: str = ""


def line_of(proof: Proof, report: Report, words: Words, *, final: bool) -> Line:
    """The line on a proof whose report has nothing failed."""
    claims = proof.claims
    passed = [fact for fact in report.witnesses if fact.status is Status.PASSED]
    strong = [fact for fact in passed if not fact.caution]
    state = "undecided"
    if report.exit_status == 0:
        state = "verified" if strong else "weak"
    senders = [box["address"] or box["name"] for box in claims.get("header.from", [])]
    names = [part["name"] for part in _parts(proof) if part.get("name")]
    subjects = claims.get("header.subject")
    count = claims.get("message.parts")
    mail = proof.record.kind in ("message", "receipt")
    return Line(
        received_at=proof.record.received_at,
        subject=_subject(subjects, proof.record.kind, words),
        sender=shorten(", ".join(senders[:3]), "…", MAX_SMALL) if senders else words("not-shown"),
        people=tuple(claims_facts(claims, ("header.from", "header.to"), words, brief=True))
        if mail
        else (),
        parts=words.number(count) if count else "–",
        names=tuple(shorten(name, words("cut"), MAX_SMALL) for name in names[:MAX_NAMES])
        + ((words("case.more", count=len(names) - MAX_NAMES),) if len(names) > MAX_NAMES else ()),
        tokens=sum(fact.kind == "rfc3161" for fact in passed),
        anchors=sum(fact.kind == "evm" for fact in passed),
        witnesses=tuple(dict.fromkeys(short_name(fact, words) for fact in passed)),
        cautions=tuple(dict.fromkeys(fact.caution for fact in report.witnesses if fact.caution)),
        existed_by=min((fact.latest for fact in strong), default=report.existed_by),
        state=state,
        final=final,
        linked=len(proof.linked),
        record=sha256(proof.record.to_bytes()).hexdigest(),
        hidden_parts=bool(mail and count is None),
    )


def _parts(proof: Proof) -> list[dict[str, str]]:
    found = [
        (int(name.partition(".")[2]), value)
        for name, value in proof.claims.items()
        if name.startswith(("part.", "digest."))
    ]
    return [value for _, value in sorted(found, key=lambda pair: pair[0])]


def _subject(subjects: list[str] | None, kind: str, words: Words) -> str:
    if subjects is None:
        return words("not-shown") if kind in ("message", "receipt") else words(f"kind.{kind}")
    first = next((subject for subject in subjects if subject), "")
    return shorten(first, "…", MAX_SUBJECT) or words("empty")


def tell_case(lines: Sequence[Line], telling: CaseTelling, words: Words) -> Story:
    """The case dossier of these records, in their order."""
    cautions = dict.fromkeys(caution for line in lines for caution in line.cautions)
    blocks: list[Block] = [
        *_about(lines, telling, words),
        how_to_check(telling.check_address, words),
        *_table(lines, words),
    ]
    blocks.append(Heading(words("case.records")))
    for number, line in enumerate(lines, 1):
        blocks += _section(number, line, words)
    blocks += _meaning(words)
    blocks += _how_to_verify(words)
    blocks.append(listing(words))
    return Story(
        title=words("case"),
        subtitle=telling.title or words("case.untitled"),
        language=words.language,
        verdict=_verdict(lines, words),
        banners=tuple(
            words.either(f"caution.{c}", words("caution.other", caution=c)) for c in cautions
        ),
        mark="" if all(line.final for line in lines) else words("provisional"),
        footer=words("case.footer", digest=f"{telling.list_sha256[:16]}…"),
        page=words("page"),
        blocks=tuple(blocks),
    )


def _verdict(lines: Sequence[Line], words: Words) -> Verdict:
    """Green only if every record has a witness without a caution that passed."""
    states = Counter(line.state for line in lines)
    key = "verified"
    if states["undecided"]:
        key = "undecided"
    elif states["weak"]:
        key = "weak"
    told = [words("case.verdict.unknown")]
    times = [line.existed_by for line in lines]
    known = [time for time in times if time is not None]
    if known and len(known) == len(times):
        existed = "case.existed.weak" if states["weak"] else "case.existed"
        told = [words(existed, time=words.date(max(known))), words.local(max(known))]
    strength = [
        words(f"case.strength.{state}", count=words.number(states[state]))
        for state in ("verified", "weak", "undecided")
        if states[state]
    ]
    if waiting := sum(not line.final for line in lines):
        strength.append(words("case.strength.provisional", count=words.number(waiting)))
    headline = words(f"case.verdict.{key}")
    if states["weak"] == len(lines):
        headline = words("verdict.weak")
    note = words("verdict.judged")
    return Verdict(key == "verified", headline, tuple(told), tuple(strength), note)


def _about(lines: Sequence[Line], telling: CaseTelling, words: Words) -> list[Block]:
    first, last = (pick(line.received_at for line in lines) for pick in (min, max))
    rows = [
        Fact(words("summary.organisation"), (telling.organisation,)),
        Fact(words("case.name"), (telling.title or words("case.untitled"),)),
        Fact(words("case.count"), (words.number(len(lines)),)),
        Fact(words("case.from"), (words.moment(first), words.local(first))),
        Fact(words("case.to"), (words.moment(last), words.local(last))),
        Fact(words("case.linked"), (words.number(sum(line.linked for line in lines)),)),
        Fact(words("case.list"), (telling.list_sha256,), mono=True),
    ]
    return [
        Heading(words("summary")),
        Facts(tuple(rows)),
        Paragraph(words("case.complete"), "note"),
    ]


def _table(lines: Sequence[Line], words: Words) -> list[Block]:
    rows = tuple(_row(number, line, words) for number, line in enumerate(lines, 1))
    columns = ("number", "received", "mail", "parts", "witnesses", "state")
    head = tuple(words(f"case.column.{column}") for column in columns)
    return [
        Heading(words("case.table")),
        Paragraph(words("case.table.note"), "note"),
        Grid(head, (0.06, 0.14, 0.39, 0.08, 0.17, 0.16), rows),
    ]


def _row(number: int, line: Line, words: Words) -> tuple[Cell, ...]:
    day, time, *_ = words.moment(line.received_at).split(" ")
    kinds = (("tokens", line.tokens), ("anchors", line.anchors))
    witnesses = [words(f"case.{kind}", count=count) for kind, count in kinds if count]
    first, second = (*witnesses, "", "")[:2]
    return (
        Cell(words.number(number)),
        Cell(day, small=f"{time.partition('.')[0]} UTC"),
        Cell(line.subject, small=line.sender),
        Cell(line.parts),
        Cell(first or words("none"), small=second),
        Cell(
            words(f"case.state.{line.state}"),
            small="" if line.final else words("case.state.provisional"),
        ),
    )


def _section(number: int, line: Line, words: Words) -> list[Block]:
    rows = [Fact(words("received"), (words.moment(line.received_at),)), *line.people]
    if line.names:
        rows.append(Fact(words("case.names"), (" · ".join(line.names),)))
    elif line.hidden_parts:
        rows.append(Fact(words("case.names"), (words("not-shown"),)))
    if line.existed_by:
        by = f"{words.date(line.existed_by)} · {', '.join(line.witnesses)}"
        rows.append(Fact(words("case.by"), (by,)))
    else:
        rows.append(Fact(words("case.by"), (words("case.by.unknown"),)))
    if line.linked:
        rows.append(Fact(words("case.linked"), (words.number(line.linked),)))
    rows.append(Fact(words("summary.record"), (line.record, proof_name(number)), mono=True))
    title = words("case.section", number=words.number(number), subject=line.subject)
    return [Heading(title, 2), Facts(tuple(rows), whole=True)]


def _meaning(words: Words) -> list[Block]:
    keys = ("proves.record", "not.delivery", "not.author", "not.before")
    items = [Paragraph(words(f"meaning.{key}"), "item") for key in keys]
    items += [Paragraph(words(key), "item") for key in ("case.complete", "case.pages")]
    return [Heading(words("meaning")), *items]


def _how_to_verify(words: Words) -> list[Block]:
    first = proof_name(1)
    by_hand = (
        f"pdfdetach -saveall case.pdf && sha256sum {SCRIPT} {first}",
        f"python3 {SCRIPT} {first} attachment.pdf",
    )
    return [
        Heading(words("verify")),
        Paragraph(words("case.verify.own")),
        Paragraph("proofmail verify case.pdf --trust trust.json", "command"),
        Paragraph(words("case.verify.one")),
        Paragraph("proofmail verify case.pdf --trust trust.json --number 1 message.eml", "command"),
        Paragraph(words("case.verify.files", name=CASE_NAME)),
        *(Paragraph(command, "command") for command in by_hand),
        Paragraph(words("case.verify.token"), "note"),
    ]

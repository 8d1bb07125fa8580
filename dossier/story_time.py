"""The timeline of the first page: reception, witnesses, finality."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from dossier.blocks import Event, Timeline
from dossier.story_witnesses import short_name
from dossier.text import shorten
from dossier.words import Words
from proofmail.core.proof import Proof
from proofmail.verify.report import Report, Status, WitnessFact

MOST_PER_KIND = 2
"""Witnesses of one kind that the drawing has room for; the tables have them all."""

_MOST_NAME = 40
_KINDS = ("rfc3161", "evm")


def timeline(proof: Proof, report: Report, words: Words, *, final: bool) -> Timeline:
    """What happened in the order of the times that are claimed for it, then what is awaited."""
    received = proof.record.received_at
    found: list[tuple[datetime, Event]] = []
    awaited: list[Event] = []
    for kind in _KINDS:
        facts = [fact for fact in report.witnesses if fact.kind == kind]
        for fact in sorted(facts, key=lambda fact: fact.time)[:MOST_PER_KIND]:
            found.append((fact.time, _witness(fact, words)))
        if not facts:
            awaited.append(Event(words(f"time.no-{kind}"), (), "", False, "plain"))
    title = words("time.final" if final else "time.not-final")
    awaited.append(Event(title, (), "", final, "good" if final and _strong(report) else "plain"))
    events = [Event(words("time.received"), _lines(received, words), "", False, "plain")]
    last = received
    for moment, event in sorted(found, key=lambda pair: pair[0]):
        delay = words.delay(moment - last)
        events.append(Event(event.title, event.lines, delay, event.proven, event.tone))
        last = moment
    events += awaited
    told = "; ".join(", ".join((event.title, *event.lines)) for event in events)
    return Timeline(tuple(events), words("time.told", events=told))


def _witness(fact: WitnessFact, words: Words) -> Event:
    details = dict(fact.details)
    name = shorten(short_name(fact, words), "…", _MOST_NAME)
    title = words(f"time.{fact.kind}", name=name, block=details.get("block_number", "?"))
    lines = _lines(fact.time, words)
    if fact.accuracy > timedelta(0):
        lines = (*lines, f"± {fact.accuracy.total_seconds():g} s")
    tone: Literal["good", "care"] = "care" if fact.caution else "good"
    return Event(title, lines, "", fact.status is Status.PASSED, tone)


def _strong(report: Report) -> bool:
    return any(not fact.caution for fact in report.witnesses if fact.status is Status.PASSED)


def _lines(moment: datetime, words: Words) -> tuple[str, ...]:
    """Day and time in UTC, then the organisation's own time."""
    day, time, *_ = words.moment(moment).split(" ")
    there = words.local(moment).split(" (")[0]
    there = there.removeprefix(f"{day} ")
    offset = moment.astimezone(words.zone).strftime("%z")
    return day, f"{time} UTC", f"{there} ({offset[:3]}:{offset[3:5]})"

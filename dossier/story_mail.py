"""The parts of the story on the mail itself: persons, subject, and what was fingerprinted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dossier.blocks import Block, Cell, Fact, Facts, Grid, Heading, Paragraph
from dossier.text import MAX_SHOWN, in_order, runs_right_to_left, shorten
from dossier.words import Words
from proofmail.core.canonical import Json, from_base64url
from proofmail.verify.natures import natures

MAX_PERSONS = 50
"""Persons of one header field that a page lists; the proof has them all."""

MAX_NAME_SHOWN = 80
"""Code points of a person's display name."""

STATED = ("header.from", "header.to", "header.cc", "header.subject", "header.date")
OBSERVED = ("envelope.from", "envelope.proof_addresses", "envelope.peer", "envelope.tls")
_RULES = (
    "decoded/1",
    "text/1",
    "html-text/1",
    "words/1",
    "header-values/1",
    "raw/1",
    "body-relaxed/1",
)
"""In the order in which one stands for its part in the table."""


def persons_blocks(claims: Mapping[str, Json], words: Words) -> list[Block]:
    """Stated and observed, each under a heading that says which it is."""
    stated = claims_facts(claims, STATED, words)
    if claims.get("header.receipt_requested"):
        stated.append(Fact(words("header.receipt_requested"), (words("yes"),)))
    observed = claims_facts(claims, OBSERVED, words)
    observed += _authentication(claims.get("authentication"), words)
    defects = claims.get("defects", [])
    observed.append(Fact(words("defects"), (", ".join(defects) or words("none"),)))
    return [
        Heading(words("persons")),
        Heading(words("persons.stated"), 2),
        Paragraph(_sentence(claims, words)),
        Facts(tuple(stated)),
        Heading(words("persons.observed"), 2),
        Facts(tuple(observed)),
    ]


def _sentence(claims: Mapping[str, Json], words: Words) -> str:
    """Who is named, and that delivery is not proven; names are left out where they are many."""
    sender = [mailbox["address"] for mailbox in claims.get("header.from", [])]
    addressees = [m["address"] for key in ("header.to", "header.cc") for m in claims.get(key, [])]
    if not sender or not addressees or len(sender) + len(addressees) > 6:
        return words("persons.stated.note")
    return words(
        "persons.sentence",
        sender=shorten(", ".join(sender), words("cut")),
        addressees=shorten(", ".join(addressees), words("cut")),
    )


def claims_facts(
    claims: Mapping[str, Json], names: Iterable[str], words: Words, *, brief: bool = False
) -> list[Fact]:
    """One row a claim, in this order; a claim that is hidden or missing says so."""
    persons, characters = (3, 320) if brief else (MAX_PERSONS, MAX_SHOWN)
    rows = []
    for name in names:
        lines = [words("not-shown")]
        if name in claims:
            found = _lines(name, claims[name], words)
            lines = [shorten(line, words("cut"), characters) for line in found[:persons]]
            if len(found) > persons:
                lines.append(words("more", count=len(found) - persons))
        rows.append(Fact(words(name), tuple(lines) or (words("none"),)))
    return rows


def _lines(name: str, value: Json, words: Words) -> list[str]:
    readers: dict[str, Callable[[], list[str]]] = {
        "header.from": lambda: [_mailbox(m, words) for m in value],
        "header.to": lambda: [_mailbox(m, words) for m in value],
        "header.cc": lambda: [_mailbox(m, words) for m in value],
        "header.subject": lambda: [subject or words("empty") for subject in value],
        "header.date": lambda: [_date(date) for date in value],
        "envelope.proof_addresses": lambda: list(value),
        "envelope.from": lambda: [value or "<>"],
        "envelope.peer": lambda: [
            words("envelope.peer.value", address=value["address"], helo=value["helo"])
        ],
        "envelope.tls": lambda: [value or words("none")],
    }
    return readers[name]()


def _date(spelt: str) -> str:
    return "?" if spelt == "?" else spelt.replace("T", " ").replace("Z", " UTC")


def _mailbox(mailbox: Json, words: Words) -> str:
    """The name is what gets cut: a long one must not push the address out of sight."""
    address = f"<{mailbox['address']}>"
    name = shorten(mailbox["name"], words("cut"), MAX_NAME_SHOWN)
    return f"{name} {address}" if name else address


def _authentication(value: Json, words: Words) -> list[Fact]:
    if not value:
        return []
    lines = [words(f"authentication.{value['sender']}")]
    lines += [f"{c['method'].upper()}: {c['result']} ({c['domain']})" for c in value["checks"]]
    return [Fact(words("authentication"), tuple(lines))]


def parts_blocks(claims: Mapping[str, Json], words: Words) -> list[Block]:
    """The table of fingerprints, the whole message first, and what each rule in it proves."""
    rows: list[tuple[Cell, ...]] = []
    rules: set[str] = set()
    if whole := claims.get("message.fingerprints"):
        rows.append(_row("", words("parts.whole"), "message/rfc822", whole, words))
        rules |= {item["rule"] for item in whole}
    for number, part in _numbered(claims, "part"):
        name = shorten(part.get("name") or words(f"role.{part['role']}"), words("cut"))
        kind = part["type"]
        if runs_right_to_left(name):
            kind += f" · {words('parts.order', codes=in_order(name))}"
        if part.get("name"):
            kind += f" · {words('role.' + part['role'])}"
        # Where a part stands in the mail (`in.…`) is for the verifier, not for a reader.
        if notes := [note for note in part.get("notes", []) if not note.startswith("in.")]:
            kind += f" · {', '.join(notes)}"
        rows.append(_row(str(number), name, kind, part["fingerprints"], words))
        rules |= {item["rule"] for item in part["fingerprints"]}
    blocks: list[Block] = [Heading(words("parts")), Paragraph(words("parts.note"))]
    shown, count = len(_numbered(claims, "part")), claims.get("message.parts", 0)
    if shown < count:
        blocks.append(Paragraph(words("parts.left", shown=shown, count=count)))
    if not rows:
        return [*blocks, Paragraph(words("parts.none"))]
    meaning = [
        Fact(rule, (words.either(f"rule.{rule}", words("rule.other")),))
        for rule in sorted(rules, key=_rank)
    ]
    said = [nature.text(words.language) for nature in natures(claims)]
    return [
        *blocks,
        _fingerprint_grid(rows, words),
        *[Paragraph(shorten(text, words("cut"))) for text in said],
        Heading(words("rules"), 2),
        Facts(tuple(meaning), whole=True),
    ]


def digests_blocks(claims: Mapping[str, Json], words: Words) -> list[Block]:
    """Fingerprints that a client made."""
    rows = []
    for number, item in _numbered(claims, "digest"):
        name = shorten(item.get("name", ""), words("cut"))
        digest = from_base64url(item["sha256"]).hex()
        size = words.number(item["size"])
        rows.append((Cell(str(number)), Cell(name), Cell(size), Cell(mono=digest)))
    return [
        Heading(words("digests")),
        Paragraph(words("digests.note")),
        _fingerprint_grid(rows, words),
    ]


def _numbered(claims: Mapping[str, Json], kind: str) -> list[tuple[int, Json]]:
    prefix = f"{kind}."
    found = [(int(n[len(prefix) :]), v) for n, v in claims.items() if n.startswith(prefix)]
    return sorted(found, key=lambda pair: pair[0])


def _rank(rule: str) -> tuple[int, str]:
    return (_RULES.index(rule) if rule in _RULES else len(_RULES), rule)


def _row(number: str, name: str, kind: str, prints: Json, words: Words) -> tuple[Cell, ...]:
    """The fingerprint of the first rule stands for the part; the others are named."""
    if not prints:
        return Cell(number), Cell(name, small=kind), Cell(), Cell(small=words("none"))
    first, *others = sorted(prints, key=lambda item: _rank(item["rule"]))
    rule = first["rule"]
    if others:
        rule = words("parts.also", rule=rule, others=", ".join(o["rule"] for o in others))
    digest = from_base64url(first["sha256"]).hex()
    return (
        Cell(number),
        Cell(name, small=kind),
        Cell(words.number(first["size"])),
        Cell(mono=digest, small=rule),
    )


def _fingerprint_grid(rows: Sequence[tuple[Cell, ...]], words: Words) -> Grid:
    head = ("number", "name", "size", "digest")
    titles = tuple(words(f"parts.{column}") for column in head)
    return Grid(titles, (0.06, 0.38, 0.11, 0.45), tuple(rows))

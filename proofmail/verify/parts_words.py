"""How a report names a part, and what it says of one that changed. No content is kept, so what
can be said is which rule tells the two apart, and the sizes."""

from __future__ import annotations

from proofmail.core.canonical import Json
from proofmail.verify.words import Said, said

_KNOWN_TYPES = frozenset({"text/html", "text/plain"})


def called(claim: str, label: str) -> Said:
    """How a report names what a claim is about: `part 2 (offre.pdf)`."""
    kind, _, number = claim.partition(".")
    if not number:
        return said(kind)
    return said(f"{kind}.named", number=number, name=label) if label else said(kind, number=number)


def described(part: Json) -> Said:
    """A part by its role and its name or type: `attachment offre.pdf`, `body (plain text)`."""
    role = said(f"role.{part['role']}")
    if "name" in part:
        return said("described", role=role, name=part["name"])
    kind = part["type"]
    shown = said(f"type.{kind}") if kind in _KNOWN_TYPES else kind
    return said("described.type", role=role, type=shown)


def text_kind(part: Json) -> str:
    """`html`, or `plain` for any other text."""
    return "html" if part["type"] == "text/html" else "plain"


def changed(number: int, part: Json, other: Json) -> Said:
    """A part whose content is another than the recorded one."""
    return said("part.changed", number=number, what=described(part), how=_how(part, other))


def _how(part: Json, other: Json) -> Said:
    mine = {item["rule"]: item for item in part["fingerprints"]}
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    shared = [rule for rule in ("words/1", "text/1", "decoded/1") if rule in mine]
    rule = next((rule for rule in shared if rule in theirs), "")
    if part["type"] != other["type"] or not rule:
        return said("how.other")
    before, now = mine[rule]["size"], theirs[rule]["size"]
    if mine[rule] == theirs[rule]:
        return said("how.read")
    if rule == "decoded/1":
        text = part["type"].startswith("text/")
        key = "how.bytes-of-text" if text else "how.bytes"
    elif rule == "words/1":
        key = f"how.words.{text_kind(part)}"
    else:
        key = "how.text"
    return said(f"{key}.same-size" if before == now else key, before=before, now=now)


def changed_labels(label: Said, part: Json, other: Json) -> list[Said]:
    """What a part is called, declared as and used for, where that is another."""
    changes = []
    if part.get("name") != other.get("name"):
        before, now = part.get("name", said("none")), other.get("name", said("none"))
        changes.append(said("part.name", part=label, before=before, name=now))
    elif part["role"] != other["role"]:
        now, before = said(f"role.{other['role']}"), said(f"role.{part['role']}")
        changes.append(said("part.role", part=label, now=now, before=before))
    if part["type"] != other["type"]:
        changes.append(said("part.type", part=label, now=other["type"], before=part["type"]))
    if notes(part, "method.") != notes(other, "method."):
        changes.append(said("part.method", part=label))
    return changes


def notes(part: Json, *starts: str) -> set[str]:
    return {note for note in part.get("notes", ()) if note.startswith(starts)}

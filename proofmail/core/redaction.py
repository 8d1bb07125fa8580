"""Showing less of a record: a proof with chosen claims alone (SPEC §2.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from proofmail.core.canonical import Json
from proofmail.core.claims import never_hidden
from proofmail.core.proof import Proof
from proofmail.errors import Unreadable

PEOPLE = ("header.from", "header.to", "header.cc")
LINKS = frozenset({"receipt.of", "addendum.of"})
"""What a linked proof shows always: without it, it would be linked to nothing (V14)."""
OF_LINKED = frozenset({"receipt.report", "addendum.name", "addendum.value"})
"""What a linked proof shows where it is asked for. Its header fields name the other side."""
RECIPIENT = "recipient:"


def redact(proof: Proof, show: Collection[str], *, linked: bool = False) -> Proof:
    """The proof of the same record that shows the claims in `show`, and those never hidden.

    Linked proofs are left out; with `linked` they stay, and show what links them, what is never
    hidden, and those of `OF_LINKED` that are in `show`. Nothing of a hidden claim is left but its
    two digests, which its salt keeps from being guessed.
    """
    shown = frozenset(show)
    made = proof.redact(shown | never_hidden(proof.record.kind))
    if not linked:
        return made
    of_linked = LINKS | (shown & OF_LINKED)
    return replace(
        made,
        linked=tuple(
            item.redact(of_linked | never_hidden(item.record.kind)) for item in proof.linked
        ),
    )


def choose(proof: Proof, words: Iterable[str]) -> frozenset[str]:
    """The claims that these words stand for; Unreadable for a word that stands for none.

    A word is a claim's name; `people` (From, To, Cc); `parts` (the number of parts, and each); or
    `recipient:ADDRESS`, the field that names this address alone. A claim is shown whole or not at
    all (SPEC §2.4), so an address that shares its field with others cannot be shown by itself.
    """
    claims = proof.claims
    of_linked = {name for item in proof.linked for name in item.claims} & OF_LINKED
    chosen: set[str] = set()
    for word in words:
        if word.startswith(RECIPIENT):
            chosen.add(_field_of(claims, word.removeprefix(RECIPIENT)))
        elif word == "people":
            chosen |= {name for name in PEOPLE if name in claims}
        elif word == "parts":
            chosen |= {name for name in claims if is_part(name)}
        elif word in claims or word in of_linked:
            chosen.add(word)
        else:
            raise Unreadable("a claim to be shown is not one that the proof shows")
    return frozenset(chosen)


def is_part(name: str) -> bool:
    return name == "message.parts" or name.startswith(("part.", "digest."))


def _field_of(claims: Mapping[str, Json], address: str) -> str:
    for name in ("header.to", "header.cc"):
        addresses = [mailbox["address"] for mailbox in claims.get(name, [])]
        if address not in addresses:
            continue
        if set(addresses) != {address}:
            raise Unreadable(
                f"the claim {name} names {len(set(addresses)) - 1} more, and is shown whole or "
                f"not at all: ask for {name} to show them all"
            )
        return name
    raise Unreadable("no field of recipients that the proof shows names this address")

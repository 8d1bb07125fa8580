"""What is said of parts whose bytes are not what a reader sees: encrypted, signed in one block, or
files wrapped in another (SPEC §3.17, §3.18). One wording for report, page and dossier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from proofmail.core.canonical import Json, from_base64url
from proofmail.verify.parts_words import called
from proofmail.verify.words import Said, said

_OPAQUE = ("signed.pgp-inline", "signed.smime-opaque", "smime.")


def natures(claims: Mapping[str, Json]) -> list[Said]:
    """Sentences on the disclosed parts, in their order; names in them are not yet escaped."""
    numbers = sorted(int(name[5:]) for name in claims if name.startswith("part."))
    links = [
        said("nature.links", count=item["count"], host=item["host"])
        for item in claims.get("message.links", ())
    ]
    return [text for n in numbers for text in _of_part(n, claims[f"part.{n}"])] + links


def _of_part(number: int, part: Json) -> Iterator[Said]:
    label = called(f"part.{number}", part.get("name", ""))
    for note in part.get("notes", ()):
        if note.startswith("encrypted."):
            yield said("nature.encrypted", part=label, note=note)
        elif note.startswith(_OPAQUE):
            yield said("nature.block", part=label, note=note)
        elif note.startswith("signed."):
            yield said("nature.signature", part=label, note=note)
        elif note in ("tnef.malformed", "tnef.text", "tnef.unlisted"):
            yield said(f"nature.{note}", part=label)
    for item in part.get("files", ()):
        digest = from_base64url(item["sha256"]).hex()
        name = item.get("name") or said("none")
        yield said("nature.file", part=label, name=name, size=item["size"], sha256=digest)

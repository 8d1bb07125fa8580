"""The list of a case dossier: which proofs lie in it (SPEC §11.7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from proofmail.core.canonical import Json, base64url, decode, encode
from proofmail.core.shape import array, digest, exactly, members, text
from proofmail.errors import Unreadable

FORMAT = "proofmail/case/0"
CASE_NAME = "case.json"
MAX_PROOFS = 1_000
MAX_TITLE = 200


@dataclass(frozen=True)
class Listed:
    """A proof that the list names: SHA-256 of its record's bytes, and of its file."""

    record: bytes
    file: bytes


@dataclass(frozen=True)
class CaseList:
    """`title` is the word of whoever made the list; that nothing is missing from it, too."""

    title: str
    proofs: tuple[Listed, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(proof_name(number) for number in range(1, len(self.proofs) + 1))

    def to_bytes(self) -> bytes:
        return encode(
            {
                "format": FORMAT,
                "proofs": [
                    {
                        "name": name,
                        "record": base64url(item.record),
                        "sha256": base64url(item.file),
                    }
                    for name, item in zip(self.names, self.proofs, strict=True)
                ],
                "title": self.title,
            }
        )


def proof_name(number: int) -> str:
    """The name of the file of the proof at this place of the list, from 1."""
    return f"proof-{number:04d}.json"


def make_case_list(title: str, proofs: Iterable[Listed]) -> CaseList:
    """Unreadable for a list that no reader would take."""
    return read_case_list(CaseList(title, tuple(proofs)).to_bytes())


def read_case_list(data: bytes) -> CaseList:
    """The list in the bytes of `case.json`; Unreadable for anything else, for an empty list, for a
    name that is not that of its place, and for a record or a file that is listed twice."""
    found = members(decode(data), "case list", ("format", "proofs", "title"))
    exactly(found["format"], "the case list's format", FORMAT)
    named = array(found["proofs"], "the case list", MAX_PROOFS, _listed)
    if not named:
        raise Unreadable("the case list is empty")
    for number, (name, _) in enumerate(named, 1):
        if name != proof_name(number):
            raise Unreadable("the case list names a proof otherwise than by its place")
    proofs = tuple(item for _, item in named)
    for kind in ({item.record for item in proofs}, {item.file for item in proofs}):
        if len(kind) != len(proofs):
            raise Unreadable("the case list names a record or a proof twice")
    return CaseList(text(found["title"], "the case's title", MAX_TITLE), proofs)


def _listed(value: Json, what: str) -> tuple[str, Listed]:
    item = members(value, what, ("name", "record", "sha256"))
    return text(item["name"], what, 64), Listed(
        digest(item["record"], what), digest(item["sha256"], what)
    )

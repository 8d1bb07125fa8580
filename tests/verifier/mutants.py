"""Cases that come of good vectors by one to three changes: proofs, trust files, tokens inside
proofs, dossiers, copies of mails, and mails recorded anew. The same seed makes the same change."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from proofmail.core import der
from tests.making import World, claims_of
from tests.parts import PROJECT
from tests.verifier.bent_mails import bent, changed
from tests.verifier.browser import Case
from tests.verifier.mutations import mutated_trust, mutation, sealed
from tests.verify.pdf_maker import revision
from tests.verify.test_pdf_additions import appended
from tests.verify.test_pdf_attacks import mutated as mutated_object

VECTORS = PROJECT / "tests" / "vectors"
PROOFS = (
    "proof/good", "proof/good-redacted", "proof/receipt-of-another-mail", "tree/good",
    "lists/granted",
)  # fmt: skip
DOSSIERS = (
    "good-by-hand", "good-by-hand", "good-with-validation-data", "good-with-time-stamp",
    "good-case-by-hand",
)  # fmt: skip
OCTET_STRING, CONSTRUCTED = 0x04, 0x20


def mutant(seed: int) -> Case:
    """The case of this number."""
    random = Random(f"case {seed}")
    kinds = (_proof, _trust, _token, _dossier, _dossier, _copy, _copy, _mail)
    return random.choice(kinds)(seed, random)


def kind_of(case: Case) -> str:
    """`proof`, `trust`, `token`, `dossier`, `copy` or `mail`."""
    return case.name.partition(" ")[0]


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


def _good(random: Random) -> tuple[bytes, bytes]:
    """A good proof and its trust file."""
    path = VECTORS / f"{random.choice(PROOFS)}.json"
    return _read(path), _read(path.with_name("trust.json"))


def _proof(seed: int, random: Random) -> Case:
    good, trust = _good(random)
    made = mutation(seed, good)
    return Case(f"proof {seed}: {made.changes}", made.data, trust)


def _trust(seed: int, random: Random) -> Case:
    good, trust = _good(random)
    made = mutated_trust(seed, trust)
    return Case(f"trust {seed}: {made.changes}", good, made.data)


# -- tokens ----------------------------------------------------------------------------------------


@dataclass
class _Node:
    """An element of DER: its tag, and its octets or the elements inside."""

    tag: int
    octets: bytes
    inside: list[_Node]

    def to_bytes(self) -> bytes:
        inside = b"".join(node.to_bytes() for node in self.inside)
        return der.tlv(self.tag, inside if self.inside else self.octets)

    def all(self) -> list[_Node]:
        return [self, *(deeper for node in self.inside for deeper in node.all())]


def _nodes(data: bytes) -> list[_Node]:
    """The elements one after the other; none if it is not throughout DER."""
    found: list[_Node] = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            return []
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[at + 2 : start], "big")
        if start + length > len(data):
            return []
        octets = data[start : start + length]
        deeper = _nodes(octets) if tag & CONSTRUCTED or tag == OCTET_STRING else []
        found.append(_Node(tag, octets, deeper))
        at = start + length
    return found


def changed_der(data: bytes, random: Random) -> tuple[bytes, str]:
    """With one element changed, dropped, doubled, or moved; the lengths around it are right."""
    roots = _nodes(data)
    every = [node for root in roots for node in root.all()]
    holders = [node for node in every if node.inside]
    if not holders:
        return data, "nothing"
    holder = random.choice(holders)
    place = random.randrange(len(holder.inside))
    match random.randrange(7):
        case 0:
            del holder.inside[place]
            return _joined(roots), f"an element of {holder.tag:02x} dropped"
        case 1:
            holder.inside.insert(place, holder.inside[place])
            return _joined(roots), f"an element of {holder.tag:02x} doubled"
        case 2:
            other = random.randrange(len(holder.inside))
            inside = holder.inside
            inside[place], inside[other] = inside[other], inside[place]
            return _joined(roots), f"elements of {holder.tag:02x} swapped"
        case 3:
            donor = random.choice(every[len(every) // 3 :])
            if any(node is holder for node in donor.all()):
                return data, "nothing: it would hold itself"
            holder.inside[place] = donor
            return _joined(roots), f"an element of {holder.tag:02x} replaced"
        case 4:
            node = random.choice(every)
            node.tag ^= random.choice((1, 2, 4, 0x80, 0x20))
            return _joined(roots), "another tag"
        case _:
            node = random.choice([one for one in every if not one.inside])
            at = random.randrange(len(node.octets) + 1)
            more = bytes(random.choices(range(256), k=random.choice((0, 1, 1))))
            node.octets = node.octets[:at] + more + node.octets[at + random.choice((0, 1, 1)) :]
            return _joined(roots), f"other octets in {node.tag:02x}"


def _joined(roots: list[_Node]) -> bytes:
    return b"".join(root.to_bytes() for root in roots)


def _token(seed: int, random: Random) -> Case:
    good, trust = _good(random)
    proof = json.loads(good)
    token = random.choice(proof["tokens"])
    response = base64.urlsafe_b64decode(token["response"] + "==")
    response, said = changed_der(response, random)
    token["response"] = base64.urlsafe_b64encode(response).rstrip(b"=").decode()
    return Case(f"token {seed}: {said}", sealed(proof), trust)


# -- dossiers --------------------------------------------------------------------------------------

_BODY = re.compile(rb"\n(\d+) 0 obj\n(.*?)\nendobj", re.S)
_END = re.compile(rb"%%EOF\n")


def _bodies(data: bytes, start: int, end: int) -> dict[int, bytes]:
    return {int(n): body for n, body in _BODY.findall(data[max(start - 1, 0) : end])}


def _bytes_changed(data: bytes, random: Random) -> tuple[bytes, str]:
    at = random.randrange(len(data))
    if random.random() < 0.6:
        flipped = data[at] ^ random.choice((1, 2, 0x20, 0x80))
        return data[:at] + bytes((flipped,)) + data[at + 1 :], f"a bit at {at}"
    piece = random.choice((b"", b" ", b"\n", b"0", b"/", b">>", b"endobj\n", data[at : at + 1] * 2))
    return data[:at] + piece + data[at + random.choice((0, 1)) :], f"{piece!r} at {at}"


def _rebuilt(data: bytes, random: Random) -> tuple[bytes, str]:
    """The first revision, with objects changed and a table that is right; so it has no seal."""
    end = next(_END.finditer(data)).end()
    objects = _bodies(data, 0, end)
    numbers = random.choices(sorted(objects), k=random.choice((1, 1, 2)))
    for number in numbers:
        objects[number] = mutated_object(random, objects[number])
    found = re.search(rb"/Info 5 0 R/ID\[[^]]*\]", data)
    return revision(b"", objects, trailer=found[0] if found else b""), f"objects {numbers} changed"


def _added_to(data: bytes, random: Random) -> tuple[bytes, str]:
    """A later revision, perhaps of the file's own, with an object changed in it."""
    ends = [found.end() for found in _END.finditer(data)]
    before = random.choice(ends[1:])
    following = [end for end in ends if end > before]
    added = _bodies(data, before, following[0]) if following else {}
    if not added or random.random() < 0.2:
        older = _bodies(data, 0, before)
        number = random.choice(sorted(older))
        added[number] = older[number]
    number = random.choice(sorted(added))
    added[number] = mutated_object(random, added[number])
    if random.random() < 0.2:
        added[900 + random.randrange(4)] = random.choice((b"null", b"<<>>", added[number]))
    return appended(data[:before], added), f"object {number} behind {before}"


def _dossier(seed: int, random: Random) -> Case:
    name = random.choice(DOSSIERS)
    data = _read(VECTORS / "dossiers" / f"{name}.pdf")
    changes: tuple[Callable[[bytes, Random], tuple[bytes, str]], ...] = (
        _bytes_changed, _rebuilt, _added_to,
    )  # fmt: skip
    data, said = random.choice(changes)(data, random)
    trust = _read(VECTORS / "dossiers" / "trust.json")
    return Case(f"dossier {seed}: {name}, {said}", data, trust)


# -- mails -----------------------------------------------------------------------------------------


@cache
def _copies() -> list[tuple[bytes, str, bytes]]:
    """Proof, name and bytes of every copy among the vectors."""
    folder = VECTORS / "copies"
    cases = json.loads((folder / "expected.json").read_bytes()).values()
    return [
        (_read(folder / case["file"]), name, _read(folder / name))
        for case in cases
        for name in case.get("copies", ())
    ]


def _copy(seed: int, random: Random) -> Case:
    proof, name, data = random.choice(_copies())
    _, _, other = random.choice(_copies())
    data = changed(data, other, random)
    trust = _read(VECTORS / "copies" / "trust.json")
    return Case(f"copy {seed}: {name}", proof, trust, ((name, data),))


@cache
def _world() -> World:
    return World()


@cache
def _mails() -> list[bytes]:
    return [_read(path) for path in sorted((VECTORS / "mails").glob("*.eml"))]


def recorded(name: str, mail: bytes) -> Case:
    """A mail recorded by the Python, and a copy as a server hands it on: its claims are made twice,
    and each value and part is compared."""
    claims = claims_of(mail)
    kind = "receipt" if "receipt.report" in claims else "message"
    proof = _world().record(claims, kind).to_bytes()
    trust = json.dumps(_world().trust().to_json()).encode()
    return Case(name, proof, trust, (("copy.eml", b"X-Hop: 1\r\n" + mail), ("mail.eml", mail)))


def _mail(seed: int, random: Random) -> Case:
    mails = _mails()
    if random.random() < 0.5:
        mail = changed(random.choice(mails), random.choice(mails), random)
    else:
        mail = bent(random)
    return recorded(f"mail {seed}", mail)

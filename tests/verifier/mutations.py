"""Mutations of good proofs and trust files, the same for the same seed on every machine.

A proof is damaged as bytes, or edited as JSON with its digests made anew, so that the edit gets
past V1 and is judged by the step that it is for. Nothing here knows how either verifier is made.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha3_256, sha256
from random import Random
from typing import Any, TypeAlias

Json: TypeAlias = Any
Path: TypeAlias = tuple[str | int, ...]
Edit: TypeAlias = Callable[[Json, Random], str]

_VALUES: tuple[Json, ...] = (
    None, True, False, 0, 1, -1, 2, 63, 64, 1024, 1_000_001, 2**32, 2**32 + 1, 2**53 - 1, 2**53,
    1.5,
    "", "0", "?", "none", "message", "receipt", "audit", "evm", "ocsp", "trusted-list", "é",
    "😀" * 64,
    "\u0000", "2026-02-29T00:00:00.000Z", "2026-11-21T10:00:60.000Z", "9999-01-01T00:00:00.000Z",
    "1969-12-31T23:59:59.999Z", "2026-11-21T10:00:00Z", "A" * 43, "AAAA", "AAAB==", "AA",
    "a/" + "b" * 33,
    "x" * 65, "x" * 10_066, [], [[]], {}, {"kind": "later"}, {"__proto__": 1}, "__proto__",
    "constructor",
)  # fmt: skip
_KEYS = ("extra", "kind", "__proto__", "constructor", "sha3-256", "tree", "é", "")
_CLAIM_NAMES = (
    "part.3", "part.03", "part.0", "part.501", "part.", "digest.1", "part", "audit.head",
    "receipt.of",
    "addendum.value", "header.bcc", "__proto__", "toString", "message.links", "header.subject",
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    data: bytes
    changes: tuple[str, ...]
    """What was changed, in order: `bytes: a bit at 17`, `record.log: another value`."""


def mutation(seed: int, good: bytes) -> Mutation:
    """A good proof file after one to three changes."""
    random = Random(f"proof {seed}")
    if random.randrange(8) == 0:
        return _damaged(good, random)
    proof = json.loads(good)
    changes = tuple(
        random.choice(_PROOF_EDITS)(proof, random) for _ in range(random.choice((1, 1, 1, 2, 3)))
    )
    if random.randrange(8) != 0:
        _seal(proof)
    return Mutation(canonical(proof), changes)


def mutations(seed: int, good: bytes) -> bytes:
    """The bytes of :func:`mutation` alone."""
    return mutation(seed, good).data


def mutated_trust(seed: int, good: bytes) -> Mutation:
    """A good trust file after one or two changes."""
    random = Random(f"trust {seed}")
    if random.randrange(12) == 0:
        return _damaged(good, random)
    trust = json.loads(good)
    changes = tuple(random.choice(_EDITS)(trust, random) for _ in range(random.choice((1, 1, 2))))
    text = json.dumps(trust, ensure_ascii=random.random() < 0.5)
    return Mutation(text.encode("utf-8", "surrogatepass"), changes)


def canonical(value: Json) -> bytes:
    """RFC 8785, for values of SPEC §1.1; others are written as they come, to be refused."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


# --- bytes -------------------------------------------------------------------------------------


def _damaged(good: bytes, random: Random) -> Mutation:
    at = random.randrange(len(good))
    kind = random.choice(
        ("a bit", "cut", "a byte more", "a byte less", "spelling", "twice", "space")
    )
    if kind == "a bit":
        data = good[:at] + bytes([good[at] ^ 1 << random.randrange(8)]) + good[at + 1 :]
    elif kind == "cut":
        data = good[:at]
    elif kind == "a byte more":
        data = good[:at] + bytes([random.randrange(256)]) + good[at:]
    elif kind == "a byte less":
        data = good[:at] + good[at + 1 :]
    elif kind == "spelling":
        data = good.replace(b"r", b"\\u0072", 1)
    elif kind == "twice":
        data = good.replace(b"{", b'{"format":"proofmail/proof/0",', 1)
    else:
        data = good[:at] + b" " + good[at:]
    return Mutation(data, (f"bytes: {kind} at {at}",))


# --- places in JSON ----------------------------------------------------------------------------


def _places(value: Json, path: Path = ()) -> list[Path]:
    """Every place in a value but the outermost."""
    inner = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    found: list[Path] = []
    for key, member in inner:
        found += [(*path, key), *_places(member, (*path, key))]
    return found


def _at(value: Json, path: Path) -> Json:
    for key in path:
        value = value[key]
    return value


def _put(value: Json, path: Path, member: Json) -> None:
    _at(value, path[:-1])[path[-1]] = member


def _named(path: Path) -> str:
    return ".".join(map(str, path))


def _some(value: Json, random: Random, fits: Callable[[Json], bool]) -> Path | None:
    """A place whose value fits. Entries are many: each place's share falls with its siblings."""
    places = [path for path in _places(value) if fits(_at(value, path))]
    if not places:
        return None
    top = random.choice(sorted({str(path[0]) for path in places}))
    return random.choice([path for path in places if str(path[0]) == top])


def _any(_: Json) -> bool:
    return True


# --- edits of any JSON -------------------------------------------------------------------------


def _removed(value: Json, random: Random) -> str:
    if (path := _some(value, random, _any)) is None:
        return "nothing to remove"
    del _at(value, path[:-1])[path[-1]]
    return f"{_named(path)}: removed"


def _added(value: Json, random: Random) -> str:
    path = _some(value, random, lambda one: isinstance(one, dict)) or ()
    _at(value, path)[random.choice(_KEYS)] = random.choice(_VALUES)
    return f"{_named(path)}: a member more"


def _replaced(value: Json, random: Random) -> str:
    if (path := _some(value, random, _any)) is None:
        return "nothing to replace"
    _put(value, path, random.choice(_VALUES))
    return f"{_named(path)}: another value"


def _nested(value: Json, random: Random) -> str:
    if (path := _some(value, random, _any)) is None:
        return "nothing to nest"
    member = _at(value, path)
    for _ in range(depth := random.choice((1, 8, 11, 12, 13, 14, 15, 16, 40))):
        member = [member]
    _put(value, path, member)
    return f"{_named(path)}: {depth} deeper"


def _number(value: Json, random: Random) -> str:
    path = _some(value, random, lambda one: type(one) is int)
    if path is None:
        return "no number"
    _put(value, path, _at(value, path) + random.choice((-1, 1, 1, 2, 32, -32, 2**31, 2**53)))
    return f"{_named(path)}: another number"


def _text(value: Json, random: Random) -> str:
    path = _some(value, random, lambda one: isinstance(one, str) and one != "")
    if path is None:
        return "no text"
    text = _at(value, path)
    at = random.randrange(len(text))
    _put(value, path, random.choice((
        text[:at], text + "=", text[:at] + random.choice("A0/.-_ \né\ud800") + text[at:],
        text.swapcase(),
        text[:at] + random.choice("AQgwBC019z:") + text[at + 1:], text * 2, text[:-1] + "B",
    )))  # fmt: skip
    return f"{_named(path)}: other characters"


def _octets(value: Json, random: Random) -> str:
    """A string of base64url for other bytes, well spelt."""
    path = _some(value, random, lambda one: isinstance(one, str) and _bytes_of(one) is not None)
    if path is None:
        return "no bytes"
    data = _bytes_of(_at(value, path)) or b""
    at = random.randrange(len(data)) if data else 0
    kind = random.choice(("a bit", "a bit", "a bit", "a byte more", "a byte less", "cut", "longer"))
    if kind == "a bit" and data:
        data = data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    elif kind == "a byte more":
        data = data[:at] + bytes([random.randrange(256)]) + data[at:]
    elif kind == "a byte less":
        data = data[:at] + data[at + 1 :]
    elif kind == "cut":
        data = data[:at]
    else:
        data += bytes(random.choice((1, 32, 70_000)))
    _put(value, path, _spelt(data))
    return f"{_named(path)}: {kind} of its bytes at {at}"


def _swapped(value: Json, random: Random) -> str:
    """Two items of one list change places, or one stands twice."""
    path = _some(value, random, lambda one: isinstance(one, list) and len(one) > 0)
    if path is None:
        return "no list"
    items = _at(value, path)
    first, second = random.randrange(len(items)), random.randrange(len(items))
    if random.randrange(2) and len(items) > 1:
        items[first], items[second] = items[second], items[first]
        return f"{_named(path)}: items {first} and {second} swapped"
    items.insert(second, json.loads(json.dumps(items[first])))
    return f"{_named(path)}: item {first} twice"


def _many(value: Json, random: Random) -> str:
    """A list's first item so often that a limit is met or passed."""
    path = _some(value, random, lambda one: isinstance(one, list) and 0 < len(one) < 20)
    if path is None:
        return "no short list"
    items = _at(value, path)
    count = random.choice((8, 9, 16, 17, 24, 25, 63, 64, 65, 100, 101))
    items += [items[0]] * (count - len(items))
    return f"{_named(path)}: {count} items"


def _moved(value: Json, random: Random) -> str:
    """A value where another one of its type stood."""
    first = _some(value, random, _any)
    if first is None:
        return "nothing to move"
    kind = type(_at(value, first))
    second = _some(value, random, lambda one: type(one) is kind)
    if second is None or second[: len(first)] == first or first[: len(second)] == second:
        return "nothing moved"
    one, other = _at(value, first), _at(value, second)
    _put(value, first, other)
    _put(value, second, one)
    return f"{_named(first)}, {_named(second)}: exchanged"


def _kind(value: Json, random: Random) -> str:
    path = _some(value, random, lambda one: isinstance(one, dict) and "kind" in one)
    if path is None:
        return "no kind"
    item = _at(value, path)
    item["kind"] = random.choice(("later", "", "k" * 64, "k" * 65, "é'\n\\", "crl", "evm", 7))
    return f"{_named(path)}: another kind"


# --- edits of proofs ---------------------------------------------------------------------------


def _claim(proof: Json, random: Random) -> str:
    """A shown claim is edited, renamed or hidden, and the record commits to it anew."""
    shown = [entry for entry in proof["entries"] if isinstance(entry, list) and len(entry) == 3]
    if not shown:
        return "no claim"
    entry = random.choice(shown)
    name = str(entry[1])
    change = random.randrange(6)
    if change == 0:
        entry[1] = random.choice((*_CLAIM_NAMES, *(str(one[1]) for one in shown)))
        said = f"claim {name}: named {entry[1]}"
    elif change == 1:
        place = proof["entries"].index(entry)
        proof["entries"][place] = _hidden(entry)
        said = f"claim {name}: hidden"
    elif change == 2:
        entry[2] = random.choice(_VALUES)
        said = f"claim {name}: another value"
    else:
        holder = {"value": entry[2]}
        said = f"claim {name}: {random.choice(_EDITS)(holder, random)}"
        entry[2] = holder.get("value", [])
    _commit(proof)
    return said


def _record_kind(proof: Json, random: Random) -> str:
    proof["record"]["kind"] = random.choice(("message", "receipt", "addendum", "digests", "audit"))
    return "record.kind: another kind"


def _linked(proof: Json, random: Random) -> str:
    """The proof itself, without what is linked to it, as a receipt of a record."""
    inner = json.loads(json.dumps({**proof, "linked": []}))
    inner["record"]["kind"] = random.choice(("receipt", "addendum", "message"))
    own = _spelt(sha256(canonical(proof["record"])).digest())
    if isinstance(inner["entries"], list) and inner["entries"]:
        name = "addendum.of" if inner["record"]["kind"] == "addendum" else "receipt.of"
        inner["entries"][-1] = [_spelt(bytes(32)), name, own]
    _commit(inner)
    if random.randrange(2):
        inner["tokens"], inner["batches"] = [], []
    _seal(inner)
    proof["linked"] = [inner] * random.choice((1, 1, 2))
    return "linked: a proof of its own kind"


def _unwitnessed(proof: Json, random: Random) -> str:
    name = random.choice(("tokens", "batches"))
    proof[name] = []
    return f"{name}: none"


_EDITS: tuple[Edit, ...] = (
    _removed, _added, _replaced, _replaced, _nested, _number, _text, _octets, _octets, _swapped,
    _many,
    _moved, _kind,
)  # fmt: skip


def _guarded(edit: Edit) -> Edit:
    """Edits of proofs that an earlier edit has bent out of shape leave them so."""

    def guarded(proof: Json, random: Random) -> str:
        try:
            return edit(proof, random)
        except (AttributeError, KeyError, TypeError, ValueError):
            return "nothing: no proof any more"

    return guarded


_PROOF_EDITS: tuple[Edit, ...] = (
    *_EDITS, *map(_guarded, (_claim, _claim, _claim, _claim, _record_kind, _linked, _unwitnessed)),
)  # fmt: skip


def sealed(proof: Json) -> bytes:
    """A proof's bytes, with its SHA-256 of itself made anew."""
    _seal(proof)
    return canonical(proof)


def _seal(proof: Json) -> None:
    """The proof's SHA-256 of itself, and first those of the proofs linked to it."""
    if not isinstance(proof, dict):
        return
    linked = proof.get("linked")
    for inner in linked if isinstance(linked, list) else ():
        _seal(inner)
    rest = {name: member for name, member in proof.items() if name != "sha256"}
    proof["sha256"] = _spelt(sha256(canonical(rest)).digest())


def _commit(proof: Json) -> None:
    """Entries in order, and the record's digests of them (SPEC §2.2, §2.3)."""
    entries = proof["entries"]
    entries.sort(key=lambda entry: _digests(entry)[0])
    label = b"proofmail/claims/0\0"
    claims = proof["record"]["claims"]
    claims["sha256"] = _spelt(sha256(label + b"".join(_digests(e)[0] for e in entries)).digest())
    claims["sha3-256"] = _spelt(
        sha3_256(label + b"".join(_digests(e)[1] for e in entries)).digest()
    )


def _digests(entry: Json) -> tuple[bytes, bytes]:
    if isinstance(entry, dict):
        return _bytes_of(entry["sha256"]) or b"", _bytes_of(entry["sha3-256"]) or b""
    data = b"proofmail/claim/0\0" + canonical(entry)
    return sha256(data).digest(), sha3_256(data).digest()


def _hidden(entry: Json) -> Json:
    first, second = _digests(entry)
    return {"sha256": _spelt(first), "sha3-256": _spelt(second)}


def _bytes_of(text: str) -> bytes | None:
    if len(text) < 6 or not text.isascii():
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        return None
    return data if _spelt(data) == text else None


def _spelt(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

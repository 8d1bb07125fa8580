"""The record: a small canonical JSON that commits to all claims of a message (SPEC §2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha3_256, sha256
from itertools import pairwise
from typing import TypeAlias

from proofmail.core.canonical import (
    Json,
    base64url,
    base64url_ascii,
    decode,
    encode,
    format_time,
    parse_time,
)
from proofmail.core.claims import KINDS
from proofmail.core.shape import digest, exactly, integer, members, text
from proofmail.errors import CheckFailed, Unreadable

FORMAT = "proofmail/record/0"
CLAIM_LABEL = b"proofmail/claim/0\x00"
CLAIMS_LABEL = b"proofmail/claims/0\x00"
SALT_LABEL = b"proofmail/salt/0\x00"
DECOY_LABEL = b"proofmail/decoy/0\x00"
SIGNATURE_LABEL = b"proofmail/record-signature/0\x00"
SECRET_BYTES = 32
ENTRY_MULTIPLE = 32
MAX_ENTRIES = 1024
_HIDDEN = b'{"sha256":"%b","sha3-256":"%b"}'
"""The canonical bytes of a hidden entry (SPEC §2.2), its digests in base64url."""
_LOG = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?(?:/[a-z0-9-]{1,32})?\Z", re.ASCII)


@dataclass(frozen=True)
class Disclosure:
    """`[salt, name, value]`: one claim, shown."""

    salt: bytes
    name: str
    value: Json

    def to_json(self) -> Json:
        return [base64url(self.salt), self.name, self.value]


@dataclass(frozen=True)
class Hidden:
    """A claim that is not shown, or a decoy: nobody but the service can tell which."""

    sha256: bytes
    sha3_256: bytes

    def to_json(self) -> Json:
        return {"sha256": base64url(self.sha256), "sha3-256": base64url(self.sha3_256)}


Entry: TypeAlias = Disclosure | Hidden


@dataclass(frozen=True)
class Record:
    """The decoded record; `to_bytes` gives the bytes that are signed, stamped and anchored."""

    kind: str
    log: str
    received_at: datetime
    count: int
    claims_sha256: bytes
    claims_sha3_256: bytes

    def to_json(self) -> Json:
        return {
            "claims": {
                "count": self.count,
                "sha256": base64url(self.claims_sha256),
                "sha3-256": base64url(self.claims_sha3_256),
            },
            "format": FORMAT,
            "kind": self.kind,
            "log": self.log,
            "received_at": format_time(self.received_at),
        }

    def to_bytes(self) -> bytes:
        return encode(self.to_json())


@dataclass(frozen=True)
class Sealed:
    """What making a record yields: the record, and the canonical JSON of the list of all its
    entries, in the record's order."""

    record: Record
    entries_json: bytes

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(read_entry(entry) for entry in decode(self.entries_json))


def digests(entry: Entry) -> tuple[bytes, bytes]:
    """The SHA-256 and SHA3-256 of an entry (SPEC §2.2)."""
    if isinstance(entry, Hidden):
        return entry.sha256, entry.sha3_256
    data = CLAIM_LABEL + encode(entry.to_json())
    return sha256(data).digest(), sha3_256(data).digest()


def hide(entry: Entry) -> Hidden:
    return Hidden(*digests(entry))


def commit(pairs: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """The two digests over all entries in order, each by its own algorithm (SPEC §2.3)."""
    return (
        sha256(CLAIMS_LABEL + b"".join(pair[0] for pair in pairs)).digest(),
        sha3_256(CLAIMS_LABEL + b"".join(pair[1] for pair in pairs)).digest(),
    )


def make_record(
    kind: str, log: str, received_at: datetime, claims: Mapping[str, Json], secret: bytes
) -> Sealed:
    """Commits to `claims` under a fresh 32-byte `secret`, padded with decoys (SPEC §2.2, §2.4).

    The caller keeps the secret and never gives it out; from it every salt can be made again.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError("a record's secret is 32 bytes")
    keyed = _hmac_sha256(secret)
    made: list[tuple[bytes, bytes, bytes]] = []
    for name, value in claims.items():
        salt = keyed(SALT_LABEL + name.encode("ascii"))
        # Encoded once, for both digests and for keeping.
        spelt = encode([base64url(salt), name, value])
        data = CLAIM_LABEL + spelt
        made.append((sha256(data).digest(), sha3_256(data).digest(), spelt))
    for number in range(-len(made) % ENTRY_MULTIPLE):
        seed = DECOY_LABEL + number.to_bytes(2, "big")
        first, second = keyed(seed + b"sha256"), keyed(seed + b"sha3-256")
        made.append((first, second, _HIDDEN % (base64url_ascii(first), base64url_ascii(second))))
    made.sort()
    record = Record(
        kind, log, received_at, len(made), *commit([(first, second) for first, second, _ in made])
    )
    return Sealed(record, b"[" + b",".join([spelt for _, _, spelt in made]) + b"]")


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def _hmac_sha256(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA256 (RFC 2104 §2) under one key of at most 64 bytes, for many messages: the key is
    taken in once, where the library does it for each."""
    padded = key.ljust(64, b"\x00")
    inner, outer = sha256(padded.translate(_INNER)), sha256(padded.translate(_OUTER))

    def digest(message: bytes) -> bytes:
        inside, outside = inner.copy(), outer.copy()
        inside.update(message)
        outside.update(inside.digest())
        return outside.digest()

    return digest


def read_record(value: Json) -> Record:
    """The record in decoded JSON; Unreadable for any other shape (SPEC §2.1)."""
    found = members(value, "record", ("claims", "format", "kind", "log", "received_at"))
    exactly(found["format"], "the record's format", FORMAT)
    if found["kind"] not in KINDS:
        raise Unreadable("a record of an unknown kind")
    claims = members(found["claims"], "claims", ("count", "sha256", "sha3-256"))
    count = integer(claims["count"], "claims.count", ENTRY_MULTIPLE, MAX_ENTRIES)
    if count % ENTRY_MULTIPLE:
        raise Unreadable(f"claims.count is not a multiple of {ENTRY_MULTIPLE}")
    return Record(
        kind=found["kind"],
        log=read_log(found["log"]),
        received_at=parse_time(text(found["received_at"], "received_at", 24)),
        count=count,
        claims_sha256=digest(claims["sha256"], "claims.sha256"),
        claims_sha3_256=digest(claims["sha3-256"], "claims.sha3-256"),
    )


def read_log(value: Json) -> str:
    """A log's name (SPEC §2.1): lower-case host-like, with an optional suffix."""
    name = text(value, "log", 96)
    if not _LOG.match(name):
        raise Unreadable("not a log's name")
    return name


def read_entry(value: Json, what: str = "entry") -> Entry:
    if isinstance(value, list):
        if len(value) != 3:
            raise Unreadable("a disclosure is not [salt, name, value]")
        return Disclosure(digest(value[0], "salt"), text(value[1], "claim name", 64), value[2])
    hidden = members(value, what, ("sha256", "sha3-256"))
    return Hidden(digest(hidden["sha256"], what), digest(hidden["sha3-256"], what))


def check_commitment(record: Record, entries: Sequence[Entry]) -> None:
    """Recomputes both digests; CheckFailed unless these entries are those committed to (V3)."""
    if len(entries) != record.count:
        raise CheckFailed("the number of entries is not the record's")
    pairs = [digests(entry) for entry in entries]
    for before, after in pairwise(pairs):
        if before[0] >= after[0]:
            raise CheckFailed("the entries are not in ascending order of their SHA-256")
    found = commit(pairs)
    if found[0] != record.claims_sha256:
        raise CheckFailed("the entries' SHA-256 differs from the record's")
    if found[1] != record.claims_sha3_256:
        raise CheckFailed("the entries' SHA3-256 differs from the record's")

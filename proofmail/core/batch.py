"""The batch header, leaf 0 of every batch tree (SPEC §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from proofmail.core.canonical import Json, base64url, encode, format_time, parse_time
from proofmail.core.merkle import Tree, leaf_hash
from proofmail.core.record import read_log
from proofmail.core.shape import digest, exactly, integer, members, text
from proofmail.errors import Unreadable

FORMAT = "proofmail/batch-header/0"
FIRST_PREVIOUS = bytes(32)
MAX_RECORDS = 1_000_000


@dataclass(frozen=True)
class Header:
    """Names the log and its place in it; `count` is the number of records, header left out."""

    log: str
    sequence: int
    previous: bytes
    count: int
    closed_at: datetime

    def to_json(self) -> Json:
        return {
            "closed_at": format_time(self.closed_at),
            "count": self.count,
            "format": FORMAT,
            "log": self.log,
            "previous": base64url(self.previous),
            "sequence": self.sequence,
        }

    def to_bytes(self) -> bytes:
        return encode(self.to_json())


def read_header(value: Json) -> Header:
    found = members(
        value, "header", ("closed_at", "count", "format", "log", "previous", "sequence")
    )
    exactly(found["format"], "the header's format", FORMAT)
    header = Header(
        log=read_log(found["log"]),
        sequence=integer(found["sequence"], "sequence", 1),
        previous=digest(found["previous"], "previous"),
        count=integer(found["count"], "count", 1, MAX_RECORDS),
        closed_at=parse_time(text(found["closed_at"], "closed_at", 24)),
    )
    if (header.sequence == 1) != (header.previous == FIRST_PREVIOUS):
        raise Unreadable("the first batch, and no other, follows on 32 zero bytes")
    return header


def batch_tree(header: Header, records: Sequence[bytes]) -> Tree:
    """The tree over the header and the records' bytes, in this order."""
    return Tree([leaf_hash(header.to_bytes()), *map(leaf_hash, records)])

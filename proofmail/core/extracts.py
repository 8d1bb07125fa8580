"""What the service saw in outside registers when a token was put into a proof (SPEC §5.8).

An extract is told beside the verifier's own judgement and changes nothing in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from proofmail.core.canonical import Json, base64url, format_time, parse_time
from proofmail.core.shape import digest, integer, members, text
from proofmail.errors import Unreadable

TRUSTED_LIST = "trusted-list"
MAX_EXTRACTS = 8
MAX_NAME = 200
"""Code points of a provider's or a service's name."""
STATUSES = frozenset(
    {
        "granted", "withdrawn", "undersupervision", "supervisionincessation", "supervisionceased",
        "supervisionrevoked", "accredited", "accreditationceased", "accreditationrevoked",
        "recognisedatnationallevel", "deprecatedatnationallevel", "setbynationallaw",
        "deprecatedbynationallaw", "other",
    }
)  # fmt: skip
"""The last step of a status's URI (ETSI TS 119 612 §5.5.4); "other" for any that is not here."""
QUALIFIED_TYPE = "QTST"
TYPES = frozenset({QUALIFIED_TYPE, "TSA"})
"""Qualified time-stamps, and time-stamps without that (ETSI TS 119 612 §5.5.1)."""
_TERRITORY = re.compile(r"[A-Z]{2}\Z", re.ASCII)


@dataclass(frozen=True)
class ListExtract:
    """The period of a service in a trusted list that a token's genTime falls into (times aware).

    `list_sha256` is of the list's file; `since` is when the period starts.
    """

    territory: str
    sequence: int
    issued: datetime
    list_sha256: bytes
    provider: str
    service: str
    type: str
    status: str
    since: datetime

    def to_json(self) -> Json:
        return {
            "issued": format_time(self.issued),
            "kind": TRUSTED_LIST,
            "list_sha256": base64url(self.list_sha256),
            "provider": self.provider,
            "sequence": self.sequence,
            "service": self.service,
            "since": format_time(self.since),
            "status": self.status,
            "territory": self.territory,
            "type": self.type,
        }


def read_extract(value: Json) -> ListExtract:
    """An item of kind TRUSTED_LIST; Unreadable for any other shape."""
    found = members(
        value,
        "extract",
        (
            "issued", "kind", "list_sha256", "provider", "sequence", "service", "since", "status",
            "territory", "type",
        ),
    )  # fmt: skip
    return ListExtract(
        territory=read_territory(found["territory"]),
        sequence=integer(found["sequence"], "sequence"),
        issued=read_moment(found["issued"], "issued"),
        list_sha256=digest(found["list_sha256"], "list_sha256"),
        provider=text(found["provider"], "provider", MAX_NAME),
        service=text(found["service"], "service", MAX_NAME),
        type=one_of(found["type"], "type", TYPES),
        status=one_of(found["status"], "status", STATUSES),
        since=read_moment(found["since"], "since"),
    )


def read_territory(value: Json) -> str:
    """Two capital letters, as ISO 3166-1 has them."""
    spelt = text(value, "territory", 2)
    if not _TERRITORY.match(spelt):
        raise Unreadable("a territory is two capital letters")
    return spelt


def read_moment(value: Json, what: str) -> datetime:
    return parse_time(text(value, what, 24))


def one_of(value: Json, what: str, known: frozenset[str]) -> str:
    spelt = text(value, what, 64)
    if spelt not in known:
        raise Unreadable(f"{what} is none of those known")
    return spelt

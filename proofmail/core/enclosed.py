"""`header-values/1`: what the header of an enclosed message says, as one digest (SPEC §3.15).

The values are those that a mail copy must match. They are never kept, only their digest.
"""

from __future__ import annotations

import re
from hashlib import sha3_256, sha256

from proofmail.core.addresses import mailboxes
from proofmail.core.canonical import Json, encode
from proofmail.core.dates import date_value
from proofmail.core.headers import Fields, clean_text, occurrences
from proofmail.core.model import Fingerprint

RULE = "header-values/1"

_FIELDS = ("cc", "date", "from", "subject", "to")
_FURTHER = ("bcc", "reply-to", "sender")
"""Read where they are there: no server adds one to a message that another encloses."""
_VAGUE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]|=\?[^ ?]+\?[bBqQ]\?")
"""What stands for more than one spelling, or is shown in more than one way (SPEC §10.3)."""


def header_values(header: Fields) -> Fingerprint | None:
    """None where a value is bent, vague, or stands there twice: its equality would say nothing."""
    defects: set[str] = set()
    names = (*_FIELDS, *(name for name in _FURTHER if name in header))
    values: dict[str, Json] = {
        name: [{"address": item.address, "name": item.name} for item in found]
        for name in names
        if name not in ("date", "subject")
        for found in [mailboxes(header.get(name, ()), defects)]
    }
    values["date"] = list(occurrences(header.get("date", ()), date_value, defects))
    values["subject"] = list(occurrences(header.get("subject", ()), clean_text, defects))
    if defects or any(len(header.get(name, ())) > 1 for name in names) or _is_vague(values):
        return None
    data = encode(values)
    return Fingerprint(RULE, len(data), sha256(data).digest(), sha3_256(data).digest())


def _is_vague(values: dict[str, Json]) -> bool:
    texts = [*values["date"], *values["subject"]]
    for name in values.keys() - {"date", "subject"}:
        texts += [text for mailbox in values[name] for text in mailbox.values()]
    return any(_VAGUE.search(text) for text in texts)

"""Reading of header fields: addresses, texts, dates, identifiers, parameters (SPEC §3.6, §3.7).

Nothing is raised, no lone surrogate and no unbounded text comes out, and the fast paths read what
the slow ones read.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from types import ModuleType

from proofmail.core import addresses, parameters
from proofmail.core.addresses import mailboxes
from proofmail.core.dates import date_value
from proofmail.core.headers import (
    MESSAGE_ID_MAX,
    TEXT_MAX,
    clean_text,
    first_message_id,
    linked_ids,
    occurrences,
    unfold,
)
from proofmail.core.parameters import NAME_MAX, part_header
from tests.fuzz.mutation import mutated

__all__ = ["check", "mutated", "seeds"]

_MARK = 65
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\?.*", re.DOTALL)
_NOTHING = re.compile(r"(?!)")
MOST_BYTES = 1_024


def seeds() -> Iterator[bytes]:
    yield from _SEEDS


def check(data: bytes) -> None:
    """The input is one value, or lines of several occurrences."""
    values = [unfold([line]) for line in data.split(b"\0")]
    _check_addresses(values)
    defects: set[str] = set()
    for text in occurrences(values, clean_text, defects):
        _shown(text, TEXT_MAX)
    for moment in occurrences(values, date_value, defects):
        _shown(moment, TEXT_MAX + 1)
        assert _DATE.fullmatch(moment) or len(values) > 100, "a date that is neither"
    fields = {"message-id": values, "in-reply-to": values, "references": values[1:]}
    for identifier in (first_message_id(fields) or "", *linked_ids(fields, defects)):
        _shown(identifier, MESSAGE_ID_MAX)
    _check_parameters(values)


def _check_addresses(values: list[str]) -> None:
    fast, slow = set[str](), set[str]()
    found = mailboxes(values, fast)
    with _without(addresses, "_SIMPLE"):
        assert mailboxes(values, slow) == found, "the fast path reads other addresses"
    assert fast == slow, "the fast path notes other defects"
    for box in found:
        _shown(box.address, TEXT_MAX)
        _shown(box.name, TEXT_MAX)


def _check_parameters(values: list[str]) -> None:
    first, second = values[0], values[-1]
    for kind, fields in (
        ("text/plain", {"content-type": [first], "content-disposition": [second]}),
        ("text/plain", {"content-type": [f"multipart/mixed;{first}"]}),
        ("message/rfc822", {"content-disposition": [f"attachment;{first}"],
                            "content-type": [f"text/plain;{second}"],
                            "content-transfer-encoding": values}),
    ):  # fmt: skip
        fast, slow = set[str](), set[str]()
        header = part_header(fields, kind, fast)
        with _without(parameters, "_SIMPLE"):
            assert part_header(fields, kind, slow) == header, "the fast path reads another header"
        assert fast == slow, "the fast path notes other defects"
        _shown(header.type, 255)
        _shown(header.charset or "", 64)
        _shown(header.name or "", NAME_MAX)


def _shown(text: str, most: int) -> None:
    text.encode("utf-8")  # a lone surrogate has no bytes
    assert len(text) <= most + _MARK, "longer than its bound"


@contextlib.contextmanager
def _without(module: ModuleType, name: str) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, _NOTHING)
    try:
        yield
    finally:
        setattr(module, name, before)


_SEEDS = tuple(
    text.encode()
    for text in (
        "Claire Dubois <claire@atelier.example>, luc@atelier.example",
        '"Doe, \\"J\\"" <j.doe@[192.0.2.1]> (home (old)), group: a@b, c@d;, <@r,@s:u@h>',
        "=?utf-8?q?Offre_sign=C3=A9e?= =?utf-8?b?4oKs?= =?iso-8859-1*fr?Q?=E9?= x",
        "=?utf-8?b?w6k?= =?utf-8?b?w?= =?utf-8?b?6Q==?= =?x-odd?q?=F0?=",
        "Sat, 21 Nov 2026 11:00:00 +0100 (CET (x))", "21 nov 26 1:02 EST", "1 Jan 0099 00:00:00 Z",
        "<a@b> <c d@e>\0<f@g>", 'text/plain; charset="utf-8"; format=flowed; delsp=yes',
        "multipart/mixed; boundary=\"a b\"; boundary*0=x; type='y'",
        "attachment; filename*0*=utf-8'en'%e2%82; filename*1*=%ac; filename*2=\".txt\"",
        "inline; filename=\"a\\\"b.pdf\"; name=caf\u00e9 (comment)", "base64; x=y", " ;;==*\"\\",
    )
)  # fmt: skip

"""Receipts inside a message: what they answer, and with which words (SPEC §3.8).

Works on bounded captures of a part's content; they are dropped with the scan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from proofmail.core.headers import (
    FIELD,
    MESSAGE_ID_MAX,
    Fields,
    ascii_lower,
    clean_text,
    first_message_id,
    message_ids,
    unfold,
)
from proofmail.core.model import Report

CAPTURE_MAX_BYTES = 65_536
"""How much of a part is looked at for report fields."""

MDN_TYPES = ("message/disposition-notification", "message/global-disposition-notification")
DSN_TYPES = ("message/delivery-status", "message/global-delivery-status")
HEADERS_TYPES = ("text/rfc822-headers", "message/global-headers")

_FORMS = ("direct", "attached", "inline")
_VALUE_MAX = 998
_INLINE = re.compile(
    r"^[ \t>|]*(Final-Recipient|Original-Recipient|Disposition|Original-Message-ID)"
    r"[ \t]*:([^\r\n]*)(?:\r?\n[ \t>|]*(<[^<>\r\n]*>))?",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)


@dataclass
class Reports:
    """The reports seen so far in one message. `parent` names the multipart that one stands in,
    "" where there is none."""

    defects: set[str]
    _found: list[tuple[str, Report]] = field(default_factory=list)

    def add_part(self, content: bytes, kind: str, form: str, parent: str) -> None:
        """A receipt's machine-readable part, as captured."""
        groups = [group for group in _groups(content) if group]
        report = _mdn(groups, form) if kind == "mdn" else self._dsn(groups, form)
        self._found.append((parent, report))

    def add_text(self, content: bytes) -> None:
        """A text body that may quote a read receipt: forwarded inline by a person."""
        report = _inline(content)
        if report is not None:
            self._found.append(("", report))

    def add_returned(self, message_id: str | None, parent: str) -> None:
        """RFC 3464 §2: the message that a delivery report is about, in the same multipart."""
        for index, (place, report) in enumerate(self._found):
            if (
                place
                and place == parent
                and report.kind == "dsn"
                and report.original_message_id is None
            ):
                self._found[index] = (place, report._replace(original_message_id=message_id))

    def best(self) -> Report | None:
        """The first direct one, else the first attached one, else the first quoted one."""
        for form in _FORMS:
            for _, report in self._found:
                if report.form == form:
                    return report
        return None

    def _dsn(self, groups: list[Fields], form: str) -> Report:
        """RFC 3464 §2.2, §2.3: a group on the message, then one for each recipient."""
        recipients = [group for group in groups if "action" in group or "final-recipient" in group]
        if len(recipients) > 1:
            self.defects.add("report.several-recipients")
        first = recipients[0] if recipients else {}
        action = _value(first, "action")
        return Report("dsn", form, None, _recipient(first), ascii_lower(action) if action else None)


def returned_message_id(content: bytes) -> str | None:
    """The Message-ID in a captured text/rfc822-headers part (RFC 3462 §2)."""
    return first_message_id(next(_groups(content), {}))


def _groups(content: bytes) -> Iterator[Fields]:
    """Header-like fields, in groups that blank lines separate. Other lines are passed over."""
    fields: dict[str, list[list[bytes]]] = {}
    last: list[bytes] = []
    for line in content.split(b"\n"):
        line = line.removesuffix(b"\r")
        name = FIELD.match(line)
        if not line.strip(b" \t"):
            yield _unfolded(fields)
            fields, last = {}, []
        elif line[:1] in (b" ", b"\t"):
            last.append(line)
        elif name:
            last = [line[name.end() :]]
            fields.setdefault(name[1].lower().decode("ascii"), []).append(last)
    yield _unfolded(fields)


def _unfolded(fields: dict[str, list[list[bytes]]]) -> Fields:
    return {name: [unfold(lines) for lines in found] for name, found in fields.items()}


def _mdn(groups: list[Fields], form: str) -> Report:
    fields = groups[0] if groups else {}
    return Report(
        "mdn",
        form,
        _original_id(_value(fields, "original-message-id")),
        _recipient(fields),
        _disposition_type(_value(fields, "disposition")),
    )


def _inline(content: bytes) -> Report | None:
    if b"original-message-id" not in content.lower():
        return None
    fields: dict[str, str] = {}
    for name, value, next_line in _INLINE.findall(content.decode("utf-8", "replace")):
        shown = clean_text(value.strip(" \t") or next_line, set(), _VALUE_MAX)
        fields.setdefault(ascii_lower(name), shown)
    recipient = fields.get("final-recipient") or fields.get("original-recipient")
    if not recipient or not fields.get("disposition") or not fields.get("original-message-id"):
        return None
    return Report(
        "mdn",
        "inline",
        _original_id(fields["original-message-id"]),
        _behind_semicolon(recipient) or None,
        _disposition_type(fields["disposition"]),
    )


def _value(fields: Fields, name: str) -> str | None:
    values = fields.get(name)
    return clean_text(values[0], set(), _VALUE_MAX) if values else None


def _recipient(fields: Fields) -> str | None:
    """RFC 8098 §3.2.4, RFC 3464 §2.3.2: `address-type; address`."""
    value = _value(fields, "final-recipient") or _value(fields, "original-recipient")
    return _behind_semicolon(value) or None if value else None


def _behind_semicolon(value: str) -> str:
    _, mark, address = value.partition(";")
    return (address if mark else value).strip(" ")


def _disposition_type(value: str | None) -> str | None:
    """RFC 8098 §3.2.6: `mode; type/modifiers`; the type alone, lower case."""
    if value is None:
        return None
    kind = re.split(r"[/,;]", _behind_semicolon(value), maxsplit=1)[0]
    return ascii_lower(kind.strip(" ")) or None


def _original_id(value: str | None) -> str | None:
    if value is None:
        return None
    in_brackets = message_ids([value])
    return in_brackets[0] if in_brackets else value.strip(" ")[:MESSAGE_ID_MAX] or None

"""An Outlook file against a proof, part by part (SPEC §10.2).

It never holds the mail's bytes, and says less than the mail did. What it does not say is an open
question, and with one the file is not checked, never a match. What it says otherwise differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from proofmail.core.canonical import Json, base64url
from proofmail.core.headers import ascii_lower, unified_white
from proofmail.core.mapping import header_claims
from proofmail.core.pictures import content_id, content_location
from proofmail.core.unicode14 import nfc
from proofmail.errors import Unreadable
from proofmail.verify.comparison import Comparison, recorded_parts
from proofmail.verify.copy_bytes import Copy, scanned
from proofmail.verify.fields import compare_headers
from proofmail.verify.msg import MAX_MSG_BYTES, Attachment, Message, Person, read_msg
from proofmail.verify.msg_texts import Bodies
from proofmail.verify.parts_words import called, changed, described
from proofmail.verify.report import CopyReport, PartMatch, Status
from proofmail.verify.saved_text import part_of
from proofmail.verify.words import Said, said

_OLD_FIRST_LINE = "Microsoft Mail Internet Headers Version 2.0"
_KINDS = (1, 2, 3)
"""Of recipients: To, Cc, Bcc."""
_FIELDS = ("header.cc", "header.date", "header.from", "header.subject", "header.to")


def judge_msg(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    """The file as a mail; not checked where it cannot be read."""
    try:
        message = read_msg(_bytes(copy))
    except Unreadable as error:
        finding = said("unreadable", reason=str(error))
        return CopyReport(copy.name, "mail", Status.NOT_CHECKED, finding)
    kind = message.message_class
    if kind.lower() not in ("", "ipm.note"):
        finding = said("msg.class", name=kind[:200])
        return CopyReport(
            copy.name, "mail", Status.NOT_CHECKED, finding, (), (), (said("msg.kind"),)
        )
    comparison = Comparison()
    compare_headers(comparison, _header_values(comparison, message, claims), claims)
    _compare_parts(comparison, message, claims)
    notes = [said("msg.kind")]
    if comparison.differences:
        notes.append(said("msg.rewrites"))
    return comparison.report(copy.name, tuple(notes))


def _bytes(copy: Copy) -> bytes:
    data = bytearray()
    for chunk in copy.chunks():
        data += chunk
        if len(data) > MAX_MSG_BYTES:
            raise Unreadable(f"an Outlook file of more than {MAX_MSG_BYTES >> 20} MiB")
    return bytes(data)


# -- header ---------------------------------------------------------------------------------------


def _header_values(
    comparison: Comparison, message: Message, claims: Mapping[str, Json]
) -> Iterator[tuple[str, Json]]:
    """What the file says of each field: the header as it came, and what Outlook shows of it.
    Both must be the recorded value, for either is what a person may be shown."""
    came = _transport(message.headers)
    for name in _FIELDS:
        values = [came[name]] if name in came else []
        shown = _shown(name, message, claims)
        values += [shown] if shown is not None else []
        if shown is None:
            comparison.questions.append(said("header.untold", field=said(name)))
        yield from ((name, value) for value in values)


def _transport(headers: str | None) -> dict[str, Json]:
    """The header as it came, read by the rules for mails; empty if there is none, or not whole."""
    if headers is None:
        return {}
    text = headers.removeprefix(_OLD_FIRST_LINE).lstrip("\r\n").replace("\r\n", "\n")
    try:
        data = (text.rstrip("\n").replace("\n", "\r\n") + "\r\n\r\n").encode("utf-8")
    except UnicodeEncodeError:
        return {}
    scan = scanned([data])
    bent = {"header.no-separator", "header.too-large", "header.duplicate"} & set(scan.defects)
    return {} if bent or not scan.from_ else header_claims(scan)


def _shown(name: str, message: Message, claims: Mapping[str, Json]) -> Json | None:
    """The value that Outlook shows; None where it cannot be told from this file."""
    recorded = claims.get(name, [])
    if name == "header.subject":
        return _subject(message, recorded)
    if name == "header.date":
        moment = message.submitted
        return None if moment is None else [moment.replace(tzinfo=None).isoformat() + "Z"]
    if name == "header.from":
        return _from(message)
    kind, line = (1, message.shown_to) if name == "header.to" else (2, message.shown_cc)
    return _recipients(message, kind, line, recorded)


def _subject(message: Message, recorded: Json) -> Json | None:
    if message.subject is None:
        return None
    subject = _clean(message.subject)
    return [] if not subject and not recorded else [subject]


def _from(message: Message) -> Json | None:
    shown = message.represented or message.sender
    if shown is None or shown.address is None:
        return None
    sender = message.sender
    other = sender is not None and sender.address is not None and _mailbox(sender)["address"]
    if other and other != _mailbox(shown)["address"]:
        return None  # shown as "one on behalf of another"
    return [_mailbox(shown)]


def _recipients(message: Message, kind: int, line: str | None, recorded: Json) -> Json | None:
    people = [person for person in message.recipients if person.kind == kind]
    # One of another kind, or with flags beside it, is shown by some programs and not by others.
    strange = any(person.kind not in _KINDS for person in message.recipients)
    if strange or any(person.address is None for person in people):
        return None
    found = [_mailbox(person) for person in people]
    if found != recorded and sorted(found, key=str) == sorted(recorded, key=str):
        return None  # in another order
    if found == recorded and line is not None and not _line_names(line, found):
        return None
    return found


def _line_names(line: str, people: Json) -> bool:
    """Whether the line of names that Outlook keeps beside the recipients names the same."""
    names = [_unquoted(name) for name in line.removesuffix("\0").split(";") if name.strip()]
    return len(names) == len(people) and all(
        name in (person["name"], person["address"])
        or ascii_lower(name) == ascii_lower(person["address"])
        for name, person in zip(names, people, strict=True)
    )


def _mailbox(person: Person) -> Json:
    """Spelt as SPEC §3.6.2 does. Outlook puts the address where there was no name."""
    address = _clean(person.address or "")
    local, at, domain = address.rpartition("@")
    name = _unquoted(person.name)
    if ascii_lower(name) == ascii_lower(address):
        name = ""
    return {"address": local + at + ascii_lower(domain), "name": name}


def _unquoted(name: str) -> str:
    name = _clean(name)
    quoted = len(name) > 1 and name[0] == name[-1] and name[0] in "'\""
    return _clean(name[1:-1]) if quoted else name


def _clean(text: str) -> str:
    """As text of a header is made comparable (SPEC §3.6.1, steps 4 and 5)."""
    unified = unified_white(text)
    return nfc(unified) or unified


# -- parts ----------------------------------------------------------------------------------------


def _compare_parts(comparison: Comparison, message: Message, claims: Mapping[str, Json]) -> None:
    recorded, complete = recorded_parts(comparison, claims)
    bodies = Bodies(comparison, message, recorded)
    files = _Files(comparison, message.attachments)
    enclosed: tuple[str, ...] = ()
    for number, part in recorded:
        label = called(f"part.{number}", part.get("name", ""))
        inside = part["path"].startswith(enclosed) if enclosed else False
        rung = ""
        if part["role"] == "message" and not inside:
            enclosed += (part["path"] + ".",)
            files.enclosed(number, label, part)
        elif part["role"] == "body" and not inside:
            rung = bodies.compare(number, label, part)
        elif not inside:
            rung = files.compare(number, label, part)
        comparison.matches.append(PartMatch(f"part.{number}", part.get("name", ""), rung))
    bodies.rest(complete=complete)
    if complete:
        files.rest()


class _Files:
    """The attachments of the file, each taken once."""

    def __init__(self, comparison: Comparison, attachments: tuple[Attachment, ...]) -> None:
        self._comparison = comparison
        self._free = dict(enumerate(attachments))
        self._digests = {
            index: part_of(item.data, "application/octet-stream")["fingerprints"][0]
            for index, item in self._free.items()
            if item.data is not None
        }
        self._order = -1

    def enclosed(self, number: int, label: Said, part: Json) -> None:
        """A recorded enclosed message: Outlook has one in its place, in another form."""
        index = next((i for i, item in self._free.items() if item.embedded), None)
        if index is None:
            missing = said("part.missing", number=number, what=described(part))
            self._comparison.differences.append(missing)
            return
        del self._free[index]
        self._comparison.questions.append(said("msg.enclosed", part=label))

    def compare(self, number: int, label: Said, part: Json) -> str:
        decoded = next((f for f in part["fingerprints"] if f["rule"] == "decoded/1"), None)
        name = part.get("name")
        same = [i for i in self._free if decoded is not None and self._digests.get(i) == decoded]
        index = min(same, key=lambda i: (_name(self._free[i]) != name, i), default=None)
        if index is None:
            self._unmatched(number, part)
            return ""
        item = self._free.pop(index)
        self._compare_labels(label, part, item)
        if index < self._order:
            self._comparison.differences.append(said("part.place", part=label))
        self._order = max(self._order, index)
        return "decoded/1"

    def _unmatched(self, number: int, part: Json) -> None:
        name = part.get("name")
        for index, item in self._free.items():
            if name is not None and _name(item) == name:
                del self._free[index]
                if item.data is None:
                    self._comparison.questions.append(said("msg.object", name=name))
                    return
                other = {**part, "fingerprints": [self._digests[index]]}
                self._comparison.differences.append(changed(number, part, other))
                return
        missing = said("part.missing", number=number, what=described(part))
        self._comparison.differences.append(missing)

    def _compare_labels(self, label: Said, part: Json, item: Attachment) -> None:
        questions, differences = self._comparison.questions, self._comparison.differences
        name, shown = _name(item), _clean(item.shown_name or "")
        if "name" not in part:
            questions.append(said("msg.name-untold", part=label, name=name or said("none")))
        elif name != part["name"]:
            differences.append(
                said("part.name", part=label, before=part["name"], name=name or said("none"))
            )
        elif shown not in ("", name):
            differences.append(said("part.name", part=label, before=part["name"], name=shown))
        if item.hidden and part["role"] != "inline":
            now, before = said("role.inline"), said(f"role.{part['role']}")
            differences.append(said("part.role", part=label, now=now, before=before))
        elif item.hidden != (part["role"] == "inline"):
            questions.append(said("msg.role-untold", part=label))
        if part["type"].startswith("text/"):
            questions.append(said("msg.charset-untold", part=label))
        names = {"content-id": [item.content_id], "content-location": [item.content_location]}
        given = {"content_id": content_id(names), "content_location": content_location(names)}
        if any(part.get(key) != (value and base64url(value)) for key, value in given.items()):
            questions.append(said("msg.content-id-untold", part=label))

    def rest(self) -> None:
        """What no recorded part corresponds to was added."""
        for item in self._free.values():
            role = said("role.message" if item.embedded else "role.attachment")
            what = said("described", role=role, name=_name(item) or "")
            self._comparison.differences.append(said("part.added", what=what))


def _name(item: Attachment) -> str | None:
    return _clean(item.name or "") or None

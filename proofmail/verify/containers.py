"""Copies in whatever a person has them: a mail, an mbox, a folder of mails, an Outlook file, a
saved text or attachment (SPEC §10).

In an mbox or a folder the message that belongs to the proof is looked for: first by its bytes
(raw/1), else by its Message-ID, else by what matches most. The report is on that message, and says
which it is, and how many were looked at. Each message is read in pieces and let go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from heapq import heappush, heappushpop
from itertools import islice

from proofmail.core.canonical import Json, base64url
from proofmail.core.headers import first_message_id, unfold
from proofmail.core.mapping import identifier_digest, mail_claims
from proofmail.errors import Unreadable
from proofmail.verify.copies import judge_copy, judge_file
from proofmail.verify.copy_bytes import Copy, scanned, with_crlf
from proofmail.verify.mail_copy import judge_mail
from proofmail.verify.mbox import Unescaper, is_mbox, messages, unescaped
from proofmail.verify.msg import MAGIC
from proofmail.verify.msg_copy import judge_msg
from proofmail.verify.parts import content_rung
from proofmail.verify.report import CopyReport, Status
from proofmail.verify.saved_text import is_saved_text, judge_text
from proofmail.verify.words import Said, said

MAIL_SUFFIXES = (".eml", ".mail")
"""Ends of names of files that hold one mail."""
MAX_MESSAGES = 500_000
"""Most messages of one mbox or folder that are looked at."""
MAX_CANDIDATES = 8
"""Most messages that are compared in full."""
MAX_HELD_BYTES = 64 << 20
"""A message up to this size is held while it is compared; a larger one is read again."""

_HEAD_BYTES = 1 << 20
_MESSAGE_ID = re.compile(rb"(?:\A|\n)message-id[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE)
_HEADERS = ("header.cc", "header.date", "header.from", "header.subject", "header.to")
_ORDER = {Status.PASSED: 0, Status.NOT_CHECKED: 1, Status.ABSENT: 1, Status.FAILED: 2}


@dataclass(frozen=True)
class Folder:
    """A folder of mail files, each a message (Maildir, or `.eml` files), by its name. `files`
    gives them afresh at every call, in an order that stays; `passed_over` counts the others."""

    name: str
    files: Callable[[], Iterator[Copy]]
    passed_over: int = 0


def judge(source: Copy | Folder, claims: Mapping[str, Json]) -> CopyReport:
    """What the source matches of the disclosed `claims`; never raises for what it holds."""
    try:
        return (
            _judge_folder(source, claims) if isinstance(source, Folder) else _judge(source, claims)
        )
    except Unreadable as error:
        finding = said("unreadable", reason=str(error))
        return CopyReport(source.name, "file", Status.NOT_CHECKED, finding)


def _judge_folder(folder: Folder, claims: Mapping[str, Json]) -> CopyReport:
    report = _judge_box(_folder_box(folder), claims)
    if not folder.passed_over:
        return report
    note = said("box.passed-over", count=folder.passed_over)
    return replace(report, remarks=(*report.remarks, note))


def _judge(source: Copy, claims: Mapping[str, Json]) -> CopyReport:
    found = judge_file(source, claims)
    if found.status is Status.PASSED:
        return found
    start = _start(source)
    if start.startswith(MAGIC):
        return judge_msg(source, claims)
    if is_mbox(start):
        return _judge_mbox(source, claims)
    if is_saved_text(source.name):
        text = judge_text(source, claims)
        if text.status is not Status.FAILED:
            return text
        whole = judge_copy(source, claims)
        return whole if whole.what == "mail" else text
    return judge_copy(source, claims)


def _start(copy: Copy) -> bytes:
    start = b""
    for chunk in copy.chunks():
        start += chunk
        if len(start) >= 2_000:
            break
    return start


def _judge_mbox(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    report = _judge_box(_mbox_box(copy), claims)
    single = next(islice(messages(copy.chunks()), 1, None), None) is None
    if not single and copy.name.lower().endswith(MAIL_SUFFIXES):
        # Programs open it as one mail, and show what follows as part of its text.
        return judge_mail(copy, claims)
    if report.finding.key == "same.bytes" or not single:
        return report
    # A mail that the service received with such a first line: then the whole file is the mail.
    whole = judge_mail(copy, claims)
    return whole if whole.finding.key == "same.bytes" else report


@dataclass(frozen=True)
class _Box:
    """Messages in turn, each as its place and its pieces; these can be read once."""

    name: str
    messages: Callable[[], Iterator[tuple[Said, Iterable[bytes]]]]
    escapes: bool


def _mbox_box(copy: Copy) -> _Box:
    def read() -> Iterator[tuple[Said, Iterable[bytes]]]:
        for number, pieces in enumerate(messages(copy.chunks()), 1):
            yield said("box.message", number=number), pieces

    return _Box(copy.name, read, escapes=True)


def _folder_box(folder: Folder) -> _Box:
    def read() -> Iterator[tuple[Said, Iterable[bytes]]]:
        for file in folder.files():
            yield said("box.file", name=file.name), _file_pieces(file)

    return _Box(folder.name, read, escapes=False)


def _file_pieces(file: Copy) -> Iterator[bytes]:
    yield from with_crlf(file.chunks())


@dataclass(frozen=True)
class _Found:
    """A message by its place in the box, and how it was read when it was found."""

    index: int
    unescape: bool = False
    line_ends: int = 0
    """Line ends that stand behind the stored message (1), or that it has too many (-1): programs
    put an empty line behind a message, and end its last line for it."""
    exact: bool = False
    """It has the recorded bytes, so read: then no other reading of it is asked for."""


@dataclass
class _Survey:
    """What the first reading found."""

    count: int = 0
    cut: bool = False
    unreadable: int = 0
    exact: list[_Found] = field(default_factory=list)
    exact_count: int = 0
    exact_places: list[Said] = field(default_factory=list)
    by_id: list[_Found] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.cut and not self.unreadable


def _judge_box(box: _Box, claims: Mapping[str, Json]) -> CopyReport:
    survey = _surveyed(box, claims)
    found = survey.exact or survey.by_id
    judged = [_judge_message(box, candidate, claims) for candidate in found]
    if not survey.exact and not any(report.status is Status.PASSED for report in judged):
        further = [other for other in _ranked(box, claims) if other not in found]
        judged += [_judge_message(box, candidate, claims) for candidate in further]
    all_fail = all(report.status is Status.FAILED for report in judged)
    if not judged or (all_fail and not survey.whole and not survey.exact):
        decided = survey.whole and _comparable(claims)
        status = Status.FAILED if decided else Status.NOT_CHECKED
        finding = said("box.none" if decided else "box.undecided", count=survey.count)
        if survey.count == 1:
            finding = said("box.none-one" if decided else "box.undecided-one")
        return CopyReport(box.name, "mail", status, finding, (), (), _box_notes(survey))
    best = min(judged, key=lambda report: (_ORDER[report.status], len(report.changes)))
    alike = sum(report.status is best.status for report in judged)
    alike = max(alike, survey.exact_count)
    notes = list(_box_notes(survey))
    if best.status is Status.PASSED and alike > 1:
        notes[:0] = [said("box.several", count=alike), *_others(survey, judged, best)]
    if best.status is Status.FAILED and survey.count > 1:
        notes.insert(0, said("box.closest"))
    place = said("box.at", place=best.remarks[0])
    return replace(best, remarks=(place, *notes, *best.remarks[1:]))


def _others(survey: _Survey, judged: list[CopyReport], best: CopyReport) -> list[Said]:
    """Where the others are that match as well."""
    places = survey.exact_places or [
        report.remarks[0] for report in judged if report.status is best.status
    ]
    return [said("box.also", place=place) for place in places if place != best.remarks[0]]


def _box_notes(survey: _Survey) -> tuple[Said, ...]:
    looked = said("box.looked-part" if survey.cut else "box.looked", count=survey.count)
    if survey.count == 1 and not survey.cut:
        looked = said("box.looked-one")
    if survey.unreadable:
        return looked, said("box.unreadable", count=survey.unreadable)
    return (looked,)


def _comparable(claims: Mapping[str, Json]) -> bool:
    """Whether the proof shows enough to tell that a message is not the recorded one."""
    if "message.fingerprints" in claims or "link.message_id" in claims:
        return True
    return any(name.startswith("part.") for name in claims)


def _surveyed(box: _Box, claims: Mapping[str, Json]) -> _Survey:
    """One reading of all: by the digest of the whole, and by the Message-ID."""
    recorded = {item["rule"]: item["sha256"] for item in claims.get("message.fingerprints", [])}
    raw, wanted_id = recorded.get("raw/1"), claims.get("link.message_id")
    survey = _Survey()
    for index, (place, pieces) in enumerate(box.messages()):
        if index >= MAX_MESSAGES:
            survey.cut = True
            break
        survey.count += 1
        try:
            head, digests = _passed_by(pieces, hashes=raw is not None, escapes=box.escapes)
        except OSError:
            survey.unreadable += 1
            continue
        if raw is not None and raw in digests:
            unescape, line_ends = digests[raw]
            survey.exact_count += 1
            survey.exact_places.append(place)
            del survey.exact_places[MAX_CANDIDATES:]
            if not survey.exact:
                survey.exact.append(_Found(index, unescape, line_ends, exact=True))
        if wanted_id is not None and _identifier(head) == wanted_id:
            survey.by_id.append(_Found(index))
            del survey.by_id[MAX_CANDIDATES:]
    return survey


def _passed_by(
    pieces: Iterable[bytes], *, hashes: bool, escapes: bool
) -> tuple[bytes, dict[str, tuple[bool, int]]]:
    """The beginning of a message, and its digest for each way of reading it (see `_Found`)."""
    head = bytearray()
    stored, plain, unescaper = _Ends(), _Ends(), Unescaper()
    for piece in pieces:
        if len(head) < _HEAD_BYTES:
            head += piece[: _HEAD_BYTES - len(head)]
        if hashes:
            stored.update(piece)
        if hashes and escapes:
            plain.update(unescaper.feed(piece))
    if not hashes:
        return bytes(head), {}
    if not escapes:
        return bytes(head), {stored.digests()[0]: (False, 0)}
    plain.update(unescaper.finish())
    found = {digest: (True, line_ends) for line_ends, digest in plain.digests().items()}
    found |= {digest: (False, line_ends) for line_ends, digest in stored.digests().items()}
    return bytes(head), found


class _Ends:
    """The digest of a message with one line end more and one less, too."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._last = b""

    def update(self, data: bytes) -> None:
        data = self._last + data
        self._digest.update(data[:-2])
        self._last = data[-2:]

    def digests(self) -> dict[int, str]:
        """By the number of line ends more."""
        found = {}
        if self._last == b"\r\n":
            found[-1] = base64url(self._digest.digest())
        self._digest.update(self._last)
        found[0] = base64url(self._digest.digest())
        self._digest.update(b"\r\n")
        found[1] = base64url(self._digest.digest())
        return found


def _identifier(head: bytes) -> str | None:
    """The digest of the Message-ID in the header that these bytes begin with."""
    found = _MESSAGE_ID.search(head[: head.find(b"\n\r\n") + 1 or len(head)])
    if found is None:
        return None
    value = unfold([found[1].replace(b"\r\n", b"").removesuffix(b"\r")])
    identifier = first_message_id({"message-id": [value]})
    return None if identifier is None else base64url(identifier_digest(identifier))


def _ranked(box: _Box, claims: Mapping[str, Json]) -> list[_Found]:
    """The messages that match most, best first: parts count before values of the header."""
    best: list[tuple[int, int, int]] = []
    by_digest = _by_digest(claims)
    for index, (_, pieces) in enumerate(islice(box.messages(), MAX_MESSAGES)):
        try:
            stored = unescaped(pieces) if box.escapes else pieces
            parts, headers = _likeness(mail_claims(scanned(stored)), claims, by_digest)
        except OSError:
            continue
        if not parts and headers < 3:
            continue
        if len(best) < MAX_CANDIDATES:
            heappush(best, (parts, headers, -index))
        else:
            heappushpop(best, (parts, headers, -index))
    return [_Found(-index) for _, _, index in sorted(best, reverse=True)]


def _by_digest(claims: Mapping[str, Json]) -> dict[tuple[str, str], list[str]]:
    """Names of the recorded parts by rule and digest. Parts without one in common match on no
    rung, and to compare each with each would let a box of small messages take hours."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, part in claims.items():
        if name.startswith("part."):
            for item in part["fingerprints"]:
                found.setdefault((item["rule"], item["sha256"]), []).append(name)
    return found


def _likeness(
    found: Mapping[str, Json],
    claims: Mapping[str, Json],
    by_digest: Mapping[tuple[str, str], Sequence[str]],
) -> tuple[int, int]:
    parts: set[str] = set()
    for other in (value for name, value in found.items() if name.startswith("part.")):
        for item in other["fingerprints"]:
            for name in by_digest.get((item["rule"], item["sha256"]), ()):
                if name not in parts and content_rung(claims[name], other):
                    parts.add(name)
    headers = sum(bool(claims.get(name)) and claims[name] == found.get(name) for name in _HEADERS)
    return len(parts), headers


def _judge_message(box: _Box, found: _Found, claims: Mapping[str, Json]) -> CopyReport:
    """The message as it was found, if it has the recorded bytes; otherwise both as stored and
    unescaped: the better one."""
    place, chunks = _again(box, found.index)

    def read(unescape: bool, line_ends: int) -> CopyReport:
        def pieces() -> Iterator[bytes]:
            plain = unescaped(chunks()) if unescape else chunks()
            yield from _without_last_end(plain) if line_ends < 0 else plain
            if line_ends > 0:
                yield b"\r\n"

        notes = (place, said("unescaped")) if unescape else (place,)
        report = judge_mail(Copy(box.name, pieces), claims)
        return replace(report, remarks=(*notes, *report.remarks))

    report = read(found.unescape, found.line_ends)
    if found.exact or report.status is Status.PASSED:
        return report
    if box.escapes and _has_marks(chunks()):
        other = read(not found.unescape, found.line_ends)
        return min(report, other, key=lambda one: (_ORDER[one.status], len(one.changes)))
    return report


def _without_last_end(pieces: Iterable[bytes]) -> Iterator[bytes]:
    last = b""
    for piece in pieces:
        last += piece
        yield last[:-2]
        last = last[-2:]
    yield last.removesuffix(b"\r\n")


def _has_marks(pieces: Iterable[bytes]) -> bool:
    unescaper = Unescaper()
    for piece in pieces:
        unescaper.feed(piece)
    unescaper.finish()
    return unescaper.found


def _again(box: _Box, index: int) -> tuple[Said, Callable[[], Iterable[bytes]]]:
    """A message's place, and its pieces afresh at every call: held if it is small enough."""
    place, pieces = _at(box, index)
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > MAX_HELD_BYTES:
            return place, lambda: _at(box, index)[1]
    data = b"".join(held)
    return place, lambda: [data]


def _at(box: _Box, index: int) -> tuple[Said, Iterable[bytes]]:
    found = next(islice(box.messages(), index, None), None)
    if found is None:
        raise Unreadable("it changed while it was read")
    return found

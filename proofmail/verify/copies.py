"""Copies against a proof (SPEC §10): a mail, a saved file, a bare digest.

A mail copy passes when its bytes are those recorded, or when every recorded part and From, To,
Cc, Subject and Date match on a content rung and nothing was added. Anything else *differs*, and
the report names what. A file or a digest is only ever "this file", never "this mail".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha3_256, sha256
from itertools import takewhile

from proofmail.core.canonical import Json, base64url
from proofmail.core.mapping import fingerprint_claim, header_claims, mail_claims, part_claim
from proofmail.core.scan import Scan, Scanner
from proofmail.verify.report import CopyReport, PartMatch, Status
from proofmail.verify.words import Said, said

_MAIL_START = re.compile(rb"(?:From [^\n]*\n)?(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
_LONE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_VAGUE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]|=\?[^ ?]+\?[bBqQ]\?")
"""What stands for more than one spelling, or is shown in more than one way: lost bytes, controls
(iso-8859-1 has those that programs take for windows-1252), encoded words left as they are."""

_BEYOND = frozenset(
    {"header.too-large", "structure.no-parts", "structure.too-deep", "structure.too-many-parts"}
)
_AMBIGUOUS = _BEYOND | {
    "header.address", "header.blank-before-colon", "header.blank-line", "header.content-type",
    "header.duplicate", "header.encoded-word", "header.no-separator", "header.parameter",
    "structure.near-boundary", "structure.no-boundary", "structure.start", "structure.unclosed",
    "transfer.base64-after-padding", "transfer.base64-foreign", "transfer.base64-padding",
    "transfer.on-multipart", "transfer.parameter", "transfer.qp-malformed", "transfer.unknown",
}  # fmt: skip
"""Defects (SPEC §3.9.1) that mail programs read each in its own way: SPEC §10.2."""

_UNCOVERED = ("structure.epilogue", "structure.preamble")
_SAID_ELSEWHERE = frozenset({"message/external-body", "message/partial"})
"""Types that show what their parameters say, and these have no fingerprint."""

_MAIL_CLAIMS = re.compile(
    r"header\..+|link\.message_id|message\.parts|part\.\d+|receipt\.report", re.ASCII
)
"""Claims that follow from the bytes of the mail alone."""

_WEAKER = ("html-text/1", "words/1")
"""Rules that a text can be equal under when its text/1 differs, the stronger first."""

MAX_DEFECTS = 200


@dataclass(frozen=True)
class Copy:
    """A copy by its name; `chunks` reads its bytes afresh at every call."""

    name: str
    chunks: Callable[[], Iterable[bytes]]


def judge_copy(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    """What this copy matches of the disclosed `claims`, and what differs."""
    found = judge_file(copy, claims)
    if found.status is Status.PASSED or not _looks_like_mail(copy):
        return found
    return judge_mail(copy, claims)


def judge_digest(hexadecimal: str, claims: Mapping[str, Json]) -> CopyReport:
    """A bare SHA-256 or SHA3-256, in hexadecimal, against every recorded fingerprint."""
    name = f"digest {hexadecimal}"
    try:
        wanted = base64url(bytes.fromhex(hexadecimal))
    except ValueError:
        wanted = ""
    for part, label, fingerprint in _recorded(claims):
        if wanted and wanted in (fingerprint["sha256"], fingerprint.get("sha3-256")):
            match = PartMatch(part, label, fingerprint["rule"])
            finding = said("digest.same", part=called(part, label))
            return CopyReport(name, "digest", Status.PASSED, finding, (match,))
    return CopyReport(name, "digest", Status.FAILED, said("digest.none"))


def judge_file(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    """Whether the file is, byte for byte, a recorded part (SPEC §10.1)."""
    first, second, size = sha256(), sha3_256(), 0
    for chunk in copy.chunks():
        first.update(chunk)
        second.update(chunk)
        size += len(chunk)
    digests = base64url(first.digest()), base64url(second.digest())
    for part, label, fingerprint in _recorded(claims):
        if fingerprint["rule"] in ("decoded/1", "digest") and _equal(fingerprint, size, *digests):
            match = PartMatch(part, label, fingerprint["rule"])
            finding = said("file.same", part=called(part, label))
            return CopyReport(copy.name, "file", Status.PASSED, finding, (match,))
    return CopyReport(copy.name, "file", Status.FAILED, said("file.none"))


def _equal(fingerprint: Json, size: int, first: str, second: str) -> bool:
    return bool(
        fingerprint["size"] == size
        and fingerprint["sha256"] == first
        and fingerprint.get("sha3-256", second) == second
    )


def _recorded(claims: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """Claim name, attachment name and fingerprint of all that was recorded and is disclosed."""
    for fingerprint in claims.get("message.fingerprints", []):
        yield "message", "", fingerprint
    for name, value in claims.items():
        if name.startswith("part."):
            for fingerprint in value["fingerprints"]:
                yield name, value.get("name", ""), fingerprint
        elif name.startswith("digest."):
            yield name, value.get("name", ""), {"rule": "digest", **value}


def called(claim: str, label: str) -> Said:
    """How a report names what a claim is about: `part 2 (offre.pdf)`."""
    kind, _, number = claim.partition(".")
    if not number:
        return said(kind)
    return said(f"{kind}.named", number=number, name=label) if label else said(kind, number=number)


def _looks_like_mail(copy: Copy) -> bool:
    if copy.name.lower().endswith((".eml", ".mail")):
        return True
    start = b""
    for chunk in copy.chunks():
        start += chunk
        if len(start) >= 4096:
            break
    return bool(_MAIL_START.match(start[:65536]))


def judge_mail(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    """The copy as a mail (SPEC §10.2)."""
    bare_returns, bare_feeds = _bare_line_ends(copy.chunks())
    scans: list[tuple[Scan, tuple[Said, ...]]] = [(scanned(copy.chunks()), ())]
    if bare_feeds:
        scans.append((scanned(with_crlf(copy.chunks())), (said("line-ends"),)))
    for scan, notes in scans:
        if _same_bytes(scan, claims):
            return _very_mail(copy.name, scan, claims, notes)
    scan, notes = scans[-1]
    report = _compare(copy.name, scan, claims, notes)
    if not bare_returns:
        return report
    status, finding = report.status, report.finding
    if status is Status.PASSED:
        status, finding = Status.NOT_CHECKED, said("undecided")
    remarks = (*report.remarks, said("bare-cr"))
    return replace(report, status=status, finding=finding, remarks=remarks)


def _very_mail(
    name: str, scan: Scan, claims: Mapping[str, Json], notes: tuple[Said, ...]
) -> CopyReport:
    """The bytes are the recorded ones. The claims must then be what the rules make of them: the
    bytes of one mail under the subject of another would be a lie of the service's."""
    differences = tuple(
        said("record.contradicts", claim=claim) for claim in _contradicted(scan, claims)
    )
    if differences:
        finding = said("record.lies")
        return CopyReport(name, "mail", Status.FAILED, finding, (), differences, notes)
    matches = tuple(
        PartMatch(part, label, "raw/1") for part, label, _ in _distinct(_recorded(claims))
    )
    return CopyReport(name, "mail", Status.PASSED, said("same.bytes"), matches, (), notes)


def _contradicted(scan: Scan, claims: Mapping[str, Json]) -> list[str]:
    """Names of disclosed claims that the mail's own bytes contradict. Notes, and fingerprints by
    rules that one side does not have, are passed over: later versions may add some."""
    expected = mail_claims(scan)
    found = [
        name
        for name, value in claims.items()
        if _MAIL_CLAIMS.fullmatch(name) and not _agrees(value, expected.get(name))
    ]
    recorded = claims.get("defects", [])
    if len(recorded) < MAX_DEFECTS and not set(expected["defects"]) <= set(recorded):
        found.append("defects")
    return found


def _agrees(value: Json, other: Json) -> bool:
    if not isinstance(value, dict) or "fingerprints" not in value:
        return bool(value == other)
    if other is None or any(
        value.get(name) != other.get(name) for name in ("charset", "name", "path", "role", "type")
    ):
        return False
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    return all(theirs.get(item["rule"], item) == item for item in value["fingerprints"])


def _distinct(rows: Iterable[tuple[str, str, Json]]) -> Iterator[tuple[str, str, Json]]:
    seen = set()
    for row in rows:
        if row[0] not in seen:
            seen.add(row[0])
            yield row


def scanned(chunks: Iterable[bytes]) -> Scan:
    scanner = Scanner()
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.finish()


def _bare_line_ends(chunks: Iterable[bytes]) -> tuple[bool, bool]:
    """Whether a CR, and whether a LF, stands outside a CRLF. Programs save mails with LF."""
    last = b""
    returns = feeds = pairs = 0
    for chunk in chunks:
        returns += chunk.count(b"\r")
        feeds += chunk.count(b"\n")
        pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        last = chunk[-1:] or last
    return returns != pairs, feeds != pairs


def with_crlf(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, every lone LF as CRLF (SPEC §3.1.1); a chunk may end within a CRLF."""
    last = b""
    for chunk in chunks:
        if not chunk:
            continue
        whole = last == b"\r" and chunk[:1] == b"\n"
        last = chunk[-1:]
        yield chunk[:whole] + _LONE_LINE_FEED.sub(b"\r\n", chunk[whole:])


def _same_bytes(scan: Scan, claims: Mapping[str, Json]) -> bool:
    recorded = {item["rule"]: item for item in claims.get("message.fingerprints", [])}
    found = {item.rule: fingerprint_claim(item) for item in scan.fingerprints}
    return "raw/1" in recorded and recorded["raw/1"] == found.get("raw/1")


def _compare(
    name: str, scan: Scan, claims: Mapping[str, Json], notes: tuple[Said, ...]
) -> CopyReport:
    comparison = Comparison()
    compare_headers(comparison, header_claims(scan).items(), claims)
    comparison.questions += [
        said("defect.ambiguous", defect=defect) for defect in scan.defects if defect in _AMBIGUOUS
    ]
    notes += tuple(
        said("defect.uncovered", defect=defect)
        for defect in _UNCOVERED
        if defect in scan.defects and defect not in claims.get("defects", [])
    )
    if not _BEYOND.isdisjoint(scan.defects):
        return comparison.report(name, notes)
    recorded, complete = recorded_parts(comparison, claims)
    added = _pair(comparison, recorded, [part_claim(part) for part in scan.parts])
    if complete:
        comparison.differences += added
        paths, now = [part["path"] for _, part in recorded], [part.path for part in scan.parts]
        if len(paths) == len(now) and _grouping(paths) != _grouping(now):
            comparison.differences.append(said("parts.grouping"))
    return comparison.report(name, notes)


@dataclass
class Comparison:
    """What a comparison has found so far. `questions` are what keeps it from being a match."""

    matches: list[PartMatch] = field(default_factory=list)
    differences: list[Said] = field(default_factory=list)
    questions: list[Said] = field(default_factory=list)

    def report(self, name: str, notes: tuple[Said, ...] = ()) -> CopyReport:
        """SPEC §10.2, steps 2 to 4."""
        if self.differences:
            status, key = Status.FAILED, "differs"
        elif self.questions:
            status, key = Status.NOT_CHECKED, "undecided"
        else:
            by_words = any(match.rung == "words/1" for match in self.matches)
            status, key = Status.PASSED, "same.words" if by_words else "same.content"
        differences = tuple(dict.fromkeys(self.differences))
        remarks = (*notes, *dict.fromkeys(self.questions))
        return CopyReport(
            name, "mail", status, said(key), tuple(self.matches), differences, remarks
        )


def recorded_parts(
    comparison: Comparison, claims: Mapping[str, Json]
) -> tuple[list[tuple[int, Json]], bool]:
    """The parts that the proof shows, and whether these are all; with what they leave open."""
    count = claims.get("message.parts")
    recorded = [
        (number, claims[f"part.{number}"])
        for number in range(1, (count or 500) + 1)
        if f"part.{number}" in claims
    ]
    if count is None:
        comparison.questions.append(said("parts.unknown"))
    elif len(recorded) != count:
        comparison.questions.append(said("parts.hidden", count=count - len(recorded), total=count))
    comparison.questions += [question for row in recorded for question in _part_questions(*row)]
    return recorded, count == len(recorded)


def _part_questions(number: int, part: Json) -> Iterator[Said]:
    """Why a part's equality would not be enough: what is equal stands for several things."""
    if _VAGUE.search(part.get("name", "")):
        yield said("part.name-vague", number=number)
    if part.get("charset") == "?":
        yield said("part.charset-vague", number=number)
    if part["type"] in _SAID_ELSEWHERE:
        yield said("part.said-elsewhere", number=number)


def compare_headers(
    comparison: Comparison, values: Iterable[tuple[str, Json]], claims: Mapping[str, Json]
) -> None:
    """Each value must be the recorded one; a source may give one header more than once."""
    for name, value in values:
        title = said(name)
        if name not in claims:
            comparison.questions.append(said("header.hidden", field=title))
        elif claims[name] != value:
            comparison.differences.append(said("header.differs", field=title))
        elif any(_vague(item) for item in value):
            comparison.questions.append(said("header.vague", field=title))


def _vague(item: Json) -> bool:
    """A value that stands for more than one spelling never counts as a match."""
    if isinstance(item, dict):
        return bool(_VAGUE.search(item["name"]) or _VAGUE.search(item["address"]))
    return bool(item.startswith("?") or _VAGUE.search(item))


def _pair(
    comparison: Comparison, recorded: list[tuple[int, Json]], found: list[Json]
) -> list[Said]:
    """Each recorded part with its counterpart, and what changed; returns what was added."""
    differences = comparison.differences
    free = dict(enumerate(found))
    order = -1
    unmatched: list[tuple[int, Json]] = []
    for number, part in recorded:
        ranked = sorted(free, key=lambda index: (index != number - 1, index))
        index, rung = next(((i, r) for i in ranked if (r := content_rung(part, free[i]))), (-1, ""))
        comparison.matches.append(PartMatch(f"part.{number}", part.get("name", ""), rung))
        if not rung:
            unmatched.append((number, part))
            continue
        other = free.pop(index)
        label = called(f"part.{number}", part.get("name", ""))
        differences += _changed_labels(label, part, other)
        around = _notes(part, "in.")
        if around != _notes(other, "in."):
            # One that stood in no multipart may be shown alike in one around it.
            place = differences if around else comparison.questions
            place.append(said("part.container", part=label))
        if index < order:
            differences.append(said("part.place", part=label))
        order = max(order, index)
    for number, part in unmatched:
        differences.append(_missing(number, part, free))
    return [said("part.added", what=described(part)) for part in free.values()]


def content_rung(part: Json, other: Json) -> str:
    """The strongest content rung on which two parts are equal; "" for none."""
    is_text = part["type"].startswith("text/")
    if is_text and part["type"] != other["type"]:
        return ""
    mine = {item["rule"]: item for item in part["fingerprints"]}
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    same_bytes = "decoded/1" in mine and mine["decoded/1"] == theirs.get("decoded/1")
    if not is_text:
        return "decoded/1" if same_bytes else ""
    same_bytes = same_bytes and part.get("charset") == other.get("charset")
    # Where there is no text/1 that would show it.
    same_bytes = same_bytes and _notes(part, "text.flowed", "text.delsp") == _notes(
        other, "text.flowed", "text.delsp"
    )
    if "text/1" in mine:
        # Asked for beside the same bytes too: another format=flowed or delsp joins lines and words.
        if mine["text/1"] == theirs.get("text/1"):
            return "decoded/1" if same_bytes else "text/1"
        weaker = (rule for rule in _WEAKER if rule in mine and mine[rule] == theirs.get(rule))
        return next(weaker, "")
    return "decoded/1" if same_bytes else ""


def _changed_labels(label: Said, part: Json, other: Json) -> list[Said]:
    changes = []
    if part.get("name") != other.get("name"):
        changes.append(said("part.name", part=label, name=other.get("name", said("none"))))
    elif part["role"] != other["role"]:
        now, before = said(f"role.{other['role']}"), said(f"role.{part['role']}")
        changes.append(said("part.role", part=label, now=now, before=before))
    if part["type"] != other["type"]:
        changes.append(said("part.type", part=label, now=other["type"], before=part["type"]))
    if _notes(part, "method.") != _notes(other, "method."):
        changes.append(said("part.method", part=label))
    return changes


def _notes(part: Json, *starts: str) -> set[str]:
    return {note for note in part.get("notes", ()) if note.startswith(starts)}


def _grouping(paths: Sequence[str]) -> list[list[str]]:
    """The paths without what all of them begin with: a multipart around all the rest."""
    split = [path.split(".") for path in paths]
    levels = zip(*split, strict=False)  # as many as the shortest path has
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))
    return [path[shared:] for path in split]


def _missing(number: int, part: Json, free: dict[int, Json]) -> Said:
    """Says of an unmatched part that it changed, if its counterpart can be told, else missing."""
    for index, other in free.items():
        same_name = "name" in part and part["name"] == other.get("name")
        if same_name or (part["path"] == other["path"] and part["role"] == other["role"]):
            del free[index]
            return said("part.changed", number=number, what=described(part))
    return said("part.missing", number=number, what=described(part))


def described(part: Json) -> Said:
    """A part by its role and its name or type: `attachment offre.pdf`."""
    name = part.get("name", part.get("type", ""))
    return said("described", role=said(f"role.{part['role']}"), name=name)

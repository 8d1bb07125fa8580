"""A mail against a proof (SPEC §10.2).

It passes when its bytes are those recorded, or when every recorded part and From, To, Cc, Subject
and Date match on a content rung and nothing was added. Anything else *differs*, and the report
names what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from proofmail.core.canonical import Json, base64url
from proofmail.core.mapping import (
    fingerprint_claim,
    header_claims,
    identifier_digest,
    mail_claims,
    part_claim,
)
from proofmail.core.scan import Scan
from proofmail.verify.comparison import Comparison, recorded_fingerprints, recorded_parts
from proofmail.verify.copy_bytes import Copy, bare_line_ends, scanned, with_crlf
from proofmail.verify.fields import compare_headers
from proofmail.verify.parts import enclosing, grouping, pair
from proofmail.verify.report import CopyReport, PartMatch, Status
from proofmail.verify.words import Said, said

_BEYOND = frozenset(
    {"header.too-large", "structure.no-parts", "structure.too-deep", "structure.too-many-parts"}
)
_AMBIGUOUS = _BEYOND | {
    "header.address", "header.blank-before-colon", "header.blank-line", "header.content-type",
    "header.duplicate", "header.encoded-word", "header.no-separator", "header.parameter",
    "structure.near-boundary", "structure.no-boundary", "structure.start", "structure.unclosed",
    "transfer.base64-after-padding", "transfer.base64-foreign", "transfer.base64-padding",
    "transfer.on-message", "transfer.on-multipart", "transfer.parameter", "transfer.qp-malformed",
    "transfer.unknown",
}  # fmt: skip
"""Defects (SPEC §3.9.1) that mail programs read each in its own way: SPEC §10.2."""

_UNCOVERED = ("structure.epilogue", "structure.preamble")
_MAIL_CLAIMS = re.compile(
    r"header\..+|link\.message_id|message\.(?:links|parts)|part\.\d+|receipt\.report", re.ASCII
)
"""Claims that follow from the bytes of the mail alone."""

_LATER = ("content_id", "content_location", "files", "images")
"""Members of a part that a record of an earlier version does not have."""

MAX_DEFECTS = 200


def judge_mail(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    """The copy as a mail (SPEC §10.2)."""
    bare_returns, bare_feeds = bare_line_ends(copy.chunks())
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
        PartMatch(part, label, "raw/1")
        for part, label, _ in _distinct(recorded_fingerprints(claims))
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
    return sorted(found)


def _agrees(value: Json, other: Json) -> bool:
    if not isinstance(value, dict) or "fingerprints" not in value:
        return bool(value == other)
    if other is None or any(
        value.get(name) != other.get(name) for name in ("charset", "name", "path", "role", "type")
    ):
        return False
    if any(value[name] != other.get(name) for name in _LATER if name in value):
        return False
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    return all(theirs.get(item["rule"], item) == item for item in value["fingerprints"])


def _distinct(rows: Iterable[tuple[str, str, Json]]) -> Iterator[tuple[str, str, Json]]:
    seen = set()
    for row in rows:
        if row[0] not in seen:
            seen.add(row[0])
            yield row


def _same_bytes(scan: Scan, claims: Mapping[str, Json]) -> bool:
    return _same_whole(scan, claims, "raw/1") is not None


def _same_whole(scan: Scan, claims: Mapping[str, Json], rule: str) -> Json | None:
    """The fingerprint of the whole under this rule, if the copy has the recorded one."""
    recorded = {item["rule"]: item for item in claims.get("message.fingerprints", [])}
    found = {item.rule: fingerprint_claim(item) for item in scan.fingerprints}
    same = rule in recorded and recorded[rule] == found.get(rule)
    return recorded[rule] if same else None


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
    if _BEYOND.isdisjoint(scan.defects):
        _compare_parts(comparison, scan, claims)
    differs = bool(comparison.differences)
    return comparison.report(name, (*notes, *_evidence(scan, claims, differs=differs)))


def _compare_parts(comparison: Comparison, scan: Scan, claims: Mapping[str, Json]) -> None:
    recorded, complete = recorded_parts(comparison, claims)
    found = [part_claim(part) for part in scan.parts]
    added = pair(comparison, recorded, found, complete=complete)
    if complete:
        comparison.differences += added
        mine = [part for _, part in recorded]
        paths, now = [part["path"] for part in mine], [part["path"] for part in found]
        if len(paths) == len(now) and grouping(paths) != grouping(now):
            comparison.differences.append(said("parts.grouping"))
        number = enclosing(mine, found)
        if number:
            comparison.remarks.append(said("enclosed", number=number))


def _evidence(scan: Scan, claims: Mapping[str, Json], *, differs: bool) -> Iterator[Said]:
    """What else the two have in common. It makes no copy pass: SPEC §3.11, §4.2."""
    body = _same_whole(scan, claims, "body-relaxed/1")
    if body is not None and body["size"]:
        yield said("body-same")
    recorded = claims.get("link.message_id")
    if recorded is None:
        return
    if scan.message_id is not None and base64url(identifier_digest(scan.message_id)) == recorded:
        if differs:
            yield said("id.same")
        return
    yield said("id.other" if scan.message_id is not None else "id.none")
    if any(base64url(identifier_digest(one)) == recorded for one in scan.references):
        yield said("id.answers")

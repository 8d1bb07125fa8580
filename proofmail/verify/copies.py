"""Copies against a proof (SPEC §10): a mail, a saved file, a bare digest.

A mail copy passes when its bytes are those recorded, or when every recorded part and From, To,
Cc, Subject and Date match on a content rung and nothing was added. Anything else *differs*, and
the report names what. A file or a digest is only ever "this file", never "this mail".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha3_256, sha256

from proofmail.core.scan import Scan, Scanner

from proofmail.core.canonical import Json, base64url
from proofmail.core.mapping import fingerprint_claim, header_claims, part_claim
from proofmail.verify.report import CopyReport, PartMatch, Status

HEADERS = {
    "header.from": "From",
    "header.to": "To",
    "header.cc": "Cc",
    "header.subject": "Subject",
    "header.date": "Date",
}
_MAIL_START = re.compile(
    rb"(?:From [^\n]*\n)?(?:[!-9;-~]+:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2,}", re.DOTALL
)
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Copy:
    """A copy by its name; `chunks` reads its bytes afresh at every call."""

    name: str
    chunks: Callable[[], Iterable[bytes]]


def judge_copy(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    """What this copy matches of the disclosed `claims`, and what differs."""
    found = _judge_file(copy, claims)
    if found.status is Status.PASSED or not _looks_like_mail(copy):
        return found
    return _judge_mail(copy, claims)


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
            verdict = f"this digest is that of {_called(part, label)}"
            return CopyReport(name, "digest", Status.PASSED, verdict, (match,))
    return CopyReport(name, "digest", Status.FAILED, "no recorded part has this digest")


def _judge_file(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    first, second, size = sha256(), sha3_256(), 0
    for chunk in copy.chunks():
        first.update(chunk)
        second.update(chunk)
        size += len(chunk)
    digests = base64url(first.digest()), base64url(second.digest())
    for part, label, fingerprint in _recorded(claims):
        if fingerprint["rule"] in ("decoded/1", "digest") and _equal(fingerprint, size, *digests):
            match = PartMatch(part, label, fingerprint["rule"])
            verdict = f"this file has the very bytes of {_called(part, label)}"
            return CopyReport(copy.name, "file", Status.PASSED, verdict, (match,))
    verdict = "this file has the bytes of no recorded part"
    return CopyReport(copy.name, "file", Status.FAILED, verdict)


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


def _called(part: str, label: str) -> str:
    return f"{part.replace('.', ' ')}" + (f" ({label})" if label else "")


def _looks_like_mail(copy: Copy) -> bool:
    if copy.name.lower().endswith((".eml", ".mail")):
        return True
    start = b""
    for chunk in copy.chunks():
        start += chunk
        if len(start) >= 4096:
            break
    return bool(_MAIL_START.match(start[:65536]))


def _judge_mail(copy: Copy, claims: Mapping[str, Json]) -> CopyReport:
    scans = [(_scan(copy.chunks()), "")]
    if _has_bare_line_ends(copy.chunks()):
        scans.append((_scan(with_crlf(copy.chunks())), "line ends were turned into CRLF"))
    for scan, note in scans:
        if _same_bytes(scan, claims):
            matches = tuple(
                PartMatch(name, label, "raw/1") for name, label, _ in _distinct(_recorded(claims))
            )
            verdict = "this is the very mail that the service received, byte for byte"
            notes = (note,) if note else ()
            return CopyReport(copy.name, "mail", Status.PASSED, verdict, matches, (), notes)
    scan, note = scans[-1]
    return _compare(copy.name, scan, claims, (note,) if note else ())


def _distinct(rows: Iterable[tuple[str, str, Json]]) -> Iterator[tuple[str, str, Json]]:
    seen = set()
    for row in rows:
        if row[0] not in seen:
            seen.add(row[0])
            yield row


def _scan(chunks: Iterable[bytes]) -> Scan:
    scanner = Scanner()
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.finish()


def _has_bare_line_ends(chunks: Iterable[bytes]) -> bool:
    """Whether a CR or LF stands outside a CRLF: programs save mails with their own line ends."""
    last = b""
    returns = feeds = pairs = 0
    for chunk in chunks:
        returns += chunk.count(b"\r")
        feeds += chunk.count(b"\n")
        pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        last = chunk[-1:] or last
    return returns != pairs or feeds != pairs


def with_crlf(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes with every CR, LF and CRLF as CRLF; a CRLF cut by a chunk's end is one."""
    held = False
    for chunk in chunks:
        if not chunk:
            continue
        if held:
            chunk = b"\r" + chunk
        held = chunk.endswith(b"\r")
        if held:
            chunk = chunk[:-1]
        plain = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield plain.replace(b"\n", b"\r\n")
    if held:
        yield b"\r\n"


def _same_bytes(scan: Scan, claims: Mapping[str, Json]) -> bool:
    recorded = {item["rule"]: item for item in claims.get("message.fingerprints", [])}
    found = {item.rule: fingerprint_claim(item) for item in scan.fingerprints}
    return "raw/1" in recorded and recorded["raw/1"] == found.get("raw/1")


def _compare(
    name: str, scan: Scan, claims: Mapping[str, Json], notes: tuple[str, ...]
) -> CopyReport:
    differences, open_questions = _compare_headers(scan, claims)
    count = claims.get("message.parts")
    recorded = [
        (number, claims[f"part.{number}"])
        for number in range(1, (count or 500) + 1)
        if f"part.{number}" in claims
    ]
    if count is None:
        open_questions.append("how many parts the mail had is not shown, or was not recorded")
    elif len(recorded) != count:
        open_questions.append(f"{count - len(recorded)} of {count} parts are not shown")
    matches, missing, added = _pair(recorded, [part_claim(part) for part in scan.parts])
    differences += missing
    if not open_questions:
        differences += added
    if differences:
        status, verdict = Status.FAILED, "this copy differs from the mail that was recorded"
    elif open_questions:
        status, verdict = Status.NOT_CHECKED, "nothing differs, but not all can be compared"
    else:
        status = Status.PASSED
        verdict = "same content; the bytes differ, and the appearance is not proven"
    return CopyReport(
        name, "mail", status, verdict, tuple(matches), tuple(differences),
        (*notes, *open_questions),
    )  # fmt: skip


def _compare_headers(scan: Scan, claims: Mapping[str, Json]) -> tuple[list[str], list[str]]:
    differences, open_questions = [], []
    for name, value in header_claims(scan).items():
        title = HEADERS[name]
        if name not in claims:
            open_questions.append(f"{title} is not shown")
        elif claims[name] != value:
            differences.append(f"{title} differs")
        elif any(_vague(item) for item in value):
            open_questions.append(f"{title} has unreadable bytes and can be compared by raw/1 only")
    return differences, open_questions


def _vague(item: Json) -> bool:
    """A value that stands for more than one spelling never counts as a match."""
    if isinstance(item, dict):
        return _REPLACEMENT in item["name"] or _REPLACEMENT in item["address"]
    return item.startswith("?") or _REPLACEMENT in item


def _pair(
    recorded: list[tuple[int, Json]], found: list[Json]
) -> tuple[list[PartMatch], list[str], list[str]]:
    """Each recorded part with its counterpart; then what is missing or changed, what was added."""
    matches, differences = [], []
    free = dict(enumerate(found))
    order = -1
    unmatched: list[tuple[int, Json]] = []
    for number, part in recorded:
        ranked = sorted(free, key=lambda index: (index != number - 1, index))
        index, rung = next(((i, r) for i in ranked if (r := _rung(part, free[i]))), (-1, ""))
        matches.append(PartMatch(f"part.{number}", part.get("name", ""), rung))
        if not rung:
            unmatched.append((number, part))
            continue
        other = free.pop(index)
        label = f"part {number}" + (f" ({part['name']})" if "name" in part else "")
        differences += _changed_labels(label, part, other)
        if index < order:
            differences.append(f"{label} stands at another place")
        order = max(order, index)
    for number, part in unmatched:
        differences.append(_missing(number, part, free))
    added = [f"a part was added: {_describe(part)}" for part in free.values()]
    return matches, differences, added


def _rung(part: Json, other: Json) -> str:
    """The strongest content rung on which two parts are equal; "" for none."""
    is_text = part["type"].startswith("text/")
    if is_text and part["type"] != other["type"]:
        return ""
    mine = {item["rule"]: item for item in part["fingerprints"]}
    theirs = {item["rule"]: item for item in other["fingerprints"]}
    same_charset = part.get("charset") == other.get("charset")
    for rule in ("decoded/1", "text/1"):
        if rule not in mine or mine[rule] != theirs.get(rule):
            continue
        if rule == "text/1" and not is_text:
            continue
        if rule == "decoded/1" and is_text and not same_charset:
            continue
        return rule
    return ""


def _changed_labels(label: str, part: Json, other: Json) -> list[str]:
    changes = []
    if part.get("name") != other.get("name"):
        changes.append(f"{label} has another name: {other.get('name', 'none')}")
    elif part["role"] != other["role"]:
        changes.append(f"{label} is now {other['role']}, was {part['role']}")
    if part["type"] != other["type"]:
        changes.append(f"{label} is declared as {other['type']}, was {part['type']}")
    return changes


def _missing(number: int, part: Json, free: dict[int, Json]) -> str:
    """Says of an unmatched part that it changed, if its counterpart can be told, else missing."""
    for index, other in free.items():
        same_name = "name" in part and part["name"] == other.get("name")
        if same_name or (part["path"] == other["path"] and part["role"] == other["role"]):
            del free[index]
            return f"the content of part {number} changed: {_describe(part)}"
    return f"part {number} is missing: {_describe(part)}"


def _describe(part: Json) -> str:
    return f"{part['role']} {part.get('name', part['type'])}"

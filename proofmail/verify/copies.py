"""Copies against a proof (SPEC §10): a mail, a saved file, a bare digest. A file or a digest is
only ever "this file", never "this mail"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha3_256, sha256

from proofmail.core.canonical import Json, base64url
from proofmail.verify.comparison import recorded_fingerprints
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.mail_copy import judge_mail
from proofmail.verify.parts_words import called
from proofmail.verify.report import CopyReport, PartMatch, Status
from proofmail.verify.words import Said, said

__all__ = ["Copy", "judge_copy", "judge_digest", "judge_file"]

_MAIL_START = re.compile(rb"(?:From [^\n]*\n)?(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")


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
    for part, label, fingerprint in recorded_fingerprints(claims):
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
    for part, label, fingerprint in recorded_fingerprints(claims):
        if fingerprint["rule"] in ("decoded/1", "digest") and _equal(fingerprint, size, *digests):
            match = PartMatch(part, label, fingerprint["rule"])
            finding = said("file.same", part=called(part, label))
            return CopyReport(copy.name, "file", Status.PASSED, finding, (match,))
    remarks = tuple(_of_this_name(copy.name, size, claims))
    return CopyReport(copy.name, "file", Status.FAILED, said("file.none"), remarks=remarks)


def _of_this_name(name: str, size: int, claims: Mapping[str, Json]) -> Iterator[Said]:
    """A saved file that was changed is still the one that its name says."""
    for part, label, fingerprint in recorded_fingerprints(claims):
        if label and label == name and fingerprint["rule"] in ("decoded/1", "digest"):
            number = called(part, "")
            yield said("file.other-content", part=number, before=fingerprint["size"], now=size)


def _equal(fingerprint: Json, size: int, first: str, second: str) -> bool:
    return bool(
        fingerprint["size"] == size
        and fingerprint["sha256"] == first
        and fingerprint.get("sha3-256", second) == second
    )


def _looks_like_mail(copy: Copy) -> bool:
    if copy.name.lower().endswith((".eml", ".mail")):
        return True
    start = b""
    for chunk in copy.chunks():
        start += chunk
        if len(start) >= 4096:
            break
    return bool(_MAIL_START.match(start[:65536]))

"""From what the scanner saw to claims (SPEC §4.2): the one spelling that intake records and the
verifier compares copies with."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from proofmail.core.canonical import Json, base64url
from proofmail.core.model import File
from proofmail.core.scan import Fingerprint, Mailbox, Part, Scan


def fingerprint_claim(fingerprint: Fingerprint) -> Json:
    value = {
        "rule": fingerprint.rule,
        "sha256": base64url(fingerprint.sha256),
        "size": fingerprint.size_bytes,
    }
    if fingerprint.sha3_256 is not None:
        value["sha3-256"] = base64url(fingerprint.sha3_256)
    return value


def part_claim(part: Part) -> Json:
    value: Json = {
        "fingerprints": [fingerprint_claim(item) for item in part.fingerprints],
        "path": part.path,
        "role": part.role,
        "type": part.type,
    }
    if part.charset is not None:
        value["charset"] = part.charset
    if part.name is not None:
        value["name"] = part.name
    if part.notes:
        value["notes"] = sorted(set(part.notes))
    if part.content_id is not None:
        value["content_id"] = base64url(part.content_id)
    if part.content_location is not None:
        value["content_location"] = base64url(part.content_location)
    if part.images:
        value["images"] = list(part.images)
    if part.files:
        value["files"] = [_file_claim(file) for file in part.files]
    return value


def _file_claim(file: File) -> Json:
    value: Json = {
        "sha256": base64url(file.sha256),
        "sha3-256": base64url(file.sha3_256),
        "size": file.size_bytes,
    }
    return value if file.name is None else {**value, "name": file.name}


def header_claims(scan: Scan) -> dict[str, Json]:
    """The five header values that a mail copy must match."""
    return {
        "header.cc": _mailboxes(scan.cc),
        "header.date": list(scan.date),
        "header.from": _mailboxes(scan.from_),
        "header.subject": list(scan.subject),
        "header.to": _mailboxes(scan.to),
    }


def mail_claims(scan: Scan) -> dict[str, Json]:
    """Every claim of a mail that comes from its bytes alone.

    `message.parts` and `part.N` are left out when the structure went beyond the caps: then
    raw/1 alone speaks for the mail, and a defect says why.
    """
    claims = header_claims(scan)
    claims["defects"] = sorted(set(scan.defects))
    claims["header.receipt_requested"] = scan.receipt_requested
    claims["message.fingerprints"] = [fingerprint_claim(item) for item in scan.fingerprints]
    if scan.message_id is not None:
        claims["link.message_id"] = base64url(identifier_digest(scan.message_id))
    if scan.parts:
        claims["message.parts"] = len(scan.parts)
        for number, part in enumerate(scan.parts, 1):
            claims[f"part.{number}"] = part_claim(part)
    if scan.links:
        claims["message.links"] = [{"count": count, "host": host} for host, count in scan.links]
    if scan.report is not None:
        claims["receipt.report"] = {
            "disposition": scan.report.disposition or "",
            "final_recipient": scan.report.final_recipient or "",
            "form": scan.report.form,
            "kind": scan.report.kind,
        }
    return claims


def identifier_digest(message_id: str) -> bytes:
    """The SHA-256 of a Message-ID's text between its angle brackets, in UTF-8."""
    return sha256(message_id.encode("utf-8")).digest()


def _mailboxes(mailboxes: Iterable[Mailbox]) -> Json:
    return [{"address": item.address, "name": item.name} for item in mailboxes]

"""Enclosed messages: encoded ones are taken apart, and what their header says has a digest."""

from __future__ import annotations

import base64
import hashlib
import json
import quopri
from collections.abc import Callable

import pytest

from proofmail.core.mapping import mail_claims
from proofmail.core.model import Fingerprint, Scan
from proofmail.core.scan import Scanner, scan

HEAD = b"From: a@x.example\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
INNER = (
    b"From: Ren\xc3\xa9 <r@Y.example>\r\nTo: b@z.example\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n"
    b"Date: Fri, 20 Nov 2026 09:00:00 +0100\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n1 200 \xe2\x82\xac\r\n"
)


def enclosing(inner: bytes, encoding: str = "", kind: str = "message/rfc822") -> bytes:
    field = f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    return HEAD + f"Content-Type: {kind}\r\n{field}\r\n".encode() + inner


def in_base64(inner: bytes) -> bytes:
    return base64.encodebytes(inner).replace(b"\n", b"\r\n")


def in_quoted_printable(inner: bytes) -> bytes:
    return quopri.encodestring(inner.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def values(found: Scan) -> Fingerprint | None:
    by_rule = {item.rule: item for item in found.parts[0].fingerprints}
    return by_rule.get("header-values/1")


@pytest.mark.parametrize(
    ("encoding", "encode"), [("base64", in_base64), ("quoted-printable", in_quoted_printable)]
)
def test_an_encoded_message_is_taken_apart_after_decoding_and_named(
    encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    plain, encoded = scan(enclosing(INNER)), scan(enclosing(encode(INNER), encoding))
    assert encoded.parts == plain.parts
    assert [part.path for part in encoded.parts] == ["1", "1.1"]
    assert plain.defects == ()
    assert encoded.defects == ("transfer.on-message",)
    unicode_kind = scan(enclosing(encode(INNER), encoding, "message/global"))
    assert unicode_kind.defects == ()  # RFC 6532 §3.7 lets this type be encoded
    assert unicode_kind.parts[1] == plain.parts[1]


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "x-other"])
def test_what_decodes_to_itself_is_no_such_defect(encoding: str) -> None:
    assert "transfer.on-message" not in scan(enclosing(INNER, encoding)).defects


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_any_chunks_give_the_same_parts_of_an_encoded_message(size: int) -> None:
    mail = enclosing(in_base64(INNER), "base64")
    scanner = Scanner()
    for start in range(0, len(mail), size):
        scanner.feed(mail[start : start + size])
    assert scanner.finish() == scan(mail)


def test_header_values_are_the_canonical_json_of_what_the_header_says() -> None:
    expected = {
        "cc": [],
        "date": ["2026-11-20T08:00:00Z"],
        "from": [{"address": "r@y.example", "name": "René"}],
        "subject": ["café"],
        "to": [{"address": "b@z.example", "name": ""}],
    }
    data = json.dumps(expected, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    found = values(scan(enclosing(INNER)))
    assert found == Fingerprint(
        "header-values/1", len(data), hashlib.sha256(data).digest(), hashlib.sha3_256(data).digest()
    )


def test_another_spelling_of_the_same_values_has_the_same_digest() -> None:
    other = INNER.replace(b"=?utf-8?q?caf=C3=A9?=", b"=?iso-8859-1?b?Y2Fm6Q==?=")
    other = b"Received: by c\r\n" + other.replace(b"09:00:00 +0100", b"08:00:00 GMT")
    assert values(scan(enclosing(other))) == values(scan(enclosing(INNER)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"r@Y.example", b"e@y.example"),
        (b"Ren\xc3\xa9", b"Rene"),
        (b"To: b@", b"Cc: b@"),
        (b"To: b@z.example\r\n", b""),
        (b"caf=C3=A9", b"cafe"),
        (b"09:00:00", b"09:00:01"),
        (b"To: b@", b"Reply-To: e@y.example\r\nTo: b@"),
        (b"To: b@", b"Sender: e@y.example\r\nTo: b@"),
        (b"To: b@", b"Bcc: e@y.example\r\nTo: b@"),
    ],
)
def test_any_other_value_has_another_digest(old: bytes, new: bytes) -> None:
    assert INNER.count(old) == 1
    other = values(scan(enclosing(INNER.replace(old, new))))
    assert other is not None
    assert other != values(scan(enclosing(INNER)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"To: b@z.example", b"To: b@z.example\r\nTo: b@z.example"),
        (b"Ren\xc3\xa9", b"Ren\xe9"),
        (b"Ren\xc3\xa9", "Ren\ufffd".encode()),
        (b"Ren\xc3\xa9", b"Ren\x07"),
        (b"caf=C3=A9", b"caf=G3"),
        (b"=?utf-8?q?caf=C3=A9?=", b"=?x-none?q?cafe?="),
        (b"Fri, 20 Nov", b"Fri, 31 Nov"),
        (b"b@z.example", b"b@z.example x"),
        (b"To: b@", b"Sender: e\r\nTo: b@"),
        (b"To: b@", b"Reply-To: e@y.example\r\nReply-To: f@y.example\r\nTo: b@"),
    ],
)
def test_bent_and_vague_values_have_no_digest(old: bytes, new: bytes) -> None:
    assert INNER.count(old) == 1
    assert values(scan(enclosing(INNER.replace(old, new)))) is None


def test_only_digests_of_the_enclosed_header_are_kept() -> None:
    assert "z.example" not in json.dumps(mail_claims(scan(enclosing(INNER))))

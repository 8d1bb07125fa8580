"""Records: what they commit to, and what is refused."""

from __future__ import annotations

import hmac
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from proofmail.core.canonical import base64url, decode, encode
from proofmail.core.claims import check_claim, never_hidden
from proofmail.core.record import (
    Disclosure,
    Hidden,
    Sealed,
    _hmac_sha256,
    check_commitment,
    digests,
    hide,
    make_record,
    read_entry,
    read_record,
)
from proofmail.core.shape import digest as digest_of
from proofmail.errors import CheckFailed, Unreadable

WHEN = datetime(2026, 11, 21, 10, 0, 0, 123_000, tzinfo=UTC)
CLAIMS = {
    "authentication": {"checks": [], "sender": "none"},
    "defects": [],
    "header.subject": ["Offre signée"],
}


@pytest.fixture
def sealed() -> Sealed:
    return make_record("message", "test/1", WHEN, CLAIMS, os.urandom(32))


def test_a_record_comes_back_from_its_bytes(sealed: Sealed) -> None:
    assert read_record(decode(sealed.record.to_bytes())) == sealed.record


def test_entries_are_padded_and_sorted_and_hiding_moves_none(sealed: Sealed) -> None:
    assert len(sealed.entries) == 32
    order = [digests(entry)[0] for entry in sealed.entries]
    assert order == sorted(order)
    check_commitment(sealed.record, sealed.entries)
    check_commitment(sealed.record, [hide(entry) for entry in sealed.entries])


def test_thirty_three_claims_are_padded_to_sixty_four() -> None:
    claims = {**CLAIMS, **{f"part.{n}": {} for n in range(1, 31)}}
    made = make_record("message", "test/1", WHEN, claims, os.urandom(32))
    assert made.record.count == len(made.entries) == 64


def test_two_records_of_the_same_claims_share_no_digest(sealed: Sealed) -> None:
    other = make_record("message", "test/1", WHEN, CLAIMS, os.urandom(32))
    mine = {digest for entry in sealed.entries for digest in digests(entry)}
    theirs = {digest for entry in other.entries for digest in digests(entry)}
    assert not mine & theirs


def _shown(sealed: Sealed) -> int:
    return next(i for i, e in enumerate(sealed.entries) if isinstance(e, Disclosure))


def test_every_change_of_an_entry_is_noticed(sealed: Sealed) -> None:
    index = _shown(sealed)
    entry = sealed.entries[index]
    assert isinstance(entry, Disclosure)
    decoy = next(e for e in sealed.entries if isinstance(e, Hidden))
    changed = {
        "value": replace(entry, value="other"),
        "name": replace(entry, name="header.cc"),
        "salt": replace(entry, salt=bytes(32)),
        "sha3 alone": replace(hide(entry), sha3_256=bytes(32)),
        "sha256 alone": replace(hide(entry), sha256=bytes(32)),
        "another's": decoy,
    }
    for name, other in changed.items():
        entries = [*sealed.entries[:index], other, *sealed.entries[index + 1 :]]
        with pytest.raises(CheckFailed):
            check_commitment(sealed.record, entries)
        assert other != entry, name


def test_swapped_missing_and_added_entries_are_refused(sealed: Sealed) -> None:
    first, second, *rest = sealed.entries
    for entries in ([second, first, *rest], [first, *rest], [first, first, second, *rest]):
        with pytest.raises(CheckFailed):
            check_commitment(sealed.record, entries)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("format", "proofmail/record/1"), ("format", "proofmail/batch-header/0"),
        ("kind", "mail"), ("log", "UPPER"), ("log", "a/b/c"), ("log", ""),
        ("received_at", "2026-11-21T10:00:00Z"), ("received_at", 5), ("extra", 1),
        ("claims", {"count": 31, "sha256": "A" * 43, "sha3-256": "A" * 43}),
        ("claims", {"count": 0, "sha256": "A" * 43, "sha3-256": "A" * 43}),
        ("claims", {"count": 2048, "sha256": "A" * 43, "sha3-256": "A" * 43}),
        ("claims", {"count": True, "sha256": "A" * 43, "sha3-256": "A" * 43}),
        ("claims", {"count": 32, "sha256": "A" * 42, "sha3-256": "A" * 43}),
        ("claims", {"count": 32, "sha256": "A" * 43}),
    ],
)  # fmt: skip
def test_a_record_of_another_shape_is_refused(sealed: Sealed, member: str, value: object) -> None:
    with pytest.raises(Unreadable):
        read_record({**sealed.record.to_json(), member: value})


@pytest.mark.parametrize(
    "entry", [[], ["A" * 43, "x"], ["AA", "x", 1], ["A" * 43, 1, 1], {}, {"sha256": "A" * 43}, 1]
)
def test_an_entry_of_another_shape_is_refused(entry: object) -> None:
    with pytest.raises(Unreadable):
        read_entry(entry)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("message", "header.bcc", []), ("message", "part.0", {}), ("message", "part.01", {}),
        ("message", "part.501", {}), ("message", "part.*", {}), ("message", "receipt.of", "A" * 43),
        ("digests", "header.subject", []), ("message", "header.subject", "text"),
        ("message", "header.date", ["yesterday"]), ("message", "defects", ["b", "a"]),
        ("message", "defects", ["a", "a"]), ("message", "header.from", [{"address": "a"}]),
        ("message", "authentication", {"checks": [], "sender": "trusted"}),
        ("message", "message.fingerprints", [{"rule": "raw/1", "sha256": "A" * 43, "size": -1}]),
        ("message", "part.1", {"fingerprints": [], "path": "1", "role": "boss", "type": "a/b"}),
        ("message", "message.parts", 501), ("message", "header.receipt_requested", 1),
    ],
)  # fmt: skip
def test_claims_outside_the_registry_are_refused(kind: str, name: str, value: object) -> None:
    with pytest.raises(Unreadable):
        check_claim(kind, name, value)


def test_authentication_and_defects_are_never_hidden() -> None:
    for kind in ("message", "receipt", "addendum", "digests", "audit"):
        assert never_hidden(kind) == {"authentication", "defects"}


def test_the_json_that_is_kept_is_that_of_the_entries(sealed: Sealed) -> None:
    assert sealed.entries_json == encode([entry.to_json() for entry in sealed.entries])
    kept = [read_entry(entry) for entry in decode(sealed.entries_json)]
    check_commitment(sealed.record, kept)


@pytest.mark.parametrize("last", range(256))
def test_a_digest_has_one_spelling(last: int) -> None:
    spelt = base64url(bytes(31) + bytes((last,)))
    assert digest_of(spelt, "x") == bytes(31) + bytes((last,))
    # The next character differs in the two bits that carry nothing.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = spelt[:-1] + alphabet[alphabet.index(spelt[-1]) + 1]
    for wrong in (other, spelt + "=", spelt[:-1], spelt + "A", spelt + "\n", "\u00e9" + spelt[1:]):
        with pytest.raises(Unreadable):
            digest_of(wrong, "x")


@pytest.mark.parametrize("size_bytes", [1, 32, 63, 64])
def test_the_keyed_digest_is_hmac_sha256(size_bytes: int) -> None:
    key = bytes(range(1, size_bytes + 1))
    keyed = _hmac_sha256(key)
    for length in (0, 1, 55, 56, 64, 200):
        message = bytes(length)
        assert keyed(message) == hmac.digest(key, message, "sha256")

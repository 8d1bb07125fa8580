"""What is kept on signers: the same contract on both kinds of database."""

from __future__ import annotations

from datetime import timedelta

from proofmail.core.proof import RevocationData
from proofmail.store.engine import Store
from proofmail.store.revocations import (
    Kept,
    Outcome,
    SignerSeen,
    data_for,
    due_signer,
    keep,
    known_signers,
    new_tokens,
    newest_of,
    note_signers,
)
from proofmail.store.stamps import NewToken, save_tokens, unstamped
from tests.store.house import NOW, fill, organisation

DAY = timedelta(days=1)
WHOLE = NOW.replace(microsecond=0)
SIGNER = b"\1" * 32


def _item(on: bytes, days: int, size: int = 3, kind: str = "crl") -> Kept:
    """In force for a week from this day on."""
    start = WHOLE + days * DAY
    data = RevocationData(kind, bytes([days % 256]) * size + on)
    return Kept(on, data, start, start + 7 * DAY, start)


def test_tokens_are_looked_at_once_and_evenly(store: Store) -> None:
    owner = organisation(store)
    assert new_tokens(store, 10) == []
    fill(store, owner, 25)
    waiting = unstamped(store, 25)
    save_tokens(store, [NewToken(w.sequence, "x", b"r", NOW) for w in waiting], NOW)
    seen = new_tokens(store, 10)
    assert 5 <= len(seen) <= 10
    newest = max(token.id for token in new_tokens(store, 100))
    assert seen[-1].id == newest
    note_signers(store, {SIGNER: SignerSeen((b"a", b"b"), NOW, newest)}, NOW)
    assert new_tokens(store, 10) == []
    assert known_signers(store) == {SIGNER}


def test_when_a_signer_is_due(store: Store) -> None:
    quiet = b"\2" * 32
    note_signers(store, {
        SIGNER: SignerSeen((b"a", b"b"), NOW, 1),
        quiet: SignerSeen((b"c", b"b"), NOW, 2, asks=False),
    }, NOW)  # fmt: skip
    due = due_signer(store, NOW)
    assert due is not None
    assert (due.digest, due.path, due.tries) == (SIGNER, (b"a", b"b"), 0)
    keep(store, SIGNER, [_item(b"a", 0)], Outcome(NOW + 30 * DAY, NOW + 7 * DAY))
    assert due_signer(store, NOW + 29 * DAY) is None
    # a newer token brings it forward to the end of what is known
    note_signers(store, {SIGNER: SignerSeen((), NOW + DAY, 3)}, NOW + DAY)
    assert due_signer(store, NOW + 6 * DAY) is None
    assert due_signer(store, NOW + 7 * DAY) is not None
    # but not while it is failing, nor an older token
    keep(store, SIGNER, [], Outcome(NOW + 9 * DAY, NOW + 7 * DAY, 2, "x" * 999))
    note_signers(store, {SIGNER: SignerSeen((), NOW + 8 * DAY, 4)}, NOW + 8 * DAY)
    assert due_signer(store, NOW + 8 * DAY) is None
    late = due_signer(store, NOW + 9 * DAY)
    assert late is not None
    assert (late.tries, late.newest_gen_time) == (2, NOW.replace(microsecond=123000) + 8 * DAY)


def test_what_goes_into_a_proof(store: Store) -> None:
    note_signers(store, {SIGNER: SignerSeen((b"a", b"b"), NOW, 1)}, NOW)
    items = [_item(on, days) for on in (b"a", b"b") for days in (-7, 0, 7, 14)]
    keep(store, SIGNER, [*items, *items], Outcome(None, None))
    assert {item.as_of for item in newest_of(store, SIGNER).values()} == {WHOLE + 14 * DAY}
    with store.read() as connection:
        chosen = data_for(connection, SIGNER, WHOLE + DAY, 1000)
        wanted = [items[n].data for n in (3, 7, 2, 6, 1, 5)]
        assert list(chosen) == wanted  # newest, first after genTime, in force at genTime
        assert list(data_for(connection, SIGNER, WHOLE + DAY, 8)) == wanted[:2]
        assert data_for(connection, SIGNER, WHOLE + DAY, 3) == ()
        assert data_for(connection, b"\3" * 32, WHOLE, 1000) == ()

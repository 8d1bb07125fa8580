"""The step that keeps what authorities publish on the revocation of their certificates.

It is captured soon after the first token of a signer, again after its next update, and then once a
month while the certificate runs, so that a later dossier can say more than an earlier one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from anchoring.status_fetch import Place, fetch, places
from proofmail.core.proof import RevocationData
from proofmail.errors import CheckFailed, NotChecked, TryLater, Unreadable
from proofmail.ports import Clock
from proofmail.store.engine import Store
from proofmail.store.revocations import (
    Kept,
    Outcome,
    Signer,
    SignerSeen,
    due_signer,
    keep,
    known_signers,
    new_tokens,
    newest_of,
    note_signers,
)
from proofmail.verify.revocation import NO_REVOCATION, says
from proofmail.verify.token import TokenContext, TokenTrust

log = logging.getLogger("proofmail.revocation")

AT_ONCE = 200
AFTER_UPDATE = timedelta(minutes=1)
AGAIN_AFTER = timedelta(days=30)
WITHOUT_UPDATE = timedelta(hours=1)
FIRST_RETRY = timedelta(minutes=1)
MOST_RETRY = timedelta(days=1)

Fetch = Callable[[Place, x509.Certificate, x509.Certificate], bytes]


def revocation_step(
    store: Store, trust: TokenTrust, clock: Clock, get: Fetch = fetch
) -> Callable[[], bool]:
    """A step for the worker: notes who signed new tokens, then fetches for one signer that is
    due; says whether it fetched. Safe to run twice: the same item is kept once."""

    def run() -> bool:
        _note(store, trust, clock.now())
        signer = due_signer(store, clock.now())
        if signer is None:
            return False
        new, error = _capture(signer, clock, get)
        known = {**newest_of(store, signer.digest), **{item.certificate: item for item in new}}
        outcome = _outcome(signer, known, error, clock.now())
        if outcome.error:
            log.warning("revocation data: %s", outcome.error)
        keep(store, signer.digest, new, outcome)
        return True

    return run


def _note(store: Store, trust: TokenTrust, now: datetime) -> None:
    """Signers whose path does not hold under the trust are passed over until their next token."""
    known, found = known_signers(store), dict[bytes, SignerSeen]()
    for token in new_tokens(store, AT_ONCE):
        context = TokenContext(token.response, b"", trust, token.certificates)
        try:
            digest = sha256(context.certificate_der).digest()
            before = found.get(digest)
            if before is None and digest not in known:
                path = tuple(c.public_bytes(Encoding.DER) for c in context.path)
            else:
                path = before.path if before else ()
        except (CheckFailed, NotChecked, Unreadable):
            continue
        newest = max(token.gen_time, before.newest_gen_time) if before else token.gen_time
        asks = before.asks if before else not path or _asks(path)
        found[digest] = SignerSeen(path, newest, token.id, asks)
    note_signers(store, found, now)


def _asks(path: tuple[bytes, ...]) -> bool:
    """Whether any certificate below the anchor names a place for what is published on it."""
    below = [x509.load_der_x509_certificate(der) for der in path[:-1]]
    return any(places(certificate) for certificate in below)


def _capture(signer: Signer, clock: Clock, get: Fetch) -> tuple[list[Kept], str]:
    """What is published now on each certificate of the path, as far as it holds; and what went
    wrong, empty for nothing."""
    path = [x509.load_der_x509_certificate(der) for der in signer.path]
    found, error = [], ""
    for certificate, issuer in pairwise(path):
        if _published(certificate):
            try:
                found.append(_first_good(certificate, issuer, clock, get))
            except TryLater as reason:
                error = str(reason)
    return found, error


def _published(certificate: x509.Certificate) -> bool:
    try:
        certificate.extensions.get_extension_for_oid(NO_REVOCATION)
    except x509.ExtensionNotFound:
        return bool(places(certificate))
    return False


def _first_good(
    certificate: x509.Certificate, issuer: x509.Certificate, clock: Clock, get: Fetch
) -> Kept:
    """From the first place whose answer holds; TryLater with the last reason if there is none."""
    error = TryLater("no place gives revocation data that holds")
    for place in places(certificate):
        try:
            data = RevocationData(place.kind, get(place, certificate, issuer))
        except TryLater as reason:
            error = reason
            continue
        for said in says(certificate, issuer, [data]):
            digest = sha256(certificate.public_bytes(Encoding.DER)).digest()
            if said.revoked_at is not None:
                log.error("a time-stamping authority's certificate has been revoked")
            return Kept(digest, data, said.as_of, said.until, clock.now())
    raise error


def _outcome(signer: Signer, known: Mapping[bytes, Kept], error: str, now: datetime) -> Outcome:
    path = [x509.load_der_x509_certificate(der) for der in signer.path]
    if now > path[0].not_valid_after_utc:
        return Outcome(None, None, 0, error)  # what comes now may leave the certificate out
    asked = [sha256(der).digest() for der, c in zip(signer.path, path[:-1], strict=False)
             if _published(c)]  # fmt: skip
    items = [known[digest] for digest in asked if digest in known]
    ends = [item.until for item in items if item.until is not None]
    covered = min(ends) + AFTER_UPDATE if len(ends) == len(asked) else None
    if error:
        tries = signer.tries + 1
        wait = min(MOST_RETRY, FIRST_RETRY * 2 ** min(tries - 1, 12))
        return Outcome(now + wait, covered, tries, error)
    due = [_due(item, signer.newest_gen_time) for item in items]
    return Outcome(max(now + FIRST_RETRY, min(due)) if due else None, covered)


def _due(item: Kept, newest_gen_time: datetime) -> datetime:
    """When the next word is worth asking for: after genTime once, then by the month."""
    if item.as_of > newest_gen_time:
        return item.fetched_at + AGAIN_AFTER
    if item.until is not None:
        return item.until + AFTER_UPDATE
    return item.fetched_at + WITHOUT_UPDATE

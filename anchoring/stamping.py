"""The step that stamps: asks the authorities in order, and keeps only what passed every check."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from hashlib import sha256

from anchoring.tsa_client import StampedToken, stamp_once
from proofmail.errors import ProofmailError, TryLater
from proofmail.ports import Clock, TimestampAuthority
from proofmail.store.engine import Store
from proofmail.store.stamps import NewToken, save_tokens, unstamped
from proofmail.verify.token import TokenTrust

log = logging.getLogger("proofmail.stamp")

AT_ONCE = 64
"""Records between two commits: what a crash may have stamped in vain."""


def stamp_step(
    store: Store, authorities: Sequence[TimestampAuthority], trust: TokenTrust, clock: Clock
) -> Callable[[], bool]:
    """A step for the worker: stamps what waits, oldest first; says whether more may wait.

    Raises TryLater when no authority gave a token for a record; those stamped before it are kept.
    """

    def run() -> bool:
        waiting = unstamped(store, AT_ONCE, until=clock.now())
        done: list[NewToken] = []
        try:
            for item in waiting:
                name, stamped = _ask(authorities, sha256(item.record).digest(), trust, clock)
                done.append(
                    NewToken(item.sequence, name, stamped.response_der, stamped.facts.gen_time)
                )
        finally:
            # If we die before this commit, these records are stamped again: tokens are wasted,
            # nothing is lost.
            save_tokens(store, done, clock.now())
        return len(waiting) == AT_ONCE

    return run


def _ask(
    authorities: Sequence[TimestampAuthority], imprint: bytes, trust: TokenTrust, clock: Clock
) -> tuple[str, StampedToken]:
    """The first authority's token that passes R1 to R15."""
    for authority in authorities:
        try:
            return authority.name, stamp_once(authority, imprint, trust, clock)
        except ProofmailError as error:
            log.warning("authority %s: %s", authority.name, error)
    raise TryLater("no authority gave a token that holds")

"""Giving records that are kept already a token of another authority.

A proof holds a list of tokens, so each one more makes it stronger, at any time. What is still to be
done is what the store says is lacking: the work can be stopped and begun again at any point, and
done twice it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from anchoring.tsa_client import stamp_once
from proofmail.ports import Clock, TimestampAuthority
from proofmail.store.engine import Store
from proofmail.store.stamps import NewToken, Window, count_lacking, lacking, save_tokens
from proofmail.verify.token import TokenTrust

ALL = Window()
AT_ONCE = 16
"""Records between two commits: what an end at any line may have stamped in vain."""


def restamp(
    store: Store,
    authority: TimestampAuthority,
    trust: TokenTrust,
    clock: Clock,
    window: Window = ALL,
    tell: Callable[[int, int], None] = lambda done, left: None,
) -> int:
    """Stamps every record of the window that has no token of this authority; returns how many.

    `tell` is given how many are done and how many are left. Raises what the authority's answer
    raises; what was kept before stays, and the next run goes on from there.
    """
    now = clock.now()
    # Not what was received after now: the clock was set back since, and a token made now would
    # say that its received_at is untrue.
    window = replace(window, until=min(window.until or now, now))
    left, done, last = count_lacking(store, authority.name, window), 0, 0
    while waiting := lacking(store, authority.name, window, last, AT_ONCE):
        new: list[NewToken] = []
        try:
            for item in waiting:
                stamped = stamp_once(authority, sha256(item.record).digest(), trust, clock)
                new.append(
                    NewToken(
                        item.sequence, authority.name, stamped.response_der,
                        stamped.facts.gen_time, root=stamped.facts.root_sha256,
                        sent_at=stamped.sent_at, answered_at=stamped.received_at,
                    )
                )  # fmt: skip
        finally:
            # If we die before this commit, these records are asked for again: tokens are wasted,
            # nothing is lost.
            done += save_tokens(store, new, clock.now())
        last = waiting[-1].sequence
        tell(done, max(0, left - done))
    return done

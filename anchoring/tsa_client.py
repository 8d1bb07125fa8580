"""Asking a time-stamping authority, and judging its answer before anything is kept.

Requests are by digest only. Those to outside authorities are written by rfc3161ng, as most of its
kind of clients send them; those to the built-in one by hand, since one is made for each record.
What comes back is judged by proofmail.verify.token alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from proofmail.core import der
from proofmail.errors import CheckFailed, Misconfigured, TryLater
from proofmail.ports import Clock, TimestampAuthority
from proofmail.verify.token import (
    SHA256,
    Reception,
    TokenFacts,
    TokenTrust,
    read_response,
    receive_token,
)

_NONCE_BITS = 64
_VERSION, _TRUE = der.integer(1), b"\x01\x01\xff"
_SHA256 = der.sequence(der.oid(SHA256))
_REJECTIONS = frozenset({2, 3, 4, 5})
"""PKIStatus: rejection, waiting, revocationWarning, revocationNotification."""
_PASSING_FAILURES = frozenset({14, 25})
"""PKIFailureInfo: timeNotAvailable, systemFailure."""
_WAITING = 3
_ANY_TIME = timedelta(days=365)


@dataclass(frozen=True)
class StampedToken:
    """A response that passed R1 to R15, raw, with what it says."""

    response_der: bytes
    facts: TokenFacts
    sent_at: datetime
    received_at: datetime


class WrongTime(CheckFailed):
    """All holds but R15: the authority's clock or ours is wrong. `stamped` must not be kept; it
    says how far the two are apart."""

    def __init__(self, text: str, stamped: StampedToken) -> None:
        super().__init__(text)
        self.stamped = stamped


def build_request(imprint: bytes, nonce: int, policy: str = "") -> bytes:
    """The DER of a TimeStampReq (RFC 3161 §2.4.1) for a SHA-256 imprint, certificates wanted;
    `policy` is the OID that is asked for, if any."""
    if len(imprint) != 32:
        raise ValueError("an imprint by SHA-256 has 32 bytes")
    return der.sequence(
        _VERSION,
        der.sequence(_SHA256, der.octets(imprint)),
        der.oid(policy) if policy else b"",
        der.integer(nonce),
        _TRUE,
    )


def outside_request(imprint: bytes, nonce: int, policy: str = "") -> bytes:
    """The same by rfc3161ng, which is imported at the first one: that takes a third of a second.
    Only its `digest=` is safe: of data it would put the SHA-1 under the name of SHA-256."""
    import rfc3161ng

    request = rfc3161ng.make_timestamp_request(
        digest=imprint,
        hashname="sha256",
        include_tsa_certificate=True,
        nonce=nonce,
        tsa_policy_id=policy or None,
    )
    return bytes(rfc3161ng.encode_timestamp_request(request))


@dataclass(frozen=True)
class Query:
    """What is asked for: the OID of a policy, or "" for the authority's own. `write` makes the
    request."""

    policy: str = ""
    write: Callable[[bytes, int, str], bytes] = build_request


def stamp_once(
    authority: TimestampAuthority,
    imprint: bytes,
    trust: TokenTrust,
    clock: Clock,
    query: Query = Query(),
) -> StampedToken:
    """Asks once for a token over a SHA-256 imprint, and runs all of R1 to R15 on the answer.

    Raises TryLater or Misconfigured when there is no token to judge, and Unreadable, CheckFailed
    or NotChecked (the authority is not in the trust) when there is and it must not be kept.
    If we die here nothing is lost: the same imprint is stamped again.
    """
    nonce = secrets.randbits(_NONCE_BITS)
    request_der = query.write(imprint, nonce, query.policy)
    sent_at = clock.now()
    response_der = authority.respond(request_der)
    received_at = clock.now()
    _check_answered(response_der)
    reception = Reception(nonce, sent_at, received_at)
    try:
        facts = receive_token(response_der, imprint, trust, reception)
    except CheckFailed as failure:
        loose = replace(reception, skew=_ANY_TIME)
        # Raises again what is wrong with it, unless that is its time alone.
        facts = receive_token(response_der, imprint, trust, loose)
        stamped = StampedToken(response_der, facts, sent_at, received_at)
        raise WrongTime(str(failure), stamped) from None
    if query.policy and facts.policy != query.policy:
        raise CheckFailed("the token's policy is not the one that was asked for")
    return StampedToken(response_der, facts, sent_at, received_at)


def _check_answered(response_der: bytes) -> None:
    """Turns a plain refusal (no token) into what to do next; all else is left to the checks."""
    response = read_response(response_der)
    if response.token_der is not None or response.status not in _REJECTIONS:
        return
    if response.status == _WAITING or response.failures & _PASSING_FAILURES:
        raise TryLater("the authority cannot stamp now")
    reasons = ", ".join(map(str, sorted(response.failures))) or "none given"
    raise Misconfigured(f"the authority refuses our requests (PKIFailureInfo: {reasons})")

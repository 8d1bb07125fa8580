"""Whether a certificate of a token's path was revoked, for the time of that token (SPEC §5.7).

The path has been judged before, and its anchor is the verifier's own decision: it is not looked
up. CRLs (RFC 5280 §6.3) and OCSP responses (RFC 6960 §3.2) travel with the token, and each is
believed as far as the issuer of the certificate signed it, or whom that issuer named for it.
Nothing is fetched here, and "now" plays no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509

from proofmail.core.canonical import format_time
from proofmail.core.proof import CRL, OCSP, RevocationData
from proofmail.errors import CheckFailed, NotChecked
from proofmail.verify import crl, ocsp
from proofmail.verify.status_signer import Entry

NO_REVOCATION = x509.ObjectIdentifier("2.5.29.56")
"""noRevAvail (RFC 9608)."""

_LOOK_UP = {CRL: crl.look_up, OCSP: ocsp.look_up}
_HARMLESS = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)
"""RFC 3161 §4: with one of these said, tokens from before the revocation remain valid."""


@dataclass(frozen=True)
class Said:
    """What one CRL or OCSP response says of one certificate, aware times. `until` is None where
    no next update is announced; `revoked_at` is None for a good one."""

    kind: str
    as_of: datetime
    until: datetime | None
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None


@dataclass(frozen=True)
class Standing:
    """The certificates below the anchor were good; `as_of` is the earliest of the moments at
    which that was last known of each, `text` says it for a report."""

    as_of: datetime
    text: str


def standing(
    path: Sequence[x509.Certificate], data: Sequence[RevocationData], gen_time: datetime
) -> Standing:
    """Judges the path (signer's certificate first, anchor last) at genTime (aware).

    CheckFailed when one was revoked so that the token falls; NotChecked when of one there is
    nothing that holds for genTime.
    """
    if len(path) == 1:
        raise NotChecked("the trust names the authority's own certificate, which nobody revokes")
    known: list[tuple[datetime, str]] = []
    missing: list[str] = []
    for certificate, issuer in pairwise(path):
        found = list(says(certificate, issuer, data))
        for said in found:
            _check_revoked(said, gen_time)
        fit = [said for said in found if _covers(said, certificate, gen_time)]
        if not fit:
            missing.append(_lack(certificate))
            continue
        best = max(fit, key=lambda said: said.as_of)
        known.append((best.as_of, _tell(best)))
    if missing:
        raise NotChecked(missing[0])
    return Standing(min(as_of for as_of, _ in known), "; ".join(text for _, text in known))


def says(
    certificate: x509.Certificate, issuer: x509.Certificate, data: Sequence[RevocationData]
) -> Iterator[Said]:
    """What the data say of the certificate; what is of others, or does not hold, says nothing."""
    for item in data:
        entry = _entry(item, certificate, issuer)
        if entry is not None:
            yield Said(item.kind, entry.as_of, entry.until, entry.revoked_at, entry.reason)


def _entry(
    item: RevocationData, certificate: x509.Certificate, issuer: x509.Certificate
) -> Entry | None:
    look_up = _LOOK_UP.get(item.kind)
    if look_up is None:
        return None
    try:
        return look_up(item.value, certificate, issuer)
    except Exception:  # ours, and the library's on odd bytes, which have no common base
        return None


def _check_revoked(said: Said, gen_time: datetime) -> None:
    """RFC 3161 §4. A revocation that says no reason, or another one, takes every token with it."""
    if said.revoked_at is None:
        return
    when = _spelt(said.revoked_at)
    if said.revoked_at <= gen_time:
        raise CheckFailed(f"a certificate of the path was revoked before genTime, on {when}")
    if said.reason not in _HARMLESS:
        reason = said.reason.value if said.reason else "no reason given"
        raise CheckFailed(
            f"a certificate of the path was revoked on {when} ({reason}), which takes its earlier "
            "tokens with it (RFC 3161 §4)"
        )


def _covers(said: Said, certificate: x509.Certificate, gen_time: datetime) -> bool:
    """Whether it tells of genTime: it was the newest at that time, or was made later, while the
    certificate still ran (an expired one may be left out of a list)."""
    if said.as_of <= gen_time:
        return said.until is not None and gen_time <= said.until
    return said.revoked_at is not None or said.as_of <= certificate.not_valid_after_utc


def _lack(certificate: x509.Certificate) -> str:
    try:
        certificate.extensions.get_extension_for_oid(NO_REVOCATION)
    except x509.ExtensionNotFound:
        return "not checked: revocation (no data for genTime comes with the token)"
    return "not checked: revocation (the authority gives out no such data, RFC 9608)"


def _tell(said: Said) -> str:
    if said.revoked_at is not None and said.reason is not None:
        when = _spelt(said.revoked_at)
        return f"revoked only later, on {when} ({said.reason.value}), by {said.kind.upper()}"
    return f"good as of {_spelt(said.as_of)}, by {said.kind.upper()}"


def _spelt(when: datetime) -> str:
    return format_time(when.astimezone(UTC))

"""The certificate of a time-stamping authority: its use, its validity and its path to a trusted
anchor, all judged at the moment that the token names (RFC 3161 §2.3, RFC 5280 §6).

Anchors come from the trust alone. What a token or a proof brings along helps to build the path and
is believed in nothing. Revocation is not judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from proofmail.errors import CheckFailed, NotChecked, Unreadable
from proofmail.verify.cms import Names, certificate_names, load_certificate, rsa_taken

_EXCLUSIVE = [ExtendedKeyUsageOID.TIME_STAMPING]


def check_usage(certificate: x509.Certificate) -> None:
    """RFC 3161 §2.3: extended key usage is critical and timeStamping alone; a key usage, where
    there is one, allows signing."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise CheckFailed("the signer's certificate is not one for time-stamping") from None
    if list(usage.value) != _EXCLUSIVE:
        raise CheckFailed("the signer's certificate is not for time-stamping alone")
    if not usage.critical:
        raise CheckFailed("the signer's time-stamping usage is not critical")
    try:
        key_usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (key_usage.digital_signature or key_usage.content_commitment):
        raise CheckFailed("the signer's key usage does not allow signing")


def check_validity(certificate: x509.Certificate, moment: datetime) -> None:
    """The certificate was valid at the moment (aware), whatever has become of it since."""
    if not certificate.not_valid_before_utc <= moment.replace(microsecond=0):
        raise CheckFailed("the signer's certificate was not valid yet at genTime")
    if not moment.replace(microsecond=0) <= certificate.not_valid_after_utc:
        raise CheckFailed("the signer's certificate had expired at genTime")


def path_at(
    leaf: x509.Certificate,
    untrusted: Sequence[bytes],
    anchors: Sequence[x509.Certificate],
    moment: datetime,
) -> tuple[x509.Certificate, ...]:
    """The path from the leaf to one of the anchors, leaf first, good at the moment (aware).

    An anchor may be a root, the authority's issuer, or the authority's own certificate.
    `untrusted` is DER; what cannot be read in it is passed over. Raises NotChecked when the names
    lead to no anchor, CheckFailed when they do and the path does not hold.
    """
    if not anchors:
        raise NotChecked("no time-stamping authority is in the trust given")
    second = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return _path_at(leaf, tuple(untrusted), tuple(anchors), second)


@lru_cache(maxsize=16)
def _path_at(
    leaf: x509.Certificate,
    untrusted: tuple[bytes, ...],
    anchors: tuple[x509.Certificate, ...],
    second: datetime,
) -> tuple[x509.Certificate, ...]:
    """The same of a second in UTC, naive. All that it depends on is among its arguments, and an
    authority's tokens of one second have one path. What is refused is judged anew each time."""
    helpers = [one for raw in dict.fromkeys(untrusted) if (one := _loaded(raw)) and _may_sign(one)]
    # An anchor that is the authority's own certificate signs nothing here.
    stored = [anchor for anchor in anchors if anchor == leaf or _may_sign(anchor)]
    try:
        found = _verifier(stored, second).verify(leaf, helpers).chain
        _check_constraints(found)
    except Exception:  # VerificationError, or what an odd certificate makes the library raise
        if not _names_lead_to(leaf, _names_read(untrusted), anchors):
            raise NotChecked("the authority is not in the trust given") from None
        raise CheckFailed("the path to a trusted authority does not hold at genTime") from None
    return tuple(found)


def _verifier(anchors: list[x509.Certificate], second: datetime) -> verification.ClientVerifier:
    return (
        verification.PolicyBuilder()
        .store(verification.Store(anchors))
        .time(second)
        .extension_policies(ee_policy=_LEAF, ca_policy=_ISSUER)
        .build_client_verifier()
    )


def _loaded(raw: bytes) -> x509.Certificate | None:
    try:
        return load_certificate(raw)
    except Unreadable:
        return None


def _may_sign(certificate: x509.Certificate) -> bool:
    """The library counts an RSA key in octets: one of 2041 bits would be long enough for it."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return not isinstance(key, rsa.RSAPublicKey) or rsa_taken(key)


def _check_constraints(path: Sequence[x509.Certificate]) -> None:
    """SPEC §5.4, 5. The library refuses directory names in nameConstraints that are critical, and
    passes over them in others; it never compares them with a subject."""
    for certificate in path:
        try:
            found = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            continue
        bases = (*(found.permitted_subtrees or ()), *(found.excluded_subtrees or ()))
        if any(isinstance(base, x509.DirectoryName) for base in bases):
            raise CheckFailed("a certificate of the path constrains directory names")


def _names_read(untrusted: Sequence[bytes]) -> list[Names]:
    """Of all whose names can be read: what else is in them decides on nothing here."""
    found: list[Names] = []
    for raw in untrusted:
        try:
            found.append(certificate_names(raw))
        except Unreadable:
            continue
    return found


def _names_of(certificate: x509.Certificate) -> Names:
    return certificate_names(certificate.public_bytes(Encoding.DER))


def _names_lead_to(
    leaf: x509.Certificate, helpers: Sequence[Names], anchors: Sequence[x509.Certificate]
) -> bool:
    """Whether issuer names, followed from the leaf through the helpers, reach an anchor."""
    goals = {_names_of(anchor).subject for anchor in anchors}
    own = _names_of(leaf)
    reached, fresh = {own.subject}, {own.issuer}
    while fresh:
        if fresh & goals:
            return True
        reached |= fresh
        fresh = {names.issuer for names in helpers if names.subject in fresh} - reached
    return False


def _exclusive(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage
) -> None:
    if list(usage) != _EXCLUSIVE:
        raise ValueError


def _may_issue(
    _policy: verification.Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints
) -> None:
    """RFC 5280 §6.1.4 (k)."""
    if not constraints.ca:
        raise ValueError


def _may_sign_certificates(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    """RFC 5280 §6.1.4 (n)."""
    if usage is not None and not usage.key_cert_sign:
        raise ValueError


# check_usage has judged the leaf already; here it is asked again so that no path stands without.
_LEAF = verification.ExtensionPolicy.permit_all().require_present(
    x509.ExtendedKeyUsage, verification.Criticality.CRITICAL, _exclusive
)
# The Web's rules (the library's default) are not those of RFC 5280: they refuse an issuer with the
# timeStamping usage, which public authorities have, and one without a key usage or key identifier,
# which is what openssl makes. Path lengths and name constraints are judged by the library itself.
_ISSUER = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _may_issue)
    .may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_sign_certificates)
)

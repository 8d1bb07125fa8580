"""Time-stamp tokens (RFC 3161): reading them, and the two numbered lists of checks on them.

At reception (R1 to R15) a token is judged with the request that asked for it; at verification
(T1 to T13), years later, without. The lists differ in nothing else. A token is judged at its own
genTime: a certificate that has expired since takes nothing away. The numbers are those of SPEC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.errors import CheckFailed, NotChecked
from proofmail.verify import cms, token_path
from proofmail.verify.token_reader import (
    SHA256,
    TST_INFO,
    Response,
    Token,
    TokenInfo,
    check_granted,
    read_bare_token,
    read_response,
    read_token,
    take_apart,
)

__all__ = [
    "RECEPTION_CHECKS",
    "SHA256",
    "TOKEN_CHECKS",
    "Reception",
    "Response",
    "Token",
    "TokenAnchor",
    "TokenCheck",
    "TokenContext",
    "TokenFacts",
    "TokenInfo",
    "TokenTrust",
    "read_bare_token",
    "read_response",
    "read_token",
    "receive_token",
    "token_facts",
    "verify_token",
]

SKEW = timedelta(seconds=60)


@dataclass(frozen=True)
class TokenAnchor:
    """A certificate that is trusted to issue tokens, or to certify those who do. `policies` are
    the OIDs that it is trusted for; none stands for any."""

    certificate: x509.Certificate
    policies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TokenTrust:
    anchors: tuple[TokenAnchor, ...] = ()


@dataclass(frozen=True)
class Reception:
    """What only the one who asked knows: the nonce, and when (aware) the request left and the
    answer came."""

    nonce: int
    sent_at: datetime
    received_at: datetime
    skew: timedelta = SKEW


@dataclass(frozen=True)
class TokenFacts:
    """What a token says; facts only as far as its checks passed.

    `signer` and `root` are names as RFC 4514 writes them; the digests are SHA-256 of the DER of
    the certificates. The root's two are empty when no path to a trusted one was found.
    `ess_version` names how the signer's certificate is bound: "v2", "v1 (SHA-1)", or both.
    """

    gen_time: datetime
    accuracy: timedelta | None
    policy: str
    serial: int
    imprint_oid: str
    imprint: bytes
    nonce: int | None
    ordering: bool
    signature: str
    ess_version: str
    signer: str
    signer_sha256: bytes
    signer_not_after: datetime
    root: str
    root_sha256: bytes


@dataclass(frozen=True)
class TokenContext:
    """What a list of checks runs on. Each property raises what its check raises, every time."""

    response_der: bytes
    imprint: bytes
    trust: TokenTrust
    certificates: tuple[bytes, ...] = ()
    """DER of untrusted certificates from beside the token, for the path."""
    reception: Reception | None = None
    imprint_oid: str = SHA256

    @cached_property
    def response(self) -> Response:
        return read_response(self.response_der)

    @cached_property
    def token(self) -> Token:
        if self.response.token_der is None:
            raise CheckFailed("the answer holds no token")
        return take_apart(self.response.token_der, self.response.status)

    @cached_property
    def signer(self) -> cms.Signer:
        return cms.one_signer(self.token.signed)

    @cached_property
    def certificate_der(self) -> bytes:
        return cms.signer_certificate(self.token.signed, self.signer)

    @cached_property
    def certificate(self) -> x509.Certificate:
        return cms.load_certificate(self.certificate_der)

    @cached_property
    def signature(self) -> str:
        return cms.check_signature(self.signer, self.certificate)

    @cached_property
    def path(self) -> tuple[x509.Certificate, ...]:
        return token_path.path_at(
            self.certificate,
            (*self.token.certificates, *self.certificates),
            [anchor.certificate for anchor in self.trust.anchors],
            self.token.info.gen_time,
        )


@dataclass(frozen=True)
class TokenCheck:
    """One row: `run` returns nothing, or raises CheckFailed, NotChecked or Unreadable."""

    number: str
    title: str
    run: Callable[[TokenContext], None]


def _check_reading(context: TokenContext) -> None:
    if context.response.token_der is not None:
        _ = context.token


def _check_status(context: TokenContext) -> None:
    check_granted(context.response)
    _ = context.token


def _check_imprint(context: TokenContext) -> None:
    """Algorithm and bytes: digests of other algorithms may have the same length."""
    info = context.token.info
    if info.imprint_oid != context.imprint_oid:
        raise CheckFailed("the imprint is by another digest algorithm")
    if info.imprint != context.imprint:
        raise CheckFailed("the imprint is of something else")


def _reception(context: TokenContext) -> Reception:
    if context.reception is None:
        raise NotChecked("the request is not known")
    return context.reception


def _check_nonce(context: TokenContext) -> None:
    if context.token.info.nonce != _reception(context).nonce:
        raise CheckFailed("the nonce is not the one that was sent")


def _check_one_signer(context: TokenContext) -> None:
    _ = context.signer


def _check_carried(context: TokenContext) -> None:
    _ = context.certificate


def _check_content_type(context: TokenContext) -> None:
    cms.check_content_type(context.token.signed, context.signer, TST_INFO)


def _check_message_digest(context: TokenContext) -> None:
    cms.check_message_digest(context.signer, cms.digest_of(context.token.signed.content or b""))


def _check_bound(context: TokenContext) -> None:
    cms.check_signing_certificate(context.signer, context.certificate_der)


def _check_signature(context: TokenContext) -> None:
    _ = context.signature


def _check_usage(context: TokenContext) -> None:
    token_path.check_usage(context.certificate)


def _check_validity(context: TokenContext) -> None:
    token_path.check_validity(context.certificate, context.token.info.gen_time)


def _check_path(context: TokenContext) -> None:
    _ = context.path


def _check_policy(context: TokenContext) -> None:
    """The policies are those of the anchor that the path ends in, so this follows the path."""
    end = context.path[-1]
    allowed = [anchor.policies for anchor in context.trust.anchors if anchor.certificate == end]
    policy = context.token.info.policy
    if not any(not policies or policy in policies for policies in allowed):
        raise CheckFailed("the token's policy is not one that this authority is trusted for")


def _check_bounds(context: TokenContext) -> None:
    """An authority whose clock is wrong is noticed at once, or never."""
    reception, gen_time = _reception(context), context.token.info.gen_time
    if gen_time < reception.sent_at - reception.skew:
        raise CheckFailed("genTime is before the request was sent")
    if gen_time > reception.received_at + reception.skew:
        raise CheckFailed("genTime is after the answer was received")


_Entry = tuple[str, Callable[[TokenContext], None]]

_ENTRIES: tuple[_Entry, ...] = (
    ("the response is strict DER and holds a time-stamp token", _check_reading),
    ("the status is granted", _check_status),
    ("the imprint's algorithm and bytes are those due", _check_imprint),
    ("there is exactly one signer", _check_one_signer),
    ("the signer's certificate is carried", _check_carried),
    ("the content type is signed", _check_content_type),
    ("the message digest is that of the content", _check_message_digest),
    ("the signer's certificate is bound by ESSCertID", _check_bound),
    ("the signature is good", _check_signature),
    ("the signer's certificate is for time-stamping alone", _check_usage),
    ("the signer's certificate was valid at genTime", _check_validity),
    ("the path to a trusted authority holds at genTime", _check_path),
    ("the policy is one that the authority is trusted for", _check_policy),
)
_NONCE: _Entry = ("the nonce is the one that was sent", _check_nonce)
_BOUNDS: _Entry = ("genTime lies between request and answer", _check_bounds)


def _numbered(letter: str, entries: Sequence[_Entry]) -> tuple[TokenCheck, ...]:
    return tuple(TokenCheck(f"{letter}{n}", *entry) for n, entry in enumerate(entries, 1))


TOKEN_CHECKS = _numbered("T", _ENTRIES)
RECEPTION_CHECKS = _numbered("R", (*_ENTRIES[:3], _NONCE, *_ENTRIES[3:], _BOUNDS))


def verify_token(
    response_der: bytes,
    imprint: bytes,
    trust: TokenTrust,
    *,
    certificates: Sequence[bytes] = (),
    imprint_oid: str = SHA256,
) -> TokenFacts:
    """All of T1 to T13 on a kept response. Raises Unreadable or CheckFailed at the first check
    that raises it; NotChecked, when all others passed, if the authority is not in the trust."""
    context = TokenContext(
        response_der, imprint, trust, tuple(certificates), imprint_oid=imprint_oid
    )
    return _judge(TOKEN_CHECKS, context)


def receive_token(
    response_der: bytes, imprint: bytes, trust: TokenTrust, reception: Reception
) -> TokenFacts:
    """All of R1 to R15 on an answer that has just come; raises as verify_token does. Nothing but
    what passed may be kept."""
    return _judge(RECEPTION_CHECKS, TokenContext(response_der, imprint, trust, reception=reception))


def _judge(checks: Sequence[TokenCheck], context: TokenContext) -> TokenFacts:
    undecided: NotChecked | None = None
    for check in checks:
        try:
            check.run(context)
        except NotChecked as reason:
            undecided = undecided or reason
    if undecided is not None:
        raise undecided
    return token_facts(context)


def token_facts(context: TokenContext) -> TokenFacts:
    """What the token says, for a caller that has run the list itself and shows its rows beside.
    Raises as the checks on signer, certificate and signature do."""
    info, certificate = context.token.info, context.certificate
    try:
        root_name, root_sha256 = _shown(context.path[-1])
    except (CheckFailed, NotChecked):
        root_name, root_sha256 = "", b""
    signer, _ = _shown(certificate)
    named = {"v1": "v1 (SHA-1)", "v2": "v2"}
    return TokenFacts(
        gen_time=info.gen_time,
        accuracy=info.accuracy,
        policy=info.policy,
        serial=info.serial,
        imprint_oid=info.imprint_oid,
        imprint=info.imprint,
        nonce=info.nonce,
        ordering=info.ordering,
        signature=context.signature,
        ess_version=", ".join(named[version] for version in context.token.ess_versions),
        signer=signer,
        signer_sha256=sha256(context.certificate_der).digest(),
        signer_not_after=certificate.not_valid_after_utc,
        root=root_name,
        root_sha256=root_sha256,
    )


@lru_cache(maxsize=64)
def _shown(certificate: x509.Certificate) -> tuple[str, bytes]:
    """Its name as RFC 4514 writes it, and the SHA-256 of its DER."""
    der = certificate.public_bytes(Encoding.DER)
    return certificate.subject.rfc4514_string(), sha256(der).digest()

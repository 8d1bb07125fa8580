"""Reading time-stamp responses and tokens (RFC 3161 §2.4.2): bytes in, values out, no judgement.

Strict DER throughout; see proofmail.core.der for what that means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from proofmail.core import der
from proofmail.core.proof import MAX_TOKEN_BYTES
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify import cms

TST_INFO = "1.2.840.113549.1.9.16.1.4"
SHA256 = "2.16.840.1.101.3.4.2.1"
GRANTED = 0

MAX_ACCURACY = timedelta(days=1)
_YEARS = range(1970, 9999)


@dataclass(frozen=True)
class Response:
    """A TimeStampResp. `failures` are the numbers of the PKIFailureInfo bits that are set."""

    status: int
    failures: frozenset[int]
    token_der: bytes | None


@dataclass(frozen=True)
class TokenInfo:
    """A TSTInfo. `gen_time` is aware; `accuracy` is None when the authority states none; `tsa` is
    the DER of a GeneralName, a hint that nothing is decided on; `extensions` are OIDs."""

    policy: str
    imprint_oid: str
    imprint: bytes
    serial: int
    gen_time: datetime
    accuracy: timedelta | None
    ordering: bool
    nonce: int | None
    tsa: bytes | None
    extensions: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    """A token taken apart and not judged. `certificates` are DER; `ess_versions` says which of
    the attributes that name the signer's certificate are there: "v1" (SHA-1), "v2"."""

    status: int
    info: TokenInfo
    signed: cms.SignedData
    certificates: tuple[bytes, ...]
    ess_versions: tuple[str, ...]


def read_response(response_der: bytes) -> Response:
    """Reads a TimeStampResp (RFC 3161 §2.4.2), whatever its status. Raises Unreadable.

    The text that an authority may add is passed over: it is a stranger's words.
    """
    if len(response_der) > MAX_TOKEN_BYTES:
        raise Unreadable(f"a time-stamp response has at most {MAX_TOKEN_BYTES} bytes")
    body = der.only(response_der)
    info = body.enter()
    status = info.integer()
    if info.peek() == der.SEQUENCE:
        info.raw()
    failures = info.bits() if info.peek() else frozenset[int]()
    info.done()
    token_der = body.raw(der.SEQUENCE) if body.peek() else None
    body.done()
    return Response(status, failures, token_der)


def read_token(response_der: bytes) -> Token:
    """Reads a TimeStampResp whose status is granted, with its token. Raises Unreadable, or
    CheckFailed for every other answer. Judges nothing else."""
    response = read_response(response_der)
    check_granted(response)
    if response.token_der is None:
        raise CheckFailed("the answer holds no token")
    return take_apart(response.token_der, response.status)


def check_granted(response: Response) -> None:
    """RFC 3161 §2.4.2: granted alone; one with modifications is not what was asked for."""
    if response.status != GRANTED:
        raise CheckFailed(f"the status is {response.status}, not granted (0)")
    if response.failures:
        raise CheckFailed("the status is granted, and yet a failure is given")


def read_bare_token(token_der: bytes) -> Token:
    """Reads a TimeStampToken without its response, as found in the seal of a PDF."""
    return take_apart(token_der, GRANTED)


def take_apart(token_der: bytes, status: int) -> Token:
    signed = cms.read_signed_data(token_der)
    if signed.content_type != TST_INFO or signed.content is None:
        raise Unreadable("the signed content is not that of a time-stamp token")
    versions = [cms.signing_certificate_versions(signer) for signer in signed.signers]
    return Token(
        status=status,
        info=_read_info(signed.content),
        signed=signed,
        certificates=signed.certificates,
        ess_versions=versions[0] if versions else (),
    )


def _read_info(content: bytes) -> TokenInfo:
    """TSTInfo, RFC 3161 §2.4.2."""
    body = der.only(content)
    if body.integer() != 1:
        raise Unreadable("unknown version of a time-stamp token")
    policy = body.oid()
    imprint = body.enter()
    algorithm = cms.read_algorithm(imprint)
    if not cms.plain(algorithm):
        raise Unreadable("the imprint's digest algorithm has parameters")
    hashed = imprint.octets()
    imprint.done()
    serial, gen_time = body.integer(), body.time()
    if gen_time.year not in _YEARS:
        raise Unreadable("genTime is out of bounds")
    accuracy = _read_accuracy(body.enter()) if body.peek() == der.SEQUENCE else None
    ordering = body.boolean() if body.peek() == der.BOOLEAN else False
    nonce = body.integer() if body.peek() == der.INTEGER else None
    tsa = None
    if body.peek() == der.context(0):
        explicit = body.enter(der.context(0))
        tsa = explicit.raw()
        explicit.done()
    extensions: tuple[str, ...] = ()
    if body.peek():
        extensions = _read_extensions(body.enter(der.context(1)))
    body.done()
    return TokenInfo(
        policy, algorithm.oid, hashed, serial, gen_time, accuracy, ordering, nonce, tsa, extensions
    )


def _read_accuracy(reader: der.Reader) -> timedelta:
    """RFC 3161 §2.4.2: what is missing counts as zero. Over a day is no accuracy at all."""
    seconds = reader.integer() if reader.peek() == der.INTEGER else 0
    small = [0, 0]
    for number in (0, 1):
        tag = der.context(number, constructed=False)
        if reader.peek() == tag:
            small[number] = reader.integer(tag)
            if not 1 <= small[number] <= 999:
                raise Unreadable("the accuracy is out of bounds")
    reader.done()
    if not 0 <= seconds < MAX_ACCURACY.total_seconds():
        raise Unreadable("the accuracy is out of bounds")
    return timedelta(seconds=seconds, milliseconds=small[0], microseconds=small[1])


def _read_extensions(reader: der.Reader) -> tuple[str, ...]:
    """OIDs of the extensions. None is known here, so a critical one makes the token unreadable
    (RFC 5280 §4.2)."""
    oids: list[str] = []
    while reader.peek():
        extension = reader.enter()
        oids.append(extension.oid())
        if extension.peek() == der.BOOLEAN and extension.boolean():
            raise Unreadable("the token has a critical extension that is not known")
        extension.octets()
        extension.done()
    return tuple(oids)

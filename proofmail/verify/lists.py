"""Trusted lists: whether a token's authority was a qualified one at genTime (SPEC §5.8).

The lists come from the trust alone, as compact extracts that `proofmail trust build` made; no XML
is read here. A list speaks of genTime if it was issued after it, or was in force then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from proofmail.core.canonical import Json, base64url, format_time
from proofmail.core.extracts import (
    MAX_NAME,
    QUALIFIED_TYPE,
    STATUSES,
    TYPES,
    ListExtract,
    one_of,
    read_moment,
    read_territory,
)
from proofmail.core.shape import array, digest, integer, members, octets, text
from proofmail.errors import CheckFailed, NotChecked, Unreadable
from proofmail.verify.cms import certificate_names, load_certificate
from proofmail.verify.token_path import path_at

QUALIFIED = "qualified"
QUALIFIED_UNSIGNED = "qualified by an unsigned list"
NOT_QUALIFIED = "not qualified"
UNKNOWN = "not checked"
EIDAS = datetime(2016, 6, 30, 22, tzinfo=UTC)
"""1 July 2016 in Brussels, when Regulation (EU) No 910/2014 began to apply (its article 52)."""
MAX_LISTS = 64
MAX_SERVICES = 5000
MAX_CERTIFICATES = 64
MAX_PERIODS = 256
_GRANTED = "granted"


@dataclass(frozen=True)
class Period:
    """From `start` (aware) to the next period's start the service had this status and type."""

    start: datetime
    status: str
    type: str


@dataclass(frozen=True)
class ListedService:
    """A time-stamping service of a list. `certificates` (DER) are its own, or those of the
    issuers of its own; `periods` are in the order of time."""

    provider: str
    name: str
    certificates: tuple[bytes, ...]
    periods: tuple[Period, ...]

    def period_at(self, moment: datetime) -> Period | None:
        return next((p for p in reversed(self.periods) if p.start <= moment), None)


@dataclass(frozen=True)
class TrustedList:
    """What a national list says of its time-stamping services. `sha256` is of the list's file,
    `signer` of the certificate that its signature was checked with: None if it was not."""

    territory: str
    sequence: int
    issued: datetime
    next_update: datetime | None
    sha256: bytes
    signer: bytes | None
    services: tuple[ListedService, ...]

    @property
    def title(self) -> str:
        unsigned = "" if self.signer else ", its signature not checked"
        return f"list {self.territory} no. {self.sequence} of {self.issued:%Y-%m-%d}{unsigned}"

    @cached_property
    def by_subject(self) -> dict[bytes, list[tuple[ListedService, bytes]]]:
        """Services and their certificates, by the DER of the certificates' subjects."""
        found: dict[bytes, list[tuple[ListedService, bytes]]] = {}
        for service in self.services:
            for certificate in service.certificates:
                subject = certificate_names(certificate).subject
                found.setdefault(subject, []).append((service, certificate))
        return found

    def speaks_of(self, moment: datetime) -> bool:
        return moment <= max(self.issued, self.next_update or self.issued)

    def to_json(self) -> Json:
        value: dict[str, Json] = {
            "issued": format_time(self.issued),
            "sequence": self.sequence,
            "services": [_service_json(service) for service in self.services],
            "sha256": base64url(self.sha256),
            "territory": self.territory,
        }
        if self.next_update:
            value["next_update"] = format_time(self.next_update)
        if self.signer:
            value["signer"] = base64url(self.signer)
        return value


def _service_json(service: ListedService) -> Json:
    return {
        "certificates": [base64url(certificate) for certificate in service.certificates],
        "name": service.name,
        "periods": [
            {"start": format_time(p.start), "status": p.status, "type": p.type}
            for p in service.periods
        ],
        "provider": service.provider,
    }


def read_list(value: Json, what: str) -> TrustedList:
    """An item of the trust file's `lists`; Unreadable for any other shape."""
    required = ("issued", "sequence", "services", "sha256", "territory")
    found = members(value, what, required, ("next_update", "signer"))
    return TrustedList(
        territory=read_territory(found["territory"]),
        sequence=integer(found["sequence"], "sequence"),
        issued=read_moment(found["issued"], "issued"),
        next_update=(
            read_moment(found["next_update"], "next_update") if "next_update" in found else None
        ),
        sha256=digest(found["sha256"], "sha256"),
        signer=digest(found["signer"], "signer") if "signer" in found else None,
        services=array(found["services"], "services", MAX_SERVICES, _service),
    )


def _service(value: Json, what: str) -> ListedService:
    found = members(value, what, ("certificates", "name", "periods", "provider"))
    periods = array(found["periods"], "periods", MAX_PERIODS, _period)
    starts = [period.start for period in periods]
    if not starts or starts != sorted(starts):
        raise Unreadable("a listed service's periods are not in the order of time")
    certificates = array(found["certificates"], "certificates", MAX_CERTIFICATES, _certificate)
    if not certificates:
        raise Unreadable("a listed service has no certificate")
    return ListedService(
        provider=text(found["provider"], "provider", MAX_NAME),
        name=text(found["name"], "name", MAX_NAME),
        certificates=certificates,
        periods=periods,
    )


def _period(value: Json, what: str) -> Period:
    found = members(value, what, ("start", "status", "type"))
    return Period(
        start=read_moment(found["start"], "start"),
        status=one_of(found["status"], "status", STATUSES),
        type=one_of(found["type"], "type", TYPES),
    )


def _certificate(value: Json, what: str) -> bytes:
    der = octets(value, what, 64 << 10)
    load_certificate(der)
    return der


# --- judging ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Qualification:
    """`answer` is QUALIFIED, QUALIFIED_UNSIGNED, NOT_QUALIFIED or UNKNOWN; `list_title` and
    `extract` are of the list that gave it, where one did."""

    answer: str
    reason: str
    list_title: str = ""
    extract: ListExtract | None = None

    @property
    def holds(self) -> bool:
        return self.answer in (QUALIFIED, QUALIFIED_UNSIGNED)


def qualification(
    signer: x509.Certificate,
    untrusted: Sequence[bytes],
    gen_time: datetime,
    lists: Sequence[TrustedList],
) -> Qualification:
    """What the lists say of the signer's authority at genTime (aware). `untrusted` is DER of
    certificates that may stand between the signer's and a listed one."""
    if not lists:
        return Qualification(UNKNOWN, "no trusted list is in the trust given")
    found = [
        _judge(trusted_list, service, gen_time)
        for trusted_list in lists
        for service in _services_of(trusted_list, signer, untrusted, gen_time)
    ]
    for answer in (QUALIFIED, QUALIFIED_UNSIGNED, UNKNOWN, NOT_QUALIFIED):
        # A list too old to tell outweighs another's no: the service may have moved there.
        for one in found:
            if one.answer == answer:
                return one
    territories = ", ".join(sorted({trusted_list.territory for trusted_list in lists}))
    return Qualification(UNKNOWN, f"the authority is in none of the lists given ({territories})")


def _services_of(
    trusted_list: TrustedList,
    signer: x509.Certificate,
    untrusted: Sequence[bytes],
    gen_time: datetime,
) -> Iterator[ListedService]:
    """The services that the signer's certificate belongs to (ETSI TS 119 615 §4.3): one of theirs
    has its name and key, or a path from it to one of theirs holds at genTime."""
    names = certificate_names(signer.public_bytes(Encoding.DER))
    wanted = {names.subject, names.issuer}
    for helper in untrusted:
        try:
            wanted.add(certificate_names(helper).issuer)
        except Unreadable:
            continue
    seen: list[ListedService] = []
    for subject in sorted(wanted & trusted_list.by_subject.keys()):
        for service, der in trusted_list.by_subject[subject]:
            listed = load_certificate(der)
            own = subject == names.subject and _key(listed) == _key(signer)
            if service not in seen and (own or _leads_to(signer, untrusted, listed, gen_time)):
                seen.append(service)
                yield service


def _key(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _leads_to(
    signer: x509.Certificate,
    untrusted: Sequence[bytes],
    listed: x509.Certificate,
    gen_time: datetime,
) -> bool:
    try:
        path_at(signer, untrusted, [listed], gen_time)
    except (CheckFailed, NotChecked):
        return False
    return True


def _judge(trusted_list: TrustedList, service: ListedService, gen_time: datetime) -> Qualification:
    title = trusted_list.title
    period = service.period_at(gen_time)
    called = f"{title}: {service.name} of {service.provider}"
    if not trusted_list.speaks_of(gen_time):
        return Qualification(UNKNOWN, f"{title} is too old to tell of genTime: take a newer one")
    if period is None:
        return Qualification(NOT_QUALIFIED, f"{called} was not listed yet at genTime", title)
    extract = _extract(trusted_list, service, period)
    said = f"{called}, {period.status} since {period.start:%Y-%m-%d}"
    if gen_time < EIDAS:
        reason = f"{said}; nobody was qualified before 1 July 2016"
        return Qualification(NOT_QUALIFIED, reason, title, extract)
    if period.type != QUALIFIED_TYPE:
        reason = f"{said}; not a service for qualified time-stamps"
        return Qualification(NOT_QUALIFIED, reason, title, extract)
    if period.status != _GRANTED:
        return Qualification(NOT_QUALIFIED, f"not qualified at genTime; {said}", title, extract)
    answer = QUALIFIED if trusted_list.signer else QUALIFIED_UNSIGNED
    return Qualification(answer, f"qualified at genTime; {said}", title, extract)


def _extract(trusted_list: TrustedList, service: ListedService, period: Period) -> ListExtract:
    return ListExtract(
        territory=trusted_list.territory,
        sequence=trusted_list.sequence,
        issued=trusted_list.issued,
        list_sha256=trusted_list.sha256,
        provider=service.provider,
        service=service.name,
        type=period.type,
        status=period.status,
        since=period.start,
    )

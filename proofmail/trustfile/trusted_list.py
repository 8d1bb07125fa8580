"""A national trusted list (ETSI TS 119 612, versions 5 and 6) as what the verifier needs of it:
the time-stamping services, their certificates, and each status from when it began."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from proofmail.core.extracts import MAX_NAME, STATUSES, read_territory
from proofmail.errors import Unreadable
from proofmail.trustfile.xml_tree import Element
from proofmail.verify.cms import load_certificate
from proofmail.verify.lists import MAX_CERTIFICATES, MAX_PERIODS, ListedService, Period

TSL = "{http://uri.etsi.org/02231/v2#}"
ROOT = f"{TSL}TrustServiceStatusList"
TSLX = "{http://uri.etsi.org/02231/v2/additionaltypes#}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NATIONAL = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric"
LIST_OF_LISTS = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
_VERSIONS = frozenset({"5", "6"})
_STATUS = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
_TYPE = "http://uri.etsi.org/TrstSvc/Svctype/"
_TYPES = {
    f"{_TYPE}TSA/QTST": "QTST",
    f"{_TYPE}TSA": "TSA",
    f"{_TYPE}TSA/TSS-QC": "TSA",
    f"{_TYPE}TSA/TSS-AdESQCandQES": "TSA",
}
_KNOWN_EXTENSIONS = frozenset(
    {f"{TSL}AdditionalServiceInformation", f"{TSL}ExpiredCertsRevocationInfo", f"{TSLX}TakenOverBy"}
)
"""Those that change nothing in what a status says of a time-stamping service."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)\Z", re.ASCII)
_DIGITS = re.compile(r"[1-9]\d{0,14}\Z", re.ASCII)
_LIST_MIME = "application/vnd.etsi.tsl+xml"
MAX_POINTERS = 256


@dataclass(frozen=True)
class Scheme:
    """What a list says of itself; times aware. `next_update` is None for one that is closed."""

    type: str
    territory: str
    sequence: int
    issued: datetime
    next_update: datetime | None


@dataclass(frozen=True)
class Services:
    """`passed_over` counts those that were not taken: without a certificate that can be read, with
    a history that contradicts itself, or beyond the bounds."""

    taken: tuple[ListedService, ...]
    passed_over: int


def read_scheme(root: Element) -> Scheme:
    """Unreadable if it is no list, or one of another version."""
    if root.tag != ROOT:
        raise Unreadable("this is not a trusted list")
    scheme = root.one(f"{TSL}SchemeInformation")

    def said(*path: str) -> str:
        return scheme.one(*(f"{TSL}{step}" for step in path)).text()

    if said("TSLVersionIdentifier") not in _VERSIONS:
        raise Unreadable("a trusted list of a version that this program does not know")
    sequence = said("TSLSequenceNumber")
    if not _DIGITS.match(sequence):
        raise Unreadable("the list's sequence number is not one")
    next_update = scheme.one(f"{TSL}NextUpdate")
    return Scheme(
        type=said("TSLType"),
        territory=_territory(said("SchemeTerritory")),
        sequence=int(sequence),
        issued=read_moment(said("ListIssueDateTime")),
        next_update=(
            read_moment(next_update.one(f"{TSL}dateTime").text()) if next_update.children else None
        ),
    )


def _territory(said: str) -> str:
    """Greece and the United Kingdom may spell themselves EL and UK, which are letters too."""
    return read_territory(said.upper())


def read_moment(said: str) -> datetime:
    """An xsd:dateTime with a zone, as an aware time in UTC, cut to milliseconds."""
    if not _MOMENT.match(said):
        raise Unreadable("a time in the list is not one, or has no zone")
    whole, _, rest = said.partition(".")
    fraction = re.match(r"\d*", rest)
    digits = fraction[0] if fraction else ""
    zone = rest[len(digits) :] if rest else ""
    try:
        moment = datetime.fromisoformat(f"{whole}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("a time in the list is not one") from error
    if not 1970 <= moment.year <= 9998:
        raise Unreadable("a time in the list is outside the years 1970 to 9998")
    return moment.replace(microsecond=int(digits[:3].ljust(3, "0")) * 1000)


def read_services(root: Element) -> Services:
    """The services for time-stamps. One that cannot be taken is counted, and keeps none of the
    others away."""
    taken: list[ListedService] = []
    passed_over = 0
    for provider in root.all(f"{TSL}TrustServiceProviderList", f"{TSL}TrustServiceProvider"):
        names = provider.all(f"{TSL}TSPInformation", f"{TSL}TSPName", f"{TSL}Name")
        called = _english(names)
        for service in provider.all(f"{TSL}TSPServices", f"{TSL}TSPService"):
            try:
                read = _service(called, service)
            except Unreadable:
                passed_over += 1
                continue
            if read:
                taken.append(read)
    return Services(tuple(taken), passed_over)


def _service(provider: str, service: Element) -> ListedService | None:
    current = service.one(f"{TSL}ServiceInformation")
    history = list(service.all(f"{TSL}ServiceHistory", f"{TSL}ServiceHistoryInstance"))
    if len(history) >= MAX_PERIODS:
        raise Unreadable("a service with too long a history")
    instances = [current, *history]
    if not any(_type(instance) for instance in instances):
        return None
    # A period of another type (a service that was something else once) is one without a status.
    periods = [_period(instance) for instance in instances]
    if any(later.start < earlier.start for later, earlier in pairwise(periods)):
        raise Unreadable("a service whose history is not in the order of time")
    return ListedService(
        provider=provider,
        name=_english(current.all(f"{TSL}ServiceName", f"{TSL}Name")),
        certificates=_certificates(current),
        periods=tuple(reversed(periods)),
    )


def _type(instance: Element) -> str:
    """ "" for a service of another type."""
    return _TYPES.get(instance.one(f"{TSL}ServiceTypeIdentifier").text().rstrip("/"), "")


def _period(instance: Element) -> Period:
    status = instance.one(f"{TSL}ServiceStatus").text().rstrip("/")
    name = status.removeprefix(_STATUS)
    known = status.startswith(_STATUS) and name in STATUSES and _type(instance)
    return Period(
        start=read_moment(instance.one(f"{TSL}StatusStartingTime").text()),
        status=name if known and not _strange(instance) else "other",
        type=_type(instance) or "TSA",
    )


def _strange(instance: Element) -> bool:
    """Whether an extension that this program does not know is critical (TS 119 612 §5.5.9)."""
    extensions = instance.all(f"{TSL}ServiceInformationExtensions", f"{TSL}Extension")
    return any(
        extension.attributes.get("Critical", "").strip() not in ("false", "0")
        and any(child.tag not in _KNOWN_EXTENSIONS for child in extension.children)
        for extension in extensions
    )


def _certificates(instance: Element) -> tuple[bytes, ...]:
    """Of the service's digital identity. A name or a key identifier alone names nobody: both can
    be copied."""
    identities = instance.all(
        f"{TSL}ServiceDigitalIdentity", f"{TSL}DigitalId", f"{TSL}X509Certificate"
    )
    found = tuple(dict.fromkeys(_certificate(identity) for identity in identities))
    if not 0 < len(found) <= MAX_CERTIFICATES:
        raise Unreadable("a service without certificates, or with too many")
    return found


def _certificate(element: Element) -> bytes:
    try:
        der = b64decode("".join(element.text().split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("a certificate in the list cannot be read") from error
    load_certificate(der)
    return der


def _english(names: Iterator[Element]) -> str:
    """The English name, or else the first; cut."""
    by_language = [(name.attributes.get(XML_LANG, "").lower(), name.text()) for name in names]
    found = [text for language, text in by_language if language == "en"]
    found += [text for _, text in by_language]
    return " ".join(found[0].split())[:MAX_NAME] if found else ""


def signers_by_territory(root: Element) -> dict[str, list[bytes]]:
    """From the list of lists: the certificates (DER) that may sign each territory's list."""
    pointers = list(
        root.one(f"{TSL}SchemeInformation").all(f"{TSL}PointersToOtherTSL", f"{TSL}OtherTSLPointer")
    )
    if len(pointers) > MAX_POINTERS:
        raise Unreadable("the list of lists points to too many")
    found: dict[str, list[bytes]] = {}
    for pointer in pointers:
        told = list(pointer.all(f"{TSL}AdditionalInformation", f"{TSL}OtherInformation"))
        if not (_tells(told, f"{TSL}TSLType", NATIONAL) and _tells(told, _MIME, _LIST_MIME)):
            continue
        territories = [e.text() for t in told for e in t.all(f"{TSL}SchemeTerritory")]
        if len(territories) == 1:
            known = found.setdefault(_territory(territories[0]), [])
            known += _pointed_signers(pointer)
    return found


_MIME = f"{TSLX}MimeType"


def _tells(told: Sequence[Element], tag: str, expected: str) -> bool:
    return [e.text() for information in told for e in information.all(tag)] == [expected]


def _pointed_signers(pointer: Element) -> list[bytes]:
    found = []
    path = ("ServiceDigitalIdentities", "ServiceDigitalIdentity", "DigitalId", "X509Certificate")
    for element in pointer.all(*(f"{TSL}{step}" for step in path)):
        try:
            found.append(_certificate(element))
        except Unreadable:
            continue
    return found

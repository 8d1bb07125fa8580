"""Trusted lists for tests (ETSI TS 119 612), signed as XAdES with keys of our own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from tests.verify.token_maker import NOW, Credential

GENERIC = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric"
LISTS = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
QTST = "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"
TSA = "http://uri.etsi.org/TrstSvc/Svctype/TSA"
CA_QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
STATUS = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
START = datetime(2018, 5, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Listed:
    """A service. `history` lists (start, status) of what was before, newest first."""

    certificates: tuple[bytes, ...]
    status: str = "granted"
    since: datetime = START
    type: str = QTST
    history: tuple[tuple[datetime, str], ...] = ()
    provider: str = "Horloge SA"
    name: str = "Horodatage qualifié"
    extension: str = ""


@dataclass(frozen=True)
class ListRecipe:
    services: tuple[Listed, ...] = ()
    territory: str = "FR"
    sequence: int = 123
    issued: datetime = NOW + timedelta(days=30)
    next_update: datetime | None = NOW + timedelta(days=200)
    type: str = GENERIC
    version: str = "5"
    pointers: tuple[tuple[str, tuple[bytes, ...]], ...] = ()
    attributes: str = 'Id="list"'
    before: str = ""


def spelt(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _identity(certificates: Sequence[bytes]) -> str:
    ids = "".join(
        f"<DigitalId><X509Certificate>{b64encode(der).decode()}</X509Certificate></DigitalId>"
        for der in certificates
    )
    return f"<ServiceDigitalIdentity>{ids}</ServiceDigitalIdentity>"


def _instance(listed: Listed, start: datetime, status: str) -> str:
    uri = status if ":" in status else STATUS + status
    return (
        f"<ServiceTypeIdentifier>{listed.type}</ServiceTypeIdentifier>"
        f'<ServiceName><Name xml:lang="fr">{listed.name}</Name></ServiceName>'
        f"{_identity(listed.certificates)}<ServiceStatus>{uri}</ServiceStatus>"
        f"<StatusStartingTime>{spelt(start)}</StatusStartingTime>"
    )


def _service(listed: Listed) -> str:
    extension = listed.extension and (
        f"<ServiceInformationExtensions>{listed.extension}</ServiceInformationExtensions>"
    )
    history = "".join(
        f"<ServiceHistoryInstance>{_instance(listed, *entry)}</ServiceHistoryInstance>"
        for entry in listed.history
    )
    return (
        f'<TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="en">{listed.provider}'
        "</Name></TSPName></TSPInformation><TSPServices><TSPService><ServiceInformation>"
        f"{_instance(listed, listed.since, listed.status)}{extension}</ServiceInformation>"
        + (f"<ServiceHistory>{history}</ServiceHistory>" if history else "")
        + "</TSPService></TSPServices></TrustServiceProvider>"
    )


def _pointer(territory: str, certificates: Sequence[bytes]) -> str:
    return (
        f"<OtherTSLPointer><ServiceDigitalIdentities>{_identity(certificates)}"
        "</ServiceDigitalIdentities><TSLLocation>https://lists.example/list.xml</TSLLocation>"
        f"<AdditionalInformation><OtherInformation><TSLType>{GENERIC}</TSLType></OtherInformation>"
        f"<OtherInformation><SchemeTerritory>{territory}</SchemeTerritory></OtherInformation>"
        "<OtherInformation><x:MimeType>application/vnd.etsi.tsl+xml</x:MimeType>"
        "</OtherInformation></AdditionalInformation></OtherTSLPointer>"
    )


def xml_of(recipe: ListRecipe) -> bytes:
    """The list without a signature."""
    following = f"<dateTime>{spelt(recipe.next_update)}</dateTime>" if recipe.next_update else ""
    pointers = "".join(_pointer(*pointer) for pointer in recipe.pointers)
    services = "".join(_service(listed) for listed in recipe.services)
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>{recipe.before}'
        '<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" '
        'xmlns:x="http://uri.etsi.org/02231/v2/additionaltypes#" '
        f'TSLTag="http://uri.etsi.org/19612/TSLTag" {recipe.attributes}><SchemeInformation>'
        f"<TSLVersionIdentifier>{recipe.version}</TSLVersionIdentifier>"
        f"<TSLSequenceNumber>{recipe.sequence}</TSLSequenceNumber><TSLType>{recipe.type}</TSLType>"
        f"<SchemeTerritory>{recipe.territory}</SchemeTerritory>"
        + (f"<PointersToOtherTSL>{pointers}</PointersToOtherTSL>" if pointers else "")
        + f"<ListIssueDateTime>{spelt(recipe.issued)}</ListIssueDateTime>"
        f"<NextUpdate>{following}</NextUpdate></SchemeInformation>"
        + (f"<TrustServiceProviderList>{services}</TrustServiceProviderList>" if services else "")
        + "</TrustServiceStatusList>"
    )
    return text.encode()


_DS = "http://www.w3.org/2000/09/xmldsig#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"


def _exclusive(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def _digest(element: etree._Element) -> str:
    return b64encode(sha256(_exclusive(element)).digest()).decode()


def _reference(uri: str, digest: str, *transforms: str, type: str = "") -> str:
    applied = "".join(f'<ds:Transform Algorithm="{name}"/>' for name in transforms)
    kind = f' Type="{type}"' if type else ""
    return (
        f'<ds:Reference URI="{uri}"{kind}><ds:Transforms>{applied}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{_SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue>'
        "</ds:Reference>"
    )


def sign(xml: bytes, signer: Credential, uri: str = "") -> bytes:
    """The list with an enveloped XAdES signature by exclusive canonicalisation, ECDSA on P-256;
    made here and by lxml's canonicalisation alone. `uri` names what is signed: "" for the whole."""
    root = etree.fromstring(xml)
    digest = _digest(root)
    certificate = sha256(signer.der).digest()
    properties = (
        f'<xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" '
        f'Target="#sig"><xades:SignedProperties Id="props"><xades:SignedSignatureProperties>'
        f"<xades:SigningTime>2026-01-01T00:00:00Z</xades:SigningTime>"
        f"<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
        f'<ds:DigestMethod Algorithm="{_SHA256}"/>'
        f"<ds:DigestValue>{b64encode(certificate).decode()}</ds:DigestValue></xades:CertDigest>"
        f"</xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>"
        f"</xades:SignedProperties></xades:QualifyingProperties>"
    )
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{_DS}" Id="sig"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{_EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{_ECDSA}"/></ds:SignedInfo>'
        f"<ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        f"{b64encode(signer.der).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        f"<ds:Object>{properties}</ds:Object></ds:Signature>"
    )
    root.append(signature)
    info = signature[0]
    enveloped = f"{_DS}enveloped-signature"
    signed_properties = signature[3][0][0]
    kind = "http://uri.etsi.org/01903#SignedProperties"
    for reference in (
        _reference(uri, digest, enveloped, _EXCLUSIVE),
        _reference("#props", _digest(signed_properties), _EXCLUSIVE, type=kind),
    ):
        info.append(etree.fromstring(f'<a xmlns:ds="{_DS}">{reference}</a>')[0])
    r, s = decode_dss_signature(signer.key.sign(_exclusive(info), ec.ECDSA(hashes.SHA256())))
    signature[1].text = b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def signed(recipe: ListRecipe, signer: Credential) -> bytes:
    return sign(xml_of(recipe), signer)

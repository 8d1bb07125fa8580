"""Puts a trust together from what was read from files (SPEC §8.1). Pure, but for the lists'
signatures, which are judged in `list_signature`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proofmail.core.evm import read_header
from proofmail.errors import CheckFailed, Unreadable
from proofmail.trustfile.list_signature import signed_list
from proofmail.trustfile.trusted_list import (
    LIST_OF_LISTS,
    NATIONAL,
    Scheme,
    read_scheme,
    read_services,
    signers_by_territory,
)
from proofmail.trustfile.xml_tree import read_xml
from proofmail.verify.lists import MAX_SERVICES, TrustedList
from proofmail.verify.trust import Authority, Chain, Service, Trust, make_trust, read_trust


@dataclass(frozen=True)
class TakenList:
    """A list as it goes into the trust, and how many of its services could not be taken."""

    trusted_list: TrustedList
    passed_over: int


@dataclass(frozen=True)
class Signers:
    """Who may sign lists: `any` whichever, `by_territory` (DER) that territory's alone."""

    any: tuple[x509.Certificate, ...] = ()
    by_territory: tuple[tuple[str, tuple[bytes, ...]], ...] = ()

    def of(self, territory: str) -> list[x509.Certificate]:
        pointed = (ders for name, ders in self.by_territory if name == territory)
        return [
            *self.any,
            *(x509.load_der_x509_certificate(der) for ders in pointed for der in ders),
        ]


def take_list(data: bytes, signers: Signers | None) -> TakenList:
    """A national list that one of its signers signed; `signers` None: as it stands, unsigned.

    Unreadable if it is no national list, CheckFailed if the signature does not hold.
    """
    root = read_xml(data)
    scheme = read_scheme(root)
    if scheme.type != NATIONAL:
        raise Unreadable("this is not a national trusted list of the European Union")
    signer: x509.Certificate | None = None
    if signers is not None:
        root, signer = signed_list(data, signers.of(scheme.territory), scheme.issued)
        _same(scheme, read_scheme(root))
    services = read_services(root)
    if len(services.taken) > MAX_SERVICES:
        raise Unreadable(f"the list has more than {MAX_SERVICES} time-stamping services")
    made = TrustedList(
        territory=scheme.territory,
        sequence=scheme.sequence,
        issued=scheme.issued,
        next_update=scheme.next_update,
        sha256=sha256(data).digest(),
        signer=sha256(signer.public_bytes(Encoding.DER)).digest() if signer else None,
        services=services.taken,
    )
    return TakenList(made, services.passed_over)


def _same(outside: Scheme, signed: Scheme) -> None:
    if outside != signed:
        raise CheckFailed("the list's signature is of another list")


def signers_of(data: bytes, signers: Sequence[x509.Certificate]) -> Signers:
    """The signers that the list of lists names, if one of `signers` signed it."""
    scheme = read_scheme(read_xml(data))
    if scheme.type != LIST_OF_LISTS:
        raise Unreadable("this is not the European Union's list of lists")
    root, _ = signed_list(data, signers, scheme.issued)
    _same(scheme, read_scheme(root))
    named = signers_by_territory(root)
    return Signers(by_territory=tuple((name, tuple(ders)) for name, ders in named.items()))


def join(base: Trust, more: Trust) -> Trust:
    """What either believes. Of two entries on the same service or chain one is made with what
    both say; of the same authority `more`'s counts, of the same territory the newer list."""
    services = {item.log: item for item in base.services}
    for service in more.services:
        services[service.log] = _services(services.get(service.log), service)
    chains = {item.chain_id: item for item in base.chains}
    for chain in more.chains:
        chains[chain.chain_id] = _chains(chains.get(chain.chain_id), chain)
    authorities = {a.certificate: a for a in (*base.authorities, *more.authorities)}
    lists = {item.territory: item for item in base.lists}
    for item in more.lists:
        known = lists.get(item.territory)
        if known and item.sequence < known.sequence:
            raise Unreadable(f"a newer list of {item.territory} is there already")
        lists[item.territory] = item
    joined = make_trust(
        list(services.values()),
        list(authorities.values()),
        list(chains.values()),
        list(dict.fromkeys((*base.seals, *more.seals))),
        more.witnesses,
        lists=[lists[territory] for territory in sorted(lists)],
    )
    for chain in joined.chains:
        _check_led(chain)
    return joined


def _services(known: Service | None, more: Service) -> Service:
    if known is None:
        return more
    return Service(
        more.log, tuple(dict.fromkeys((*known.keys, *more.keys))), known.senders | more.senders
    )


def _chains(known: Chain | None, more: Chain) -> Chain:
    if known is None:
        return more
    return replace(
        more,
        name=more.name or known.name,
        blocks=known.blocks | more.blocks,
        headers=tuple(dict.fromkeys((*known.headers, *more.headers))),
        development=known.development or more.development,
    )


def _check_led(chain: Chain) -> None:
    """A header that leads back from nothing believed was given in vain: somebody should know."""
    if any(read_header(raw).hash not in chain.believed for raw in chain.headers):
        raise Unreadable(
            f"chain {chain.chain_id}: a block header leads back from no block that is believed"
        )


def checked(trust: Trust, encoded: bytes) -> None:
    """The file to be written reads back as the same trust; Unreadable if it would not."""
    if read_trust(encoded) != trust:
        raise Unreadable("the trust file would not read back as it was made")


def named_root(certificate: x509.Certificate) -> Authority:
    """An authority called by its certificate's own name."""
    return Authority(
        name=certificate.subject.rfc4514_string()[:200],
        certificate=certificate.public_bytes(Encoding.DER),
    )

"""What a verifier decides to believe (SPEC §8). Always passed in, never taken from a proof."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from proofmail.core.canonical import Json, base64url, decode_lenient
from proofmail.core.evm import MAX_HEADER_BYTES, read_header
from proofmail.core.record import read_log
from proofmail.core.shape import array, boolean, exactly, integer, members, octets, text
from proofmail.errors import Unreadable
from proofmail.verify.lists import MAX_LISTS, TrustedList, read_list
from proofmail.verify.token import TokenAnchor, TokenTrust

FORMAT = "proofmail/trust/0"
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
MAX_TRUST_BYTES = 64 << 20
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z", re.ASCII)
_BLOCK = re.compile(r"0x[0-9a-fA-F]{64}\Z", re.ASCII)
_CHAIN_ID = re.compile(r"[1-9]\d{0,19}\Z", re.ASCII)
_OID = re.compile(r"\d+(?:\.\d+)+\Z", re.ASCII)


@dataclass(frozen=True)
class Service:
    """A log, the keys that sign its records, and the senders that anchor its batches."""

    log: str
    keys: tuple[bytes, ...]
    """SubjectPublicKeyInfo, DER, P-256."""
    senders: frozenset[bytes]
    """20-byte addresses."""


@dataclass(frozen=True)
class Authority:
    """A time-stamping authority's root. `policies` empty: any policy of that authority."""

    name: str
    certificate: bytes
    policies: frozenset[str] = frozenset()
    built_in: bool = False
    revocation_required: bool = False
    """Whether a token of it counts only if its path was found not revoked (SPEC §5.7)."""
    qualified_required: bool = False
    """Whether a token of it counts only if a trusted list says that it is qualified (SPEC §5.8)."""


@dataclass(frozen=True)
class NodeWord:
    """What a node that the verifier chose to ask says of a height: the hash of its block there,
    None for none, and whether the node calls that block final. `node` is its host's name."""

    node: str
    number: int
    block_hash: bytes | None
    final: bool


@dataclass(frozen=True)
class Chain:
    """A chain and those of its blocks that the verifier believes to be in it, for good.

    `headers` (RLP) lead back from there: whoever believes in a block believes in its parent.
    `asked` is never in a trust file: the words of nodes asked for this very verification.
    """

    chain_id: int
    name: str
    blocks: frozenset[bytes] = frozenset()
    development: bool = False
    headers: tuple[bytes, ...] = ()
    asked: tuple[NodeWord, ...] = ()

    @cached_property
    def believed(self) -> frozenset[bytes]:
        """The hashes of `blocks`, and of all parents that `headers` show (SPEC §8.1)."""
        parents = {(header := read_header(raw)).hash: header.parent_hash for raw in self.headers}
        found = set(self.blocks)
        for start in self.blocks:
            block = start
            while (parent := parents.get(block)) is not None and parent not in found:
                found.add(parent)
                block = parent
        return frozenset(found)


@dataclass(frozen=True)
class Trust:
    services: tuple[Service, ...] = ()
    authorities: tuple[Authority, ...] = ()
    chains: tuple[Chain, ...] = ()
    seals: tuple[bytes, ...] = ()
    """Certificates of seal signers, DER, each trusted as it stands."""
    witnesses: int = 1
    lists: tuple[TrustedList, ...] = ()
    """National trusted lists, at most one of each territory."""
    tokens: TokenTrust = field(default=TokenTrust(), repr=False, compare=False)
    """The authorities' certificates, parsed once."""

    def service(self, log: str) -> Service | None:
        return next((s for s in self.services if s.log == log), None)

    def authority(self, root_sha256: bytes) -> Authority | None:
        """The authority whose certificate has this SHA-256. Listed more than once it is the first
        of them, and all that any of them asks for, or warns of, holds."""
        found = [a for a in self.authorities if sha256(a.certificate).digest() == root_sha256]
        if len(found) < 2:
            return found[0] if found else None
        return replace(
            found[0],
            built_in=any(a.built_in for a in found),
            revocation_required=any(a.revocation_required for a in found),
            qualified_required=any(a.qualified_required for a in found),
        )

    def chain(self, chain_id: int) -> Chain | None:
        return next((c for c in self.chains if c.chain_id == chain_id), None)

    def to_json(self) -> Json:
        return {
            "authorities": [_authority_json(authority) for authority in self.authorities],
            "chains": [
                {
                    "blocks": sorted(f"0x{block.hex()}" for block in c.blocks),
                    "chain_id": str(c.chain_id),
                    "development": c.development,
                    **({"headers": [base64url(raw) for raw in c.headers]} if c.headers else {}),
                    "name": c.name,
                }
                for c in self.chains
            ],
            "format": FORMAT,
            **({"lists": [item.to_json() for item in self.lists]} if self.lists else {}),
            "seals": [base64url(seal) for seal in self.seals],
            "services": [
                {
                    "keys": [base64url(key) for key in s.keys],
                    "log": s.log,
                    "senders": sorted(f"0x{sender.hex()}" for sender in s.senders),
                }
                for s in self.services
            ],
            "witnesses": self.witnesses,
        }


def _authority_json(authority: Authority) -> Json:
    return {
        "built_in": authority.built_in,
        "certificate": base64url(authority.certificate),
        "name": authority.name,
        "policies": sorted(authority.policies),
        "qualified_required": authority.qualified_required,
        "revocation_required": authority.revocation_required,
    }


def key_id(spki: bytes) -> bytes:
    """A key is named by the SHA-256 of its SubjectPublicKeyInfo (SPEC §2.5)."""
    return sha256(spki).digest()


def read_trust(data: bytes) -> Trust:
    """The trust in a trust file's bytes; Unreadable for anything else (SPEC §8.1)."""
    if len(data) > MAX_TRUST_BYTES:
        raise Unreadable(f"a trust file has at most {MAX_TRUST_BYTES} bytes")
    found = members(
        decode_lenient(data),
        "trust file",
        ("format",),
        ("authorities", "chains", "lists", "seals", "services", "witnesses"),
    )
    exactly(found["format"], "the trust file's format", FORMAT)
    trust = make_trust(
        services=array(found.get("services", []), "services", 1000, _service),
        authorities=array(found.get("authorities", []), "authorities", 1000, _authority),
        chains=array(found.get("chains", []), "chains", 1000, _chain),
        seals=array(found.get("seals", []), "seals", 1000, _certificate),
        witnesses=integer(found.get("witnesses", 1), "witnesses", 1, 64),
        lists=array(found.get("lists", []), "lists", MAX_LISTS, read_list),
    )
    _unique("services", [s.log for s in trust.services])
    _unique("chains", [str(c.chain_id) for c in trust.chains])
    _unique("lists", [item.territory for item in trust.lists])
    return trust


def make_trust(
    services: Sequence[Service],
    authorities: Sequence[Authority],
    chains: Sequence[Chain],
    seals: Sequence[bytes],
    witnesses: int = 1,
    *,
    lists: Sequence[TrustedList] = (),
) -> Trust:
    """A trust with its authorities' certificates parsed; Unreadable if one is none."""
    anchors = tuple(
        TokenAnchor(x509.load_der_x509_certificate(a.certificate), a.policies) for a in authorities
    )
    return Trust(
        services=tuple(services),
        authorities=tuple(authorities),
        chains=tuple(chains),
        seals=tuple(seals),
        witnesses=witnesses,
        lists=tuple(lists),
        tokens=TokenTrust(anchors),
    )


def _unique(what: str, names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise Unreadable(f"{what}: the same one is listed twice")


def _service(value: Json, what: str) -> Service:
    found = members(value, what, ("keys", "log", "senders"))
    return Service(
        log=read_log(found["log"]),
        keys=array(found["keys"], "keys", 100, _key),
        senders=frozenset(array(found["senders"], "senders", 100, _address)),
    )


def _key(value: Json, what: str) -> bytes:
    spki = octets(value, what, 1024)
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unreadable("a service key is not a SubjectPublicKeyInfo") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise Unreadable("a service key is not on P-256")
    if spki != key.public_bytes(serialization.Encoding.DER, SPKI):
        # A key is named by the digest of these bytes: it has one spelling, as all keys here do.
        raise Unreadable("a service key has its point in another form than the uncompressed one")
    return spki


def _address(value: Json, what: str) -> bytes:
    return _hex(value, what, _ADDRESS)


def _block(value: Json, what: str) -> bytes:
    return _hex(value, what, _BLOCK)


def _block_header(value: Json, what: str) -> bytes:
    raw = octets(value, what, MAX_HEADER_BYTES)
    read_header(raw)
    return raw


def _hex(value: Json, what: str, pattern: re.Pattern[str]) -> bytes:
    spelt = text(value, what, 66)
    if not pattern.match(spelt):
        raise Unreadable(f"{what}: not hexadecimal of the right length after 0x")
    return bytes.fromhex(spelt[2:])


def _certificate(value: Json, what: str) -> bytes:
    der = octets(value, what, 64 << 10)
    try:
        certificate = x509.load_der_x509_certificate(der)
        # A report has to name it, and a path to read it whole.
        _ = certificate.subject, certificate.issuer, certificate.extensions
    except Exception:  # its errors have no common base; all of them say "unreadable"
        raise Unreadable(f"{what}: not a certificate") from None
    return der


def _oid(value: Json, what: str) -> str:
    spelt = text(value, what, 200)
    if not _OID.match(spelt):
        raise Unreadable("a policy is not an object identifier")
    return spelt


def _authority(value: Json, what: str) -> Authority:
    optional = ("built_in", "policies", "qualified_required", "revocation_required")
    found = members(value, what, ("certificate", "name"), optional)
    return Authority(
        name=text(found["name"], "authority name", 200),
        certificate=_certificate(found["certificate"], "authority certificate"),
        policies=frozenset(array(found.get("policies", []), "policies", 100, _oid)),
        built_in=boolean(found.get("built_in", False), "built_in"),
        revocation_required=boolean(found.get("revocation_required", False), "revocation_required"),
        qualified_required=boolean(found.get("qualified_required", False), "qualified_required"),
    )


def _chain(value: Json, what: str) -> Chain:
    found = members(value, what, ("chain_id", "name"), ("blocks", "development", "headers"))
    spelt = text(found["chain_id"], "chain_id", 20)
    if not _CHAIN_ID.match(spelt):
        raise Unreadable("chain_id is not a decimal number in a string")
    return Chain(
        chain_id=int(spelt),
        name=text(found["name"], "chain name", 200),
        blocks=frozenset(array(found.get("blocks", []), "blocks", 1_000_000, _block)),
        development=boolean(found.get("development", False), "development"),
        headers=tuple(array(found.get("headers", []), "headers", 100_000, _block_header)),
    )

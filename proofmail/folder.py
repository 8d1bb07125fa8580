"""What a data folder holds: keys, certificates, authorities, the ledger, and the trust that
follows from them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from anchoring.authority import BuiltInAuthority
from anchoring.authority_identity import AuthorityMaterial
from anchoring.desks import Desk
from anchoring.devchain import DevChain, open_devchain
from anchoring.evm import check_supported, http_ledger
from anchoring.evm_nodes import SeveralNodes
from anchoring.evm_signing import LocalSigner, anchor_sender
from anchoring.keystore import read_keystore
from anchoring.remote_signer import RemoteSigner
from anchoring.tsa_http import Credentials, HttpAuthority, basic, bearer
from proofmail import setup
from proofmail.config import BUILT_IN, OutsideAuthority, Settings
from proofmail.errors import Misconfigured, TryLater, Unreadable
from proofmail.ports import AnchorSigner, Ledger
from proofmail.verify.lists import TrustedList
from proofmail.verify.token import TokenAnchor, TokenTrust
from proofmail.verify.trust import Authority, Chain, Service, Trust, make_trust, read_trust

ENVIRONMENT_KEY = "PROOFMAIL_ANCHOR_KEY"
ENVIRONMENT_PASSWORD = "PROOFMAIL_ANCHOR_PASSWORD"  # noqa: S105 - a variable's name
CHAIN_PATIENCE_SECONDS = 30.0
"""For how long a worker waits for the built-in chain: an earlier one whose supervisor was killed
finishes what it is at, and is gone within 25 seconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def secret_file(settings: Settings, name: str) -> bytes:
    """A key file; refused when others may read it."""
    path = settings.path(name)
    try:
        if path.stat().st_mode & 0o077:
            raise Misconfigured(f"{path} may be read by others: run 'chmod 600 {path}'")
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error


def public_file(settings: Settings, name: str) -> bytes:
    path = settings.path(name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error


def secret_key(settings: Settings, name: str) -> bytes:
    content = secret_file(settings, name)
    return _hexadecimal(content.decode("ascii", "replace"), str(settings.path(name)))


def _hexadecimal(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        raise Misconfigured(f"{where} is not hexadecimal") from None
    if len(key) != 32:
        raise Misconfigured(f"{where} does not hold 32 bytes")
    return key


def anchor_address(settings: Settings) -> bytes:
    """The 20-byte address that signs anchors, without opening its key where that is not in a
    plain file: the pages and the trust file need no more."""
    if settings.anchor_key.source == "file":
        return anchor_sender(secret_key(settings, setup.ANCHOR_KEY))
    return bytes.fromhex(settings.anchor_key.address[2:])


def anchor_signer(settings: Settings) -> AnchorSigner:
    """What signs anchors; Misconfigured if its key is not that of the address in the settings."""
    chosen, address = settings.anchor_key, anchor_address(settings)
    if chosen.source == "signer":
        return RemoteSigner(chosen.signer, address, chosen.signer_timeout_seconds)
    if chosen.source == "keystore":
        key = read_keystore(secret_file(settings, chosen.keystore), _password(settings))
    elif chosen.source == "environment":
        key = _hexadecimal(os.environ.get(ENVIRONMENT_KEY, ""), ENVIRONMENT_KEY)
    else:
        key = secret_key(settings, setup.ANCHOR_KEY)
    try:
        signer = LocalSigner(key)
    except ValueError:
        raise Misconfigured("the anchor key is no key of secp256k1") from None
    if signer.address != address:
        raise Misconfigured("the anchor key is not that of the address in the settings")
    return signer


def _password(settings: Settings) -> bytes:
    if settings.anchor_key.password_file:
        content = secret_file(settings, settings.anchor_key.password_file)
        return content.split(b"\n", 1)[0].rstrip(b"\r")
    found = os.environ.get(ENVIRONMENT_PASSWORD)
    if found is None:
        raise Misconfigured(f"the keystore needs password_file, or {ENVIRONMENT_PASSWORD}")
    return found.encode("utf-8")


def built_in_authority(
    settings: Settings, drift: Callable[[], timedelta] = timedelta
) -> BuiltInAuthority:
    """`drift` says by how much the host's clock is off, as far as others have told."""
    material = AuthorityMaterial(
        root_pem=public_file(settings, setup.AUTHORITY_ROOT),
        leaf_pem=public_file(settings, setup.AUTHORITY_LEAF),
        key_pem=secret_file(settings, setup.AUTHORITY_KEY),
    )
    return BuiltInAuthority(BUILT_IN, material, SystemClock(), drift)


def all_desks(settings: Settings, drift: Callable[[], timedelta] = timedelta) -> list[Desk]:
    """All authorities in the order in which they are asked; the built-in one comes last.
    Misconfigured if they cannot give a record as many independent tokens as are asked for."""
    found = [_outside_desk(settings, outside) for outside in settings.authorities]
    if settings.built_in_authority:
        root = certificates_in(public_file(settings, setup.AUTHORITY_ROOT))
        authority = built_in_authority(settings, drift)
        found.append(Desk(authority, _token_trust(root, frozenset()), built_in=True))
    needed = settings.stamping.tokens_per_record
    if len(frozenset[bytes]().union(*(desk.root_keys for desk in found))) < needed:
        raise Misconfigured(
            f"stamping: tokens_per_record = {needed} needs authorities under as many roots, "
            "each with a key of its own"
        )
    return found


def _outside_desk(settings: Settings, outside: OutsideAuthority) -> Desk:
    authorization, certificate = "", None
    if outside.basic_file:
        authorization = basic(secret_line(settings, outside.basic_file))
    elif outside.bearer_file:
        authorization = bearer(secret_line(settings, outside.bearer_file))
    if outside.client_certificate_file:
        secret_file(settings, outside.client_certificate_file)  # its mode is looked at
        certificate = settings.path(outside.client_certificate_file)
    return Desk(
        HttpAuthority(
            outside.name, outside.url, outside.timeout_seconds,
            Credentials(authorization, certificate),
            settings.path(outside.tls_roots) if outside.tls_roots else None,
        ),
        _token_trust(certificates_in(public_file(settings, outside.root)), _policies(outside)),
        policy=outside.policy,
        tree=outside.stamp_mode == "tree",
        gap_seconds=outside.seconds_between_requests,
    )  # fmt: skip


def secret_line(settings: Settings, name: str) -> str:
    try:
        return secret_file(settings, name).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise Misconfigured(f"{settings.path(name)} is not text") from None


def _policies(outside: OutsideAuthority) -> frozenset[str]:
    return frozenset(outside.policies or filter(None, [outside.policy]))


def _token_trust(ders: Sequence[bytes], policies: frozenset[str]) -> TokenTrust:
    certificates = [x509.load_der_x509_certificate(der) for der in ders]
    return TokenTrust(tuple(TokenAnchor(found, policies) for found in certificates))


def open_ledger(
    settings: Settings, report: Callable[[int, str], None] = lambda number, why: None
) -> Ledger | DevChain:
    """The chain of the settings. `report`: see SeveralNodes."""
    chain = settings.ledger
    if chain.rpc_url:
        nodes = [
            http_ledger(
                url, expected_chain_id=chain.chain_id, timeout_seconds=chain.timeout_seconds
            )
            for url in (chain.rpc_url, *chain.rpc_urls)
        ]
        several = SeveralNodes(nodes, chain.quorum, report)
        with suppress(TryLater):  # a node that is down now may be up later
            several.check_each(check_supported)
        return several if len(nodes) > 1 else nodes[0]
    return open_devchain(
        settings.path(setup.CHAIN_FILE),
        anchor_address(settings),
        SystemClock(),
        patience_seconds=CHAIN_PATIENCE_SECONDS,
    )


def certificates_in(pem: bytes) -> list[bytes]:
    """The certificates of a PEM file, at least one."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except (ValueError, x509.InvalidVersion) as error:
        raise Misconfigured("a certificate file of the settings cannot be read") from error
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


def _der(pem: bytes) -> bytes:
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except (ValueError, x509.InvalidVersion) as error:
        raise Misconfigured("a certificate file of the settings cannot be read") from error


def service_key(settings: Settings) -> bytes:
    """The SubjectPublicKeyInfo of the key that signs records."""
    try:
        key = load_pem_private_key(secret_file(settings, setup.SERVICE_KEY), None)
    except (ValueError, TypeError) as error:
        raise Misconfigured(f"{settings.path(setup.SERVICE_KEY)} is not a PEM key") from error
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def own_trust(
    settings: Settings, blocks: dict[int, list[bytes]], senders: Set[bytes] = frozenset()
) -> Trust:
    """What this installation's auditors are asked to believe: its own keys, the authorities that
    it uses, the trusted lists, and the blocks that its chain called final. `senders` are those of
    the anchors in them: a key that was changed since has signed some."""
    authorities = [
        Authority(outside.name, root, _policies(outside))
        for outside in settings.authorities
        for root in certificates_in(public_file(settings, outside.root))
    ]
    if settings.built_in_authority:
        root = _der(public_file(settings, setup.AUTHORITY_ROOT))
        authorities.append(Authority(BUILT_IN, root, built_in=True))
    own_chain = settings.ledger.chain_id if settings.ledger.rpc_url else 0
    chains = [
        Chain(
            chain_id=number,
            name=settings.ledger.chain_name if number == own_chain else "development chain",
            blocks=frozenset(hashes),
            development=number != own_chain,
        )
        for number, hashes in sorted(blocks.items())
    ]
    certificates = (settings.seal.certificate, *settings.seal.earlier_certificates)
    seals = [_der(public_file(settings, name)) for name in certificates]
    spki = service_key(settings)
    service = Service(settings.log, (spki,), frozenset({anchor_address(settings), *senders}))
    lists = _lists(settings.path(settings.trusted_lists)) if settings.trusted_lists else ()
    return make_trust([service], authorities, chains, seals, lists=lists)


@lru_cache(maxsize=2)
def _lists(file: Path) -> tuple[TrustedList, ...]:
    """Read once: like a setting, it counts from the next start."""
    try:
        return read_trust(file.read_bytes()).lists
    except OSError as error:
        raise Misconfigured(f"trusted_lists: {file} cannot be read: {error.strerror}") from error
    except Unreadable as error:
        raise Misconfigured(f"trusted_lists: {file} is no trust file: {error}") from error

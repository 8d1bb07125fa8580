"""All settings, in one place, read once from DIR/settings.toml.

Unknown names are refused, so that a misspelt setting is never silently ignored.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
import tomllib
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from proofmail.core.batch import MAX_RECORDS
from proofmail.core.evm import MAX_CHAIN_ID
from proofmail.core.record import read_log
from proofmail.errors import Misconfigured, Unreadable

SETTINGS_FILE = "settings.toml"
MOST_GATEWAYS = 64
_GATEWAYS_UNASKED = 8
BUILT_IN = "built-in"
"""The name of the built-in authority."""
MAX_TOKENS = 8
"""Asked for at a time; a proof holds at most 16 (SPEC §7.1)."""
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d{0,39})){1,30}\Z", re.ASCII)


@dataclass(frozen=True)
class Smtp:
    """The gateway's doors. Port 0 lets the system choose one."""

    host: str = "127.0.0.1"
    port: int = 2525
    lmtp: str = ""
    """HOST:PORT or the path of a Unix socket for LMTP; empty: none."""
    hostname: str = "localhost"
    """Our name in the greeting."""
    relay_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Hosts that may submit for listed senders."""
    size_limit_bytes: int = 50 * 1024 * 1024
    gateway_processes: int = 0
    """How many processes take mail from these doors; 0: one for each processor core, at most 8."""
    certificate: str = ""
    """PEM chain for STARTTLS, with `certificate_key`; empty: no STARTTLS."""
    certificate_key: str = ""


@dataclass(frozen=True)
class Http:
    """Pages, API and /tsa."""

    host: str = "127.0.0.1"
    port: int = 8025
    behind_proxy: bool = False
    """A proxy on this machine sets X-Forwarded-For and -Proto; never true without one."""
    public_url: str = ""
    """The address that people type; sets the Secure mark of cookies when it is https."""

    @property
    def check_address(self) -> str:
        """Of the page where dossiers are checked, or "" if no public address is known."""
        return f"{self.public_url}/verify" if self.public_url else ""


@dataclass(frozen=True)
class Database:
    url: str = ""
    """SQLAlchemy URL; empty: proofmail.db in the data folder."""


@dataclass(frozen=True)
class Batches:
    """A batch closes when its oldest record is this old or it holds this many."""

    max_age_seconds: float = 5.0
    max_records: int = 100_000


@dataclass(frozen=True)
class LedgerSettings:
    """The chain. Empty `rpc_url`: the built-in one, which proves nothing to others."""

    rpc_url: str = ""
    rpc_urls: tuple[str, ...] = ()
    """Further nodes of the same chain: each is asked, and what they say is compared."""
    quorum: int = 0
    """How many nodes have to agree; 0: a majority, of two nodes one that is not contradicted."""
    chain_id: int = 0
    """The id that the nodes must answer with; required with `rpc_url`."""
    chain_name: str = ""
    max_fee_per_gas_wei: int = 200_000_000_000
    """While the chain asks more, batches wait."""
    daily_budget_wei: int = 0
    """The most that the anchors of one UTC day may cost; 0: no bound but the one above."""
    replace_after_seconds: float = 300.0
    """A transaction that is in no block by then is replaced at a higher fee."""
    poll_seconds: float = 2.0
    timeout_seconds: float = 10.0


@dataclass(frozen=True)
class AnchorKey:
    """Where the key is that signs anchors (docs/operating.md)."""

    source: str = "file"
    """file: keys/anchor.key. keystore: an encrypted file. environment: PROOFMAIL_ANCHOR_KEY, 64
    hexadecimal digits. signer: another program on this machine."""
    address: str = ""
    """0x and 40 digits; required for all sources but file, and compared with the key."""
    keystore: str = ""
    """A keystore file of version 3."""
    password_file: str = ""
    """Mode 0600; its first line opens the keystore. Empty: PROOFMAIL_ANCHOR_PASSWORD does."""
    signer: str = ""
    """http://127.0.0.1:PORT or unix:/PATH; speaks eth_signTransaction."""
    signer_timeout_seconds: float = 30.0


@dataclass(frozen=True)
class Stamping:
    """A record is stamped once it has tokens of `tokens_per_record` authorities under different
    roots. After `hedge_seconds` without an answer the next authority is asked as well. A tree of
    records waits until its oldest is `tree_seconds` old."""

    tokens_per_record: int = 1
    hedge_seconds: float = 2.0
    tree_seconds: float = 1.0
    revocation_networks: tuple[str, ...] = ()
    """Networks in which revocation data may be fetched, besides the public internet."""


@dataclass(frozen=True)
class OutsideAuthority:
    """A time-stamping authority over HTTP, with a PEM file of the roots that end its path."""

    name: str
    url: str
    root: str
    policies: tuple[str, ...] = ()
    """Those that its tokens may have; none: any."""
    policy: str = ""
    """The one to ask for; empty: its own choice."""
    stamp_mode: str = "record"
    """`record`: a token a record; `tree`: one over a tree of those that wait."""
    seconds_between_requests: float = 0.0
    """At least; it holds for all processes on this database."""
    timeout_seconds: float = 10.0
    basic_file: str = ""
    """A file of mode 0600 with user:password."""
    bearer_file: str = ""
    """A file of mode 0600 with a bearer token."""
    client_certificate_file: str = ""
    """A PEM file of mode 0600 with a certificate chain and its key."""
    tls_roots: str = ""
    """A PEM file of roots for the server's certificate, in place of the system's."""


@dataclass(frozen=True)
class SealSettings:
    """The seal on dossiers (docs/operating.md)."""

    level: str = "B-T"
    """PAdES: `B-B` without a time-stamp, `B-T` with one, `B-LTA` with validation data and a
    document time-stamp as well."""
    authority: str = ""
    """Whose time-stamps; empty: the built-in one's, or else those of the first outside one."""
    certificate: str = "seal.pem"
    source: str = "file"
    """file: `key`. pkcs11: the key `key_label` in the token `token`, by the library `module`."""
    key: str = "keys/seal.key.pem"
    module: str = ""
    token: str = ""
    key_label: str = ""
    pin_file: str = ""
    """Mode 0600; its first line is the token's PIN."""
    chain: str = ""
    """A PEM file of the certificates above the seal's, for B-LTA; empty: none."""
    revocation_files: tuple[str, ...] = ()
    """CRLs or OCSP responses (DER) on them, read anew for each dossier, for B-LTA."""
    earlier_certificates: tuple[str, ...] = ()
    """PEM files of seal certificates used before: the trust file keeps them."""


@dataclass(frozen=True)
class DossierSettings:
    timeout_seconds: float = 120.0
    """A dossier that takes longer is given up, and its process ended."""


@dataclass(frozen=True)
class Settings:
    """Everything that an operator may choose. Paths are relative to the data folder."""

    log: str
    folder: Path
    smtp: Smtp = field(default_factory=Smtp)
    http: Http = field(default_factory=Http)
    database: Database = field(default_factory=Database)
    batches: Batches = field(default_factory=Batches)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    anchor_key: AnchorKey = field(default_factory=AnchorKey)
    stamping: Stamping = field(default_factory=Stamping)
    seal: SealSettings = field(default_factory=SealSettings)
    dossiers: DossierSettings = field(default_factory=DossierSettings)
    authorities: tuple[OutsideAuthority, ...] = ()
    """Outside authorities in order of preference; the built-in one comes last."""
    built_in_authority: bool = True
    trusted_lists: str = ""
    """A file of `proofmail trust build`: its trusted lists say which authorities are qualified."""

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.path('proofmail.db')}"

    def path(self, name: str) -> Path:
        """A file named in the settings; relative names lie in the data folder."""
        return self.folder / name


def read_settings(folder: Path) -> Settings:
    """The settings of a data folder; Misconfigured when something is missing or unknown."""
    file = folder / SETTINGS_FILE
    try:
        with file.open("rb") as stream:
            raw = tomllib.load(stream)
    except FileNotFoundError as error:
        raise Misconfigured(
            f"{folder} is not a proofmail folder: run 'proofmail init {folder}' first"
        ) from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{file} cannot be read: {error}") from error
    raw["folder"] = folder.resolve()
    settings: Settings = _build(Settings, raw, SETTINGS_FILE)
    _check(settings)
    return settings


def _build(cls: Any, raw: Any, where: str) -> Any:
    if not isinstance(raw, dict):
        raise Misconfigured(f"{where}: a table is expected")
    hints = get_type_hints(cls)
    unknown = set(raw) - set(hints)
    if unknown:
        raise Misconfigured(f"{where}: unknown setting {min(unknown)}")
    for item in fields(cls):
        if item.name not in raw and item.default is MISSING and item.default_factory is MISSING:
            raise Misconfigured(f"{where}: the setting {item.name} is missing")
    values = {name: _value(hints[name], value, f"{where}: {name}") for name, value in raw.items()}
    return cls(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    if kind == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Misconfigured(f"{where}: a list of strings is expected")
        return tuple(value)
    if kind == tuple[OutsideAuthority, ...]:
        if not isinstance(value, list):
            raise Misconfigured(f"{where}: a list of tables is expected")
        return tuple(_build(OutsideAuthority, item, where) for item in value)
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        return _build(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Misconfigured(f"{where}: {kind.__name__} is expected")
    return value


def _check(settings: Settings) -> None:
    for name, networks in (
        ("relay_networks", settings.smtp.relay_networks),
        ("revocation_networks", settings.stamping.revocation_networks),
    ):
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise Misconfigured(f"{name}: {network} is not a network") from error
    if settings.ledger.rpc_urls and not settings.ledger.rpc_url:
        raise Misconfigured("ledger: rpc_urls lists nodes beside that of rpc_url")
    if settings.ledger.quorum > 1 + len(settings.ledger.rpc_urls):
        raise Misconfigured("ledger: quorum is larger than the number of nodes")
    if settings.ledger.rpc_url and not settings.ledger.chain_id:
        raise Misconfigured("ledger: rpc_url needs chain_id, the id that the node must answer with")
    _check_anchor_key(settings.anchor_key)
    if not settings.authorities and not settings.built_in_authority:
        raise Misconfigured("no time-stamping authority: list one, or set built_in_authority")
    _check_authorities(settings)
    _check_seal(settings)
    if bool(settings.smtp.certificate) != bool(settings.smtp.certificate_key):
        raise Misconfigured("smtp: certificate and certificate_key come together")
    if "/" not in settings.smtp.lmtp and settings.smtp.lmtp:
        parse_endpoint(settings.smtp.lmtp)
    try:
        read_log(settings.log)
    except Unreadable as error:
        raise Misconfigured(f"log: {error}; it is never changed after 'init'") from error
    for name, value, least, most in _bounds(settings):
        if not least <= value <= most:  # so that nan fails too
            raise Misconfigured(f"{name} has to be from {least:g} to {most:g}")


def _check_anchor_key(key: AnchorKey) -> None:
    needed = {"file": "", "keystore": key.keystore, "environment": "-", "signer": key.signer}
    if key.source not in needed:
        raise Misconfigured("anchor_key: source is file, keystore, environment or signer")
    if key.source == "file":
        return
    if not needed[key.source]:
        raise Misconfigured(f"anchor_key: source {key.source} needs the setting {key.source}")
    if not re.fullmatch("0x[0-9a-fA-F]{40}", key.address):
        raise Misconfigured(f"anchor_key: source {key.source} needs address, 0x and 40 digits")


def _check_authorities(settings: Settings) -> None:
    names = [BUILT_IN, *(outside.name for outside in settings.authorities)]
    if len(set(names)) != len(names):
        raise Misconfigured(f"authorities: each needs a name of its own, other than {BUILT_IN}")
    many = len(settings.authorities) + settings.built_in_authority
    if settings.stamping.tokens_per_record > many:
        raise Misconfigured(
            f"stamping: tokens_per_record asks for more authorities than there are ({many})"
        )
    for outside in settings.authorities:
        where = f"authorities: {outside.name}"
        if not 1 <= len(outside.name) <= 100 or not outside.name.isprintable():
            raise Misconfigured("authorities: a name has 1 to 100 printable characters")
        if outside.stamp_mode not in ("record", "tree"):
            raise Misconfigured(f"{where}: stamp_mode is record or tree")
        if outside.basic_file and outside.bearer_file:
            raise Misconfigured(f"{where}: basic_file and bearer_file exclude one another")
        for policy in (*outside.policies, *filter(None, [outside.policy])):
            if not _OID.match(policy):
                raise Misconfigured(f"{where}: a policy is an object identifier, as in 1.2.3.4")
        if outside.policy and outside.policies and outside.policy not in outside.policies:
            raise Misconfigured(f"{where}: the policy asked for is not among policies")


def _check_seal(settings: Settings) -> None:
    seal = settings.seal
    if seal.level not in ("B-B", "B-T", "B-LTA"):
        raise Misconfigured("seal: level is B-B, B-T or B-LTA")
    if seal.source not in ("file", "pkcs11"):
        raise Misconfigured("seal: source is file or pkcs11")
    if seal.source == "pkcs11":
        for name in ("module", "token", "key_label", "pin_file"):
            if not getattr(seal, name):
                raise Misconfigured(f"seal: source pkcs11 needs the setting {name}")
    names = {outside.name for outside in settings.authorities}
    if seal.authority and seal.authority not in names | {BUILT_IN}:
        raise Misconfigured("seal: authority is none of those in these settings")
    if seal.authority == BUILT_IN and not settings.built_in_authority:
        raise Misconfigured("seal: the built-in authority is switched off")


def _bounds(settings: Settings) -> list[tuple[str, float, float, float]]:
    """Each number with the least and the most that it may be."""
    ledger, batches = settings.ledger, settings.batches
    return [
        ("smtp.gateway_processes", settings.smtp.gateway_processes, 0, MOST_GATEWAYS),
        ("smtp.port", settings.smtp.port, 0, 65535),
        ("smtp.size_limit_bytes", settings.smtp.size_limit_bytes, 1024, 2**40),
        ("http.port", settings.http.port, 0, 65535),
        ("batches.max_age_seconds", batches.max_age_seconds, 0.01, 7 * 86400),
        ("batches.max_records", batches.max_records, 1, MAX_RECORDS),
        ("ledger.chain_id", ledger.chain_id, 0, MAX_CHAIN_ID),
        ("ledger.max_fee_per_gas_wei", ledger.max_fee_per_gas_wei, 1, math.inf),
        ("ledger.quorum", ledger.quorum, 0, 100),
        ("ledger.daily_budget_wei", ledger.daily_budget_wei, 0, math.inf),
        ("ledger.replace_after_seconds", ledger.replace_after_seconds, 1, 86400),
        (
            "anchor_key.signer_timeout_seconds",
            settings.anchor_key.signer_timeout_seconds,
            0.01,
            3600,
        ),
        ("ledger.poll_seconds", ledger.poll_seconds, 0.01, 86400),
        ("ledger.timeout_seconds", ledger.timeout_seconds, 0.01, 3600),
        *(
            (f"authorities: {outside.name}: timeout_seconds", outside.timeout_seconds, 0.01, 3600)
            for outside in settings.authorities
        ),
        *(
            (
                f"authorities: {outside.name}: seconds_between_requests",
                outside.seconds_between_requests,
                0,
                86400,
            )
            for outside in settings.authorities
        ),
        ("dossiers.timeout_seconds", settings.dossiers.timeout_seconds, 1, 3600),
        ("stamping.tokens_per_record", settings.stamping.tokens_per_record, 1, MAX_TOKENS),
        ("stamping.hedge_seconds", settings.stamping.hedge_seconds, 0.01, 3600),
        ("stamping.tree_seconds", settings.stamping.tree_seconds, 0, 3600),
    ]


def with_places(settings: Settings, smtp: str, lmtp: str, http: str) -> Settings:
    """Other doors than those of the file, each where it is not "": HOST:PORT, or for LMTP the path
    of a Unix socket. Misconfigured if one is neither."""
    mail, pages = settings.smtp, settings.http
    if smtp:
        host, port = parse_endpoint(smtp)
        mail = replace(mail, host=host, port=port)
    if lmtp:
        if "/" not in lmtp:
            parse_endpoint(lmtp)
        mail = replace(mail, lmtp=lmtp)
    if http:
        host, port = parse_endpoint(http)
        pages = replace(pages, host=host, port=port)
    return replace(settings, smtp=mail, http=pages)


def gateway_processes(smtp: Smtp) -> int:
    """How many gateway processes there are to be, at least 1."""
    cores = len(os.sched_getaffinity(0))
    return smtp.gateway_processes or min(cores, _GATEWAYS_UNASKED)


def parse_endpoint(text: str) -> tuple[str, int]:
    """HOST:PORT, [IPv6]:PORT or PORT alone (on loopback)."""
    host, separator, port = text.rpartition(":")
    host = host.strip("[]") if separator else "127.0.0.1"
    if not port.isascii() or not port.isdigit() or int(port) > 65535 or not host:
        raise Misconfigured(f"{text} is not HOST:PORT")
    return host, int(port)

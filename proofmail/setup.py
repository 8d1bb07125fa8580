"""Makes a data folder: keys, certificates, database, settings. Each secret file has mode 0600."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from anchoring.authority_identity import KeyKind, create_authority
from proofmail.accounts import keys, members, organisations, trail
from proofmail.config import SETTINGS_FILE, SealSettings, read_settings
from proofmail.errors import Misconfigured
from proofmail.store.engine import Store, create_or_upgrade, open_store, upgrade

# Names of the files in a data folder.
SERVICE_KEY = "keys/service.key.pem"
SEAL_KEY = SealSettings.key
AUTHORITY_KEY = "keys/authority.key.pem"
ANCHOR_KEY = "keys/anchor.key"
STORE_KEY = "keys/store.key"
SEAL_CERTIFICATE = SealSettings.certificate
AUTHORITY_ROOT = "tsa-root.pem"
AUTHORITY_LEAF = "tsa.pem"
TRUST_FILE = "trust.json"
CHAIN_FILE = "chain.db"


@dataclass(frozen=True)
class InitOptions:
    """What `proofmail init` may be told; the first organisation and its owner."""

    address: str
    sender_domains: tuple[str, ...]
    organisation: str
    owner: str
    zone: str
    language: str
    batch_age_seconds: float = 5.0
    authority_key: KeyKind = "p256"


@dataclass(frozen=True)
class Made:
    """What is shown once."""

    password: str
    api_key: str
    sender_domains: tuple[str, ...]


def initialise(folder: Path, options: InitOptions) -> Made:
    """Makes a data folder; Misconfigured when there is one already, or something else.

    The settings file comes last: a folder without it was not finished, and is told to be so.
    After an error that we live to see, nothing is left behind.
    """
    _check_empty(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Of two that set up the same folder at the same time, one fails here.
        (folder / "keys").mkdir(mode=0o700)
        try:
            return _fill(folder, options)
        except BaseException:
            _empty(folder)
            raise
    except OSError as error:
        raise Misconfigured(f"{folder} cannot be set up: {error.strerror}") from error


def _empty(folder: Path) -> None:
    """Takes away what was made in a folder that was empty before."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _fill(folder: Path, options: InitOptions) -> Made:
    now = datetime.now(UTC)
    log = f"pm-{secrets.token_hex(8)}/1"
    _make_keys(folder, options, now)
    settings = _settings(log, options)
    create_or_upgrade(f"sqlite:///{folder.resolve() / 'proofmail.db'}")
    store = open_store(f"sqlite:///{folder.resolve() / 'proofmail.db'}")
    try:
        made = _make_accounts(store, options, now)
    finally:
        store.close()
    _write(folder / SETTINGS_FILE, settings.encode("utf-8"), 0o600)
    return made


def _check_empty(folder: Path) -> None:
    if (folder / SETTINGS_FILE).exists():
        raise Misconfigured(f"{folder} is set up already: run 'proofmail serve {folder}'")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misconfigured(f"{folder} is not empty: name a new folder")


def _make_keys(folder: Path, options: InitOptions, now: datetime) -> None:
    service = ec.generate_private_key(ec.SECP256R1())
    pem = service.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(folder / SERVICE_KEY, pem, 0o600)
    _write(folder / ANCHOR_KEY, PrivateKey().to_hex().encode("ascii") + b"\n", 0o600)
    _write(folder / STORE_KEY, secrets.token_hex(32).encode("ascii") + b"\n", 0o600)
    name = "".join(char for char in options.organisation if char.isprintable())[:64] or "proofmail"
    # Here alone: every process reads the names of the files above, and none of the others seals.
    from dossier.seal import create_seal_identity

    seal_key, seal_certificate = create_seal_identity(name, now)
    _write(folder / SEAL_KEY, seal_key, 0o600)
    _write(folder / SEAL_CERTIFICATE, seal_certificate, 0o644)
    authority = create_authority(name, now, options.authority_key)
    _write(folder / AUTHORITY_KEY, authority.key_pem, 0o600)
    _write(folder / AUTHORITY_ROOT, authority.root_pem, 0o644)
    _write(folder / AUTHORITY_LEAF, authority.leaf_pem, 0o644)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Writes a new file with its mode from the start; never over an old one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _settings(log: str, options: InitOptions) -> str:
    # A JSON string is a TOML basic string.
    return f"""\
# Settings of this proofmail; `docs/operating.md` explains each. Restart after a change.

# The log's name stands in every record: never change it.
log = {json.dumps(log)}
built_in_authority = true

[smtp]
host = "127.0.0.1"
port = 2525
lmtp = ""
hostname = "localhost"
relay_networks = ["127.0.0.0/8", "::1/128"]

[http]
host = "127.0.0.1"
port = 8025
behind_proxy = false
public_url = ""

[batches]
max_age_seconds = {options.batch_age_seconds}

# The built-in development chain proves nothing to others. For a real one:
# [ledger]
# rpc_url = "https://node.example"
# chain_id = 1
# chain_name = "Ethereum"

# The built-in time-stamping authority is not a qualified one. Outside authorities go first:
# [[authorities]]
# name = "Example TSA"
# url = "https://tsa.example/"
# root = "example-root.pem"
# seconds_between_requests = 15
# stamp_mode = "tree"
"""


def _make_accounts(store: Store, options: InitOptions, now: datetime) -> Made:
    password = secrets.token_urlsafe(15)
    hashed = members.hash_password(password)
    with store.write() as connection:
        organisation = organisations.create_organisation(
            connection, options.organisation, now, zone=options.zone, language=options.language
        )
        organisations.add_proof_address(connection, organisation, options.address)
        for domain in options.sender_domains:
            organisations.add_listed_sender(connection, organisation, "domain", domain)
        members.add_member(
            connection, organisation, options.owner, "owner", hashed, name="Owner", now=now
        )
        made = keys.create_key(connection, organisation, "first key", "admin", now)
    return Made(password, made.key, options.sender_domains)


def upgrade_database(folder: Path) -> None:
    """Brings the folder's database to this version. To be run with the service stopped."""
    upgrade(read_settings(folder).database_url)


def add_member(folder: Path, email: str, role: str, name: str) -> str:
    """Adds a member to the folder's first organisation; returns the password, shown once."""
    password = secrets.token_urlsafe(15)
    hashed = members.hash_password(password)
    now = datetime.now(UTC)
    store, organisation = _first(folder)
    try:
        with store.write() as connection:
            made = members.add_member(
                connection, organisation, email, role, hashed, name=name or email, now=now
            )
            trail.note(connection, organisation, "operator", "member.add", made, now=now)
    finally:
        store.close()
    return password


def add_sender(folder: Path, sender: str) -> None:
    """Lists a domain or an address for the folder's first organisation; Refused if neither."""
    store, organisation = _first(folder)
    kind = "address" if "@" in sender else "domain"
    try:
        with store.write() as connection:
            organisations.add_listed_sender(connection, organisation, kind, sender)
            now = datetime.now(UTC)
            trail.note(connection, organisation, "operator", "sender.add", quote(sender), now=now)
    finally:
        store.close()


def new_api_key(folder: Path, name: str) -> str:
    """An admin's API key for the folder's first organisation."""
    store, organisation = _first(folder)
    try:
        with store.write() as connection:
            return keys.create_key(connection, organisation, name, "admin", datetime.now(UTC)).key
    finally:
        store.close()


def _first(folder: Path) -> tuple[Store, str]:
    store = open_store(read_settings(folder).database_url)
    found = organisations.list_organisations(store)
    if not found:
        store.close()
        raise Misconfigured(f"{folder} has no organisation")
    return store, found[0].id

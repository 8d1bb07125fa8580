"""A whole site in one process: a fresh store, two organisations, mails recorded by the real intake,
witnesses made in memory, and the web application over them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

from anchoring.authority import BuiltInAuthority
from anchoring.evm_signing import anchor_sender
from proofmail.accounts.keys import create_key
from proofmail.accounts.members import add_member, hash_password, list_members
from proofmail.accounts.organisations import add_proof_address, create_organisation
from proofmail.accounts.sessions import open_session
from proofmail.core.evm import read_evm_anchor
from proofmail.core.proof import Proof
from proofmail.core.scan import scan
from proofmail.intake import Arrival, Intake, load_signer
from proofmail.store.anchors import (
    Found,
    NewTransaction,
    batches_to_anchor,
    mark_final,
    save_anchor,
    save_transaction,
)
from proofmail.store.batches import close_batch
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.store.stamps import NewToken, save_tokens, unstamped
from proofmail.web.app import make_app
from proofmail.web.services import DossierRequest, Services
from tests.making import MAIL, NOW, Fixed, World

PASSWORD = "correct horse battery"
LATER = timedelta(minutes=1)


@cache
def _hash() -> str:
    """Slow on purpose, so made once."""
    return hash_password(PASSWORD)


@dataclass
class Guest:
    """An organisation of the site, with a member and a key."""

    id: str
    email: str
    key: str
    address: str


@dataclass
class Site:
    store: Store
    clock: Fixed
    world: World
    intake: Intake
    services: Services
    guests: dict[str, Guest] = field(default_factory=dict)
    dossiers: list[DossierRequest] = field(default_factory=list)

    def guest(self, name: str, zone: str = "Europe/Paris", language: str = "fr") -> Guest:
        """Makes an organisation; `name` is also its domain."""
        with self.store.write() as connection:
            made = create_organisation(connection, name, NOW, zone=zone, language=language)
            email, address = f"owner@{name}.example", f"proof@{name}.example"
            add_proof_address(connection, made, address)
            add_member(connection, made, email, "owner", _hash(), name="Owner", now=NOW)
            key = create_key(connection, made, "tests", "auditor", NOW).key
        self.guests[name] = Guest(made, email, key, address)
        return self.guests[name]

    def record(
        self, guest: Guest, mail: bytes = MAIL, sender: str = "claire@atelier.example"
    ) -> str:
        """Records a mail, as the gateway would; returns its id."""
        item = Arrival(
            guest.id, "127.0.0.1", "client.example", "", sender, (guest.address,), bool(sender),
            scan(mail),
        )  # fmt: skip
        return self.intake.submit(item).result(10)

    def stamp(self) -> None:
        """Gives every record a token of the built-in authority."""
        new = []
        for item in unstamped(self.store, 1000):
            token = self.world.stamp(sha256(item.record).digest())
            new.append(NewToken(item.sequence, "test", token.response, NOW))
        save_tokens(self.store, new, self.clock.now())

    def anchor(self, *, final: bool = True) -> None:
        """Closes a batch over all that waits, and puts it in a block."""
        later = self.clock.now() + LATER
        while close_batch(self.store, self.world.log, later, max_age_seconds=0) is not None:
            pass
        world = self.world
        sender = anchor_sender(world.anchor_key)
        for nonce, batch in enumerate(batches_to_anchor(self.store, world.chain_id)):
            made = world.anchor(batch.root, later, nonce)
            facts = read_evm_anchor(made.transaction, made.index, made.nodes, made.header)
            where = (batch.id, world.chain_id)
            new = NewTransaction(*where, sender, nonce, made.transaction, facts.tx_hash)
            save_transaction(self.store, new, later)
            found = Found(
                *where, facts.tx_hash, facts.block_hash, facts.block_number, made.header,
                made.index, made.nodes,
            )  # fmt: skip
            save_anchor(self.store, found, later)
            if final:
                mark_final(self.store, *where, facts.block_hash)

    def app_client(self, **changes: object) -> TestClient:
        """A client without key or session; `changes` are to the services."""
        services = replace(self.services, **changes)  # type: ignore[arg-type]
        base = services.public_url or "http://testserver"
        return TestClient(make_app(services), base_url=base, follow_redirects=False)

    def api(self, guest: Guest, **changes: object) -> TestClient:
        client = self.app_client(**changes)
        client.headers["Authorization"] = f"Bearer {guest.key}"
        return client

    def browser(self, guest: Guest, language: str = "en", **changes: object) -> TestClient:
        """A client that is signed in, without the slow way through the form."""
        client = self.app_client(**changes)
        client.headers["Accept-Language"] = language
        with self.store.write() as connection:
            member = list_members(self.store, guest.id)[0]
            token = open_session(connection, member, self.clock.now())
        client.cookies.set("proofmail", token)
        return client


@contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    """A site on a database of its own."""
    url = f"sqlite:///{folder}/site.db"
    create_or_upgrade(url)
    store, clock, world = open_store(url), Fixed(NOW), World()
    pem = world.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    intake = Intake(store, world.log, load_signer(pem), sha256(b"keyed").digest(), clock)
    made: list[DossierRequest] = []

    async def dossier(proof: Proof, request: DossierRequest) -> bytes:
        made.append(request)
        return b"%PDF-1.7 of " + sha256(proof.record.to_bytes()).hexdigest().encode()

    authority = BuiltInAuthority("test", world.authority, clock)
    services = Services(
        store=store, clock=clock, trust=world.trust, dossier=dossier, stamp=authority.respond,
        public_url="", built_in_authority=True, development_chain=True,
    )  # fmt: skip
    try:
        yield Site(store, clock, world, intake, services, dossiers=made)
    finally:
        intake.close()
        store.close()

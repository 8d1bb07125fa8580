"""Organisations, their proof addresses and their listed senders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from proofmail.errors import Refused
from proofmail.store.counters import upsert
from proofmail.store.engine import Store, milliseconds, moment, new_id
from proofmail.store.tables import listed_senders, organisations, proof_addresses

LANGUAGES = ("fr", "en")
_ID_BYTES = 10
_MAX_ADDRESS = 320


@dataclass(frozen=True)
class Organisation:
    id: str
    name: str
    zone: str
    language: str
    created_at: datetime


@dataclass(frozen=True)
class ListedSender:
    """`kind` is "domain" (every address of exactly this domain) or "address"."""

    kind: str
    value: str


def fold_address(address: str) -> str:
    """How addresses are compared here: lower case in both halves. Local parts may differ by case
    (RFC 5321 §2.4), but nobody's two mailboxes do."""
    return address.strip().lower()


def create_organisation(
    connection: Connection, name: str, now: datetime, *, zone: str, language: str
) -> str:
    """Makes an organisation; returns its id. Refused for an unknown zone or language."""
    _check(name, zone, language)
    made = new_id(_ID_BYTES)
    connection.execute(
        insert(organisations).values(
            id=made, name=name, zone=zone, language=language, created_at=milliseconds(now)
        )
    )
    return made


def change_organisation(
    connection: Connection, organisation: str, *, name: str, zone: str, language: str
) -> None:
    _check(name, zone, language)
    changed = connection.execute(
        update(organisations)
        .where(organisations.c.id == organisation)
        .values(name=name, zone=zone, language=language)
    )
    if not changed.rowcount:
        raise Refused("there is no such organisation")


def list_organisations(store: Store) -> list[Organisation]:
    with store.read() as connection:
        rows = connection.execute(select(organisations).order_by(organisations.c.created_at)).all()
    return [
        Organisation(row.id, row.name, row.zone, row.language, moment(row.created_at))
        for row in rows
    ]


def get_organisation(store: Store, organisation: str) -> Organisation | None:
    return next((o for o in list_organisations(store) if o.id == organisation), None)


def add_proof_address(connection: Connection, organisation: str, address: str) -> None:
    """Gives the organisation an address. Refused when another one has it, or has not its form."""
    folded = _address(address)
    found = connection.execute(
        select(proof_addresses.c.organisation).where(proof_addresses.c.address == folded)
    ).scalar()
    if found == organisation:
        return
    if found is not None:
        raise Refused("this proof address is taken")
    try:
        connection.execute(
            insert(proof_addresses).values(address=folded, organisation=organisation)
        )
    except IntegrityError as error:
        raise Refused("this proof address is taken, or there is no such organisation") from error


def remove_proof_address(connection: Connection, organisation: str, address: str) -> None:
    connection.execute(
        delete(proof_addresses).where(
            proof_addresses.c.address == fold_address(address),
            proof_addresses.c.organisation == organisation,
        )
    )


def list_proof_addresses(store: Store, organisation: str) -> list[str]:
    with store.read() as connection:
        return list(
            connection.execute(
                select(proof_addresses.c.address)
                .where(proof_addresses.c.organisation == organisation)
                .order_by(proof_addresses.c.address)
            ).scalars()
        )


def add_listed_sender(connection: Connection, organisation: str, kind: str, value: str) -> None:
    """Lists a sender. Refused unless `kind` is domain or address and the value has its form."""
    connection.execute(
        upsert(connection, listed_senders)
        .values(organisation=organisation, kind=kind, value=_sender(kind, value))
        .on_conflict_do_nothing(index_elements=["organisation", "kind", "value"])
    )


def remove_listed_sender(connection: Connection, organisation: str, kind: str, value: str) -> None:
    connection.execute(
        delete(listed_senders).where(
            listed_senders.c.organisation == organisation,
            listed_senders.c.kind == kind,
            listed_senders.c.value == fold_address(value),
        )
    )


def list_senders(store: Store, organisation: str) -> list[ListedSender]:
    with store.read() as connection:
        rows = connection.execute(
            select(listed_senders.c.kind, listed_senders.c.value)
            .where(listed_senders.c.organisation == organisation)
            .order_by(listed_senders.c.kind, listed_senders.c.value)
        ).all()
    return [ListedSender(row.kind, row.value) for row in rows]


def _check(name: str, zone: str, language: str) -> None:
    if not 1 <= len(name.strip()) <= 200 or not name.isprintable():
        raise Refused("an organisation's name has 1 to 200 printable characters")
    if language not in LANGUAGES:
        raise Refused("the language is fr or en")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused("the time zone is not known; it is spelt like Europe/Paris") from error


def _address(address: str) -> str:
    folded = fold_address(address)
    local, _, domain = folded.rpartition("@")
    if not local or not _is_domain(domain) or len(folded) > _MAX_ADDRESS:
        raise Refused("this is not an address")
    if any(char.isspace() or not char.isprintable() for char in folded):
        raise Refused("this is not an address")
    return folded


def _sender(kind: str, value: str) -> str:
    if kind == "address":
        return _address(value)
    if kind != "domain":
        raise Refused("a listed sender is a domain or an address")
    folded = fold_address(value)
    if not _is_domain(folded) or "@" in folded:
        raise Refused("this is not a domain")
    return folded


def _is_domain(text: str) -> bool:
    labels = text.split(".")
    return 1 <= len(text) <= 255 and all(
        label and label.replace("-", "").isalnum() for label in labels
    )

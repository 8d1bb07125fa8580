"""Labels: words that an organisation gives to records, to find them again and to make a case of
them. They are the organisation's own, in no proof, and go with the record's erasure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from proofmail.errors import Refused
from proofmail.store.counters import upsert
from proofmail.store.engine import Store
from proofmail.store.tables import labels, records

MAX_LABEL = 60
MAX_ON_A_RECORD = 20
MAX_NAMES = 500
"""Different ones in an organisation: more are no help to whoever has to choose."""


def read_label(text: str) -> str:
    """The label that is meant by what somebody typed: NFC, single spaces. Refused for one that is
    empty, longer than 60 characters, or holds controls or marks of direction."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > MAX_LABEL:
        raise Refused(f"a label has 1 to {MAX_LABEL} characters")
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co") for char in name):
        raise Refused("a label has no control characters")
    return name


def add_label(connection: Connection, organisation: str, record_id: str, name: str) -> bool:
    """Gives the record this label (see :func:`read_label`), in the caller's write transaction;
    False if it has it already. Refused for a record that is unknown or erased, or beyond the
    bounds."""
    record = _record(connection, organisation, record_id)
    held = set(of_records(connection, [record]).get(record, ()))
    if name in held:
        return False
    if len(held) >= MAX_ON_A_RECORD:
        raise Refused(f"a record has at most {MAX_ON_A_RECORD} labels")
    if name not in (known := names(connection, organisation)) and len(known) >= MAX_NAMES:
        raise Refused(f"an organisation has at most {MAX_NAMES} labels")
    connection.execute(
        upsert(connection, labels)
        .values(organisation=organisation, name=name, record=record)
        .on_conflict_do_nothing(index_elements=["organisation", "name", "record"])
    )
    return True


def remove_label(connection: Connection, organisation: str, record_id: str, name: str) -> bool:
    """Takes the label from the record; False if it has none such."""
    record = _record(connection, organisation, record_id)
    found = connection.execute(
        delete(labels).where(
            labels.c.organisation == organisation, labels.c.name == name, labels.c.record == record
        )
    )
    return found.rowcount > 0


def names(connection: Connection, organisation: str) -> dict[str, int]:
    """The organisation's labels in their order, each with the number of its records."""
    rows = connection.execute(
        select(labels.c.name, func.count())
        .where(labels.c.organisation == organisation)
        .group_by(labels.c.name)
    ).all()
    return dict(sorted((name, count) for name, count in rows))


def list_labels(store: Store, organisation: str) -> dict[str, int]:
    with store.read() as connection:
        return names(connection, organisation)


def of_records(connection: Connection, sequences: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The labels of each of these records that has any, in their order."""
    found: dict[int, tuple[str, ...]] = {}
    rows = connection.execute(
        select(labels.c.record, labels.c.name)
        .where(labels.c.record.in_(sequences))
        .order_by(labels.c.name)
    )
    for record, name in rows:
        found[record] = (*found.get(record, ()), name)
    return found


def _record(connection: Connection, organisation: str, record_id: str) -> int:
    sequence = connection.execute(
        select(records.c.sequence).where(
            records.c.id == record_id,
            records.c.organisation == organisation,
            records.c.erased_at.is_(None),
        )
    ).scalar()
    if sequence is None:
        raise Refused("there is no such record", enhanced="5.1.1")
    return int(sequence)

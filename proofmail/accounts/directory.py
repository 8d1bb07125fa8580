"""Who belongs where, in memory: the gateway asks while a peer waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from proofmail.accounts.organisations import fold_address
from proofmail.store.engine import Store
from proofmail.store.tables import listed_senders, proof_addresses


@dataclass(frozen=True)
class _Snapshot:
    addresses: dict[str, str] = field(default_factory=dict)
    senders: frozenset[tuple[str, str, str]] = frozenset()


class Directory:
    """A snapshot of proof addresses and listed senders: knows nobody until `refresh` was called,
    and then what was true at the last call. Answers never block; any thread may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._snapshot = _Snapshot()

    def refresh(self) -> None:
        """Reads both tables anew. On TryLater the old snapshot stays."""
        with self._store.read() as connection:
            addresses = connection.execute(
                select(proof_addresses.c.address, proof_addresses.c.organisation)
            ).all()
            senders = connection.execute(
                select(listed_senders.c.organisation, listed_senders.c.kind, listed_senders.c.value)
            ).all()
        self._snapshot = _Snapshot(
            {row.address: row.organisation for row in addresses},
            frozenset((row.organisation, row.kind, row.value) for row in senders),
        )

    def organisation_of(self, recipient: str) -> str | None:
        """The organisation of this proof address, or None if it is nobody's."""
        return self._snapshot.addresses.get(fold_address(recipient))

    def is_listed_sender(self, organisation: str, mail_from: str) -> bool:
        """Whether the organisation lists this address or its very domain. Never so for the null
        sender. This says nothing about who the peer is."""
        address = fold_address(mail_from)
        _, at, domain = address.rpartition("@")
        if not at:
            return False
        senders = self._snapshot.senders
        return (organisation, "address", address) in senders or (
            organisation,
            "domain",
            domain,
        ) in senders

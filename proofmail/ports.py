"""Contracts for the parties outside the house. Fakes in tests enforce the same words.

Every method may block, and may raise :class:`proofmail.errors.TryLater` (nothing is known about
the effect: the call may have been carried out and its answer lost) or
:class:`proofmail.errors.Misconfigured` (calling again cannot help). No method is ever called
inside a database transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time now, aware, in UTC. MAY step backwards; callers MUST NOT assume it does not."""
        ...


class TimestampAuthority(Protocol):
    """A time-stamping authority (RFC 3161): carries one request, returns the raw answer."""

    @property
    def name(self) -> str:
        """A short name for logs and pages; MUST NOT be used to decide trust."""
        ...

    def respond(self, request_der: bytes) -> bytes:
        """Returns the DER of the TimeStampResp, unjudged: the caller MUST check it completely
        before keeping it. Safe to repeat: a second answer is merely a second token."""
        ...


@dataclass(frozen=True)
class Fees:
    """What the chain asks now, in wei per gas (EIP-1559)."""

    base_fee_wei: int
    priority_fee_wei: int


@dataclass(frozen=True)
class Inclusion:
    """Where a transaction stands, recomputed by the ledger client from what its node said:
    keccak256(header) is the block's hash, and `nodes` prove the transaction under the header's
    transactions root at `index`."""

    block_hash: bytes
    block_number: int
    header: bytes
    index: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True)
class Head:
    """The newest block's number, and the newest time that the chain shows: that block's, or that
    of the block being made, where a node tells. Aware, in UTC."""

    number: int
    time: datetime


@dataclass(frozen=True)
class SpentNonce:
    """The transaction that the chain has finally used a nonce for: `raw` may be of any type, and
    its sender and nonce are read from these very bytes, which are in a block that is final."""

    raw: bytes
    place: Inclusion


class Ledger(Protocol):
    """An EVM chain, reached through one or several nodes that are not trusted."""

    def chain_id(self) -> int:
        """Asked anew each time: what is behind an address can change. Misconfigured if it is
        another than the one expected."""
        ...

    def head(self) -> Head: ...

    def next_nonce(self, sender: bytes) -> int:
        """The number of transactions of this 20-byte address in the newest block, mempool left
        out. MUST NOT be used to choose a nonce while an unconsumed saved transaction exists."""
        ...

    def final_transaction(self, sender: bytes, nonce: int) -> SpentNonce | None:
        """What this nonce was finally used for, or None while it is not used in a final block.
        MUST be proven from a block's own bytes; TryLater if the node cannot show it any more."""
        ...

    def fees(self) -> Fees: ...

    def balance_wei(self, sender: bytes) -> int: ...

    def broadcast(self, raw_transaction: bytes) -> None:
        """Hands the signed bytes to the network. MUST accept bytes that it already knows.
        Returning says nothing about inclusion. Raises Refused when the chain can never take
        these bytes as they are (nonce consumed by another, underpriced): look up, then replace."""
        ...

    def locate(self, transaction_hash: bytes) -> Inclusion | None:
        """The inclusion of this transaction in the chain as it is now, or None. MAY be None again
        after having been found (reorganisation)."""
        ...

    def finalized_number(self) -> int:
        """The number of the newest block that the chain's own rule calls final."""
        ...

    def block_hash(self, number: int) -> bytes | None:
        """The hash of the canonical block at this height, or None beyond the head."""
        ...


@dataclass(frozen=True)
class UnsignedAnchor:
    """A transaction of type 2 to be signed: from and `to` are the signer's own address, value 0,
    no access list. Fees are in wei per gas."""

    chain_id: int
    nonce: int
    max_priority_fee_wei: int
    max_fee_wei: int
    gas_limit: int
    to: bytes
    data: bytes


class AnchorSigner(Protocol):
    """Holds the key that signs anchors: in this process, or behind a program of its own."""

    @property
    def address(self) -> bytes:
        """The 20 bytes of its address, told without asking anybody."""
        ...

    def sign(self, wanted: UnsignedAnchor) -> bytes:
        """The signed bytes. The caller MUST check that they say `wanted` and recover to `address`
        before keeping them. Safe to repeat: each answer has the same nonce."""
        ...


class Outbox(Protocol):
    """Mails of our own. Never used to relay a user's mail."""

    def send(self, sender: str, recipient: str, message: bytes) -> None: ...

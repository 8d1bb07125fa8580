"""One authority as this service uses it, and one question to it: a record's bytes, or the root of a
tree of records (SPEC §5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anchoring.tsa_client import Query, StampedToken, build_request, outside_request, stamp_once
from proofmail.core.merkle import Tree, leaf_hash
from proofmail.errors import TryLater
from proofmail.ports import Clock, TimestampAuthority
from proofmail.store.authorities import reserve_request
from proofmail.store.engine import Store
from proofmail.store.stamps import NewToken, TreeSpot, Unstamped
from proofmail.verify.token import TokenTrust

TREE_MOST = 4096
"""Records under one token: their rows are written at once, and the gateway waits meanwhile."""


@dataclass(frozen=True)
class Desk:
    """`trust` holds the roots that this authority's answers are checked against, and no other's;
    `policy` is asked for, if any; `tree` says whether one token covers many records; there is at
    least `gap_seconds` between two requests, from whatever process. `built_in` is asked only where
    no other can be."""

    authority: TimestampAuthority
    trust: TokenTrust
    policy: str = ""
    tree: bool = False
    gap_seconds: float = 0.0
    built_in: bool = False

    @property
    def name(self) -> str:
        return self.authority.name

    @cached_property
    def roots(self) -> frozenset[bytes]:
        """What makes its tokens independent of others' (SPEC §9.1)."""
        ders = (anchor.certificate.public_bytes(Encoding.DER) for anchor in self.trust.anchors)
        return frozenset(sha256(der).digest() for der in ders)

    @cached_property
    def root_keys(self) -> frozenset[bytes]:
        """A root that was renewed under its old key makes no second witness (V17)."""
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        return frozenset(
            anchor.certificate.public_key().public_bytes(*form) for anchor in self.trust.anchors
        )


@dataclass(frozen=True)
class Unit:
    """What one token is to cover: one record, or the tree of several."""

    items: tuple[Unstamped, ...]
    imprint: bytes
    spots: tuple[TreeSpot | None, ...]

    def tokens(self, name: str, stamped: StampedToken) -> list[NewToken]:
        """The token as each record keeps it."""
        return [
            NewToken(
                item.sequence, name, stamped.response_der, stamped.facts.gen_time, tree=spot,
                root=stamped.facts.root_sha256, sent_at=stamped.sent_at,
                answered_at=stamped.received_at,
            )
            for item, spot in zip(self.items, self.spots, strict=True)
        ]  # fmt: skip


class NotNow(TryLater):
    """The rate cap lets no request out before `after_seconds`; none was sent."""


def unit_of(items: Sequence[Unstamped]) -> Unit:
    """One record stands for itself, so that `openssl ts -verify -data` works; several make the
    tree of RFC 9162 §2.1 over their bytes, in this order."""
    if len(items) == 1:
        return Unit(tuple(items), sha256(items[0].record).digest(), (None,))
    tree = Tree([leaf_hash(item.record) for item in items])
    spots = (TreeSpot(n, len(items), tuple(tree.path(n))) for n in range(len(items)))
    return Unit(tuple(items), tree.root, tuple(spots))


def ask(store: Store, desk: Desk, imprint: bytes, clock: Clock) -> StampedToken:
    """One question under the rate cap. Raises NotNow when none may be put now, else as
    `stamp_once` does. If we die on the way, a place under the cap and a token are lost."""
    if desk.gap_seconds:
        try:
            wait = reserve_request(store, desk.name, clock.now(), desk.gap_seconds)
        except TryLater:  # the store, not the authority, cannot now
            raise NotNow("the rate cap cannot be kept now") from None
        if wait:
            raise NotNow("the rate cap lets no request out yet", after_seconds=wait)
    query = Query(desk.policy, build_request if desk.built_in else outside_request)
    return stamp_once(desk.authority, imprint, desk.trust, clock, query)

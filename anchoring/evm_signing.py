"""Makes the signed bytes of an anchor, checks those that another program signed, and decides what
an anchor may cost. Pure: no node is asked."""

from __future__ import annotations

from dataclasses import dataclass

from coincurve import PrivateKey

from proofmail.core import rlp
from proofmail.core.evm import ANCHOR_TAG, MAX_CHAIN_ID, ROOT_BYTES, address_of, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.errors import CheckFailed, Misconfigured, TryLater, Unreadable
from proofmail.ports import Fees, UnsignedAnchor
from proofmail.store.gas import anchor_gas


@dataclass(frozen=True)
class Price:
    """What an anchor offers, in wei per gas (EIP-1559)."""

    max_fee_wei: int
    max_priority_fee_wei: int


def anchor_sender(key: bytes) -> bytes:
    """The 20-byte address of this 32-byte private key."""
    return address_of(PrivateKey(key).public_key.format(compressed=False))


def gas_limit(root: bytes) -> int:
    """The limit an anchor is signed with: an eighth above what it uses. Gas left over is not
    charged, and a fork that makes calldata dearer must not stop the anchors."""
    used = anchor_gas(root)
    return used + used // 8


class AboveCeiling(TryLater):
    """The chain asks more than the operator's ceiling allows: batches wait until it asks less."""


def price(fees: Fees, max_fee_ceiling_wei: int) -> Price:
    """Twice the base fee and the tip, which holds through five full blocks; never more than the
    ceiling (wei per gas). AboveCeiling when the ceiling is below what the chain asks now."""
    if fees.base_fee_wei + 1 > max_fee_ceiling_wei:
        raise AboveCeiling("the chain's base fee is above the operator's fee ceiling")
    max_fee = min(2 * fees.base_fee_wei + fees.priority_fee_wei, max_fee_ceiling_wei)
    return Price(max_fee, min(fees.priority_fee_wei, max_fee))


def replacement_price(before: Price, fees: Fees, max_fee_ceiling_wei: int) -> Price:
    """As price, and at least an eighth above `before` in both parts: nodes ask a tenth more in
    both before they replace a transaction of the same nonce. AboveCeiling beyond the ceiling."""
    now = price(fees, max_fee_ceiling_wei)
    max_fee = max(now.max_fee_wei, _bumped(before.max_fee_wei))
    tip = max(now.max_priority_fee_wei, _bumped(before.max_priority_fee_wei))
    max_fee = max(max_fee, tip)
    if max_fee > max_fee_ceiling_wei:
        raise AboveCeiling("replacing the transaction would exceed the operator's fee ceiling")
    return Price(max_fee, tip)


def _bumped(fee_wei: int) -> int:
    return fee_wei + fee_wei // 8 + 1


def unsigned_anchor(
    sender: bytes, chain_id: int, nonce: int, root: bytes, offer: Price
) -> UnsignedAnchor:
    """The anchor of `root`, to its own sender (SPEC §6.4.1)."""
    if len(root) != ROOT_BYTES or not 0 < chain_id <= MAX_CHAIN_ID:
        raise ValueError("an anchor takes a root of 32 bytes and a chain id below 2^53")
    return UnsignedAnchor(
        chain_id=chain_id,
        nonce=nonce,
        max_priority_fee_wei=offer.max_priority_fee_wei,
        max_fee_wei=offer.max_fee_wei,
        gas_limit=gas_limit(root),
        to=sender,
        data=ANCHOR_TAG + root,
    )


def check_signed(raw: bytes, wanted: UnsignedAnchor, address: bytes) -> None:
    """Misconfigured unless these bytes are `wanted`, signed by the key of `address`: a signer
    that holds another key, or signs something else, is never followed."""
    try:
        sent = read_transaction(raw)
    except (CheckFailed, Unreadable):
        raise Misconfigured("the signer returned no transaction of ours") from None
    if sent.sender != address:
        raise Misconfigured("the signer signs with another key than the settings name")
    found = UnsignedAnchor(
        sent.chain_id, sent.nonce, sent.max_priority_fee_wei, sent.max_fee_wei, sent.gas_limit,
        sent.to, sent.data,
    )  # fmt: skip
    if found != wanted or sent.value_wei:
        raise Misconfigured("the signer signed something else than it was asked to")


class LocalSigner:
    """A key in this process's memory (ports.AnchorSigner)."""

    def __init__(self, key: bytes) -> None:
        self._key = PrivateKey(key)
        self.address = anchor_sender(key)

    def sign(self, wanted: UnsignedAnchor) -> bytes:
        """The same arguments give the same bytes (RFC 6979)."""
        fields: list[rlp.Item] = [
            rlp.encode_int(wanted.chain_id),
            rlp.encode_int(wanted.nonce),
            rlp.encode_int(wanted.max_priority_fee_wei),
            rlp.encode_int(wanted.max_fee_wei),
            rlp.encode_int(wanted.gas_limit),
            wanted.to,
            b"",
            wanted.data,
            [],
        ]
        digest = keccak256(b"\x02" + rlp.encode(fields))
        signature = self._key.sign_recoverable(digest, hasher=None)
        r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
        return b"\x02" + rlp.encode([*fields, *map(rlp.encode_int, (signature[64], r, s))])


def sign_anchor(key: bytes, chain_id: int, nonce: int, root: bytes, offer: Price) -> bytes:
    """The raw bytes of the anchor of `root`, signed with this 32-byte key."""
    signer = LocalSigner(key)
    return signer.sign(unsigned_anchor(signer.address, chain_id, nonce, root, offer))

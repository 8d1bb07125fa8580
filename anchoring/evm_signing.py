"""Makes the signed bytes of an anchor, and decides what it may cost. Pure: no node is asked."""

from __future__ import annotations

from dataclasses import dataclass

from coincurve import PrivateKey

from proofmail.core import rlp
from proofmail.core.evm import ANCHOR_TAG, MAX_CHAIN_ID, ROOT_BYTES, address_of
from proofmail.core.mpt import keccak256
from proofmail.errors import TryLater
from proofmail.ports import Fees
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


def price(fees: Fees, max_fee_ceiling_wei: int) -> Price:
    """Twice the base fee and the tip, which holds through five full blocks; never more than the
    ceiling (wei per gas). TryLater when the ceiling is below what the chain asks this moment."""
    if fees.base_fee_wei + 1 > max_fee_ceiling_wei:
        raise TryLater("the chain's base fee is above the operator's fee ceiling")
    max_fee = min(2 * fees.base_fee_wei + fees.priority_fee_wei, max_fee_ceiling_wei)
    return Price(max_fee, min(fees.priority_fee_wei, max_fee))


def replacement_price(before: Price, fees: Fees, max_fee_ceiling_wei: int) -> Price:
    """As price, and at least an eighth above `before` in both parts: nodes ask a tenth more in
    both before they replace a transaction of the same nonce. TryLater beyond the ceiling."""
    now = price(fees, max_fee_ceiling_wei)
    max_fee = max(now.max_fee_wei, _bumped(before.max_fee_wei))
    tip = max(now.max_priority_fee_wei, _bumped(before.max_priority_fee_wei))
    max_fee = max(max_fee, tip)
    if max_fee > max_fee_ceiling_wei:
        raise TryLater("replacing the transaction would exceed the operator's fee ceiling")
    return Price(max_fee, tip)


def _bumped(fee_wei: int) -> int:
    return fee_wei + fee_wei // 8 + 1


def sign_anchor(key: bytes, chain_id: int, nonce: int, root: bytes, offer: Price) -> bytes:
    """The raw bytes of the anchor of `root`: type 2, to its own sender, no value, no access list
    (SPEC anchors §1). The same arguments give the same bytes (RFC 6979)."""
    if len(root) != ROOT_BYTES or not 0 < chain_id <= MAX_CHAIN_ID:
        raise ValueError("an anchor takes a root of 32 bytes and a chain id below 2^53")
    secret = PrivateKey(key)
    fields: list[rlp.Item] = [
        rlp.encode_int(chain_id),
        rlp.encode_int(nonce),
        rlp.encode_int(offer.max_priority_fee_wei),
        rlp.encode_int(offer.max_fee_wei),
        rlp.encode_int(gas_limit(root)),
        anchor_sender(key),
        b"",
        ANCHOR_TAG + root,
        [],
    ]
    signature = secret.sign_recoverable(keccak256(b"\x02" + rlp.encode(fields)), hasher=None)
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
    return b"\x02" + rlp.encode([*fields, *map(rlp.encode_int, (signature[64], r, s))])

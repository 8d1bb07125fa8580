"""What an anchor uses and costs, by formula. Pure.

The receipt of a transaction is not part of an anchor, so what was paid is computed: exact on chains
with Ethereum's rules since Prague, an upper bound before; what a roll-up charges for its data on
another chain is not in it.
"""

from __future__ import annotations

from proofmail.core import rlp
from proofmail.core.evm import ANCHOR_TAG, read_transaction
from proofmail.errors import Unreadable

_TRANSACTION_GAS = 21_000
# EIP-7623: calldata is charged by tokens, four for a non-zero byte and one for a zero byte.
_STANDARD_TOKEN_GAS = 4
_FLOOR_TOKEN_GAS = 10
_BASE_FEE_FIELD = 15


def calldata_gas(data: bytes) -> int:
    """What a transaction with this calldata uses that runs no code (EIP-7623)."""
    zeros = data.count(0)
    tokens = zeros + 4 * (len(data) - zeros)
    return _TRANSACTION_GAS + max(_STANDARD_TOKEN_GAS * tokens, _FLOOR_TOKEN_GAS * tokens)


def anchor_gas(root: bytes) -> int:
    """What an anchor of this root uses; before Prague a chain uses less."""
    return calldata_gas(ANCHOR_TAG + root)


def most_wei(raw: bytes) -> int:
    """The most that these signed bytes can cost, whatever block they come to stand in."""
    sent = read_transaction(raw)
    return sent.gas_limit * sent.max_fee_wei + sent.value_wei


def paid_wei(raw: bytes, header: bytes) -> int:
    """What the anchor in these bytes cost in the block of this header (EIP-1559)."""
    sent = read_transaction(raw)
    base_fee = base_fee_wei(header) or 0
    return calldata_gas(sent.data) * min(sent.max_fee_wei, base_fee + sent.max_priority_fee_wei)


def base_fee_wei(header: bytes) -> int | None:
    """The base fee that a header (RLP) names, None on a chain without one; Unreadable if it is
    no header."""
    fields = rlp.decode_list(header)
    if len(fields) <= _BASE_FEE_FIELD:
        return None
    field = fields[_BASE_FEE_FIELD]
    if not isinstance(field, bytes):
        raise Unreadable("header: a list among its fields")
    return rlp.decode_int(field, 32)

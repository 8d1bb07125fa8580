"""Makes anvil.json anew: run as `python -m tests.vectors.evm.capture` from the project's root."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account import Account

from anchoring.evm import http_ledger
from anchoring.evm_signing import Price, sign_anchor
from proofmail.core.mpt import keccak256
from tests.anchoring.anvil import CHAIN_ID, KEY, Anvil, anvil

ROOT = bytes(range(0x40, 0x60))
GENESIS_TIME = 1_790_000_000
GWEI = 10**9


def foreign(node: Anvil) -> list[bytes]:
    """Transactions of the types 0, 1, 2 and 4, from ten accounts: what surrounds ours on a real
    chain. No blobs: anvil's transactions root covers their sidecars, which Ethereum's does not."""
    accounts = [Account.from_key(number.to_bytes(32, "big")) for number in range(1, 11)]
    nonces = dict.fromkeys(accounts, 0)
    made = []
    for number in range(140):
        account = accounts[number % 10]
        fields: dict[str, Any] = {
            "chainId": CHAIN_ID,
            "nonce": nonces[account],
            "to": accounts[number % 7].address,
            "value": number,
            "data": bytes([number % 256]) * (number % 40),
            "gas": 90_000,
        }
        fees = {"maxFeePerGas": 50 * GWEI, "maxPriorityFeePerGas": (number % 9 + 1) * GWEI}
        places = [{"address": account.address, "storageKeys": ["0x" + "00" * 31 + "07"]}]
        kind = number % 5
        if kind == 0:
            fields |= {"gasPrice": 50 * GWEI}
        elif kind == 1:
            fields |= {"type": 1, "gasPrice": 60 * GWEI, "accessList": places}
        elif kind == 2:
            fields |= {"type": 2, **fees, "accessList": places}
        elif kind == 3:
            fields |= {"type": 2, **fees, "to": "", "data": b"\x60\x00\x60\x00\xf3"}
        else:
            allowed = account.sign_authorization(
                {"chainId": CHAIN_ID, "address": accounts[0].address, "nonce": number}
            )
            fields |= {"type": 4, **fees, "authorizationList": [allowed]}
        made.append(bytes(account.sign_transaction(fields).raw_transaction))
        nonces[account] += 1
    for account in accounts:
        node.rpc("anvil_setBalance", account.address, hex(10**20))
    return made


def fill_block(node: Anvil, ours: bytes) -> None:
    """One block with everybody's transactions and ours among them."""
    node.rpc("evm_setAutomine", False)
    others = foreign(node)
    for raw in [*others[:130], ours, *others[130:]]:
        node.rpc("eth_sendRawTransaction", "0x" + raw.hex())
    node.rpc("evm_mine")


def main() -> None:
    arguments = ("--hardfork", "prague", "--timestamp", str(GENESIS_TIME), "--order", "fifo")
    with anvil(*arguments) as node:
        ours = sign_anchor(KEY, CHAIN_ID, 0, ROOT, Price(50 * GWEI, 4 * GWEI))
        fill_block(node, ours)
        ledger = http_ledger(node.url, expected_chain_id=CHAIN_ID)
        place = ledger.locate(keccak256(ours))
        assert place is not None
        block = node.rpc("eth_getBlockByHash", "0x" + place.block_hash.hex(), True)
        vector = {
            "node": node.rpc("web3_clientVersion"),
            "transaction": ours.hex(),
            "index": place.index,
            "nodes": [one.hex() for one in place.nodes],
            "header": place.header.hex(),
            "root": ROOT.hex(),
            "block": block,
        }
    path = Path(__file__).with_name("anvil.json")
    path.write_text(json.dumps(vector, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

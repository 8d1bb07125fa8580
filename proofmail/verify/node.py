"""Asks nodes that the verifier named whether a block is in their chain (`verify --node`).

The one place of the verifier that uses the network, and only when told to. A node's word is worth
what the verifier thinks of that node: it is asked for two things, the hash of the block at a height
and which block is final; the hash to compare with is computed from the proof's own header.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from proofmail.core.evm import read_header, read_transaction
from proofmail.core.proof import Batch, EvmAnchor, Proof
from proofmail.errors import ProofmailError, Unreadable
from proofmail.verify.trust import NodeWord, Trust

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 8 << 20


def ask_nodes(urls: Sequence[str], proofs: Sequence[Proof], trust: Trust) -> Trust:
    """This trust, with what the nodes say of the blocks in which these proofs are anchored, for
    those of its chains that they serve. A node that does not answer says nothing is final."""
    known = {chain.chain_id for chain in trust.chains}
    places = (place for proof in proofs for place in _places(proof))
    wanted = {place for place in places if place[0] in known}
    words: dict[int, list[NodeWord]] = {}
    for url in urls:
        host = _host(url)
        try:
            serves: int | None = _number(_ask(url, "eth_chainId"))
        except _NoAnswer:
            serves = None
        for chain, number in sorted(wanted):
            if serves is None:
                words.setdefault(chain, []).append(NodeWord(host, number, None, final=False))
            elif serves == chain:
                words.setdefault(chain, []).append(_word(url, host, number))
    chains = tuple(
        replace(chain, asked=tuple(words.get(chain.chain_id, ()))) for chain in trust.chains
    )
    return replace(trust, chains=chains)


class _NoAnswer(Exception):
    """The node did not answer, or not in a way that can be read."""


def _places(proof: Proof) -> Iterator[tuple[int, int]]:
    """Chain id and block number of every anchor that can be read, also of linked proofs."""
    for batch in proof.batches:
        for anchor in batch.anchors if isinstance(batch, Batch) else ():
            if isinstance(anchor, EvmAnchor):
                try:
                    chain_id = read_transaction(anchor.transaction).chain_id
                    yield chain_id, read_header(anchor.header).number
                except ProofmailError:
                    continue  # V9 says what is wrong with it
    for linked in proof.linked:
        yield from _places(linked)


def _word(url: str, host: str, number: int) -> NodeWord:
    try:
        final = _ask(url, "eth_getBlockByNumber", "finalized", False)
        block = _ask(url, "eth_getBlockByNumber", hex(number), False)
        found = bytes.fromhex(_text(block, "hash")[2:]) if isinstance(block, dict) else None
        reached = isinstance(final, dict) and number <= _number(final.get("number"))
    except (_NoAnswer, ValueError):
        return NodeWord(host, number, None, final=False)
    return NodeWord(host, number, found, final=reached and found is not None)


def _host(url: str) -> str:
    """The name to show: the rest of an address often holds a key."""
    try:
        place = urlsplit(url)
        host = place.hostname
    except ValueError:
        host = None
    if not host or place.scheme not in ("http", "https"):
        raise Unreadable("--node takes an address that begins with http:// or https://")
    return host


def _ask(url: str, method: str, *params: object) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    request = urllib.request.Request(  # noqa: S310 - _host has seen to the scheme
        url, json.dumps(body).encode("ascii"), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            data = answer.read(MAX_ANSWER_BYTES + 1)
        found = json.loads(data) if len(data) <= MAX_ANSWER_BYTES else None
    except Exception:
        # Each layer has its own exceptions, and their texts hold the address.
        raise _NoAnswer from None
    if not isinstance(found, dict) or "result" not in found:
        raise _NoAnswer
    return found["result"]


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found.startswith("0x"):
        raise _NoAnswer
    return found


def _number(value: object) -> int:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise _NoAnswer
    try:
        return int(value, 16)
    except ValueError:
        raise _NoAnswer from None

"""Whether a block is in the chain: by headers that lead back, or by the word of nodes asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proofmail.core import rlp
from proofmail.core.evm import read_header
from proofmail.core.mpt import keccak256
from proofmail.core.proof import Batch, EvmAnchor, Proof
from proofmail.errors import Unreadable
from proofmail.verify.checks import verify_proof
from proofmail.verify.node import ask_nodes
from proofmail.verify.report import Report, Status
from proofmail.verify.trust import Chain, Trust, read_trust
from tests.json_rpc import json_rpc
from tests.making import World


@contextmanager
def node(**answers: Any) -> Iterator[str]:
    """A node with these answers by method; one that is a function gets the parameters."""

    def answer(asked: dict[str, Any]) -> Any:
        found = answers.get(asked["method"])
        result = found(*asked["params"]) if callable(found) else found
        return result if isinstance(result, bytes) else {"result": result}

    with json_rpc(answer) as url:
        yield f"{url}/secret-key"


def good(world: World, **changes: Any) -> dict[str, Any]:
    """The answers of a node that has the world's block, and calls it final."""
    (block,) = world.blocks

    def by_number(which: str, _: bool) -> Any:
        number = {"finalized": "0x9"}.get(which, which)
        return {"number": number, "hash": "0x" + block.hex()}

    return {"eth_chainId": hex(world.chain_id), "eth_getBlockByNumber": by_number, **changes}


def doubting(world: World) -> Trust:
    """The world's trust, but for the blocks; the anchor is the only witness."""
    made = world.trust(authorities=())
    return replace(made, chains=(Chain(world.chain_id, "test chain"),), tokens=Trust().tokens)


def v11(report: Report) -> tuple[Status, str]:
    (row,) = [row for row in report.rows if row.number == "V11"]
    return row.status, row.reason


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def proof(world: World) -> Proof:
    return replace(world.prove(), tokens=())


def judge(world: World, proof: Proof, *nodes: dict[str, Any]) -> Report:
    with ExitStack() as stack:
        urls = [stack.enter_context(node(**answers)) for answers in nodes]
        return verify_proof(proof, ask_nodes(urls, [proof], doubting(world)))


def test_a_block_is_believed_by_the_word_of_the_node_asked(world: World, proof: Proof) -> None:
    assert v11(verify_proof(proof, doubting(world)))[0] is Status.NOT_CHECKED
    report = judge(world, proof, good(world))
    status, reason = v11(report)
    assert status is Status.PASSED
    assert "by the word of 127.0.0.1 alone" in reason
    assert "secret" not in json.dumps(report.to_json())
    assert report.exit_status == 0
    assert judge(world, proof, good(world), good(world)).exit_status == 0


def by(block: Any, final: Any = "0x9") -> Any:
    return lambda which, _: {"number": final, "hash": "0x"} if which == "finalized" else block


OTHER = {"number": "0x1", "hash": "0x" + "ab" * 32}


def test_nodes_that_have_another_final_block_fail_the_anchor(world: World, proof: Proof) -> None:
    report = judge(world, proof, good(world, eth_getBlockByNumber=by(OTHER)))
    assert v11(report)[0] is Status.FAILED
    assert report.exit_status == 1


@pytest.mark.parametrize(
    "answers",
    [
        {"eth_getBlockByNumber": by(OTHER, "0x0")},
        {"eth_getBlockByNumber": by(None)},
        {"eth_getBlockByNumber": None},
        {"eth_getBlockByNumber": {"number": "0x9"}},
        {"eth_getBlockByNumber": {"number": 9, "hash": 9}},
        {"eth_getBlockByNumber": {"number": "0x9", "hash": "0xzz"}},
        {"eth_getBlockByNumber": b"not json"},
        {"eth_getBlockByNumber": b"[" * 100_000},
        {"eth_chainId": None},
        {"eth_chainId": b"{}"},
        {"eth_chainId": "0x1"},
    ],
    ids=range(11),
)
def test_a_node_that_does_not_say_so_leaves_it_open(
    world: World, proof: Proof, answers: dict[str, Any]
) -> None:
    report = judge(world, proof, good(world, **answers))
    assert v11(report)[0] is Status.NOT_CHECKED
    assert report.exit_status == 3


def test_nodes_that_contradict_each_other_leave_it_open(world: World, proof: Proof) -> None:
    other = good(world, eth_getBlockByNumber=by(OTHER))
    status, reason = v11(judge(world, proof, good(world), other))
    assert (status, "contradict" in reason) == (Status.NOT_CHECKED, True)
    status, _ = v11(judge(world, proof, good(world), good(world, eth_chainId=None)))
    assert status is Status.NOT_CHECKED


def test_a_node_makes_no_chain_trusted(world: World, proof: Proof) -> None:
    with node(**good(world)) as url:
        trust = ask_nodes([url], [proof], replace(doubting(world), chains=()))
    assert trust.chains == ()
    assert v11(verify_proof(proof, trust))[0] is Status.NOT_CHECKED


@pytest.mark.parametrize("url", ["", "ftp://a", "file:///etc/passwd", "http://", "http://[", "a"])
def test_an_address_that_is_none_is_refused(world: World, proof: Proof, url: str) -> None:
    with pytest.raises(Unreadable):
        ask_nodes([url], [proof], doubting(world))


def test_the_command_asks_only_when_told_to(world: World, tmp_path: Path, proof: Proof) -> None:
    (tmp_path / "proof.json").write_bytes(proof.to_bytes())
    (tmp_path / "trust.json").write_text(json.dumps(doubting(world).to_json()))
    words = ["verify", "proof.json", "--trust", "trust.json", "--json"]

    def run(*more: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "proofmail", *words, *more],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    with node(**good(world)) as url:
        assert run()[0] == 3
        status, said = run("--node", url)
        assert (status, "by the word of" in said, "secret-key" in said) == (0, True, False)
    assert run("--node", "nonsense")[0] == 2


# Headers that lead back


def child_of(raw: bytes, number: int) -> bytes:
    fields = rlp.decode_list(raw)
    fields[0], fields[8] = keccak256(raw), rlp.encode_int(number)
    return rlp.encode(fields)


def anchored_header(proof: Proof) -> bytes:
    (batch,) = proof.batches
    assert isinstance(batch, Batch)
    (anchor,) = batch.anchors
    assert isinstance(anchor, EvmAnchor)
    return anchor.header


def test_headers_lead_back_from_a_block_that_is_believed(world: World, proof: Proof) -> None:
    first = anchored_header(proof)
    headers = [first]
    for number in range(2, 6):
        headers.append(child_of(headers[-1], number))
    newest = keccak256(headers[-1])

    def status(blocks: set[bytes], given: list[bytes]) -> Status:
        chain = Chain(world.chain_id, "test", frozenset(blocks), headers=tuple(given))
        trust = replace(doubting(world), chains=(chain,))
        again = read_trust(json.dumps(trust.to_json()).encode())
        assert again.chains == trust.chains
        return v11(verify_proof(proof, replace(trust, chains=again.chains)))[0]

    assert status({newest}, headers[1:]) is Status.PASSED
    assert status({newest}, headers[:0:-1]) is Status.PASSED
    assert status({newest}, headers) is Status.PASSED
    # One missing, or none believed: headers alone say nothing.
    assert status({newest}, [headers[1], headers[3], headers[4]]) is Status.NOT_CHECKED
    assert status(set(), headers) is Status.NOT_CHECKED
    assert status({keccak256(headers[2])}, headers[3:]) is Status.NOT_CHECKED
    assert status({read_header(first).parent_hash}, headers) is Status.NOT_CHECKED


def test_a_header_that_is_none_makes_the_trust_file_unreadable(world: World) -> None:
    trust = doubting(world).to_json()
    trust["chains"][0]["headers"] = ["wIA"]
    with pytest.raises(Unreadable):
        read_trust(json.dumps(trust).encode())

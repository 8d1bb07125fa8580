"""The development chain: a ledger like others, and a file that survives being killed."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from eth_account import Account

from anchoring.devchain import CHAIN_IDS, MAX_AHEAD_SECONDS, DevChain, open_devchain
from anchoring.evm_signing import Price, anchor_sender, price, sign_anchor
from proofmail.core import rlp
from proofmail.core.evm import AnchoredRoot, read_evm_anchor, read_header
from proofmail.core.mpt import keccak256
from proofmail.errors import Misconfigured, Refused, TryLater
from proofmail.ports import Ledger
from tests.parts import PROJECT

KEY = b"\x07" * 32
SENDER = anchor_sender(KEY)
GWEI = 10**9


class HandClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 12, 0, 0, 900_000, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.sqlite"


@pytest.fixture
def chain(path: Path, clock: HandClock) -> Iterator[DevChain]:
    opened = open_devchain(path, SENDER, clock)
    yield opened
    opened.close()


def signed(chain: DevChain, root: bytes, **changes: int) -> bytes:
    nonce = changes.get("nonce", chain.next_nonce(SENDER))
    chain_id = changes.get("chain_id", chain.chain_id())
    offer = price(chain.fees(), changes.get("ceiling", 1000 * GWEI))
    return sign_anchor(KEY, chain_id, nonce, root, offer)


def put(chain: DevChain, number: int) -> bytes:
    """Anchors a root; the bytes of the transaction."""
    raw = signed(chain, number.to_bytes(32, "big"))
    chain.broadcast(raw)
    return raw


def read(chain: DevChain, raw: bytes) -> AnchoredRoot:
    place = chain.locate(keccak256(raw))
    assert place is not None
    found = read_evm_anchor(raw, place.index, place.nodes, place.header)
    assert (found.block_hash, found.block_number) == (place.block_hash, place.block_number)
    assert chain.block_hash(found.block_number) == found.block_hash
    return found


def test_an_anchor(chain: DevChain, clock: HandClock) -> None:
    ledger: Ledger = chain
    raw = signed(chain, b"\x01" * 32)
    assert ledger.locate(keccak256(raw)) is None
    balance = ledger.balance_wei(SENDER)
    ledger.broadcast(raw)
    found = read(chain, raw)
    assert (found.root, found.sender) == (b"\x01" * 32, SENDER)
    assert found.chain_id == ledger.chain_id()
    assert found.block_number == ledger.finalized_number() == 1
    assert found.block_time == clock.time.replace(microsecond=0)
    assert ledger.next_nonce(SENDER) == 1
    assert 0 < ledger.balance_wei(SENDER) < balance
    assert ledger.block_hash(2) is None


def test_the_same_bytes_again_change_nothing(chain: DevChain) -> None:
    raw = put(chain, 1)
    chain.broadcast(raw)
    put(chain, 2)
    chain.broadcast(raw)
    assert chain.finalized_number() == 2


def test_refusals_say_what_to_do(chain: DevChain) -> None:
    raw = signed(chain, b"\x01" * 32)
    chain.broadcast(raw)
    with pytest.raises(Refused, match="nonce"):
        chain.broadcast(signed(chain, b"\x02" * 32, nonce=0))
    with pytest.raises(TryLater, match="earlier nonce"):
        chain.broadcast(signed(chain, b"\x02" * 32, nonce=2))
    with pytest.raises(Refused, match="higher fee"):
        chain.broadcast(sign_anchor(KEY, chain.chain_id(), 1, b"\x02" * 32, Price(1, 1)))
    with pytest.raises(Misconfigured, match="another chain"):
        chain.broadcast(signed(chain, b"\x02" * 32, chain_id=1))
    poor = sign_anchor(b"\x08" * 32, chain.chain_id(), 0, bytes(32), Price(GWEI, 1))
    with pytest.raises(Misconfigured, match="fund"):
        chain.broadcast(poor)
    tipped = sign_anchor(KEY, chain.chain_id(), 1, b"\x02" * 32, Price(GWEI, 2 * GWEI))
    with pytest.raises(Refused, match="rules"):
        chain.broadcast(tipped)
    for garbage in (b"", b"\x02\xc0", raw[:-1], raw + b"\0"):
        with pytest.raises(Refused):
            chain.broadcast(garbage)
    legacy = Account.from_key(KEY).sign_transaction(
        {"nonce": 1, "gasPrice": GWEI, "gas": 30_000, "to": "0x" + "11" * 20, "value": 0,
         "data": b"", "chainId": chain.chain_id()}
    )  # fmt: skip
    with pytest.raises(Refused):
        chain.broadcast(bytes(legacy.raw_transaction))
    assert chain.finalized_number() == 1
    # None of them left anything behind.
    assert read(chain, put(chain, 3)).block_number == 2


def test_too_little_gas_is_refused(chain: DevChain) -> None:
    account = Account.from_key(KEY)
    fields = {
        "type": 2, "chainId": chain.chain_id(), "nonce": 0, "to": account.address, "value": 0,
        "data": b"\x01" * 36, "gas": 21_000, "maxFeePerGas": GWEI, "maxPriorityFeePerGas": 1,
    }  # fmt: skip
    with pytest.raises(Refused, match="rules"):
        chain.broadcast(bytes(account.sign_transaction(fields).raw_transaction))
    assert read(chain, put(chain, 1)).block_number == 1


def test_each_installation_has_its_own_chain_id(tmp_path: Path, clock: HandClock) -> None:
    found = set()
    for name in "abc":
        chain = open_devchain(tmp_path / name, SENDER, clock)
        found.add(chain.chain_id())
        chain.close()
    assert len(found) == 3
    assert all(one in CHAIN_IDS for one in found)
    chain = open_devchain(tmp_path / "given", SENDER, clock, chain_id=1234)
    assert read(chain, put(chain, 1)).chain_id == 1234
    chain.close()


def test_reopening_keeps_everything(path: Path, clock: HandClock) -> None:
    chain = open_devchain(path, SENDER, clock)
    sent = [put(chain, number) for number in range(5)]
    before = [chain.block_hash(number) for number in range(6)]
    places = [chain.locate(keccak256(raw)) for raw in sent]
    identity = chain.chain_id()
    chain.close()
    chain = open_devchain(path, SENDER, clock)
    assert chain.chain_id() == identity
    assert [chain.block_hash(number) for number in range(6)] == before
    assert [chain.locate(keccak256(raw)) for raw in sent] == places
    again = read(chain, put(chain, 9))
    assert again.block_number == 6
    place = chain.locate(again.tx_hash)
    assert place is not None
    assert read_header(place.header).parent_hash == before[5]
    chain.close()


def test_one_opener_at_a_time(chain: DevChain, path: Path, clock: HandClock) -> None:
    with pytest.raises(Misconfigured, match="another process"):
        open_devchain(path, SENDER, clock)
    chain.close()
    open_devchain(path, SENDER, clock).close()


def test_what_was_made_for_others_is_refused(path: Path, clock: HandClock) -> None:
    chain = open_devchain(path, SENDER, clock)
    identity = chain.chain_id()
    chain.close()
    with pytest.raises(Misconfigured, match="another anchor key"):
        open_devchain(path, b"\x01" * 20, clock)
    with pytest.raises(Misconfigured, match="another chain id"):
        open_devchain(path, SENDER, clock, chain_id=identity + 1)
    open_devchain(path, SENDER, clock, chain_id=identity).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE setting SET value = '2' WHERE name = 'format'")
    connection.close()
    with pytest.raises(Misconfigured, match="version"):
        open_devchain(path, SENDER, clock)


def test_files_that_are_not_chains(tmp_path: Path, clock: HandClock) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(Misconfigured, match="read or written"):
        open_devchain(junk, SENDER, clock)
    with pytest.raises(Misconfigured, match="opened"):
        open_devchain(tmp_path / "absent" / "chain", SENDER, clock)
    with pytest.raises(Misconfigured, match="opened"):
        open_devchain(tmp_path, SENDER, clock)


def test_times_rise_and_run_ahead_within_the_bound(chain: DevChain, clock: HandClock) -> None:
    now = clock.time.replace(microsecond=0)
    times = [read(chain, put(chain, number)).block_time for number in range(4)]
    assert times == [now + timedelta(seconds=ahead) for ahead in range(4)]
    clock.time += timedelta(hours=1)
    assert read(chain, put(chain, 5)).block_time == now + timedelta(hours=1)
    # A clock set back: the chain waits for it rather than call the future the present.
    clock.time -= timedelta(seconds=MAX_AHEAD_SECONDS)
    raw = signed(chain, b"\x06" * 32)
    with pytest.raises(TryLater, match="clock"):
        chain.broadcast(raw)
    assert chain.locate(keccak256(raw)) is None
    clock.time += timedelta(seconds=1)
    chain.broadcast(raw)
    assert read(chain, raw).block_time == now + timedelta(hours=1, seconds=1)


def test_locating_does_not_depend_on_the_chains_length(chain: DevChain) -> None:
    sent = [put(chain, number) for number in range(40)]
    counted: list[str] = []
    chain._file.connection.set_trace_callback(counted.append)
    read(chain, sent[0])
    oldest = len(counted)
    read(chain, sent[-1])
    assert oldest <= len(counted) - oldest + 4
    chain._file.connection.set_trace_callback(None)


def test_a_failing_disk_leaves_no_half_block(chain: DevChain, path: Path) -> None:
    put(chain, 1)
    raw = signed(chain, b"\x02" * 32)
    chain._file.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(TryLater, match="written"):
        chain.broadcast(raw)
    chain._file.connection.execute("PRAGMA query_only=OFF")
    assert chain.finalized_number() == 1
    assert chain.locate(keccak256(raw)) is None
    chain.broadcast(raw)
    assert read(chain, raw).block_number == 2


@pytest.mark.parametrize("fail_at", [1, 2, 4, 7, 9])
def test_a_death_within_a_block_leaves_nothing(
    chain: DevChain, path: Path, tmp_path: Path, clock: HandClock, fail_at: int
) -> None:
    put(chain, 1)
    raw = signed(chain, b"\x02" * 32)
    writes = 0
    left = tmp_path / "left"

    def die(statement: str) -> None:
        nonlocal writes
        writes += statement.startswith("INSERT")
        if writes == fail_at and not left.exists():
            # What the disk would hold had the process been killed here.
            left.mkdir()
            for one in path.parent.glob(path.name + "*"):
                shutil.copy(one, left / one.name)

    chain._file.connection.set_trace_callback(die)
    chain.broadcast(raw)
    chain._file.connection.set_trace_callback(None)
    assert left.exists()
    again = open_devchain(left / path.name, SENDER, clock)
    assert again.finalized_number() == 1
    assert again.locate(keccak256(raw)) is None
    again.broadcast(raw)
    assert read(again, raw) == read(chain, raw)
    again.close()


def test_the_room_in_a_block_stays(chain: DevChain) -> None:
    limits = set()
    for number in range(3):
        place = chain.locate(keccak256(put(chain, number)))
        assert place is not None
        limits.add(rlp.decode_list(place.header)[9])
    assert limits == {rlp.encode_int(30_000_000)}


def test_threads_share_it(chain: DevChain, clock: HandClock) -> None:
    sent: list[bytes] = []
    lock = threading.Lock()
    failures: list[Exception] = []

    def work() -> None:
        try:
            for number in range(5):
                with lock:
                    raw = signed(chain, number.to_bytes(32, "big"))
                    chain.broadcast(raw)
                sent.append(raw)
                read(chain, raw)
        except Exception as failure:  # told below, in the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures
    assert len({read(chain, raw).block_number for raw in sent}) == 20


CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from anchoring.devchain import open_devchain
from tests.anchoring.test_devchain import SENDER, put

class Clock:
    def now(self):
        return datetime.now(UTC)

chain = open_devchain(Path(sys.argv[1]), SENDER, Clock())
for number in range(int(sys.argv[2])):
    raw = put(chain, number)
    print(raw.hex(), flush=True)
sys.stdin.read()
"""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def run_and_kill(path: Path, transactions: int, lines: int, wait_seconds: float) -> list[bytes]:
    """Starts a process that anchors, kills it some time after so many answers; the transactions
    that it said were taken."""
    command = [sys.executable, "-c", CHILD, str(path), str(transactions)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=PROJECT) as child:
        assert child.stdout is not None
        taken = [child.stdout.readline() for _ in range(lines)]
        time.sleep(wait_seconds)
        child.kill()
        taken += child.stdout.readlines()
        child.wait()
    assert child.returncode == -signal.SIGKILL
    return [bytes.fromhex(line) for line in taken if line.endswith("\n")]


def test_killed_right_after_broadcast(path: Path) -> None:
    taken = run_and_kill(path, transactions=1, lines=1, wait_seconds=0)
    chain = open_devchain(path, SENDER, SystemClock())
    assert len(taken) == 1
    assert read(chain, taken[0]).block_number == chain.finalized_number() == 1
    chain.broadcast(taken[0])
    assert chain.finalized_number() == 1
    chain.close()


def test_killed_at_any_moment(path: Path) -> None:
    dice = random.Random()
    taken: list[bytes] = []
    for _ in range(3):
        taken += run_and_kill(path, 1000, lines=2, wait_seconds=dice.random() * 0.1)
        chain = open_devchain(path, SENDER, SystemClock())
        head = chain.finalized_number()
        found = [read(chain, raw).block_number for raw in taken]
        # At most the one whose answer was lost is in the chain without being told.
        assert found == sorted(found)
        assert head <= len(taken) + 3
        assert chain.next_nonce(SENDER) == head
        assert None not in [chain.block_hash(number) for number in range(head + 1)]
        for raw, number in zip(taken, found, strict=True):
            place = chain.locate(keccak256(raw))
            assert place is not None
            assert read_header(place.header).parent_hash == chain.block_hash(number - 1)
        chain.close()


def test_what_a_nonce_was_used_for_and_what_time_it_is(chain: DevChain, clock: HandClock) -> None:
    assert chain.final_transaction(SENDER, 0) is None
    sent = []
    for number in range(3):
        sent.append(signed(chain, bytes([number]) * 32))
        chain.broadcast(sent[-1])
    for nonce, raw in enumerate(sent):
        spent = chain.final_transaction(SENDER, nonce)
        assert spent is not None
        assert (spent.raw, spent.place) == (raw, chain.locate(keccak256(raw)))
    assert chain.final_transaction(SENDER, 3) is None
    # Three blocks within a second: the chain's time ran ahead of the clock, and is told so.
    assert chain.head().time > clock.now()
    clock.time += timedelta(minutes=5)
    assert chain.head().time == clock.now()
    assert chain.head().number == 3

"""The built-in development chain: a whole EVM chain in one SQLite file (ports.Ledger).

It lets the service run with nothing configured. It proves nothing to others: whoever holds the
file can make another with any block times. One process at a time holds it.

A transaction is mined as it arrives, alone in its block, and every head is final at once. All that
a block writes is one SQLite transaction, committed and synced before broadcast returns: after a
kill at any moment the file holds the block whole or not at all.

Blocks have strictly rising times in seconds. Transactions that come faster than one a second run
ahead of the clock, by MAX_AHEAD_SECONDS at most; then broadcast asks to try later. A block's time
is thus never earlier than the second of its broadcast, and "no later than" stays true.

py-evm does the work. It is archived, so nothing of it leaves this file.
"""

from __future__ import annotations

import fcntl
import secrets
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from anchoring.evm_block import Block, header_of, inclusion, sender_and_nonce
from anchoring.recursion import usual_recursion
from proofmail.core.evm import MAX_CHAIN_ID, Transaction, read_transaction
from proofmail.core.mpt import keccak256
from proofmail.errors import CheckFailed, Misconfigured, Refused, TryLater, Unreadable
from proofmail.ports import Clock, Fees, Head, Inclusion, SpentNonce

MAX_AHEAD_SECONDS = 60
# Far above the ids of public chains, and wide enough that no two installations share one: what is
# signed for one chain counts on no other.
CHAIN_IDS = range(1 << 52, MAX_CHAIN_ID + 1)

_FORMAT = "1"
_GENESIS_BALANCE_WEI = 10**30
_GAS_LIMIT = 30_000_000
_PRIORITY_FEE_WEI = 1


class DevChain:
    """An opened development chain; made by open_devchain. Safe to use from several threads."""

    def __init__(self, file: _File, settings: dict[str, str], clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._chain_id = int(settings["chain_id"])
        self._lock = threading.RLock()
        self._opened: Any = None

    def close(self) -> None:
        """Gives the file free. Nothing else is needed: everything is durable already."""
        with self._lock:
            self._file.close()

    def chain_id(self) -> int:
        return self._chain_id

    def next_nonce(self, sender: bytes) -> int:
        with self._lock:
            return int(self._state().get_nonce(sender))

    def head(self) -> Head:
        """Our own clock, or the newest block's time where that ran ahead of it: the next block
        will not be older."""
        with self._lock:
            head = self._chain().get_canonical_head()
        newest = datetime.fromtimestamp(int(head.timestamp), UTC)
        return Head(int(head.block_number), max(newest, self._clock.now()))

    def final_transaction(self, sender: bytes, nonce: int) -> SpentNonce | None:
        """Block n holds one transaction, the anchor sender's with nonce n - 1: nobody else can
        pay for one."""
        with self._lock:
            if nonce >= self.next_nonce(sender):
                return None
            block = self._block(nonce + 1)
            raw = block.transactions[0]
            if sender_and_nonce(raw) != (sender, nonce):
                raise TryLater("the development chain has not this nonce where it should be")
            place = inclusion(block, keccak256(raw))
        return None if place is None else SpentNonce(raw, place)

    def balance_wei(self, sender: bytes) -> int:
        with self._lock:
            return int(self._state().get_balance(sender))

    def fees(self) -> Fees:
        with self._lock:
            return Fees(int(self._next_header().base_fee_per_gas), _PRIORITY_FEE_WEI)

    def broadcast(self, raw_transaction: bytes) -> None:
        """Mines the transaction, unless it is in the chain already."""
        try:
            sent = read_transaction(raw_transaction)
        except (CheckFailed, Unreadable):
            raise Refused("the development chain takes plain type 2 transactions alone") from None
        with self._lock:
            if self._place(sent.hash) is not None:
                return
            self._judge(sent)
            self._mine(raw_transaction)

    def locate(self, transaction_hash: bytes) -> Inclusion | None:
        with self._lock:
            place = self._place(transaction_hash)
            return None if place is None else inclusion(self._block(place), transaction_hash)

    def finalized_number(self) -> int:
        """The head: nobody can reorganise a chain that has one maker."""
        with self._lock:
            return int(self._chain().get_canonical_head().block_number)

    def block_hash(self, number: int) -> bytes | None:
        with usual_recursion():
            from eth.exceptions import HeaderNotFound

        with self._lock:
            try:
                return bytes(self._chain().get_canonical_block_hash(number))
            except HeaderNotFound:
                return None

    def _chain(self) -> Any:
        if self._opened is None:
            self._opened = _chain_class(self._chain_id)(self._file.database())
        return self._opened

    def _state(self) -> Any:
        chain = self._chain()
        return chain.get_vm(chain.get_canonical_head()).state

    def _next_header(self) -> Any:
        chain = self._chain()
        head = chain.get_canonical_head()
        # Left to itself, py-evm lets the limit of a little used chain shrink.
        return chain.create_header_from_parent(head, gas_limit=head.gas_limit)

    def _place(self, transaction_hash: bytes) -> int | None:
        """The number of the block, from py-evm's index of transactions."""
        with usual_recursion():
            from eth.exceptions import TransactionNotFound

        try:
            return int(self._chain().get_canonical_transaction_index(transaction_hash)[0])
        except TransactionNotFound:
            return None

    def _block(self, number: int) -> Block:
        import rlp

        chain = self._chain()
        header = chain.get_canonical_block_header_by_number(number)
        builder = chain.get_vm_class_for_block_number(number).get_transaction_builder()
        transactions = chain.chaindb.get_block_transactions(header, builder)
        encoded = rlp.encode(header)
        return Block(header_of(encoded), encoded, tuple(one.encode() for one in transactions))

    def _judge(self, sent: Transaction) -> None:
        """What a node's pool would say, in the words of the port."""
        if sent.chain_id != self._chain_id:
            raise Misconfigured("the transaction is signed for another chain than this one")
        expected = self.next_nonce(sent.sender)
        if sent.nonce < expected:
            raise Refused("the chain has another transaction with this nonce")
        if sent.nonce > expected:
            raise TryLater("a transaction with an earlier nonce has to come first")
        if sent.max_priority_fee_wei > sent.max_fee_wei:
            raise Refused("the chain's rules refuse this transaction")
        if sent.max_fee_wei < self.fees().base_fee_wei:
            raise Refused("the chain asks for a higher fee")
        cost = sent.gas_limit * sent.max_fee_wei + sent.value_wei
        if cost > self.balance_wei(sent.sender):
            raise Misconfigured("the anchor sender's account cannot pay: fund it")

    def _mine(self, raw_transaction: bytes) -> None:
        from eth_utils.exceptions import ValidationError

        chain = self._chain()
        header = self._next_header()
        timestamp = self._next_timestamp(int(chain.get_canonical_head().timestamp))
        try:
            with self._file.transaction():
                # Nothing is in the file before this block ends; a death in it leaves no trace,
                # and the caller, who saved the bytes, sends them again.
                chain.header = header.copy(timestamp=timestamp)
                builder = chain.get_vm(chain.header).get_transaction_builder()
                chain.apply_transaction(builder.decode(raw_transaction))
                chain.mine_block()
        except ValidationError:
            self._opened = None
            raise Refused("the chain's rules refuse this transaction") from None
        except sqlite3.Error:
            self._opened = None
            raise TryLater("the development chain's file cannot be written") from None
        except BaseException:
            self._opened = None
            raise

    def _next_timestamp(self, parent: int) -> int:
        now = int(self._clock.now().timestamp())
        if parent >= now + MAX_AHEAD_SECONDS:
            raise TryLater("the development chain's newest block is too far ahead of the clock")
        return max(now, parent + 1)


def open_devchain(
    path: Path,
    sender: bytes,
    clock: Clock,
    *,
    chain_id: int | None = None,
    patience_seconds: float = 0.0,
) -> DevChain:
    """Opens the chain in this file, or makes one whose only account, `sender` (20 bytes), can pay
    for ever. Its chain id is drawn at random when it is made, unless given.

    Misconfigured if another process has it (still so after `patience_seconds`), or if it was made
    for another sender or chain id.
    """
    file = _File(path, patience_seconds)
    try:
        try:
            settings = file.settings()
            if not settings:
                with file.transaction():
                    settings = _create(file, sender, chain_id, clock)
        except sqlite3.DatabaseError:
            raise Misconfigured("the development chain's file cannot be read or written") from None
        if settings.get("format") != _FORMAT:
            raise Misconfigured("the development chain's file is of another version")
        if settings["sender"] != sender.hex():
            raise Misconfigured("the development chain was made for another anchor key")
        if chain_id not in (None, int(settings["chain_id"])):
            raise Misconfigured("the development chain was made with another chain id")
        return DevChain(file, settings, clock)
    except BaseException:
        file.close()
        raise


def _create(file: _File, sender: bytes, chain_id: int | None, clock: Clock) -> dict[str, str]:
    """Writes the genesis block and the settings; within the caller's transaction."""
    if len(sender) != 20:
        raise ValueError("an address has 20 bytes")
    settings = {
        "format": _FORMAT,
        "chain_id": str(chain_id or secrets.choice(CHAIN_IDS)),
        "sender": sender.hex(),
    }
    file.create(settings)
    account = {"balance": _GENESIS_BALANCE_WEI, "nonce": 0, "code": b"", "storage": {}}
    genesis = {
        "difficulty": 0,
        "gas_limit": _GAS_LIMIT,
        "nonce": bytes(8),
        "timestamp": int(clock.now().timestamp()) - 1,
        "extra_data": b"proofmail development chain",
    }
    _chain_class(int(settings["chain_id"])).from_genesis(
        file.database(), genesis, {sender: account}
    )
    return settings


def _chain_class(chain_id: int) -> Any:
    """A py-evm chain by the rules of Prague, whose blocks need no seal. Imported here: it takes a
    second, and warns of things that are not ours."""
    with warnings.catch_warnings(), usual_recursion():
        warnings.simplefilter("ignore")
        from eth.chains.base import MiningChain
        from eth.vm.forks.prague import PragueVM

    return MiningChain.configure(
        "DevelopmentChain", chain_id=chain_id, vm_configuration=((0, PragueVM),)
    )


def _lock_patiently(lock: IO[bytes], patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)


class _File:
    """The SQLite file and the lock that keeps others out, held until close or death."""

    def __init__(self, path: Path, patience_seconds: float) -> None:
        try:
            self._lock: IO[bytes] = path.with_name(path.name + ".lock").open("ab")
        except OSError:
            raise Misconfigured("the development chain's file cannot be opened") from None
        try:
            _lock_patiently(self._lock, patience_seconds)
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except BlockingIOError:
            self._lock.close()
            raise Misconfigured("another process has the development chain open") from None
        except sqlite3.Error:
            self._lock.close()
            raise Misconfigured("the development chain's file cannot be opened") from None

    def close(self) -> None:
        self.connection.close()
        self._lock.close()

    def settings(self) -> dict[str, str]:
        """What the chain was made with; empty if there is none yet."""
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        tables = self.connection.execute("SELECT name FROM sqlite_master").fetchall()
        if ("setting",) not in tables:
            return {}
        return dict(self.connection.execute("SELECT name, value FROM setting"))

    def create(self, settings: dict[str, str]) -> None:
        self.connection.execute("CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        self.connection.execute(
            "CREATE TABLE node (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
        )
        self.connection.executemany("INSERT INTO setting VALUES (?, ?)", settings.items())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def database(self) -> Any:
        """The file as py-evm's key-value store. Its own batches end in our transaction."""
        with warnings.catch_warnings(), usual_recursion():
            warnings.simplefilter("ignore")
            from eth.db.atomic import AtomicDB
            from eth.db.backends.base import BaseDB

        connection = self.connection

        class Nodes(BaseDB):
            def __getitem__(self, key: bytes) -> bytes:
                row = connection.execute("SELECT value FROM node WHERE key = ?", (key,)).fetchone()
                if row is None:
                    raise KeyError(key)
                return bytes(row[0])

            def __setitem__(self, key: bytes, value: bytes) -> None:
                connection.execute("INSERT OR REPLACE INTO node VALUES (?, ?)", (key, value))

            def __delitem__(self, key: bytes) -> None:
                connection.execute("DELETE FROM node WHERE key = ?", (key,))

            def _exists(self, key: bytes) -> bool:
                query = "SELECT 1 FROM node WHERE key = ?"
                return connection.execute(query, (key,)).fetchone() is not None

        return AtomicDB(Nodes())

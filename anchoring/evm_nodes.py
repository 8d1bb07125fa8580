"""One chain through several nodes that are not trusted (ports.Ledger).

Each node's answers are recomputed by its own client. What can be compared (blocks, finality) is
told only when enough nodes say the same and no more say otherwise; what cannot be (fees, nonces,
balances) is taken so that one liar can delay, but not make us pay or sign more than the bounds
allow. A node that fails, lies, lags or serves another chain is set aside, with longer and longer
pauses, and reported; so is a disagreement that cannot be put down to one of them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median_low
from typing import TypeVar

from anchoring.evm import EvmLedger
from anchoring.evm_block import Disagrees
from proofmail.errors import Misconfigured, ProofmailError, Refused, TryLater
from proofmail.ports import Fees, Head, Inclusion, SpentNonce

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 1800.0
LAGGING = timedelta(seconds=120)
"""How much older than the best node's newest block a node's may be, and how far ahead of our clock
while another node's is not: blocks are not made in the future."""

SILENT, LIES, LAGS, UNFIT = "silent", "does-not-hold", "lags", "unfit"


@dataclass
class _Standing:
    """What is known of one node. `until` is on the monotonic clock."""

    why: str = ""
    until: float = 0.0
    pause_seconds: float = 0.0


def usual_quorum(nodes: int) -> int:
    """A majority; of two nodes one suffices, as long as the other does not contradict it."""
    return 1 if nodes <= 2 else nodes // 2 + 1


class SeveralNodes:
    """Nodes in the order of the settings. `report` is told which node is set aside, by its number
    from 1, and why, and again with an empty reason when it is back; number 0 is a disagreement."""

    def __init__(
        self,
        nodes: Sequence[EvmLedger],
        quorum: int = 0,
        report: Callable[[int, str], None] = lambda number, why: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not 0 <= quorum <= len(nodes):
            raise Misconfigured("ledger: quorum is larger than the number of nodes")
        self._nodes = nodes
        self._quorum = quorum or usual_quorum(len(nodes))
        self._report, self._now = report, now
        self._standings = [_Standing() for _ in nodes]
        self._lock = threading.RLock()  # the steps ask from several threads
        self._disagreeing = True  # so that what an earlier process reported is taken back

    def chain_id(self) -> int:
        """The id that the nodes serve; one that serves another is set aside."""
        return self._agreed(lambda node: node.chain_id(), "which chain it is")

    def head(self) -> Head:
        """The newest that enough nodes have reached; nodes far behind are set aside, and so are
        those far ahead of our clock: one that could make all others look late by a time of its own
        invention would soon be the only one that is asked."""
        found = self._each(lambda node: node.head())
        now = self._now()
        ahead = {number for number, head in found.items() if head.time - now > LAGGING}
        if len(ahead) == len(found):
            ahead = set()  # then it is our clock that is behind
        best = min(now, max(head.time for head in found.values()))
        for number, head in list(found.items()):
            late = best - head.time > LAGGING and len(found) > 1
            if number in ahead or late:
                self._set_aside(number, LIES if number in ahead else LAGS)
                del found[number]
            else:
                self._back(number)
        heads = list(found.values())
        return Head(
            self._reached([head.number for head in heads]),
            min(head.time for head in heads),
        )

    def next_nonce(self, sender: bytes) -> int:
        """Of two nodes the lower one's: a nonce that is used already is found out, and the batch
        takes another; one that the chain does not reach would hold its batch back for ever."""
        return median_low(self._each(lambda node: node.next_nonce(sender)).values())

    def fees(self) -> Fees:
        found = list(self._each(lambda node: node.fees()).values())
        return Fees(
            median_low(fees.base_fee_wei for fees in found),
            median_low(fees.priority_fee_wei for fees in found),
        )

    def balance_wei(self, sender: bytes) -> int:
        return median_low(self._each(lambda node: node.balance_wei(sender)).values())

    def broadcast(self, raw_transaction: bytes) -> None:
        """To all that answer; one that takes it is enough."""
        refusals: list[ProofmailError] = []

        def hand_over(node: EvmLedger) -> bool:
            try:
                node.broadcast(raw_transaction)
            except (Refused, Misconfigured) as refusal:
                refusals.append(refusal)
                return False
            return True

        taken = self._each(hand_over)
        if not any(taken.values()):
            raise min(refusals, key=lambda refusal: isinstance(refusal, Misconfigured))

    def locate(self, transaction_hash: bytes) -> Inclusion | None:
        """None also while too few nodes have the block."""
        found = self._each(lambda node: node.locate(transaction_hash))
        places = [place for place in found.values() if place is not None]
        if not places:
            return None
        votes = Counter(place.block_hash for place in places)
        (winner, most), *others = votes.most_common()
        if others and others[0][1] == most:
            raise self._disagreement("where a transaction is")
        if most < self._quorum:
            return None
        return next(place for place in places if place.block_hash == winner)

    def finalized_number(self) -> int:
        """The newest number that enough nodes call final, where they agree on its block."""
        number = self._reached(list(self._each(lambda node: node.finalized_number()).values()))
        if self.block_hash(number) is None:
            raise self._disagreement("which block is final")
        return number

    def block_hash(self, number: int) -> bytes | None:
        return self._agreed(lambda node: node.block_hash(number), f"block {number}")

    def final_transaction(self, sender: bytes, nonce: int) -> SpentNonce | None:
        """From whichever node can show it; the block has to be the one that the nodes agree on."""
        found = self._each(lambda node: node.final_transaction(sender, nonce))
        for spent in found.values():
            if spent is None:
                continue
            if spent.place.block_number > self.finalized_number():
                return None
            if self.block_hash(spent.place.block_number) != spent.place.block_hash:
                raise self._disagreement("what a nonce was used for")
            return spent
        return None

    def check_each(self, check: Callable[[EvmLedger], None]) -> None:
        """Runs a check on each node; raises what the first one raised if none passed it."""
        self._each(check)

    def _each(self, ask: Callable[[EvmLedger], T]) -> dict[int, T]:
        """What each node in service answers, by its number; those that do not are set aside. If
        none answers, raises what the first one raised."""
        found: dict[int, T] = {}
        troubles: list[ProofmailError] = []
        for number in self._in_service():
            try:
                found[number] = ask(self._nodes[number])
            except Disagrees as trouble:
                troubles.append(trouble)
                self._set_aside(number, LIES)
            except TryLater as trouble:
                troubles.append(trouble)
                self._set_aside(number, SILENT)
            except Misconfigured as trouble:
                troubles.append(trouble)
                self._set_aside(number, UNFIT)
        if not found:
            raise troubles[0]
        return found

    def _in_service(self) -> list[int]:
        """The nodes to ask: those not set aside; if all are, those whose pause ends first."""
        now = time.monotonic()
        with self._lock:
            ready = [n for n, standing in enumerate(self._standings) if standing.until <= now]
            if ready:
                return ready
            return [min(range(len(self._nodes)), key=lambda n: self._standings[n].until)]

    def _set_aside(self, number: int, why: str) -> None:
        with self._lock:
            standing = self._standings[number]
            pause = standing.pause_seconds * 2 or FIRST_PAUSE_SECONDS
            standing.pause_seconds = min(pause, LONGEST_PAUSE_SECONDS)
            standing.until = time.monotonic() + standing.pause_seconds
            standing.why = why
        self._report(number + 1, why)

    def _back(self, number: int) -> None:
        with self._lock:
            standing = self._standings[number]
            if time.monotonic() > standing.until + standing.pause_seconds:
                standing.pause_seconds = 0.0  # good for as long as it was set aside
            if not standing.why:
                return
            standing.why = ""
        self._report(number + 1, "")

    def _reached(self, numbers: list[int]) -> int:
        """The highest that as many nodes as the quorum have reached, or all that answered."""
        return sorted(numbers, reverse=True)[min(self._quorum, len(numbers)) - 1]

    def _agreed(self, ask: Callable[[EvmLedger], T], what: str) -> T:
        """What at least the quorum says, and more nodes than say anything else."""
        found = self._each(ask)
        (winner, most), *others = Counter(found.values()).most_common()
        if most < self._quorum or (others and others[0][1] == most):
            raise self._disagreement(what)
        for number, answer in found.items():
            if answer != winner and winner is not None:
                self._set_aside(number, LAGS if answer is None else LIES)
            else:
                self._back(number)
        if self._disagreeing:
            self._disagreeing = False
            self._report(0, "")
        return winner

    def _disagreement(self, what: str) -> TryLater:
        self._disagreeing = True
        self._report(0, what)
        return TryLater(f"too few nodes agree on {what}")

"""One row of the table: a fault at one call, then a restart, and everything that must hold."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest.mock import patch

from anchoring import evm_nodes, hearing, stamping
from proofmail.core.evm import ANCHOR_TAG, read_transaction
from proofmail.core.proof import Proof, read_proof
from proofmail.store import anchors
from proofmail.store.fsck import fsck
from proofmail.store.proofs import assemble
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Status
from proofmail.verify.trust import Trust
from tests.making import MAIL
from tests.reliability.hook import Died, Fault, Hook
from tests.reliability.installation import BUILT_IN, Installation
from tests.store.house import read_receipt

ROUNDS = 7
MOST_TURNS = 60
RECEIPT = read_receipt("offre-42@atelier.example")


def mail(number: int) -> bytes:
    return MAIL if number == 0 else b"X-Number: %d\r\n" % number + MAIL


TO_SEND = {0: [mail(0), mail(1), mail(0)], 2: [RECEIPT, mail(2)], 3: [mail(1)]}
"""What is sent in which round; some of it twice."""


@dataclass
class Outcome:
    """What a row came to. `wrong` names everything that must not be."""

    met: int
    calls: Counter[str]
    records: int
    handed_out: int
    restarts: int
    until_quiet: timedelta
    full: int
    """How often SQLite itself said that the disk is full."""
    wrong: list[str] = field(default_factory=list)


def run_row(kind: str, fault: Fault | None, spare_pages: int | None = None) -> Outcome:
    """The whole life under the fault, in an empty folder of its own. With `spare_pages` the disk is
    full, for SQLite itself, once the database has grown by so many."""
    with TemporaryDirectory(prefix="proofmail-row-") as made, ExitStack() as stack:
        hook = Hook(fault)
        service = Installation(kind, Path(made), hook, spare_pages=spare_pages)

        def ended(seen: threading.ExceptHookArgs) -> None:
            if not issubclass(seen.exc_type, Died):
                service.strange.append(f"a thread: {seen.exc_type.__name__}")

        stack.enter_context(patch.object(threading, "excepthook", ended))
        # Pauses and back-offs within a process go by the fake time too.
        fake = SimpleNamespace(monotonic=service.time.seconds)
        for module in (stamping, hearing, evm_nodes):
            stack.enter_context(patch.object(module, "time", fake))
        try:
            row = _Row(service)
            row.under_the_fault()
            row.recover()
            row.check()
            return row.outcome()
        finally:
            hook.off = True
            service.close()


@dataclass
class _Row:
    service: Installation
    acknowledged: dict[bytes, str] = field(default_factory=dict)
    unsent: list[bytes] = field(default_factory=list)
    proofs: list[tuple[str, bytes]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    until_quiet: timedelta = timedelta()
    _last_known: list[object] = field(default_factory=list)

    def under_the_fault(self) -> None:
        service = self.service
        for number in range(ROUNDS):
            self.unsent += TO_SEND.get(number, [])
            try:
                self._send()
                service.turn()
            except Died:
                service.stop()
                service.start()
                service.time.moment += timedelta(seconds=40)  # the leases of the dead run out
            self._hand_out()

    def recover(self) -> None:
        """The fault is over; the service is started again, and runs until nothing waits."""
        service = self.service
        service.hook.off = True
        service.spare_pages = None
        service.stop()
        service.start()
        self.unsent += [mail(0)]
        self._send()
        begun = service.time.moment
        for number in range(MOST_TURNS):
            service.turn(2.0 if number < 10 else 300.0)
            self._hand_out()
            if number > 3 and service.quiet():
                break
        else:
            self.wrong.append("it does not come to rest")
        self.until_quiet = service.time.moment - begun
        service.turn()

    def _send(self) -> None:
        """A sender's server keeps what got no 250, and sends it again."""
        while self.unsent:
            item = self.unsent[0]
            mail_from = "" if item == RECEIPT else "claire@atelier.example"
            if item == RECEIPT and mail(0) not in self.acknowledged:
                return
            record = self.service.submit(item, mail_from)
            if record is None:
                if self.service.hook.off:
                    self.wrong.append("a mail is not taken after the fault")
                return
            if self.acknowledged.setdefault(item, record) != record:
                self.wrong.append("one mail has two records")
            self.unsent.pop(0)

    def _hand_out(self) -> None:
        """The proof of each record, as far as it is, verified under today's trust; nothing when
        there is nothing new in any."""
        known = self._known()
        if known == self._last_known:
            return
        self._last_known = known
        trust = self._trust()
        for record in dict.fromkeys(self.acknowledged.values()):
            proof = assemble(self.service.plain, self.service.organisation, record)
            item = (record, proof.to_bytes())
            if item not in self.proofs:
                self._judge(proof, trust, "when it is handed out")
                self.proofs.append(item)

    def _known(self) -> list[object]:
        """What tells whether a proof can have changed."""
        with sqlite3.connect(self.service.folder / "proofmail.db") as database:
            found = [
                database.execute(query).fetchall()
                for query in (
                    "SELECT count(*) FROM records", "SELECT max(id) FROM tokens",
                    "SELECT max(id) FROM revocations", "SELECT max(id) FROM batches",
                    "SELECT batch, block_hash, state FROM anchors",
                )
            ]  # fmt: skip
        database.close()
        return [*found, len(self.acknowledged)]

    def _trust(self) -> Trust:
        found = anchors.blocks(self.service.plain)
        return self.service.trust(frozenset(h for hashes in found.values() for h in hashes))

    def _judge(self, proof: Proof, trust: Trust, when: str) -> int:
        report = verify_proof(proof, trust)
        failed = [row for row in report.rows if row.status is Status.FAILED]
        if failed or report.exit_status in (1, 2):
            self.wrong.append(f"a proof fails {when}: {[row.number for row in failed]}")
        return report.exit_status

    def check(self) -> None:
        service, trust = self.service, self._trust()
        self.wrong += [f"unforeseen {words}" for words in service.strange]
        if len(set(self.acknowledged.values())) != len(self.acknowledged):
            self.wrong.append("two mails have one record")
        needed = 2 if service.kind == BUILT_IN else 3
        for record in self.acknowledged.values():
            proof = assemble(service.plain, service.organisation, record)
            report = verify_proof(proof, trust)
            passed = sum(witness.status == "passed" for witness in report.witnesses)
            if report.exit_status != 0 or passed != needed:
                self.wrong.append(f"status {report.exit_status}, {passed} witnesses at the end")
        seen: dict[str, bool] = {}
        for record, data in self.proofs:
            status = self._judge(read_proof(data), trust, "that was handed out earlier")
            if seen.get(record) and status != 0:
                self.wrong.append("a later proof is worse than an earlier one")
            seen[record] = status == 0
        for found in fsck(service.plain, service.keys()):
            if found.level == "fault":
                self.wrong.append(f"fsck: {found.subject}: {found.text}")
        self._check_chain()
        self._check_tables()

    def _check_chain(self) -> None:
        sent = [read_transaction(raw) for raw in self.service.on_chain()]
        roots = Counter(one.data for one in sent if one.data.startswith(ANCHOR_TAG))
        if any(n > 1 for n in roots.values()):
            self.wrong.append("a batch is on the chain twice")
        if len({(one.sender, one.nonce) for one in sent}) != len(sent):
            self.wrong.append("a nonce was used twice")

    def _check_tables(self) -> None:
        with sqlite3.connect(self.service.folder / "proofmail.db") as database:
            for what, query, expected in (
                ("records", "SELECT count(*) FROM records", len(self.acknowledged)),
                ("memberships", "SELECT count(*) FROM memberships", len(self.acknowledged)),
                ("gaps", "SELECT max(sequence) - count(*) FROM batches", 0),
                ("anchors", "SELECT count(*) - count(DISTINCT batch) FROM anchors", 0),
                ("batches of a nonce",
                 "SELECT count(*) FROM (SELECT 1 FROM transactions GROUP BY chain_id, sender, nonce"
                 " HAVING count(DISTINCT batch) > 1)", 0),
                ("nonces of a batch",
                 "SELECT count(*) - count(DISTINCT batch) FROM nonces WHERE lost_at IS NULL", 0),
                ("mails metered", "SELECT sum(mails) FROM usage", 3),
                ("wei at stake", "SELECT count(*) FROM spending WHERE at_stake_wei <> '0'", 0),
            ):  # fmt: skip
                found = database.execute(query).fetchone()[0]
                if found != expected:
                    self.wrong.append(f"{what}: {found} instead of {expected}")
        database.close()

    def outcome(self) -> Outcome:
        hook = self.service.hook
        return Outcome(
            hook.met, hook.calls, len(self.acknowledged), len(self.proofs),
            self.service.starts - 1, self.until_quiet, hook.full, sorted(set(self.wrong)),
        )  # fmt: skip

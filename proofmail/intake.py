"""Intake: from what the gateway saw to a record, in one durable commit.

Life of a message here: `submit` seals and signs its record and puts it in the queue of the one
writer thread; the writer takes what waits, and once more when the database is its own, and keeps
the group in one transaction. What names another mail (receipts, replies) is sealed by the writer,
which may wait for a look-up. A future is resolved after COMMIT has returned, never before: the
gateway says 250 on the strength of it.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import Connection

from proofmail.accounts.organisations import fold_address
from proofmail.accounts.usage import standard_mails
from proofmail.core.canonical import Json, base64url, encode
from proofmail.core.claims import check_claim
from proofmail.core.mapping import mail_claims
from proofmail.core.record import SECRET_BYTES, SIGNATURE_LABEL, make_record
from proofmail.core.scan import Scan
from proofmail.errors import Misconfigured, ProofmailError, Refused, TryLater, Unreadable
from proofmail.ports import Clock
from proofmail.store.engine import Store, milliseconds, new_id
from proofmail.store.pages import fold
from proofmail.store.records import Linked, NewRecord, Summary, find, keep, linked

log = logging.getLogger(__name__)

Signer: TypeAlias = Callable[[bytes], tuple[bytes, bytes]]
"""A record's bytes in; the key's id and the DER signature over label and record out."""

MAX_GROUP = 256
GATHER_SECONDS = 0.003
MAX_REFERENCES = 100
MAX_PROOF_ADDRESSES = 100
MAX_SUMMARY = 1000
MAX_DEFECTS = 200
ARRIVAL_LABEL = b"proofmail/arrival/0\x00"
IDENTIFIER_LABEL = b"proofmail/identifier/0\x00"
CLAIM_LEFT_OUT = "intake.claim-left-out"

# ASCII, since a reply line may hold nothing else (RFC 5321 §4.2); hence French without accents.
NOT_LISTED = (
    "This address takes mail from listed senders alone: send from a listed address, or ask your "
    "administrator to list this one.\n"
    "Seules les adresses inscrites peuvent envoyer ici: prenez l'une d'elles, ou faites inscrire "
    "celle-ci par votre administrateur."
)


@dataclass(frozen=True)
class Arrival:
    """A complete message: the envelope as observed, and the scan of its bytes.

    `peer` is the address of the peer, `tls` the protocol's name or "" without TLS, `recipients`
    the proof addresses used, all of this organisation; `listed`: a listed relay sent it for a
    sender that the organisation lists."""

    organisation: str
    peer: str
    helo: str
    tls: str
    mail_from: str
    recipients: tuple[str, ...]
    listed: bool
    scan: Scan

    @property
    def from_listed(self) -> bool:
        """The null sender is nobody, and so never listed."""
        return self.listed and bool(self.mail_from)


@dataclass(frozen=True)
class Statement:
    """A record that no mail made, of kind addendum, digests or audit. `claims` are without
    authentication and defects; `of` is the id of the record that an addendum belongs to."""

    organisation: str
    kind: str
    claims: dict[str, Json]
    of: str | None = None


@dataclass(frozen=True)
class _Job:
    item: Arrival | Statement
    received_at: datetime
    future: Future[str] = field(default_factory=Future)


_Ready: TypeAlias = tuple[_Job, NewRecord]
_Waiting: TypeAlias = tuple[_Job, NewRecord | None]
"""A message in the queue, with its record when that was sealed already."""


def load_signer(pem: bytes) -> Signer:
    """The service's signer from an unencrypted PEM private key. Misconfigured unless P-256."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise Misconfigured("the service key is not an unencrypted PEM private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise Misconfigured("the service key is not a P-256 key")
    private = key
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_id = sha256(spki).digest()
    algorithm = ec.ECDSA(hashes.SHA256())

    def sign(record: bytes) -> tuple[bytes, bytes]:
        return key_id, private.sign(SIGNATURE_LABEL + record, algorithm)

    return sign


class Intake:
    """The writer of one process. Makes no thread and no connection before the first submit.

    `log_name` is that of the log, `keyed_secret` the key of the digests that find a mail again.
    """

    def __init__(
        self, store: Store, log_name: str, signer: Signer, keyed_secret: bytes, clock: Clock
    ) -> None:
        if len(keyed_secret) < SECRET_BYTES:
            raise ValueError("the keyed secret has at least 32 bytes")
        self._store = store
        self._log_name = log_name
        self._signer = signer
        self._keyed_secret = keyed_secret
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._door = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, item: Arrival | Statement) -> Future[str]:
        """Takes a message; never waits for the database. The future gives the record's id once it
        is durable, or raises Refused (nothing was kept), Unreadable (a statement beyond the
        registry), or TryLater (the same may be submitted again: it is recorded once)."""
        job = _Job(item, self._clock.now())
        new = None
        if not _asks(item):
            # Sealed by the caller's thread: the writer waits for the disk meanwhile, and each
            # message that passes from thread to thread by itself costs as much as its sealing.
            new = self._sealed(job, None)
            if new is None:
                return job.future
        with self._door:
            if self._closed:
                raise TryLater("the intake is closed")
            self._waiting.append((job, new))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()
            if len(self._waiting) == 1:
                self._door.notify()
        return job.future

    def close(self) -> None:
        """Takes nothing more; returns when all that was taken is decided."""
        with self._door:
            self._closed = True
            self._door.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while group := self._gather():
            self._record(group)

    def _gather(self) -> list[_Waiting]:
        """What waits, and what comes within a moment; nothing when the intake is closed and all
        is decided. A commit waits for the disk once, however large the group is."""
        with self._door:
            while not self._waiting:
                if self._closed:
                    return []
                self._door.wait()
        # Not a wait for the next message, which would wake this thread for each of them.
        time.sleep(GATHER_SECONDS)
        with self._door:
            group = self._waiting[:MAX_GROUP]
            del self._waiting[:MAX_GROUP]
        return group

    def _record(self, group: Sequence[_Waiting]) -> None:
        """Decides every job of the group. If the process dies anywhere in here before COMMIT,
        nothing was kept and nobody was told 250: the senders' servers still have the mails and
        send them again, each as a new message."""
        taken = [pair for pair in group if pair[0].future.set_running_or_notify_cancel()]
        ready: list[_Ready] = []
        try:
            ready += self._prepare(taken)
            self._commit(ready, joined=self._join)
        except Exception as error:
            # Only a fault of ours that none of the inner steps foresaw; the thread must live on.
            _fail([job for job, _ in (*taken, *ready) if not job.future.done()], error)

    def _join(self, room: int) -> list[_Ready]:
        """Sealed records that came while the writer waited for another process's commit: they
        need no commit of their own. What asks for a look-up, and all behind it, waits."""
        joined: list[_Ready] = []
        with self._door:
            for job, new in self._waiting[:room]:
                if new is None:
                    break
                joined.append((job, new))
            del self._waiting[: len(joined)]
        return [pair for pair in joined if pair[0].future.set_running_or_notify_cancel()]

    def _prepare(self, taken: Sequence[_Waiting]) -> list[_Ready]:
        """The records in order; those that need a look-up are sealed here, without any lock."""
        links: dict[int, Linked | None] = {}
        asking = [(at, job) for at, (job, new) in enumerate(taken) if new is None]
        if asking:
            with self._store.read() as connection:
                for at, job in asking:
                    links[at] = self._link(connection, job.item)
        ready = []
        for at, (job, sealed) in enumerate(taken):
            new = sealed or self._sealed(job, links.get(at))
            if new is not None:
                ready.append((job, new))
        return ready

    def _sealed(self, job: _Job, link: Linked | None) -> NewRecord | None:
        """The record, or None when there is none to keep: the future then says why."""
        try:
            return self._seal(job, link)
        except ProofmailError as refusal:
            job.future.set_exception(refusal)
        except Exception as error:
            _fail([job], error)
        return None

    def _commit(
        self, ready: list[_Ready], joined: Callable[[int], list[_Ready]] | None = None
    ) -> None:
        """Keeps these, and those that `joined` adds to them when the database is ours."""
        if not ready:
            return
        try:
            with self._store.write() as connection:
                if joined is not None:
                    ready += joined(MAX_GROUP - len(ready))
                ids = keep(connection, [new for _, new in ready])
                # Dying here: SQLite and PostgreSQL roll back when the database is next opened.
        except TryLater as passing:
            # COMMIT may have been carried out and its answer lost. The sender's server tries
            # again and gets the id of the record that is there, if it is there.
            for job, _ in ready:
                job.future.set_exception(passing)
            return
        except Exception as error:
            if len(ready) == 1:
                _fail([ready[0][0]], error)
                return
            # One of them cannot be kept: it must not keep out the others.
            for pair in ready:
                self._commit([pair])
            return
        # Dying here: the records are kept, 250 was not said. The mails come again, and the
        # unique index over arrivals finds them: the same ids are returned.
        for (job, _), record_id in zip(ready, ids, strict=True):
            job.future.set_result(record_id)

    def _link(self, connection: Connection, item: Arrival | Statement) -> Linked | None:
        if isinstance(item, Statement):
            return find(connection, item.organisation, item.of) if item.of else None
        digests = self._references(item)
        if item.scan.report and item.scan.report.original_message_id:
            named = item.scan.report.original_message_id
            digests.insert(0, self._identifier(item.organisation, named))
        return linked(connection, item.organisation, digests)

    def _references(self, item: Arrival) -> list[bytes]:
        """The mails that this one names as those before it, the nearest first, as keyed digests."""
        names = list(reversed(item.scan.references))[:MAX_REFERENCES]
        return [self._identifier(item.organisation, name) for name in names]

    def _answers(self, item: Arrival, kind: str) -> tuple[bytes, ...]:
        """Those that make a thread of mails; a receipt is linked to its mail instead."""
        return tuple(self._references(item)) if kind == "message" else ()

    def _seal(self, job: _Job, link: Linked | None) -> NewRecord:
        item = job.item
        if isinstance(item, Statement):
            return self._make(job, item.kind, _statement_claims(item, link), link)
        if not item.from_listed and link is None:
            raise Refused(NOT_LISTED)
        scan = item.scan
        kind = "receipt" if scan.report else "message"
        summary = _summary(item)
        units = 0
        if item.from_listed and kind == "message":
            units = standard_mails(
                summary.recipients_count, summary.attachments, int(summary.receipt_requested)
            )
        identifier = None
        # A stranger's mail lends its Message-ID to nothing: with a recorded mail's own, it would
        # draw that mail's receipts to itself.
        if scan.message_id and kind == "message" and item.from_listed:
            identifier = self._identifier(item.organisation, scan.message_id)
        return self._make(
            job,
            kind,
            _mail_claims(item, kind, link),
            link if kind == "receipt" else None,
            _Owned(units, summary, self._arrival(item), identifier, self._answers(item, kind)),
        )

    def _make(
        self, job: _Job, kind: str, claims: dict[str, Json], of: Linked | None,
        owned: _Owned | None = None,
    ) -> NewRecord:  # fmt: skip
        owned = owned or _Owned()
        secret = secrets.token_bytes(SECRET_BYTES)
        sealed = make_record(kind, self._log_name, job.received_at, claims, secret)
        record = sealed.record.to_bytes()
        key_id, signature = self._signer(record)
        return NewRecord(
            id=new_id(),
            organisation=job.item.organisation,
            kind=kind,
            log=self._log_name,
            received_at=milliseconds(job.received_at),
            record=record,
            signature=signature,
            key_id=key_id,
            secret=secret,
            entries=sealed.entries_json,
            units=owned.units,
            in_reply=of.sequence if of else None,
            summary=owned.summary,
            arrival=owned.arrival,
            identifier=owned.identifier,
            answers=owned.answers,
        )

    def _arrival(self, item: Arrival) -> bytes | None:
        """The keyed digest of "the same message": organisation, MAIL FROM, bytes; and whether it
        is a listed sender's, for whose mail a stranger's copy must not stand."""
        raw = next((f.sha256 for f in item.scan.fingerprints if f.rule == "raw/1"), None)
        if raw is None:
            return None
        what = encode([item.organisation, item.mail_from, base64url(raw), item.from_listed])
        return hmac.digest(self._keyed_secret, ARRIVAL_LABEL + what, "sha256")

    def _identifier(self, organisation: str, message_id: str) -> bytes:
        what = encode([organisation, message_id.strip().strip("<>")])
        return hmac.digest(self._keyed_secret, IDENTIFIER_LABEL + what, "sha256")


@dataclass(frozen=True)
class _Owned:
    """What a record of a mail has beside the record."""

    units: int = 0
    summary: Summary | None = None
    arrival: bytes | None = None
    identifier: bytes | None = None
    answers: tuple[bytes, ...] = ()


def _asks(item: Arrival | Statement) -> bool:
    """Whether another record has to be looked up for this one."""
    if isinstance(item, Statement):
        return item.of is not None
    return item.scan.report is not None or not item.from_listed


def _mail_claims(item: Arrival, kind: str, link: Linked | None) -> dict[str, Json]:
    claims = mail_claims(item.scan)
    claims["authentication"] = {"checks": [], "sender": "relay" if item.from_listed else "none"}
    claims["envelope.from"] = item.mail_from
    claims["envelope.peer"] = {"address": item.peer, "helo": item.helo[:255]}
    claims["envelope.proof_addresses"] = list(item.recipients[:MAX_PROOF_ADDRESSES])
    claims["envelope.tls"] = item.tls
    if kind == "receipt" and link:
        claims["receipt.of"] = base64url(link.record_sha256)
    claims["defects"] = claims["defects"][:MAX_DEFECTS]
    return _within_registry(kind, claims)


def _within_registry(kind: str, claims: dict[str, Json]) -> dict[str, Json]:
    """The claims that the registry allows (SPEC §4). One claim beyond it would make the whole
    proof unreadable for ever, so it is left out, and a defect says so."""
    fit = {}
    for name, value in claims.items():
        try:
            check_claim(kind, name, value)
        except Unreadable:
            continue
        fit[name] = value
    if len(fit) < len(claims):
        fit["defects"] = sorted({*fit["defects"], CLAIM_LEFT_OUT})
    return fit


def _statement_claims(item: Statement, link: Linked | None) -> dict[str, Json]:
    claims = dict(item.claims)
    claims["authentication"] = {"checks": [], "sender": "api-key"}
    claims["defects"] = []
    if item.kind == "addendum":
        if link is None:
            raise Refused("an addendum belongs to a record of the same organisation")
        claims["addendum.of"] = base64url(link.record_sha256)
    elif item.kind not in ("digests", "audit"):
        raise Unreadable("a statement is an addendum, digests or audit")
    for name, value in claims.items():
        check_claim(item.kind, name, value)
    return claims


def _summary(item: Arrival) -> Summary:
    scan = item.scan
    ours = {fold_address(address) for address in item.recipients}
    others = {
        fold_address(box.address): box
        for box in (*scan.to, *scan.cc)
        if box.address and fold_address(box.address) not in ours
    }
    first = scan.from_[0] if scan.from_ else None
    sender = _short((first.address or first.name) if first else item.mail_from)
    recipients = _short(", ".join(box.address for box in others.values()))
    subject = _short(scan.subject[0] if scan.subject else "")
    names = [first.name if first else "", *(box.name for box in others.values())]
    files = [part.name for part in scan.parts if part.name]
    return Summary(
        sender=sender,
        recipients=recipients,
        subject=subject,
        date=_short(scan.date[0] if scan.date else ""),
        parts=len(scan.parts),
        attachments=sum(part.role in ("attachment", "message") for part in scan.parts),
        recipients_count=len(others),
        receipt_requested=scan.receipt_requested,
        search=fold(_short(" ".join([subject, sender, recipients, *names, *files]), 4)),
    )


def _short(text: str, times: int = 1) -> str:
    """Bounded, and without NUL, which PostgreSQL's text does not take."""
    return text[: MAX_SUMMARY * times].replace("\x00", "")


def _fail(jobs: Sequence[_Job], error: Exception) -> None:
    """Our own fault: only the class is logged, since an error's text may quote a mail."""
    if not jobs:
        return
    if not isinstance(error, TryLater):
        log.error("%d messages were not recorded: %s", len(jobs), type(error).__name__)
    for job in jobs:
        job.future.set_exception(TryLater("the message could not be recorded now"))

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from sqlalchemy import select, text

import proofmail.intake as intake_room
from proofmail.core.canonical import base64url
from proofmail.core.claims import check_claim, lookup, never_hidden
from proofmail.errors import Misconfigured, Refused, TryLater, Unreadable
from proofmail.intake import Arrival, Intake, Statement, load_signer
from proofmail.store.engine import Store
from proofmail.store.erasing import erase
from proofmail.store.pages import list_records
from proofmail.store.proofs import assemble
from proofmail.store.records import counts, get_record, keep, receipts_of
from proofmail.store.tables import metadata, records, usage
from proofmail.verify.checks import verify_proof
from proofmail.verify.report import Status
from tests.store.fixtures import postgres, sqlite_store, store, url
from tests.store.house import (
    KEYED,
    LOG,
    NOW,
    PEM,
    SIGN,
    SetClock,
    arrival,
    faults,
    intake_on,
    mail,
    organisation,
    read_receipt,
)

__all__ = ["postgres", "sqlite_store", "store", "url"]

PROJECT = Path(__file__).resolve().parent.parent

CLAIMS = {
    "authentication", "defects", "envelope.from", "envelope.peer", "envelope.proof_addresses",
    "envelope.tls", "header.cc", "header.date", "header.from", "header.receipt_requested",
    "header.subject", "header.to", "link.message_id", "message.fingerprints", "message.parts",
    "receipt.of", "receipt.report",
}  # fmt: skip
"""Every claim that a mail may leave behind, besides part.1, part.2, …; a new one is a decision."""

KEPT = {
    "alembic_version": "version_num",
    "anchor_requests": "chain_id done_at requested_at upto_batch",
    "anchors": "batch block_hash block_number chain_id header id idx located_at nodes state"
    " tx_hash",
    "api_keys": "created_at id key_digest name organisation revoked_at role",
    "arrivals": "digest organisation received_at record",
    "audit_trail": "action actor at digest number organisation subject",
    "authorities": "answers clock_at clock_high clock_low delays error error_at errors failures"
    " good_at name next_at retry_at waits",
    "batch_counts": "batch kind n organisation",
    "batches": "closed_at count header header_path id log root sequence state",
    "conditions": "at details name since subject",
    "counters": "kind n name organisation",
    "disclosures": "entries organisation record secret",
    "erasures": "erased_at organisation record_id swept_at",
    "exports": "beat_at created_at done ended_at id kind organisation problem request sha256"
    " size_bytes state total tries",
    "identifiers": "digest organisation record",
    "labels": "name organisation record",
    "leases": "expires_at holder step",
    "listed_senders": "kind organisation value",
    "log_heads": "log root sequence",
    "members": "created_at email id name organisation password_hash role",
    "memberships": "batch idx organisation path record",
    "nonces": "at_stake_wei batch chain_id day lost_at nonce paid_wei sender",
    "organisations": "created_at id language name zone",
    "proof_addresses": "address organisation",
    "records": "batch erased_at id in_reply key_id kind log organisation received_at record"
    " record_sha256 sequence signature stamped_at units",
    "revocations": "as_of certificate fetched_at id kind signer until value",
    "sessions": "created_at expires_at member organisation token_digest",
    "signers": "covered_until due_at error last_token newest_gen_time path signer tries",
    "spending": "anchors at_stake_wei chain_id day paid_wei records",
    "summaries": "attachments date organisation parts receipt_requested recipients"
    " recipients_count record search sender subject thread",
    "tokens": "answered_at authority certificates checked_at gen_time id organisation record"
    " response root sent_at tree_index tree_path tree_size",
    "transactions": "batch broadcast_at chain_id created_at hash id nonce raw sender",
    "usage": "mails month organisation units",
}
"""Every column. What is kept of a mail is promised; one more is a decision, and an erasure.
Those of the house and of the log (anchor_requests, authorities, conditions, revocations, signers,
spending) hold nothing of any mail; that of exports what a member asked for, until it is removed."""


def claims_of(store: Store, owner: str, record_id: str) -> dict[str, Any]:
    return assemble(store, owner, record_id).claims


def submit(store: Store, item: Arrival, clock: SetClock | None = None) -> str:
    with intake_on(store, clock) as intake:
        return intake.submit(item).result(10)


def test_a_mail_becomes_a_record(store: Store) -> None:
    owner = organisation(store)
    message = mail("Devis été", attachments=4, to="Bob <bob@example.net>, carol@example.net")
    record_id = submit(store, arrival(owner, message))
    proof = assemble(store, owner, record_id)
    report = verify_proof(proof)
    assert [row for row in report.rows if row.status is Status.FAILED] == []
    assert (proof.record.kind, proof.record.log) == ("message", LOG)
    assert proof.record.received_at == NOW
    claims = proof.claims
    assert claims["authentication"] == {"checks": [], "sender": "relay"}
    assert claims["envelope.from"] == "alice@acme.example"
    assert claims["envelope.peer"] == {"address": "127.0.0.1", "helo": "mx.acme.example"}
    assert claims["envelope.proof_addresses"] == ["proof@acme.example"]
    assert claims["envelope.tls"] == "TLSv1.3"
    assert claims["header.subject"] == ["Devis été"]
    assert claims["message.parts"] == 5
    assert claims["link.message_id"] == base64url(sha256(b"one@acme.example").digest())
    raw = next(f for f in claims["message.fingerprints"] if f["rule"] == "raw/1")
    assert raw["sha256"] == base64url(sha256(message).digest())
    record = get_record(store, owner, record_id)
    assert record is not None
    assert record.units == 2
    summary = record.summary
    assert summary is not None
    assert (summary.sender, summary.subject) == ("alice@acme.example", "Devis été")
    assert summary.recipients == "bob@example.net, carol@example.net"
    assert (summary.parts, summary.attachments, summary.recipients_count) == (5, 4, 2)
    assert faults(store) == []


def every_kind_of_mail(owner: str) -> list[Arrival]:
    odd = b"Subject: =?utf-8?B?4pyT?=\r\nSubject: two\r\nDate: never\r\n\r\n\xff\xfe\r\n"
    nested = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 900
    dsn = read_receipt("one@acme.example").replace(b"disposition-notification", b"delivery-status")
    messages = [
        mail(attachments=2, extra={"Disposition-Notification-To": "alice@acme.example"}),
        mail("", message_id="x@y", extra={"X-Secret-Header": "canary"}),
        read_receipt("one@acme.example"),
        dsn,
        odd,
        nested + b"--b--\r\n",
        b"\r\n",
        b"no header at all\r\n",
    ]
    return [arrival(owner, message) for message in messages]


def test_only_claims_of_the_registry(store: Store) -> None:
    owner = organisation(store)
    seen: set[str] = set()
    with intake_on(store) as intake:
        for item in every_kind_of_mail(owner):
            record_id = intake.submit(item).result(10)
            proof = assemble(store, owner, record_id)
            for name, value in proof.claims.items():
                check_claim(proof.record.kind, name, value)
                assert lookup(name)
            assert never_hidden(proof.record.kind) <= set(proof.claims)
            assert intake_room.CLAIM_LEFT_OUT not in proof.claims["defects"]
            seen |= set(proof.claims)
    assert {name for name in seen if not name.startswith("part.")} == CLAIMS
    assert faults(store) == []


def test_only_columns_that_are_promised(store: Store) -> None:
    with store.read() as connection:
        from sqlalchemy import inspect

        found = {
            name: " ".join(
                sorted(column["name"] for column in inspect(connection).get_columns(name))
            )
            for name in inspect(connection).get_table_names()
        }
    assert found == {name: " ".join(sorted(columns.split())) for name, columns in KEPT.items()}
    assert set(metadata.tables) == set(KEPT) - {"alembic_version"}


def test_no_content_in_the_files(sqlite_store: Store) -> None:
    """Neither as it is, nor encoded, nor in the write-ahead log."""
    owner = organisation(sqlite_store)
    canary = "CANARYBODYTEXT"
    message = mail(body=canary * 50, attachments=1, extra={"X-Other": canary, "Reply-To": canary})
    message = message.replace(b"Y29udGVudCAw", b"Q0FOQVJZ")  # "CANARY" in the attachment
    assert message.count(b"CANARYBODYTEXT") > 40
    assert b"Q0FOQVJZ" in message
    with intake_on(sqlite_store) as intake:
        intake.submit(arrival(owner, message)).result(10)
        folder = Path(str(sqlite_store.engine.url.database)).parent
        kept = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"one@acme.example" not in kept  # the Message-ID: digests alone
    for trace in (b"CANARY", b"canary", b"Q0FOQVJZ", b"KEYBODY"):
        assert trace not in kept
    assert b"alice@acme.example" in kept


def test_same_message_is_recorded_once(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    clock = SetClock()
    message = mail()
    first = submit(store, arrival(owner, message), clock)
    clock.advance(days=6)
    assert submit(store, arrival(owner, message), clock) == first
    assert submit(store, arrival(owner, message, mail_from="bob@acme.example"), clock) != first
    assert submit(store, arrival(owner, message + b"\r\n"), clock) != first
    assert submit(store, arrival(other, message), clock) != first
    clock.advance(days=1)
    later = submit(store, arrival(owner, message), clock)
    assert later != first
    assert submit(store, arrival(owner, message), clock) == later
    assert counts(store, owner).messages == 4
    assert faults(store) == []


def test_same_message_in_one_group(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = organisation(store)
    groups: list[int] = []
    gate = threading.Event()

    def slow(connection: Any, new: Any) -> list[str]:
        gate.wait(10)
        groups.append(len(new))
        return keep(connection, new)

    monkeypatch.setattr(intake_room, "keep", slow)
    with intake_on(store) as intake:
        futures = [intake.submit(arrival(owner, mail())) for _ in range(300)]
        gate.set()
        ids = {future.result(20) for future in futures}
    assert len(ids) == 1
    assert sum(groups) == 300
    assert max(groups) == intake_room.MAX_GROUP
    assert counts(store, owner).messages == 1


def test_what_comes_while_the_database_is_anothers_joins_the_group(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the first that must be looked up: that one, and all behind it, is a later group. A
    cancelled one is passed over."""
    owner = organisation(store)
    groups: list[int] = []
    entered, gate = threading.Event(), threading.Event()
    write = Store.write

    @contextmanager
    def waits(self: Store) -> Any:
        entered.set()
        gate.wait(10)
        with write(self) as connection:
            yield connection

    def noting(connection: Any, new: Any) -> list[str]:
        groups.append(len(new))
        return keep(connection, new)

    monkeypatch.setattr(Store, "write", waits)
    monkeypatch.setattr(intake_room, "keep", noting)
    with intake_on(store) as intake:
        futures = [intake.submit(arrival(owner, mail("m0")))]
        assert entered.wait(10)
        futures += [intake.submit(arrival(owner, mail(f"m{n}"))) for n in range(1, 4)]
        assert futures[2].cancel()
        stranger = intake.submit(arrival(owner, mail("s"), mail_from="", listed=False))
        futures += [intake.submit(arrival(owner, mail("m4")))]
        gate.set()
        kept = {future.result(10) for future in futures if not future.cancelled()}
        with pytest.raises(Refused):
            stranger.result(10)
    assert len(kept) == 4
    assert groups == [3, 1]
    assert counts(store, owner).messages == 4


def test_a_group_that_fails_fails_those_that_joined(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = organisation(store)
    entered, gate = threading.Event(), threading.Event()
    write = Store.write

    @contextmanager
    def lost(self: Store) -> Any:
        entered.set()
        gate.wait(10)
        with write(self) as connection:
            yield connection
            raise TryLater("full")

    with intake_on(store) as intake:
        with monkeypatch.context() as patch:
            patch.setattr(Store, "write", lost)
            first = intake.submit(arrival(owner, mail("m0")))
            assert entered.wait(10)
            second = intake.submit(arrival(owner, mail("m1")))
            gate.set()
            for future in (first, second):
                with pytest.raises(TryLater):
                    future.result(10)
        assert intake.submit(arrival(owner, mail("m1"))).result(10)
    assert counts(store, owner).messages == 1


def test_receipt_is_linked(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    first = submit(store, arrival(owner, mail()))
    receipt = submit(
        store, arrival(owner, read_receipt("one@acme.example"), mail_from="", listed=False)
    )
    (linked,) = receipts_of(store, owner, first)
    assert (linked.id, linked.kind, linked.units) == (receipt, "receipt", 0)
    proof = assemble(store, owner, first)
    assert len(proof.linked) == 1
    claims = proof.linked[0].claims
    assert claims["receipt.of"] == base64url(sha256(proof.record.to_bytes()).digest())
    assert claims["receipt.report"]["kind"] == "mdn"
    assert claims["authentication"] == {"checks": [], "sender": "none"}
    report = verify_proof(proof)
    assert [row for row in report.rows if row.status is Status.FAILED] == []
    with pytest.raises(Refused):
        submit(store, arrival(other, read_receipt("one@acme.example"), mail_from="", listed=False))
    found = counts(store, owner)
    assert (found.messages, found.receipts) == (1, 1)
    with store.read() as connection:
        assert connection.execute(select(usage.c.mails)).scalars().all() == [1]
    assert faults(store) == []


def test_receipt_from_a_listed_sender_without_its_mail(store: Store) -> None:
    owner = organisation(store)
    receipt = submit(store, arrival(owner, read_receipt("unknown@acme.example")))
    claims = claims_of(store, owner, receipt)
    assert "receipt.of" not in claims
    assert claims["authentication"]["sender"] == "relay"
    record = get_record(store, owner, receipt)
    assert record is not None
    assert (record.kind, record.in_reply_id, record.units) == ("receipt", None, 0)


def test_receipt_is_linked_by_references_too(store: Store) -> None:
    owner = organisation(store)
    first = submit(store, arrival(owner, mail()))
    message = (
        read_receipt("unknown@x")
        .replace(b"Original-Message-ID: <unknown@x>\r\n", b"")
        .replace(b"MIME-Version", b"References: <a@b> <one@acme.example>\r\nMIME-Version")
    )
    receipt = submit(store, arrival(owner, message, mail_from=""))
    assert [r.id for r in receipts_of(store, owner, first)] == [receipt]


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
def test_a_correspondent_who_replies_to_all(store: Store, header: str) -> None:
    owner = organisation(store)
    first = submit(store, arrival(owner, mail()))
    answer = mail("Re: Devis", message_id="re@example.net", extra={header: "<one@acme.example>"})
    bob = replace(arrival(owner, answer), mail_from="bob@example.net", listed=False)
    record_id = submit(store, bob)
    record = get_record(store, owner, record_id)
    assert record is not None
    assert (record.kind, record.units, record.in_reply_id) == ("message", 0, None)
    assert claims_of(store, owner, record_id)["authentication"]["sender"] == "none"
    assert assemble(store, owner, first).linked == ()
    with store.read() as connection:
        assert connection.execute(select(usage.c.mails)).scalars().all() == [1]


def test_a_strangers_mail_does_not_draw_receipts_to_itself(store: Store) -> None:
    """It may name a recorded mail, and bear that mail's own Message-ID."""
    owner = organisation(store)
    first = submit(store, arrival(owner, mail()))
    same = {"In-Reply-To": "<one@acme.example>"}
    for name in ("one@acme.example", "two@example.net"):
        submit(
            store,
            arrival(owner, mail("x", message_id=name, extra=same), mail_from="eve@x", listed=False),
        )
    receipt = submit(store, arrival(owner, read_receipt("one@acme.example"), mail_from=""))
    assert [found.id for found in receipts_of(store, owner, first)] == [receipt]
    with intake_on(store) as intake, pytest.raises(Refused):
        intake.submit(arrival(owner, read_receipt("two@example.net"), mail_from="")).result(10)


def test_a_strangers_copy_does_not_stand_for_a_listed_senders_mail(store: Store) -> None:
    owner = organisation(store)
    submit(store, arrival(owner, mail()))
    reply = mail("Re", message_id="re@acme.example", extra={"References": "<one@acme.example>"})
    forged = submit(store, arrival(owner, reply, listed=False))
    true = submit(store, arrival(owner, reply))
    assert forged != true
    assert submit(store, arrival(owner, reply, listed=False)) == forged
    assert claims_of(store, owner, true)["authentication"]["sender"] == "relay"


@pytest.mark.parametrize(
    ("mail_from", "listed"),
    [("eve@example.net", False), ("", False), ("", True)],
)
def test_strangers_are_refused(store: Store, mail_from: str, listed: bool) -> None:
    owner = organisation(store)
    submit(store, arrival(owner, mail()))
    before = counts(store, owner)
    for message in (
        mail("Spam", message_id="spam@example.net"),
        mail("Spam", message_id="one@acme.example"),
        mail("Spam", message_id="s@x", extra={"In-Reply-To": "<guess@acme.example>"}),
        read_receipt("guess@acme.example"),
    ):
        item = arrival(owner, message, mail_from=mail_from, listed=listed)
        with intake_on(store) as intake, pytest.raises(Refused) as refused:
            intake.submit(item).result(10)
        assert (refused.value.code, refused.value.enhanced) == (550, "5.7.1")
        lines = refused.value.text.split("\n")
        assert len(lines) == 2
        assert all(line.isascii() and len(line) < 480 for line in lines)
    assert counts(store, owner) == before
    assert faults(store) == []


def test_a_refusal_does_not_touch_the_others_of_its_group(store: Store) -> None:
    owner = organisation(store)
    with intake_on(store) as intake:
        futures = [
            intake.submit(arrival(owner, mail(f"m{n}"), listed=n % 2 == 0)) for n in range(10)
        ]
        done = [future.exception(10) for future in futures]
    assert [error is None for error in done] == [n % 2 == 0 for n in range(10)]
    assert counts(store, owner).messages == 5


def test_erased_mail_is_no_longer_linked(store: Store) -> None:
    owner = organisation(store)
    first = submit(store, arrival(owner, mail()))
    erase(store, owner, first, NOW)
    with pytest.raises(Refused):
        submit(store, arrival(owner, read_receipt("one@acme.example"), mail_from=""))
    assert submit(store, arrival(owner, mail())) != first


def test_failure_of_the_database_is_try_later(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    owner = organisation(store)
    outcomes = ["before", "after", "bug"]

    def failing(connection: Any, new: Any) -> list[str]:
        outcome = outcomes[0]
        if outcome == "before":
            raise TryLater("locked")
        keep(connection, new)
        if outcome == "after":
            raise TryLater("full")
        raise ValueError("CANARY")

    caplog.set_level(logging.DEBUG)
    with intake_on(store) as intake:
        with monkeypatch.context() as patch:
            patch.setattr(intake_room, "keep", failing)
            while outcomes:
                with pytest.raises(TryLater):
                    intake.submit(arrival(owner, mail())).result(10)
                assert counts(store, owner).messages == 0
                outcomes.pop(0)
        # The thread lives on.
        assert intake.submit(arrival(owner, mail())).result(10)
    assert "CANARY" not in caplog.text
    assert "ValueError" in caplog.text
    assert faults(store) == []


def test_commit_done_and_its_answer_lost(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender's server tries again, and gets the record that is there."""
    owner = organisation(store)
    write = Store.write

    @contextmanager
    def lost(self: Store) -> Any:
        with write(self) as connection:
            yield connection
        raise TryLater("the connection to the database was lost")

    with intake_on(store) as intake:
        with monkeypatch.context() as patch:
            patch.setattr(Store, "write", lost)
            with pytest.raises(TryLater):
                intake.submit(arrival(owner, mail())).result(10)
        (kept,) = list_records(store, owner, limit=5).items
        assert intake.submit(arrival(owner, mail())).result(10) == kept.id
    assert counts(store, owner).messages == 1


def test_one_bad_mail_does_not_keep_out_its_group(store: Store) -> None:
    owner = organisation(store)
    broken = arrival("nobody", mail("no such organisation"))
    surrogate = replace(arrival(owner, mail("x")), mail_from="a\ud800@b.example")
    with intake_on(store) as intake:
        items = [arrival(owner, mail(f"m{n}")) for n in range(6)]
        futures = [intake.submit(item) for item in (*items[:3], broken, surrogate, *items[3:])]
        done = [future.exception(10) for future in futures]
    assert [type(error) for error in done] == [
        *[type(None)] * 3, TryLater, TryLater, *[type(None)] * 3,
    ]  # fmt: skip
    assert counts(store, owner).messages == 6
    assert faults(store) == []


def test_a_claim_beyond_the_registry_is_left_out(store: Store) -> None:
    owner = organisation(store)
    item = arrival(owner, mail())
    item = replace(item, scan=item.scan._replace(subject=("x" * 10_066,)), peer="p" * 65)
    claims = claims_of(store, owner, submit(store, item))
    assert "header.subject" not in claims
    assert "envelope.peer" not in claims
    assert intake_room.CLAIM_LEFT_OUT in claims["defects"]


def test_closing(store: Store) -> None:
    owner = organisation(store)
    intake = Intake(store, LOG, SIGN, KEYED, SetClock())
    before = {thread.name for thread in threading.enumerate()}
    assert "intake" not in before
    futures = [intake.submit(arrival(owner, mail(f"m{n}"))) for n in range(20)]
    intake.close()
    assert all(future.done() for future in futures)
    assert len({future.result() for future in futures}) == 20
    with pytest.raises(TryLater):
        intake.submit(arrival(owner, mail()))
    intake_on_nothing = Intake(store, LOG, SIGN, KEYED, SetClock())
    intake_on_nothing.close()


def test_a_cancelled_future_is_passed_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = organisation(store)
    record, gate = Intake._record, threading.Event()

    def slow(self: Intake, group: Any) -> None:
        gate.wait(10)
        record(self, group)

    monkeypatch.setattr(Intake, "_record", slow)
    with intake_on(store) as intake:
        futures = [intake.submit(arrival(owner, mail(f"m{n}"))) for n in range(3)]
        assert futures[1].cancel()
        gate.set()
        assert futures[2].result(10)
    assert counts(store, owner).messages == 2


def test_statements(store: Store) -> None:
    owner, other = organisation(store), organisation(store, "Other")
    first = submit(store, arrival(owner, mail()))
    with intake_on(store) as intake:
        digest = {"sha256": base64url(bytes(32)), "size": 5}
        digests = intake.submit(Statement(owner, "digests", {"digest.1": digest})).result(10)
        note = {"addendum.name": "bounce", "addendum.value": "seen"}
        addendum = intake.submit(Statement(owner, "addendum", note, of=first)).result(10)
        for bad, error in (
            (Statement(other, "addendum", note, of=first), Refused),
            (Statement(owner, "addendum", note), Refused),
            (Statement(owner, "message", {}), Unreadable),
            (Statement(owner, "digests", {"digest.1": {"size": 5}}), Unreadable),
            (Statement(owner, "digests", {"subject": "x"}), Unreadable),
        ):
            with pytest.raises(error):
                intake.submit(bad).result(10)
    assert claims_of(store, owner, digests)["authentication"]["sender"] == "api-key"
    proof = assemble(store, owner, first)
    assert [p.record.kind for p in proof.linked] == ["addendum"]
    assert [r.id for r in receipts_of(store, owner, first)] == [addendum]
    assert not [row for row in verify_proof(proof).rows if row.status is Status.FAILED]
    assert counts(store, owner).others == 2
    assert faults(store) == []


def test_signers_are_p256_keys() -> None:
    key_id, signature = load_signer(PEM)(b"record")
    assert len(key_id) == 32
    assert len(signature) <= 72
    other = ec.generate_private_key(ec.SECP384R1())
    edwards = ed25519.Ed25519PrivateKey.generate()
    p256 = ec.generate_private_key(ec.SECP256R1())
    locked = BestAvailableEncryption(b"secret")
    for pem in (
        b"",
        b"-----BEGIN PRIVATE KEY-----",
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        edwards.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        p256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked),
    ):
        with pytest.raises(Misconfigured):
            load_signer(pem)


# --- several processes ---------------------------------------------------------------------


def start_writer(store: Store, owner: str, tag: str, threads: int) -> subprocess.Popen[str]:
    path = str(store.engine.url.database)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.writer", path, owner, tag, str(threads)],
        cwd=PROJECT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def read_until_killed(writer: subprocess.Popen[str], count: int) -> list[str]:
    """Kills the writer in the middle of its work; returns every id that it has printed."""
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(count)]
    writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.readlines()
    writer.stdout.close()
    writer.wait(10)
    return [line.strip() for line in lines if line.endswith("\n")]


def test_what_was_acknowledged_survives_a_kill(sqlite_store: Store) -> None:
    owner = organisation(sqlite_store)
    told: list[str] = []
    for round_number in range(2):
        writer = start_writer(sqlite_store, owner, f"r{round_number}", 4)
        told += read_until_killed(writer, 40 + 37 * round_number)
    assert len(told) >= 117
    with sqlite_store.read() as connection:
        kept = set(connection.execute(select(records.c.id)).scalars())
    assert set(told) <= kept
    assert counts(sqlite_store, owner).messages == len(kept)
    assert faults(sqlite_store) == []
    # The normal path goes on with the same file.
    assert submit(sqlite_store, arrival(owner, mail("after")))


def test_two_processes_write_the_same_mails(sqlite_store: Store) -> None:
    """The same bytes reach two gateways: one record, one id."""
    owner = organisation(sqlite_store)
    writers = [start_writer(sqlite_store, owner, "same", 2) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda writer: read_until_killed(writer, 60), writers)
    assert len(set(first)) == len(first)
    assert set(first) & set(second)
    with sqlite_store.read() as connection:
        digests = connection.execute(text("SELECT count(*), count(DISTINCT record) FROM arrivals"))
        total, distinct = digests.one()
        kept = set(connection.execute(select(records.c.id)).scalars())
    assert total == distinct == len(kept)
    assert set(first) | set(second) <= kept
    assert faults(sqlite_store) == []


def test_two_writers_on_one_store(store: Store) -> None:
    """Two intakes, as in two processes, both databases."""
    owner = organisation(store)
    messages = [mail(f"m{n}") for n in range(30)]

    def run(_: int) -> list[str]:
        with intake_on(store) as intake:
            futures = [intake.submit(arrival(owner, message)) for message in messages]
            return [future.result(20) for future in futures]

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(run, range(2))
    assert one == two
    assert len(set(one)) == 30
    assert counts(store, owner).messages == 30
    assert faults(store) == []


def test_nobody_waits_long(sqlite_store: Store) -> None:
    """A quiet service answers within the budget of the final dot, with room for a slow machine."""
    owner = organisation(sqlite_store)
    with intake_on(sqlite_store) as intake:
        times = []
        for number in range(40):
            item = arrival(owner, mail(f"m{number}"))
            start = time.perf_counter()
            intake.submit(item).result(10)
            times.append(time.perf_counter() - start)
    assert sorted(times)[20] < 0.25


def test_entries_are_canonical_and_ordered(sqlite_store: Store) -> None:
    owner = organisation(sqlite_store)
    record_id = submit(sqlite_store, arrival(owner, mail()))
    proof = assemble(sqlite_store, owner, record_id)
    assert len(proof.entries) % 32 == 0
    assert json.loads(proof.to_bytes())["record"]["kind"] == "message"
    assert NOW - proof.record.received_at == timedelta()

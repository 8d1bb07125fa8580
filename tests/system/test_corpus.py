"""Real mails through a real gateway into a store: each is recorded, or refused with a reason."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import pytest

from proofmail.accounts.directory import Directory
from proofmail.accounts.organisations import add_listed_sender, add_proof_address
from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from proofmail.gateway_process import Desk
from proofmail.store.engine import Store
from proofmail.store.proofs import assemble
from proofmail.store.records import counts
from smtp_gateway.gateway import Gateway
from smtp_gateway.limits import Limits, Rate
from tests.smtp_gateway.fakes import Peer, peer_at
from tests.store.fixtures import sqlite_store, url
from tests.store.house import PROOF_ADDRESS, intake_on, organisation
from tests.verify.test_saved_attachments import CORPUS, mails

__all__ = ["sqlite_store", "url"]

FULL = bool(os.environ.get("PROOFMAIL_FULL"))
"""All mails, where the time is there (as in .ci/run); otherwise every fifth."""
SESSIONS = 8
FAST = Limits(listed_rate=Rate(10**9, 10**9))
REFUSED = {"550 5.6.0": "a CR or LF stands alone"}
"""Every reply but 250 that a mail of the corpus gets, with the reason."""
NOT_OF_THE_MAIL = re.compile(r"authentication|envelope\..+|receipt\.of")

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of real messages is absent")


async def _send(peer: Peer, mail: bytes) -> str:
    """One transaction. Dots are stuffed (RFC 5321 §4.5.2), and the last line has an end."""
    stuffed = re.sub(rb"(?m)^\.", b"..", mail)
    await peer.data(mail_from="alice@acme.example", to=PROOF_ADDRESS, hello=False)
    await peer.send(stuffed + b".\r\n")
    return await peer.reply()


async def _replies(store: Store, wanted: Iterable[bytes]) -> list[tuple[bytes, str]]:
    directory = Directory(store)
    directory.refresh()
    waiting = iter(list(wanted))
    replies: list[tuple[bytes, str]] = []
    with intake_on(store) as intake:
        desk = Desk(directory, intake, ("127.0.0.0/8",))
        gateway = Gateway(desk, hostname="mx.proofs.example", limits=FAST, tls=None)
        port = await gateway.start("127.0.0.1", 0)

        async def session() -> None:
            async with peer_at(port) as peer:
                assert (await peer.ask("EHLO peer.example")).startswith("250")
                for mail in waiting:
                    replies.append((mail, await _send(peer, mail)))

        try:
            await asyncio.gather(*(session() for _ in range(SESSIONS)))
        finally:
            await gateway.stop(grace_seconds=0)
    return replies


def _recorded(store: Store, owner: str, record_id: str) -> tuple[str, dict[str, Any]]:
    proof = assemble(store, owner, record_id)
    claims = proof.claims.items()
    return proof.record.kind, {
        name: value for name, value in claims if NOT_OF_THE_MAIL.fullmatch(name) is None
    }


async def test_every_mail_is_recorded_as_it_is_or_refused_with_a_reason(
    sqlite_store: Store,
) -> None:
    owner = organisation(sqlite_store)
    with sqlite_store.write() as connection:
        add_proof_address(connection, owner, PROOF_ADDRESS)
        add_listed_sender(connection, owner, "domain", "acme.example")
    every = 1 if FULL else 5
    sent = [mail if mail.endswith(b"\r\n") else mail + b"\r\n" for mail in mails()][::every]
    replies = await _replies(sqlite_store, sent)
    assert sorted(sha256(mail).digest() for mail, _ in replies) == sorted(
        sha256(mail).digest() for mail in sent
    )
    refused = Counter(reply[:9] for _, reply in replies if not reply.startswith("250 "))
    assert set(refused) == set(REFUSED)
    ids: dict[bytes, str] = {}
    for mail, reply in replies:
        bare = re.search(rb"\r(?!\n)|(?<!\r)\n", mail) is not None
        assert reply.startswith("250 2.6.0 ") != bare, reply
        if not bare:
            record_id = reply.split()[-1]
            assert ids.setdefault(mail, record_id) == record_id, "one mail, two records"
    assert len(set(ids.values())) == len(ids)
    kinds = Counter[str]()
    for mail, record_id in ids.items():
        kind, claims = _recorded(sqlite_store, owner, record_id)
        kinds[kind] += 1
        expected = mail_claims(scan(mail))
        if kind == "message":
            expected.pop("receipt.report", None)
        assert claims == expected
    recorded = counts(sqlite_store, owner)
    print(f"{len(ids)} recorded, {refused.total()} refused; {kinds}; {recorded}")
    assert len(ids) > 1_700 / every

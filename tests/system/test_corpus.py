"""Real mails through a real gateway into a store: each is recorded, or refused with a reason; and
both verifiers say the same of what was recorded."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from proofmail.accounts.directory import Directory
from proofmail.accounts.organisations import add_listed_sender, add_proof_address
from proofmail.core.canonical import encode
from proofmail.core.mapping import mail_claims
from proofmail.core.scan import scan
from proofmail.gateway_process import Desk
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.store.proofs import assemble
from proofmail.store.records import counts
from proofmail.verify.trust import Service, make_trust
from smtp_gateway.gateway import Gateway
from smtp_gateway.limits import Limits, Rate
from tests.journeys.rewrites import REWRITES
from tests.journeys.tree import read
from tests.smtp_gateway.fakes import Peer, peer_at
from tests.store.house import LOG, PROOF_ADDRESS, SPKI, intake_on, organisation
from tests.verifier.alike import difference
from tests.verifier.browser import Case, chromium, opened
from tests.verifier.mutate import both
from tests.verify.test_saved_attachments import CORPUS, mails, saved

FULL = bool(os.environ.get("PROOFMAIL_FULL"))
"""All mails, where the time is there (as in .ci/run); otherwise every fifth."""
JUDGED = 1 if os.environ.get("PROOFMAIL_FULL") == "all" else 5 if FULL else 3
"""Every how manieth of them the second verifier judges, too."""
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


@dataclass(frozen=True)
class Sent:
    """A store after the mails were sent, each with the reply that it got."""

    store: Store
    owner: str
    mails: list[bytes]
    replies: list[tuple[bytes, str]]

    def recorded(self) -> dict[bytes, str]:
        """The identifier of each mail that was taken."""
        taken = [(mail, reply) for mail, reply in self.replies if reply.startswith("250 ")]
        return {mail: reply.split()[-1] for mail, reply in taken}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    url = f"sqlite:///{tmp_path_factory.mktemp('corpus')}/store.db"
    create_or_upgrade(url)
    store = open_store(url)
    owner = organisation(store)
    with store.write() as connection:
        add_proof_address(connection, owner, PROOF_ADDRESS)
        add_listed_sender(connection, owner, "domain", "acme.example")
    whole = [mail if mail.endswith(b"\r\n") else mail + b"\r\n" for mail in mails()]
    wanted = whole[:: 1 if FULL else 5]
    yield Sent(store, owner, wanted, asyncio.run(_replies(store, wanted)))
    store.close()


def test_every_mail_is_recorded_as_it_is_or_refused_with_a_reason(sent: Sent) -> None:
    assert sorted(sha256(mail).digest() for mail, _ in sent.replies) == sorted(
        sha256(mail).digest() for mail in sent.mails
    )
    refused = Counter(reply[:9] for _, reply in sent.replies if not reply.startswith("250 "))
    assert set(refused) == set(REFUSED)
    ids: dict[bytes, str] = {}
    for mail, reply in sent.replies:
        bare = re.search(rb"\r(?!\n)|(?<!\r)\n", mail) is not None
        assert reply.startswith("250 2.6.0 ") != bare, reply
        if not bare:
            record_id = reply.split()[-1]
            assert ids.setdefault(mail, record_id) == record_id, "one mail, two records"
    assert len(set(ids.values())) == len(ids)
    kinds = Counter[str]()
    for mail, record_id in ids.items():
        kind, claims = _recorded(sent.store, sent.owner, record_id)
        kinds[kind] += 1
        expected = mail_claims(scan(mail))
        if kind == "message":
            expected.pop("receipt.report", None)
        assert claims == expected
    recorded = counts(sent.store, sent.owner)
    print(f"{len(ids)} recorded, {refused.total()} refused; {kinds}; {recorded}")
    assert len(ids) > 1_700 / (1 if FULL else 5)


def _re_encoded(mail: bytes) -> bytes:
    """As a server hands it on: texts in another encoding where that can be done, a field more."""
    for name in ("to-base64", "to-quoted-printable", "new-boundaries"):
        try:
            made = REWRITES[name].run(read(mail))
        except (LookupError, ValueError):  # too bent for this rewrite
            continue
        if made is not None:
            return b"X-Hop: 1\r\n" + made
    return b"X-Hop: 1\r\n" + mail


def _cases(sent: Sent) -> Iterator[Case]:
    """The proof of each mail, with the mail, another copy of it, and each file saved from it."""
    trust = encode(make_trust([Service(LOG, (SPKI,), frozenset())], [], [], []).to_json())
    for number, (mail, record_id) in enumerate(sorted(sent.recorded().items())):
        if number % JUDGED == 0:
            files = ((name.encode("utf-8", "replace").decode(), data) for name, data in saved(mail))
            copies = (("sent.eml", mail), ("again.eml", _re_encoded(mail)), *files)
            proof = assemble(sent.store, sent.owner, record_id)
            yield Case(sha256(mail).hexdigest()[:16], proof.to_bytes(), trust, copies)


@pytest.mark.timeout(900)
def test_both_verifiers_match_what_was_recorded_rung_by_rung(sent: Sent) -> None:
    rungs = Counter[str]()
    with chromium() as browser, opened(browser) as (page, complaints):
        for case, mine, other in both(page, _cases(sent)):
            assert difference(mine, other) == "", case.name
            first, again, *files = other["copies"]
            assert first["status"] == "passed", case.name
            # One that begins with no field is the very file that its only part holds (SPEC §10.1).
            rung = "raw/1" if first["what"] == "mail" else "decoded/1"
            assert {match["rung"] for match in first["matches"]} == {rung}, case.name
            rungs.update(match["rung"] for match in again["matches"])
            rungs.update(f"file: {copy['status']}" for copy in files)
        assert complaints == []
    print(f"rungs of re-encoded copies, and saved files: {sorted(rungs.items())}")
    assert {"decoded/1", "text/1", "file: passed"} <= set(rungs)

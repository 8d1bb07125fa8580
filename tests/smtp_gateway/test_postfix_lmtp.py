"""A real Postfix in front, as an operator would have it: SMTP to it, LMTP from it to us."""

from __future__ import annotations

import asyncio
import re
import smtplib
import time

from proofmail.errors import Refused
from smtp_gateway.limits import Limits
from tests.postfix import private_postfix
from tests.smtp_gateway.fakes import FakeDesk, FakeReception, running

RECIPIENTS = ["o1+p@proofs.example", "o1+q@proofs.example"]


Mail = tuple[str, list[str], bytes]


async def through_postfix(
    lmtp_port: int, mails: list[Mail], settings: dict[str, str] | None = None
) -> str:
    """Sends the mails on one connection, waits until the queue is empty; gives Postfix's log."""

    def run() -> str:
        with private_postfix(lmtp_port, settings=settings) as postfix:
            with smtplib.SMTP("127.0.0.1", postfix.port, local_hostname="peer.example") as client:
                for sender, recipients, content in mails:
                    assert client.sendmail(sender, recipients, content) == {}
            for _ in range(200):
                if not postfix.queued():
                    return postfix.log()
                time.sleep(0.1)
            raise AssertionError("the queue does not empty:\n" + postfix.log())

    return await asyncio.to_thread(run)


def delivered(log: str) -> list[tuple[str, str, str]]:
    """(recipient, status, what the gateway said) of each delivery over LMTP, as Postfix logged."""
    pattern = r"/lmtp\[.* to=<([^>]+)>.*status=(\w+) \((?:host .* said: )?(.*?)\)?$"
    return [(to, status, said) for to, status, said in re.findall(pattern, log, re.MULTILINE)]


async def test_two_mails_with_two_recipients_each() -> None:
    desk = FakeDesk()
    contents = [b"Subject: m%d\r\n\r\nline\r\n.dot\r\n" % number for number in (1, 2)]
    async with running(desk, Limits(), lmtp=True) as lmtp_port:
        mails = [("a@listed.example", RECIPIENTS, content) for content in contents]
        log = await through_postfix(lmtp_port, mails)
    assert len(desk.recorded) == 2
    for got in desk.recorded:
        assert sorted(got.envelope.recipients) == RECIPIENTS
        assert got.envelope.mail_from == "a@listed.example"
        assert got.envelope.helo == "front.example"
        assert bytes(got.content).endswith(b"\r\n\r\nline\r\n.dot\r\n")
    # One reply for each recipient, with the id of the one record of its mail.
    assert sorted(delivered(log)) == sorted(
        (to, "sent", f"250 2.6.0 Recorded {record}") for record in ("r1", "r2") for to in RECIPIENTS
    )


async def test_what_we_refuse_postfix_bounces() -> None:
    """A refusal at the final dot, an address that is not ours, and another organisation's: the
    first two end in a bounce, the last one comes in a transaction of its own."""
    desk = FakeDesk()

    async def judge(reception: FakeReception) -> None:
        if b"refuse me" in reception.content:
            raise Refused("Not a sender here.\nPas un expéditeur.")

    desk.on_finish = judge
    async with running(desk, Limits(), lmtp=True) as lmtp_port:
        # The bounce goes to a domain that is nowhere: throw it away.
        away = {"default_transport": "discard:", "minimal_backoff_time": "1s"}
        away |= {"queue_run_delay": "1s", "maximal_backoff_time": "2s"}
        several = ["o1+p@proofs.example", "nobody@proofs.example", "o2+p@proofs.example"]
        mails = [
            ("x@elsewhere.example", ["o1+p@proofs.example"], b"Subject: refuse me\r\n"),
            ("a@listed.example", several, b"Subject: take me\r\n"),
        ]
        log = await through_postfix(lmtp_port, mails, away)
    organisations = [got.envelope.organisation for got in desk.recorded]
    assert sorted(organisations) == ["o1", "o2"]
    ends = {(to, status) for to, status, _ in delivered(log) if status != "deferred"}
    assert ends == {
        ("o1+p@proofs.example", "bounced"),
        ("o1+p@proofs.example", "sent"),
        ("nobody@proofs.example", "bounced"),
        ("o2+p@proofs.example", "sent"),
    }
    assert "550-5.7.1 Not a sender here. 550 5.7.1 Pas un expediteur." in log

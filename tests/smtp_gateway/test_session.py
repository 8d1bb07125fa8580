"""The SMTP dialogue on a raw socket."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from proofmail.errors import Refused, TryLater
from smtp_gateway.contract import Envelope
from tests.smtp_gateway.fakes import FakeDesk, FakeReception, peer_at, running, strict, until


async def test_ehlo_offers_what_is_true_and_no_more() -> None:
    async with running(FakeDesk(), strict(message_bytes=12345)) as port, peer_at(port) as peer:
        assert await peer.ask("EHLO peer.example") == (
            "250-mx.proofs.example\r\n250-PIPELINING\r\n250-SIZE 12345\r\n250-8BITMIME\r\n"
            "250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
        )
        assert await peer.ask("HELO peer.example") == "250 mx.proofs.example\r\n"


async def test_the_banner_names_no_software() -> None:
    async with running(FakeDesk()) as port, peer_at(port, greet=False) as peer:
        assert await peer.reply() == "220 mx.proofs.example ESMTP\r\n"


DIALOGUE = [
    ("MAIL FROM:<a@b.example>", "503 5.5.1"),
    ("RCPT TO:<p@proofs.example>", "503 5.5.1"),
    ("DATA", "503 5.5.1"),
    ("EHLO", "501 5.5.4"),
    ("EHLO two words", "501 5.5.4"),
    ("LHLO peer.example", "500 5.5.2"),
    ("ehlo peer.example", "250-mx"),
    ("AUTH PLAIN AGEAYg==", "500 5.5.2"),
    ("STARTTLS", "502 5.5.1"),
    ("BDAT 5 LAST", "500 5.5.2"),
    ("EXPN staff", "502 5.5.1"),
    ("VRFY p@proofs.example", "252 2.5.2"),
    ("VRFY nobody@proofs.example", "252 2.5.2"),
    ("HELP", "214 2.0.0"),
    ("NOOP whatever", "250 2.0.0"),
    ("", "500 5.5.2"),
    ("RSET now", "501 5.5.4"),
    ("QUIT now", "501 5.5.4"),
    ("DATA", "503 5.5.1"),
    ("MAIL FROM:<a@b.example> RET=HDRS", "555 5.5.4"),
    ("mail from:<a@b.example> size=10", "250 2.1.0"),
    ("MAIL FROM:<a@b.example>", "503 5.5.1"),
    ("DATA", "503 5.5.1"),
    ("RCPT TO:<x@elsewhere.example>", "550 5.1.1"),
    ("RCPT TO:<nobody@proofs.example>", "550 5.1.1"),
    ("RCPT TO:<p@proofs.example> NOTIFY=NEVER", "555 5.5.4"),
    ("DATA", "503 5.5.1"),
    ("rcpt to: <p@proofs.example> ", "250 2.1.5"),
    ("RCPT TO:<q@proofs.example>", "250 2.1.5"),
    ("RCPT TO:<o2+p@proofs.example>", "452 4.5.3"),
    ("DATA now", "501 5.5.4"),
    ("RSET", "250 2.0.0"),
    ("DATA", "503 5.5.1"),
    ("MAIL FROM:<a@b.example>", "250 2.1.0"),
    ("RCPT TO:<p@proofs.example>", "250 2.1.5"),
    ("EHLO peer.example", "250-mx"),
    ("DATA", "503 5.5.1"),
    ("QUIT", "221 2.0.0"),
]


async def test_every_reply_has_its_codes() -> None:
    async with running(FakeDesk(), strict(consecutive_errors=99)) as port, peer_at(port) as peer:
        for command, expected in DIALOGUE:
            assert (await peer.ask(command)).startswith(expected), command
        assert await peer.ended()


async def test_a_mail_and_its_envelope() -> None:
    desk = FakeDesk()
    async with running(desk) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.ask("MAIL FROM:<Some.One@listed.example> BODY=8BITMIME")
        await peer.ask("RCPT TO:<o7+x@proofs.example>")
        await peer.ask("RCPT TO:<o7+Y@Proofs.example>")
        await peer.ask("RCPT TO:<o7+x@proofs.example>")
        assert await peer.ask("DATA") == "354 End data with <CR><LF>.<CR><LF>\r\n"
        assert await peer.ask(b"Subject: x\r\n\r\n..caf\xe9\r\n.") == "250 2.6.0 Recorded r1\r\n"
    (got,) = desk.recorded
    assert bytes(got.content) == b"Subject: x\r\n\r\n.caf\xe9\r\n"
    assert got.envelope == Envelope(
        peer="127.0.0.1",
        helo="peer.example",
        tls="",
        mail_from="Some.One@listed.example",
        organisation="o7",
        recipients=("o7+x@proofs.example", "o7+Y@Proofs.example"),
        listed=True,
    )


@pytest.mark.parametrize("sender", ["", "reply@elsewhere.example"])
async def test_an_unlisted_sender_is_judged_at_the_final_dot(sender: str) -> None:
    desk = FakeDesk()

    async def refuse(reception: FakeReception) -> None:
        assert not reception.envelope.listed
        raise Refused("Not a reply to a recorded mail.\nPas une réponse.")

    desk.on_finish = refuse
    async with running(desk) as port, peer_at(port) as peer:
        await peer.data(mail_from=sender)
        assert await peer.ask(b"x\r\n.") == (
            "550-5.7.1 Not a reply to a recorded mail.\r\n550 5.7.1 Pas une reponse.\r\n"
        )
        await peer.data(mail_from=sender, hello=False)


async def test_a_client_with_smtputf8_gets_the_accents() -> None:
    desk = FakeDesk()

    async def refuse(reception: FakeReception) -> None:
        raise Refused("Pas une réponse.")

    desk.on_finish = refuse
    async with running(desk) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        assert (await peer.ask("MAIL FROM:<é@listed.example> SMTPUTF8")).startswith("250")
        await peer.ask("RCPT TO:<p@proofs.example>")
        await peer.ask("DATA")
        assert await peer.ask(b"x\r\n.") == "550 5.7.1 Pas une réponse.\r\n"
    assert desk.receptions[0].envelope.mail_from == "é@listed.example"


async def test_no_250_before_the_commit() -> None:
    desk = FakeDesk()
    durable = asyncio.Event()

    async def commit(reception: FakeReception) -> None:
        await durable.wait()

    desk.on_finish = commit
    async with running(desk) as port, peer_at(port) as peer:
        await peer.data()
        await peer.send(b"x\r\n.\r\n")
        await until(lambda: desk.receptions[0].state == "finishing")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(peer.reader.read(1), 0.2)
        durable.set()
        assert await peer.reply() == "250 2.6.0 Recorded r1\r\n"


SECRET = "the secret word /etc/key"


FAULTS = [
    (RuntimeError(SECRET), "451 4.3.0"),
    (TryLater(SECRET), "451 4.3.0"),
    (ConnectionResetError(SECRET), "451 4.3.0"),
    (TimeoutError(SECRET), "451 4.3.0"),
    (Refused("Seen before", code=554, enhanced="5.6.1"), "554 5.6.1"),
    (Refused("Full", code=452, enhanced="4.3.1"), "452 4.3.1"),
    (Refused(SECRET, code=250, enhanced="2.0.0"), "451 4.3.0"),
    (Refused(SECRET, code=250, enhanced="5.0.0"), "451 4.3.0"),
    (Refused(SECRET, code=421, enhanced="4.7.0"), "451 4.3.0"),
    (Refused(SECRET, code=550, enhanced="x\r\n250 "), "451 4.3.0"),
]
CASES: list[tuple[str, BaseException, str]] = [
    (where, *fault) for where in ("open", "feed", "finish") for fault in FAULTS
]
CASES.append(("finish", asyncio.CancelledError(SECRET), "451 4.3.0"))


@pytest.mark.parametrize(("where", "error", "reply"), CASES)
async def test_a_fault_of_the_house_tells_nothing(
    where: str, error: BaseException, reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = FakeDesk()

    def fail(_: object) -> None:
        raise error

    async def fail_later(_: object) -> None:
        raise error

    desk.on_open = fail if where == "open" else None
    desk.on_feed = fail if where == "feed" else None
    desk.on_finish = fail_later if where == "finish" else None
    async with running(desk) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.ask("MAIL FROM:<a@listed.example>")
        await peer.ask("RCPT TO:<p@proofs.example>")
        answer = await peer.ask("DATA")
        if where != "open":
            assert answer.startswith("354")
            answer = await peer.ask(b"x\r\n.")
        assert answer.startswith(reply)
        assert SECRET not in answer
        desk.on_open = desk.on_feed = desk.on_finish = None
        await peer.data(hello=False)  # the session goes on
        assert (await peer.ask(b"x\r\n.")).startswith("250 2.6.0")
    assert SECRET not in caplog.text
    if where != "open":
        assert desk.receptions[0].state == ("abandoned" if where == "feed" else "finishing")


async def test_a_lookup_that_fails_is_451() -> None:
    desk = FakeDesk()
    desk.organisation_of = None  # type: ignore[assignment, method-assign]
    async with running(desk) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.ask("MAIL FROM:<a@listed.example>")
        assert (await peer.ask("RCPT TO:<p@proofs.example>")).startswith("451 4.3.0")


async def test_an_odd_record_id_cannot_break_the_reply(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    desk = FakeDesk()
    odd = type("Odd", (FakeReception,), {})

    async def finish(self: FakeReception) -> str:
        return "r\r\n250 1"

    odd.finish = finish  # type: ignore[attr-defined]
    desk.open = lambda envelope: odd(desk, envelope)  # type: ignore[method-assign]
    async with running(desk) as port, peer_at(port) as peer:
        await peer.data()
        assert await peer.ask(b"x\r\n.") == "250 2.6.0 Recorded (unnamed)\r\n"


@pytest.mark.parametrize(
    "content",
    [b"a\nb", b"a\rb", b"a\n.\nb", b"a\n.\r\nb", b"a\r\n.\nb", b"a\r.\rb", b"a\r.\r\nb", b"\n"],
)
async def test_bare_newlines_are_refused_and_never_end_data(content: bytes) -> None:
    desk = FakeDesk()
    async with running(desk) as port, peer_at(port) as peer:
        await peer.data()
        await peer.send(content + b"\r\nMAIL FROM:<evil@x.example>\r\n")
        reply = await peer.ask(b".")
        assert reply.startswith("550 5.6.0")
        assert desk.receptions[0].state == "abandoned"
        assert (await peer.ask("NOOP")).startswith("250 2.0.0")  # exactly one reply was given
    assert not desk.recorded


async def test_a_long_line_is_refused_up_to_a_mebibyte_it_is_not() -> None:
    desk = FakeDesk()
    async with running(desk) as port, peer_at(port) as peer:
        await peer.data()
        assert (await peer.ask(b"x" * 1024 * 1024 + b"\r\n.")).startswith("250")
        await peer.data(hello=False)
        assert (await peer.ask(b"x" * (1024 * 1024 + 1) + b"\r\n.")).startswith("550 5.6.0")
    assert [reception.state for reception in desk.receptions] == ["recorded", "abandoned"]


async def test_too_large_is_read_to_its_dot_and_refused() -> None:
    desk = FakeDesk()
    async with running(desk, strict(message_bytes=100_000)) as port, peer_at(port) as peer:
        await peer.data()
        reply = await peer.ask((b"y" * 70 + b"\r\n") * 20_000 + b".")
        assert reply.startswith("552 5.3.4")
        assert desk.receptions[0].state == "abandoned"
        assert len(desk.receptions[0].content) <= 100_000
        await peer.data(hello=False)
        assert (await peer.ask(b"z" * 99_998 + b"\r\n.")).startswith("250 2.6.0")
        assert (await peer.ask("MAIL FROM:<a@listed.example> SIZE=100001")).startswith("552 5.3.4")


async def test_what_never_ends_is_cut_off() -> None:
    desk = FakeDesk()
    limits = strict(message_bytes=1000, discard_bytes=200_000)
    async with running(desk, limits) as port, peer_at(port) as peer:
        await peer.data()
        for _ in range(4):
            await peer.send(b"y" * 65536)
        assert (await peer.reply()).startswith("421 4.7.0")
    assert desk.receptions[0].state == "abandoned"


async def test_commands_end_in_crlf_and_hold_no_control_characters() -> None:
    async with running(FakeDesk(), strict(consecutive_errors=99)) as port, peer_at(port) as peer:
        for line in (
            b"EHLO x\n",
            b"EHLO x\r\r\n",
            b"EH\rLO x\r\n",
            b"EHLO x\x00\r\n",
            b"NOOP\t\r\n",
        ):
            await peer.send(line)
            assert (await peer.reply()).startswith("500 5.5.2"), line
        await peer.send(b"NOOP \xff\r\n")
        assert (await peer.reply()).startswith("500 5.5.2")
        assert (await peer.ask("MAIL FROM:<a@b.example>")).startswith("503")  # no EHLO was taken


async def test_long_command_lines() -> None:
    async with running(FakeDesk()) as port, peer_at(port) as peer:
        assert (await peer.ask("NOOP " + "x" * 2041)).startswith("250")
        assert (await peer.ask("NOOP " + "x" * 2042)).startswith("500 5.5.2")
        assert (await peer.ask("NOOP " + "x" * 1_000_000)).startswith("500 5.5.2")
        await peer.send(b"x" * 3000)
        await asyncio.sleep(0.05)
        assert (await peer.ask("NOOP")).startswith("500 5.5.2")  # still that line
        assert (await peer.ask("NOOP")).startswith("250")


async def test_pipelined_mails() -> None:
    """RFC 2920: two whole mails and QUIT in one write; the second comes right after the dot."""
    desk = FakeDesk()
    mail = b"MAIL FROM:<a@listed.example>\r\nRCPT TO:<p@proofs.example>\r\nDATA\r\n"
    async with running(desk) as port, peer_at(port) as peer:
        wire = b"EHLO peer.example\r\n" + mail + b"one\r\n.\r\n" + mail + b"two\r\n.\r\nQUIT\r\n"
        await peer.send(wire)
        codes = [reply[:3] for reply in await peer.replies(10)]
        assert codes == ["250", "250", "250", "354", "250", "250", "250", "354", "250", "221"]
        assert await peer.ended()
    assert [bytes(reception.content) for reception in desk.recorded] == [b"one\r\n", b"two\r\n"]


async def test_pipelined_data_without_a_recipient_is_no_mail() -> None:
    desk = FakeDesk()
    async with running(desk) as port, peer_at(port) as peer:
        await peer.send(
            b"EHLO peer.example\r\nMAIL FROM:<a@listed.example>\r\n"
            b"RCPT TO:<nobody@proofs.example>\r\nDATA\r\nRSET\r\n"
        )
        codes = [reply[:3] for reply in await peer.replies(5)]
        assert codes == ["250", "250", "550", "503", "250"]


async def test_a_half_closed_peer_gets_its_replies() -> None:
    """`printf … | nc` ends its direction at once; a cancelled commit would be a lost answer."""
    desk = FakeDesk()

    async def commit(reception: FakeReception) -> None:
        await asyncio.sleep(0.2)

    desk.on_finish = commit
    async with running(desk) as port, peer_at(port) as peer:
        await peer.data()
        await peer.send(b"x\r\n.\r\nQUIT\r\n")
        peer.writer.write_eof()
        assert (await peer.reply()).startswith("250 2.6.0")
        assert (await peer.reply()).startswith("221")
        assert await peer.ended()


@pytest.mark.parametrize("how", ["eof", "reset"])
async def test_a_connection_lost_in_data_abandons(how: str) -> None:
    desk = FakeDesk()
    async with running(desk) as port:
        async with peer_at(port) as peer:
            await peer.data()
            await peer.send(b"half a mail\r\n")
            await until(lambda: desk.receptions[0].content)
            if how == "reset":
                peer.reset()
        await until(lambda: desk.receptions[0].state == "abandoned")
    assert not desk.recorded


async def test_a_peer_that_goes_does_not_stop_a_commit() -> None:
    desk = FakeDesk()
    durable = asyncio.Event()

    async def commit(reception: FakeReception) -> None:
        await durable.wait()

    desk.on_finish = commit
    async with running(desk) as port:
        async with peer_at(port) as peer:
            await peer.data()
            await peer.send(b"x\r\n.\r\n")
            await until(lambda: desk.receptions[0].state == "finishing")
            peer.reset()
        await asyncio.sleep(0.05)
        durable.set()
        await until(lambda: desk.receptions[0].state == "recorded")


async def test_a_commit_that_hangs_is_451_and_goes_on() -> None:
    desk = FakeDesk()
    durable = asyncio.Event()

    async def commit(reception: FakeReception) -> None:
        await durable.wait()

    desk.on_finish = commit
    async with running(desk, strict(commit_seconds=0.1)) as port, peer_at(port) as peer:
        await peer.data()
        assert (await peer.ask(b"x\r\n.")).startswith("451 4.3.0")
        durable.set()
        await until(lambda: desk.recorded)


async def test_logs_carry_peer_code_and_record_and_nothing_of_the_mail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    desk = FakeDesk()
    async with running(desk) as port, peer_at(port) as peer:
        await peer.ask("EHLO private.example")
        await peer.ask("MAIL FROM:<private1@listed.example>")
        await peer.ask("RCPT TO:<nobody-private2@proofs.example>")
        await peer.ask("private3\x1b[31m")
        await peer.ask("RCPT TO:<private4@proofs.example>")
        await peer.ask("DATA")
        await peer.ask(b"Subject: private5\r\n\r\nprivate6\r\n.")
        await peer.ask("QUIT")
    assert "private" not in caplog.text
    assert "\x1b" not in caplog.text
    lines = [record.getMessage() for record in caplog.records if record.name == "proofmail.smtp"]
    assert "peer=127.0.0.1 RCPT reply=550 5.1.1" in lines
    assert "peer=127.0.0.1 DATA reply=250 2.6.0 record=r1" in lines
    assert all(re.match(r"peer=127\.0\.0\.1 ", line) for line in lines)

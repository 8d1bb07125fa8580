"""STARTTLS (RFC 3207), and what must not survive the switch."""

from __future__ import annotations

import asyncio
import datetime
import smtplib
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from proofmail.errors import Misconfigured
from smtp_gateway.gateway import tls_context
from tests.smtp_gateway.fakes import FakeDesk, Peer, peer_at, running, strict, until


def write_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.proofs.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "mx.pem", folder / "mx.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture(scope="module")
def server_side(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return tls_context(*write_certificate(tmp_path_factory.mktemp("tls")))


def client_side() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def switch(peer: Peer) -> None:
    await asyncio.wait_for(peer.writer.start_tls(client_side()), 10)


async def test_a_mail_over_tls(server_side: ssl.SSLContext) -> None:
    desk = FakeDesk()
    async with running(desk, tls=server_side) as port, peer_at(port) as peer:
        assert "250 STARTTLS\r\n" in await peer.ask("EHLO peer.example")
        assert await peer.ask("STARTTLS") == "220 2.0.0 Ready to start TLS\r\n"
        await switch(peer)
        assert (await peer.ask("MAIL FROM:<a@listed.example>")).startswith("503 5.5.1")
        assert "STARTTLS" not in await peer.ask("EHLO other.example")
        assert (await peer.ask("STARTTLS")).startswith("502 5.5.1")
        await peer.data()
        assert (await peer.ask(b"x" * 500_000 + b"\r\n.")).startswith("250 2.6.0")
        assert (await peer.ask("QUIT")).startswith("221")
        assert await peer.ended()
    assert desk.recorded[0].envelope.tls == "TLSv1.3"
    assert len(desk.recorded[0].content) == 500_002


@pytest.mark.parametrize("together", [True, False])
async def test_plain_text_after_starttls_is_never_carried_out(
    server_side: ssl.SSLContext, together: bool
) -> None:
    desk = FakeDesk()
    injected = (
        b"EHLO evil.example\r\nMAIL FROM:<evil@listed.example>\r\n"
        b"RCPT TO:<p@proofs.example>\r\nDATA\r\nevil\r\n.\r\n"
    )
    async with running(desk, tls=server_side) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.send(b"STARTTLS\r\n" + (injected if together else b""))
        if not together:
            await peer.send(injected)
        assert (await peer.reply()).startswith("220")
        try:
            await switch(peer)
            # Nothing of it was a command: no reply waits, and no greeting was heard.
            assert (await peer.ask("MAIL FROM:<a@listed.example>")).startswith("503 5.5.1")
        except (ssl.SSLError, ConnectionError):
            assert not together  # it came as a handshake, and was none
    assert not desk.receptions


async def test_a_transaction_does_not_survive_starttls(server_side: ssl.SSLContext) -> None:
    desk = FakeDesk()
    async with running(desk, tls=server_side) as port, peer_at(port) as peer:
        await peer.ask("EHLO peer.example")
        await peer.ask("MAIL FROM:<a@listed.example>")
        await peer.ask("RCPT TO:<p@proofs.example>")
        await peer.ask("STARTTLS")
        await switch(peer)
        await peer.ask("EHLO peer.example")
        assert (await peer.ask("DATA")).startswith("503 5.5.1")


@pytest.mark.parametrize("then", ["rubbish", "silence", "leaves"])
async def test_a_failed_handshake_frees_its_place(server_side: ssl.SSLContext, then: str) -> None:
    limits = strict(connections=1, idle_seconds=0.5, linger_seconds=0.2)
    async with running(FakeDesk(), limits, tls=server_side) as port:
        async with peer_at(port) as peer:
            await peer.ask("EHLO peer.example")
            await peer.ask("STARTTLS")
            if then == "rubbish":
                await peer.send(b"x" * 100)
            if then != "leaves":
                rest = await asyncio.wait_for(peer.reader.read(), 5)
                # At most an alert of TLS: a reply in plain text has no place in a handshake.
                assert b"421" not in rest

        async def free() -> bool:
            async with peer_at(port, greet=False) as other:
                return (await other.reply()).startswith("220")

        for _ in range(50):
            if await free():
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("the place was not freed")


async def test_smtplib_over_tls(server_side: ssl.SSLContext) -> None:
    desk = FakeDesk()

    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="peer.example") as client:
            client.starttls(context=client_side())
            client.sendmail("a@listed.example", ["p@proofs.example"], "Subject: x\r\n\r\n.dot\r\n")

    async with running(desk, tls=server_side) as port:
        await asyncio.to_thread(send, port)
    assert bytes(desk.recorded[0].content) == b"Subject: x\r\n\r\n.dot\r\n"


async def test_lost_in_data_over_tls(server_side: ssl.SSLContext) -> None:
    desk = FakeDesk()
    async with running(desk, tls=server_side) as port:
        async with peer_at(port) as peer:
            await peer.ask("EHLO peer.example")
            await peer.ask("STARTTLS")
            await switch(peer)
            await peer.data()
            await peer.send(b"half")
        await until(lambda: desk.receptions[0].state == "abandoned")


def test_files_that_cannot_serve(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, foreign = write_certificate(other)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"x"),
        )
    )
    for pair in ((certificate, foreign), (certificate, locked), (tmp_path / "none", key)):
        with pytest.raises(Misconfigured) as caught:
            tls_context(*pair)
        assert str(tmp_path) not in str(caught.value)


def test_old_versions_are_not_spoken(server_side: ssl.SSLContext) -> None:
    assert server_side.minimum_version == ssl.TLSVersion.TLSv1_2

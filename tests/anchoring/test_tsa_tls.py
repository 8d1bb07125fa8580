"""An authority over TLS: its certificate is checked, and ours is shown."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from anchoring.tsa_http import Credentials, HttpAuthority
from proofmail.errors import Misconfigured, TryLater
from tests.serving import serving


def _identity(path: Path, name: str) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one PEM file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = path / f"{name}.pem"
    file.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return file


@contextmanager
def _serving(identity: Path, clients: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    context.load_verify_locations(clients)
    context.verify_mode = ssl.CERT_REQUIRED

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: object, client_address: object) -> None:
            try:
                with context.wrap_socket(request, server_side=True) as secure:  # type: ignore[call-overload]
                    Handler(secure, client_address, self)  # type: ignore[arg-type]
            except OSError:  # the client is not let in, or lets us down
                pass

    server = Server(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"https://127.0.0.1:{server.server_address[1]}/"


def test_certificates_on_both_sides(tmp_path: Path) -> None:
    ours, theirs, other = (_identity(tmp_path, name) for name in ("ours", "theirs", "other"))

    def ask(url: str, certificate: Path | None, roots: Path | None) -> bytes:
        credentials = Credentials(client_certificate=certificate)
        return HttpAuthority("far", url, 5, credentials, roots).respond(b"x")

    with _serving(theirs, ours) as url:
        assert ask(url, ours, theirs) == b"ok"
        with pytest.raises(TryLater):
            ask(url, None, theirs)
        with pytest.raises(TryLater):
            ask(url, other, theirs)
        for roots in (other, None):
            with pytest.raises(Misconfigured, match="not trusted"):
                ask(url, ours, roots)
        with pytest.raises(Misconfigured, match="files for TLS"):
            ask(url, tmp_path / "absent.pem", theirs)

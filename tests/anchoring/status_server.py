"""An authority of three certificates whose status is published on a loopback port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.serving import serving
from tests.verify.token_maker import STAMPING, Credential, certify, extended

Answer = Callable[[bytes], tuple[int, bytes]]


@dataclass
class Published:
    """What is answered under each path, and what was asked for."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def give(self, path: str, data: bytes, status: int = 200) -> None:
        self.answers[path] = lambda _body: (status, data)


@contextmanager
def published() -> Iterator[Published]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            place.asked.append(self.path)
            answer = place.answers.get(self.path, lambda _body: (404, b""))
            status, data = answer(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            with suppress(OSError):  # a client that has read enough goes away
                self.end_headers()
                self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    place = Published(server.server_address[1])
    with serving(server):
        yield place


def placed(
    credential: Credential, issuer: Credential, *, ocsp: str = "", crl: str = ""
) -> Credential:
    """The same certificate with the places where its status is published."""
    extensions: list[x509.ExtensionType] = []
    if ocsp:
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp)
        )
        extensions.append(x509.AuthorityInformationAccess([access]))
    if crl:
        name = x509.UniformResourceIdentifier(crl)
        point = x509.DistributionPoint([name], None, None, None)
        extensions.append(x509.CRLDistributionPoints([point]))
    return extended(credential, issuer, *extensions)


@dataclass(frozen=True)
class Chain:
    root: Credential
    issuer: Credential
    tsa: Credential


def chain(place: Published, around: dict[str, object]) -> Chain:
    """A root; an issuer whose status is in a CRL; an authority with OCSP first and a CRL."""
    root = certify("published root", None, ca=True, **around)  # type: ignore[arg-type]
    issuer = certify("published issuer", root, ca=True, **around)  # type: ignore[arg-type]
    issuer = placed(issuer, root, crl=place.url("/root.crl"))
    tsa = certify("published TSA", issuer, usages=(STAMPING,), **around)  # type: ignore[arg-type]
    tsa = placed(tsa, issuer, ocsp=place.url("/ocsp"), crl=place.url("/issuer.crl"))
    return Chain(root, issuer, tsa)

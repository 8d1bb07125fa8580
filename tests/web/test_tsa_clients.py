"""The authority at /tsa, asked over HTTP by other people's clients and judged by their checks."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rfc3161_client
import rfc3161ng
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.keys import load_cert_from_pemder
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from anchoring.authority import POLICY, BuiltInAuthority
from anchoring.authority_identity import AuthorityMaterial, KeyKind, create_authority
from anchoring.tsa_client import stamp_once
from anchoring.tsa_http import HttpAuthority
from proofmail.folder import SystemClock
from proofmail.verify.token import TokenAnchor, TokenTrust, read_response, verify_token
from proofmail.web.app import make_app
from tests.judges.dss import Known, TokenJob, judge_tokens
from tests.parts import need
from tests.web.house import site_in

DATA = b"what somebody else has stamped here"
IMPRINT = hashlib.sha256(DATA).digest()
KINDS: tuple[KeyKind, ...] = ("p256", "rsa3072")


@contextmanager
def _served(folder: Path, material: AuthorityMaterial) -> Iterator[str]:
    """The pages and the API on a port of their own, with this authority."""
    authority = BuiltInAuthority("built-in", material, SystemClock())
    with site_in(folder) as site:
        app = make_app(replace(site.services, stamp=authority.respond))
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            until = time.monotonic() + 20
            while not server.started and time.monotonic() < until:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}/tsa"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture(scope="module", params=KINDS)
def tsa(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, AuthorityMaterial]]:
    material = create_authority("Clients", datetime.now(UTC), request.param)
    with _served(tmp_path_factory.mktemp("tsa"), material) as url:
        yield url, material


def _post(url: str, query: bytes) -> bytes:
    headers = {"Content-Type": "application/timestamp-query"}
    asked = urllib.request.Request(url, query, headers)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.headers.get_content_type() == "application/timestamp-reply"
        return bytes(answer.read())


def _trust(material: AuthorityMaterial) -> TokenTrust:
    root = x509.load_pem_x509_certificate(material.root_pem)
    return TokenTrust((TokenAnchor(root, frozenset({POLICY})),))


def test_our_own_client(tsa: tuple[str, AuthorityMaterial]) -> None:
    url, material = tsa
    stamped = stamp_once(HttpAuthority("x", url), IMPRINT, _trust(material), SystemClock())
    assert stamped.facts.policy == POLICY


def test_openssl(tsa: tuple[str, AuthorityMaterial], tmp_path: Path) -> None:
    url, material = tsa
    openssl = need("openssl")
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "root.pem").write_bytes(material.root_pem)
    subprocess.run(
        [openssl, "ts", "-query", "-data", "data", "-sha256", "-cert", "-tspolicy", POLICY,
         "-out", "query"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "reply").write_bytes(_post(url, (tmp_path / "query").read_bytes()))
    done = subprocess.run(
        [openssl, "ts", "-verify", "-in", "reply", "-queryfile", "query", "-CAfile", "root.pem",
         "-x509_strict"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout, done.stderr


def test_rfc3161ng(tsa: tuple[str, AuthorityMaterial]) -> None:
    """It builds the request and carries it; its own check of the answer knows RSA alone."""
    url, material = tsa
    stamper = rfc3161ng.RemoteTimestamper(url, hashname="sha256", include_tsa_certificate=True)
    answer = stamper(digest=IMPRINT, return_tsr=True)
    response = rfc3161ng.encode_timestamp_response(answer)
    assert verify_token(response, IMPRINT, _trust(material)).policy == POLICY


def test_rfc3161_client(tsa: tuple[str, AuthorityMaterial]) -> None:
    url, material = tsa
    asked = (
        rfc3161_client.TimestampRequestBuilder()
        .data(DATA)
        .hash_algorithm(rfc3161_client.HashAlgorithm.SHA256)
        .build()
    )
    response = rfc3161_client.decode_timestamp_response(_post(url, asked.as_bytes()))
    verifier = (
        rfc3161_client.VerifierBuilder(policy_id=x509.ObjectIdentifier(POLICY), nonce=asked.nonce)
        .add_root_certificate(x509.load_pem_x509_certificate(material.root_pem))
        .build()
    )
    assert verifier.verify(response, IMPRINT)


def test_pyhanko(tsa: tuple[str, AuthorityMaterial], tmp_path: Path) -> None:
    url, material = tsa
    (tmp_path / "root.pem").write_bytes(material.root_pem)

    async def judged() -> TimestampSignatureStatus:
        token = await HTTPTimeStamper(url, timeout=20).async_timestamp(IMPRINT, "sha256")
        context = ValidationContext(
            trust_roots=[load_cert_from_pemder(str(tmp_path / "root.pem"))], allow_fetching=False
        )
        found = await validate_tst_signed_data(
            token["content"], context, lambda _algorithm: IMPRINT
        )
        return TimestampSignatureStatus(**found)

    found = asyncio.run(judged())
    assert (found.intact, found.valid, found.trusted) == (True, True, True)


def test_eu_dss(tmp_path: Path) -> None:
    """Both kinds of keys in one run."""
    jobs, roots = [], []
    for kind in KINDS:
        material = create_authority("DSS", datetime.now(UTC), kind)
        with _served(tmp_path, material) as url:
            query = tmp_path / f"{kind}.tsq"
            nonce = 2**60 + 7
            asked = rfc3161ng.make_timestamp_request(
                digest=IMPRINT, hashname="sha256", nonce=nonce, include_tsa_certificate=True
            )
            query.write_bytes(rfc3161ng.encode_timestamp_request(asked))
            (tmp_path / f"{kind}.tsr").write_bytes(_post(url, query.read_bytes()))
        root = x509.load_pem_x509_certificate(material.root_pem)
        (tmp_path / f"{kind}.der").write_bytes(root.public_bytes(Encoding.DER))
        roots.append(tmp_path / f"{kind}.der")
        now = int(time.time()) + 1
        jobs.append(TokenJob(kind, tmp_path / f"{kind}.tsr", IMPRINT, nonce, "", now))
    found = judge_tokens(jobs, Known(roots))
    assert {kind: verdict.accepted for kind, verdict in found.items()} == dict.fromkeys(KINDS, True)


def test_what_is_no_request_is_answered_too(tsa: tuple[str, AuthorityMaterial]) -> None:
    url, _ = tsa
    for query in (b"", b"\x30\x00", b"not DER at all", bytes(9000)):
        answer = read_response(_post(url, query))
        assert (answer.status, answer.failures, answer.token_der) == (2, frozenset({5}), None)

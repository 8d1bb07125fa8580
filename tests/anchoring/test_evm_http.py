"""A node that answers too much, too slowly, or with the way to somewhere else."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from anchoring import evm_http
from anchoring.evm import http_ledger
from proofmail.errors import Misconfigured, TryLater
from tests.serving import serving

GOOD = b'{"jsonrpc":"2.0","id":0,"result":"0x5"}'
Behave = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def node(behave: Behave) -> Iterator[str]:
    """HOST:PORT of a server that does this with each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            with suppress(OSError):
                behave(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"127.0.0.1:{server.server_address[1]}"


def give(status: int, body: bytes, **headers: str) -> Behave:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def test_a_user_name_and_password_in_the_url_go_into_the_header() -> None:
    seen: list[str | None] = []

    def behave(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        give(200, GOOD)(handler)

    with node(behave) as place:
        assert http_ledger(f"http://a%40b:c@{place}/key").chain_id() == 5
        assert http_ledger(f"http://{place}").chain_id() == 5
    assert seen == ["Basic YUBiOmM=", None]


def test_the_environment_says_nothing_of_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with node(give(200, GOOD)) as place:
        assert http_ledger(f"http://{place}").chain_id() == 5


def test_an_answer_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evm_http, "MAX_ANSWER_BYTES", 1000)
    for body in (GOOD[:-1] + b" " * 2000 + b"}", b" " * 100_000):
        with node(give(200, body)) as place, pytest.raises(TryLater, match="more than 1000"):
            http_ledger(f"http://{place}").chain_id()


def test_nesting_beyond_reason_is_an_answer_that_cannot_be_read() -> None:
    """In a process of its own: what loads web3 here may have raised the limit already, and
    overrunning the stack ends the process."""
    asking = """
import sys
from anchoring.evm import http_ledger
from anchoring.devchain import _chain_class
from proofmail.errors import TryLater
_chain_class(5)
try:
    http_ledger(sys.argv[1]).chain_id()
except TryLater as error:
    print(error)
"""
    with node(give(200, b"[" * 1_000_000)) as place:
        words = [sys.executable, "-c", asking, f"http://{place}"]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "the node cannot be reached or does not answer\n"


def test_a_way_to_somewhere_else_is_not_gone() -> None:
    came: list[str] = []
    with node(lambda handler: came.append(handler.path)) as inside:
        for status in (301, 302, 307, 308):
            moved = give(status, b"", Location=f"http://{inside}/latest/meta-data")
            with node(moved) as place, pytest.raises(TryLater, match=f"answers {status}"):
                http_ledger(f"http://{place}").chain_id()
    assert came == []


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_refused_are_the_operators_matter(status: int) -> None:
    with node(give(status, b"")) as place, pytest.raises(Misconfigured) as denied:
        http_ledger(f"http://u:secret@{place}/secret").chain_id()
    assert "secret" not in str(denied.value)


def test_one_that_drips_is_given_up_in_time() -> None:
    over = threading.Event()

    def behave(handler: BaseHTTPRequestHandler) -> None:
        while not over.wait(0.02):
            handler.wfile.write(b"H")

    with node(behave) as place:
        begun = time.monotonic()
        try:
            with pytest.raises(TryLater, match="too slow"):
                http_ledger(f"http://{place}", timeout_seconds=0.3).chain_id()
        finally:
            over.set()
        assert time.monotonic() - begun < 20


def test_what_is_no_address_of_a_node_is_told_at_once() -> None:
    for url in ("ftp://x", "file:///etc/passwd", "http://", "http://x/\n"):
        with pytest.raises(Misconfigured):
            http_ledger(url)

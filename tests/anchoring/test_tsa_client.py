"""Asking an authority: the request, the wire, and that nothing unjudged comes back."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import rfc3161ng

from anchoring.authority import POLICY
from anchoring.tsa_client import (
    Query,
    WrongTime,
    build_request,
    outside_request,
    stamp_once,
)
from anchoring.tsa_http import Credentials, HttpAuthority, basic, bearer
from proofmail.core import der
from proofmail.errors import CheckFailed, Misconfigured, NotChecked, TryLater, Unreadable
from proofmail.verify.token import TokenTrust, verify_token
from tests.anchoring.test_authority import (
    CREATED,
    DATA,
    IMPRINT,
    FixedClock,
    authority,
    trust,
)
from tests.serving import serving

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def test_the_request_is_over_the_digest_given() -> None:
    """Byte for byte; `openssl ts -query -in` reads it as version 1, sha256, nonce, certificates."""
    algorithm = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
    expected = (
        der.integer(1),
        der.sequence(algorithm, der.octets(IMPRINT)),
        der.integer(2**63 + 9),
        b"\x01\x01\xff",
    )
    assert build_request(IMPRINT, 2**63 + 9) == der.sequence(*expected)
    with pytest.raises(ValueError, match="32 bytes"):
        build_request(hashlib.sha1(DATA).digest(), 1)


@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 2**63 - 1, 2**63 + 9, 2**64 - 1])
@pytest.mark.parametrize("policy", ["", POLICY])
def test_both_writers_write_the_same_request(nonce: int, policy: str) -> None:
    """By hand for the built-in authority, by rfc3161ng for the others."""
    by_hand = build_request(IMPRINT, nonce, policy)
    assert outside_request(IMPRINT, nonce, policy) == by_hand
    assert rfc3161ng.decode_timestamp_request(by_hand)["nonce"] == nonce


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer(self, body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/tsa?a=b"


def reply(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    status: int = 200,
    kind: str = "application/timestamp-reply",
    **headers: str,
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def test_a_token_over_http_is_judged_and_kept_as_it_came() -> None:
    seen: list[tuple[str, str]] = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append((handler.path, handler.headers["Content-Type"]))
        reply(handler, authority().respond(body))

    with answering(answer) as url:
        stamped = stamp_once(HttpAuthority("far", url), IMPRINT, trust(), FixedClock())
    assert seen == [("/tsa?a=b", "application/timestamp-query")]
    assert stamped.facts == verify_token(stamped.response_der, IMPRINT, trust())
    assert (stamped.facts.gen_time, stamped.received_at) == (CREATED, CREATED)


STATUSES = [(500, TryLater), (503, TryLater), (429, TryLater), (404, Misconfigured)]


@pytest.mark.parametrize(("status", "error"), [*STATUSES, (401, Misconfigured)])
def test_statuses_say_what_to_do_next(status: int, error: type[Exception]) -> None:
    with answering(lambda handler, _: reply(handler, b"", status)) as url, pytest.raises(error):
        HttpAuthority("far", url).respond(b"")


@pytest.mark.parametrize(
    ("told", "seconds"), [("15", 15), (" 3600 ", 3600), ("soon", 0), ("-1", 0), ("9999999", 0)]
)
def test_a_throttling_authority_says_how_long_to_wait(told: str, seconds: float) -> None:
    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        reply(handler, b"", 429, **{"Retry-After": told})

    with answering(answer) as url, pytest.raises(TryLater) as caught:
        HttpAuthority("far", url).respond(b"")
    assert caught.value.after_seconds == seconds


def test_credentials_are_shown_and_never_in_the_clear_to_another_machine() -> None:
    seen: list[str | None] = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append(handler.headers["Authorization"])
        reply(handler, authority().respond(body))

    request = build_request(IMPRINT, 1)
    with answering(answer) as url:
        for shown in (basic("Aladdin:open sesame"), bearer("abc.d~e"), ""):
            HttpAuthority("far", url, 5, Credentials(shown)).respond(request)
    assert seen == ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Bearer abc.d~e", None]
    with pytest.raises(Misconfigured, match="https"):
        HttpAuthority("far", "http://tsa.example/", 5, Credentials(bearer("x")))
    HttpAuthority("far", "https://tsa.example/", 5, Credentials(bearer("x")))
    assert "sesame" not in repr(Credentials(basic("Aladdin:open sesame")))


@pytest.mark.parametrize("text", ["", "user", ":word", "user:wo\nrd"])
def test_a_file_that_is_no_user_and_password_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        basic(text)


@pytest.mark.parametrize("text", ["", "two words", "line\n"])
def test_a_file_that_is_no_bearer_token_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        bearer(text)


def test_a_header_that_drips_is_given_up_in_time() -> None:
    """Each wait is short; the whole is not."""

    def dripping(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        try:
            for _ in range(100):
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            handler.close_connection = True

    started = time.monotonic()
    with answering(dripping) as url, pytest.raises(TryLater, match="slow"):
        HttpAuthority("far", url, timeout_seconds=0.3).respond(b"")
    assert time.monotonic() - started < 4


def test_redirects_are_not_followed() -> None:
    asked: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        asked.append("elsewhere")
        reply(handler, b"")

    with answering(elsewhere) as other:

        def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
            reply(handler, b"", 307, Location=other)

        with answering(answer) as url, pytest.raises(Misconfigured, match="new URL"):
            HttpAuthority("far", url).respond(b"")
    assert asked == []


def test_a_page_is_no_answer() -> None:
    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        reply(handler, b"<html>", kind="text/html")

    with answering(answer) as url, pytest.raises(Misconfigured):
        HttpAuthority("far", url).respond(b"")


def test_an_endless_answer_is_cut_off() -> None:
    def answer(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/timestamp-reply")
        handler.end_headers()
        try:
            for _ in range(64):
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            handler.close_connection = True

    with answering(answer) as url, pytest.raises(Misconfigured, match="1 MiB"):
        HttpAuthority("far", url).respond(b"")


def test_an_answer_cut_short_or_dripping_may_be_asked_for_again() -> None:
    def short(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/timestamp-reply")
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"\x30")

    def dripping(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/timestamp-reply")
        handler.end_headers()
        try:
            for _ in range(20):
                handler.wfile.write(b"\x30")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            handler.close_connection = True

    for answer in (short, dripping):
        with answering(answer) as url, pytest.raises(TryLater):
            HttpAuthority("far", url, timeout_seconds=0.3).respond(b"")


def test_nobody_there_may_be_asked_again() -> None:
    with answering(lambda handler, _: None) as url:
        pass
    with pytest.raises(TryLater):
        HttpAuthority("far", url, timeout_seconds=1).respond(b"")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "http:///tsa",
        "http://user:word@example.org/",
        "http://example.org:99999/",
        "http://example.org/a b",
        "http://example.org/\r\nX: y",
        "tsa",
    ],
)
def test_urls_that_cannot_be_asked_are_refused_at_once(url: str) -> None:
    with pytest.raises(Misconfigured):
        HttpAuthority("far", url)


class Canned:
    """A TimestampAuthority that answers as it is told, given the request."""

    name = "canned"

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.respond = answer


def _rejecting(failure: int) -> Canned:
    octets, bit = divmod(failure, 8)
    bits = der.tlv(der.BIT_STRING, bytes((7 - bit,)), bytes(octets), bytes((0x80 >> bit,)))
    return Canned(lambda _: der.sequence(der.sequence(der.integer(2), bits)))


def _waiting(_: bytes) -> bytes:
    return der.sequence(der.sequence(der.integer(3)))


def test_a_refusal_says_what_to_do_next() -> None:
    for passing in (_rejecting(14), _rejecting(25), Canned(_waiting)):
        with pytest.raises(TryLater):
            stamp_once(passing, IMPRINT, trust(), FixedClock())
    for lasting in (_rejecting(0), _rejecting(15)):
        with pytest.raises(Misconfigured):
            stamp_once(lasting, IMPRINT, trust(), FixedClock())


def test_an_answer_to_another_question_is_refused() -> None:
    replayed = authority().respond(build_request(IMPRINT, 7))
    with pytest.raises(CheckFailed, match="nonce"):
        stamp_once(Canned(lambda _: replayed), IMPRINT, trust(), FixedClock())
    for rubbish in (b"", b"<html>", replayed + b"\0"):
        with pytest.raises(Unreadable):
            stamp_once(Canned(lambda _, r=rubbish: r), IMPRINT, trust(), FixedClock())


def test_an_authority_with_a_wrong_clock_is_refused() -> None:
    ahead = authority(CREATED + timedelta(minutes=5))
    with pytest.raises(WrongTime, match="after the answer") as caught:
        stamp_once(ahead, IMPRINT, trust(), FixedClock())
    stamped = caught.value.stamped
    assert stamped.facts.gen_time - stamped.received_at == timedelta(minutes=5)


def test_a_wrong_time_excuses_nothing_else() -> None:
    ahead = authority(CREATED + timedelta(minutes=5))
    replayed = ahead.respond(build_request(IMPRINT, 7))
    with pytest.raises(CheckFailed, match="nonce") as caught:
        stamp_once(Canned(lambda _: replayed), IMPRINT, trust(), FixedClock())
    assert not isinstance(caught.value, WrongTime)


def test_a_policy_that_was_asked_for_is_the_one_given() -> None:
    seen: list[bytes] = []

    def other(request: bytes) -> bytes:
        seen.append(request)
        nonce = der.only(request)
        nonce.integer()
        nonce.raw(der.SEQUENCE)
        assert nonce.oid() == "1.2.3.4"
        return authority().respond(build_request(IMPRINT, nonce.integer()))

    with pytest.raises(CheckFailed, match="policy"):
        stamp_once(Canned(other), IMPRINT, trust(), FixedClock(), Query("1.2.3.4"))
    stamped = stamp_once(authority(), IMPRINT, trust(), FixedClock(), Query(POLICY))
    assert stamped.facts.policy == POLICY
    assert len(seen) == 1


def test_an_authority_outside_the_trust_gives_nothing_to_keep() -> None:
    with pytest.raises(NotChecked):
        stamp_once(authority(), IMPRINT, TokenTrust(), FixedClock())


def test_every_request_has_a_nonce_of_its_own() -> None:
    seen: set[bytes] = set()

    def answer(request: bytes) -> bytes:
        seen.add(request)
        return authority().respond(request)

    for _ in range(5):
        assert isinstance(
            stamp_once(Canned(answer), IMPRINT, trust(), FixedClock()).received_at, datetime
        )
    assert len(seen) == 5

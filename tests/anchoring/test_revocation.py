"""Revocation data captured with tokens: fetched, judged, kept, fetched again, and in the proof."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from anchoring.authority import BuiltInAuthority
from anchoring.authority_identity import create_authority
from anchoring.revocation import AFTER_UPDATE, AGAIN_AFTER, FIRST_RETRY, revocation_step
from anchoring.status_fetch import MAX_OCSP_BYTES, Place, fetch, places
from anchoring.tsa_client import build_request
from proofmail.core import der
from proofmail.core.proof import MAX_REVOCATION_BYTES, RevocationData, Rfc3161Token
from proofmail.errors import CheckFailed, NotChecked, TryLater
from proofmail.store.engine import Store, create_or_upgrade, open_store
from proofmail.store.fsck import Finding, fsck
from proofmail.store.proofs import assemble
from proofmail.store.stamps import NewToken, save_tokens, unstamped
from proofmail.verify.revocation import standing
from proofmail.verify.token import TokenAnchor, TokenTrust
from tests.anchoring.status_server import Chain, Published, chain, placed, published
from tests.parts import need
from tests.store.house import KEYS, NOW, SetClock, fill, organisation
from tests.verify.status_maker import answer, crl, responder
from tests.verify.token_maker import DAY, STAMPING, Recipe, certify, response_of

AROUND = {"start": NOW - 300 * DAY, "end": NOW + 900 * DAY}
HOUR = timedelta(hours=1)
fetch_here = partial(fetch, near=[ip_network("127.0.0.0/8")])


@dataclass
class Capture:
    store: Store
    owner: str
    place: Published
    chain: Chain
    clock: SetClock

    def publish(self, *, as_of: datetime, until: datetime, revoked: tuple = ()) -> None:
        self.place.give("/root.crl", crl(self.chain.root, as_of=as_of, until=until).value)
        listed = crl(self.chain.issuer, revoked, as_of=as_of, until=until)
        self.place.give("/issuer.crl", listed.value)

    def stamp(self, when: datetime) -> str:
        """A record more with a token of the published authority; returns the record's id."""
        (record_id,) = fill(self.store, self.owner, 1)
        item = unstamped(self.store, 1)[0]
        recipe = Recipe(
            self.chain.tsa,
            imprint=sha256(item.record).digest(),
            gen_time=der.generalized_time(when.replace(microsecond=0)),
            certificates=(self.chain.tsa.der, self.chain.issuer.der),
        )
        token = NewToken(
            item.sequence, "published", response_of(recipe), when.replace(microsecond=0)
        )
        save_tokens(self.store, [token], when)
        return record_id

    def step(self) -> bool:
        trust = TokenTrust((TokenAnchor(self.chain.root.certificate),))
        return revocation_step(self.store, trust, self.clock, fetch_here)()

    def data(self, record_id: str) -> tuple[RevocationData, ...]:
        (token,) = assemble(self.store, self.owner, record_id).tokens
        assert isinstance(token, Rfc3161Token)
        return tuple(item for item in token.revocation if isinstance(item, RevocationData))

    def stands(self, record_id: str, gen_time: datetime) -> datetime:
        path = (self.chain.tsa, self.chain.issuer, self.chain.root)
        certificates = tuple(credential.certificate for credential in path)
        return standing(certificates, self.data(record_id), gen_time).as_of


def findings(store: Store) -> list[Finding]:
    """What fsck says of revocation data."""
    return [found for found in fsck(store, KEYS) if found.subject.startswith(("revoc", "signer"))]


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    url = f"sqlite:///{tmp_path}/s.db"
    create_or_upgrade(url)
    store = open_store(url)
    with published() as place:
        yield Capture(store, organisation(store), place, chain(place, AROUND), SetClock())
    store.close()


def test_captured_soon_after_the_stamp_and_again_after_the_next_update(capture: Capture) -> None:
    first = capture.stamp(NOW)
    assert capture.data(first) == ()
    with pytest.raises(NotChecked):
        capture.stands(first, NOW)
    whole = NOW.replace(microsecond=0)
    capture.publish(as_of=whole - HOUR, until=whole + 7 * DAY)
    assert capture.step()
    assert capture.place.asked == ["/ocsp", "/issuer.crl", "/root.crl"]
    assert capture.stands(first, NOW) == whole - HOUR
    assert not capture.step()  # nothing is due
    capture.clock.at = whole + 7 * DAY
    assert not capture.step()
    capture.clock.at = whole + 7 * DAY + AFTER_UPDATE
    capture.publish(as_of=whole + 7 * DAY, until=whole + 14 * DAY)
    assert capture.step()
    assert capture.stands(first, NOW) == whole + 7 * DAY
    assert len(capture.data(first)) == 4  # in force then, and made after
    assert not findings(capture.store)
    # then once a month, and never after the certificate's end
    capture.clock.at += AGAIN_AFTER - HOUR
    assert not capture.step()
    capture.clock.at += HOUR
    capture.publish(as_of=capture.clock.at, until=capture.clock.at + 7 * DAY)
    assert capture.step()
    capture.clock.at = whole + 901 * DAY
    assert capture.step()
    capture.clock.at += 400 * DAY
    assert not capture.step()


def test_a_newer_token_is_not_left_without(capture: Capture) -> None:
    whole = NOW.replace(microsecond=0)
    first = capture.stamp(NOW - DAY)
    capture.publish(as_of=whole - HOUR, until=whole + DAY)
    assert capture.step()
    later = NOW + 5 * DAY
    second = capture.stamp(later)
    capture.clock.at = later
    capture.publish(as_of=whole + 4 * DAY, until=whole + 9 * DAY)
    assert capture.step()
    for record_id, when in ((first, NOW - DAY), (second, later)):
        assert capture.stands(record_id, when) == whole + 4 * DAY


def test_a_revocation_found_later_reaches_the_next_proof(capture: Capture) -> None:
    whole = NOW.replace(microsecond=0)
    record_id = capture.stamp(NOW)
    capture.publish(as_of=whole - HOUR, until=whole + DAY)
    assert capture.step()
    capture.clock.at = whole + 2 * DAY
    stolen = ((capture.chain.tsa, whole + DAY, x509.ReasonFlags.key_compromise),)
    capture.publish(as_of=whole + 2 * DAY, until=whole + 9 * DAY, revoked=stolen)
    assert capture.step()
    with pytest.raises(CheckFailed, match="takes its earlier tokens"):
        capture.stands(record_id, NOW)


def test_ocsp_by_a_delegate_comes_first(capture: Capture) -> None:
    whole = NOW.replace(microsecond=0)
    record_id = capture.stamp(NOW)
    delegate = responder(capture.chain.issuer)
    capture.publish(as_of=whole - HOUR, until=whole + DAY)

    def answered(request: bytes) -> tuple[int, bytes]:
        assert x509.ocsp.load_der_ocsp_request(request).serial_number == (
            capture.chain.tsa.certificate.serial_number
        )
        made = answer(
            capture.chain.tsa, capture.chain.issuer, by=delegate, as_of=whole - HOUR,
            until=whole + DAY,
        )  # fmt: skip
        return 200, made.value

    capture.place.answers["/ocsp"] = answered
    assert capture.step()
    assert capture.place.asked == ["/ocsp", "/root.crl"]
    assert [item.kind for item in capture.data(record_id)] == ["ocsp", "crl"]
    assert capture.stands(record_id, NOW) == whole - HOUR


@pytest.mark.parametrize("junk", [b"", b"<html>", bytes(MAX_REVOCATION_BYTES + 1)])
def test_what_does_not_hold_is_not_kept_and_asked_for_again_later(
    capture: Capture, junk: bytes
) -> None:
    record_id = capture.stamp(NOW)
    capture.place.give("/issuer.crl", junk)
    capture.place.give("/root.crl", crl(certify("published root", None, ca=True)).value)
    asked = 0
    for tries in range(1, 4):
        assert capture.step()
        assert len(capture.place.asked) > asked
        asked = len(capture.place.asked)
        assert not capture.step()
        capture.clock.at += FIRST_RETRY * 2 ** (tries - 1) + timedelta(seconds=1)
    assert capture.data(record_id) == ()
    assert any("no revocation data" in finding.text for finding in findings(capture.store))
    whole = NOW.replace(microsecond=0)
    capture.publish(as_of=whole - HOUR, until=whole + DAY)
    capture.clock.at += HOUR
    assert capture.step()
    assert capture.stands(record_id, NOW) == whole - HOUR


def test_the_built_in_authority_is_never_asked_about(capture: Capture) -> None:
    material = create_authority("x", NOW - DAY)
    (_,) = fill(capture.store, capture.owner, 1)
    item = unstamped(capture.store, 1)[0]
    query = build_request(sha256(item.record).digest(), 1)
    response = BuiltInAuthority("built-in", material, SetClock()).respond(query)
    save_tokens(capture.store, [NewToken(item.sequence, "built-in", response, NOW)], NOW)
    root = x509.load_pem_x509_certificate(material.root_pem)
    trust = TokenTrust((TokenAnchor(root),))
    for _ in range(3):
        assert not revocation_step(capture.store, trust, capture.clock)()
        capture.clock.at += 40 * DAY


def test_fsck_finds_data_that_were_changed(capture: Capture) -> None:
    whole = NOW.replace(microsecond=0)
    capture.stamp(NOW)
    capture.publish(as_of=whole - HOUR, until=whole + DAY)
    assert capture.step()
    other = crl(capture.chain.root, as_of=whole - HOUR, until=whole + DAY).value
    with capture.store.write() as connection:
        connection.exec_driver_sql("UPDATE revocations SET value = ?", (other[:-1] + b"\0",))
    faults = [finding for finding in findings(capture.store) if finding.level == "fault"]
    assert len(faults) == 2
    assert all("revocation data" in finding.subject for finding in faults)


def test_places_that_are_not_gone_to() -> None:
    root = certify("r", None, ca=True)
    for url in ("ldap://x/y", "file:///etc/passwd", "http://u:p@x/", "http:///x", "http://x/\ty"):
        assert places(placed(certify("t", root), root, crl=url).certificate) == []
    both = placed(certify("t", root), root, crl="http://x/1", ocsp="https://y/2")
    assert places(both.certificate) == [Place("ocsp", "https://y/2"), Place("crl", "http://x/1")]


def test_answers_are_bounded_in_bytes_and_in_time() -> None:
    root = certify("r", None, ca=True)
    with published() as place:
        place.give("/o", bytes(MAX_OCSP_BYTES + 1))
        place.give("/moved", b"", 302)
        slow = place.url("/slow")

        def drip(_body: bytes) -> tuple[int, bytes]:
            time.sleep(0.6)
            return 200, b"x"

        place.answers["/slow"] = drip
        for path, kind, message in (
            ("/o", "ocsp", "more than"), ("/moved", "crl", "302"), ("/none", "crl", "404"),
        ):  # fmt: skip
            with pytest.raises(TryLater, match=message):
                fetch_here(Place(kind, place.url(path)), root.certificate, root.certificate)
        with pytest.raises(TryLater):
            fetch_here(Place("crl", slow), root.certificate, root.certificate, timeout_seconds=0.2)
    with pytest.raises(TryLater, match="cannot be reached"):
        fetch_here(Place("crl", slow), root.certificate, root.certificate)


def test_no_certificate_sends_this_host_where_only_it_can_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = certify("r", None, ca=True).certificate
    with published() as place:
        place.give("/x", b"inside")
        port = place.port
        for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:7f00:1]",
                     "0.0.0.0", "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1", "[fe80::1]",
                     "[fd00::1]", "224.0.0.1", "255.255.255.255", "[2002:7f00:1::]"):  # fmt: skip
            with pytest.raises(TryLater, match=r"not gone to|cannot be reached"):
                fetch(Place("crl", f"http://{host}:{port}/x"), root, root)
        assert place.asked == []
        # A name is looked up once, and what is gone to is what was looked at.
        looked = [socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: looked.pop())
        with pytest.raises(TryLater, match="not gone to"):
            fetch(Place("crl", f"http://crl.example:{port}/x"), root, root)
        assert (looked, place.asked) == ([], [])


def test_a_place_without_a_name_that_can_be_looked_up_keeps_no_other_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python's own error for such a name is no OSError."""
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")
    root = certify("r", None, ca=True).certificate
    for host in ("a..b", "x" * 64 + ".example"):
        with pytest.raises(TryLater):
            fetch_here(Place("crl", f"http://{host}/"), root, root)


def test_an_answer_that_never_gets_to_its_point_is_cut_off() -> None:
    root = certify("r", None, ca=True).certificate
    over = threading.Event()

    def drip(door: socket.socket, first: bytes, again: bytes) -> None:
        with closing(door.accept()[0]) as peer, suppress(OSError):
            peer.sendall(first)
            while not over.wait(0.02):
                peer.sendall(again)

    for first, again in ((b"HTTP/1.1 200 OK\r\nX: ", b"x"), (b"", b"HTTP/1.1 100 Go on\r\n\r\n"),
                         (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x")):  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as door:
            thread = threading.Thread(target=drip, args=(door, first, again))
            thread.start()
            try:
                place = Place("crl", f"http://127.0.0.1:{door.getsockname()[1]}/")
                with pytest.raises(TryLater, match="too slow"):
                    fetch_here(place, root, root, timeout_seconds=0.3)
            finally:
                over.set()
                thread.join(10)
        over.clear()


def test_openssl_as_the_responder(tmp_path: Path) -> None:
    """A CA kept by openssl; one authority good, one revoked; asked over HTTP by our client."""
    openssl = need("openssl")
    ca = certify("openssl CA", None, ca=True, **AROUND)
    good = certify("good", ca, usages=(STAMPING,), **AROUND)
    gone = certify("gone", ca, usages=(STAMPING,), **AROUND)
    key = ca.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "ca.pem").write_bytes(ca.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(key)
    end, past = f"{NOW + 900 * DAY:%y%m%d%H%M%S}Z", f"{NOW - DAY:%y%m%d%H%M%S}Z"
    (tmp_path / "index.txt").write_text(
        f"V\t{end}\t\t{_hex(good.certificate)}\tunknown\t/CN=good\n"
        f"R\t{end}\t{past},superseded\t{_hex(gone.certificate)}\tunknown\t/CN=gone\n"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [openssl, "ocsp", "-index", "index.txt", "-port", str(port), "-rsigner", "ca.pem",
         "-rkey", "ca.key", "-CA", "ca.pem", "-nmin", "60"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        place = Place("ocsp", f"http://127.0.0.1:{port}/")
        answers = {}
        until = time.monotonic() + 20
        for name, tsa in (("good", good), ("gone", gone)):
            while name not in answers:
                try:
                    answers[name] = fetch_here(place, tsa.certificate, ca.certificate)
                except TryLater:
                    assert time.monotonic() < until
                    time.sleep(0.05)
    finally:
        server.terminate()
        server.wait(10)
    path = (good.certificate, ca.certificate)
    assert "by OCSP" in standing(path, [RevocationData("ocsp", answers["good"])], NOW).text
    path = (gone.certificate, ca.certificate)
    with pytest.raises(CheckFailed, match="before genTime"):
        standing(path, [RevocationData("ocsp", answers["gone"])], NOW)


def _hex(certificate: x509.Certificate) -> str:
    spelt = f"{certificate.serial_number:X}"
    return spelt if len(spelt) % 2 == 0 else f"0{spelt}"

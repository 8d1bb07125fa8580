"""Where the anchor key may be: a keystore, the environment, another program; and what a signer
that lies can do."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anchoring.evm_signing import (
    LocalSigner,
    Price,
    anchor_sender,
    check_signed,
    sign_anchor,
    unsigned_anchor,
)
from anchoring.keystore import make_keystore, read_keystore
from anchoring.ledger_steps import Anchoring, anchor_step
from anchoring.recursion import usual_recursion
from anchoring.remote_signer import RemoteSigner, check_place
from proofmail import setup
from proofmail.config import AnchorKey, Settings
from proofmail.errors import Misconfigured, TryLater
from proofmail.folder import (
    ENVIRONMENT_KEY,
    ENVIRONMENT_PASSWORD,
    anchor_address,
    anchor_signer,
    own_trust,
)
from proofmail.ports import AnchorSigner
from proofmail.serve import environment_of
from proofmail.store import anchors
from tests.anchoring.house import House
from tests.json_rpc import Answer, json_rpc
from tests.serving import serving

with usual_recursion():
    from eth_account import Account

KEY = bytes(range(1, 33))
ADDRESS = anchor_sender(KEY)
ROOT = bytes(range(32))
PRICE = Price(3 * 10**9, 10**9)
WANTED = unsigned_anchor(ADDRESS, 5, 9, ROOT, PRICE)
SIGNED = sign_anchor(KEY, 5, 9, ROOT, PRICE)

# The test vector of the Web3 Secret Storage definition, version 3 (PBKDF2-SHA-256).
PBKDF2 = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144, "dklen": 32, "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3,
}  # fmt: skip


def test_the_published_keystore_opens() -> None:
    key = read_keystore(json.dumps(PBKDF2).encode(), b"testpassword")
    assert key.hex() == "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"


def test_keystores_go_to_and_fro_with_eth_account() -> None:
    made = make_keystore(KEY, "mot de passe é".encode())
    assert KEY.hex() not in made.decode("ascii")
    assert bytes(Account.decrypt(json.loads(made), "mot de passe é".encode())) == KEY
    assert read_keystore(made, "mot de passe é".encode()) == KEY
    theirs = json.dumps(Account.encrypt(KEY, "other", kdf="scrypt", iterations=1024)).encode()
    assert read_keystore(theirs, b"other") == KEY


def _spoil(**changes: object) -> bytes:
    crypto = {**PBKDF2["crypto"], **changes}  # type: ignore[dict-item]
    return json.dumps({**PBKDF2, "crypto": crypto}).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (json.dumps(PBKDF2).encode(), "password"),
        (_spoil(mac="00" * 32), "password"),
        (_spoil(ciphertext="00" * 32), "password"),
        (_spoil(cipher="aes-256-gcm"), "aes-128-ctr"),
        (_spoil(kdf="argon2"), "unknown way"),
        (_spoil(kdfparams={"c": 10**9, "dklen": 32, "prf": "hmac-sha256", "salt": ""}), "work"),
        (_spoil(kdf="scrypt", kdfparams={"n": 2**40, "r": 8, "p": 1, "dklen": 32, "salt": ""}),
         "work"),
        (_spoil(kdfparams={}), "cannot be read"),
        (b"{}", "cannot be read"), (b"[]", "cannot be read"), (b"\xff", "cannot be read"),
        (b" " * 20_000, "too large"),
    ],
)  # fmt: skip
def test_a_keystore_that_is_wrong_is_refused_without_its_words(data: bytes, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        read_keystore(data, b"wrong")


def test_a_keystore_of_another_address_is_refused() -> None:
    data = json.dumps({**PBKDF2, "address": "11" * 20}).encode()
    with pytest.raises(Misconfigured, match="another address"):
        read_keystore(data, b"testpassword")


# A signer of its own


def good(request: dict[str, Any]) -> Any:
    (fields,) = request["params"]
    assert fields["from"] == fields["to"] == "0x" + ADDRESS.hex()
    signed = Account.from_key(KEY).sign_transaction(
        {**{k: v for k, v in fields.items() if k != "from"}, "to": Account.from_key(KEY).address,
         "type": 2}
    )  # fmt: skip
    return {"result": "0x" + signed.raw_transaction.hex().removeprefix("0x")}


@contextmanager
def over_socket(path: Path, answer: Answer) -> Iterator[str]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            body = json.dumps({"id": 1, **answer(json.loads(self.rfile.readline()))}).encode()
            for start in range(0, len(body), 50):  # in pieces, and left open: no end but its own
                self.wfile.write(body[start : start + 50])
                self.wfile.flush()
            self.rfile.readline()

    server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
    with serving(server):
        yield f"unix:{path}"


def test_a_signer_over_http_and_over_a_socket_signs_the_very_bytes(tmp_path: Path) -> None:
    for place in (json_rpc(good), over_socket(tmp_path / "s.ipc", good)):
        with place as where:
            signer: AnchorSigner = RemoteSigner(where, ADDRESS, 5)
            raw = signer.sign(WANTED)
            check_signed(raw, WANTED, signer.address)
            assert raw == SIGNED


def test_clefs_method_and_its_object_are_understood() -> None:
    asked: list[str] = []

    def clef(request: dict[str, Any]) -> Any:
        asked.append(request["method"])
        if request["method"] == "eth_signTransaction":
            return {"error": {"code": -32601, "message": "the method does not exist"}}
        return {"result": {"raw": good(request)["result"], "tx": {}}}

    with json_rpc(clef) as where:
        assert RemoteSigner(where, ADDRESS, 5).sign(WANTED) == SIGNED
    assert asked == ["eth_signTransaction", "account_signTransaction"]


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ({"error": {"code": -32000, "message": "secret words"}}, TryLater),
        ({"error": {"code": -32601, "message": "secret words"}}, Misconfigured),
        ({"result": None}, TryLater),
        ({"result": "0xzz"}, TryLater),
        ({"result": "02"}, TryLater),
        ({"result": {"raw": 7}}, TryLater),
        ({"result": "0x" + "00" * 70_000}, TryLater),
    ],
)
def test_a_signer_that_does_not_sign(answer: Any, raised: type[Exception]) -> None:
    with json_rpc(lambda _: answer) as where, pytest.raises(raised) as caught:
        RemoteSigner(where, ADDRESS, 5).sign(WANTED)
    assert "secret" not in str(caught.value)


def test_a_signer_that_is_not_there_is_tried_later(tmp_path: Path) -> None:
    for place in ("http://127.0.0.1:9", f"unix:{tmp_path}/none"):
        with pytest.raises(TryLater):
            RemoteSigner(place, ADDRESS, 1).sign(WANTED)


@pytest.mark.parametrize(
    "place",
    ["http://192.0.2.1:8550", "https://127.0.0.1:8550", "http://127.0.0.1", "unix:relative", "",
     "http://example.org:80", "http://127.0.0.1.example.org:80", "http://[::1", "http://127.0.0.1:x"],
)  # fmt: skip
def test_a_signer_elsewhere_is_refused(place: str) -> None:
    with pytest.raises(Misconfigured):
        check_place(place)


LIES = {
    "another key": sign_anchor(b"\x09" * 32, 5, 9, ROOT, PRICE),
    "another root": sign_anchor(KEY, 5, 9, bytes(32), PRICE),
    "another chain": sign_anchor(KEY, 6, 9, ROOT, PRICE),
    "another nonce": sign_anchor(KEY, 5, 8, ROOT, PRICE),
    "a higher fee": sign_anchor(KEY, 5, 9, ROOT, Price(PRICE.max_fee_wei + 1, 10**9)),
    "more gas": LocalSigner(KEY).sign(replace(WANTED, gas_limit=WANTED.gas_limit + 1)),
    "to another": LocalSigner(KEY).sign(replace(WANTED, to=bytes(20))),
    "no transaction": b"\x02\xc0",
    "nothing": b"",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_signer_that_lies_is_not_followed(lie: str) -> None:
    with pytest.raises(Misconfigured):
        check_signed(LIES[lie], WANTED, ADDRESS)
    check_signed(SIGNED, WANTED, ADDRESS)


def test_nothing_of_a_lying_signer_is_kept_or_sent(house: House) -> None:
    class Liar:
        address = anchor_sender(house.world.anchor_key)

        def sign(self, wanted: object) -> bytes:
            return LIES["another root"]

    house.send(1)
    for name, run in house.steps():
        if name == "batch":
            house.turn(0)
            house.clock.moment += house.bounds.replace_after
            run()  # type: ignore[operator]
    parts = Anchoring(house.store, house.ledger, Liar(), house.clock, house.bounds)
    with pytest.raises(Misconfigured, match="signer"):
        anchor_step(parts)()
    assert anchors.open_transactions(house.store, house.world.chain_id) == []
    assert house.ledger.chain == []


# The settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    options = setup.InitOptions("a@b.example", (), "Test", "o@b.example", "Europe/Paris", "en")
    setup.initialise(tmp_path / "data", options)
    return tmp_path / "data"


def secret(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o600)


def test_each_source_of_the_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings("pm-test/1", folder)
    assert anchor_signer(settings).address == anchor_address(settings)
    address = "0x" + ADDRESS.hex()
    secret(folder / "keystore.json", make_keystore(KEY, b"pass"))
    chosen = AnchorKey("keystore", address, keystore="keystore.json")
    settings = replace(settings, anchor_key=chosen)
    assert anchor_address(settings) == ADDRESS  # without a password
    with pytest.raises(Misconfigured, match="password_file"):
        anchor_signer(settings)
    monkeypatch.setenv("PROOFMAIL_ANCHOR_PASSWORD", "pass")
    assert anchor_signer(settings).sign(WANTED) == SIGNED
    secret(folder / "password", b"pass\n")
    monkeypatch.setenv("PROOFMAIL_ANCHOR_PASSWORD", "wrong")
    with pytest.raises(Misconfigured, match="password"):
        anchor_signer(settings)
    settings = replace(settings, anchor_key=replace(chosen, password_file="password"))
    assert anchor_signer(settings).address == ADDRESS
    (folder / "password").chmod(0o644)
    with pytest.raises(Misconfigured, match="read by others"):
        anchor_signer(settings)
    settings = replace(settings, anchor_key=AnchorKey("environment", address))
    with pytest.raises(Misconfigured, match="PROOFMAIL_ANCHOR_KEY"):
        anchor_signer(settings)
    monkeypatch.setenv("PROOFMAIL_ANCHOR_KEY", KEY.hex())
    assert anchor_signer(settings).sign(WANTED) == SIGNED
    other = replace(settings, anchor_key=AnchorKey("environment", "0x" + "11" * 20))
    with pytest.raises(Misconfigured, match="address"):
        anchor_signer(other)
    monkeypatch.setenv("PROOFMAIL_ANCHOR_KEY", "ff" * 32)
    with pytest.raises(Misconfigured, match="secp256k1"):
        anchor_signer(settings)


def test_trust_lists_the_senders_of_before(folder: Path) -> None:
    settings = Settings("pm-test/1", folder)
    (service,) = own_trust(settings, {}, {ADDRESS}).services
    assert service.senders == {ADDRESS, anchor_address(settings)}


def test_secrets_of_the_environment_go_to_the_worker_alone() -> None:
    whole = {"PATH": "/bin", ENVIRONMENT_KEY: "k", ENVIRONMENT_PASSWORD: "p", "PROOFMAIL_X": "x"}
    assert environment_of("worker", whole) == whole
    for part in ("gateway", "gateway 2", "web"):
        assert environment_of(part, whole) == {"PATH": "/bin", "PROOFMAIL_X": "x"}

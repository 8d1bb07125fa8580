"""The dossier process: what it keeps, what ends it, and the seals that the settings ask for."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dossier.make import make_dossier
from dossier.seal import KeyLost, Sealer, create_seal_identity
from proofmail import setup
from proofmail.config import read_settings
from proofmail.dossiers import DossierProcess
from proofmail.errors import Misconfigured, TryLater
from proofmail.folder import own_trust
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.report import Row
from proofmail.web.services import DossierRequest
from proofmail.wiring import initialise
from tests.dossier import evidence
from tests.parts import need

REQUEST = DossierRequest("en", "Europe/Paris", "Example SA", True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    options = setup.InitOptions(
        "proof@example.org", ("example.org",), "Example SA", "owner@example.org", "UTC", "en"
    )
    initialise(tmp_path / "data", options)
    return tmp_path / "data"


@contextmanager
def process(folder: Path, timeout_seconds: float = 60.0) -> Iterator[DossierProcess]:
    made = DossierProcess(folder, timeout_seconds)
    try:
        yield made
    finally:
        made.close()


def make(dossiers: DossierProcess) -> asyncio.Task[bytes]:
    return asyncio.ensure_future(dossiers.make(evidence.fresh().proof, REQUEST))


def more_settings(folder: Path, text: str) -> None:
    path = folder / "settings.toml"
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def seal_rows(folder: Path, dossier: bytes) -> list[Row]:
    report = verify(read_evidence(dossier), own_trust(read_settings(folder), {}))
    return [row for row in report.rows if row.number.startswith("V16")]


async def test_settings_are_read_once(folder: Path) -> None:
    with process(folder) as dossiers:
        first = await make(dossiers)
        more_settings(folder, "\nnothing = 1\n")
        second = await make(dossiers)
    assert first[:1000] == second[:1000]
    with process(folder) as dossiers, pytest.raises(Misconfigured, match="unknown setting nothing"):
        await make(dossiers)


async def test_one_that_hangs_is_ended_and_holds_nobody_up(folder: Path) -> None:
    """The settings are a pipe that nobody writes to; then they are settings again."""
    settings = folder / "settings.toml"
    kept = settings.read_bytes()
    settings.unlink()
    os.mkfifo(settings)
    with process(folder, 1.0) as dossiers:
        waiting = make(dossiers)
        with pytest.raises(TryLater, match="could not be made now"):
            await waiting
        settings.unlink()
        settings.write_bytes(kept)
        dossiers._timeout_seconds = 60.0
        assert (await make(dossiers)).startswith(b"%PDF-")


async def test_who_goes_away_leaves_the_turn_to_the_next(folder: Path) -> None:
    with process(folder) as dossiers:
        gone = make(dossiers)
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert (await make(dossiers)).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("level", "stamped", "rows"), [("B-B", 0, 1), ("B-T", 1, 1), ("B-LTA", 1, 2)]
)
async def test_levels(folder: Path, level: str, stamped: int, rows: int) -> None:
    more_settings(folder, f'\n[seal]\nlevel = "{level}"\n')
    with process(folder) as dossiers:
        made = await make(dossiers)
    found = seal_rows(folder, made)
    assert [row.status.value for row in found] == ["passed"] * rows
    seal = read_evidence(made).dossier.seal
    token = bytes.fromhex("060b2a864886f70d010910020e")  # id-aa-timeStampToken
    assert seal.cms.count(token) == stamped


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('level = "B-LT"', "level is"),
        ('source = "smartcard"', "source is"),
        ('source = "pkcs11"', "needs the setting module"),
        ('authority = "other"', "none of those"),
    ],
)
def test_settings_that_do_not_fit(folder: Path, text: str, why: str) -> None:
    more_settings(folder, f"\n[seal]\n{text}\n")
    with pytest.raises(Misconfigured, match=why):
        read_settings(folder)


def test_earlier_seals_stay_in_the_trust(folder: Path) -> None:
    _, certificate = create_seal_identity("Example SA", evidence.RECEIVED)
    (folder / "old.pem").write_bytes(certificate)
    more_settings(folder, '\n[seal]\nearlier_certificates = ["old.pem"]\n')
    trust = own_trust(read_settings(folder), {})
    old = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    assert len(trust.seals) == 2
    assert old in trust.seals


# -- a key in a token ----------------------------------------------------------------------------

LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


def in_token(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Puts a key into a fresh token of SoftHSM, and its certificate and PIN into the folder."""
    tool = need("softhsm")
    tokens = folder.parent / "tokens"
    tokens.mkdir()
    configuration = folder.parent / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    if kind == "rsa":
        key = rsa.generate_private_key(65537, 2048)
    file = folder.parent / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for words in (
        ["--init-token", "--free", "--label", "seals", "--pin", "4711", "--so-pin", "8888"],
        ["--import", file, "--token", "seals", "--label", "seal 1", "--id", "01", "--pin", "4711"],
    ):
        subprocess.run([tool, *words], check=True, capture_output=True, timeout=60)
    file.unlink()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "seal in a token")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(evidence.RECEIVED)
        .not_valid_after(evidence.RECEIVED + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    (folder / "token.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "keys/pin").write_text("4711\n")
    (folder / "keys/pin").chmod(0o600)
    library = next(place for place in LIBRARIES if Path(place).exists())
    more_settings(
        folder,
        f"""
[seal]
source = "pkcs11"
module = "{library}"
token = "seals"
key_label = "seal 1"
pin_file = "keys/pin"
certificate = "token.pem"
""",
    )


@pytest.mark.parametrize("kind", ["p256", "rsa"])
async def test_a_key_in_a_token(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    in_token(folder, monkeypatch, kind)
    with process(folder) as dossiers:
        for _ in range(2):
            found = seal_rows(folder, await make(dossiers))
            assert [(row.status.value, row.reason) for row in found] == [
                ("passed", "signer CN=seal in a token")
            ]


async def test_a_refused_pin_is_tried_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token locks after a few: the second dossier is refused without another try."""
    in_token(folder, monkeypatch, "p256")
    (folder / "keys/pin").write_text("0000\n")
    with process(folder) as dossiers:
        with pytest.raises(Misconfigured, match="refuses the PIN"):
            await make(dossiers)
        (folder / "keys/pin").write_text("4711\n")
        with pytest.raises(Misconfigured, match="refuses the PIN"):
            await make(dossiers)


async def test_what_does_not_fit_the_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_token(folder, monkeypatch, "p256")
    settings = folder / "settings.toml"
    good = settings.read_text()
    for old, new, why in (
        ('"seals"', '"others"', "not found by the settings"),
        ('"seal 1"', '"seal 2"', "not found by the settings"),
        ('certificate = "token.pem"', 'certificate = "seal.pem"', "do not belong together"),
        ("libsofthsm2.so", "libother.so", "not found by the settings"),
    ):
        settings.write_text(good.replace(old, new))
        with process(folder) as dossiers, pytest.raises(Misconfigured, match=why):
            await make(dossiers)
    settings.write_text(good)
    (folder / "keys/pin").chmod(0o644)
    with process(folder) as dossiers, pytest.raises(Misconfigured, match="chmod 600"):
        await make(dossiers)


def test_a_token_that_went_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing says that the key has to be opened anew, and nothing of the library's own words."""
    import pkcs11

    from dossier.pkcs11_key import open_token_key

    in_token(folder, monkeypatch, "p256")
    seal = read_settings(folder).seal
    certificate = (folder / "token.pem").read_bytes()
    key = open_token_key(Path(seal.module), seal.token, seal.key_label, "4711", certificate)

    class Gone:
        def sign(self, data: bytes, **how: object) -> bytes:
            raise pkcs11.exceptions.DeviceRemoved("slot 3")

    sealer = Sealer(key, certificate)
    monkeypatch.setattr(key, "_key_handle", Gone())
    fresh = evidence.fresh()
    with pytest.raises(KeyLost, match=r"cannot be used now$"):
        make_dossier(fresh.proof, fresh.report, evidence.options(), sealer)

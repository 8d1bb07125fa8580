"""Encrypted and signed parts are named for what they are, by a closed list."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from proofmail.core.scan import Scanner, scan

HEAD = b"From: a@x\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
OID = bytes.fromhex("06092a864886f70d0107")
OTHER_OID = bytes.fromhex("060b2a864886f70d01091001")
KINDS = ("encrypted.", "signed.", "smime.")


def notes(mail: bytes, place: int = 0) -> set[str]:
    found = scan(mail)
    for size in (1, 7):
        scanner = Scanner()
        for start in range(0, len(mail), size):
            scanner.feed(mail[start : start + size])
        assert scanner.finish() == found
    return {note for note in found.parts[place].notes if note.startswith(KINDS)}


def entity(kind: str, body: bytes = b"x") -> bytes:
    return (
        HEAD
        + f"Content-Type: {kind}\r\n".encode()
        + b"Content-Transfer-Encoding: binary\r\n\r\n"
        + body
    )


@pytest.mark.parametrize(
    ("start", "parameter", "expected"),
    [
        (b"\x30\x80" + OID + b"\x03", "", "encrypted.smime"),
        (b"\x30\x82\x10\x00" + OID + b"\x03", "", "encrypted.smime"),
        (b"\x30\x84\0\x01\0\0" + OTHER_OID + b"\x17", "", "encrypted.smime"),
        (b"\x30\x0a" + OID + b"\x02", "", "signed.smime-opaque"),
        (b"\x30\x81\x80" + OID + b"\x02", "certs-only", "smime.certificates"),
        (b"\x30\x80" + OTHER_OID + b"\x09", "", "smime.compressed"),
        # The content decides, not what is said of it.
        (b"\x30\x80" + OID + b"\x02", "enveloped-data", "signed.smime-opaque"),
        (b"\x30\x80" + OID + b"\x03", "signed-data", "encrypted.smime"),
        (b"\x30\x80" + OID + b"\x01", "", "smime.other"),
        (b"\x31\x80" + OID + b"\x03", "", "smime.other"),
        (b"MIIB", "Enveloped-Data", "encrypted.smime"),
        (b"", "signed-data", "signed.smime-opaque"),
        (b"", "", "smime.other"),
    ],
)
@pytest.mark.parametrize("kind", ["application/pkcs7-mime", "application/x-pkcs7-mime"])
def test_smime_is_named_by_its_content(
    kind: str, start: bytes, parameter: str, expected: str
) -> None:
    kind += f"; smime-type={parameter}" if parameter else ""
    assert notes(entity(kind, start + bytes(100))) == {expected}


def test_what_openssl_encrypts_and_signs_is_named(tmp_path: Path) -> None:
    text, key, certificate = tmp_path / "text", tmp_path / "key", tmp_path / "certificate"
    text.write_bytes(b"secret\r\n")
    run = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout"]
    if subprocess.run(
        [*run, key, "-out", certificate], capture_output=True, check=False
    ).returncode:
        pytest.skip("openssl cannot make a certificate here")
    for command, expected in (
        (["-encrypt", "-aes256", "-in", text, certificate], "encrypted.smime"),
        (["-sign", "-nodetach", "-in", text, "-signer", certificate, "-inkey", key],
         "signed.smime-opaque"),
    ):  # fmt: skip
        made = subprocess.run(["openssl", "cms", *command], capture_output=True, check=True).stdout
        mail = HEAD + made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        stripped = mail.replace(b"smime-type=", b"x-type=")
        assert notes(mail) == notes(stripped) == {expected}


def test_pgp_mime_is_named_by_its_place() -> None:
    parts = (
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
        b"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----",
    )
    body = b"".join(b"--b\r\n%s\r\n" % part for part in parts) + b"--b--\r\n"
    mail = HEAD + b"Content-Type: multipart/encrypted; boundary=b\r\n\r\n" + body
    assert notes(mail) == notes(mail, 1) == {"encrypted.pgp"}
    assert "in.encrypted" in scan(mail).parts[1].notes
    mixed = mail.replace(b"multipart/encrypted", b"multipart/mixed")
    assert notes(mixed, 1) == set()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("application/pgp-signature", "signed.pgp"),
        ("application/pkcs7-signature", "signed.smime"),
        ("application/x-pkcs7-signature", "signed.smime"),
    ],
)
def test_detached_signatures_are_named(kind: str, expected: str) -> None:
    assert notes(entity(kind)) == {expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"-----BEGIN PGP MESSAGE-----\r\n", {"encrypted.pgp-inline"}),
        (b"see:\r\n-----BEGIN PGP MESSAGE-----\r\n", {"encrypted.pgp-inline"}),
        (b"a\r\n-----BEGIN PGP MESSAGE, PART 1/2-----\r\n", {"encrypted.pgp-inline"}),
        (b"a\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n", {"signed.pgp-inline"}),
        (
            b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\n-----BEGIN PGP MESSAGE-----",
            {"signed.pgp-inline", "encrypted.pgp-inline"},
        ),
        (b"> -----BEGIN PGP MESSAGE-----\r\n", set()),
        (b" -----BEGIN PGP MESSAGE-----\r\n", set()),
        (b"a -----BEGIN PGP MESSAGE-----\r\n", set()),
        (b"-----BEGIN PGP MESSAGE----\r\n", set()),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n", set()),
        (b"-----begin pgp message-----\r\n", set()),
    ],
)
def test_armour_counts_at_the_start_of_a_line(text: bytes, expected: set[str]) -> None:
    assert notes(entity("text/plain", text)) == expected
    assert notes(entity("text/html", text)) == expected
    assert notes(entity("application/octet-stream", text)) == set()


def test_armour_under_a_transfer_encoding_is_found() -> None:
    head = HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    assert notes(head + b"-----BEGIN PGP=20MESS=\r\nAGE-----\r\n") == {"encrypted.pgp-inline"}

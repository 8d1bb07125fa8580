"""What a trust file may spell (SPEC §8.1): one spelling of a key, either case of digits."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from proofmail.core.canonical import base64url
from proofmail.errors import Unreadable
from proofmail.verify.trust import Trust, read_trust
from tests.making import World

KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
SPKI = KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
COMPRESSED = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + (
    KEY.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
)


def _trust(key: bytes, sender: str) -> Trust:
    service = {"log": "test/1", "keys": [base64url(key)], "senders": [sender]}
    return read_trust(json.dumps({"format": "proofmail/trust/0", "services": [service]}).encode())


def test_digits_of_either_case_are_one_sender() -> None:
    upper, lower = (_trust(SPKI, sender) for sender in (f"0x{'AB' * 20}", f"0x{'ab' * 20}"))
    assert upper.services == lower.services


@pytest.mark.parametrize(
    ("key", "sender"),
    [
        (COMPRESSED, f"0x{'ab' * 20}"),
        (SPKI + b"\0", f"0x{'ab' * 20}"),
        (SPKI, f"0X{'ab' * 20}"),
        (SPKI, f"0x{'ab' * 21}"),
    ],
    ids=["a compressed key", "a byte behind the key", "0X", "a digit too many"],
)
def test_another_spelling_is_refused(key: bytes, sender: str) -> None:
    with pytest.raises(Unreadable):
        _trust(key, sender)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (bytes.fromhex("a003020102"), bytes.fromhex("a003020122")),  # version 35
        (b"0\x0b\x06\x03U\x04\n\x0c\x04Test", b"0\x0b\x06\x03U\x04\n\x0c\x04Te\xfft"),
    ],
)
def test_a_certificate_of_no_version_or_of_no_name_is_refused(old: bytes, new: bytes) -> None:
    root = x509.load_pem_x509_certificate(World().authority.root_pem).public_bytes(Encoding.DER)
    assert old in root
    trust = {"format": "proofmail/trust/0", "seals": [base64url(root.replace(old, new))]}
    with pytest.raises(Unreadable):
        read_trust(json.dumps(trust).encode())

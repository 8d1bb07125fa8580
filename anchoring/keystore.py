"""An Ethereum key in a file that a password opens: Web3 Secret Storage, version 3.

What geth, clef and eth-account write is read, with scrypt or PBKDF2; ours is written with scrypt.
The MAC says whether the password was right before anything is decrypted.
"""

from __future__ import annotations

import hmac
import json
import secrets
import uuid
from hashlib import pbkdf2_hmac, scrypt
from typing import Any

from coincurve import PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from anchoring.evm_signing import anchor_sender
from proofmail.core.mpt import keccak256
from proofmail.errors import Misconfigured

MAX_KEYSTORE_BYTES = 16 << 10
# What the file may make us spend on one password: geth's own standard is 256 MB.
MAX_MEMORY_BYTES = 1 << 30
MAX_ROUNDS = 10_000_000
_DERIVED_BYTES = 32
_SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}


def read_keystore(data: bytes, password: bytes) -> bytes:
    """The 32-byte key in a keystore file; Misconfigured if it is none or the password is wrong."""
    if len(data) > MAX_KEYSTORE_BYTES:
        raise Misconfigured("the keystore file is too large for one")
    try:
        content = json.loads(data)
        crypto = content.get("crypto") or content.get("Crypto")
        if content["version"] != 3 or crypto["cipher"] != "aes-128-ctr":
            raise Misconfigured("the keystore file is not of version 3 with aes-128-ctr")
        derived = _derive(crypto["kdf"], crypto["kdfparams"], password)
        ciphertext = bytes.fromhex(crypto["ciphertext"])
        if not hmac.compare_digest(
            keccak256(derived[16:32] + ciphertext), bytes.fromhex(crypto["mac"])
        ):
            raise Misconfigured("the password does not open the keystore file")
        key = _aes(derived[:16], bytes.fromhex(crypto["cipherparams"]["iv"]), ciphertext)
        if len(key) != 32:
            raise Misconfigured("the keystore file holds no key of 32 bytes")
        stated = content.get("address")
        if stated and bytes.fromhex(str(stated).lower().removeprefix("0x")) != anchor_sender(key):
            raise Misconfigured("the keystore file names another address than its key's")
    except (KeyError, TypeError, ValueError, AttributeError):
        # The texts of these would quote the file.
        raise Misconfigured("the keystore file cannot be read") from None
    return key


def make_keystore(key: bytes, password: bytes) -> bytes:
    """A keystore file for this key."""
    PrivateKey(key)  # ValueError for what is no key
    salt, nonce = secrets.token_bytes(32), secrets.token_bytes(16)
    parameters = {**_SCRYPT, "dklen": _DERIVED_BYTES, "salt": salt.hex()}
    derived = _derive("scrypt", parameters, password)
    ciphertext = _aes(derived[:16], nonce, key)
    content = {
        "address": anchor_sender(key).hex(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": nonce.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": parameters,
            "mac": keccak256(derived[16:32] + ciphertext).hex(),
        },
        "id": str(uuid.uuid4()),
        "version": 3,
    }
    return json.dumps(content, indent=1).encode("ascii") + b"\n"


def _derive(kind: str, parameters: dict[str, Any], password: bytes) -> bytes:
    salt = bytes.fromhex(parameters["salt"])
    if parameters["dklen"] != _DERIVED_BYTES:
        raise Misconfigured("the keystore file derives a key of another length")
    if kind == "scrypt":
        n, r, p = (int(parameters[name]) for name in ("n", "r", "p"))
        memory = 128 * r * (n + p + 2)
        if min(n, r, p) < 1 or memory > MAX_MEMORY_BYTES or n * r * p > 1 << 25:
            raise Misconfigured("the keystore file asks for too much work")
        return scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=_DERIVED_BYTES)
    if kind == "pbkdf2" and parameters["prf"] == "hmac-sha256":
        rounds = int(parameters["c"])
        if not 1 <= rounds <= MAX_ROUNDS:
            raise Misconfigured("the keystore file asks for too much work")
        return pbkdf2_hmac("sha256", password, salt, rounds, _DERIVED_BYTES)
    raise Misconfigured("the keystore file derives its key in an unknown way")


def _aes(key: bytes, nonce: bytes, data: bytes) -> bytes:
    step = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor()
    return step.update(data) + step.finalize()

"""An anchor key that another program holds (ports.AnchorSigner): web3signer, clef, or any that
speaks `eth_signTransaction` or clef's `account_signTransaction` as JSON-RPC.

It is reached on this machine alone, over HTTP on loopback or over a Unix socket (as geth and clef
speak on theirs: JSON without HTTP). It is asked to sign one transaction of a fixed shape, and what
it returns is compared with that by the caller: it can refuse, but not make us send anything else.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from anchoring.outgoing import is_loopback
from proofmail.errors import Misconfigured, TryLater
from proofmail.ports import UnsignedAnchor

MAX_ANSWER_BYTES = 64 << 10
METHODS = ("eth_signTransaction", "account_signTransaction")
_NO_SUCH_METHOD = -32601


class RemoteSigner:
    """A signer at `place`: http://127.0.0.1:PORT/… or unix:/PATH. Nothing is asked before the
    first signature. `address` is what the settings say; the signature has to agree."""

    def __init__(self, place: str, address: bytes, timeout_seconds: float) -> None:
        check_place(place)
        self.address = address
        self._place = place
        self._timeout_seconds = timeout_seconds

    def sign(self, wanted: UnsignedAnchor) -> bytes:
        fields = {
            "from": "0x" + self.address.hex(),
            "to": "0x" + wanted.to.hex(),
            "chainId": hex(wanted.chain_id),
            "nonce": hex(wanted.nonce),
            "gas": hex(wanted.gas_limit),
            "maxFeePerGas": hex(wanted.max_fee_wei),
            "maxPriorityFeePerGas": hex(wanted.max_priority_fee_wei),
            "value": "0x0",
            "data": "0x" + wanted.data.hex(),
        }
        for method in METHODS:
            request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": [fields]}
            answer = self._ask(json.dumps(request).encode("ascii"))
            error = answer.get("error")
            if isinstance(error, dict) and error.get("code") == _NO_SUCH_METHOD:
                continue
            if error is not None:
                raise TryLater("the signer did not sign")
            return _signed(answer.get("result"))
        raise Misconfigured("the signer knows no method to sign a transaction")

    def _ask(self, request: bytes) -> dict[str, Any]:
        try:
            data = self._carry(request)
            answer = json.loads(data)
        except (OSError, http.client.HTTPException):
            raise TryLater("the signer cannot be reached or does not answer") from None
        except ValueError:
            raise TryLater("the signer's answer cannot be read") from None
        if not isinstance(answer, dict):
            raise TryLater("the signer's answer cannot be read")
        return answer

    def _carry(self, request: bytes) -> bytes:
        if self._place.startswith("unix:"):
            return self._over_socket(self._place.removeprefix("unix:"), request)
        place = urlsplit(self._place)
        connection = http.client.HTTPConnection(
            place.hostname or "", place.port, timeout=self._timeout_seconds
        )
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", place.path or "/", request, headers)
            return _bounded(connection.getresponse().read(MAX_ANSWER_BYTES + 1))
        finally:
            connection.close()

    def _over_socket(self, path: str, request: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(self._timeout_seconds)
            door.connect(path)
            door.sendall(request + b"\n")
            data = b""
            # One JSON object, ended by nothing but itself.
            while chunk := door.recv(4096):
                data = _bounded(data + chunk)
                try:
                    json.loads(data)
                except ValueError:
                    continue
                break
            return data


def check_place(place: str) -> None:
    """Misconfigured unless this names a signer on this machine."""
    if place.startswith("unix:/"):
        return
    try:
        found = urlsplit(place)
        near, port = is_loopback(found.hostname or ""), found.port
    except ValueError:
        near, port = False, None
    if not near or not port or found.scheme != "http":
        raise Misconfigured("the signer is at http://127.0.0.1:PORT or unix:/PATH, on this machine")


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_ANSWER_BYTES:
        raise ValueError
    return data


def _signed(result: object) -> bytes:
    """The signed bytes: as web3signer gives them, or in geth's and clef's object."""
    raw = result.get("raw") if isinstance(result, dict) else result
    try:
        if isinstance(raw, str) and raw.startswith("0x"):
            return bytes.fromhex(raw[2:])
    except ValueError:
        pass
    raise TryLater("the signer's answer cannot be read")

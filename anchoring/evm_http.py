"""web3's way to a node over HTTP, with our own bounds: a node is not trusted, and a slow one must
not keep the others from being asked. Apart from :mod:`anchoring.evm`, since web3 takes a second to
load."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import unquote

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from anchoring.outgoing import Bounds, Request, exchange, read_url
from proofmail.errors import Misconfigured, TryLater

MAX_ANSWER_BYTES = 64 << 20
"""The largest blocks of public chains, with their transactions, take some 10 MB as JSON."""


class NodeOverHttp(JSONBaseProvider):
    """One connection a request. The operator chose the address, so it may be anywhere; a user name
    and password in it go into the field Authorization (RFC 7617)."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        super().__init__()
        parts = read_url(url)
        if parts is None:
            raise Misconfigured("the node's URL is not an http or https one")
        self._url = url
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode('ascii')}"
        self._bounds = Bounds("the node", timeout_seconds, MAX_ANSWER_BYTES)

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        body = self.encode_rpc_request(method, params)
        answer = exchange(Request(self._url, body, self._headers), self._bounds)
        if answer.status in (401, 403):
            raise Misconfigured("the node refuses our credentials")
        if answer.status != 200:
            raise TryLater(f"the node answers {answer.status}")
        return self.decode_rpc_response(answer.body)

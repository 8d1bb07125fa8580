"""A fake JSON-RPC server over HTTP, for nodes and signers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.serving import serving

Answer = Callable[[dict[str, Any]], Any]
"""From a request's members to those of the answer, or to the very bytes of its body."""


@contextmanager
def json_rpc(answer: Answer) -> Iterator[str]:
    """Gives the server's URL, without a path; it is stopped at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if not isinstance(found, bytes):
                found = json.dumps({"jsonrpc": "2.0", "id": 1, **found}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"

"""Runs a real node for a test: anvil, on an ephemeral port of the loopback interface."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.parts import need

CHAIN_ID = 31337
# The first of the accounts that anvil funds; its key is in anvil's manual.
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")


class Anvil:
    def __init__(self, url: str) -> None:
        self.url = url

    def rpc(self, method: str, *params: object) -> Any:
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = requests.post(self.url, json=body, timeout=10).json()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]


@contextmanager
def anvil(*arguments: str) -> Iterator[Anvil]:
    command = [str(need("anvil")), "--host", "127.0.0.1", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = None
            for line in process.stdout:
                found = re.search(r"Listening on 127\.0\.0\.1:(\d+)", line)
                if found:
                    port = int(found[1])
                    break
            assert port, "anvil did not start"
            # Read on, or a full pipe would stop the node.
            drain = threading.Thread(target=process.stdout.read)
            drain.start()
            yield Anvil(f"http://127.0.0.1:{port}")
        finally:
            process.kill()
            process.wait()
            if "drain" in locals():
                drain.join()

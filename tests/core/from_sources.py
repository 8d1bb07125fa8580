"""Scans what comes on standard input, with the sources of `proofmail.core` and nothing compiled.

    python -m tests.core.from_sources

A request is a size and a message, the answer a reading: each a frame behind its length.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

CORE = Path(__file__).resolve().parents[2] / "proofmail" / "core"


class _SourcesAlone:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith("proofmail.core."):
            return None
        return spec_from_file_location(name, CORE / (name.rpartition(".")[2] + ".py"))


def reading(message: bytes, size: int) -> bytes:
    """All that a scan says when the message comes in pieces of this size, the claims, and what the
    registry says of them."""
    from proofmail.core import claims, composed, html_text, scan
    from proofmail.core.canonical import encode
    from proofmail.core.mapping import mail_claims
    from proofmail.errors import Unreadable

    before = scan._GATHER_BYTES, html_text._GATHER, composed._GATHER
    scan._GATHER_BYTES = html_text._GATHER = composed._GATHER = 1
    try:
        scanner = scan.Scanner()
        for start in range(0, len(message), size):
            scanner.feed(message[start : start + size])
        found = scanner.finish()
    finally:
        scan._GATHER_BYTES, html_text._GATHER, composed._GATHER = before
    made = mail_claims(found)
    judged = []
    for name, value in made.items():
        # As it is, and in a shape that is not its own.
        for given in (value, [value], *(value.values() if isinstance(value, dict) else ())):
            try:
                claims.check_claim("message", name, given)
            except Unreadable as error:
                judged.append(f"{name}: {error}")
    return repr(found).encode("ascii", "backslashreplace") + b"\n" + encode([made, judged])


def send(stream: BinaryIO, *frames: bytes) -> None:
    for frame in frames:
        stream.write(len(frame).to_bytes(4, "big") + frame)
    stream.flush()


def receive(stream: BinaryIO) -> bytes | None:
    length = stream.read(4)
    return stream.read(int.from_bytes(length, "big")) if length else None


def main() -> None:
    sys.meta_path.insert(0, _SourcesAlone())  # type: ignore[arg-type]
    from proofmail.core import mime, scan

    if not (str(scan.__file__).endswith(".py") and str(mime.__file__).endswith(".py")):
        raise SystemExit("something compiled was loaded")
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (size := receive(source)) is not None:
        send(sink, reading(receive(source) or b"", int.from_bytes(size, "big")))


if __name__ == "__main__":
    main()

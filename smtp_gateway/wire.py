"""The bytes that a peer sends, as command lines or as chunks."""

from __future__ import annotations

import asyncio

READ_BYTES = 64 * 1024


class Wire:
    """Reads ahead, so pipelined commands (RFC 2920) and what follows a final dot are kept here."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._ahead = b""

    async def chunk(self) -> bytes:
        """At least one byte, at most 64 KiB. Raises EOFError when the peer has ended its side."""
        if self._ahead:
            chunk, self._ahead = self._ahead, b""
            return chunk
        chunk = await self._reader.read(READ_BYTES)
        if not chunk:
            raise EOFError
        return chunk

    async def line(self, limit_bytes: int) -> bytes | None:
        """The next line with its LF, or None for one over the limit, which is thrown away."""
        line, too_long = b"", False
        while True:
            line += await self.chunk()
            end = line.find(b"\n") + 1
            if end:
                line, self._ahead = line[:end], line[end:]
                return None if too_long or len(line) > limit_bytes else line
            if len(line) > limit_bytes:
                line, too_long = b"", True

    def give_back(self, rest: bytes) -> None:
        """The end of the chunk that was just taken, which was not its reader's."""
        self._ahead = rest

    def clear(self) -> None:
        """Forgets what was read ahead (RFC 3207 §4.2: nothing from before TLS may count)."""
        self._ahead = b""

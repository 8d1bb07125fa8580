"""Request bodies, read in memory within bounds. Nothing of a body ever reaches a file: the
framework's own form reader spools uploads to temporary files, so it is not used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from proofmail.web.problems import Problem, too_large

READ_WITHIN_SECONDS = 120
FORM_BYTES = 16 << 10
MAX_FIELDS = 200
MAX_FIELD_BYTES = 64 << 10


@dataclass(frozen=True)
class Upload:
    """A file of a form: its field's name, its own name as the sender gave it, its bytes."""

    field: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Form:
    """`fields` are (name, text) in order; empty files, which browsers send for none, are left
    out."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[Upload, ...] = ()

    def text(self, name: str) -> str:
        """The first value of a field, or ""."""
        return next((value for key, value in self.fields if key == name), "")

    def texts(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def uploads(self, name: str) -> list[Upload]:
        return [upload for upload in self.files if upload.field == name]


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body; Problem 413 beyond the limit, 408 when it does not end in time."""
    return b"".join([chunk async for chunk in _chunks(request, limit_bytes)])


async def read_form(request: Request) -> Form:
    """A small form without files, as browsers send it."""
    kind, _ = _content_type(request)
    if kind != b"application/x-www-form-urlencoded":
        raise Problem(415, "A form is expected: application/x-www-form-urlencoded.")
    body = await read_body(request, FORM_BYTES)
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Problem(400, "The form cannot be read.") from error
    return Form(tuple(pairs))


async def read_multipart(request: Request, limit_bytes: int) -> Form:
    """A form with files (RFC 7578), of at most `limit_bytes` in all."""
    kind, options = _content_type(request)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Problem(415, "A form with files is expected: multipart/form-data.")
    gathered = _Gathered()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": gathered.begin,
                "on_header_begin": gathered.begin_header,
                "on_header_field": gathered.header_name,
                "on_header_value": gathered.header_value,
                "on_header_end": gathered.end_header,
                "on_headers_finished": gathered.end_headers,
                "on_part_data": gathered.take,
                "on_part_end": gathered.end,
                "on_end": gathered.finish,
            },
        )
        async for chunk in _chunks(request, limit_bytes):
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Problem(400, "The form cannot be read.") from error
    if not gathered.complete:
        raise Problem(400, "The form is cut off.")
    return Form(tuple(gathered.fields), tuple(gathered.files))


async def _chunks(request: Request, limit_bytes: int) -> AsyncIterator[bytes]:
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit_bytes:
        raise too_large(limit_bytes)
    received = 0
    deadline = asyncio.get_running_loop().time() + READ_WITHIN_SECONDS
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Problem(408, "The request's body did not arrive in time.") from None
        if chunk is None:
            return
        received += len(chunk)
        if received > limit_bytes:
            raise too_large(limit_bytes)
        yield chunk


def _content_type(request: Request) -> tuple[bytes, dict[bytes, bytes]]:
    return parse_options_header(request.headers.get("content-type", ""))


@dataclass
class _Gathered:
    """Collects the parser's calls."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[Upload] = field(default_factory=list)
    complete: bool = False
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _data: bytearray = field(default_factory=bytearray)
    _options: dict[bytes, bytes] = field(default_factory=dict)

    def begin(self) -> None:
        if len(self.fields) + len(self.files) >= MAX_FIELDS:
            raise Problem(413, f"A form may have at most {MAX_FIELDS} fields.")
        self._headers, self._data = {}, bytearray()

    def begin_header(self) -> None:
        self._name, self._value = bytearray(), bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)

    def end_headers(self) -> None:
        kind, self._options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in self._options:
            raise Problem(400, "The form cannot be read.")

    def take(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if b"filename" not in self._options and len(self._data) > MAX_FIELD_BYTES:
            raise too_large(MAX_FIELD_BYTES)

    def end(self) -> None:
        name = self._options[b"name"].decode("utf-8", "replace")
        if b"filename" in self._options:
            called = self._options[b"filename"].decode("utf-8", "replace")
            if called or self._data:
                self.files.append(Upload(name, called, bytes(self._data)))
        else:
            self.fields.append((name, self._data.decode("utf-8", "replace")))
        self._data = bytearray()

    def finish(self) -> None:
        self.complete = True

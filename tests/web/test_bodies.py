"""Bodies: bounds, broken forms, and that nothing sent to us ever touches a file."""

from __future__ import annotations

import asyncio
import builtins
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from proofmail.web import bench, bodies
from proofmail.web.problems import Problem
from tests.making import MAIL
from tests.web.house import Guest, Site
from tests.web.test_api import problem

HEADERS = {"Content-Type": "multipart/form-data; boundary=form"}


def form(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body of these (disposition, content) parts, with the boundary `form`."""
    pieces = [
        b"--form\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"
        for disposition, content in parts
    ]
    return b"".join(pieces) + b"--form--\r\n"


PROOF = 'form-data; name="proof"; filename="p.json"'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no form at all", 400),
        (form((PROOF, b"{}"))[:-20], 400),  # cut off
        (form(("attachment", b"x")), 400),
        (form(("form-data", b"x")), 400),
        (form((PROOF + "\r\nX: " + "y" * 20_000, b"{}")), 400),
        (form(*[('form-data; name="digests"', b"00")] * 201), 413),
        (form(('form-data; name="digests"', b"0" * ((64 << 10) + 1))), 413),
        (form((PROOF, b"{}")), 422),  # a form, but no proof
    ],
)
def test_broken_forms(site: Site, guest: Guest, body: bytes, status: int) -> None:
    problem(site.api(guest).post("/api/v1/verify", content=body, headers=HEADERS), status)


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data", "text/plain; boundary=form", ""]
)
def test_other_types_than_a_form(site: Site, guest: Guest, kind: str) -> None:
    answer = site.api(guest).post(
        "/api/v1/verify", content=form((PROOF, b"{}")), headers={"Content-Type": kind}
    )
    problem(answer, 415)


def test_an_upload_beyond_the_bound(
    site: Site, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "MAX_UPLOAD_BYTES", 1 << 20)
    body = form((PROOF, bytes(1 << 20)))
    told = problem(site.api(guest).post("/api/v1/verify", content=body, headers=HEADERS), 413)
    assert "1 MiB" in told["detail"]

    def pieces() -> Iterator[bytes]:  # sent without a declared length
        yield from (body[at : at + 65536] for at in range(0, len(body), 65536))

    problem(site.api(guest).post("/api/v1/verify", content=pieces(), headers=HEADERS), 413)


def test_a_sign_in_form_beyond_the_bound(site: Site) -> None:
    answer = site.app_client().post("/sign-in", data={"password": "x" * bodies.FORM_BYTES})
    assert answer.status_code == 413
    answer = site.app_client().post("/sign-in", files={"password": ("x", b"x" * 100)})
    assert answer.status_code == 415


async def test_a_body_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = iter([{"type": "http.request", "body": b"begun", "more_body": True}])

    async def receive() -> Any:
        message = next(sent, None)
        if message is None:
            await asyncio.sleep(60)
        return message

    monkeypatch.setattr(bodies, "READ_WITHIN_SECONDS", 0.05)
    scope = {"type": "http", "method": "POST", "headers": []}
    with pytest.raises(Problem) as refused:
        await bodies.read_body(Request(scope, receive), 100)
    assert refused.value.status == 408


def test_too_many_uploads_at_once(
    site: Site, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "MOST_AT_ONCE", 0)
    answer = site.api(guest).post("/api/v1/verify", content=form((PROOF, b"{}")), headers=HEADERS)
    problem(answer, 503)
    assert answer.headers["retry-after"]


def test_nothing_of_an_upload_is_written(
    site: Site, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a temporary file nor any other: opening one for writing fails the test. The frame-
    work's own form reader would spool this upload, which is larger than its 1 MiB, to a file."""
    record = site.record(guest)
    client = site.api(guest)
    proof = client.get(f"/api/v1/records/{record}/proof.json").content
    client.post("/api/v1/verify", files={"proof": ("p.json", proof)})  # loads what loads late

    def refuse(*arguments: Any, **_: Any) -> Any:
        raise AssertionError(f"a file was about to be written: {arguments[:1]}")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    plain_open, low_open = builtins.open, os.open

    def read_only(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        return refuse(file) if set(mode) & set("wax+") else plain_open(file, mode, *more, **named)

    def read_only_low(file: Any, flags: int, *more: Any, **named: Any) -> int:
        writing = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return int(refuse(file)) if writing else low_open(file, flags, *more, **named)

    monkeypatch.setattr(builtins, "open", read_only)
    monkeypatch.setattr(os, "open", read_only_low)
    big = MAIL.replace(b"--cut--", b"--cut\r\n\r\n" + b"x" * (3 << 20) + b"\r\n--cut--")
    files = [("proof", ("p.json", proof)), ("copies", ("big.eml", big))]
    assert client.post("/api/v1/verify", files=files).status_code == 200


def test_names_of_uploads_are_shown_as_they_are(site: Site, guest: Guest) -> None:
    """RFC 7578 §4.2: UTF-8 as it is; no part of a path is meant."""
    record = site.record(guest)
    client = site.api(guest)
    proof = client.get(f"/api/v1/records/{record}/proof.json").content
    body = form(
        (PROOF, proof), ('form-data; name="copies"; filename="..\\é <b>.eml"', MAIL),
        ('form-data; name="trust"; filename=""', b""),
    )  # fmt: skip
    report = client.post("/api/v1/verify", content=body, headers=HEADERS).json()
    assert report["copies"][0]["copy"].endswith("é <b>.eml")

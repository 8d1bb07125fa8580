"""Uploads judged by the very code of `proofmail verify`. Everything stays in memory and is let go
with the answer: nothing is kept, nothing is written, and no name or content reaches a log."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.case import CaseReport, read_given, verify_case, verify_one
from proofmail.verify.copy_bytes import Copy
from proofmail.verify.dossier import Evidence, verify
from proofmail.verify.report import Report
from proofmail.verify.trust import read_trust
from proofmail.web.bodies import Form, Upload, read_multipart
from proofmail.web.problems import Problem
from proofmail.web.services import Services

MAX_UPLOAD_BYTES = 64 << 20
MAX_UPLOAD_TRUST_BYTES = 4 << 20
MAX_COPIES = 32
MAX_DIGESTS = 100
MOST_AT_ONCE = 3
"""Uploads in memory at the same time; further ones are asked to come back."""
MOST_OF_ONE = 2
"""Of them, uploads of one organisation: whoever sends slowly holds up no other."""
_SLICE_BYTES = 1 << 18
_SEPARATORS = re.compile(r"[\s,;]+")


class Bench:
    """One for an application: bounds what all uploads together may take."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._taken: Counter[str] = Counter()

    async def judge(
        self, request: Request, services: Services, organisation: str
    ) -> Report | CaseReport:
        """The report on an organisation's upload, under the installation's own trust where it
        holds none.

        Raises Problem for a body out of bounds and Unreadable for evidence that is none."""
        if self._places.locked() or self._taken[organisation] >= MOST_OF_ONE:
            raise Problem(503, "Other uploads are being checked: try again in a moment.",
                          headers={"Retry-After": "5"})  # fmt: skip
        self._taken[organisation] += 1
        try:
            async with self._places:
                form = await read_multipart(request, MAX_UPLOAD_BYTES)
                return await run_in_threadpool(_judge, form, services)
        finally:
            self._taken[organisation] -= 1


def _judge(form: Form, services: Services) -> Report | CaseReport:
    proofs, trusts = form.uploads("proof"), form.uploads("trust")
    copies = form.uploads("copies")
    digests = [word for text in form.texts("digests") for word in _SEPARATORS.split(text) if word]
    if len(proofs) != 1 or len(trusts) > 1:
        raise Unreadable("one proof file or dossier is needed, in the field proof")
    if len(copies) > MAX_COPIES or len(digests) > MAX_DIGESTS:
        raise Unreadable(f"at most {MAX_COPIES} copies and {MAX_DIGESTS} digests at a time")
    if trusts and len(trusts[0].data) > MAX_UPLOAD_TRUST_BYTES:
        raise Unreadable(f"a trust file sent here has at most {MAX_UPLOAD_TRUST_BYTES >> 20} MiB")
    trust = read_trust(trusts[0].data) if trusts else services.trust()
    given = read_given(proofs[0].data)
    number = _number(form.text("number"))
    judged = [_copy(upload) for upload in copies]
    if isinstance(given, Evidence):
        return verify(given, trust, judged, digests)
    if number is not None:
        try:
            return verify_one(given, number, trust, judged, digests)
        except CheckFailed as error:
            raise Unreadable(str(error)) from error
    if judged or digests:
        raise Unreadable("a case dossier: say by its number which of its proofs is meant")
    return verify_case(given, trust)


def _number(text: str) -> int | None:
    """Of a proof in a case dossier, from 1."""
    if not text.strip():
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text.strip(), re.ASCII):
        raise Unreadable("the number of a proof in a case dossier is a number")
    return int(text)


def _copy(upload: Upload) -> Copy:
    return Copy(upload.name[:255], partial(_slices, upload.data))


def _slices(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _SLICE_BYTES):
        yield data[start : start + _SLICE_BYTES]

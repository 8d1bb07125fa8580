"""The part of fsck on revocation data: what is kept holds for its certificate."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any

from sqlalchemy import Row, select

from proofmail.core.canonical import decode, from_base64url
from proofmail.core.proof import RevocationData
from proofmail.errors import CheckFailed, Unreadable
from proofmail.store.engine import Store, milliseconds
from proofmail.store.tables import revocations, signers
from proofmail.verify.cms import load_certificate
from proofmail.verify.revocation import says

Path = tuple[bytes, ...]


def faults(store: Store) -> Iterator[tuple[str, str]]:
    """What is kept and does not hold."""
    paths: dict[bytes, Path] = {}
    for row in _signers(store):
        try:
            paths[row.signer] = _path(row)
        except (CheckFailed, Unreadable) as fault:
            yield f"signer {row.signer.hex()[:16]}", str(fault)
    last = 0
    while True:
        with store.read() as connection:
            item = connection.execute(
                select(revocations).where(revocations.c.id > last).order_by(revocations.c.id)
            ).first()
        if item is None:
            return
        last = item.id
        try:
            _check(item, paths.get(item.signer, ()))
        except (CheckFailed, Unreadable) as fault:
            yield f"revocation data {item.id}", str(fault)


def open_questions(store: Store) -> Iterator[tuple[str, str]]:
    """Signers whose status could not be fetched when it was last tried."""
    for row in _signers(store):
        if row.tries:
            text = f"no revocation data could be fetched, {row.tries} times in a row: {row.error}"
            yield f"signer {row.signer.hex()[:16]}", text


def _signers(store: Store) -> list[Row[Any]]:
    with store.read() as connection:
        return list(connection.execute(select(signers).order_by(signers.c.signer)).all())


def _path(row: Row[Any]) -> Path:
    path = tuple(from_base64url(der) for der in decode(row.path))
    if not path or sha256(path[0]).digest() != row.signer:
        raise CheckFailed("its path is not that of this certificate")
    return path


def _check(row: Row[Any], path: Path) -> None:
    data = RevocationData(row.kind, row.value)
    for below, above in pairwise(path):
        if sha256(below).digest() != row.certificate:
            continue
        found = says(load_certificate(below), load_certificate(above), [data])
        times = [(milliseconds(s.as_of), s.until and milliseconds(s.until)) for s in found]
        if times != [(row.as_of, row.until)]:
            raise CheckFailed("it does not hold for its certificate, or not as of the time beside")
        return
    raise CheckFailed("it is on a certificate that is not in the path")

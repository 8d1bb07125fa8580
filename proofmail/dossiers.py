"""The dossier process: PDFs are made in a process of their own, so that none makes a sender or a
reader wait."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from zoneinfo import ZoneInfo

from dossier.make import DossierOptions, make_dossier
from dossier.seal import Sealer, Stamping
from proofmail import setup
from proofmail.config import read_settings
from proofmail.core.proof import Proof, read_proof
from proofmail.errors import TryLater
from proofmail.folder import (
    built_in_authority,
    own_trust,
    public_file,
    secret_file,
)
from proofmail.logs import log_to_stderr
from proofmail.store import anchors
from proofmail.store.engine import open_store
from proofmail.verify.checks import verify_proof
from proofmail.web.services import DossierRequest

log = logging.getLogger("proofmail")


def _make_dossier(folder: Path, proof: bytes, request: DossierRequest) -> bytes:
    """Runs in the dossier process, so that a PDF never makes a sender or a reader wait."""
    settings = read_settings(folder)
    store = open_store(settings.database_url)
    try:
        trust = own_trust(settings, anchors.blocks(store))
    finally:
        store.close()
    stamping = Stamping(built_in_authority(settings)) if settings.built_in_authority else None
    sealer = Sealer(
        secret_file(settings, setup.SEAL_KEY),
        public_file(settings, setup.SEAL_CERTIFICATE),
        stamping,
    )
    read = read_proof(proof)
    options = DossierOptions(
        request.language,
        ZoneInfo(request.zone),
        request.organisation_name,
        request.final,
        f"{settings.http.public_url}/verify" if settings.http.public_url else "",
        request.redacted,
    )
    return make_dossier(read, verify_proof(read, trust), options, sealer)


def _begin_dossier_process() -> None:
    """Left to itself, it would outlive a web process that was killed."""
    log_to_stderr()
    parent = parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True, name="lifetime").start()


class DossierProcess:
    """One process that makes dossiers, one at a time; made anew when it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool: ProcessPoolExecutor | None = None

    async def make(self, proof: Proof, request: DossierRequest) -> bytes:
        """TryLater if the process dies, perhaps over this very dossier."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=_begin_dossier_process
            )
        pool = self._pool
        loop = asyncio.get_running_loop()
        try:
            made: Awaitable[bytes] = loop.run_in_executor(
                pool, _make_dossier, self._folder, proof.to_bytes(), request
            )
            return await made
        except BrokenProcessPool:
            log.error("the dossier process died")
            if self._pool is pool:
                self._pool = None
            pool.shutdown(wait=False)
            raise TryLater("the dossier could not be made now") from None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

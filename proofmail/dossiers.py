"""The dossier process: PDFs are made in a process of their own, so that none makes a sender or a
reader wait."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from zoneinfo import ZoneInfo

from dossier.make import DossierOptions, make_dossier
from dossier.seal import KeyLost, Sealer
from proofmail.child import begin_process
from proofmail.config import DossierSettings, Settings, read_settings
from proofmail.core.proof import Proof, read_proof
from proofmail.errors import Misconfigured, TryLater
from proofmail.folder import own_trust
from proofmail.sealer import open_sealer
from proofmail.store import anchors
from proofmail.store.engine import Store, open_store
from proofmail.verify.checks import verify_proof
from proofmail.web.services import DossierRequest

log = logging.getLogger("proofmail")


@dataclass(frozen=True)
class _Workshop:
    """What the dossier process keeps from one dossier to the next."""

    settings: Settings
    store: Store
    sealer: Sealer


@cache
def _workshop(folder: Path) -> _Workshop | Misconfigured:
    """The settings, the store and the seal's key, opened once: settings count from the start of
    the service, and a token that refused its PIN must not be given it again, so that what is wrong
    with them is kept as well. TryLater is not."""
    try:
        settings = read_settings(folder)
        store = open_store(settings.database_url)
        return _Workshop(settings, store, open_sealer(settings, store))
    except Misconfigured as error:
        return error


def _make_dossier(folder: Path, proof: bytes, request: DossierRequest) -> bytes:
    """Runs in the dossier process, so that a PDF never makes a sender or a reader wait."""
    workshop = _workshop(folder)
    if isinstance(workshop, Misconfigured):
        raise workshop
    settings, store = workshop.settings, workshop.store
    # Blocks become final while the process runs.
    trust = own_trust(settings, anchors.blocks(store), anchors.senders(store))
    read = read_proof(proof)
    options = DossierOptions(
        request.language,
        ZoneInfo(request.zone),
        request.organisation_name,
        request.final,
        settings.http.check_address,
        request.redacted,
    )
    try:
        return make_dossier(read, verify_proof(read, trust), options, workshop.sealer)
    except KeyLost as error:
        # A library of PKCS #11 is set up once in a process: the next one finds the token again.
        log.error("%s; the dossier process ends", error)
        os._exit(1)


class DossierProcess:
    """One process that makes dossiers, one at a time; made anew when it dies, and ended when one
    dossier takes longer than `timeout_seconds`."""

    def __init__(
        self, folder: Path, timeout_seconds: float = DossierSettings.timeout_seconds
    ) -> None:
        self._folder, self._timeout_seconds = folder, timeout_seconds
        self._turn = asyncio.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._pid = 0
        self._tasks: set[asyncio.Task[bytes]] = set()

    async def make(self, proof: Proof, request: DossierRequest) -> bytes:
        """TryLater if the process dies, perhaps over this very dossier, or takes too long."""
        # Who asked may go away; the process is at it all the same, and the next one waits.
        task = asyncio.create_task(self._in_turn(proof.to_bytes(), request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _in_turn(self, proof: bytes, request: DossierRequest) -> bytes:
        async with self._turn:
            loop = asyncio.get_running_loop()
            try:
                pool = await self._started(loop)
                made = loop.run_in_executor(pool, _make_dossier, self._folder, proof, request)
                done, _ = await asyncio.wait({made}, timeout=self._timeout_seconds)
                if not done:
                    log.error("a dossier took too long: the dossier process is ended")
                    # It is our child and not yet waited for, so that the number is still its own.
                    os.kill(self._pid, signal.SIGKILL)
                return await made
            except BrokenProcessPool:
                log.error("the dossier process died")
                self.close()
                raise TryLater("the dossier could not be made now") from None

    async def _started(self, loop: asyncio.AbstractEventLoop) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=begin_process
            )
            self._pid = await loop.run_in_executor(self._pool, os.getpid)
        return self._pool

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

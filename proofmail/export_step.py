"""The worker's part of exports: one after the other, each in a process of its own, and the sweep of
their files. It imports nothing that makes PDFs: that process does."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from proofmail.child import begin_process
from proofmail.config import Settings
from proofmail.folder import SystemClock
from proofmail.store.engine import Store
from proofmail.store.exports import Export, expire, file_name, take_export

log = logging.getLogger("proofmail")

FOLDER = "exports"


def exports_folder(settings: Settings) -> Path:
    folder = settings.path(FOLDER)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _run(folder: Path, taken: Export, path: Path) -> None:
    from proofmail.exports import run_export

    run_export(folder, taken, path)


class ExportStep:
    """The worker's step: one export at a time, in a process of its own, so that stamping and
    anchoring never wait for it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._pool: ProcessPoolExecutor | None = None
        self._running: Future[None] | None = None

    def __call__(self) -> bool:
        if self._running is not None:
            if not self._running.done():
                return False
            failure, self._running = self._running.exception(), None
            if isinstance(failure, BrokenProcessPool):
                # Its row is taken again when it has been silent for long enough.
                log.error("the process that makes exports died")
                self.close()
        taken = take_export(self._store, SystemClock().now())
        if taken is None:
            return False
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1,
                mp_context=get_context("spawn"),
                initializer=begin_process,
                max_tasks_per_child=1,  # memory goes back, and a key in a token is opened anew
            )
        path = exports_folder(self._settings) / file_name(taken.id, taken.kind)
        self._running = self._pool.submit(_run, self._settings.folder, taken, path)
        return False

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def sweep_exports(settings: Settings, store: Store, now: datetime) -> bool:
    """A step for the worker: takes away files that are old, were removed, or belong to nobody."""
    may_stay = expire(store, now)
    folder = exports_folder(settings)
    for path in folder.iterdir():
        if path.name.partition(".")[0] not in may_stay:
            with suppress(FileNotFoundError):
                path.unlink()
    return False

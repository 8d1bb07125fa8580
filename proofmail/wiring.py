"""The only file that knows every room: builds each process of the service from its settings."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TextIO

from anchoring.devchain import DevChain
from anchoring.known_drift import known_drift
from anchoring.ledger_steps import Anchoring, Bounds, anchor_step, batch_step
from anchoring.ledger_watch import watch_step
from anchoring.revocation import Fetch, revocation_step
from anchoring.stamping import StampPlan, stamp_step
from anchoring.status_fetch import fetch
from proofmail import setup
from proofmail.accounts.organisations import list_organisations
from proofmail.accounts.trail import check_trail
from proofmail.config import Settings, read_settings, with_places
from proofmail.core.canonical import encode
from proofmail.errors import CheckFailed, Misconfigured
from proofmail.export_step import ExportStep, exports_folder, sweep_exports
from proofmail.folder import (
    SystemClock,
    all_desks,
    anchor_signer,
    built_in_authority,
    open_ledger,
    own_trust,
    service_key,
)
from proofmail.ports import Ledger
from proofmail.serve import part_lifetime, say_ready
from proofmail.store import anchors, conditions
from proofmail.store.engine import Store, open_store
from proofmail.store.erasing import sweep
from proofmail.store.fsck import fsck
from proofmail.store.leases import release_lease, take_lease
from proofmail.verify.plain import plain
from proofmail.verify.trust import Trust, key_id
from proofmail.worker import Step, run_steps

log = logging.getLogger("proofmail")

STAMP_PAUSE_SECONDS = 0.2
TRUST_PAUSE_SECONDS = 2.0
HTTP_CONNECTIONS = 500
SWEEP_PAUSE_SECONDS = 60.0
EXPORT_PAUSE_SECONDS = 1.0
EXPORT_SWEEP_PAUSE_SECONDS = 15.0
REVOCATION_PAUSE_SECONDS = 15.0
GRACE_SECONDS = 10.0


class _TrustFile:
    """Keeps DIR/trust.json up with the blocks that became final; also made by `init`."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._written: dict[int, list[bytes]] | None = None

    def refresh(self) -> bool:
        """A step for the worker; says that nothing more waits."""
        blocks = anchors.blocks(self._store)
        if blocks != self._written:
            path = self._settings.path(setup.TRUST_FILE)
            temporary = path.with_suffix(".new")
            temporary.write_bytes(
                encode(own_trust(self._settings, blocks, anchors.senders(self._store)).to_json())
                + b"\n"
            )
            # Whole or not at all; if we die before this line the next run writes it.
            os.replace(temporary, path)
            self._written = blocks
        return False


def initialise(folder: Path, options: setup.InitOptions) -> setup.Made:
    """Sets up a data folder and writes its trust file."""
    made = setup.initialise(folder, options)
    settings = read_settings(folder)
    store = open_store(settings.database_url)
    try:
        _TrustFile(settings, store).refresh()
    finally:
        store.close()
    return made


# --- worker --------------------------------------------------------------------------------


class _Leases:
    """Leases in the store; asks it only when half of the time is gone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._holder = secrets.token_hex(8)
        self._until: dict[str, float] = {}

    def take(self, step: str, seconds: float) -> bool:
        if time.monotonic() < self._until.get(step, 0.0):
            return True
        asked = time.monotonic()
        if not take_lease(self._store, step, self._holder, datetime.now(UTC), seconds):
            return False
        self._until[step] = asked + seconds / 2
        return True

    def release(self, step: str) -> None:
        self._until.pop(step, None)
        release_lease(self._store, step, self._holder)


def _plan(settings: Settings) -> StampPlan:
    chosen = settings.stamping
    return StampPlan(chosen.tokens_per_record, chosen.hedge_seconds, chosen.tree_seconds)


def _status_fetch(settings: Settings) -> Fetch:
    networks = settings.stamping.revocation_networks
    return partial(fetch, near=[ipaddress.ip_network(network) for network in networks])


def _run_worker(settings: Settings, over: threading.Event) -> None:
    with ExitStack() as opened:
        store = open_store(settings.database_url)
        opened.callback(store.close)
        ledger = open_ledger(settings, _node_conditions(store))
        if isinstance(ledger, DevChain):
            opened.callback(ledger.close)
        export = ExportStep(settings, store)
        opened.callback(export.close)
        steps = _worker_steps(settings, store, ledger, export)
        say_ready()
        run_steps(steps, _Leases(store), over)


def _node_conditions(store: Store) -> Callable[[int, str], None]:
    """Keeps which node is set aside, or that they disagree: told by its number, never its address,
    which may hold a key."""
    clock = SystemClock()

    def report(number: int, why: str) -> None:
        name = "ledger.node" if number else "ledger.nodes-disagree"
        if why:
            log.warning("node %d of the ledger: %s", number, why)
            conditions.note(store, name, str(number), {"why": why}, clock.now())
        else:
            conditions.clear(store, name, str(number))

    return report


def _worker_steps(
    settings: Settings, store: Store, ledger: Ledger, export: ExportStep
) -> list[Step]:
    """What the worker does over and over, each with its pause in seconds when there is no more."""
    clock = SystemClock()
    bounds = Bounds(
        settings.ledger.max_fee_per_gas_wei,
        settings.ledger.daily_budget_wei or None,
        timedelta(seconds=settings.ledger.replace_after_seconds),
    )
    parts = Anchoring(store, ledger, anchor_signer(settings), clock, bounds)
    age, most = settings.batches.max_age_seconds, settings.batches.max_records
    pause = settings.ledger.poll_seconds if settings.ledger.rpc_url else 0.5
    desks = all_desks(settings, known_drift(store, clock))
    tokens, ask = own_trust(settings, {}).tokens, _status_fetch(settings)
    return [
        Step("stamp", stamp_step(store, desks, clock, _plan(settings)), STAMP_PAUSE_SECONDS),
        Step("batch", batch_step(store, settings.log, clock, most, age), min(1.0, age / 2)),
        Step("anchor", anchor_step(parts), pause),
        Step("watch", watch_step(parts), pause),
        Step("revocation", revocation_step(store, tokens, clock, ask), REVOCATION_PAUSE_SECONDS),
        Step("trust", _TrustFile(settings, store).refresh, TRUST_PAUSE_SECONDS),
        Step("export", export, EXPORT_PAUSE_SECONDS),
        Step(
            "sweep-exports",
            lambda: sweep_exports(settings, store, clock.now()),
            EXPORT_SWEEP_PAUSE_SECONDS,
        ),
        Step("sweep", lambda: sweep(store, clock.now()) and False, SWEEP_PAUSE_SECONDS),
    ]


# --- web and dossiers ----------------------------------------------------------------------


def _kept_trust(settings: Settings, store: Store) -> Callable[[], Trust]:
    """This installation's trust, put together anew only when another block became final: every
    page of a record asks for it."""
    lock = threading.Lock()
    kept: list[tuple[dict[int, list[bytes]], Trust]] = []

    def trust() -> Trust:
        blocks = anchors.blocks(store)
        with lock:
            if not kept or kept[0][0] != blocks:
                kept[:] = [(blocks, own_trust(settings, blocks, anchors.senders(store)))]
            return kept[0][1]

    return trust


def _run_web(settings: Settings, over: threading.Event) -> None:
    # Here, since the worker has no use for them.
    import uvicorn

    from proofmail.dossiers import DossierProcess
    from proofmail.web.app import make_app
    from proofmail.web.services import Services

    store = open_store(settings.database_url)
    dossiers = DossierProcess(settings.folder, settings.dossiers.timeout_seconds)
    stamp: Callable[[bytes], bytes] | None = None
    if settings.built_in_authority:
        stamp = built_in_authority(settings, known_drift(store, SystemClock())).respond
    app = make_app(
        Services(
            store=store,
            clock=SystemClock(),
            trust=_kept_trust(settings, store),
            dossier=dossiers.make,
            exports=exports_folder(settings),
            stamp=stamp,
            public_url=settings.http.public_url,
            built_in_authority=settings.built_in_authority,
            development_chain=not settings.ledger.rpc_url,
            daily_budget_wei=settings.ledger.daily_budget_wei or None,
        )
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=settings.http.host, port=settings.http.port, log_level="warning",
            access_log=False, server_header=False, timeout_graceful_shutdown=int(GRACE_SECONDS),
            proxy_headers=settings.http.behind_proxy, limit_concurrency=HTTP_CONNECTIONS,
            log_config=None,  # its own would write tracebacks, which quote, past our filter
        )
    )  # fmt: skip
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]

    async def run() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        if server.started:
            host, port = server.servers[0].sockets[0].getsockname()[:2]
            say_ready(http=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        while not over.is_set() and not serving.done():
            await asyncio.sleep(0.1)
        server.should_exit = True
        await serving

    try:
        asyncio.run(run())
    except SystemExit:  # uvicorn's way to say that it cannot listen
        port = settings.http.port
        raise Misconfigured(f"cannot listen for HTTP on port {port}") from None
    finally:
        dossiers.close()
        store.close()


# --- entries for the command line ----------------------------------------------------------


def run_part(name: str, folder: Path, http: str) -> int:
    """The worker's or the pages' process, until its supervisor ends."""
    settings = with_places(read_settings(folder), "", "", http)
    over = part_lifetime()
    if name == "worker":
        _run_worker(settings, over)
    else:
        _run_web(settings, over)
    return 0


def run_fsck(folder: Path, out: TextIO) -> int:
    """Derives again all that can be; 0 if nothing disagrees."""
    settings = read_settings(folder)
    store = open_store(settings.database_url)
    faults = open_questions = 0
    spki = service_key(settings)
    try:
        for finding in fsck(store, {key_id(spki): spki}):
            faults += finding.level == "fault"
            open_questions += finding.level != "fault"
            print(plain(f"{finding.level}: {finding.subject}: {finding.text}"), file=out)
        for organisation in list_organisations(store):
            try:
                check_trail(store, organisation.id)
            except CheckFailed as error:
                faults += 1
                print(f"fault: organisation {organisation.id}: {error}", file=out)
    finally:
        store.close()
    print(f"{faults} faults, {open_questions} things that could not be checked", file=out)
    return 1 if faults else 0

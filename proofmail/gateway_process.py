"""The gateway's process: builds it from the settings, and leads each message to the intake.

Apart from :mod:`proofmail.wiring`, since there are several of these processes, and pages, ledgers
and dossiers would take the memory and the start of each.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from proofmail import setup
from proofmail.accounts.directory import Directory
from proofmail.config import Settings, read_settings
from proofmail.core.scan import Scanner
from proofmail.errors import TryLater
from proofmail.folder import SystemClock, secret_file, secret_key
from proofmail.intake import Arrival, Intake, load_signer
from proofmail.serve import part_lifetime, say_ready
from proofmail.store.engine import open_store
from smtp_gateway.board import Board
from smtp_gateway.contract import Envelope
from smtp_gateway.gateway import Gateway, tls_context
from smtp_gateway.limits import Limits

log = logging.getLogger("proofmail")

DIRECTORY_REFRESH_SECONDS = 5.0
GRACE_SECONDS = 10.0
QUICK_BYTES = 128 * 1024
"""What a hostile header of this size costs (a tenth of a second) the other sessions can wait for;
a larger mail is finished beside them."""


class _Decisions:
    """Brings what the intake's writer decided to the event loop, which it wakes once for a whole
    group: once for each mail would cost more than the mail's own statements."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._decided: list[tuple[asyncio.Future[str], Future[str]]] = []

    async def submit(self, arrival: Arrival, *, beside: bool) -> str:
        """The record's id once it is durable. `beside`: it is sealed in another thread."""
        submit = self._intake.submit
        decided = await asyncio.to_thread(submit, arrival) if beside else submit(arrival)
        waiting: asyncio.Future[str] = self._loop.create_future()
        decided.add_done_callback(lambda done: self._note(waiting, done))
        return await waiting

    def _note(self, waiting: asyncio.Future[str], done: Future[str]) -> None:
        with self._lock:
            self._decided.append((waiting, done))
            first = len(self._decided) == 1
        if first:
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        with self._lock:
            decided, self._decided = self._decided, []
        for waiting, done in decided:
            if waiting.done():
                continue  # cancelled: nobody waits any more
            error = done.exception()
            if error is None:
                waiting.set_result(done.result())
            else:
                waiting.set_exception(error)


class _Reception:
    """One message on its way from the gateway to intake: scanned as it comes, never kept."""

    def __init__(self, decisions: _Decisions, envelope: Envelope) -> None:
        self._decisions, self._envelope = decisions, envelope
        self._scanner: Scanner | None = Scanner()
        self._bytes = 0

    def feed(self, chunk: bytes) -> None:
        self._bytes += len(chunk)
        if self._scanner is not None:
            self._scanner.feed(chunk)

    async def finish(self) -> str:
        if self._scanner is None:
            raise TryLater("this message was given up")
        scanner, self._scanner = self._scanner, None
        large = self._bytes > QUICK_BYTES
        scan = await asyncio.to_thread(scanner.finish) if large else scanner.finish()
        seen = self._envelope
        arrival = Arrival(
            organisation=seen.organisation,
            peer=seen.peer,
            helo=seen.helo,
            tls=seen.tls,
            mail_from=seen.mail_from,
            recipients=seen.recipients,
            listed=seen.listed,
            scan=scan,
        )
        return await self._decisions.submit(arrival, beside=large)

    def abandon(self) -> None:
        self._scanner = None


class Desk:
    """Answers the gateway from the directory's snapshot and the listed relay networks."""

    def __init__(self, directory: Directory, intake: Intake, networks: tuple[str, ...]) -> None:
        self._directory, self._decisions = directory, _Decisions(intake)
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def organisation_of(self, recipient: str) -> str | None:
        return self._directory.organisation_of(recipient)

    def listed(self, organisation: str, mail_from: str, peer: str) -> bool:
        return self._is_relay(peer) and self._directory.is_listed_sender(organisation, mail_from)

    def _is_relay(self, peer: str) -> bool:
        if not peer:  # a Unix socket: only who may write to it gets here
            return True
        address = ipaddress.ip_address(peer)
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)

    def open(self, envelope: Envelope) -> _Reception:
        return _Reception(self._decisions, envelope)


@dataclass(frozen=True)
class Seat:
    """What a gateway process inherits: its number among `processes`, and the descriptors of the
    board and of the doors."""

    number: int = 0
    processes: int = 1
    board: int | None = None
    smtp_doors: Sequence[int] = ()
    lmtp_doors: Sequence[int] = ()


async def _run(settings: Settings, seat: Seat, over: threading.Event) -> None:
    store = open_store(settings.database_url)
    directory = Directory(store)
    directory.refresh()
    intake = Intake(
        store,
        settings.log,
        load_signer(secret_file(settings, setup.SERVICE_KEY)),
        secret_key(settings, setup.STORE_KEY),
        SystemClock(),
    )
    smtp = settings.smtp
    tls = None
    if smtp.certificate:
        tls = tls_context(settings.path(smtp.certificate), settings.path(smtp.certificate_key))
    limits = Limits(message_bytes=smtp.size_limit_bytes, relay_networks=smtp.relay_networks)
    gateway = Gateway(
        Desk(directory, intake, smtp.relay_networks),
        hostname=smtp.hostname, limits=limits, tls=tls,
        board=Board(limits, seat.board, seat.number, seat.processes),
    )  # fmt: skip
    try:
        for descriptors, lmtp in ((seat.smtp_doors, False), (seat.lmtp_doors, True)):
            gateway.listen([socket.socket(fileno=number) for number in descriptors], lmtp=lmtp)
        say_ready()
        refreshed = time.monotonic()
        while not over.is_set():
            await asyncio.sleep(0.1)
            if time.monotonic() - refreshed > DIRECTORY_REFRESH_SECONDS:
                refreshed = time.monotonic()
                try:
                    await asyncio.to_thread(directory.refresh)
                except TryLater:
                    log.warning("the directory could not be read; the old one stays")
    finally:
        await gateway.stop(GRACE_SECONDS)
        await asyncio.to_thread(intake.close)
        store.close()


def run_gateway(folder: Path, seat: Seat) -> int:
    """One gateway process, until its supervisor ends."""
    settings = read_settings(folder)
    asyncio.run(_run(settings, seat, part_lifetime()))
    return 0

"""`proofmail strengthen`: more witnesses for records that are kept already."""

from __future__ import annotations

import secrets
import time as clock_time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from anchoring.desks import Desk
from anchoring.evm_signing import gas_limit
from anchoring.restamping import Manner, restamp
from proofmail.accounts.organisations import list_organisations
from proofmail.config import Settings, read_settings
from proofmail.errors import Misconfigured
from proofmail.folder import SystemClock, all_desks
from proofmail.store.engine import Store, open_store
from proofmail.store.leases import release_lease, take_lease
from proofmail.store.pages import day_start
from proofmail.store.stamps import Window
from proofmail.store.strengthening import request_anchors
from proofmail.verify.plain import plain

LEASE = "strengthen-tokens"
LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class StrengthenOptions:
    """What is to be done. Days are those of the first organisation's time zone; empty: all."""

    tokens: bool = False
    anchors: bool = False
    authority: str = ""
    tree: bool = False
    since: str = ""
    until: str = ""


def run_strengthen(folder: Path, options: StrengthenOptions, out: TextIO) -> int:
    """Does, or asks the service for, all that the options say."""
    if not options.tokens and not options.anchors:
        raise Misconfigured("say what to add: --tokens or --anchors")
    settings = read_settings(folder)
    store = open_store(settings.database_url)
    try:
        window = _window(store, options)
        if options.tokens:
            _tokens(store, settings, options, window, out)
        if options.anchors:
            _anchors(store, settings, out)
    finally:
        store.close()
    return 0


def _anchors(store: Store, settings: Settings, out: TextIO) -> None:
    """Asks; the running service does the work, behind its new batches and within its budget."""
    if not settings.ledger.rpc_url:
        raise Misconfigured("the development chain proves nothing: name a node in the settings")
    chain = settings.ledger.chain_id
    found = request_anchors(store, chain, SystemClock().now())
    print(
        f"{found.final} of {found.wanted} batches have a final anchor on chain {chain}, "
        f"{found.anchored - found.final} one that is not final yet",
        file=out,
    )
    if found.left:
        most = found.left * gas_limit(bytes([255]) * 32) * settings.ledger.max_fee_per_gas_wei
        budget = settings.ledger.daily_budget_wei
        bound = f", at most {budget} wei a day" if budget else ""
        print(
            f"The running service makes the {found.left} missing ones, after its new batches. They "
            f"cost at most {most} wei{bound}. Run this again to see how far it is.",
            file=out,
        )


def _tokens(
    store: Store, settings: Settings, options: StrengthenOptions, window: Window, out: TextIO
) -> None:
    clock, holder = SystemClock(), secrets.token_hex(8)
    desk = _desk(settings, options.authority)
    if options.tree:
        desk = replace(desk, tree=True)

    def hold() -> bool:
        return take_lease(store, LEASE, holder, clock.now(), LEASE_SECONDS)

    def tell(done: int, left: int) -> None:
        print(f"{done} records done, {left} left", file=out, flush=True)
        hold()

    def sleep(seconds: float) -> None:
        print(f"{desk.name}: waiting {seconds:.0f} s", file=out, flush=True)
        clock_time.sleep(seconds)
        hold()

    # Two at once would harm nothing, and pay for every token twice.
    if not hold():
        raise Misconfigured("another 'strengthen --tokens' is at work, or was until a minute ago")
    manner = Manner(settings.stamping.tokens_per_record, tell, sleep)
    try:
        done = restamp(store, desk, clock, window, manner)
    finally:
        release_lease(store, LEASE, holder)
    print(f"{done} records have one more token, of {plain(desk.name)}", file=out)


def _desk(settings: Settings, name: str) -> Desk:
    """The authority of this name; without a name, the first outside one."""
    desks = all_desks(settings)
    if name:
        for desk in desks:
            if desk.name == name:
                return desk
        raise Misconfigured("no authority of this name is in the settings")
    if desks[0].built_in:
        raise Misconfigured("no outside authority is in the settings: list one, or name one")
    return desks[0]


def _window(store: Store, options: StrengthenOptions) -> Window:
    organisations = list_organisations(store)
    zone = ZoneInfo(organisations[0].zone if organisations else "UTC")
    return Window(day_start(options.since, zone), day_start(options.until, zone, 1))

"""`proofmail case` and `proofmail archive`: many records in one file, with progress on stderr."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from proofmail.accounts.organisations import Organisation, list_organisations
from proofmail.config import read_settings
from proofmail.core.case import MAX_TITLE
from proofmail.errors import Misconfigured
from proofmail.exports import make_export, open_house
from proofmail.store.engine import Store, open_store
from proofmail.store.pages import Filter, day_start
from proofmail.store.wanted import Wanted

TELL_SECONDS = 1.0


def run_export_command(options: argparse.Namespace) -> int:
    """Makes the file that the options say; returns the exit status. The service may run
    meanwhile. Interrupted, it leaves nothing behind."""
    settings = read_settings(options.folder)
    out: Path = options.out
    if out.exists():
        raise Misconfigured("the file given with --out exists already")
    store = open_store(settings.database_url)
    try:
        organisation = _organisation(store, options.organisation)
        wanted = _wanted(options, organisation)
        house = open_house(settings, store, organisation)
        if verifier_file := getattr(options, "verifier", None):
            verifier = {verifier_file.name: verifier_file.read_bytes()}
            house = replace(house, verifier=verifier)
        teller = _Teller()
        count = make_export(house, wanted, out, teller.tell)
    finally:
        store.close()
    print(f"{count} records, {out.stat().st_size} bytes", file=sys.stderr)
    return 0


class _Teller:
    """Progress: over one line on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._told = 0.0

    def tell(self, done: int, total: int) -> None:
        terminal = sys.stderr.isatty()
        pause = TELL_SECONDS if terminal else 10 * TELL_SECONDS
        if done not in (0, total) and time.monotonic() - self._told < pause:
            return
        self._told = time.monotonic()
        end = "\r" if terminal and done != total else "\n"
        # A case of a thousand records takes half a minute more from here.
        rest = "; now the file is finished and read back" if done == total else ""
        print(f"{done} of {total} records{rest}", end=end, file=sys.stderr, flush=True)


def _organisation(store: Store, chosen: str) -> Organisation:
    found = list_organisations(store)
    if chosen:
        found = [item for item in found if chosen in (item.id, item.name)]
    if len(found) != 1:
        raise Misconfigured("say with --organisation which one is meant, by its id or name")
    return found[0]


def _wanted(options: argparse.Namespace, organisation: Organisation) -> Wanted:
    zone = ZoneInfo(organisation.zone)
    only = Filter(
        options.state or None,
        options.kind or None,
        options.text,
        day_start(options.since, zone),
        day_start(options.until, zone, 1),
        options.label,
        options.thread,
    )
    title = getattr(options, "title", "")
    if len(title) > MAX_TITLE:
        raise Misconfigured(f"a title has at most {MAX_TITLE} characters")
    chosen = options.language or organisation.language
    language: Literal["fr", "en"] = "fr" if chosen == "fr" else "en"
    return Wanted(options.command, language, title, only, tuple(options.id))

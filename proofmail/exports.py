"""Many records at once: case dossiers and archives, from the command line and in the background.

Records are taken one by one and let go. The file grows under another name and gets its own when it
is whole and was read back. Whoever dies on the way leaves a `.part` behind: of an archive made in
the background it has a journal (`dossier.portable_kept`), and the next one goes on from there; any
other is taken away by the next one, or by the sweep.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from dossier.case import CaseOptions, Judged, make_case
from dossier.make import DossierOptions, make_dossier
from dossier.portable import NOT_RESUMED, Extras, Filed, Resume, write_archive
from dossier.portable_kept import KEEP_EVERY, count_kept
from dossier.seal import Sealer
from proofmail import __version__
from proofmail.accounts.organisations import Organisation, get_organisation
from proofmail.config import Settings, read_settings
from proofmail.core.canonical import encode
from proofmail.core.case import MAX_PROOFS
from proofmail.errors import (
    CheckFailed,
    Misconfigured,
    ProofmailError,
    Refused,
    TryLater,
    Unreadable,
)
from proofmail.folder import SystemClock, own_trust
from proofmail.sealer import open_sealer
from proofmail.store import anchors
from proofmail.store.engine import Store, open_store
from proofmail.store.exports import Export, beat, fail, finish
from proofmail.store.pages import list_records
from proofmail.store.proofs import assemble
from proofmail.store.records import StoredRecord, get_record
from proofmail.store.wanted import Wanted, read_wanted
from proofmail.verify.checks import verify_proof
from proofmail.verify.trust import Trust
from proofmail.web.verifier_page import read_verifier

log = logging.getLogger("proofmail")

MAX_ARCHIVED = 100_000
VERIFIER_FILES = ("proofmail.pyz", "proofmail-verifier.zip")
"""Looked for in the data folder: put there by whoever wants archives to carry the verifier."""
TELL_SECONDS = 2.0
Progress = Callable[[int, int], None]
"""Records done, and records in all."""


@dataclass(frozen=True)
class House:
    """What exports are made with."""

    store: Store
    organisation: Organisation
    trust: Trust
    sealer: Sealer
    check_address: str
    verifier: Mapping[str, bytes]
    verifier_page: bytes


def open_house(settings: Settings, store: Store, organisation: Organisation) -> House:
    verifier = {
        name: path.read_bytes()
        for name in VERIFIER_FILES
        if (path := settings.path(name)).is_file()
    }
    return House(
        store,
        organisation,
        own_trust(settings, anchors.blocks(store), anchors.senders(store)),
        open_sealer(settings, store),
        settings.http.check_address,
        verifier,
        read_verifier(),
    )


def make_export(
    house: House, wanted: Wanted, path: Path, progress: Progress, *, resumes: bool = False
) -> int:
    """Makes the file at `path`, for its owner's eyes alone; returns how many records it holds.

    Unreadable if nothing or too much was chosen; CheckFailed if something does not verify. Until
    it is whole its name ends in `.part`; if we die before the last line, that is what is left.
    With `resumes`, for an archive, its journal is left too, also when the file is whole, and the
    next call goes on from there. A case is made anew: its pages tell of all records together.
    """
    chosen = choose_records(house, wanted)
    part = path.with_name(path.name + ".part")
    resume = _resume(path, part, chosen) if resumes and wanted.kind == "archive" else NOT_RESUMED
    if not resume.count:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        progress(resume.count, len(chosen))
        if wanted.kind == "case":
            _write_case(house, wanted, chosen, part, progress)
        else:
            _write_archive(house, wanted, chosen, (part, resume), progress)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException as error:
        if not resumes or isinstance(error, Exception):
            discard(path)
        raise
    return len(chosen)


def _journal(path: Path) -> Path:
    return path.with_name(path.name + ".journal")


def _resume(path: Path, part: Path, chosen: list[str]) -> Resume:
    """What a dead one left, as far as it is of the records chosen now: behind one that was erased
    since, or is chosen no longer, nothing is taken over."""
    if path.exists() and not part.exists():
        path.replace(part)  # whole, and not told yet: only what follows the dossiers is made again
    maker = f"proofmail {__version__}"
    return Resume(_journal(path), count_kept(_journal(path), part, chosen, maker), maker)


def discard(path: Path) -> None:
    """Takes away all that there is of an export."""
    for made in (path.with_name(path.name + ".part"), _journal(path), path):
        made.unlink(missing_ok=True)


def choose_records(house: House, wanted: Wanted) -> list[str]:
    """The ids, oldest first, of what is not erased."""
    most = MAX_PROOFS if wanted.kind == "case" else MAX_ARCHIVED
    store, organisation = house.store, house.organisation.id
    if wanted.ids:
        rows = [_row(store, organisation, item) for item in dict.fromkeys(wanted.ids)]
        chosen = sorted(rows, key=lambda row: (row.received_at, row.sequence))
        found = [row.id for row in chosen]
    else:
        found = list(_found(store, organisation, wanted, most))[::-1]
    if not found:
        raise Unreadable("no record was found: nothing is made")
    if len(found) > most:
        raise Unreadable(f"more than {most} records were found: choose fewer")
    return found


def _row(store: Store, organisation: str, record_id: str) -> StoredRecord:
    row = get_record(store, organisation, record_id)
    if row is None or row.erased_at is not None:
        raise Unreadable("a record that was asked for does not exist, or was erased")
    return row


def _found(store: Store, organisation: str, wanted: Wanted, most: int) -> Iterator[str]:
    """Newest first, one more than may be at most."""
    only = wanted.only
    if wanted.kind == "case" and only.kind is None:
        only = replace(only, kind="message")
    cursor: str | None = None
    count = 0
    while count <= most:
        page = list_records(store, organisation, limit=500, before=cursor, only=only)
        for row in page.items:
            if row.erased_at is None:
                count += 1
                yield row.id
        cursor = page.next
        if cursor is None:
            return


def _judged(
    house: House, chosen: list[str], progress: Progress, start: int = 0
) -> Iterator[tuple[StoredRecord, Judged]]:
    for number, record_id in enumerate(chosen[start:], start):
        progress(number, len(chosen))
        row = _row(house.store, house.organisation.id, record_id)
        proof = assemble(house.store, house.organisation.id, record_id, house.trust.lists)
        report = verify_proof(proof, house.trust)
        yield row, Judged(proof, report, row.state == "final" and row.stamped)
    progress(len(chosen), len(chosen))


def _write_case(
    house: House, wanted: Wanted, chosen: list[str], part: Path, progress: Progress
) -> None:
    options = CaseOptions(
        wanted.language, ZoneInfo(house.organisation.zone), house.organisation.name,
        wanted.title, house.check_address,
    )  # fmt: skip
    records = (judged for _, judged in _judged(house, chosen, progress))
    part.write_bytes(make_case(records, options, house.sealer))


def _write_archive(
    house: House, wanted: Wanted, chosen: list[str], place: tuple[Path, Resume], progress: Progress
) -> None:
    part, resume = place

    def filed() -> Iterator[Filed]:
        for row, judged in _judged(house, chosen, progress, resume.count):
            dossier = b""
            if not judged.report.failed:  # the index says which ones have none
                options = DossierOptions(
                    wanted.language, ZoneInfo(house.organisation.zone), house.organisation.name,
                    judged.final, house.check_address,
                )  # fmt: skip
                dossier = make_dossier(judged.proof, judged.report, options, house.sealer)
            yield Filed(row.id, judged.proof, judged.report, judged.final, dossier)

    trust = encode(house.trust.to_json())
    write_archive(part, filed(), Extras(trust, house.verifier, house.verifier_page), resume)


# --- in the background -----------------------------------------------------------------------


def run_export(folder: Path, taken: Export, path: Path) -> None:
    """Makes one export that was taken, at `path`; runs in a process of its own. What goes wrong is
    told in its row, in a sentence for the one who asked."""
    settings = read_settings(folder)
    store = open_store(settings.database_url)
    clock = SystemClock()
    export_id = taken.id
    told, began = 0.0, -1

    def progress(done: int, total: int) -> None:
        nonlocal told, began
        began = done if began < 0 else began
        if time.monotonic() - told < TELL_SECONDS:
            return
        told = time.monotonic()
        kept = taken.kind == "archive" and done - began > KEEP_EVERY
        if not beat(store, export_id, done, total, clock.now(), kept=kept):
            raise _NotWanted

    try:
        organisation = get_organisation(store, taken.organisation)
        if organisation is None:
            raise Unreadable("the organisation does not exist any more")
        house = open_house(settings, store, organisation)
        wanted = read_wanted(taken.kind, taken.request)
        count = make_export(house, wanted, path, progress, resumes=True)
        size, digest = _measured(path)
        told = 0.0
        progress(count, count)
        # If we die before this line, the export is taken again: an archive is read back once more,
        # a case made anew. If we die behind it, the sweep takes the journal with the file.
        if not finish(store, export_id, size, digest, clock.now()):
            raise _NotWanted
        _journal(path).unlink(missing_ok=True)
    except _NotWanted:
        discard(path)
    except Exception as error:
        fail(store, export_id, _problem(error), clock.now())
    finally:
        store.close()


def _problem(error: Exception) -> str:
    """For the one who asked. Exceptions of libraries can quote what they were given: of them only
    the kind is logged."""
    if isinstance(error, (Refused, Unreadable)):
        return str(error)
    if isinstance(error, TryLater):
        return "something that is needed did not answer; try again later"
    if isinstance(error, CheckFailed):
        return "a proof does not verify: tell the service's operator"
    if isinstance(error, Misconfigured):
        log.error("an export failed: %s", error)
        return "the service is not set up to make it: tell its operator"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        log.error("an export failed: there is no room for it")
        return "there is no room for it: tell the service's operator"
    log.error("an export failed: %s", type(error).__name__)
    return "the service failed to make it"


class _NotWanted(ProofmailError):
    """Removed while it was made."""


def _measured(path: Path) -> tuple[int, bytes]:
    found = sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            found.update(piece)
        return stream.tell(), found.digest()

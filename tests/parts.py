"""Finds the programs that some tests run as judges or as peers; without one, the test is skipped.

With PROOFMAIL_REQUIRE_PARTS=1, as on the build machine, a missing part fails the test instead.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Part:
    """How a part is found: variable, then places under the project, then names on the PATH."""

    variable: str
    commands: tuple[str, ...]
    cure: str
    places: tuple[str, ...] = field(default=())


PARTS = {
    "anvil": Part(
        "PROOFMAIL_ANVIL",
        ("anvil",),
        "npm install --no-save --prefix .tools/anvil @foundry-rs/anvil",
        (".tools/anvil/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil",),
    ),
    "openssl": Part("PROOFMAIL_OPENSSL", ("openssl",), "apt-get install openssl"),
    "postfix": Part(
        "PROOFMAIL_POSTFIX",
        ("postfix", "/usr/sbin/postfix"),
        "apt-get install postfix",
    ),
    # Debian's packages of Exim and Postfix exclude each other: only the program is taken out.
    "exim4": Part(
        "PROOFMAIL_EXIM4",
        ("exim4", "/usr/sbin/exim4"),
        "dpkg -x the package exim4-daemon-light into .tools/exim, as .ci/run does",
        (".tools/exim/usr/sbin/exim4",),
    ),
    "dovecot": Part(
        "PROOFMAIL_DOVECOT",
        ("dovecot", "/usr/sbin/dovecot"),
        "apt-get install dovecot-core dovecot-lmtpd",
    ),
    "swaks": Part("PROOFMAIL_SWAKS", ("swaks",), "apt-get install swaks"),
    "pdfsig": Part("PROOFMAIL_PDFSIG", ("pdfsig",), "apt-get install poppler-utils"),
    "chromium": Part(
        "PROOFMAIL_CHROMIUM",
        ("chromium", "chromium-browser", "google-chrome"),
        "apt-get install chromium",
    ),
    "java": Part("PROOFMAIL_JAVA", ("java",), "apt-get install openjdk-17-jdk-headless"),
    "softhsm": Part("PROOFMAIL_SOFTHSM", ("softhsm2-util",), "apt-get install softhsm2"),
    "cc": Part("PROOFMAIL_CC", ("cc", "gcc"), "apt-get install gcc python3-dev"),
    "node": Part("PROOFMAIL_NODE", ("node", "nodejs"), "apt-get install nodejs"),
}


def find(part: str) -> Path | None:
    """The executable of this part, or None. A variable that is set is the only place looked at."""
    entry = PARTS[part]
    named = os.environ.get(entry.variable)
    if named:
        found = shutil.which(named)
        return Path(found) if found else None
    candidates = [str(PROJECT / place) for place in entry.places] + list(entry.commands)
    return next((Path(hit) for hit in map(shutil.which, candidates) if hit), None)


def need(part: str) -> Path:
    """The executable of this part; skips the calling test, or fails it, when there is none."""
    found = find(part)
    if found is None:
        give_up(f"needs {part}: {PARTS[part].cure}, or name it in {PARTS[part].variable}")
    return found


def give_up(text: str) -> NoReturn:
    """Skips the calling test for want of something, or fails it where all must be there."""
    if os.environ.get("PROOFMAIL_REQUIRE_PARTS") == "1":
        pytest.fail(text)
    pytest.skip(text)

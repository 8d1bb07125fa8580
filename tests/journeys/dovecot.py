"""A real Dovecot of our own, on loopback, in a folder of its own: LMTP into Maildirs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.net import free_port, wait_until_it_greets
from tests.parts import need

CONFIG = """\
protocols = lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
hostname = dovecot.example
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%n allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""


@dataclass(frozen=True)
class Dovecot:
    folder: Path
    port: int

    def maildir(self, user: str) -> Path:
        """The Maildir of this user: all that was delivered to them."""
        return self.folder / "mail" / user

    def log(self) -> str:
        path = self.folder / "dovecot.log"
        return path.read_text() if path.exists() else ""


@contextmanager
def private_dovecot() -> Iterator[Dovecot]:
    """Runs a Dovecot that takes mail for anybody over LMTP; skips the calling test where it
    cannot run. Stopped, and its folder removed, at the end."""
    command = need("dovecot")
    if os.geteuid() != 0:
        pytest.skip("needs root: Dovecot starts as root")
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    dovecot = Dovecot(folder, free_port())
    try:
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "nobody", "nogroup")
        (folder / "dovecot.conf").write_text(CONFIG.format(folder=folder, port=dovecot.port))
        call = [str(command), "-F", "-c", str(folder / "dovecot.conf")]
        with (
            (folder / "out").open("wb") as out,
            subprocess.Popen(call, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as process,
        ):
            try:
                wait_until_it_greets(
                    dovecot.port, lambda: (folder / "out").read_text() + dovecot.log()
                )
                yield dovecot
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder)

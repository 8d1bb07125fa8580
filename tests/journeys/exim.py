"""A real Exim of our own, on loopback, in a folder of its own: takes mail, hands it on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.net import free_port, wait_until_it_greets
from tests.parts import give_up, need

# Every mail goes to the next hop. Lines of more than 998 octets are handed on as they are, where
# the default is to bounce the mail.
CONFIG = """\
primary_hostname = exim.example
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
disable_ipv6
keep_environment =
queue_only
acl_smtp_rcpt = accept
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
host_lookup =
tls_advertise_hosts =
begin routers
next:
  driver = manualroute
  transport = smtp
  route_list = * 127.0.0.1::{next_port}
  self = send
begin transports
smtp:
  driver = smtp
  hosts_try_fastopen =
  message_linelength_limit = 1000000
  allow_localhost
"""


@dataclass(frozen=True)
class Exim:
    command: Path
    folder: Path
    port: int

    def deliver(self) -> None:
        """Hands on what is queued, and returns when that is done. Run apart, as root: the daemon's
        own deliveries need a program that is set-uid root."""
        call = [str(self.command), "-C", str(self.folder / "exim.conf"), "-qff"]
        subprocess.run(call, check=True, capture_output=True, timeout=60)

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "log").iterdir()))


@contextmanager
def private_exim(next_port: int) -> Iterator[Exim]:
    """Runs an Exim that queues all mail, for 127.0.0.1:`next_port`; skips the calling test where
    it cannot run. Stopped, and its folder removed, at the end."""
    command = need("exim4")
    if os.geteuid() != 0:
        pytest.skip("needs root: Exim changes to its user")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="exim-"))
    folder.chmod(0o755)
    exim = Exim(command, folder, free_port())
    try:
        for name in ("spool", "log"):
            (folder / name).mkdir()
            os.chown(folder / name, user.pw_uid, user.pw_gid)
        config = CONFIG.format(folder=folder, port=exim.port, next_port=next_port)
        (folder / "exim.conf").write_text(config)
        call = [str(command), "-C", str(folder / "exim.conf"), "-bdf"]
        with (
            (folder / "out").open("wb") as out,
            subprocess.Popen(call, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as process,
        ):
            try:
                wait_until_it_greets(exim.port, lambda: (folder / "out").read_text() + exim.log())
                yield exim
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder)


def _user() -> pwd.struct_passwd:
    """The user that Debian's program is built for; its package makes it."""
    try:
        return pwd.getpwnam("Debian-exim")
    except KeyError:
        give_up("needs the user Debian-exim: useradd --system --user-group Debian-exim")

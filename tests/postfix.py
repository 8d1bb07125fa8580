"""A real Postfix of our own, on loopback, in a folder of its own; for tests and benches."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parts import need

# The daemons that receiving, queueing and delivering over LMTP or SMTP need; none in a chroot.
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A Postfix that runs: its SMTP port on 127.0.0.1, and its folder."""

    command: Path
    folder: Path
    port: int

    def queued(self) -> str:
        """The queue as postqueue lists it, a JSON object a line; "" when it is empty."""
        program = self.command.with_name("postqueue")
        return _run([str(program), "-c", str(self.folder / "etc"), "-j"])

    def log(self) -> str:
        with suppress(FileNotFoundError):
            return (self.folder / "log" / "mail.log").read_text()
        return ""


@contextmanager
def private_postfix(
    lmtp_port: int, *, domain: str = "proofs.example", settings: dict[str, str] | None = None
) -> Iterator[Postfix]:
    """Runs a Postfix that takes mail for `domain` from loopback and delivers it over LMTP to
    127.0.0.1:`lmtp_port`. `settings` are further lines of main.cf. Needs root, as Postfix does;
    skips the calling test without it. Stopped, and its folder removed, at the end."""
    command = need("postfix")
    if os.geteuid() != 0:
        pytest.skip("needs root: Postfix starts as root only")
    # Not pytest's tmp_path: its parents are closed to the user that the daemons run as.
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    postfix = Postfix(command, folder, _free_port())
    try:
        _write(postfix, lmtp_port, domain, settings or {})
        _run([str(command), "-c", str(folder / "etc"), "start"])
        try:
            _wait_until_it_greets(postfix)
            yield postfix
        finally:
            _run([str(command), "-c", str(folder / "etc"), "stop"])
    finally:
        shutil.rmtree(folder)


def _write(postfix: Postfix, lmtp_port: int, domain: str, settings: dict[str, str]) -> None:
    folder = postfix.folder
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "log"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix", "postfix")
    (folder / "data").chmod(0o700)
    main = {
        "compatibility_level": "3.6",
        "queue_directory": str(folder / "queue"),
        "data_directory": str(folder / "data"),
        "maillog_file": str(folder / "log" / "mail.log"),
        "maillog_file_prefixes": str(folder),
        "myhostname": "front.example",
        "mydestination": "",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "relay_domains": domain,
        "relay_transport": f"lmtp:inet:127.0.0.1:{lmtp_port}",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "message_size_limit": "0",
        "mailbox_size_limit": "0",
        **settings,
    }
    (folder / "etc" / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in main.items()))
    (folder / "etc" / "master.cf").write_text(MASTER.format(port=postfix.port))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_greets(postfix: Postfix) -> None:
    for _ in range(100):
        with (
            suppress(ConnectionError, TimeoutError),
            socket.create_connection(("127.0.0.1", postfix.port), timeout=5) as client,
        ):
            if client.recv(4).startswith(b"220"):
                client.sendall(b"QUIT\r\n")
                return
        time.sleep(0.05)
    raise RuntimeError("Postfix does not answer:\n" + postfix.log())


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout

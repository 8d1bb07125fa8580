"""What is logged: our own loggers' lines. Libraries quote what they were given, so their lines
are dropped but for their name and level, from warnings on."""

from __future__ import annotations

import logging
import sys


class _OwnLines(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "proofmail" or record.name.startswith("proofmail."):
            return True
        record.msg, record.args = "(a library's message, not shown)", None
        record.exc_info = record.exc_text = record.stack_info = None
        return record.levelno >= logging.WARNING


def log_to_stderr() -> None:
    """Sets the process's logging up: once, at its start."""
    # What a line does not show is not looked up: the caller's place costs as much as all the rest.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    handler.addFilter(_OwnLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # The libraries' level is the root's, so that a line of theirs that is dropped is never made.
    root.setLevel(logging.WARNING)
    logging.getLogger("proofmail").setLevel(logging.INFO)

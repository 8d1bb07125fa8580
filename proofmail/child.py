"""What a process that another one starts for its work does first."""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process

from proofmail.logs import log_to_stderr


def begin_process() -> None:
    """Left to itself, it would outlive a parent that was killed."""
    log_to_stderr()
    parent = parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True, name="lifetime").start()

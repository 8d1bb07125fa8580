"""Keeps Python's limit on recursion where it is.

web3 and py-evm raise it to 12,000 and to 100,000 when they are loaded. What a node answers is read
by functions in C that heed this limit and no other: JSON nested that deep would overrun the stack,
and end the whole process, as often as it is started anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = 1000
"""Python's own; our transactions call no contract, and tries are 64 nibbles deep."""


@contextmanager
def usual_recursion() -> Iterator[None]:
    """For importing such a library. Safe in several threads at once."""
    try:
        yield
    finally:
        sys.setrecursionlimit(min(USUAL, sys.getrecursionlimit()))

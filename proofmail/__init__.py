"""proofmail: evidence timestamping for mail."""

from proofmail.compiled import is_compiled

__version__ = "0.1.0"

COMPILED = is_compiled()
"""Whether the scanner runs compiled. Nothing but its speed depends on that."""

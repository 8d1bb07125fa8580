"""proofmail: evidence timestamping for mail."""

__version__ = "0.1.0"

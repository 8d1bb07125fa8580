"""A small family of errors, each named by what the caller does next.

Texts are safe to show to the outside: no class here ever carries content of a message, a key, a
path or a library's own words.
"""

from __future__ import annotations


class ProofmailError(Exception):
    """Base of the family; never raised itself."""


class Unreadable(ProofmailError):
    """The input is not what it claims to be: report it and give up on it (exit status 2)."""


class CheckFailed(ProofmailError):
    """A numbered check failed: the evidence is bad (exit status 1)."""


class NotChecked(ProofmailError):
    """A check cannot be judged under the trust given: say so, judge the rest (exit status 3)."""


class Refused(ProofmailError):
    """The peer asked for what it may not have: tell it, permanently; nothing was kept."""

    def __init__(self, text: str, *, code: int = 550, enhanced: str = "5.7.1") -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.enhanced = enhanced


class TryLater(ProofmailError):
    """The failure is ours or passing: nothing was lost, the same call may be repeated, but not
    before `after_seconds`, where a peer named a time."""

    def __init__(self, text: str, *, after_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.after_seconds = after_seconds


class Misconfigured(ProofmailError):
    """The operator has to act; the text says what to do next."""

"""What the gateway asks of the house. Wiring provides it, fakes in tests enforce the same words.

All of it is called in the gateway's event loop, in one thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Envelope:
    """The observed facts of one mail transaction (RFC 5321), before its content is read.

    `peer` is an IP address as text, or "" over a Unix socket. `tls` is "" without TLS, else a
    name such as "TLSv1.3". `mail_from` is "" for the null sender. `recipients` are the accepted
    addresses as given, in order, each once; all of them belong to `organisation`. `listed` is
    what `Desk.listed` said: nothing here was refused for it, the Reception judges it. No value
    holds a control character; addresses hold characters outside ASCII only with SMTPUTF8.
    """

    peer: str
    helo: str
    tls: str
    mail_from: str
    organisation: str
    recipients: tuple[str, ...]
    listed: bool


class Reception(Protocol):
    """One message while it arrives. Calls come as: feed* then either finish or abandon, once."""

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the message, dots un-stuffed, in order; the last ones end in CRLF. An
        empty message comes without any call. Chunks are cut anywhere and are at most some 64 KiB
        long, but a CRLF is never cut. What was fed may yet turn out to be too large or malformed:
        nothing counts before `finish`.

        MUST be quick (it holds up every other session) and MUST NOT block. If it raises,
        `abandon` follows, and at the final dot the peer is told to try later, or what the raised
        Refused says."""
        ...

    async def finish(self) -> str:
        """The final dot has come, the message is complete and in form. Returns the record's id
        (at most 80 characters of printable ASCII, no blank) once the commit is durable, never
        sooner: the peer is told 250 on the strength of it.

        Raises errors.Refused (permanent; its code, enhanced code and text are sent, each line of
        the text as a line of the reply) or errors.TryLater (451, nothing inside). Anything else
        raised is a fault of ours: 451, and the class name alone is logged.

        The gateway never cancels it because a peer went away: it runs to its end, and the peer,
        which got no 250, will send again. It MAY be cancelled when the grace of `Gateway.stop`
        has passed. MUST itself free what it holds if it fails."""
        ...

    def abandon(self) -> None:
        """Forget everything: connection lost, too large, bare newline, shutdown. Never called
        after `finish` was. MUST NOT block; SHOULD NOT raise (if it does, that is logged)."""
        ...


class Desk(Protocol):
    """Answers questions from memory while a peer waits: no method may block."""

    def organisation_of(self, recipient: str) -> str | None:
        """The id of the organisation that this proof address belongs to, or None if it is not
        ours. `recipient` is as given: case and quoting are not folded; "postmaster" may come
        without a domain (RFC 5321 §4.5.1)."""
        ...

    def listed(self, organisation: str, mail_from: str, peer: str) -> bool:
        """Whether this sender may submit for this organisation from this peer. `mail_from` is ""
        for the null sender, `peer` is "" over a Unix socket. The answer sets the rate limit that
        applies and goes into the envelope; it refuses nothing here."""
        ...

    def open(self, envelope: Envelope) -> Reception:
        """A new Reception. Called at DATA, before 354. MAY raise Refused or TryLater."""
        ...

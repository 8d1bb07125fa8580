"""Every limit of the gateway, with its unit in its name and its reason beside it.

Connections and rates are those of the whole service, however many gateway processes it has: they
count on one board (:mod:`smtp_gateway.board`)."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Rate:
    """A token bucket: `burst` at once, refilled at `per_minute`."""

    per_minute: float
    burst: float


@dataclass(frozen=True)
class Limits:
    # The message. Memory does not depend on either: they bound the work one mail can cause.
    message_bytes: int = 50 * MEBIBYTE  # advertised as SIZE (RFC 1870); what large providers take
    line_bytes: int = MEBIBYTE  # real mail breaks the 998 of RFC 5322; a line without end is abuse
    # After a fault the rest is read and thrown away up to the final dot, because the reply has its
    # place there (RFC 5321 §4.2.5); a peer that goes on for longer than this is cut off.
    discard_bytes: int = 200 * MEBIBYTE

    # Commands.
    command_bytes: int = 2048  # RFC 5321 §4.5.3.1.4 asks 512, SMTPUTF8 and parameters need more
    commands_between_messages: int = 1000  # chatter without a recorded mail; > recipients * 2
    consecutive_errors: int = 10  # guessing addresses, or something that does not speak SMTP
    recipients: int = 100  # RFC 5321 §4.5.3.1.8 asks for at least 100

    # Connections: memory is at most about 200 KiB each while DATA is running.
    connections: int = 200
    peer_connections: int = 20  # what Postfix opens to one destination by default
    # All strangers together, so that a crowd of them never keeps a front server out.
    stranger_connections: int = 150

    # Time.
    idle_seconds: float = 300  # between commands and within DATA (RFC 5321 §4.5.3.2.7)
    data_seconds: float = 3600  # one DATA from 354 to the dot, whatever its size
    data_grace_seconds: float = 60  # before the slowest rate below is asked for
    data_bytes_per_second: float = 1000  # on the average of one DATA: slower holds a place in bad
    # faith; a modem was faster
    commit_seconds: float = 300  # a client waits 600 for the reply (RFC 5321 §4.5.3.2.6)
    linger_seconds: float = 10  # for a last reply to leave before the socket is cut

    # Rates, per message. A peer over its rate gets 421, a sender over its rate 450.
    peer_rate: Rate = Rate(per_minute=600, burst=1200)
    listed_rate: Rate = Rate(per_minute=600, burst=1200)  # by organisation and sender
    # By organisation and peer, whatever sender it names; also for the null sender, that is for read
    # receipts. Through a front server, which stands for the whole world, listed_rate by sender.
    unlisted_rate: Rate = Rate(per_minute=30, burst=60)
    rate_entries: int = 10_000  # rows in each table of buckets; the least recently used goes first

    # Front servers, in CIDR notation. All mail comes through them, so the limits by peer do not
    # apply, and unknown recipients do not count as errors. LMTP peers are front servers always.
    relay_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")

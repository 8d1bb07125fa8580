"""One SMTP or LMTP session, on aiosmtpd's transport and STARTTLS, with commands of our own.

Stock aiosmtpd reads DATA line by line into memory, answers a handler's exception with its text
and a permanent 500, takes commands that end in a bare LF, drops what it has read when a peer
closes only its own direction, and knows neither enhanced codes nor LMTP's replies by recipient.
So the command loop, the commands and DATA are here; its own `smtp_*` methods are never reached,
but for STARTTLS.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Awaitable, Callable

from aiosmtpd.smtp import SMTP, TLSSetupException

from smtp_gateway import replies
from smtp_gateway.address import read_mail
from smtp_gateway.delivery import commit, receive, reply_to
from smtp_gateway.hall import Hall, Peer
from smtp_gateway.replies import Reply
from smtp_gateway.transaction import Transaction
from smtp_gateway.wire import READ_BYTES, Wire

log = logging.getLogger("proofmail.smtp")

Answer = tuple[Reply, ...]

# A browser that was led to this port; the bodies it sends could hold commands.
_HTTP = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"})
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_HELO = re.compile(r"[!-~]{1,255}")


class Session(SMTP):
    """`lmtp` makes it speak RFC 2033: LHLO, and after DATA a reply for each recipient."""

    line_length_limit = READ_BYTES  # the stream stops the peer at twice this much unread

    def __init__(self, hall: Hall, *, lmtp: bool) -> None:
        super().__init__(
            None,
            hostname=hall.hostname,
            ident="proofmail",
            tls_context=hall.tls,
            timeout=hall.limits.idle_seconds,
            loop=asyncio.get_running_loop(),
        )
        self._hall = hall
        self._lmtp = lmtp
        self._peer = Peer("", "", False)
        self._helo = ""
        self._utf8 = False  # as the last MAIL asked; the replies after DATA still go by it
        self._transaction: Transaction | None = None
        self._content_read = False
        self._linger: asyncio.TimerHandle | None = None
        self._errors = 0
        self._commands = 0
        self._busy = False
        self._draining = False
        self._ending = False
        self._alive_at = 0.0
        greeting = {"LHLO": self._ehlo} if lmtp else {"HELO": self._helo_, "EHLO": self._ehlo}
        self._table: dict[str, Callable[[str], Awaitable[Answer]]] = {
            **greeting,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._quit,
            "HELP": self._help,
            "VRFY": self._vrfy,
            "STARTTLS": self._starttls,
        }

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._original_transport is None:
            name = transport.get_extra_info("peername")
            if name is None:
                # It has reset the connection already. Without an address it must not be taken for
                # whoever sits at a Unix socket, who has none either, and whom we believe.
                self._cut(transport)
                return
            self._peer = self._hall.peer(name, lmtp=self._lmtp)
            refusal = self._hall.enter(self, self._peer)
            if refusal is not None:
                log.info("peer=%s connect reply=%s", self._peer.address, refusal)
                self._refuse(transport, refusal)
                return
        super().connection_made(transport)

    def _refuse(self, transport: asyncio.BaseTransport, reply: Reply) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(reply.encode())
            self._abort_later(transport)
        transport.close()

    def _abort_later(self, transport: asyncio.WriteTransport) -> None:
        """A closed socket stays open while the peer does not read what was written to it."""
        self._linger = self.loop.call_later(self._hall.limits.linger_seconds, transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        if self._linger is not None:
            self._linger.cancel()
        if self._handler_coroutine is None:
            return  # it was never let in
        super().connection_lost(error)

    def eof_received(self) -> bool:
        """The peer has ended its direction, perhaps right after a final dot: answer what it has
        sent. The stock method cancels the session here."""
        asyncio.StreamReaderProtocol.eof_received(self)
        return self._tls_protocol is None

    def _set_post_data_state(self) -> None:
        """Where aiosmtpd itself begins a session anew: at connect and after STARTTLS."""
        self._transaction = None

    def __dir__(self) -> list[str]:
        """Empty: aiosmtpd looks through all names for its commands and AUTH methods at the start
        of each session, which takes milliseconds, and none of them is ever reached."""
        return []

    def _reset_timeout(self, duration: float | None = None) -> None:
        """A sign of life. The timer is not set anew for each: it looks when it rings."""
        self._alive_at = self.loop.time()
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_later(self._timeout_duration, self._timeout_cb)

    def _timeout_cb(self) -> None:
        left = self._alive_at + self._timeout_duration - self.loop.time()
        if left > 0:
            left = min(left, self._timeout_duration)
            self._timeout_handle = self.loop.call_later(left, self._timeout_cb)
        else:
            self.drop(replies.TIMEOUT)

    def drop(self, reply: Reply) -> None:
        """A last reply, then the end, whatever the session was doing; a DATA is abandoned."""
        log.info("peer=%s reply=%s", self._peer.address, reply)
        self._ending = True
        shaking_hands = self._tls_protocol is not None and not self._secure
        if not shaking_hands and not self._writer.is_closing():
            self._writer.write(reply.encode())
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def drain(self) -> None:
        """Ends the session at once, or after the reply to the DATA that is under way."""
        self._draining = True
        if not self._busy:
            self.drop(replies.SHUTDOWN)

    def abort(self) -> None:
        """Cuts the socket if it is still open."""
        self._cut(self._original_transport or self.transport)

    def _cut(self, transport: asyncio.BaseTransport | None) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    @property
    def _secure(self) -> bool:
        """The TLS handshake is done."""
        return self.session is not None and self.session.ssl is not None

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The session's life; it is done when the socket is closing."""
        return self._handler_coroutine

    async def _handle_client(self) -> None:
        self._wire = Wire(self._reader)
        try:
            await self._send(Reply(220, "", f"{self.hostname} {'LMTP' if self._lmtp else 'ESMTP'}"))
            while not self._ending:
                self._reset_timeout()
                await self._say(await self._hear())
                if self._draining and not self._ending:
                    await self._say((replies.SHUTDOWN,))
        except (OSError, EOFError):
            log.info("peer=%s gone", self._peer.address)
        except TLSSetupException:
            log.info("peer=%s STARTTLS failed", self._peer.address)
        except Exception as error:
            # Or else asyncio would log its text.
            log.error("peer=%s fault=%s", self._peer.address, type(error).__name__)
        finally:
            self._close()

    def _close(self) -> None:
        self._hall.leave(self)
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        if self.transport is None:
            return  # the connection was lost
        self.transport.close()
        below = self._original_transport or self.transport
        if isinstance(below, asyncio.WriteTransport):
            self._abort_later(below)

    # Commands in, replies out.

    async def _send(self, *answer: Reply) -> None:
        self._writer.write(b"".join(reply.encode(utf8=self._utf8) for reply in answer))
        await self._writer.drain()

    async def push(self, status: str | bytes) -> None:
        """Only the stock STARTTLS comes here, with the one reply that precedes the handshake."""
        await self._send(Reply(220, "2.0.0", "Ready to start TLS"))

    async def _say(self, answer: Answer) -> None:
        """Sends the replies, keeps count of the errors, and ends the session after a 421."""
        if not answer:
            return
        first = answer[0]
        # A front server passes on what others ask of it, also for addresses that are not here.
        if first.code >= 500 and not (first is replies.NOT_OURS and self._peer.front):
            self._errors += 1
        elif first.code < 400:
            self._errors = 0
        await self._send(*answer)
        last = answer[-1]
        if self._errors >= self._hall.limits.consecutive_errors and last.code != 421:
            last = replies.MANY_ERRORS
            await self._send(last)
        if last.code == 421:
            log.info("peer=%s reply=%s", self._peer.address, last)
            self._ending = True

    async def _hear(self) -> Answer:
        """Reads one command and carries it out. A fault of ours never tells what it was."""
        line = await self._wire.line(self._hall.limits.command_bytes)
        self._commands += 1
        if self._commands > self._hall.limits.commands_between_messages:
            return (replies.MANY_COMMANDS,)
        if line is None:
            return (replies.LONG_LINE,)
        text = line[:-2]
        # RFC 5321 §2.3.8: a command ends in CRLF and in nothing else.
        if not line.endswith(b"\r\n") or _CONTROL.search(text):
            return (replies.BAD_LINE,)
        try:
            word, _, argument = text.decode().partition(" ")
        except UnicodeDecodeError:
            return (replies.NOT_UTF8,)
        command = self._table.get(word.upper())
        if command is None:
            if word.upper() in _HTTP:
                return (replies.NOT_SMTP,)
            return (replies.NOT_OFFERED if word.upper() == "EXPN" else replies.UNKNOWN_COMMAND,)
        try:
            return await command(argument.strip(" "))
        except (ConnectionError, EOFError, TLSSetupException):
            raise
        except Exception as error:
            return (reply_to(error),)

    # The commands (RFC 5321 §4.1.1).

    async def _helo_(self, argument: str) -> Answer:
        return self._greet(argument, extended=False, offers=())

    async def _ehlo(self, argument: str) -> Answer:
        offers = [
            "PIPELINING",
            f"SIZE {self._hall.limits.message_bytes}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
        ]
        if self.tls_context is not None and self._tls_protocol is None:
            offers.append("STARTTLS")
        return self._greet(argument, extended=True, offers=tuple(offers))

    def _greet(self, argument: str, *, extended: bool, offers: tuple[str, ...]) -> Answer:
        if _HELO.fullmatch(argument) is None or self.session is None:
            return (replies.BAD_ARGUMENT,)
        self._transaction = None
        self._helo = argument
        self.session.extended_smtp = extended
        self.session.host_name = argument
        return (Reply(250, "", "\n".join((self.hostname, *offers))),)

    async def _mail(self, argument: str) -> Answer:
        if self.session is None or not self.session.host_name:
            return (replies.GREET_FIRST,)
        if self._transaction is not None:
            return (replies.NESTED_MAIL,)
        limits = self._hall.limits
        sender = read_mail(
            argument, extended=self.session.extended_smtp, message_bytes=limits.message_bytes
        )
        if isinstance(sender, Reply):
            return (sender,)
        if not self._peer.front and not self._hall.board.take_as_peer(
            self._peer.place, limits.peer_rate, self.loop.time()
        ):
            return (replies.PEER_RATE,)
        self._transaction = Transaction(self._hall, self._peer, sender)
        self._utf8 = sender.utf8
        return (Reply(250, "2.1.0", "Sender OK"),)

    async def _rcpt(self, argument: str) -> Answer:
        if self._transaction is None:
            return (replies.MAIL_FIRST,)
        reply = self._transaction.add(argument, self.loop.time())
        if reply.code != 250:
            log.info("peer=%s RCPT reply=%s", self._peer.address, reply)
        return (reply,)

    async def _rset(self, argument: str) -> Answer:
        if argument:
            return (replies.BAD_ARGUMENT,)
        self._transaction = None
        return (replies.OK,)

    async def _noop(self, argument: str) -> Answer:
        return (replies.OK,)

    async def _quit(self, argument: str) -> Answer:
        if argument:
            return (replies.BAD_ARGUMENT,)
        self._ending = True
        return (replies.BYE,)

    async def _help(self, argument: str) -> Answer:
        return (Reply(214, "2.0.0", "Commands: " + " ".join(sorted(self._table))),)

    async def _vrfy(self, argument: str) -> Answer:
        return (Reply(252, "2.5.2", "Cannot verify an address; send the mail and see"),)

    async def _starttls(self, argument: str) -> Answer:
        if argument:
            return (replies.BAD_ARGUMENT,)
        if self.tls_context is None or self._tls_protocol is not None:
            return (replies.NOT_OFFERED,)
        # Pipelined plain text must not be taken for commands under TLS (RFC 3207 §4.2). What the
        # stream holds besides is cleared by the stock method when the handshake is done.
        self._wire.clear()
        await self.smtp_STARTTLS("")
        if not self._secure:
            raise TLSSetupException
        self._helo = ""
        return ()

    async def _data(self, argument: str) -> Answer:
        if argument:
            return (replies.BAD_ARGUMENT,)
        transaction = self._transaction
        if transaction is None or not transaction.accepted:
            return (replies.RECIPIENT_FIRST,)
        self._busy = True
        try:
            reply, record = await self._take_message(transaction)
        finally:
            self._busy = False
            self._transaction = None
        log.info("peer=%s DATA reply=%s record=%s", self._peer.address, reply, record or "-")
        if record:
            self._commands = 0
        # RFC 2033 §4.2: a reply for each recipient that was accepted, in order. After a 421 the
        # session is over, and after an early refusal DATA itself is what was refused.
        several = self._lmtp and self._content_read and reply.code != 421
        return (reply,) * (transaction.accepted if several else 1)

    async def _take_message(self, transaction: Transaction) -> tuple[Reply, str]:
        """The reply at the final dot (or instead of 354), and the record's id or ""."""
        self._content_read = False
        try:
            reception = self._hall.desk.open(transaction.envelope(self._helo, self._tls_name()))
        except Exception as error:
            return reply_to(error), ""
        self._content_read = True
        self._writer.write(replies.GO_AHEAD.encode())
        fault = await receive(self._wire, reception, self._hall.limits, self._reset_timeout)
        if fault is not None:
            return fault, ""
        self._alive_at = math.inf  # from here on we are the slow ones
        answer = await commit(reception, self._hall)
        self._reset_timeout()
        return answer

    def _tls_name(self) -> str:
        """The version of TLS as Python's ssl names it, or ""."""
        if not self._secure or self.transport is None:
            return ""
        return str(self.transport.get_extra_info("ssl_object").version() or "")

"""SMTP replies: a code, an enhanced code (RFC 2034, RFC 3463) and a text of one or more lines."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from dataclasses import dataclass

# RFC 5321 §4.5.3.1.5 gives a reply line 512 octets; 120 characters fit in any encoding.
LINE_CHARACTERS = 120
# One line of ASCII that wrapping would leave as it is.
_PLAIN = re.compile(r"[!-~](?:[ -~]*[!-~])?")


@dataclass(frozen=True)
class Reply:
    """`enhanced` is "" where RFC 2034 §4 has none: greeting, HELO, EHLO, 354."""

    code: int
    enhanced: str
    text: str

    def encode(self, *, utf8: bool = False) -> bytes:
        """The bytes on the wire. Without `utf8` (RFC 6531 §3.7.4.2: the client has asked for
        SMTPUTF8) accents are dropped and what is then still outside ASCII becomes "?"."""
        if len(self.text) <= LINE_CHARACTERS and _PLAIN.fullmatch(self.text):
            return self._line(" ", self.text).encode()
        text = self.text if utf8 else _ascii(self.text)
        lines = [
            piece
            for line in text.splitlines()
            for piece in textwrap.wrap(_printable(line), LINE_CHARACTERS)
        ] or [""]
        marks = ["-"] * (len(lines) - 1) + [" "]
        return "".join(
            [self._line(mark, line) for mark, line in zip(marks, lines, strict=True)]
        ).encode()

    def _line(self, mark: str, text: str) -> str:
        enhanced = f"{self.enhanced} " if self.enhanced else ""
        return f"{self.code}{mark}{enhanced}{text}\r\n"

    def __str__(self) -> str:
        """Code and enhanced code alone, for logs."""
        return f"{self.code} {self.enhanced}".rstrip()


def _ascii(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return bare.encode("ascii", "replace").decode("ascii")


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in line)


OK = Reply(250, "2.0.0", "OK")
BYE = Reply(221, "2.0.0", "Bye")
GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
OUR_FAULT = Reply(451, "4.3.0", "Not recorded, try again later")

BAD_LINE = Reply(500, "5.5.2", "A command line ends in CRLF and holds no control characters")
LONG_LINE = Reply(500, "5.5.2", "Command line too long")
NOT_UTF8 = Reply(500, "5.5.2", "The command is not UTF-8")
UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognized")
NOT_OFFERED = Reply(502, "5.5.1", "Command not implemented")
BAD_ARGUMENT = Reply(501, "5.5.4", "Syntax error in the argument")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognized or not implemented")
GREET_FIRST = Reply(503, "5.5.1", "Greet first")
MAIL_FIRST = Reply(503, "5.5.1", "MAIL FROM comes first")
NESTED_MAIL = Reply(503, "5.5.1", "A mail is already open; RSET ends it")
RECIPIENT_FIRST = Reply(503, "5.5.1", "No recipient was accepted")

BAD_SENDER = Reply(501, "5.1.7", "Bad sender address; syntax: MAIL FROM:<address>")
BAD_RECIPIENT = Reply(501, "5.1.3", "Bad recipient address; syntax: RCPT TO:<address>")
NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "An address outside ASCII needs SMTPUTF8")
NOT_OURS = Reply(550, "5.1.1", "No such proof address here")
OTHER_ORGANISATION = Reply(452, "4.5.3", "Another organisation's address: send it separately")
MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients: send the others separately")
SENDER_RATE = Reply(450, "4.7.1", "Too many mails from this sender, try again later")

TOO_LARGE = Reply(552, "5.3.4", "The message is larger than the SIZE announced")
BARE_NEWLINE = Reply(550, "5.6.0", "The message holds a bare CR or LF; lines end in CRLF")
LONG_TEXT_LINE = Reply(550, "5.6.0", "The message holds a line that is too long")

# A 421 ends the session.
MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections, try again later")
PEER_RATE = Reply(421, "4.7.0", "Too many mails from your address, try again later")
MANY_ERRORS = Reply(421, "4.7.0", "Too many errors")
MANY_COMMANDS = Reply(421, "4.7.0", "Too many commands without a mail")
NOT_SMTP = Reply(421, "4.7.0", "This is a mail server")
ENDLESS = Reply(421, "4.7.0", "Too much data after an error")
TIMEOUT = Reply(421, "4.4.2", "Timeout")
TOO_SLOW = Reply(421, "4.4.2", "The message comes too slowly")
SHUTDOWN = Reply(421, "4.3.2", "Shutting down, try again later")

"""The arguments of MAIL FROM and RCPT TO (RFC 5321 §4.1.2, RFC 6531 §3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from smtp_gateway.replies import (
    BAD_ARGUMENT,
    BAD_RECIPIENT,
    BAD_SENDER,
    NEEDS_SMTPUTF8,
    TOO_LARGE,
    UNKNOWN_PARAMETER,
    Reply,
)

# RFC 5321 §4.5.3.1.1 has 64 octets for a local part, and forwarders (SRS) and bulk senders break
# it; the sum of both parts of the rule is kept.
ADDRESS_BYTES = 64 + 1 + 255
DOMAIN_BYTES = 255

_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+"
_QUOTED = r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"'
_LABEL = r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\-\u0080-\U0010ffff]*)"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL = r"\[[A-Za-z0-9.:\-]{1,100}\]"
# A source route must be understood and should be ignored (RFC 5321 §4.1.1.3, appendix C).
_ROUTE = rf"(?:@{_NAME}(?:,@{_NAME})*:)?"
_PATH = re.compile(
    rf"<{_ROUTE}(?P<address>(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?P<domain>{_NAME}|{_LITERAL}))>"
)
_POSTMASTER = re.compile(r"<(?P<address>postmaster)>", re.IGNORECASE)
_NULL = re.compile(r"<(?P<address>)>")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?")


@dataclass(frozen=True)
class Sender:
    """A reverse-path: "" is the null sender. `utf8`: the client asked for SMTPUTF8."""

    address: str
    utf8: bool


def read_mail(argument: str, *, extended: bool, message_bytes: int) -> Sender | Reply:
    """The argument of MAIL, or the reply that refuses it. `extended`: after EHLO or LHLO."""
    path = _path(argument, "FROM:", (_NULL, _PATH))
    if path is None:
        return BAD_SENDER
    address, rest = path
    parameters = _parameters(rest)
    if parameters is None:
        return BAD_ARGUMENT
    if parameters and not extended:
        return UNKNOWN_PARAMETER
    if parameters.keys() - {"SIZE", "BODY", "SMTPUTF8"}:
        return UNKNOWN_PARAMETER
    if parameters.get("SMTPUTF8") is not None:
        return BAD_ARGUMENT
    if "BODY" in parameters and (parameters["BODY"] or "").upper() not in ("7BIT", "8BITMIME"):
        return BAD_ARGUMENT
    if "SIZE" in parameters:
        size = parameters["SIZE"] or ""
        if not re.fullmatch("[0-9]{1,20}", size):  # RFC 1870 §4
            return BAD_ARGUMENT
        if int(size) > message_bytes:
            return TOO_LARGE
    sender = Sender(address, "SMTPUTF8" in parameters)
    return sender if address.isascii() or sender.utf8 else NEEDS_SMTPUTF8


def read_recipient(argument: str, *, utf8: bool) -> str | Reply:
    """The argument of RCPT, or the reply that refuses it. No parameter of RCPT is offered."""
    path = _path(argument, "TO:", (_PATH, _POSTMASTER))
    if path is None:
        return BAD_RECIPIENT
    address, rest = path
    if rest.strip():
        return UNKNOWN_PARAMETER
    return address if address.isascii() or utf8 else NEEDS_SMTPUTF8


def _path(
    argument: str, keyword: str, forms: tuple[re.Pattern[str], ...]
) -> tuple[str, str] | None:
    """The address and what follows its bracket. A blank after the colon is common: let it be."""
    if argument[: len(keyword)].upper() != keyword:
        return None
    text = argument[len(keyword) :].lstrip(" ")
    for form in forms:
        found = form.match(text)
        if found is None:
            continue
        address, rest = found["address"], text[found.end() :]
        domain = found.groupdict().get("domain") or ""
        if rest and not rest.startswith(" "):
            return None
        if len(address.encode()) > ADDRESS_BYTES or len(domain.encode()) > DOMAIN_BYTES:
            return None
        return (address, rest) if address.isprintable() else None
    return None


def _parameters(rest: str) -> dict[str, str | None] | None:
    """Keyword → value or None; None if one is malformed or comes twice (RFC 5321 §4.1.1.11)."""
    result: dict[str, str | None] = {}
    for word in rest.split():
        found = _PARAMETER.fullmatch(word)
        if found is None or found[1].upper() in result:
            return None
        result[found[1].upper()] = found[2]
    return result

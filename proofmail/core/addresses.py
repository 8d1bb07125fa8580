"""From, To and Cc as mailboxes (RFC 5322 §3.4, §4.4; SPEC §3.6.2).

Tolerant where readers of mail are, exact in what comes out, and never silent: text that is no
address stays in the list as text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from proofmail.core.headers import (
    ascii_lower,
    bounded,
    clean_text,
    digest_mark,
    plain_text,
    unified_white,
)
from proofmail.core.model import Mailbox

MAILBOXES_MAX = 2_000
"""Most entries taken from one kind of field; one digest stands for the rest."""

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<word>=\?[!->@-~]{1,130}\?[bBqQ]\?[ ->@-~]*\?=)
    | (?P<quoted>"[^"\\]*(?:\\.[^"\\]*)*(?P<closed>")?)
    | (?P<literal>\[[^\[\]\\]*\])
    | (?P<special>[<>,;:@.()])
    | (?P<atom>[^ \t\r\n"\[\]<>,;:@.()\\]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ATOM = r"[^ \t\r\n\"\[\]<>,;:@.()\\=?]"
_LOCAL = r"[^ \t\r\n\"\[\]<>,;:@()\\?]+"
_DOMAIN = rf"{_ATOM}[^ \t\r\n\"\[\]<>,;:@()\\=?]*"
_PLAIN_WORD = r"=\?[A-Za-z0-9*_-]{1,64}\?[bBqQ]\?[A-Za-z0-9+/=_-]*\?="
_SIMPLE = re.compile(
    rf"""
    [ ]* (?![ ]) (?:
      (?: "([^"\\]*)" | (?=((?: [ .] | {_ATOM} | {_PLAIN_WORD} )+)) \2 )?
          [ ]* <({_LOCAL})@({_DOMAIN})>
    | ({_LOCAL})@({_DOMAIN})
    ) [ ]* (?: , | \Z )
    """,
    re.VERBOSE,
)
"""The common shapes of a whole entry: what it matches, the tokens would read the same."""
_COMMENT_MARK = re.compile(r"\\.|[()]", re.DOTALL)
_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
_SEPARATORS = re.compile(r"[,;]+")
_WORDS = ("atom", "word", "quoted")

_Token = tuple[str, str]
"""Kind and text. A plain pair: a hostile field of 1 MB is a million tokens."""


def mailboxes(values: Sequence[str], defects: set[str]) -> tuple[Mailbox, ...]:
    """The entries of all occurrences of one field, in order."""
    found: list[Mailbox] = []
    for index, value in enumerate(values):
        stopped = _read(value, found, defects)
        if stopped < len(value) and value[stopped:].strip(" \t\r\n,;"):
            rest = ",".join((value[stopped:], *values[index + 1 :]))
            defects.add("header.too-many-mailboxes")
            found.append(Mailbox("", digest_mark(unified_white(plain_text(rest, defects)))))
            break
    return tuple(found)


def _read(value: str, found: list[Mailbox], defects: set[str]) -> int:
    """Adds the entries of one value; returns where it stopped."""
    piece: list[_Token] = []
    position = 0
    in_angle = False
    in_group = False
    while position < len(value):
        if len(found) >= MAILBOXES_MAX:
            return position
        if not piece and not in_group:
            simple = _SIMPLE.match(value, position)
            if simple is not None:
                found.append(_simple_mailbox(simple, defects))
                position = simple.end()
                continue
            separators = _SEPARATORS.match(value, position)
            if separators is not None:  # nothing stands between them
                position = separators.end()
                continue
        token, position = _token(value, position)
        kind, mark = token
        if kind != "special" or mark in ".@":
            piece.append(token)
            continue
        if mark in "<>":
            in_angle = mark == "<"
        if mark == ":" and not in_angle and not in_group:
            in_group = True
            if _has_comment(piece):
                defects.add("header.address")
            found.append(Mailbox("", _phrase(piece, defects)))
            piece = []
        elif (mark == "," and not in_angle) or mark == ";":
            _add(piece, found, defects)
            piece = []
            in_group = in_group and mark != ";"
            in_angle = False
        else:
            piece.append(token)
    _add(piece, found, defects)
    return position


def _simple_mailbox(simple: re.Match[str], defects: set[str]) -> Mailbox:
    local, domain = simple[3] or simple[5], simple[4] or simple[6]
    address = plain_text(local + "@" + ascii_lower(domain), defects)
    name = simple[1] or simple[2]
    return Mailbox(bounded(address, defects), clean_text(name, defects) if name else "")


def _token(value: str, position: int) -> tuple[_Token, int]:
    """The token here, and where it ends."""
    match = _TOKEN.match(value, position)
    if match is None:  # the last alternative takes any character
        return ("other", value[position]), position + 1
    kind, text = match.lastgroup or "other", match[0]
    if text == "(":
        end = _comment_end(value, position)
        if end:
            return ("comment", value[position:end]), end
    if text == "(" or (kind == "quoted" and not match["closed"]):
        # Never closed: the rest cannot be read, and looking again from inside would be quadratic.
        return ("other", value[position:]), len(value)
    return (kind, text), match.end()


def _comment_end(value: str, position: int) -> int:
    """Where the comment that opens here ends (comments nest); 0 if it never does."""
    depth = 0
    for mark in _COMMENT_MARK.finditer(value, position):
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
            if depth == 0:
                return mark.end()
    return 0


def _add(piece: list[_Token], found: list[Mailbox], defects: set[str]) -> None:
    if all(kind == "space" for kind, _ in piece):
        return
    mailbox = _mailbox(piece, defects)
    if mailbox is None:
        defects.add("header.address")
        raw = "".join([text for _, text in piece])
        mailbox = Mailbox("", clean_text(raw, defects))
    found.append(mailbox)


def _mailbox(piece: list[_Token], defects: set[str]) -> Mailbox | None:
    opens = _places(piece, "<")
    if not opens:
        address = _address(piece, defects)
        return None if address is None else Mailbox(address, _comments(piece, defects))
    start = opens[0]
    ends = _places(piece, ">")
    if len(opens) != 1 or len(ends) != 1 or ends[0] < start:
        return None
    inside, behind = piece[start + 1 : ends[0]], piece[ends[0] + 1 :]
    if any(kind not in ("space", "comment") for kind, _ in behind):
        return None
    direct = _without_route(inside)
    address = _address(direct, defects)
    if address is None:
        return None
    name = _phrase(piece[:start], defects)
    if len(direct) < len(inside) or (name and _has_comment(piece)):
        defects.add("header.address")  # some programs show what is left out here
    return Mailbox(address, name or _comments(piece, defects))


def _has_comment(piece: list[_Token]) -> bool:
    return any(kind == "comment" for kind, _ in piece)


def _places(tokens: list[_Token], mark: str) -> list[int]:
    special = ("special", mark)
    return [i for i, token in enumerate(tokens) if token == special]


def _without_route(inside: list[_Token]) -> list[_Token]:
    """RFC 5322 §4.4: `<@a,@b:user@host>` is `<user@host>`."""
    solid = [text for kind, text in inside if kind not in ("space", "comment")]
    if not solid or solid[0] != "@":
        return inside
    colons = _places(inside, ":")
    return inside[colons[0] + 1 :] if colons else inside


def _address(tokens: list[_Token], defects: set[str]) -> str | None:
    """local-part "@" domain, comments and white space left out; the domain in lower case."""
    solid: list[_Token] = []
    spaced = False
    for token in tokens:
        kind = token[0]
        if kind in ("space", "comment"):
            spaced = True
            continue
        if spaced and solid and solid[-1][0] in _WORDS and kind in _WORDS:
            return None
        spaced = False
        solid.append(token)
    ats = _places(solid, "@")
    if len(ats) != 1:
        return None
    local, domain = solid[: ats[0]], solid[ats[0] + 1 :]
    if not local or not all(kind in _WORDS or text == "." for kind, text in local):
        return None
    literal = len(domain) == 1 and domain[0][0] == "literal"
    if not literal and (
        not domain
        or domain[0][1] == "."
        or not all(kind in ("atom", "word") or text == "." for kind, text in domain)
    ):
        return None
    host = ascii_lower("".join([text for _, text in domain]))
    return bounded(plain_text("".join([text for _, text in local]) + "@" + host, defects), defects)


def _phrase(tokens: list[_Token], defects: set[str]) -> str:
    """The display name: quotation marks and comments removed, then read as header text."""
    parts = []
    for kind, text in tokens:
        if kind == "quoted":
            parts.append(_BACKSLASH.sub(r"\1", text[1:-1]))
        elif kind == "comment":
            parts.append(" ")
        else:
            parts.append(text)
    return clean_text("".join(parts), defects)


def _comments(tokens: list[_Token], defects: set[str]) -> str:
    """RFC 5322 §3.4: `user@host (Name)` is how names were once written."""
    inner = (_BACKSLASH.sub(r"\1", text[1:-1]) for kind, text in tokens if kind == "comment")
    return clean_text(" ".join(inner), defects)

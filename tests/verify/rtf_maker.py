"""Makes RTF as Exchange does of HTML or plain text (MS-OXRTFEX §3), and packs it."""

from __future__ import annotations

import html
import re
import struct
import zlib

HEAD = (
    r"{\rtf1\ansi\ansicpg1252\fromhtml1 \fbidi \deff0{\fonttbl" "\r\n"
    r"{\f0\fswiss\fcharset0 Arial;}" "\r\n" r"{\f1\fmodern Courier New;}" "\r\n"
    r"{\f2\fnil\fcharset2 Symbol;}}" "\r\n" r"{\colortbl\red0\green0\blue0;\red0\green0\blue255;}"
    "\r\n" r"\uc1\pard\plain\deftab360 \f0\fs24 " "\r\n"
)  # fmt: skip
TEXT_HEAD = HEAD.replace("fromhtml1", "fromtext")
_MUTED = {
    "br": r"\line", "p": r"\par", "/p": r"\par", "td": r"\cell", "b": "{\\b ", "/b": "}",
    "nbsp": r"\'a0", "gt": ">", "lt": "<", "amp": "&", "euro": r"\'80", "li": r"{\pntext\tab}",
}  # fmt: skip


def escaped(text: str) -> str:
    out = []
    for char in text:
        if char in "\\{}":
            out.append("\\" + char)
        elif char == "\t":
            out.append(r"\tab ")
        elif char == "\u00a0":
            out.append(r"\~")
        elif char.isascii():
            out.append(char)
        else:
            units = char.encode("utf-16-le")
            codes = struct.unpack(f"<{len(units) // 2}h", units)
            out.append("".join(f"\\u{code} ?" for code in codes))
    return "".join(out)


def rtf_of_html(page: str) -> str:
    """Each tag, and each reference, in a group of its own, with what RTF alone shows behind it."""
    out = [HEAD]
    for token in re.findall(r"<[^>]*>|&[#\w]+;|\r\n|[^<&\r]+", page):
        if token == "\r\n":
            out.append("{\\*\\htmltag64 \\par }\r\n")
        elif token[0] in "<&":
            out.append(f"{{\\*\\htmltag84 {escaped(token)}}}")
            out.append(_muted(token))
        else:
            out.append(escaped(token))
    return "".join(out) + "}"


def _muted(token: str) -> str:
    name = re.sub(r"[<>&;]|\s.*", "", token)
    if token[0] == "&" and name not in _MUTED:
        return rf"\htmlrtf {escaped(html.unescape(token))}\htmlrtf0 "
    if name == "a":
        target = re.sub(r'.*href="([^"]*)".*', r"\1", token)
        field = rf'{{\field{{\*\fldinst{{HYPERLINK "{escaped(target)}"}}}}{{\fldrslt\cf1\ul '
        return rf"\htmlrtf {field}\htmlrtf0 "
    if name == "/a":
        return r"\htmlrtf }\htmlrtf0 \htmlrtf }\htmlrtf0 "
    return rf"\htmlrtf {_MUTED[name]}\htmlrtf0 " if name in _MUTED else ""


def rtf_of_text(text: str) -> str:
    return TEXT_HEAD + escaped(text).replace("\r\n", "\\par\r\n") + "}\r\n"


def packed(rtf: bytes, *, as_it_is: bool = False) -> bytes:
    """As PidTagRtfCompressed; every byte as a literal, but for runs of one byte."""
    if as_it_is:
        return struct.pack("<4I", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf
    tokens, position, window = [], 0, 207
    while position < len(rtf):
        run = 1
        while run < 18 and rtf[position : position + 1] == rtf[position + run : position + run + 1]:
            run += 1
        tokens.append(rtf[position : position + 1])
        if run > 2:
            offset = (window + position) % 4096
            tokens.append(struct.pack(">H", offset << 4 | (run - 1 - 2)))
            position += run
        else:
            position += 1
    tokens.append(struct.pack(">H", ((window + position) % 4096) << 4))
    content = b""
    for at in range(0, len(tokens), 8):
        eight = tokens[at : at + 8]
        content += bytes([sum((len(one) == 2) << bit for bit, one in enumerate(eight))])
        content += b"".join(eight)
    crc = zlib.crc32(content, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return struct.pack("<4I", len(content) + 12, len(rtf), 0x75465A4C, crc) + content

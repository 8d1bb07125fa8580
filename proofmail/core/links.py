"""Links to files in clouds, counted by service (SPEC §3.19): what they lead to is not
fingerprinted, and a report says so. A link is often a secret, so none is kept.
"""

from __future__ import annotations

import re
from hashlib import sha256

LINKS_MAX = 1_000
"""Most different links that are counted in one message."""
TOKEN_MAX_BYTES = 2_048

SERVICES: dict[bytes, tuple[bytes, ...]] = {
    b"1drv.ms": (b"/",),
    b"1fichier.com": (b"/",),
    b"acrobat.adobe.com": (b"/id/", b"/link/"),
    b"box.com": (b"/file/", b"/folder/", b"/s/", b"/v/"),
    b"db.tt": (b"/",),
    b"disk.yandex.com": (b"/",),
    b"disk.yandex.ru": (b"/",),
    b"docs.google.com": (b"/document/", b"/file/", b"/presentation/", b"/spreadsheets/", b"/uc"),
    b"drive.google.com": (b"/drive/", b"/file/", b"/folderview", b"/open", b"/uc"),
    b"drive.proton.me": (b"/urls/",),
    b"dropbox.com": (b"/l/", b"/s/", b"/scl/", b"/sh/", b"/t/"),
    b"dropboxusercontent.com": (b"/",),
    b"filemail.com": (b"/d/", b"/t/"),
    b"filesender.renater.fr": (b"/",),
    b"fromsmash.com": (b"/",),
    b"grosfichiers.com": (b"/",),
    b"icloud.com": (b"/attachment/", b"/iclouddrive/"),
    b"kdrive.infomaniak.com": (b"/",),
    b"mediafire.com": (b"/file/", b"/folder/"),
    b"mega.co.nz": (b"/",),
    b"mega.nz": (b"/",),
    b"onedrive.live.com": (b"/",),
    b"pcloud.link": (b"/",),
    b"share.icloud.com": (b"/",),
    b"sharefile.com": (b"/d", b"/share"),
    b"sharepoint.com": (b"/",),
    b"swisstransfer.com": (b"/d/",),
    b"transfernow.net": (b"/",),
    b"we.tl": (b"/",),
    b"web.tresorit.com": (b"/l/",),
    b"wetransfer.com": (b"/downloads/",),
    b"workdrive.zoho.com": (b"/",),
    b"yadi.sk": (b"/",),
}
"""Host, also with names before it, and what the path begins with."""

_DELIMITER = rb"[\x00-\x20\x7f\"'<>\\`]"
_HOST = re.compile(rb"([A-Za-z0-9.-]{1,253})/")
_SCHEMES = (b"http", b"https")
_ENDS = tuple(SERVICES)
_FIRST = re.compile(_DELIMITER)
_CLOSING = b".,;:!?)]}*_"


class Links:
    """The links of one text, piece by piece. `found`: the digest of each, and its service."""

    def __init__(self) -> None:
        self.found: dict[bytes, str] = {}
        self._held = b""
        self._is_cut = False

    def feed(self, data: bytes) -> None:
        if self._is_cut:
            delimiter = _FIRST.search(data)
            if delimiter is None:
                return
            data, self._is_cut = data[delimiter.start() :], False
        window = self._held + data
        last = _last_delimiter(window)
        self._read(window[:last])
        self._held = window[last:]
        if len(self._held) > TOKEN_MAX_BYTES:
            self._held, self._is_cut = self._held[:TOKEN_MAX_BYTES], True

    def finish(self) -> dict[bytes, str]:
        self._read(self._held)
        self._held = b""
        return self.found

    def _read(self, text: bytes) -> None:
        """Whole pieces between delimiters; of each, the first link."""
        mark = text.find(b"://")
        while mark >= 0:
            host = _HOST.match(text, mark + 3)
            after = mark + 3
            if host is not None and text[max(mark - 5, 0) : mark].lower().endswith(_SCHEMES):
                delimiter = _FIRST.search(text, mark)
                after = delimiter.start() if delimiter is not None else len(text)
                if host[1].lower().endswith(_ENDS):
                    self._note(host, text[: min(after, _token_start(text, mark) + TOKEN_MAX_BYTES)])
            mark = text.find(b"://", after)

    def _note(self, host: re.Match[bytes], text: bytes) -> None:
        """A link that may be one of the list; `text` ends where it does, or where it is cut."""
        name, path = host[1].lower(), text[host.end(1) :]
        service = _service(name, path)
        if service is not None and len(self.found) < LINKS_MAX:
            path = path.replace(b"&amp;", b"&").rstrip(_CLOSING)
            self.found.setdefault(sha256(name + path).digest(), service)


def counted(links: dict[bytes, str]) -> tuple[tuple[str, int], ...]:
    """Each service with its number of links, sorted."""
    names = list(links.values())
    return tuple([(name, names.count(name)) for name in sorted(set(names))])


def _last_delimiter(window: bytes) -> int:
    """Where the last token begins, which may not be whole."""
    last = max(window.rfind(b" "), window.rfind(b"\n")) + 1  # the common ones, quickly
    for found in _FIRST.finditer(window, last):
        last = found.end()
    return last


def _token_start(text: bytes, mark: int) -> int:
    """Where the piece begins in which the mark stands; so far back as could matter."""
    start = max(mark - TOKEN_MAX_BYTES - 1, 0)
    return start + _last_delimiter(text[start:mark])


def _service(host: bytes, path: bytes) -> str | None:
    labels = host.split(b".")
    for at in range(len(labels)):
        name = b".".join(labels[at:])
        if path.startswith(SERVICES.get(name, ())):
            return name.decode("ascii")
    return None

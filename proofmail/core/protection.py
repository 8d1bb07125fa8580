"""Parts whose bytes are not what a reader sees: encrypted, signed in one block, compressed; named
for what they are (SPEC §3.17). Nothing is decrypted and no signature is checked.
"""

from __future__ import annotations

import re

from proofmail.core.parameters import PartHeader

SMIME_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
HEAD_BYTES = 64
"""How much of an S/MIME part is looked at."""

_BY_TYPE = {
    "application/pgp-encrypted": "encrypted.pgp",
    "application/pgp-signature": "signed.pgp",
    "application/pkcs7-signature": "signed.smime",
    "application/x-pkcs7-signature": "signed.smime",
}
_CONTENT_INFO = re.compile(
    rb"\x30(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)"
    rb"\x06(?:\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07([\x02\x03])"
    rb"|\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01([\x09\x17]))",
    re.DOTALL,
)
"""RFC 5652 §3: the start of a ContentInfo, and the last octet of its content type."""
_BY_CONTENT = {
    b"\x02": "signed.smime-opaque",
    b"\x03": "encrypted.smime",
    b"\x09": "smime.compressed",
    b"\x17": "encrypted.smime",
}
_BY_PARAMETER = {
    "authenveloped-data": "encrypted.smime",
    "certs-only": "smime.certificates",
    "compressed-data": "smime.compressed",
    "enveloped-data": "encrypted.smime",
    "signed-data": "signed.smime-opaque",
}
_ARMOUR = re.compile(rb"\n-----BEGIN PGP (?:(SIGNED )?MESSAGE-----|MESSAGE, PART )")
_ARMOUR_BYTES = 40


def protection_notes(header: PartHeader, containers: tuple[str, ...]) -> frozenset[str]:
    """By its type and place; `containers` as for the other notes, the inmost last."""
    if header.type in _BY_TYPE:
        return frozenset((_BY_TYPE[header.type],))
    if containers and containers[-1] == "multipart/encrypted":
        return frozenset(("encrypted.pgp",))
    return frozenset()


def smime_note(header: PartHeader, head: bytes) -> str:
    """By the content's own beginning, else by what the part's header says of it."""
    stated = header.parameter("smime-type")
    found = _CONTENT_INFO.match(head)
    if found is None:
        return _BY_PARAMETER.get(stated, "smime.other")
    note = _BY_CONTENT[found[1] or found[2]]
    only_certificates = note == "signed.smime-opaque" and stated == "certs-only"
    return "smime.certificates" if only_certificates else note


class Armour:
    """Looks for the first lines of PGP's armour (RFC 4880 §6.2) in a text, piece by piece."""

    def __init__(self) -> None:
        self.notes: set[str] = set()
        self._tail = b"\n"

    def feed(self, data: bytes) -> None:
        window = self._tail + data
        if b"-----BEGIN PGP " in window:
            for found in _ARMOUR.finditer(window):
                self.notes.add("signed.pgp-inline" if found[1] else "encrypted.pgp-inline")
        self._tail = window[-_ARMOUR_BYTES:]

"""The files that lie loose beside the proof in a dossier, for other tools (SPEC, dossiers).

They are made from the proof alone, so that a verifier makes them again and compares.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from proofmail.core import der
from proofmail.core.canonical import encode
from proofmail.core.proof import Proof, Rfc3161Token

PROOF_NAME = "proof.json"
RECORD_NAME = "record.json"
DISCLOSURES_NAME = "disclosures.json"
RESPONSE_NAME = "token.tsr"
CERTIFICATES_NAME = "tsa-certificates.pem"


def loose_files(proof: Proof) -> dict[str, bytes]:
    """The loose files by name, the proof file itself left out.

    The two of the time-stamp are those of the first RFC 3161 token; both are left out when there
    is none. Raises Unreadable when that token is not a response that carries signed data.
    """
    files = {
        RECORD_NAME: proof.record.to_bytes(),
        DISCLOSURES_NAME: encode([shown.to_json() for shown in proof.disclosures]),
    }
    token = next((t for t in proof.tokens if isinstance(t, Rfc3161Token)), None)
    if token:
        carried = (*token_certificates(token.response), *token.certificates)
        files[RESPONSE_NAME] = token.response
        files[CERTIFICATES_NAME] = _pem(dict.fromkeys(carried))
    return files


def token_certificates(response_der: bytes) -> tuple[bytes, ...]:
    """The certificates carried in a TimeStampResp, DER, in their order (RFC 3161 §2.4.2)."""
    response = der.only(response_der)
    response.raw(der.SEQUENCE)  # status
    content_info = response.enter()
    content_info.oid()
    signed_data = content_info.enter(der.context(0)).enter()
    signed_data.integer()
    signed_data.raw(der.SET)  # digest algorithms
    signed_data.raw(der.SEQUENCE)  # content
    if signed_data.peek() != der.context(0):
        return ()
    return tuple(_certificates(signed_data.enter(der.context(0))))


def _certificates(carried: der.Reader) -> Iterable[bytes]:
    while carried.peek():
        element = carried.raw()
        if element[0] == der.SEQUENCE:  # RFC 5652 §10.2.2: the other choices are tagged
            yield element


def _pem(certificates: Iterable[bytes]) -> bytes:
    """RFC 7468, lines of 64 characters."""
    lines: list[bytes] = []
    for certificate in certificates:
        text = base64.b64encode(certificate)
        lines.append(b"-----BEGIN CERTIFICATE-----")
        lines += [text[at : at + 64] for at in range(0, len(text), 64)]
        lines.append(b"-----END CERTIFICATE-----")
    return b"".join(line + b"\n" for line in lines)

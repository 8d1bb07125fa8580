"""The checks on a document time-stamp behind the seal of a dossier (SPEC §11.5, V16.D).

It says that the file up to its place existed at its genTime: signature, certificates and
revocation data included. It is no witness of the record: those are in the proof.
"""

from __future__ import annotations

import hashlib

from proofmail.core import der
from proofmail.core.canonical import format_time
from proofmail.errors import NotChecked
from proofmail.verify.pdf_additions import Additions, Stamp
from proofmail.verify.revocation import standing
from proofmail.verify.token import TokenContext, TokenFacts, verify_token
from proofmail.verify.trust import Authority, Trust

_GRANTED = der.sequence(der.integer(0))


def check_stamp(data: bytes, stamp: Stamp, additions: Additions, trust: Trust) -> str:
    """T1 to T13 over the SHA-256 of the bytes that it covers, then revocation (SPEC §5.7) by what
    the file brings along; returns what it says. `data` is the file that it was read from.

    CheckFailed or Unreadable: it is not good. NotChecked: its authority is not in the trust, or
    the trust asks for revocation data and there are none that hold.
    """
    _, before, after, length = stamp.byte_range
    hasher = hashlib.sha256(memoryview(data)[:before])
    hasher.update(memoryview(data)[after : after + length])
    # A bare token is what a response carries; T2 judges the status that is put before it here.
    response = der.sequence(_GRANTED, stamp.token)
    imprint, certificates = hasher.digest(), additions.certificates
    facts = verify_token(response, imprint, trust.tokens, certificates=certificates)
    context = TokenContext(response, imprint, trust.tokens, certificates)
    authority = trust.authority(facts.root_sha256)
    try:
        revocation = standing(context.path, additions.revocation, facts.gen_time).text
    except NotChecked as reason:
        if authority is not None and authority.revocation_required:
            raise
        revocation = str(reason)
    return _told(facts, authority, revocation)


def _told(facts: TokenFacts, authority: Authority | None, revocation: str) -> str:
    name = authority.name if authority else facts.signer
    weak = ", which proves nothing to others" if authority and authority.built_in else ""
    return f"the file up to there at {format_time(facts.gen_time)}, by {name}{weak}; {revocation}"

"""The seal that the settings ask for: its key, its time-stamps, and what B-LTA takes beside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from anchoring.desks import Desk, NotNow
from dossier.seal import Archiving, Sealer, Stamping
from proofmail.config import BUILT_IN, Settings
from proofmail.core import der
from proofmail.core.proof import CRL, OCSP, RevocationData
from proofmail.errors import Misconfigured, Unreadable
from proofmail.folder import (
    SystemClock,
    all_desks,
    certificates_in,
    public_file,
    secret_file,
    secret_line,
)
from proofmail.store.authorities import reserve_request
from proofmail.store.engine import Store
from proofmail.store.revocations import data_for

_ROOM_BYTES = 4 << 20
"""For what authorities publish on themselves, in one dossier."""
_PATIENCE_SECONDS = 20.0
"""For how long a dossier waits where the cap of an authority holds it back."""


def open_sealer(settings: Settings, store: Store) -> Sealer:
    """Opens the key. Misconfigured, or TryLater, as the key and the certificate are."""
    seal = settings.seal
    certificate = public_file(settings, seal.certificate)
    stamping = _stamping(settings, store) if seal.level != "B-B" else None
    archiving = _archiving(settings, store) if seal.level == "B-LTA" else None
    if seal.source == "file":
        return Sealer(secret_file(settings, seal.key), certificate, stamping, archiving)
    # Here alone: it needs a library that most installations do without.
    from dossier.pkcs11_key import open_token_key

    pin = secret_line(settings, seal.pin_file).split("\n", 1)[0]
    key = open_token_key(settings.path(seal.module), seal.token, seal.key_label, pin, certificate)
    return Sealer(key, certificate, stamping, archiving)


def _stamping(settings: Settings, store: Store) -> Stamping:
    """Of the authority named, or of the one that costs nothing."""
    desks = {desk.name: desk for desk in all_desks(settings)}
    first = BUILT_IN if settings.built_in_authority else next(iter(desks))
    desk = desks[settings.seal.authority or first]
    return Stamping(_Capped(desk, store), desk.trust, desk.policy)


@dataclass(frozen=True)
class _Capped:
    """An authority under the rate cap that all processes on the database share."""

    desk: Desk
    store: Store

    @property
    def name(self) -> str:
        return self.desk.name

    def respond(self, request_der: bytes) -> bytes:
        left = _PATIENCE_SECONDS
        while self.desk.gap_seconds:
            wait = reserve_request(
                self.store, self.name, SystemClock().now(), self.desk.gap_seconds
            )
            if not wait:
                break
            if wait > left:
                raise NotNow("the rate cap lets no request out yet", after_seconds=wait)
            time.sleep(wait)
            left -= wait
        return self.desk.authority.respond(request_der)


def _archiving(settings: Settings, store: Store) -> Archiving:
    seal = settings.seal
    chain = tuple(certificates_in(public_file(settings, seal.chain))) if seal.chain else ()

    def revocation(signer: bytes, moment: datetime) -> Sequence[RevocationData]:
        """What the worker keeps on the authority's certificate, and the files of the settings."""
        files = [_status(public_file(settings, name)) for name in seal.revocation_files]
        with store.read() as connection:
            return (*data_for(connection, signer, moment, _ROOM_BYTES), *files)

    return Archiving(chain, revocation)


def _status(data: bytes) -> RevocationData:
    """An OCSPResponse begins with an ENUMERATED (RFC 6960 §4.2.1), a CertificateList with another
    SEQUENCE (RFC 5280 §5.1)."""
    try:
        inside = der.only(data)
        kind = CRL if inside.peek() == der.SEQUENCE else OCSP
    except Unreadable:
        raise Misconfigured("seal: a file of revocation_files is not DER") from None
    return RevocationData(kind, data)

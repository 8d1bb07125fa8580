"""What PAdES B-LTA adds behind a seal: validation data, then a document time-stamp over all before.

Each is a revision of its own, and holds nothing else: what may stand there is a closed list
(SPEC §11.4), so neither the pages nor what describes them is touched.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from asn1crypto import crl, ocsp, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from proofmail.core.proof import CRL, OCSP, RevocationData

STAMP_NAME = "Stamp1"
_RESERVED = 32 << 10
"""Hexadecimal digits kept for the token: half as many bytes."""


class _NothingElse(IncrementalPdfFileWriter):
    """pyHanko's writer, which would also date the document anew and list the field on a page."""

    def _update_meta(self) -> None:
        """The sealed description stays as it is."""

    def register_annotation(self, page_ref: object, annot_ref: object) -> None:
        """The field is invisible, and no page changes for it."""


def add_validation_data(
    pdf: bytes, certificates: Iterable[bytes], revocation: Sequence[RevocationData]
) -> bytes:
    """`pdf` with one revision more: a document security store (ETSI EN 319 142-1 §5.4.2) with
    the certificates (DER) and what was published on them; without VRI, which nothing needs."""
    writer = _NothingElse(io.BytesIO(pdf))
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        certs=[x509.Certificate.load(der) for der in dict.fromkeys(certificates)],
        crls=[crl.CertificateList.load(i.value) for i in revocation if i.kind == CRL],
        ocsps=[ocsp.OCSPResponse.load(i.value) for i in revocation if i.kind == OCSP],
    )
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()


def add_stamp(pdf: bytes, stamper: TimeStamper) -> bytes:
    """`pdf` with one revision more: a document time-stamp over everything before and around it
    (ETSI EN 319 142-1 §5.4.3). What the stamper raises passes through."""
    stamped: bytes = (
        PdfTimeStamper(stamper, field_name=STAMP_NAME, readable_field_name="")
        .timestamp_pdf(_NothingElse(io.BytesIO(pdf)), "sha256", bytes_reserved=_RESERVED)
        .getvalue()
    )
    return stamped

"""Sealed dossiers of each level before five judges: us, EU DSS, pyHanko, pdfsig and veraPDF.

`python -m tests.judges.seals` writes docs/judges.md; a test makes it anew and compares.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko_certvalidator import ValidationContext

from dossier.make import make_dossier, make_unsealed
from dossier.seal import Archiving, Sealer, Stamping
from proofmail.core import der
from proofmail.core.proof import RevocationData
from proofmail.ports import TimestampAuthority
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.token import TokenTrust
from proofmail.verify.trust import Authority, Trust, make_trust
from tests.dossier import evidence
from tests.judges import verapdf
from tests.judges.dss import Known, PdfJob, Verdict, judge_pdfs
from tests.parts import PROJECT, need
from tests.verify.status_maker import crl
from tests.verify.token_maker import (
    DAY,
    STAMPING,
    Credential,
    Recipe,
    certify,
    response_of,
    trust_in,
)

PAGE = PROJECT / "docs" / "judges.md"
LANGUAGES = ("fr", "en")
MOMENT = evidence.RECEIVED.replace(microsecond=0)
JUDGED_AT = MOMENT + timedelta(hours=6)


@cache
def public_root() -> Credential:
    span = {"start": MOMENT - 300 * DAY, "end": MOMENT + 3000 * DAY}
    return certify("public root", None, ca=True, **span)


@cache
def public_leaf() -> Credential:
    span = {"start": MOMENT - 30 * DAY, "end": MOMENT + 300 * DAY}
    return certify("public TSA", public_root(), usages=(STAMPING,), **span)


def published() -> RevocationData:
    """The root's CRL of an hour later: what a worker would have fetched."""
    return crl(public_root(), as_of=MOMENT + timedelta(hours=1), until=MOMENT + 7 * DAY)


@dataclass(frozen=True)
class PublicAuthority:
    """An authority with a CRL, as public ones are; the built-in one publishes none."""

    name: str = "public"
    serials: count[int] = field(default_factory=lambda: count(1))

    def respond(self, request_der: bytes) -> bytes:
        asked = tsp.TimeStampReq.load(request_der)
        return response_of(
            Recipe(
                public_leaf(),
                imprint=asked["message_imprint"]["hashed_message"].native,
                nonce=asked["nonce"].native,
                serial=next(self.serials),
                gen_time=der.generalized_time(MOMENT + timedelta(minutes=30)),
            )
        )


@dataclass(frozen=True)
class Level:
    name: str
    stamps: str
    """Whose: none, built-in or public."""
    archived: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}, {self.stamps}"

    def sealer(self) -> Sealer:
        authorities: dict[str, tuple[TimestampAuthority, TokenTrust]] = {
            "built-in": (evidence.authority(), TokenTrust()),
            "public": (PublicAuthority(), trust_in(public_root())),
        }
        stamping = archiving = None
        if self.stamps in authorities:
            stamping = Stamping(*authorities[self.stamps])
        if self.archived:
            known = (published(),) if self.stamps == "public" else ()
            archiving = Archiving((built_in_root(),), lambda signer, moment: known)
        return Sealer(*evidence.seal_identity(), stamping, archiving)


LEVELS = (
    Level("B-B", "no time-stamp"),
    Level("B-T", "built-in"),
    Level("B-T", "public"),
    Level("B-LTA", "built-in", archived=True),
    Level("B-LTA", "public", archived=True),
)


def built_in_root() -> bytes:
    root = x509.load_pem_x509_certificate(evidence.authority_material().root_pem)
    return root.public_bytes(Encoding.DER)


def trust() -> Trust:
    known = evidence.trust_for(evidence.full().proof)
    public = Authority("public", public_root().der, revocation_required=True)
    authorities = (*known.authorities, public)
    return make_trust(known.services, authorities, known.chains, known.seals)


def write(folder: Path) -> dict[str, Path]:
    """A dossier of each level in each language, with the nastiest names, and the bytes before
    sealing; by `level-language`."""
    files = {}
    case = evidence.full()
    for language in LANGUAGES:
        options = evidence.options(language)
        made = {"unsealed": make_unsealed(case.proof, case.report, options)}
        for number, level in enumerate(LEVELS):
            made[str(number)] = make_dossier(case.proof, case.report, options, level.sealer())
        for name, data in made.items():
            files[f"{name}-{language}"] = folder / f"{name}-{language}.pdf"
            files[f"{name}-{language}"].write_bytes(data)
    return files


def by_us(file: Path) -> str:
    report = verify(read_evidence(file.read_bytes()), trust())
    found = [f"{r.number} {r.status.value}" for r in report.rows if r.number.startswith("V16")]
    return f"{report.verdict}: {', '.join(found)}"


def by_dss(files: Mapping[str, Path], folder: Path) -> dict[str, Verdict]:
    """All sealed files in one run. Nothing is fetched; the CRL is at hand for B-T, and the files
    of B-LTA bring it along."""
    seal = evidence.sealer().certificate.public_bytes(Encoding.DER)
    anchors = {"seal": seal, "built-in": built_in_root(), "public": public_root().der}
    for name, data in anchors.items():
        (folder / f"{name}.der").write_bytes(data)
    (folder / "public.crl").write_bytes(published().value)
    jobs = [
        PdfJob(name, file, int(JUDGED_AT.timestamp()))
        for name, file in files.items()
        if not name.startswith("unsealed")
    ]
    known = Known([folder / f"{name}.der" for name in anchors], (), [folder / "public.crl"])
    return judge_pdfs(jobs, known)


def by_pyhanko(file: Path) -> str:
    roots = (
        evidence.sealer().certificate.public_bytes(Encoding.DER),
        built_in_root(),
        public_root().der,
    )
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(root) for root in roots],
        moment=JUDGED_AT,
        allow_fetching=False,
        revocation_mode="soft-fail",
    )
    reader = PdfFileReader(io.BytesIO(file.read_bytes()))
    seal, *_ = reader.embedded_regular_signatures
    status = validate_pdf_signature(seal, context, context)
    changes = ModificationLevel.LTA_UPDATES
    good = status.intact and status.valid and status.trusted and status.docmdp_ok
    good = good and status.modification_level <= changes
    if status.timestamp_validity is not None:
        stamp = status.timestamp_validity
        good = good and stamp.intact and stamp.valid and stamp.trusted
    for found in reader.embedded_timestamp_signatures:
        stamped = validate_pdf_timestamp(found, context)
        good = good and stamped.intact and stamped.valid and stamped.trusted
    return "valid" if good else "NOT valid"


def by_pdfsig(file: Path) -> str:
    done = subprocess.run(
        [need("pdfsig"), "-nocert", file], capture_output=True, text=True, timeout=60, check=False
    )
    first = done.stdout.split("Signature #2")[0]
    if "Signature is Valid." not in first or "ETSI.CAdES.detached" not in first:
        return "NOT valid"
    return "valid"


def by_verapdf(files: Sequence[Path]) -> dict[str, list[str]]:
    broken: dict[str, list[str]] = {}
    for flavour in verapdf.FLAVOURS:
        for name, rules in verapdf.failures(files, flavour).items():
            broken.setdefault(name, []).extend(rules)
    return broken


_INTRO = """\
# Sealed dossiers before other judges

Written by `python -m tests.judges.seals`; do not edit. A test makes it anew and compares.

Dossiers in both languages with the nastiest names, sealed at each level that `[seal]` offers, by
the built-in authority (noRevAvail, RFC 9608: it publishes nothing on revocation) and by one made
for the test that publishes a CRL, as public ones do. *EU DSS*: its default policy, with the seal's
certificate and the authorities' roots trusted, and one constraint added: no revocation data is
asked of a certificate that carries noRevAvail. Nothing is fetched; the CRL is at hand. *pyHanko*:
seal and time-stamps valid and trusted, no later change but those of B-LTA. *pdfsig* (poppler) knows
no document time-stamps. *veraPDF*: PDF/A-3a and PDF/UA-1.

"""

_OUTRO = """
B-LTA with the built-in authority holds certificates and a document time-stamp, but no revocation
data, since there are none: EU DSS calls it B-T.
"""


def page(folder: Path) -> str:
    files = write(folder)
    dss = by_dss(files, folder)
    broken = by_verapdf(list(files.values()))
    columns = ("seal, authority", "EU DSS", "pyHanko", "pdfsig", "veraPDF", "`proofmail verify`")
    rows = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    clean = _both({broken_of(broken, files[f"unsealed-{x}"]) for x in LANGUAGES})
    rows.append(f"| not sealed | – | – | – | {clean} | – |")
    for number, level in enumerate(LEVELS):
        names = [f"{number}-{language}" for language in LANGUAGES]
        cells = (
            _both({told(dss[name]) for name in names}),
            _both({by_pyhanko(files[name]) for name in names}),
            _both({by_pdfsig(files[name]) for name in names}),
            _both({broken_of(broken, files[name]) for name in names}),
            _both({by_us(files[name]) for name in names}),
        )
        rows.append(f"| {level.title} | " + " | ".join(cells) + " |")
    return _INTRO + "\n".join(rows) + "\n" + _OUTRO


def _both(found: set[str]) -> str:
    """What is said of the dossiers in both languages; both, if it differs."""
    return " / ".join(sorted(found))


def told(verdict: Verdict) -> str:
    return f"{', '.join(verdict.formats)}: {verdict.indication}"


def broken_of(broken: Mapping[str, list[str]], file: Path) -> str:
    return ", ".join(sorted(set(broken[file.name]))) or "clean"


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        PAGE.write_text(page(Path(place)), encoding="utf-8")

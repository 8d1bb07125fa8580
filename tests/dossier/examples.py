"""Makes the five example dossiers in docs/examples/:

    python -m tests.dossier.examples docs/examples

The people, the service, its authority and its chain are invented. Keys and time-stamps are made
anew at each run, so the bytes differ from run to run, and the pages but for digests do not.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dossier.case import CaseOptions, Judged, make_case
from dossier.make import DossierOptions, make_dossier
from proofmail.core.canonical import encode
from proofmail.core.proof import Proof
from proofmail.core.redaction import choose, redact
from proofmail.verify.case import read_given, verify_case
from proofmail.verify.checks import verify_proof
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.trust import Trust
from tests.dossier import evidence

ORGANISATION = "Cabinet Martin & Associés"
MULTILINGUAL = (
    "契約書_最終版.docx", "فاتورة (نسخة) 12.pdf", "דוח שנתי 2026.pdf", "計画.pptx", "계약서.hwp",
    "ใบเสร็จ.pdf", "अनुबंध.pdf", "Straßenbau – Übersicht.pdf", "Договір №7.pdf", "🧾 reçu.png",
)  # fmt: skip


def witnessed(proof: Proof) -> Proof:
    return evidence.anchored(evidence.stamped(proof))


def plain() -> Proof:
    claims = evidence.mail_claims("Offre signée n° 42", ["offre-42.pdf", "annexe technique.pdf"])
    proof = witnessed(evidence.signed("message", claims))
    return replace(proof, linked=(evidence.receipt_for(proof),))


def multilingual() -> Proof:
    subject = "契約 · עסקה · صفقة · Сделка · ข้อตกลง · समझौता"
    claims = evidence.mail_claims(subject, MULTILINGUAL)
    claims["header.to"] = [
        {"address": "tanaka@example.jp", "name": "田中 太郎"},
        {"address": "layla@example.org", "name": "ليلى حداد"},
        {"address": "olena@example.com.ua", "name": "Олена Шевченко"},
    ]
    return witnessed(evidence.signed("message", claims))


def fifty() -> Proof:
    names = [f"plan-{number:02d}-niveau-{number % 5}.dwg.pdf" for number in range(1, 51)]
    return witnessed(evidence.signed("message", evidence.mail_claims("50 plans", names)))


def thread(count: int = 14) -> list[Proof]:
    made = []
    for number in range(count):
        subject = f"{'Re: ' if number else ''}Chantier Dupont, lot 7"
        names = [f"compte-rendu-{number:02d}.pdf"][: number % 3]
        claims: dict[str, Any] = evidence.mail_claims(subject, names)
        if number % 2:
            claims["header.from"], claims["header.to"] = (
                [{"address": "bob@example.net", "name": "Bob Dupont-Müller"}],
                [{"address": "alice@example.org", "name": "Alice Martin"}],
            )
        received = evidence.RECEIVED - timedelta(hours=6 * (count - number))
        made.append(witnessed(evidence.signed("message", claims, received)))
    return made


def trust_of(proofs: list[Proof]) -> Trust:
    """Of all of these, with a chain that is not marked as one of development."""
    first, *others = (evidence.trust_for(proof) for proof in proofs)
    blocks = first.chains[0].blocks.union(*(other.chains[0].blocks for other in others))
    return replace(first, chains=(replace(first.chains[0], blocks=blocks),))


def single(proof: Proof, language: Any, *, redacted: bool = False) -> bytes:
    options = DossierOptions(
        language, ZoneInfo("Europe/Paris"), ORGANISATION, final=True,
        check_address="https://preuves.example.org/verify", redacted=redacted,
    )  # fmt: skip
    report = verify_proof(proof, trust_of([proof, *proof.linked]))
    return make_dossier(proof, report, options, evidence.sealer())


def case(proofs: list[Proof]) -> bytes:
    trust = trust_of(proofs)
    records = [Judged(proof, verify_proof(proof, trust), final=True) for proof in proofs]
    options = CaseOptions(
        "fr", ZoneInfo("Europe/Paris"), ORGANISATION, "Chantier Dupont, lot 7",
        "https://preuves.example.org/verify",
    )  # fmt: skip
    return make_case(records, options, evidence.sealer())


def make(folder: Path) -> None:
    """Writes the examples and the trust file that all of them verify under."""
    folder.mkdir(parents=True, exist_ok=True)
    full, many, files, mails = plain(), multilingual(), fifty(), thread()
    less = redact(full, choose(full, ["part.2"]))
    trust = trust_of([full, *full.linked, many, files, *mails])
    made = {
        "plain-fr.pdf": single(full, "fr"),
        "multilingual-en.pdf": single(many, "en"),
        "fifty-attachments-fr.pdf": single(files, "fr"),
        "redacted-en.pdf": single(less, "en", redacted=True),
        "case-fr.pdf": case(mails),
    }
    for name, data in made.items():
        status = (
            verify_case(read_given(data), trust).exit_status
            if name.startswith("case")
            else verify(read_evidence(data), trust).exit_status
        )
        if status:
            raise SystemExit(f"{name} does not verify")
        (folder / name).write_bytes(data)
    (folder / "trust.json").write_bytes(encode(trust.to_json()))


if __name__ == "__main__":
    make(Path(sys.argv[1]))

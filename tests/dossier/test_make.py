import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dossier.make import make_dossier, make_unsealed
from dossier.seal import Sealer, create_seal_identity
from dossier.words import TEXTS
from proofmail.core.loose import loose_files
from proofmail.errors import CheckFailed, Misconfigured
from proofmail.verify.dossier import read_evidence, verify
from proofmail.verify.pdf import own_files, read_dossier
from proofmail.verify.report import Row, Status
from tests.dossier import evidence
from tests.parts import PROJECT, need

LANGUAGES = ("fr", "en")


def unsealed(case: evidence.Case, language="fr", *, final=True) -> bytes:
    return make_unsealed(case.proof, case.report, evidence.options(language, final=final))


def page_texts(data: bytes, tmp_path: Path) -> list[str]:
    if not (tool := shutil.which("pdftotext")):
        need("pdfsig")  # the same package
        pytest.skip("pdftotext is missing: apt-get install poppler-utils")
    path = tmp_path / "pages.pdf"
    path.write_bytes(data)
    made = subprocess.run([tool, "-layout", path, "-"], capture_output=True, text=True, check=True)
    return made.stdout.split("\f")[:-1]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sealed_dossier_verifies_with_the_strangers_tools(language):
    full = evidence.full()
    data = make_dossier(full.proof, full.report, evidence.options(language), evidence.sealer())
    assert data.startswith(unsealed(full, language))
    judged = read_evidence(data)
    assert judged.proof == full.proof
    report = verify(judged, evidence.trust_for(full.proof))
    assert report.exit_status == 0
    rows = {row.number: row.status for row in report.rows}
    assert rows["V15"] is rows["V16"] is Status.PASSED


def test_the_loose_files_are_made_from_the_proof_alone():
    files = loose_files(evidence.full().proof)
    assert list(files) == ["record.json", "disclosures.json", "token.tsr", "tsa-certificates.pem"]
    assert files["record.json"] == evidence.full().proof.record.to_bytes()
    assert files["token.tsr"] == evidence.full().proof.tokens[0].response
    assert files["tsa-certificates.pem"].count(b"BEGIN CERTIFICATE") == 1
    assert set(loose_files(evidence.fresh().proof)) == {"record.json", "disclosures.json"}
    assert own_files(read_dossier(unsealed(evidence.full()))) == files


def test_openssl_accepts_the_loose_files_by_the_command_on_the_page(tmp_path):
    """The command printed, word by word, with the root from the authority."""
    openssl = need("openssl")
    for name, content in loose_files(evidence.full().proof).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "root.pem").write_bytes(evidence.authority_material().root_pem)
    command = (
        "ts -verify -data record.json -in token.tsr -CAfile root.pem "
        f"-untrusted tsa-certificates.pem -attime {int(evidence.RECEIVED.timestamp()) + 1}"
    )
    assert squeezed(command) in squeezed("".join(page_texts(unsealed(evidence.full()), tmp_path)))
    made = subprocess.run([openssl, *command.split()], cwd=tmp_path, capture_output=True, text=True)
    assert "Verification: OK" in made.stdout + made.stderr


def test_the_same_proof_gives_the_same_bytes():
    assert unsealed(evidence.full()) == unsealed(evidence.full())
    assert unsealed(evidence.full(), "en") != unsealed(evidence.full(), "fr")


def test_the_same_bytes_in_another_process():
    """The token differs from run to run (its serial), so this one has none."""
    program = (
        "import hashlib\n"
        "from tests.dossier import evidence, test_make\n"
        "print(hashlib.sha256(test_make.unsealed(evidence.fresh())).hexdigest())\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == sha256(unsealed(evidence.fresh())).hexdigest()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_font_is_embedded(language):
    """reportlab slips Helvetica in from canvas, tables and bullets; none may be left."""
    with pikepdf.open(io.BytesIO(unsealed(evidence.full(), language))) as pdf:
        found = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary)]
        kinds = [o for o in found if o.get("/Type") == pikepdf.Name.Font]
        assert {str(font.Subtype) for font in kinds} == {"/TrueType"}
        assert len(kinds) >= 3
        assert all("/FontFile2" in font.FontDescriptor for font in kinds)


def test_structure_for_archives():
    with pikepdf.open(io.BytesIO(unsealed(evidence.full(), "en"))) as pdf:
        assert str(pdf.Root.Lang) == "en"
        assert len(pdf.Root.AF) == 7
        assert {str(f.AFRelationship) for f in pdf.Root.AF} == {"/Data", "/Supplement"}
        assert "/OutputIntents" in pdf.Root
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
        assert str(pdf.docinfo["/Author"]) == "Étude Martin & Associés"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_carries_cautions_mark_and_its_number(language, tmp_path):
    at = LANGUAGES.index(language)
    pages = page_texts(unsealed(evidence.full(), language, final=False), tmp_path)
    assert len(pages) >= 4
    for number, text in enumerate(pages, 1):
        flat = squeezed(text)
        for key in ("caution.built-in authority", "caution.development chain", "provisional"):
            assert squeezed(TEXTS[key][at]) in flat
        page = TEXTS["page"][at].format(number=number, total=len(pages))
        assert squeezed(page) in flat
    assert squeezed(TEXTS["provisional"][at]) not in squeezed(
        page_texts(unsealed(evidence.full(), language), tmp_path)[0]
    )


def test_hostile_texts_are_shown_and_not_obeyed(tmp_path):
    text = squeezed("".join(page_texts(unsealed(evidence.full()), tmp_path)))
    assert squeezed('Re: <b>Contrat</b> & <para><font size="40">PAID</font></para>') in text
    assert squeezed("../../etc/‹U+202E›fdp.exe <script>.pdf") in text
    assert "合同.docx" in text
    assert "‹U+12000›.txt" in text
    assert "\u202e" not in text


def test_two_hundred_attachments_and_a_huge_subject(tmp_path):
    names = [f"pièce n° {n} – {'très ' * (n % 9)}longue.pdf" for n in range(200)]
    names[7] = "\u202e" * 1000
    claims = evidence.mail_claims("word " * 1900 + "x" * 400, names)
    claims["header.to"] = [
        {"address": f"{'p' * 200}{n}@example.net", "name": "N" * 900} for n in range(30)
    ]
    case = evidence.case(evidence.signed("message", claims))
    assert not case.report.failed
    data = make_dossier(case.proof, case.report, evidence.options("en"), evidence.sealer())
    text = squeezed("".join(page_texts(data, tmp_path)))
    for number in (0, 8, 199):
        assert sha256(names[number].encode() * 999).hexdigest()[:32] in text
    assert squeezed("pièce n° 199") in text
    assert squeezed("more characters") in text


def test_no_dossier_of_what_failed():
    full = evidence.full()
    failed = replace(full.report, rows=(*full.report.rows, Row("V9", "x", Status.FAILED)))
    with pytest.raises(CheckFailed, match="no dossier"):
        make_dossier(full.proof, failed, evidence.options(), evidence.sealer())


def test_nothing_is_handed_out_that_would_not_pass():
    """A sealer whose work is damaged on the way."""

    class Broken(Sealer):
        def seal(self, pdf: bytes, reason: str) -> bytes:
            sealed = super().seal(pdf, reason)
            place = sealed.index(b"/Creator") + 12
            return sealed[:place] + b"X" + sealed[place + 1 :]

    broken = Broken(*create_seal_identity("Example SA", evidence.RECEIVED))
    fresh = evidence.fresh()
    with pytest.raises(CheckFailed, match="not the one that was signed"):
        make_dossier(fresh.proof, fresh.report, evidence.options(), broken)


def test_a_sealers_material_has_to_fit():
    key, certificate = create_seal_identity("Example SA", evidence.RECEIVED)
    other, _ = create_seal_identity("Example SA", evidence.RECEIVED)
    with pytest.raises(Misconfigured, match="belong"):
        Sealer(other, certificate)
    with pytest.raises(Misconfigured, match="read"):
        Sealer(b"nothing", certificate)
    with pytest.raises(Misconfigured, match="read"):
        Sealer(key, b"nothing")
    with pytest.raises(Misconfigured, match="name"):
        create_seal_identity("", evidence.RECEIVED)
    assert isinstance(Sealer(key, certificate).certificate.public_key(), ec.EllipticCurvePublicKey)

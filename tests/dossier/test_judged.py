"""Dossiers before others: veraPDF on PDF/A and PDF/UA, before and after sealing."""

import pytest

from dossier.case import make_case
from dossier.make import make_dossier, make_unsealed
from tests.dossier import evidence
from tests.dossier.evidence import sealer
from tests.dossier.test_redacted import options, redacted
from tests.judges.verapdf import FLAVOURS, failures
from tests.verify import test_case


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_verapdf_finds_nothing(flavour, tmp_path):
    """PDF/A-3a and PDF/UA-1, in both languages, with the nastiest names; a recent record
    without any witness; a redacted
    dossier; and a case."""
    files = []
    for language in ("fr", "en"):
        for name, case in (("full", evidence.full()), ("fresh", evidence.fresh())):
            how = evidence.options(language, final=name == "full")
            for stage, make in (("unsealed", make_unsealed), ("sealed", None)):
                file = tmp_path / f"{name}-{stage}-{language}.pdf"
                if make:
                    file.write_bytes(make(case.proof, case.report, how))
                else:
                    sealed = make_dossier(case.proof, case.report, how, sealer())
                    file.write_bytes(sealed)
                files.append(file)
        file = tmp_path / f"redacted-{language}.pdf"
        less = redacted(["part.3", "receipt.report"], linked=True)
        file.write_bytes(make_dossier(less.proof, less.report, options(language), sealer()))
        files.append(file)
        file = tmp_path / f"case-{language}.pdf"
        file.write_bytes(make_case(test_case.judged(), test_case.options(language), sealer()))
        files.append(file)
    assert failures(files, flavour) == {file.name: [] for file in files}


def test_verapdf_would_find_something(tmp_path):
    """The judge is awake: a dossier without its output intent is none."""
    case = evidence.full()
    data = make_unsealed(case.proof, case.report, evidence.options())
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(data.replace(b"/GTS_PDFA1", b"/GTS_PDFX1"))
    assert failures([broken], "3a")["broken.pdf"]

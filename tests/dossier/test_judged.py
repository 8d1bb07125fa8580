"""Dossiers before others: EU DSS, pyHanko and pdfsig on the seal; veraPDF on PDF/A and PDF/UA,
before and after sealing."""

import pytest

from dossier.case import make_case
from dossier.make import make_dossier, make_unsealed
from tests.dossier import evidence
from tests.dossier.evidence import sealer
from tests.dossier.test_redacted import options, redacted
from tests.judges import seals
from tests.judges.verapdf import FLAVOURS, failures
from tests.verify import test_case


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_verapdf_finds_nothing(flavour, tmp_path):
    """PDF/A-3a and PDF/UA-1, in both languages: a recent record without any witness; a redacted
    dossier; and a case. One with the nastiest names is judged below, at each level."""
    files = []
    for language in ("fr", "en"):
        fresh, how = evidence.fresh(), evidence.options(language, final=False)
        file = tmp_path / f"fresh-{language}.pdf"
        file.write_bytes(make_dossier(fresh.proof, fresh.report, how, sealer()))
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


@pytest.mark.timeout(600)
def test_the_page_is_what_the_judges_say(tmp_path):
    """docs/judges.md: each level in both languages, with the nastiest names."""
    assert seals.page(tmp_path) == seals.PAGE.read_text("utf-8")


def test_eu_dss_would_find_something(tmp_path):
    """The judge is awake: one byte behind the seal, and one before."""
    case, level = evidence.full(), seals.LEVELS[-1]
    good = make_dossier(case.proof, case.report, evidence.options("en"), level.sealer())
    for name, mark in (("good", b""), ("title", b"/Title"), ("store", b"/Certs")):
        file = tmp_path / f"{name}.pdf"
        file.write_bytes(good.replace(mark, mark[:2] + b"x" + mark[3:]) if mark else good)
    files = {path.stem: path for path in tmp_path.glob("*.pdf")}
    assert len(files) == 3
    found = seals.by_dss(files, tmp_path)
    assert found["good"].accepted
    assert not found["title"].accepted
    assert not found["store"].accepted or found["store"].formats != ("PAdES-BASELINE-LTA",)

"""Redacted dossiers: nothing of what is hidden is anywhere in the file, and the pages say so."""

import io

import pikepdf
import pytest

from dossier.make import DossierOptions, make_dossier
from dossier.story import Telling, tell
from dossier.words import TEXTS, Words
from proofmail.core.canonical import encode
from proofmail.core.redaction import choose, redact
from proofmail.verify.dossier import read_evidence, verify
from tests.core.test_redaction import hidden_texts
from tests.dossier import evidence
from tests.dossier.test_make import page_texts, squeezed


def redacted(words, *, linked=False):
    full = evidence.full().proof
    return evidence.case(redact(full, choose(full, words), linked=linked))


def options(language="en"):
    made = evidence.options(language)
    return DossierOptions(
        made.language, made.zone, made.organisation_name, made.final, made.check_address,
        redacted=True,
    )  # fmt: skip


def streams(data):
    """The file's bytes, and every stream and string in it, unpacked."""
    yield data
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream):
                yield item.read_bytes()
            yield from pdf_strings(item, 0)


def pdf_strings(item, depth):
    if isinstance(item, pikepdf.String):
        yield str(item).encode()
    elif isinstance(item, pikepdf.Dictionary | pikepdf.Stream) and depth < 4:
        for key in item.keys():  # noqa: SIM118 - not a mapping
            if key not in ("/P", "/Parent", "/Pg"):
                yield from pdf_strings(item[key], depth + 1)
    elif isinstance(item, pikepdf.Array) and depth < 4:
        for member in item:
            yield from pdf_strings(member, depth + 1)


@pytest.mark.parametrize("linked", [False, True])
def test_nothing_of_what_is_hidden_is_in_the_file(linked, tmp_path):
    full = evidence.full()
    less = redacted(["part.3"], linked=linked)
    data = make_dossier(less.proof, less.report, options(), evidence.sealer())
    hidden = list(hidden_texts(full.proof, less.proof))
    everything = b"\n".join(streams(data))
    assert [text for text in hidden if text.encode() in everything] == []
    assert [text for text in hidden if encode(text)[1:-1] in everything] == []
    pages = squeezed("".join(page_texts(data, tmp_path)))
    words = [text for text in hidden if " " in text or "@" in text or "." in text]
    assert len(words) > 15
    assert [text for text in words if squeezed(text) in pages] == []
    assert "devis-été.pdf" in pages  # the search would find one
    report = verify(read_evidence(data), evidence.trust_for(full.proof))
    assert report.exit_status == 0


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_says_redacted_and_page_one_counts(language, tmp_path):
    less = redacted(["header.subject"])
    data = make_dossier(less.proof, less.report, options(language), evidence.sealer())
    at = ("fr", "en").index(language)
    pages = [squeezed(text) for text in page_texts(data, tmp_path)]
    assert all(squeezed(TEXTS["redacted.mark"][at]) in text for text in pages)
    counted = TEXTS["redacted.count"][at].format(hidden=29, count=32, shown=3)
    assert squeezed(counted) in pages[0] + pages[1]


def test_what_is_left_out_is_not_said_to_be_absent():
    for linked, key in ((False, "linked.left-out"), (True, "redacted.linked")):
        less = redacted([], linked=linked)
        telling = Telling("Example", final=True, redacted=True)
        story = tell(less.proof, less.report, {}, telling, Words("en", evidence.options().zone))
        text = "\n".join(story.texts())
        assert TEXTS[key][1].format(count=1) in text
        assert TEXTS["linked.none"][1] not in text
    assert "part is shown here" in text

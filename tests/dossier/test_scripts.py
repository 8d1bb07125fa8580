"""Other scripts on the page: order, shaping, lines, and what stays visible as a code point."""

import io
import subprocess
import unicodedata

import pikepdf
import pytest
import uharfbuzz
from reportlab.platypus import SimpleDocTemplate

from dossier import fonts
from dossier.lines import Lines, needs_lines
from dossier.render import _STYLES
from dossier.scripts import _visual, runs, starts_right_to_left, width
from dossier.tags import Marks, Node
from dossier.text import visible
from tests.parts import need

BODY = fonts.load()[fonts.BODY]
VALUE = _STYLES["value"]

SAMPLES = {
    "Arabic": "تقرير مالي ٢٠٢٦",
    "Persian": "می\u200cخواهم کتاب را بخوانم",
    "vowelled": "تَشْكِيل",
    "Hebrew": "שלום עולם",
    "Thai": "สวัสดีชาวโลก น้ำ",
    "Devanagari": "नमस्ते दुनिया क्षत्रिय",
    "Bengali": "বাংলা",
    "Tamil": "தமிழ்",
    "Japanese": "契約書（最終版）のメール",
    "Chinese": "电子邮件附件合同",
    "Korean": "한국어 계약서",
    "Georgian": "ქართული",
    "Armenian": "Հայերեն",
    "Ethiopic": "አማርኛ",
    "Khmer": "ខ្មែរ",
    "Lao": "ລາວ",
    "Myanmar": "မြန်မာ",
    "emoji": "🧾 👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f 🇫🇷",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_script_is_drawn_as_it_stands(name):
    text = unicodedata.normalize("NFC", SAMPLES[name])
    assert visible(text, BODY) == text
    assert needs_lines(text, BODY)
    drawn = runs(text, fonts.BODY, right_to_left=starts_right_to_left(text))
    assert all(fonts.face(run.font) for run in drawn if run.font != fonts.BODY)
    assert sum(run.width for run in drawn) > 0
    # A glyph that no font has would be drawn as an empty box: number 0 of its font.
    for run in drawn:
        if run.font != fonts.BODY:
            face = fonts.face(run.font)
            for glyph in run.glyphs:
                assert face.font.face.charToGlyph[ord(glyph.character)] != 0


@pytest.mark.parametrize(
    ("text", "right_to_left", "shown"),
    [
        ("abc \u05d0\u05d1\u05d2 def", False, "abc \u05d2\u05d1\u05d0 def"),
        ("\u05d0\u05d1 (abc) 12", True, "12 (abc) \u05d1\u05d0"),
        ("\u05d0[\u05d1]\u05d2", True, "\u05d2[\u05d1]\u05d0"),
        ("a (\u05d0\u05d1) b", False, "a (\u05d1\u05d0) b"),
        ("\u05d0\u05d1 12.5 \u05d2", True, "\u05d2 12.5 \u05d1\u05d0"),
        ("\u05d0((\u05d1", True, "\u05d1))\u05d0"),
        ("x: \u0627\u0628 (2026) \u062a y", False, "x: \u062a (2026) \u0628\u0627 y"),
    ],
)
def test_the_order_of_the_page(text, right_to_left, shown):
    """Each expected by hand from UAX #9; brackets face what they hold."""
    assert _visual(text, right_to_left=right_to_left) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u0628\u202e\u0628", "\u0628‹U+202E›\u0628"),
        ("\u0628\u200f", "\u0628‹U+200F›"),
        ("a\u200db", "a‹U+200D›b"),  # a joiner has no business in Latin
        ("\u0628\u200d", "\u0628‹U+200D›"),  # nor at the end of anything
        ("\u05d0\u064b", "\u05d0‹U+064B›"),  # another script's mark
        ("\u0e01" + "\u0e49" * 6, "\u0e01" + "\u0e49" * 4 + "‹U+0E49›‹U+0E49›"),
        ("\ufe0f", "‹U+FE0F›"),
        ("a\ufe0f", "a‹U+FE0F›"),
        ("\u3164", "‹U+3164›"),
        ("\U000e0041", "‹U+E0041›"),
        ("\ud7ff\U0010ffff", "‹U+D7FF›‹U+10FFFF›"),
        ("\u2800", "‹U+2800›"),
    ],
)
def test_what_hides_or_reorders_stays_a_code_point(text, shown):
    assert visible(text, BODY) == shown


def test_lines_keep_every_character_and_their_order():
    text = visible("契約 \u05e9\u05dc\u05d5\u05dd word " * 30 + "\u0e01" * 200, BODY)
    lines = Lines(text, VALUE, Node("P"))
    room = 200.0
    lines.wrap(room, 1000)
    assert "".join(lines._lines) == text
    assert len(lines._lines) > 5
    for line in lines._lines:
        assert width(line.rstrip(" "), VALUE.fontName) * VALUE.fontSize / 1000 <= room


def test_a_split_loses_no_line():
    lines = Lines(visible("\u05d0 word " * 60, BODY), VALUE, Node("P"))
    _, high = lines.wrap(120, 1000)
    first, second = lines.split(120, high / 2)
    assert first._lines + second._lines == lines._lines
    assert first.wrap(120, 1000)[1] <= high / 2
    assert lines.split(120, high + 1) == []
    assert lines.split(120, 1) == []


def page(texts) -> bytes:
    out = io.BytesIO()

    def canvas(*arguments, **options):
        from reportlab.pdfgen.canvas import Canvas

        made = Canvas(*arguments, **{**options, "initialFontName": fonts.BODY})
        made.marks, made.page_index = Marks(), 0
        return made

    flow = [Lines(visible(text, BODY), VALUE, Node("P")) for text in texts]
    SimpleDocTemplate(out, invariant=1).build(flow, canvasmaker=canvas)
    return out.getvalue()


def test_the_text_behind_the_glyphs_is_what_was_written(tmp_path):
    """For whoever copies from the page, searches it, or has it read aloud: in the order of
    reading (ISO 32000-1 §14.9.4)."""
    texts = [unicodedata.normalize("NFC", text) for text in SAMPLES.values()]
    with pikepdf.open(io.BytesIO(page(texts))) as pdf:
        told = [
            str(operands[1].ActualText)
            for operands, operator in pikepdf.parse_content_stream(pdf.pages[0])
            if str(operator) == "BDC" and "/ActualText" in operands[1]
        ]
    assert told == texts


def test_another_reader_finds_the_text(tmp_path):
    """pdftotext; it turns letters that run right to left around once more."""
    need("pdfsig")  # of the same package
    file = tmp_path / "page.pdf"
    texts = {n: unicodedata.normalize("NFC", t) for n, t in SAMPLES.items()}
    file.write_bytes(page(texts.values()))
    told = subprocess.run(
        ["pdftotext", "-raw", file, "-"], capture_output=True, text=True, check=True
    ).stdout
    for name, text in texts.items():
        if name != "emoji" and not starts_right_to_left(text):
            assert text.replace(" ", "") in told.replace(" ", "")


def test_the_same_bytes_whatever_was_drawn_before():
    """Glyphs without a code point are numbered by the font, not in the order of their first use."""
    alone = page([SAMPLES["Devanagari"]])
    page([SAMPLES["Tamil"], "क्ष त्र ज्ञ श्र", SAMPLES["Thai"]])
    assert page([SAMPLES["Devanagari"]]) == alone


def test_every_font_may_be_embedded_and_is_licensed():
    """OS/2 fsType, bit 1: no embedding without the owner's leave."""
    folder = fonts.ICC_PROFILE.parent
    licences = "".join(f.read_text() for f in folder.glob("LICENSE-*.txt"))
    for name in fonts.files():
        assert name in licences or (name.startswith("NotoSans") and "NotoSans*.ttf" in licences)
        table = uharfbuzz.Face((folder / name).read_bytes()).reference_table("OS/2").data
        assert not table[9] & 2
    assert {f.name for f in folder.glob("*.ttf")} == set(fonts.files())

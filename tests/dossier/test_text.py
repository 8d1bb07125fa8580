import pytest

from dossier.text import MAX_SHOWN, markup, shorten, visible

GLYPHS = frozenset(range(0x20, 0x600))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain été 1 €".replace("€", "£"), "plain été 1 £"),
        ("e\u0301te\u0301", "été"),
        ("a\u202eb", "a‹U+202E›b"),
        ("a\u2066b\u2069", "a‹U+2066›b‹U+2069›"),
        ("a\nb\tc\x00", "a‹U+000A›b‹U+0009›c‹U+0000›"),
        ("soft\u00adhyphen", "soft‹U+00AD›hyphen"),
        ("z\u200bw\u200dj\ufeff", "z‹U+200B›w‹U+200D›j‹U+FEFF›"),
        ("x\u0336", "x‹U+0336›"),
        ("\u05d0\u0627\U0001f9fe", "\u05d0\u0627\U0001f9fe"),
        ("\u0710\U00012000", "‹U+0710›‹U+12000›"),  # Syriac, cuneiform: no font for them
        ("\ud800", "‹U+D800›"),
        ("‹U+202E›", "‹U+2039›U+202E›"),
        ("a\u2003b", "a‹U+2003›b"),
    ],
)
def test_visible(text, shown):
    assert visible(text, GLYPHS | {0x203A}) == shown


def test_markup_is_escaped():
    assert markup('<b>&amp;"</b>') == '&lt;b&gt;&amp;amp;"&lt;/b&gt;'


def test_no_space_is_lost():
    assert markup(" a  b   .exe ") == "\u00a0a \u00a0b \u00a0\u00a0.exe\u00a0"


def test_a_long_text_says_how_much_is_missing():
    text = "x" * (MAX_SHOWN + 12)
    assert shorten(text, "… ({count} more)") == "x" * MAX_SHOWN + "… (12 more)"
    assert shorten(text[:MAX_SHOWN], "…") == text[:MAX_SHOWN]

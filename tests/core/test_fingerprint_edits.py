"""10,000 edits, each of one word, digit, sign, name, link or cell: none may pass as the same."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from proofmail.core.html_text import HtmlText
from proofmail.core.text import Text
from proofmail.core.words import Words
from tests.core.html_pages import Content, apple, gmail, outlook, plain, thunderbird

EDITS = 10_000
SAYINGS = (
    "We confirm the order of 12 pumps for Mr Martin at € 1,200.50 net.",
    "Nous ne livrerons pas avant le 3 mars, sauf accord de Mme Dupont.",
    "The penalty is 5 % per week, not 0.5 %, up to 10 % of the price.",
    "Votre solde est de -350,00 € au 31/12/2026; merci de régler à l'étude.",
    "Please pay to FR76 3000 6000 0112 3456 7890 189, not to the old account.",
    "Paul agrees; Anna does not. Both sign by 17:00 on Friday.",
    "La réunion du 5 est reportée au 6; M. Leroy préside.",
    "I never said that she took 1 000 $ from Peter.",
    "Offre valable 30 jours, hors taxes, port dû (Incoterm EXW).",
    "The tenant shall give 3 months' notice; the landlord, 6.",
)
NAMES = ("Martin", "Dupont", "Anna", "Paul", "Leroy", "Peter")
WORDS = ("never", "not", "pas", "all", "net", "brut", "each", "sans", "avec", "no")
SIGNS = ".,;:-+%$€()/'"
CONTENTS = tuple(
    Content(
        (SAYINGS[i], SAYINGS[(i + 3) % 10]),
        (("Item", "Price"), (f"Pump {i}", f"{100 + i},50"), ("Pipe", f"{7 * i + 3}.00")),
        f"https://example.org/pay/{i}?ref={1000 + i}&to=a",
        f"cid:image{i:03}.png@01D8",
    )
    for i in range(10)
)
Edit = Callable[[random.Random, str], str]


def _at(dice: random.Random, pattern: str, new: Callable[[str], str], text: str) -> str:
    places = list(re.finditer(pattern, text))
    if not places:
        return text
    place = dice.choice(places)
    return text[: place.start()] + new(place[0]) + text[place.end() :]


def _other(dice: random.Random, choices: str | tuple[str, ...]) -> Callable[[str], str]:
    return lambda old: dice.choice([choice for choice in choices if choice != old])


TEXT_EDITS: dict[str, Edit] = {
    "a word": lambda dice, text: _at(dice, r"\b[^\W\d]+\b", _other(dice, WORDS), text),
    "a word dropped": lambda dice, text: _at(dice, r"\b\w+\b", lambda _: "", text),
    "a word doubled": lambda dice, text: _at(dice, r"\b\w+\b", lambda old: f"{old} {old}", text),
    "a digit": lambda dice, text: _at(dice, r"\d", _other(dice, "0123456789"), text),
    "a digit more": lambda dice, text: _at(dice, r"\d", lambda old: old + "0", text),
    "a sign": lambda dice, text: _at(dice, r"[.,;:%$€'/()-]", _other(dice, SIGNS), text),
    "a sign dropped": lambda dice, text: _at(dice, r"[.,;:%$€'/()-]", lambda _: "", text),
    "a name": lambda dice, text: _at(dice, "|".join(NAMES), _other(dice, NAMES), text),
    "a capital": lambda dice, text: _at(dice, r"[a-z]", str.upper, text),
    "an accent": lambda dice, text: _at(dice, r"[éàûa-z]", lambda old: old + "\u0301", text),
    "a space": lambda dice, text: _at(dice, r"(?<=\w)(?=\w)", lambda _: " ", text),
    "words joined": lambda dice, text: _at(dice, r"(?<=\w) (?=\w)", lambda _: "", text),
    "an invisible sign": lambda dice, text: _at(dice, r"(?<=\w)(?=\w)", lambda _: "\u200b", text),
    "a look-alike": lambda dice, text: _at(
        dice, "[aeo]", lambda old: "аео"["aeo".index(old)], text
    ),
}


def edited(dice: random.Random, content: Content) -> tuple[str, Content]:
    """One edit of the content; "nothing" where the die fell on a place that has none."""
    kind = dice.choice(("paragraph", "paragraph", "paragraph", "cell", "swap", "link", "picture"))
    if kind == "paragraph":
        name = dice.choice(list(TEXT_EDITS))
        place = dice.randrange(len(content.paragraphs))
        lines = list(content.paragraphs)
        lines[place] = TEXT_EDITS[name](dice, lines[place])
        return name, replace(content, paragraphs=tuple(lines))
    if kind == "link":
        link = _at(dice, r"[\w]", _other(dice, "abcdef0123456789"), content.link)
        return kind, replace(content, link=link)
    if kind == "picture":
        picture = _at(dice, r"\d", _other(dice, "0123456789"), content.picture)
        return kind, replace(content, picture=picture)
    rows = [list(row) for row in content.rows]
    row, column = dice.randrange(3), dice.randrange(2)
    if kind == "cell":
        name = dice.choice(list(TEXT_EDITS))
        rows[row][column] = TEXT_EDITS[name](dice, rows[row][column])
        return name, replace(content, rows=tuple(map(tuple, rows)))
    other = dice.choice([(r, c) for r in range(3) for c in range(2) if (r, c) != (row, column)])
    a, b = rows[row][column], rows[other[0]][other[1]]
    rows[row][column], rows[other[0]][other[1]] = b, a
    return kind, replace(content, rows=tuple(map(tuple, rows)))


def of_html(page: str) -> dict[str, bytes]:
    html = HtmlText()
    html.feed(page)
    found, note = html.finish()
    assert note is None, note
    return {item.rule: item.sha256 for item in found}


def of_plain(body: str) -> dict[str, bytes]:
    words = Words()
    text = Text("utf-8", flowed=False, delete_space=False, made=words.feed)
    text.feed(body.encode())
    assert text.finish()[1] is None
    return {"words/1": words.finish().sha256}


LAYOUTS = ((outlook, of_html), (gmail, of_html), (apple, of_html), (thunderbird, of_html))


def test_no_edit_keeps_a_fingerprint() -> None:
    dice = random.Random(20261121)
    templates = [
        (layout, rules, content, rules(layout(content)))
        for layout, rules in (*LAYOUTS, (plain, of_plain))
        for content in CONTENTS
    ]
    assert len(templates) == 50
    made: Counter[str] = Counter()
    while made.total() < EDITS:
        layout, rules, content, before = dice.choice(templates)
        name, changed = edited(dice, content)
        if changed == content:
            continue
        if layout is plain and (
            name == "picture" or plain(changed).split() == plain(content).split()
        ):
            continue  # a plain text shows no picture
        after = rules(layout(changed))
        for rule, digest in before.items():
            if rule == "words/1" and name == "picture":
                continue  # a picture's reference is no word (SPEC §3.13)
            assert after[rule] != digest, (name, rule, layout.__name__, content, changed)
        made[name] += 1
    assert min(made.values()) > 50
    assert len(made) == len(TEXT_EDITS) + 3


@pytest.mark.parametrize("content", CONTENTS)
def test_rewrapping_keeps_the_words(content: Content) -> None:
    body = plain(content)
    before = of_plain(body)
    for width in (20, 40, 72):
        words, lines = body.split(), [""]
        for word in words:
            if len(lines[-1]) + len(word) > width:
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
        assert of_plain("\r\n".join(lines)) == before
    assert of_plain(body.replace(" ", "\xa0\u2003 ")) == before
    assert of_plain("> " + body) != before

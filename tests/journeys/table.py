"""Makes all journeys and writes docs/journeys.md: `python -m tests.journeys.table`.

Needs Postfix, Exim and Dovecot, and root. With `--show`, prints what became of each copy instead.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.journeys.originals import ORIGINALS
from tests.journeys.outcomes import RUNGS, VERDICTS, Outcome, counted
from tests.journeys.rewrites import REWRITES
from tests.journeys.transports import TRANSPORTS, transported

PAGE = Path(__file__).resolve().parents[2] / "docs" / "journeys.md"
_VALUES = re.compile(r"(?<= differs): recorded .*|; (?:its|it is) .*", re.DOTALL)
"""What a report says beside the kind of a difference: other values for each mail."""
_VERDICTS = {
    "same.bytes": "same bytes",
    "same.content": "same content",
    "same.words": "same words",
    "undecided": "not checked",
    "differs": "differs",
}
_INTRO = """\
# Journeys of a mail

What a copy still matches of a proof after servers and rewriting programs have had the mail. Written
by `python -m tests.journeys.table`, which makes the journeys; do not edit.

{originals} originals (tests/journeys/originals.py) go on each journey. *Servers* are real ones, run
by the tests (tests/journeys/transports.py); *rewrites* are small scripts of our own, named for what
they imitate (tests/journeys/rewrites.py), which take the originals that they have something to do
on. A part counts under the strongest rung that it matches; `header-values/1` is an enclosed message
whose bytes changed while its header values and all its parts match.

"""


def page(outcomes: Mapping[str, Mapping[str, Outcome]]) -> str:
    """The whole page; `outcomes` by journey and original."""
    sections = [_INTRO.format(originals=len(ORIGINALS))]
    for title, names in (("Servers", TRANSPORTS), ("Rewrites", REWRITES)):
        chosen = {name: list(outcomes[name].values()) for name in names}
        sections += [
            f"## {title}\n\n### Text bodies\n\n{_parts_table(chosen, bodies=True)}\n",
            f"### Attached, inline and enclosed parts\n\n{_parts_table(chosen, bodies=False)}\n",
            f"### Verdicts on the mails\n\n{_verdict_table(chosen)}\n",
            f"### What differs\n\n{_differences(chosen)}\n",
        ]
    return "".join(sections).rstrip("\n") + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    rule = ["---"] + ["--:"] * (len(head) - 1)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, rule, *rows])


def _parts_table(chosen: Mapping[str, list[Outcome]], *, bodies: bool) -> str:
    rows = []
    total: Counter[str] = Counter()
    for name, outcomes in chosen.items():
        found = counted(outcomes, bodies=bodies)
        total += found
        rows.append([name, *_shares(found)])
    if chosen.keys() == TRANSPORTS.keys():  # what rewrites add up to means nothing
        rows.append(["**all**", *_shares(total)])
    return _table(["journey", "parts", *RUNGS, "none", "matched"], rows)


def _shares(found: Counter[str]) -> list[str]:
    count = found.total()
    cells = [_share(found[rung], count) for rung in (*RUNGS, "")]
    matched = f"{100 * (count - found['']) / count:.1f} %" if count else "–"
    return [str(count), *cells, matched]


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f} %)" if part else "–"


def _verdict_table(chosen: Mapping[str, list[Outcome]]) -> str:
    rows = []
    for name, outcomes in chosen.items():
        found = Counter(outcome.verdict for outcome in outcomes)
        cells = [_share(found[verdict], len(outcomes)) for verdict in VERDICTS]
        rows.append([name, str(len(outcomes)), *cells])
    return _table(["journey", "mails", *(_VERDICTS[verdict] for verdict in VERDICTS)], rows)


def _differences(chosen: Mapping[str, list[Outcome]]) -> str:
    """By journey: each difference that reports name, with the number of mails."""
    lines = []
    for name, outcomes in chosen.items():
        found = Counter(
            _VALUES.sub("", text) for outcome in outcomes for text in outcome.report.differences
        )
        if found:
            said = "; ".join(f"{text} ({count})" for text, count in sorted(found.items()))
            lines.append(f"- {name}: {said}\n")
    return "".join(lines)


def journeys() -> dict[str, Callable[[], dict[str, Outcome]]]:
    """Every journey by its name."""
    servers = {name: (lambda name=name: transported(name)) for name in TRANSPORTS}
    return servers | {name: rewrite.outcomes for name, rewrite in REWRITES.items()}


def _show(outcomes: Mapping[str, Mapping[str, Outcome]]) -> None:
    for journey, copies in outcomes.items():
        for name, outcome in copies.items():
            rungs = ", ".join(f"{kind} {rung or 'none'}" for kind, _, rung in outcome.rungs)
            said = "; ".join((outcome.report.verdict, *outcome.report.differences))
            print(f"{journey} | {name} | {rungs} | {said}")


if __name__ == "__main__":
    made = {name: run() for name, run in journeys().items()}
    if "--show" in sys.argv:
        _show(made)
    else:
        PAGE.write_text(page(made), encoding="utf-8")

"""One line of a result, and the table that is printed at the end."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measured figure. `ratio` is ours against the peer's, always so that more is better;
    None when there is no peer. `target` and `floor` judge the ratio, or `ours` without one; None
    when the row is for information. `less`: a smaller figure of ours is the better one."""

    what: str
    ours: float
    peer: float | None
    ratio: float | None
    unit: str
    target: float | None = None
    floor: float | None = None
    less: bool = False

    @property
    def verdict(self) -> str:
        """How the figure stands: target, floor, or below the floor."""
        if self.target is None or self.floor is None:
            return ""
        figure, target, floor = self.ours, self.target, self.floor
        if self.ratio is not None:
            figure = self.ratio
        elif self.less:
            figure, target, floor = -figure, -target, -floor
        if figure >= target:
            return "target met"
        return "floor met" if figure >= floor else "BELOW THE FLOOR"


def versus(
    what: str, ours: float, peer: float, unit: str, goal: tuple[float, float] | None = None
) -> Row:
    """A row of two rates; `goal` is (target, floor) for their ratio."""
    target, floor = goal or (None, None)
    return Row(what, ours, peer, ours / peer, unit, target, floor)


def show(rows: Sequence[Row]) -> str:
    """The table as text."""
    head = ("what", "ours", "peer", "ratio", "unit", "target", "floor", "")
    body = [
        (
            row.what, _figure(row.ours), _figure(row.peer), _figure(row.ratio), row.unit,
            _figure(row.target), _figure(row.floor), row.verdict,
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[at]) for line in (head, *body)) for at in range(len(head))]
    lines = []
    for line in (head, *body):
        cells = [
            cell.ljust(width) if at in (0, 4, 7) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine() -> str:
    """The machine in one line, with its load: a busy one gives worse figures to both sides."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load before the start {load:.1f}"
    )

"""`python -m bench [NAME…]`: runs the comparisons named, or all, and prints one table.

Ends with 0 whatever the figures are: a slow machine is no error. A side that gives a wrong
answer, or a crash, is one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from bench import cases, dossiers, fingerprints, gateway, inclusion, memory, verifying
from bench.table import Row, machine, show

COMPARISONS: dict[str, Callable[[], list[Row]]] = {
    "fingerprints": fingerprints.run,
    "inclusion": inclusion.run,
    "verifying": verifying.run,
    "dossiers": dossiers.run,
    "cases": cases.run,
    "gateway": gateway.run,
    "memory": memory.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(COMPARISONS))
    names = parser.parse_args().names or list(COMPARISONS)
    unknown = set(names) - set(COMPARISONS)
    if unknown:
        parser.error(f"no comparison {min(unknown)}; there are {', '.join(COMPARISONS)}")
    print(machine(), flush=True)
    rows: list[Row] = []
    try:
        for name in names:
            started = time.monotonic()
            rows += COMPARISONS[name]()
            print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    finally:  # what was measured before an error is still worth reading
        print("\n" + show(rows), flush=True)


if __name__ == "__main__":
    main()

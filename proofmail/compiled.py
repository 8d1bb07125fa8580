"""Whether the scanner runs compiled, and that it was compiled from the sources that lie beside it.

Python prefers a compiled module to the source of the same name. A developer who edits the source,
or takes another version of it, would go on running the old one: so that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

CORE = Path(__file__).resolve().parent / "core"
RECORD_NAME = "compiled.txt"


def record(folder: Path, names: Iterable[str]) -> str:
    """What the build leaves behind: each source's SHA-256 in hex, and its name."""
    return "".join(
        f"{sha256((folder / name).read_bytes()).hexdigest()} {name}\n" for name in sorted(names)
    )


def is_compiled(folder: Path = CORE) -> bool:
    """Whether compiled modules for this Python lie in the folder. ImportError when they are not
    what its sources say: older, incomplete, or of a build that was cut short."""
    built = {path.name.split(".")[0] for path in folder.iterdir() if _is_for_us(path)}
    if not built:
        return False
    try:
        written = (folder / RECORD_NAME).read_text("ascii")
        names = [line.split(" ")[1] for line in written.splitlines()]
        fresh = record(folder, names) == written and {f"{name}.py" for name in built} == set(names)
    except (OSError, ValueError, IndexError):
        fresh = False
    if not fresh:
        raise ImportError(
            "proofmail.core was compiled from other sources than those beside it: "
            "build it again (in a checkout: make), or delete the compiled modules"
        )
    return True


def _is_for_us(path: Path) -> bool:
    return path.name.endswith(tuple(EXTENSION_SUFFIXES))

"""Compiles the scanner with mypyc where that can be done (docs/decisions/0006); pyproject.toml
holds all else. The sources stay the reference, and are what runs where nothing was compiled.

PROOFMAIL_COMPILE=must makes a failure an error, PROOFMAIL_COMPILE=never leaves compiling out.
"""

from __future__ import annotations

import os
import runpy
import sys
from functools import cache
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CORE = Path("proofmail", "core")
MODULES = (
    *("addresses", "charsets", "claims", "composed", "dates", "enclosed", "headers"),
    *("html_elements", "html_style", "html_text", "html_tokens", "leaf", "links", "mapping"),
    *("mime", "model", "notes", "parameters", "pictures", "protection", "relaxed", "report"),
    *("scan", "shape", "text", "transfer", "unicode14", "words"),
)
LIBRARY = "proofmail_core"
WISH = os.environ.get("PROOFMAIL_COMPILE", "")


class Compile(build_ext):
    """All of the modules or none. The record is written last: without it, or with one of other
    sources, `proofmail` refuses to load what is there."""

    def finalize_options(self) -> None:
        self.distribution.ext_modules = _translated()
        super().finalize_options()

    def run(self) -> None:
        self._remove_old()
        super().run()
        if self.extensions:
            folder = Path() if self.inplace else Path(self.build_lib)
            names = [f"{name}.py" for name in MODULES]
            record = runpy.run_path("proofmail/compiled.py")["record"]
            (folder / CORE / "compiled.txt").write_text(record(CORE, names))

    def build_extensions(self) -> None:
        try:
            super().build_extensions()
        except Exception as error:  # the classes of compiler errors differ between setuptools
            _give_up(f"the C compiler failed ({type(error).__name__})")
            self._remove_old()
            self.extensions = self.distribution.ext_modules = []

    def _remove_old(self) -> None:
        for folder in (Path(self.build_lib), Path()) if self.inplace else (Path(self.build_lib),):
            old = [*folder.glob(f"{LIBRARY}__mypyc.*"), folder / CORE / "compiled.txt"]
            for suffix in ("*.so", "*.pyd"):
                old += (folder / CORE).glob(suffix)
            for path in old:
                path.unlink(missing_ok=True)


@cache
def _translated() -> list[Extension]:
    """The modules in C; none where that is not wished, or cannot be done."""
    if WISH == "never":
        return []
    try:
        from mypyc.build import mypycify

        # Nearly all of the time goes to Python's own functions: more optimisation than this makes
        # the build slower, and nothing else.
        return mypycify(
            [str(CORE / f"{name}.py") for name in MODULES],
            opt_level="1",
            debug_level="0",
            group_name=LIBRARY,
            target_dir="build/scanner",
        )
    except ImportError:
        _give_up("mypy is not installed")
    except SystemExit:
        _give_up("mypyc refused the sources")
    return []


def _give_up(reason: str) -> None:
    if WISH == "must":
        sys.exit(f"error: the scanner could not be compiled: {reason}")
    print(f"The scanner is not compiled, and runs from its sources: {reason}", file=sys.stderr)


# The real ones are known once the command runs; one is named so that it does run.
EXTENSIONS = [] if WISH == "never" else [Extension(f"{LIBRARY}__mypyc", [])]

if __name__ == "__main__":
    setup(ext_modules=EXTENSIONS, cmdclass={"build_ext": Compile})

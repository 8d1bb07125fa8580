"""Runs one target under atheris: `python -m tests.fuzz TARGET --seconds 600 --finds FOLDER`.

A find does not end the run: input and traceback go to the folder of finds, once for each place,
and the exit status is 1. An input that takes over a second is a find too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FrameType, ModuleType

from tests.fuzz import TARGETS

try:
    import atheris
except ImportError:
    atheris = None

SLOW_SECONDS = 1.0
HUNG_SECONDS = 20
_KEPT_FRAMES = 3


class Slow(Exception):
    """An input took longer than any input of its size may."""


class Finds:
    """Writes each find once: two are the same if their last frames are."""

    def __init__(self, folder: Path, target: str) -> None:
        self._folder, self._target = folder, target
        self._seen: set[str] = set()

    def keep(self, data: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)[-_KEPT_FRAMES:]
        place = repr((type(error), [(frame.filename, frame.lineno) for frame in frames]))
        if place in self._seen:
            return
        self._seen.add(place)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._target}-{sha256(place.encode()).hexdigest()[:12]}"
        path.with_suffix(".bin").write_bytes(data)
        path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))
        print(f"find: {path}.bin: {type(error).__name__}: {error}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path, required=True, help="folder that inputs grow in")
    parser.add_argument("--finds", type=Path, required=True)
    parser.add_argument("--again", type=Path, help="one input, from the folder of finds")
    options = parser.parse_args()
    if options.again:
        _load(options.target).check(options.again.read_bytes())
        return 0
    if atheris is None:
        print("atheris is not installed: see docs/fuzzing.md", file=sys.stderr)
        return 2
    # When the time is over, atheris ends its process, with 0 whatever was found: so, in a child.
    started = time.time()
    child = os.fork()
    if not child:
        with atheris.instrument_imports(include=["proofmail", "smtp_gateway"]):
            target = _load(options.target)
        _fuzz(target, options)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = [path for path in options.finds.glob("*.bin") if path.stat().st_mtime >= started]
    print(f"{options.target}: {len(found)} finds", file=sys.stderr)
    return 1 if found or status else 0


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"tests.fuzz.{name}")


def _fuzz(target: ModuleType, options: argparse.Namespace) -> None:
    corpus: Path = options.corpus / options.target
    corpus.mkdir(parents=True, exist_ok=True)
    options.finds.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    mutated: Callable[[bytes, Random, int], bytes] = target.mutated

    def mutate(data: bytes, most_bytes: int, seed: int) -> bytes:
        random = Random(seed)
        if random.randrange(3) == 0:
            return bytes(atheris.Mutate(data, most_bytes))
        return mutated(data, random, most_bytes)

    arguments = [
        sys.argv[0], str(corpus), f"-max_total_time={options.seconds}",
        f"-max_len={target.MOST_BYTES}", "-rss_limit_mb=2048", f"-timeout={HUNG_SECONDS * 2}",
        "-print_final_stats=1", f"-artifact_prefix={options.finds}/",
    ]  # fmt: skip
    finds = Finds(options.finds, options.target)
    atheris.Setup(arguments, _watched(target.check, finds), custom_mutator=mutate)
    print(f"{options.target}: {len(os.listdir(corpus))} seeds", file=sys.stderr)
    atheris.Fuzz()


def _watched(check: Callable[[bytes], None], finds: Finds) -> Callable[[bytes], None]:
    def hung(number: int, frame: FrameType | None) -> None:
        raise Slow(f"over {HUNG_SECONDS} s")

    signal.signal(signal.SIGVTALRM, hung)

    def one(data: bytes) -> None:
        started = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, HUNG_SECONDS)
        try:
            check(data)
            seconds = time.process_time() - started
            if seconds > SLOW_SECONDS:
                raise Slow(f"{seconds:.1f} s")
        except Exception as error:
            finds.keep(data, error)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    return one


if __name__ == "__main__":
    sys.exit(main())

"""Hostile input: what each target asks of the code, its seeds, and the runner (docs/fuzzing.md).

A target is a module with `check(data)`, which raises for a find, `seeds()`, `mutated(data, random,
most_bytes)`, and MOST_BYTES, the length of its longest input. `make fuzz` feeds it with what
atheris makes, `test_smoke.py` with little, in the normal suite.
"""

TARGETS = ("scanner", "headers", "session", "copies", "evidence")

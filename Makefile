# The two commands: `make demo` runs the main job, `make test` runs all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BUILT := $(VENV)/.built
# How many processes share the tests, a file each at a time.
WORKERS ?= 2
COMPILED := proofmail/core/*.so proofmail/core/compiled.txt proofmail_core__mypyc.*.so

.PHONY: demo test lint serve bench fuzz lock clean

demo: $(BUILT)
	$(BIN)/proofmail demo demo

test: $(BUILT)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(BUILT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Sets up ./data at the first start; see `proofmail init --help` for what can be chosen.
serve: $(BUILT)
	@test -f data/settings.toml || $(BIN)/proofmail init data
	$(BIN)/proofmail serve data

# Prints each figure against its peer; `make bench ARGS=gateway` runs one (bench/README.md).
bench: $(BUILT)
	$(BIN)/python -m bench $(ARGS)

# Hostile input for each target (docs/fuzzing.md): `make fuzz ARGS='scanner copies' SECONDS=60`.
# atheris has no wheel for some Pythons and machines, so it is not among what `make test` installs.
ARGS_FUZZ = $(or $(ARGS),scanner headers session copies evidence)
SECONDS ?= 600
# It follows the sources alone, so that the compiled scanner makes way for them.
fuzz: $(STAMP)
	@rm -f $(BUILT) $(COMPILED)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || PROOFMAIL_COMPILE=never $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --no-build-isolation --editable '.[fuzz]'
	@failed=0; for target in $(ARGS_FUZZ); do \
	  $(BIN)/python -m tests.fuzz $$target --seconds $(SECONDS) --corpus fuzz/corpus --finds fuzz/finds \
	    || failed=1; done; exit $$failed

# Everything pinned and hashed.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "needs Python 3.11 or later: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "needs venv: on Debian, apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# The project itself, in place, without its own look-ups; its scanner compiled where there is a C
# compiler, and so built anew when a source of it changes. PROOFMAIL_COMPILE=never leaves that out.
$(BUILT): $(STAMP) setup.py proofmail/compiled.py $(wildcard proofmail/core/*.py)
	rm -f $(COMPILED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/proofmail --version
	@touch $@

lock: $(STAMP)
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host \
	  --allow-unsafe --strip-extras --extra lists --extra server --extra pkcs11 --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) demo build dist *.egg-info $(COMPILED)

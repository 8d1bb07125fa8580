# The two commands: `make demo` runs the main job, `make test` runs all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint serve bench fuzz lock clean

demo: $(STAMP)
	$(BIN)/proofmail demo demo

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Sets up ./data at the first start; see `proofmail init --help` for what can be chosen.
serve: $(STAMP)
	@test -f data/settings.toml || $(BIN)/proofmail init data
	$(BIN)/proofmail serve data

# Prints each figure against its peer; `make bench ARGS=gateway` runs one (bench/README.md).
bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

# Hostile input for each target (docs/fuzzing.md): `make fuzz ARGS='scanner copies' SECONDS=60`.
# atheris has no wheel for some Pythons and machines, so it is not among what `make test` installs.
ARGS_FUZZ = $(or $(ARGS),scanner headers session copies evidence)
SECONDS ?= 600
fuzz: $(STAMP)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --no-build-isolation --editable '.[fuzz]'
	@failed=0; for target in $(ARGS_FUZZ); do \
	  $(BIN)/python -m tests.fuzz $$target --seconds $(SECONDS) --corpus fuzz/corpus --finds fuzz/finds \
	    || failed=1; done; exit $$failed

# Everything pinned and hashed; the project itself is installed in place, without its own look-ups.
$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "needs Python 3.11 or later: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "needs venv: on Debian, apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(STAMP)
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host \
	  --allow-unsafe --strip-extras --extra server --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) demo build dist *.egg-info

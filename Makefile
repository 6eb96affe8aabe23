# Two commands do everything on a fresh machine with Python 3.11+ and make:
#   make demo   set up, run the example campus for a week, write the report and name it
#   make test   set up, run all tests
SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { command -v $$p; break; }; done)
DEMO := examples/campus-100mw/site.toml
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

CASES ?=
COUNT ?= 200
SEED ?= 1
JOBS ?= 1
MUTATED ?= control,measure,plant,simulate,study
SITES ?= 200
BOOKS ?= 100
CHECKS ?= 200
SCHEDULES ?= 1000
RECORDS ?= 150

.PHONY: demo test check dist prove fuzz bench bench-peers mutants docs reference format clean python

demo: $(VENV)/.runtime
	@echo "aidc: running $(DEMO) for one week at 1 s (the first run compiles its kernels, about half a minute)"
	@$(BIN)/aidc run $(DEMO)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto

check: $(VENV)/.dev
	$(BIN)/ruff format --check src tests benchmarks mutants
	$(BIN)/ruff check src tests benchmarks mutants
	$(BIN)/pyright

# A wheel and a source distribution, in dist/.
dist: $(VENV)/.dev
	$(BIN)/python -m hatchling build -d dist

# Every flow of SITES random sites against a plain-Python judge of supply, the figures of BOOKS random runs at four
# output steps, CHECKS random sites x rule sets x faults against a brute-force judge, RECORDS records of the twin, sound
# and spoilt, read back, and SCHEDULES random networks against an integer program; goes on where it was stopped.
prove: $(VENV)/.dev
	@$(BIN)/python tests/simulate/prove_supply.py --count $(SITES)
	@$(BIN)/python tests/study/prove_books.py --count $(BOOKS)
	@$(BIN)/python tests/study/prove_checks.py --count $(CHECKS)
	@$(BIN)/python tests/study/prove_records.py --count $(RECORDS)
	@$(BIN)/python tests/design/prove_schedules.py --count $(SCHEDULES)

# Spoilt files of every kind that a person writes; SPOILT and SEED may be given.
SPOILT ?= 20000
fuzz: $(VENV)/.dev
	@$(BIN)/python tests/fuzz/fuzz.py --count $(SPOILT) --seed $(SEED)

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(CASES)

# Changes one drawn place of the source at a time, in a copy, and lists what no test noticed. Hours; goes on where it stopped.
mutants: $(VENV)/.dev
	@$(BIN)/python -m mutants --count $(COUNT) --seed $(SEED) --rooms $(MUTATED) --jobs $(JOBS)

# The simulators that `bench` compares with live in an environment of their own: aidc does not need them.
bench-peers: .venv-peers/.done $(VENV)/.dev
	@$(BIN)/python -m benchmarks energy-engine-week energy-vessim energy-vessim-logged energy-openg2g

.venv-peers/.done: requirements-peers.lock | python
	@echo "aidc: downloading and installing the pinned simulators to compare with (about 300 MB)"
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-peers.lock
	@touch $@

docs: $(VENV)/.dev
	$(BIN)/aidc validate $(or $(AIDC_DATA),../shared/data) --document docs

# docs/reference: keys, figures, columns and commands, from the schema and the code.
reference: $(VENV)/.dev
	$(BIN)/python -m aidc.cli.reference docs/reference

format: $(VENV)/.dev
	$(BIN)/ruff format src tests benchmarks mutants
	$(BIN)/ruff check --fix src tests benchmarks mutants

clean:
	rm -rf $(VENV) .venv-peers build dist .pytest_cache .ruff_cache .hypothesis

python:
	@test -n "$(PYTHON)" || { \
	echo "aidc needs Python 3.11, 3.12 or 3.13 with venv and pip, and found none."; \
	echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Or name one: make PYTHON=/path/to/python3.12"; exit 1; }

$(VENV)/bin/python: | python
	@echo "aidc: making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "aidc: downloading and installing the pinned libraries (about 350 MB, one to three minutes)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "aidc: downloading and installing the pinned libraries and test tools (about 500 MB)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@ $(VENV)/.runtime

# Every target makes the virtual environment it needs; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo explore test lint docs bench clean

PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# A stamp marks a finished install. A new dependency makes it stale; sources do not, because the install is editable.
BASE := $(VENV)/base.stamp
DEV := $(VENV)/dev.stamp
EXPLORE := $(VENV)/explore.stamp
INSTALL := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input install -c constraints.txt

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s%s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(BASE)  ## train eight GANs at once on handwritten digits and print a summary
	$(BIN)/sparring train digits --seeds 8 --out runs/demo
	$(BIN)/sparring show runs/demo

explore: $(EXPLORE)  ## train eight small GANs before your eyes, in the browser
	$(BIN)/sparring explore runs/explore --recipe ring --seeds 8

# Each worker gets one thread: two workers with a thread per core each would only wait for each other.
# Bytecode is kept even where the shell forbids it: else every process compiles the package and every test file anew.
# A worker begins with half of the tests, so that what the tests of one file share is made once. The slowest are named.
test: $(DEV)  ## the fast tests; make test ARGS="-m slow" for the others
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --durations 30 --durations-min 5 $(ARGS)

# pyright's wrapper would otherwise check for a newer version over the network on every call.
lint: $(DEV)  ## style, types, import directions and words
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/check_words.py

# A fixed width and no color, so that the same code writes the same page everywhere.
docs: $(DEV)  ## regenerate the generated sections of the README and the docs
	COLUMNS=120 NO_COLOR=1 $(BIN)/cog -r $(wildcard README.md README.zh-CN.md CONTRIBUTING.md docs/*.md)

bench: $(DEV)  ## compare the speed of a population with plain PyTorch
	$(BIN)/python benchmarks/speed.py

clean:  ## remove the environment, the caches and the demo's run; other runs stay
	rm -rf $(VENV) runs/demo build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or pass PYTHON=... to make" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(BASE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the package (half a minute or so, the first time) ..."
	$(INSTALL) -e .
	@touch $@

$(EXPLORE): $(BASE)
	@echo "Installing NiceGUI for the pages ..."
	$(INSTALL) -e ".[explore]"
	@touch $@

$(DEV): $(BASE)
	@echo "Installing the developers' tools ..."
	$(INSTALL) -e ".[dev]"
	@touch $@

# Every target makes the virtual environment it needs; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench clean

PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# A stamp stands for a finished install. A new dependency makes it stale; sources do not, for the install is editable.
BASE := $(VENV)/base.stamp
DEV := $(VENV)/dev.stamp
INSTALL := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input install -c constraints.txt

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s%s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(BASE)  ## train eight GANs at once on handwritten digits and show what came of it
	$(BIN)/sparring train digits --seeds 8 --out runs/demo
	$(BIN)/sparring show runs/demo

# Each worker gets one thread: two workers with a thread per core each would only wait for one another.
test: $(DEV)  ## the fast tests; make test ARGS="-m slow" for the others
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 $(ARGS)

# pyright's wrapper would otherwise ask the network on every call whether it is the newest.
lint: $(DEV)  ## style, types and floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	$(BIN)/lint-imports --no-logo

# A fixed width and no colour, so that the same code writes the same page everywhere.
docs: $(DEV)  ## write the generated sections of the README and the docs anew
	COLUMNS=120 NO_COLOR=1 $(BIN)/cog -r $(wildcard README.md README.zh-CN.md docs/*.md)

bench: $(DEV)  ## how fast a population trains beside solo runs
	$(BIN)/python benchmarks/speed.py

clean:  ## remove the environment, the caches and the demo's run; other runs stay
	rm -rf $(VENV) runs/demo build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(BASE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the package (half a minute or so, the first time) ..."
	$(INSTALL) -e .
	@touch $@

$(DEV): $(BASE)
	@echo "Installing the developers' tools ..."
	$(INSTALL) -e ".[dev]"
	@touch $@

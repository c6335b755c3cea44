# Everything a fresh machine needs: Python 3.11 or newer, make, and a package index.
#
#   make demo    set up, run the main job on data/sample, show what was found
#   make test    set up, run every check: format, lint, types, documents, tests
#   make quick   the fast part of the tests
#   make lock    resolve the dependencies again (needs uv)
#   make words   compile the Vietnamese catalogue after editing it

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: demo test quick lint lock words clean

$(VENV)/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (make PYTHON=/path/to/python)." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (once; about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/ready
	@$(BIN)/sangkien run data/sample/batch_unions.csv data/sample/batch_portal.xlsx \
	  --against data/sample/archive.csv --out demo/results

test: lint
	@$(BIN)/python -m pytest

quick: $(VENV)/ready
	@$(BIN)/python -m pytest -m "not slow and not shared"

lint: $(VENV)/ready
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary

words: $(VENV)/ready
	@$(BIN)/pybabel compile --directory pipeline/locale --domain sangkien

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --extra dev --extra notebooks pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

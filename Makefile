# Two commands: `make demo` and `make test`. Both set up .venv at the root first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo app test test-slow check clean

demo: .venv/.octavo
	$(BIN)/python -m app.demo

app: .venv/.octavo
	$(BIN)/octavo app

test: .venv/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

test-slow: .venv/.dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[slow]'
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -m "slow or not slow" -s

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/bin/python:
	$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("Octavo needs Python 3.11 to 3.13, this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/.octavo: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.dev: .venv/.octavo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

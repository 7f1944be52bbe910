PYTHON ?= python3
PIP := .venv/bin/python -m pip --disable-pip-version-check -q
RUN := .venv/bin/python

.PHONY: help setup demo test test-all lint bench clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | column -t -s '|'

setup: .venv/.ready  ## create .venv with the project and its development tools

.venv/.ready: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[dev]'
	touch $@

test: .venv/.ready  ## the test suite without the slow checks (under 8 minutes on 2 cores)
	$(RUN) -m pytest

test-all: .venv/.ready  ## every test, the slow ones too
	$(RUN) -m pytest -m ''

lint: .venv/.ready  ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

clean:  ## remove caches and what the demo made; .venv and other data stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis data/demo runs/demo
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

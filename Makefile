# Nothing but Python 3.11+ and make is assumed. `make demo` and `make test` make their own environment in .venv, once.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/ready
EXTRAS := demo,images,languages,lsp,mlflow,pdf,postgres,sign,spark

.PHONY: demo test lint format bench clean help

help:
	@echo 'make demo    train a model, document it, check it, publish it into ./demo'
	@echo 'make test    lint and all tests'
	@echo 'make lint    ruff, mypy, import-linter'
	@echo 'make bench   ratios to the limit and to peers; make bench ROWS=1e7'

demo: $(READY)
	@$(BIN)/factbook demo demo

test: lint
	$(BIN)/pytest -n auto

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

ROWS ?= 1e6

bench: $(READY)
	@$(BIN)/python -m benchmarks $(ROWS)

clean:
	rm -rf .venv .bench demo site dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# uv installs exactly what uv.lock says; where uv or the index of the lock cannot be had, pip resolves from pyproject.toml instead.
$(READY): pyproject.toml uv.lock
	@test -n '$(PYTHON)' || { echo 'factbook needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3' >&2; exit 2; }
	@echo 'making the environment in .venv (once) …'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		echo 'the venv module is incomplete here; on Debian and Ubuntu: apt-get install python3-venv' >&2; rm -rf .venv; exit 2; }
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8' \
		&& UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --quiet --frozen --inexact --all-extras; } \
	|| { echo 'uv could not install what uv.lock says: pip resolves from pyproject.toml instead …' >&2; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' \
		&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]' --group dev; }
	@touch $(READY)

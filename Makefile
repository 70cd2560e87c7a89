# make run and make test do all the set-up on a machine that has Python 3.11 or newer.
# Stamps in .venv say which lock files are installed, so the second start does no work.

SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUNS := $(VENV)/.runs
TESTS := $(VENV)/.tests
ARGS ?=

.PHONY: help run test lint bench browser lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# To run, the packages of the service; for the rest, those of the tests too, which contain them.
$(RUNS): requirements.lock
	@$(call install,requirements.lock)
	@touch $(RUNS)

$(TESTS): requirements-dev.lock requirements.lock
	@$(call install,requirements-dev.lock)
	@touch $(RUNS) $(TESTS)

# The locks name every package, so --no-deps installs exactly them.
define install
	if [ -z "$(PYTHON)" ]; then echo "需要 Python 3.11 或更高版本 / Python 3.11 or newer is needed" >&2; exit 1; fi; \
	set -e; \
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	echo "安装依赖 / installing the pinned packages …"; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(1); \
	$(BIN)/python -c 'import os, site; open(os.path.join(site.getsitepackages()[0], "guohe.pth"), "w").write(os.getcwd() + "\n")'; \
	printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m service.cli "$$@"\n' > $(BIN)/guohe; chmod +x $(BIN)/guohe
endef

run: $(RUNS)  ## set everything up and serve http://127.0.0.1:8000
	@exec $(BIN)/python -m service.cli serve --prepare $(ARGS)

test: $(TESTS)  ## set everything up and run the tests on SQLite and PostgreSQL
	@sh .ci/postgresql
	@$(BIN)/python -m service.frontend
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(TESTS)  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

browser: $(TESTS)  ## the tests that drive a real Chromium
	@$(BIN)/python -m service.frontend
	@$(BIN)/python -m pytest -m browser -n auto --dist worksteal $(ARGS)

bench: $(TESTS)  ## print what a start, a completion, a waiting instance and a page cost
	@sh .ci/postgresql
	@$(BIN)/python -m service.frontend
	@$(BIN)/python -m pytest -m bench -s tests/benchmarks $(ARGS)

lock:  ## write the locks anew after a change of pyproject.toml; ARGS=--upgrade takes newer releases
	@PYTHON=$(PYTHON) sh .ci/lock $(ARGS)

clean:  ## remove what the set-up made (not your data in var/)
	@rm -rf $(VENV) node_modules build .pytest_cache .mypy_cache .ruff_cache

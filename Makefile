# Nothing but Python 3.11 or newer and make is needed; uv is used where it is on the machine.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
UV := $(shell command -v uv 2>/dev/null)

.PHONY: help install install-test install-bench demo test test-full lint bench load screenshots pins clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed ## Make the environment, or renew it when the pins changed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Tarozu needs Python 3.11 or newer, found $$($(PYTHON) --version 2>&1); name another with: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "error: this Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(call pip_install,requirements/run.txt)
	@touch $@

install-test: $(VENV)/.installed-test

$(VENV)/.installed-test: requirements/test.txt $(VENV)/.installed
	$(call pip_install,requirements/test.txt)
	@touch $@

install-bench: $(VENV)/.installed-bench

$(VENV)/.installed-bench: requirements/bench.txt $(VENV)/.installed
	$(call pip_install,requirements/bench.txt)
	@touch $@

define pip_install
	@echo "Installing $(1) into $(VENV) ..."
	$(if $(UV),$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r $(1),$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1))
	$(if $(UV),$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .,$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .)
endef

demo: install ## Serve the demonstration (PORT=8000)
	$(BIN)/tarozu demo --port $(PORT)

lint: install-test ## Style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## Everything that a change must pass, in minutes
	$(BIN)/pytest -n auto -m "not long"

test-full: lint ## The above and what takes long
	$(BIN)/pytest -n auto

bench: install-bench ## Print speed as ratios measured in one run, to catsim and mirt too
	$(BIN)/python -m benchmarks

load: install-bench install-test ## 1,000 candidates at once on this machine, SQLite and PostgreSQL (about 10 minutes)
	$(BIN)/python -m benchmarks.load

screenshots: install-test ## Photograph every page at 390 and 1440 px into build/screenshots
	$(BIN)/python docs/screenshots.py

pins: ## Resolve the pinned requirements again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes pyproject.toml -o requirements/run.txt --custom-compile-command "make pins"
	uv pip compile -q --universal --python-version 3.11 --generate-hashes pyproject.toml --extra test -c requirements/run.txt -o requirements/test.txt --custom-compile-command "make pins"
	uv pip compile -q --universal --python-version 3.11 --generate-hashes pyproject.toml --extra bench -c requirements/run.txt -c requirements/test.txt -o requirements/bench.txt --custom-compile-command "make pins"

clean: ## Remove the environment and caches
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

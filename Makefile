# Everything a person or CI does here, from a fresh clone. Needs make and Python 3.11 to 3.13;
# the rest comes with `make install`, which every other target runs first, and with `.ci/needs`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first of these that is a Python we support; name another with `make PYTHON=… install`.
PYTHON ?= python3.13 python3.12 python3.11 python3
# Half as many again as there are cores: with one worker a core, of two cores a third to a half was
# idle in the first minutes, since most tests wait for other processes most of the time; with two
# workers a core both were busy throughout, and time-outs near.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores > 2 ? cores * 3 / 2 : 3)))
PYTEST_ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed

# Packages come from the package index only, never an interpreter from elsewhere.
export UV_PYTHON_DOWNLOADS := never
# The virtual environment of whoever calls make is not ours to change.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
USABLE = $(firstword $(foreach name,$(PYTHON),$(shell \
  "$(name)" -c '$(SUPPORTED)' >/dev/null 2>&1 && echo "$(name)")))

# A machine without uv gets one of ours, checked by hash like the rest.
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv)
ifeq ($(UV),)
UV := .cache/uv/bin/uv
endif

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' \
	  $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Make .venv with everything, checked by hash; does nothing when it is current

$(INSTALLED): requirements/dev.lock pyproject.toml $(filter .cache/%,$(UV))
	@$(require-python)
	@"$(BIN)/python" -c '$(SUPPORTED)' 2>/dev/null \
	  || { rm -rf .venv; "$(UV)" venv --quiet --python "$(USABLE)" .venv; }
	@echo "Installing what requirements/dev.lock names into .venv …"
	@"$(UV)" pip sync --python "$(BIN)/python" --quiet --require-hashes requirements/dev.lock
	@"$(UV)" pip install --python "$(BIN)/python" --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.cache/uv/bin/uv: requirements/build.lock
	@$(require-python)
	@rm -rf .cache/uv
	@"$(USABLE)" -m venv .cache/uv >/dev/null || { rm -rf .cache/uv; \
	  echo "This Python makes no virtual environments (Debian: apt-get install python3-venv);" >&2; \
	  echo "mend that or install uv yourself, then run make again." >&2; exit 1; }
	@.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement requirements/build.lock
	@touch $@

define require-python
if [[ -z "$(USABLE)" ]]; then \
  echo "Python 3.11, 3.12 or 3.13 is needed, and none of these is one: $(PYTHON)." >&2; \
  echo "Install one (Debian: apt-get install python3 python3-venv)" >&2; \
  echo "or name one: make PYTHON=/path/to/python" >&2; \
  exit 1; \
fi
endef

.PHONY: demo
demo: install ## Watch stories arrive through a real Apache Kafka
	@$(BIN)/jiraiya demo

# The slow tests come first and next to each other: a worker that is done takes some from another.
.PHONY: test
test: install ## Run every test, with branch coverage (PYTEST_ARGS=… adds arguments)
	@.ci/needs
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations=25 \
	  --cov --cov-report=term $(PYTEST_ARGS)

.PHONY: lint
lint: install ## Check style and formatting
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: install ## Check types, strictly
	@$(BIN)/mypy

.PHONY: layers
layers: install ## Check that each layer imports only those below it
	@$(BIN)/lint-imports

.PHONY: drift
drift: install ## Check that what is written from the code is current
	@$(BIN)/jiraiya schemas --check
	@$(BIN)/jiraiya asyncapi --check
	@$(BIN)/python -m jiraiya_events.settings.document --check

.PHONY: schemas
schemas: install ## Write schemas/, asyncapi.yaml and docs/CONFIGURATION.md from the code
	@$(BIN)/jiraiya schemas
	@$(BIN)/jiraiya asyncapi
	@$(BIN)/python -m jiraiya_events.settings.document

.PHONY: bench
bench: install ## Measure speed and memory, as ratios
	@$(BIN)/python -m bench

COMPILE = "$(UV)" pip compile --quiet --universal --generate-hashes --no-emit-index-url \
  --no-header --python-version 3.11 $(LOCK_ARGS)

.PHONY: lock
lock: $(filter .cache/%,$(UV)) ## Compile requirements/*.lock anew (LOCK_ARGS=--upgrade moves versions)
	@$(COMPILE) pyproject.toml --extra demo --group dev -o requirements/dev.lock
	@$(COMPILE) pyproject.toml -c requirements/dev.lock -o requirements/runtime.lock
	@$(COMPILE) requirements/build.in -o requirements/build.lock

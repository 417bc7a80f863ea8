# make install        a virtual environment in .venv with exact versions
# make demo           play games, clone a small policy for a few minutes, evaluate it
# make demo REPLAYS=DIR   decode replays, clone a small policy for a few minutes, score it
# make test           format, lint, types and the quick tests
# make test-slow      the slow tests
# make lock           write requirements.lock from what is in .venv

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
MINUTES ?= 3
OUT ?= demo

BIN := .venv/bin
INSTALLED := .venv/installed.stamp
PROTOCOL := pys2clientprotocol
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest

.PHONY: install demo test test-slow lock

install: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/latentstar demo $(if $(REPLAYS),"$(REPLAYS)") --minutes $(MINUTES) --out "$(OUT)"

test: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -n 2 -m "not slow"

test-slow: $(INSTALLED)
	$(PYTEST) -m slow

lock: $(INSTALLED)
	{ grep '^#' requirements.lock; $(BIN)/pip freeze --all --exclude-editable \
		| grep -v -e '^#' -e '^pip==' | sed -E 's/^(torch==[0-9.]+)\+.*/\1/'; } \
		> requirements.lock.part
	mv requirements.lock.part requirements.lock
	@touch $(INSTALLED)

# pysc2 brings s2clientprotocol, which today's protobuf refuses; pys2clientprotocol has the same
# import name and must be the one that was written last.
$(INSTALLED): pyproject.toml requirements.lock | $(BIN)/python
	$(BIN)/pip install --disable-pip-version-check --constraint requirements.lock \
		--editable '.[dev]' | { grep -v '^Requirement already satisfied' || true; }
	$(BIN)/python -c 'import s2clientprotocol.sc2api_pb2' 2>/dev/null || $(BIN)/pip install \
		--disable-pip-version-check --constraint requirements.lock \
		--force-reinstall --no-deps $(PROTOCOL)
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
		"LatentStar needs Python 3.11 or newer, and $(PYTHON) is not:" \
		"make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

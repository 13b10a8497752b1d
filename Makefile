# make demo   the loop on real text with a simulated annotator, on the local Argilla
# make test   the whole test suite
# make check  lint, types and import rules

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# The services of this clone live inside it, so that removing the folder removes everything.
export SPANLOOP_HOME ?= $(CURDIR)/.spanloop
export PREFECT_HOME ?= $(SPANLOOP_HOME)/prefect
export DO_NOT_TRACK = 1
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: venv demo test check clean

venv: $(READY)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e ".[dev]"
	touch $@

demo: venv
	$(BIN)/spanloop demo $(if $(DATA),--data "$(DATA)") $(if $(KEEP),--keep)

test: venv
	$(BIN)/python -m pytest

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .spanloop build dist

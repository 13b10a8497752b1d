# make demo   the loop on real text with a simulated annotator, on the local Argilla
# make test   the whole test suite
# make test-all   the same with thousands of examples where a few do for every day
# make check  lint, types and import rules
#
# TORCH_INDEX=https://…        takes torch alone from there, e.g. a build for CPUs: on Linux the usual ones bring CUDA
# PYTHON=/path/to/python3.12   instead of the first that is 3.11 or later
# SPANLOOP_INSTALLER=pip       sets up without uv
# Each may be a word of the command or a variable of the environment.

PYTHONS := $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3)
RECENT  := import sys; sys.exit(sys.version_info < (3, 11))
FOUND    = $(firstword $(foreach p,$(PYTHONS),$(shell $p -c '$(RECENT)' 2>/dev/null && echo $p)))

VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# The services of this clone live inside it, so that removing the folder removes everything.
export SPANLOOP_HOME ?= $(CURDIR)/.spanloop
export PREFECT_HOME ?= $(SPANLOOP_HOME)/prefect
export DO_NOT_TRACK = 1
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: venv demo test test-all check clean

venv: $(READY)

$(READY): pyproject.toml constraints.txt
	$(or $(FOUND),$(error no Python 3.11 or later (tried: $(PYTHONS)); install one, or name it with PYTHON=)) .ci/make_venv.py $(VENV)

demo: venv
	$(BIN)/spanloop demo $(if $(DATA),--data "$(DATA)") $(if $(KEEP),--keep)

# Two files of tests side by side on two cores, each process with servers of its own; the slow files come first.
PYTEST = $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: venv
	$(PYTEST)

test-all: venv
	SPANLOOP_LONG=1 SPANLOOP_ORACLE_EXAMPLES=1000 $(PYTEST)

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .spanloop build dist

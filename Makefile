# Everything a newcomer types. `make run` and `make test` set up what they need in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOWEST := .venv-lowest
export QT_QPA_PLATFORM ?= offscreen
# tests start the program over and over, which takes a quarter longer if it is compiled anew each time
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run reproduce picture report-picture test lint pytest coverage lowest slow statistics faults docs notebook screenshots bench clean

help:
	@echo "make run    set up, then measure a simulated line scan and write its report"
	@echo "make reproduce  the paper's figures anew, with its numbers beside ours, into runs/paper (some five minutes)"
	@echo "make picture    the picture of them in README, after make reproduce"
	@echo "make report-picture  the picture of a report page in README, with Chromium"
	@echo "make test   set up, then style, types, import contracts and tests"
	@echo "make lint   style, types and import contracts only"
	@echo "make coverage    lines and branches of acquire, store, rig and drivers that no test runs; 95 % are asked for"
	@echo "make lowest      the tests with the oldest libraries that pyproject.toml allows, in .venv-lowest"
	@echo "make slow   the long campaigns (statistics over many seeds, many kills)"
	@echo "make statistics  efficiency, coverage and bias of every estimator, as tables (15 minutes)"
	@echo "make faults      every fault at every transaction of a small scan"
	@echo "make docs        write docs/recipes.md anew, after a recipe has changed"
	@echo "make notebook    execute docs/example.ipynb anew, after what it shows has changed"
	@echo "make screenshots  pictures of every view of the window, into docs/img"
	@echo "make bench  speeds, as ratios within one run"
	@echo "make clean  remove the environment and caches"

run: $(STAMP)
	$(BIN)/tplm run configs/scan_line.yaml --report

reproduce: $(STAMP)
	$(BIN)/tplm reproduce $(FIGURES)

picture: $(STAMP)
	PYTHONPATH=. $(BIN)/python tests/report/paper/picture.py runs/paper docs/img/paper-4a-4e.png

report-picture: $(STAMP)
	PYTHONPATH=. $(BIN)/python tests/report/picture.py docs/img/report.png

test: lint pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pytest: $(STAMP)
	$(BIN)/pytest -n auto --dist loadfile

coverage: $(STAMP)
	$(BIN)/pytest tests/acquire tests/store tests/rig tests/drivers tests/workflow tests/faults tests/end_to_end \
	  -n auto --dist loadfile --cov --cov-report=
	$(BIN)/coverage report
	for part in tplm_daq/acquire tplm_daq/store tplm_daq/rig drivers; do \
	  $(BIN)/coverage report --format=total --fail-under=95 --include="$$part/*" > /dev/null || \
	    { echo "$$part: less than 95 % are covered"; exit 1; }; done

# old libraries warn of newer ones beside them
lowest: $(STAMP)
	$(BIN)/python -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable ".[dev]"
	$(LOWEST)/bin/pytest -n auto --dist loadfile -W ignore::DeprecationWarning

statistics: $(STAMP)
	$(BIN)/pytest tests/analysis/test_statistics.py tests/analysis/test_bias_table.py -m slow -s -n0 --timeout 7200

# it waits more than it works: five parts side by side take ten minutes on two cores
faults: $(STAMP)
	seq 5 | xargs -P 5 -I {} $(BIN)/python -m tests.faults.campaign --shard {}/5

slow: $(STAMP)
	MALLOC_ARENA_MAX=2 $(BIN)/pytest -m slow --timeout 3600

docs: $(STAMP)
	$(BIN)/python -m tplm_daq.workflow.recipe_reference > docs/recipes.md

notebook: $(STAMP)
	$(BIN)/python -m tests.notebook

screenshots: $(STAMP)
	PYTHONPATH=. $(BIN)/python tests/gui/screenshots.py docs/img

bench: $(STAMP)
	$(BIN)/pytest tests/benchmarks -m slow -q

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
	    echo "Debian 12, Ubuntu 24.04 or newer:  sudo apt install python3 python3-venv"; \
	    echo "Another interpreter:  make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing. Install it with:  sudo apt install python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

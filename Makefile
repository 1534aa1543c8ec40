# make drill   set everything up and run the first drill        make test    lint, types, unit tests, a real drill
# make lint    ruff, mypy, import contracts                      make gates   the long proof: every arm x 3 seeds
# make bench   timings, as ratios                                make clean   remove .venv, caches and runs/
# make tour    order numbers run out three times: nobody acts, the sequence begins anew, by the runbook; and compares
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DRILL ?= night-batch-lock
TOUR := counter-overflow
TOUR_ARMS := no-action wrong:sequence-cycles runbook
SEED ?= 7
.DEFAULT_GOAL := help
.PHONY: help drill tour test lint unit live long real toxiproxy contract arms compose.yaml images gates aa bench calibrate clean

help:
	@sed -n '1,4s/^# //p' Makefile

# Python itself would read these before any of our code runs; pip's own settings (PIP_*, proxies) stay.
unexport PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTHONSTARTUP PYTHONOPTIMIZE

# The stamp is newer than what is installed once the venv holds it, so a second run installs nothing.
$(VENV)/.installed: pyproject.toml drills/kunren_start.py drills/kunren_pytest.py
	@echo "setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kunren needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Mend: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 3; }
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make a venv. Mend: install your distribution's python3-venv"; exit 3; }
	@$(BIN)/python -P -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

drill: $(VENV)/.installed
	@$(BIN)/kunren run $(DRILL)

# Exit 1 is a drill that failed, which two of the three are meant to; from 2 on nothing can be compared.
tour: $(VENV)/.installed
	@echo "$(TOUR), seed $(SEED), three times: about 3 minutes. The same customers, the same fault; only what is done about it differs."
	@mkdir -p runs; card=$$(mktemp runs/.tour.XXXXXX); trap 'rm -f "$$card"' EXIT; refs=; \
	for arm in $(TOUR_ARMS); do \
	  echo; code=0; $(BIN)/kunren run $(TOUR) --arm "$$arm" --seed $(SEED) --json "$$card" || code=$$?; \
	  [ "$$code" -le 1 ] || exit "$$code"; \
	  refs="$$refs $$(sed -n 's/^  "run": "\(.*\)",$$/\1/p' "$$card")"; \
	done; echo; $(BIN)/kunren compare $$refs

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/kunren lint

unit: $(VENV)/.installed
	$(BIN)/pytest -q -n 2 -m "not live and not long and not real and not contract and not arms"

live: $(VENV)/.installed
	$(BIN)/pytest -q -m live

long: $(VENV)/.installed
	$(BIN)/pytest -q -m long

# Needs toxiproxy-server 2.12.0 or Go 1.21, and promtool (Debian: prometheus).
real: $(VENV)/.installed
	$(BIN)/pytest -q -n 2 -m real

# Builds toxiproxy-server 2.12.0 into the cache folder, where --proxy toxiproxy finds it. Needs Go 1.21.
toxiproxy: $(VENV)/.installed
	@$(BIN)/python -E -P drills/start.py targets.toxiproxy_build

# Runs on processes, on containers where an engine, Compose and the images are, and on the example that a file describes
# (from the package index). What one does not offer is skipped, and named.
contract: $(VENV)/.installed
	$(BIN)/pytest -q -m contract

# Needs what the containers need. Every drill without a runbook and with it, the two at once: a run takes a quarter of two
# processors. Other arms in turn, one after the other (tests/live/rotation.py).
arms: $(VENV)/.installed
	$(BIN)/pytest -q -m arms

# Writes compose/compose.yaml anew from what the components declare.
compose.yaml: $(VENV)/.installed
	@$(BIN)/python -E -P drills/start.py compose.generate

# Of --target compose; says what they are made from. Needs Docker, and where no registry answers mmdebstrap and Go.
images: $(VENV)/.installed
	@$(BIN)/python -E -P drills/start.py compose.images

test: lint unit live

gates: $(VENV)/.installed
	$(BIN)/python tests/gates/gates.py $(GATES)

# Runs that must pass, with drawn seeds, until there are 200; goes on where it was stopped.
aa: $(VENV)/.installed
	$(BIN)/python tests/gates/aa.py

# Known outages, measured by kunren probe; goes on where it was stopped. Needs a quiet machine for about an hour.
calibrate: $(VENV)/.installed
	$(BIN)/python tests/calibration/calibrate.py

bench: $(VENV)/.installed
	$(BIN)/python tests/bench/bench.py

clean:
	rm -rf $(VENV) runs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

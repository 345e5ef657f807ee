# `make demo` and `make test` set themselves up; nothing has to be done before them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: bench bench-artifacts bench-ceiling bench-growth bench-response bench-storage check clean constraints demo format help messages soak test test-bluez test-faults test-slow tools

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

demo: $(VENV)/demo.ok ## three rooms on virtual straps at http://127.0.0.1:8080 (ARGS="--speed 10 --port 8081")
	@exec $(BIN)/restbeat demo $(ARGS)

test: $(VENV)/test.ok tools check ## checks and every test: two at a time, then those alone that measure the computer
	@CI=$(CI) $(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not alone" $(ARGS) || [ $$? -eq 5 ]
	@CI=$(CI) $(BIN)/python -m pytest -m alone $(ARGS) || [ $$? -eq 5 ]

test-faults: $(VENV)/test.ok tools ## a hundred kills of each kind, and disks that fail, at random instants (a quarter of an hour)
	@RESTBEAT_KILLS=100 $(BIN)/python -m pytest tests/faults $(ARGS)

test-slow: $(VENV)/test.ok ## any bytes, 200,000 examples each of parser, frames and recordings; 20,000 random straps and files (an hour)
	@RESTBEAT_EXAMPLES=200000 RESTBEAT_STREAMS=20000 RESTBEAT_FILES=20000 $(BIN)/python -m pytest $(ARGS) \
	  tests/sensors/protocols/test_any_bytes.py tests/analysis/beats/test_odd_straps.py tests/service/exchange/reading/test_random_files.py

check: $(VENV)/test.ok ## ruff, mypy strict, one-way imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/test.ok ## let ruff lay out the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/test.ok $(VENV)/peers.ok ## all that has a bound, peers beside it: docs/benchmarks.md (about 8 minutes; ARGS="--only live")
	$(BIN)/python -m bench $(ARGS)

bench-artifacts: $(VENV)/test.ok ## how far artifacts move RMSSD, ours beside its rivals: docs/artifacts.md (2 minutes; ARGS=--quick)
	@$(BIN)/python -m bench.artifacts $(ARGS)
bench-ceiling: $(VENV)/test.ok ## rooms and pages that one process serves: docs/ceiling.md (5 minutes; ARGS="--rooms 30,200 --pages 20" looks only)
	@$(BIN)/python -m bench.ceiling $(ARGS)
bench-growth: $(VENV)/test.ok ## what pages cost with 100,000 sessions: docs/growth.md (3 minutes; ARGS="--sizes 0,1000" looks only)
	@$(BIN)/python -m bench.growth $(ARGS)
bench-storage: $(VENV)/test.ok ## what sessions take on the disk, and what packing them costs: docs/storage.md (half a minute)
	@$(BIN)/python -m bench.disk $(ARGS)
bench-response: $(VENV)/test.ok ## the relaxation response and a course, judged by simulation (ARGS="--sessions 200" looks only)
	@$(BIN)/python -m bench.response $(ARGS)

soak: $(VENV)/test.ok ## half an hour of eight fast rooms, and what grows: docs/soak.md (ARGS="--minutes 3 --speed 20" looks only)
	@$(BIN)/python -m bench.soak $(ARGS)

test-bluez: $(VENV)/test.ok ## the real bluetoothd in QEMU, with a virtual strap: docs/bluez.md (about 4 minutes)
	@$(BIN)/pip install --disable-pip-version-check --quiet --constraint constraints.txt --requirement tests/bluez/requirements.txt
	@$(BIN)/python tests/bluez

messages: $(VENV)/test.ok ## bring the catalogues of the clients' pages up to the code (ADD=fr begins a language)
	@$(BIN)/python tests/service/rendering/catalogues.py $(ADD)

constraints: ## renew the pins: newest versions that fit, no addresses
	rm -rf $(VENV)/pins && $(PYTHON) -m venv $(VENV)/pins && $(VENV)/pins/bin/pip install --upgrade-strategy eager '.[test]'
	$(VENV)/pins/bin/pip freeze --exclude restbeat > constraints.txt && rm -rf $(VENV)/pins

clean: ## remove what make has set up
	rm -rf $(VENV) node_modules web/vendor dist artifacts

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "restbeat needs Python 3.11 or newer: install python3, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "python3-venv is missing: install it (Debian, Ubuntu: apt install python3-venv) and run make again." >&2; exit 1; }
	@echo "Setting up restbeat in $(VENV): about a minute, only this once."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/demo.ok: pyproject.toml constraints.txt hatch_build.py package-lock.json | $(VENV)/bin/python
	@$(BIN)/pip install --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/test.ok: pyproject.toml constraints.txt hatch_build.py package-lock.json | $(VENV)/bin/python
	@$(BIN)/pip install --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/demo.ok

# pyHRV and hrv-analysis, to be measured beside: an environment of their own, as their pins are not ours.
$(VENV)/peers.ok: bench/requirements.txt | $(VENV)/bin/python
	@$(BIN)/python -m venv $(VENV)/peers
	@$(VENV)/peers/bin/pip install --disable-pip-version-check --quiet --no-deps --requirement $<
	@touch $@

# What the tests need beside Python: Chromium and dbus-daemon as Debian packages, axe-core by npm.
tools:
	@.ci/tools

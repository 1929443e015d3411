# Two commands on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
PY := .venv/bin/python
WORKERS ?= 4
STAMP := .venv/.installed
unexport PYTHONDONTWRITEBYTECODE # else every process of the tests and of the product compiles everything again

.PHONY: demo install test test-alone test-browser test-inside test-postgres test-slow test-compose check catalogue bench bench-peers bench-scale lock clean

demo: $(STAMP)          ## the sample portfolio, living, on one port
	$(PY) -m web.cli demo

install: $(STAMP)       ## the command, as .venv/bin/fanlight

# The suite in four parts, by markers (pyproject.toml says what each means). What watches a clock or kills things runs
# beside at most one file of its kind; the others share WORKERS processes. Files of tests lie in memory where there is room
# (tests/scratch.py).
PYTEST := $(PY) -m pytest --durations=20
TOGETHER := --numprocesses=$(WORKERS) --dist=worksteal
ON_POSTGRES := not alone and not browser and not slow and not once and not folder
RECORD := tests/projections tests/stories tests/web/write tests/web/process

test: $(STAMP)          ## the whole suite: every part in turn, also after one that failed
	$(MAKE) --no-print-directory --keep-going test-alone test-browser test-inside test-postgres

test-alone: $(STAMP)    ## real servers, and everything that may die: two files at a time, each with a fleet of its own
	$(PYTEST) --numprocesses=2 --dist=loadfile -m "alone and not slow"

test-browser: $(STAMP)  ## journeys through real servers in a real Chromium, two at a time: a browser takes a core
	$(PYTEST) --numprocesses=2 --dist=worksteal -m "browser and not alone and not slow"

test-inside: $(STAMP)   ## the rest, on SQLite
	$(PYTEST) $(TOGETHER) -m "not alone and not browser and not slow"

test-postgres: $(STAMP) ## once more on Postgres: the record itself, what writes it, and what crosses wings (test-slow: all there is)
	TEST_ON=postgres $(PYTEST) $(TOGETHER) -m "$(ON_POSTGRES) and not stories" $(RECORD)

test-slow: $(STAMP)     ## long runs, less than an hour in all: soak, kills, thousands of stories; all on Postgres
	$(PYTEST) -m "slow and (alone or browser)"
	$(PYTEST) $(TOGETHER) -m "slow and not alone and not browser"
	TEST_ON=postgres $(PYTEST) $(TOGETHER) -m "$(ON_POSTGRES)"

# It needs less than the other tests: what the image installs, in an environment of its own.
test-compose:           ## docker-compose.yml on a real engine of its own, where there is one with Compose 2; no part of the others
	test -x build/compose/venv/bin/python || $(PYTHON) -m venv build/compose/venv
	build/compose/venv/bin/python -m pip install --quiet --require-hashes -r requirements.run.lock
	build/compose/venv/bin/python -m tests.services.compose

check: $(STAMP)         ## lint, format, types, import contracts
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	.venv/bin/lint-imports --config tests/one_door.toml

catalogue: $(STAMP)     ## renew web/locale/fanlight.pot from code and templates
	$(PY) -m tests.catalogue

bench: $(STAMP)         ## ratios against a baseline measured in the same run
	$(PY) -m bench

# Neither is a part of `make bench`: one needs what is not ours, the other takes minutes and has no gate.
bench-peers: $(STAMP)   ## the push beside nchan and gorilla, where they are installed; says how to install them
	$(PY) -m bench.peers

bench-scale: $(STAMP)   ## what one of each thing costs, the simulation of the busiest hour, and the tables of docs/scale.md
	$(PY) -m bench.scale.units --record
	$(PY) -m bench.scale.simulation --record
	$(PY) -m bench.scale.document

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $(STAMP)

lock:                   ## renew the locks from pyproject.toml (needs uv); requirements.run.lock is what the image installs, with requirements.build.lock; the converter has requirements.convert.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.run.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra convert pyproject.toml -o requirements.convert.lock
	{ sed -n 1p requirements.build.lock; grep -A2 "^setuptools==" requirements.lock; } > .build.lock && mv .build.lock requirements.build.lock

clean:
	rm -rf .venv build *.egg-info

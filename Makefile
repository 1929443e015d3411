# Two commands on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: demo test test-inside test-outside test-postgres check catalogue bench test-slow lock clean

demo: $(STAMP)          ## the sample portfolio, living, on one port
	$(PY) -m web.cli demo

test: $(STAMP)          ## the whole suite: alone what watches the clock, then the rest on both databases at a time
	$(MAKE) --no-print-directory test-outside
	$(MAKE) --jobs=2 --output-sync=target --no-print-directory test-inside test-postgres

test-outside: $(STAMP)  ## real servers, browsers, and everything that may die
	$(PY) -m pytest -m "not slow" tests/journeys tests/services

test-inside: $(STAMP)   ## the rest
	$(PY) -m pytest -m "not slow" --ignore=tests/journeys --ignore=tests/services

test-postgres: $(STAMP) ## once more on Postgres what does not look into files
	TEST_ON=postgres $(PY) -m pytest -m "not slow and not folder" tests/projections tests/web

test-slow: $(STAMP)     ## long property and soak runs
	$(PY) -m pytest -m slow
	TEST_ON=postgres $(PY) -m pytest -m "not folder" tests/properties

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

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $(STAMP)

lock:                   ## renew both locks from pyproject.toml (needs uv); requirements.run.lock is what the image installs
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.run.lock

clean:
	rm -rf .venv build *.egg-info

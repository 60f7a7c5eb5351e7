# Two commands set everything up: `make run` and `make test`. Everything lands in .venv and .cache.

PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	--no-emit-index-url --no-emit-find-links pyproject.toml --group build --extra apprise

.PHONY: install install-dev run check test bench bench-matching faults kafka schema simulation wheel requirements clean

install: .venv/run.done

install-dev: .venv/dev.done

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Rasid needs Python 3.11 or later; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.done: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "installing what Rasid needs, a minute or two …" >&2
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement requirements/run.txt
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.done: requirements/dev.txt .venv/run.done
	@echo "installing what its tests need, a minute or two …" >&2
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

run: install          ## the service on config.yaml as it stands
	$(BIN)/rasid run

check: install-dev    ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check           ## everything CI runs
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: install-dev    ## the figures of docs/decisions.md and README.md, on this machine
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

bench-matching: .venv/peers.done  ## names in texts, side by side with the libraries people use for it
	$(BIN)/python -m benchmarks.matching

faults: install-dev   ## the whole table of docs/reliability.md: hours; goes on where it was interrupted
	$(BIN)/python -m tests.faults

simulation: install-dev ## a thousand made-up worlds; a seed that fails is told with how to repeat it
	$(BIN)/python -m tests.simulation

schema: install       ## docs/config.schema.json, from the models
	$(BIN)/python -m daemon.config.schema > docs/config.schema.json

kafka: install-dev    ## a broker for the developer, until Ctrl-C
	$(BIN)/python -m tests.servers.kafka up

wheel: install-dev    ## this version into tests/golden/wheels, one a release: tests roll from it to what comes after, and back
	@rm -rf build
	SOURCE_DATE_EPOCH=946684800 $(BIN)/pip wheel --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--wheel-dir tests/golden/wheels .

.venv/peers.done: requirements/peers.txt .venv/dev.done
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement requirements/peers.txt
	@touch $@

requirements: install-dev  ## renew the pins: newest versions, hashes, no addresses
	$(COMPILE) --upgrade --output-file requirements/run.txt
	$(COMPILE) --upgrade --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	$(COMPILE) --upgrade --group peers --constraint requirements/run.txt --output-file requirements/peers.txt

clean:
	rm -rf .venv .cache build *.egg-info .coverage* .mypy_cache .pytest_cache .ruff_cache

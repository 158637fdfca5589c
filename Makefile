# Everything a newcomer needs: `make demo` and `make test`. Needs Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := src

.PHONY: demo test check bench proof fuzz mutants format docs wheel man lock clean help

help:
	@echo "make demo   set up, then sync a made-up club on built-in simulators and show what happens"
	@echo "make test   set up, then run the tests"
	@echo "make check  formatting, lint, types, import contract, docs"
	@echo "make proof  every case of the proofs that make test samples; takes long"
	@echo "make fuzz   feed every parser made-up and mutated replies and files; FUZZ_SECONDS=300"
	@echo "make mutants  change the core bit by bit, and see whether its tests notice; MODULES=\"tiers custody\""
	@echo "make bench  measure a cycle against the simulators"

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@ $(VENV)/run.stamp

demo: $(VENV)/run.stamp
	@$(BIN)/python -m door_sync demo

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=
	$(BIN)/python -m coverage report --fail-under=95 --skip-covered
	$(BIN)/python -m coverage report --include='src/door_sync/core/*' --fail-under=100

# Every case of the proofs, and what they counted (docs/proof.md).
proof: $(VENV)/dev.stamp
	DOOR_SYNC_PROOF=thorough $(BIN)/python -m pytest tests/proof tests/e2e/test_card_reuse.py

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m mkdocs build --strict --quiet --site-dir $(VENV)/site

# Everything goes into docs/figures and docs/proof.md; with SIZES, CHANGES, RUNS or ONLY it is only
# printed: make bench SIZES="1000 10000" CHANGES="0" ONLY=cycles
bench: $(VENV)/run.stamp
	@PYTHONPATH=src:. $(BIN)/python -m benchmarks $(if $(SIZES)$(CHANGES)$(RUNS)$(ONLY),$(if $(SIZES),--sizes $(SIZES)) $(if $(CHANGES),--changes $(CHANGES)) $(if $(RUNS),--runs $(RUNS)) $(if $(ONLY),--only $(ONLY)),--handbook)

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/dev.stamp
	$(BIN)/python -m mkdocs serve

# What pipx and uv install; needs no network once the libraries are there.
wheel: $(VENV)/dev.stamp
	$(BIN)/python -m hatchling build --target wheel --directory dist

man: $(VENV)/run.stamp
	$(BIN)/python -m door_sync.cli.manual > packaging/man/door-sync.1

# atheris is for Linux alone, so it is in a lock and an environment of its own.
FUZZ := .venv-fuzz
FUZZ_SECONDS ?= 300

$(FUZZ)/stamp: requirements/dev.lock requirements/fuzz.lock
	$(PYTHON) -m venv $(FUZZ)
	$(FUZZ)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(FUZZ)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.lock
	@touch $@

fuzz: $(FUZZ)/stamp
	PYTHONPATH=src:. $(FUZZ)/bin/python -m fuzz.every $(FUZZ_SECONDS) $(FUZZ)/found

# In a copy under the directory for temporary files; ends with 1 below 90 %.
mutants: $(VENV)/dev.stamp
	@PYTHONPATH=. $(BIN)/python -m mutants $(MODULES)

# Resolves the locked versions anew; needs uv. The locks hold hashes for every platform and no addresses.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade pyproject.toml -o requirements/run.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade pyproject.toml --group dev -c requirements/run.lock -o requirements/dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -c requirements/dev.lock --group pyproject.toml:build -o requirements/build.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade requirements/fuzz.in -o requirements/fuzz.lock

clean:
	rm -rf $(VENV) $(FUZZ) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis site dist

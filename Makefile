# Everything runs in .venv, set up on first use from nothing but Python 3.11+ and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
KERNELS := .kernels
CRASH_KILLS ?= 200
FUZZ_SECONDS ?= 60
FUZZ_FILES ?= 10000
FILM_MUTANTS ?= 100
REFERENCES ?= 50

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format crash fuzz bench clean

help: ## show what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[demo,dev]'
	touch $(STAMP)

setup: $(STAMP) ## set up .venv

demo: $(STAMP) ## real input of every kind: in by REST, proved, out again, and the report
	$(BIN)/python -m examples.demo.run

test: $(STAMP) ## lint, types and the whole suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.kernels $(KERNELS) & kernels=$$!; $(BIN)/mypy; types=$$?; wait $$kernels && exit $$types
	LITHIFY_TEST_KERNELS=$(KERNELS) $(BIN)/python -m pytest -n 2 --dist worksteal --hypothesis-profile=ci

lint: $(STAMP) ## ruff and mypy --strict only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## rewrite the layout of the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

crash: $(STAMP) ## CRASH_KILLS kills with -9 at named points, under load
	$(BIN)/python -m tests.crash.campaign --kills $(CRASH_KILLS)

fuzz: $(STAMP) ## FUZZ_SECONDS of mutated frames and packs through every decoder; FUZZ_FILES mutated files packed; lists that lead away
	$(BIN)/python -m tests.fuzz.campaign --seconds $(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.campaign --inputs $(FUZZ_FILES) --target files. --target packed
	FILM_MUTANTS=$(FILM_MUTANTS) $(BIN)/python -m pytest -q -n 0 --timeout=3600 tests/hostile/test_films.py
	REFERENCES=$(REFERENCES) $(BIN)/python -m pytest -q -n 0 --timeout=7200 tests/hostile/test_references.py

bench: $(STAMP) ## speeds and ratios beside the rivals; prints tables
	$(BIN)/python -m bench

clean: ## remove .venv and caches
	rm -rf $(VENV) $(KERNELS) .mypy_cache .ruff_cache build *.egg-info

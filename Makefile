# Needs only make and Python 3.10 or newer; everything else is installed into .venv.
PYTHON ?= python3
PYTEST_ARGS ?=
# The versions of Python that `make versions` looks for.
VERSIONS ?= 3.10 3.12 3.13
# How many programs `make random` draws, and from which seed on.
COUNT ?= 2000
SEED ?= $(shell date +%s)

BIN := .venv/bin
RUNS := .venv/runs
INSTALLED := .venv/installed
DOCS := .venv/docs
DIST := .venv/dist
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXAMPLE := examples/train_translation.py

.DEFAULT_GOAL := help
.PHONY: help audit test test-slow versions explore random promises answers coverage check format reports docs dist bench bench-compare compare zoo clean

help:
	@echo "make audit    audit a real training script with a real defect; writes reports/audit.html"
	@echo "make test     run the tests, but for the slow ones"
	@echo "make test-slow  run the slow tests: those that take more than about a second, or a browser; programs by audit()"
	@echo "make versions run a chosen set of tests on each of Python $(VERSIONS) that is there"
	@echo "make explore  run the tests of properties with many new examples"
	@echo "make random   compare random programs with plain training (COUNT=2000, SEED=the time)"
	@echo "make promises run the tests that keep the promises, and write down in docs/promises.md when each last passed"
	@echo "make answers  judge all programs in tests/programs, print what is said otherwise than on record, and renew that"
	@echo "make coverage record all programs in tests/programs, judge that and what FXAUDIT_KEEP_RECORDINGS=.recordings/tests kept, and print how much of the judge ran"
	@echo "make check    lint, types and the import contract"
	@echo "make format   rewrite the code in the project's format"
	@echo "make reports  write the reports of all programs in examples/ to reports/"
	@echo "make docs     write the docs as a site to site/"
	@echo "make dist     build the sdist and the wheel, and try the wheel in an empty environment"
	@echo "make bench    measure what an audit costs; writes reports/bench/bench.json and reports/bench/bench.svg"
	@echo "make bench-compare OLD=a.json NEW=b.json  say what got slower"
	@echo "make compare  measure what other tools say of 23 faulty programs; writes docs/comparison.md"
	@echo "make zoo      audit and trace public models of ten libraries beside a plain training; writes reports/zoo.md"

# What fxaudit needs to run. torch comes first and alone: the release named in constraints.txt, so that nothing else pulls
# another build of it.
$(RUNS): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) "$$(grep '^torch==' constraints.txt)"
	$(PIP) --constraint constraints.txt --editable .
	@touch $@

# What its developers need besides.
$(INSTALLED): $(RUNS)
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@

# What the site of the docs is built with.
$(DOCS): $(RUNS)
	$(PIP) --constraint constraints.txt --editable '.[docs]'
	@touch $@

# What a release is built with.
$(DIST): $(RUNS)
	$(PIP) --constraint constraints.txt --editable '.[dist]'
	@touch $@

# The script has a defect on purpose, so the audit ends with 1; any other code is a failure, and so is a missing page.
audit: $(RUNS)
	@mkdir -p reports && rm -f reports/audit.html
	@$(BIN)/fxaudit run -o reports/audit.html $(EXAMPLE); code=$$?; \
	if [ $$code -ne 1 ]; then echo "make audit: fxaudit ended with $$code; expected 1, for the finding" >&2; exit 1; fi
	@test -s reports/audit.html || { echo "make audit: fxaudit wrote no reports/audit.html" >&2; exit 1; }
	@echo "The page with the picture: reports/audit.html"

# Two at a time, each on one core; before them, one by one, the tests whose processes wait for each
# other. 5: none was selected. Bytecode is kept, also where the environment says not to: the tests start many processes.
ALONE = $(shell grep -rl "mark\.alone" tests --include="*.py")

define run_tests
	@export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=; failed=0; \
	$(BIN)/python -m pytest -q -p no:cacheprovider -m "alone and $(1)" $(ALONE) $(PYTEST_ARGS) || [ $$? -eq 5 ] || failed=1; \
	$(BIN)/python -m pytest -q -p no:cacheprovider -m "not alone and $(1)" --numprocesses=2 $(PYTEST_ARGS) || [ $$? -eq 5 ] || failed=1; \
	exit $$failed
endef

test: $(INSTALLED)
	$(call run_tests,not slow)

test-slow: $(INSTALLED)
	$(call run_tests,slow)

versions:
	@$(PYTHON) -m tools.versions $(VERSIONS)

explore: $(INSTALLED)
	$(BIN)/python -m pytest -q -p no:cacheprovider -m hypothesis --hypothesis-profile=explore $(PYTEST_ARGS)

# Two at a time; what disagrees is told with its seed.
random: $(INSTALLED)
	OMP_NUM_THREADS=1 FXAUDIT_RANDOM_COUNT=$(COUNT) FXAUDIT_RANDOM_SEED=$(SEED) $(BIN)/python -m pytest -q -p no:cacheprovider \
	  --numprocesses=2 tests/test_random_programs.py $(PYTEST_ARGS)

promises: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.keep_promises
	$(BIN)/python -m tools.write_pages

answers: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.program_answers --renew

coverage: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.recordings record
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.recordings coverage

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reports: $(INSTALLED)
	$(BIN)/python -m tools.make_reports

# mkdocs-material speaks of its own future on every build.
docs: $(DOCS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "The site: site/index.html; with a search: $(BIN)/python -m http.server -d site"

dist: $(DIST)
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python -m tools.check_dist dist

bench: $(INSTALLED)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench

bench-compare: $(INSTALLED)
	@$(BIN)/python -m benchmarks.bench_compare $(OLD) $(NEW)

compare: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.compared

zoo: $(RUNS)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.zoo

clean:
	rm -rf .venv .venv-* build dist site .compared .zoo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

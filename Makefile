# The two commands of README.md, and their parts. Everything lands in .venv, .tools and tests/js/node_modules.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KUBECONFORM := v0.7.0

.PHONY: demo test cluster-test hooks-test fast tools cluster-tools lint lock audit docs site fuzz bench bench-peers clean

## demo: build the real sites of specs/ and show the result
demo: $(VENV)/.installed
	@PATH="$(CURDIR)/.tools/bin:$$PATH" tools/demo "$(BIN)/jhecfg"

## test: every check but the opt-ins, cluster-test and hooks-test; the same in CI
test: tools lint
	$(BIN)/pytest -n auto --dist loadgroup -m "not cluster and not hooks"

## cluster-test: a real Kubernetes API server and delivery controllers take the output; an opt-in (docs/testing.md)
cluster-test: cluster-tools
	$(BIN)/pytest -m cluster

## hooks-test: pre-commit itself installs this checkout and runs its hooks; an opt-in (docs/testing.md)
hooks-test: tools
	$(BIN)/pytest -m hooks

## fast: the tests that take a moment, without outside components
fast: $(VENV)/.installed
	$(BIN)/pytest -n auto --dist loadgroup -m "not slow and not cluster and not hooks"

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## tools: the real components that tests drive, pinned
tools: $(VENV)/.installed
	@tools/install "$(PYTHON)" "$(KUBECONFORM)"

## cluster-tools: what cluster-test needs; compiles for many minutes, once
cluster-tools: $(VENV)/.installed
	@tools/install cluster

## docs: write what is generated again: reference, and what commands print, on all pages
docs: $(VENV)/.installed
	$(BIN)/python tools/make_docs.py

## site: the documentation as HTML, in .site/html; it may be read from there, or be put on any server
site: tools
	$(BIN)/python tools/make_site.py

## bench: CPU seconds, peak memory and documents per second of an installed wheel
bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

## bench-peers: the same beside other tools, which are installed into .tools/bench; an opt-in
bench-peers: $(VENV)/.installed
	@[ -x .tools/bench/bin/helm ] || $(BIN)/python benchmarks/install.py
	$(BIN)/python benchmarks/run.py --peers

$(VENV)/.installed: pyproject.toml tools/locked/dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/locked/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

## lock: pin, with hashes, what CI installs, where pyproject.toml or an .in file changed; UPGRADE=1 takes newer versions
lock: .tools/tools/.installed
	$(PYTHON) tools/lock.py $(if $(UPGRADE),--upgrade)
	@echo "next: make .venv/.installed, then python tools/licences.py writes docs/licences.md"

## audit: ask PyPI and npm for known weaknesses of everything that is locked; needs the network, and fails without
audit: .tools/tools/.installed
	@for lock in tools/action/requirements.txt tools/locked/*.txt tests/requirements/*.txt; do echo "$$lock"; \
	  .tools/tools/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r "$$lock" || exit 1; done
	cd tests/js && npm audit --package-lock-only

.tools/tools/.installed: tools/locked/tools.txt
	$(PYTHON) -m venv .tools/tools
	.tools/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/locked/tools.txt
	@touch $@

clean:
	rm -rf $(VENV) .tools tests/js/node_modules

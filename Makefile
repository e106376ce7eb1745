# The two commands of README.md, and their parts. Everything lands in .venv, .tools and tests/js/node_modules.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KUBECONFORM := v0.7.0
# The tests that are no opt-in (docs/testing.md)
EVERYDAY := not cluster and not hooks and not judges
FUZZ_SECONDS ?= 180

# Modules are compiled once, not in each of the thousand processes that tests start: empty is as if it were not set.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test cluster-test hooks-test judges fast faults mutation tools cluster-tools lint lock audit docs site fuzz bench bench-peers clean

## demo: build the real sites of specs/ and show the result
demo: $(VENV)/.installed
	@PATH="$(CURDIR)/.tools/bin:$$PATH" tools/demo "$(BIN)/jhecfg"

## test: every check but the opt-ins; the same in CI
test: $(VENV)/.installed
	@$(MAKE) --no-print-directory -j 2 tools lint
	$(BIN)/pytest -n auto --dist loadgroup -m "$(EVERYDAY)"

## cluster-test: a real Kubernetes API server and delivery controllers take the output; an opt-in (docs/testing.md)
cluster-test: cluster-tools
	$(BIN)/pytest -m cluster

## hooks-test: pre-commit itself installs this checkout and runs its hooks; an opt-in (docs/testing.md)
hooks-test: tools
	@tools/install hooks "$(PYTHON)"
	$(BIN)/pytest -m hooks

## judges: every judge of the output, also those that are heavy to install; an opt-in. CHART=DIR counts a chart beside it
judges: tools
	@tools/install judges "$(PYTHON)"
	$(BIN)/pytest -n auto --dist loadgroup tests/test_judges.py
	$(BIN)/python tools/judges.py $(if $(CHART),--rendered "$(CHART)")

## fast: the tests that take a moment, without outside components
fast: $(VENV)/.installed
	$(BIN)/pytest -n auto --dist loadgroup -m "not slow and $(EVERYDAY)"

## faults: break whole commands at every step and in every way, thousands of times; draw more cases of each property
faults: tools
	-@tools/install faults
	JHECFG_EXAMPLES=60 $(BIN)/pytest -q -n auto tests/test_metamorphic.py
	$(BIN)/python -m tests.faults

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

## fuzz: every reader of outside input against bytes nobody thought of: FUZZ_SECONDS of CPU for each target (docs/trust.md)
fuzz: tools
	$(BIN)/python -m tests.fuzz.run all --seconds $(FUZZ_SECONDS) --corpus .fuzz

## bench: CPU seconds, peak memory and documents per second of an installed wheel
bench: $(VENV)/.installed
	$(BIN)/python benchmarks/run.py

## bench-peers: the same beside other tools, which are installed into .tools/bench; an opt-in
bench-peers: $(VENV)/.installed
	@[ -x .tools/bench/bin/helm ] || $(BIN)/python benchmarks/install.py
	$(BIN)/python benchmarks/run.py --peers

## mutation: does a test notice when the code is changed; takes hours. PART=tree for one part, ARGS=--again for survivors
mutation: $(VENV)/.installed
	@tools/environment "$(PYTHON)" $(VENV) tools/locked/mutation.txt
	$(BIN)/python tools/mutation.py $(PART) $(ARGS)

$(VENV)/.installed: pyproject.toml tools/locked/dev.txt
	$(PYTHON) -m venv $(VENV)
	tools/environment "$(PYTHON)" $(VENV) tools/locked/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

## lock: pin, with hashes, what CI installs, where pyproject.toml or an .in file changed; UPGRADE=1 takes newer versions
lock: $(VENV)/.installed
	$(PYTHON) tools/lock.py $(if $(UPGRADE),--upgrade)
	@echo "next: make .venv/.installed, then python tools/licences.py writes docs/licences.md"

## audit: ask PyPI and npm for known weaknesses of everything that is locked; needs the network, and fails without
audit: .tools/tools/.installed
	@for lock in tools/action/requirements.txt tools/locked/*.txt tests/requirements/*.txt; do echo "$$lock"; \
	  .tools/tools/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r "$$lock" || exit 1; done
	cd tests/js && npm audit --package-lock-only

.tools/tools/.installed: tools/locked/tools.txt
	tools/environment "$(PYTHON)" .tools/tools tools/locked/tools.txt
	@touch $@

clean:
	rm -rf $(VENV) .tools tests/js/node_modules

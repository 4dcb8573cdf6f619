# QuickCart Auth. Needs make and Python 3.11 or newer with its venv module;
# everything else is installed into .venv on first use.
#
#   make run      start the service on http://127.0.0.1:5000 (development)
#   make test     run the tests               make test ARGS="-m slow"
#   make check    format, lint, types, imports
#   make format   rewrite the code in the project's format
#   make bench    run the load scripts
#   make attack   attack the service in simulated time
#                                     make attack ARGS="--only bombing --scale 0.2"
#   make simulate simulate a day of logins
#                                     make simulate ARGS="--logins 5000 --seed 7"
#   make audit    look up the pinned versions' known vulnerabilities
#   make lock     pin requirements*.in again   make lock ARGS="--upgrade"
#   make clean    remove .venv and caches

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--require-hashes
# Both locks come from one resolution: one file for every platform, every
# download checked against its hash, no address of where it was resolved.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
.PHONY: run test check format lock bench simulate attack audit clean

run: $(VENV)/.runtime
	@exec $(BIN)/python -m backend.app --default-env development

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	PYTHONPATH=clients/python $(BIN)/python -m benchmarks.run $(ARGS)

simulate: $(VENV)/.dev
	$(BIN)/python -m benchmarks.simulation.run $(ARGS)

attack: $(VENV)/.dev
	$(BIN)/python -m benchmarks.abuse.run $(ARGS)

audit: $(VENV)/.dev
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.txt

lock: $(VENV)/.dev
	$(COMPILE) $(ARGS) requirements.in -o requirements.txt
	$(COMPILE) $(ARGS) requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf $(VENV) .coverage htmlcov .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps say what .venv holds, so that a second run starts at once.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "QuickCart Auth needs Python 3.11 or newer; '$(PYTHON)' is" \
			"$$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "Name another one: make PYTHON=python3.13 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' has no venv module." \
			"On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.created requirements.txt
	@echo "Installing what the service runs on (once)"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

# The development lock holds the runtime lock's versions, so one install does.
$(VENV)/.dev: $(VENV)/.created requirements.txt requirements-dev.txt
	@echo "Installing what tests and checks need (once)"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $(VENV)/.runtime $@

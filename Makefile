# `make app` starts the app, `make test` runs the tests. Both make what they need in .venv.

PYTHON ?= python3
PORT ?= 8501
PYTEST_ARGS ?=
BENCH ?= observer startup paint soak kv
BENCH_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
APP_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
LLAMACPP_STAMP := $(VENV)/.installed-llamacpp
RAY_STAMP := $(VENV)/.installed-ray

.DEFAULT_GOAL := help
.PHONY: help app test check slow llamacpp ray bench clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

app: $(APP_STAMP) ## Start the app on http://localhost:8501 (PORT=… for another port)
	@echo "LLM Dyno starts on http://localhost:$(PORT) (Ctrl-C ends it)"
	@exec $(BIN)/python -m streamlit run streamlit_app.py --server.port $(PORT)

test: $(DEV_STAMP) ## Run the default test suite
	$(BIN)/python -m pytest $(PYTEST_ARGS)

slow: $(DEV_STAMP) ## Run the heavier tests that CI runs beside the default suite
	$(BIN)/python -m pytest -m "slow and not gpu and not network and not ray" $(PYTEST_ARGS)

llamacpp: $(LLAMACPP_STAMP) $(DEV_STAMP) ## Build llama-cpp-python (some minutes, once) and run the tests that need it
	$(BIN)/python -m pytest -m "llamacpp and not gpu and not network" $(PYTEST_ARGS)

ray: $(RAY_STAMP) $(DEV_STAMP) ## Install Ray and run the tests that need it
	$(BIN)/python -m pytest -m "ray and not gpu and not network" $(PYTEST_ARGS)

check: $(DEV_STAMP) ## Format, lint, types and layers, as in CI
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV_STAMP) ## Measure the app itself (BENCH="observer paint", BENCH_ARGS=--json)
	@status=0; for name in $(BENCH); do \
		$(BIN)/python -m app.bench $$name $(BENCH_ARGS) || status=$$?; \
	done; exit $$status

clean: ## Remove the virtual environment and tools' caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# A half-made environment is removed, so that the next try starts afresh.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed (make PYTHON=python3.11 …).")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "No virtual environment could be made. On Debian: apt install python3-venv"; exit 1; }

$(APP_STAMP): requirements.txt | $(BIN)/python
	@[ "$$(uname -s)" != Linux ] || command -v cc >/dev/null || { \
		echo "A C compiler is needed. On Debian: apt install g++ python3-dev"; exit 1; }
	@echo "Installing the requirements (the first time this takes a few minutes)"
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(APP_STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# pip keeps what it has built in its cache, for this processor: a new environment has it at once.
$(LLAMACPP_STAMP): requirements-llamacpp.txt requirements-llamacpp-dev.txt $(APP_STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-llamacpp-dev.txt
	@touch $@

$(RAY_STAMP): requirements-ray.txt $(APP_STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-ray.txt
	@touch $@

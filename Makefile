# Every task is one line run in the project's own .venv, which the first of them makes.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test check fmt fuzz bench prowler docs lock clean

help: ## list the tasks
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## make .venv with everything in it

.venv/ready: pyproject.toml requirements.lock
	$(PYTHON) tools/setup.py
	touch $@

demo: setup ## show the main job on real input
	$(BIN)/python tools/demo.py

test: check ## everything that CI runs
	$(BIN)/pytest -n logical --dist loadfile --no-loadscope-reorder

check: setup ## format, lint, types, imports, docs in step
	$(BIN)/ruff format --check src tests bench tools
	$(BIN)/ruff check src tests bench tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/support_table.py --check
	$(BIN)/python tools/command_reference.py --check

fmt: setup ## format
	$(BIN)/ruff format src tests bench tools
	$(BIN)/ruff check --fix src tests bench tools

fuzz: setup ## damage valid input of every reader, for FUZZ_SECONDS (120) altogether
	FUZZ_SECONDS=$${FUZZ_SECONDS:-120} $(BIN)/pytest -n auto tests/fuzz

bench: setup ## measure against peers, into .bench/report.md (BENCH_ONLY=scan,match runs only these)
	$(BIN)/python bench/run.py

prowler: setup ## have Prowler check the service, from an environment of its own in .prowler
	$(BIN)/python tools/prowler.py

docs: setup ## write the generated pages
	$(BIN)/python tools/support_table.py
	$(BIN)/python tools/command_reference.py

lock: ## pin every version again
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra traces --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml deploy/requirements.in --extra traces -c requirements.lock --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -o deploy/requirements.lock

clean: ## throw away what the tasks made
	rm -rf .venv .demo .prowler .pytest_cache .mypy_cache .ruff_cache .hypothesis

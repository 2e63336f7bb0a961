# Settled: every command that people and CI use. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
MEMBERS := schemas services/chassis services/sandbox services/workload services/cli services/pricing services/contracts usage-ingest rating invoicing-sync deploy
DEMO ?=
BENCH ?=
# more than cores: integration tests wait for processes more than they compute
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup lock demo up down golden check format lint types imports contracts audit secrets test unit faults bench clean

help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use it
demo: setup ## Carry a month of 300 customers to finalised invoices, and hold every cent against the ground truth
	$(BIN)/settled demo $(DEMO)
up: setup ## Start the line on this machine (PostgreSQL, Kafka, all services)
	$(BIN)/settled up
down: setup ## Stop what `up` started
	$(BIN)/settled down
golden: setup ## The 26 decisions and 30 invoices computed by hand; the decisions through the running service too
	$(BIN)/settled golden tests/data/golden-invoices.yaml --through engine
	$(BIN)/settled golden tests/data/golden-invoices.yaml --through contract
	$(BIN)/settled golden tests/data/golden-invoices.yaml --through service

##@ Check it
test: setup check ## Everything that CI runs: format, lint, types, contracts, unit, property, integration, end to end
	$(BIN)/pytest -n $(WORKERS)
check: format lint types imports contracts audit secrets ## The checks that run no service
format: setup ## Formatting is as ruff writes it
	$(BIN)/ruff format --check .
lint: setup ## ruff's rules
	$(BIN)/ruff check .
types: setup ## mypy, strict, each member for itself
	@for member in $(MEMBERS); do echo "mypy $$member/src"; $(BIN)/mypy $$member/src || exit 1; done
imports: setup ## No service imports another; no rule does I/O
	$(BIN)/lint-imports
contracts: setup ## Generated schemas are committed, and none breaks its readers
	$(BIN)/python -m event_schemas check
	$(BIN)/python -m event_schemas compat
audit: setup ## Dependencies: pinned, hashed, declared, and without known holes where an advisory service answers
	@$(BIN)/python tests/checks/audit.py
secrets: setup ## No secret stands in a file that git keeps
	@$(BIN)/python tests/checks/secret_scan.py
unit: setup ## Tests without processes of their own
	$(BIN)/pytest -m "not integration" -k "unit or agreement or property"
faults: setup ## kill -9 of each service, the broker and PostgreSQL in the middle of the demo month
	$(BIN)/settled faults
bench: setup ## Load through HTTP in real time, with the correctness check on; JSON, table and plot under out/bench
	$(BIN)/settled bench $(BENCH)

##@ Keep it
setup: .venv/ready ## Install everything into .venv (done by the other commands when it is needed)
.venv/ready: requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --compile-bytecode requirements.lock
	$(BIN)/uv pip install --quiet --no-deps $(MEMBERS:%=-e ./%)
	@touch $@
lock: ## Resolve the dependencies anew
	$(BIN)/uv lock --upgrade
	$(BIN)/uv export --quiet --format requirements-txt --no-emit-workspace -o requirements.lock
clean: ## Stop in order what settled started here, and take away the folders that it made
	@test ! -x $(BIN)/settled || $(BIN)/settled clean

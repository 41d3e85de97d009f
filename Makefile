# Everything a fresh machine with Python 3.11+ needs: `make demo` and `make test`.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := $(UV) run --frozen --
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(PYTHON)
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(UV):
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

.PHONY: install
install: $(UV) ## install the suite and its tools into .venv
	@$(UV) sync --frozen --quiet --compile-bytecode

.PHONY: demo
demo: install ## carry the sample county through its month, and check every figure
	@$(RUN) huaxiao demo

.PHONY: up
up: install ## start the suite without the sample, until Ctrl-C
	@$(RUN) huaxiao up

.PHONY: check
check: install ## format, lint, types, imports: everything that needs no database
	$(UV) lock --check --quiet
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy shared/src services/*/src console/src cli/src tools bench tests/support
	$(RUN) lint-imports

.PHONY: test
test: check ## all checks and tests
	$(RUN) pytest -n 2

.PHONY: browser
browser: install ## every journey of the console in a real Chromium; takes the pictures of the documents
	@$(RUN) python tools/browser.py

.PHONY: fuzz
fuzz: install ## ask every service what its document allows and what not: make fuzz [CASES=50] [SEED=7] [SERVICE=kpi]
	@$(RUN) python tools/fuzz.py $(SERVICE) --cases $(or $(CASES),50) $(if $(SEED),--seed $(SEED))

.PHONY: machines
machines: install ## any steps on intake, contracts and orders beside a model: make machines [STEPS=100000]
	@MACHINE_STEPS=$(or $(STEPS),100000) $(RUN) pytest -s tests/attribution/http/test_intake_machine.py \
		tests/contracts/http/test_contract_machine.py tests/dispatch/http/test_order_machine.py

.PHONY: repeats
repeats: install ## one story in many orders, one event many times at once: make repeats [TIMES=1000] [SEED=7]
	@REPEATS=$(or $(TIMES),1000) $(if $(SEED),REPEATS_SEED=$(SEED)) \
		$(RUN) pytest tests/attribution/http/test_many_times.py

.PHONY: chaos
chaos: install ## kill services and PostgreSQL at work, seed by seed: make chaos [SECONDS=60] [SEEDS=10] [SEED=7]
	@PYTHONPATH=tests $(RUN) python tools/chaos.py --seconds $(or $(SECONDS),60) \
		--seeds $(or $(SEEDS),10) $(if $(SEED),--seed $(SEED))

.PHONY: chaos-bugs
chaos-bugs: install ## the same with seeded bugs, each of which must be caught: make chaos-bugs [SECONDS=20] [SEED=7] [BUG=key-forgotten]
	@PYTHONPATH=tests $(RUN) python tools/chaos.py --bugs --seconds $(or $(SECONDS),20) \
		$(if $(SEED),--seed $(SEED)) $(if $(BUG),--bug $(BUG))

.PHONY: compose-test
compose-test: install ## build and run deploy/ on a container engine: make compose-test [ONLY=county]
	@$(RUN) pytest -m compose tests/compose$(if $(ONLY),/test_$(ONLY).py)

.PHONY: replicas
replicas: install ## three of each service at one month, killed one after the other
	@$(RUN) pytest -m replicas tests/journey

.PHONY: durability
durability: install ## kill PostgreSQL under writers; with synchronous_commit off losses must be seen: make durability [CRASHES=10]
	@PYTHONPATH=tests $(RUN) python tools/durability.py --crashes $(or $(CRASHES),10)

.PHONY: audit
audit: install ## bandit, semgrep, known vulnerabilities, and a bill of materials in sbom.json: make audit [STRICT=1]
	@$(RUN) python tools/audit.py $(if $(STRICT),--strict)

.PHONY: bench
bench: install ## measure, on standard output a JSON line each: make bench [FIGURE=intake_batch]
	@PYTHONPATH=tests $(UV) run --frozen $(if $(TIGERBEETLE_ADDRESS),--with tigerbeetle) -- \
		python -m bench.main $(FIGURE)

.PHONY: bench-quick
bench-quick: install ## go through every figure with next to nothing: shows only that each works
	@PYTHONPATH=tests $(RUN) python -m bench.main --quick

.PHONY: capacity
capacity: install ## what counties, a province and the country need, at costs measured here: make capacity [COSTS=file]
	@PYTHONPATH=tests $(RUN) python -m bench.capacity $(if $(COSTS),--costs $(COSTS))

.PHONY: openapi
openapi: install ## write services/*/openapi.json, docs/permissions.md and docs/reference from the code; then make client
	$(RUN) python tools/openapi.py
	$(RUN) python tools/permissions.py
	$(RUN) python tools/reference.py

.PHONY: docs
docs: install ## build the site of the documents into build/site, strictly
	@$(RUN) python tools/site.py

.PHONY: client
client: install ## generate, check, build and test clients/typescript from services/*/openapi.json; 3 is: no Node, no network
	@$(RUN) python tools/typescript_client.py

.PHONY: migration
migration: install ## write the next migration: make migration service=kpi m=slug
	$(RUN) python tools/new_migration.py $(service) $(m)
